/*
 * What the files of the front share: its state, a connection, and who calls whom.
 *
 *                 ┌─────────────────┐
 *   HANDSHAKE ──► HEAD ──► BODY ──► WAIT ──► FLUSH ──► HEAD …
 *        │          └────────┴───────┴─────────┴──► HEAD, FLUSH (answered at once)
 *        └──────────┴────────┴───────┴─────────┴──► LINGER ──► DEAD        (DEAD from anywhere)
 *
 * HEAD: between requests, or part of a head is there. BODY: head is decoded, body is coming. WAIT:
 * the request is with the vault or an intake; nothing is read. FLUSH: the answer is complete and
 * not yet taken by the socket. LINGER: we have closed our side and let the peer read what we
 * said, so that no reset throws it away. DEAD: descriptor closed, memory freed at the next tick.
 */
#ifndef US_DAEMON_FRONT_FRONT_INTERNAL_H
#define US_DAEMON_FRONT_FRONT_INTERNAL_H

#include <event2/event.h>

#include "base/transitions.h"
#include "daemon/front/answer.h"
#include "daemon/front/request.h"
#include "daemon/front/tls.h"
#include "daemon/process/channel.h"
#include "daemon/process/share.h"

/* A tag is slot | generation << US_SLOT_BITS: a late reply to a request that is gone finds a
 * slot of another generation and is dropped. */
#define US_SLOT_BITS 14
#define US_CONNECTIONS_MAX (1u << US_SLOT_BITS)
#define US_CONNECTIONS_DEFAULT 8192
#define US_HOLDERS 4096 /* of each kind, in the table of shares */
#define US_INTAKES_MAX 256
#define US_BACKLOG_MAX (16u * 1048576u) /* of the channel to the vault */
#define US_FRONT_NS_PER_MS INT64_C(1000000)
#define US_READ_SIZE 16384 /* a TLS record's plaintext */
/* An answer's head and chunk framing beside the window. */
#define US_OUT_MAX (US_REPLY_WINDOW + 2u * 1048576u)

#define US_HANDSHAKE_SECONDS 10
#define US_HEAD_SECONDS 15
#define US_BODY_STALL_SECONDS 30
#define US_BODY_SECONDS 300
#define US_IDLE_SECONDS 300
#define US_STALL_SECONDS 60
#define US_AGE_SECONDS 3600
#define US_LINGER_SECONDS 2
#define US_HANDSHAKES_SECONDS 1
/* An intake that ended is started anew, and comes with a new channel; one that only ended ours does
 * not. */
#define US_INTAKE_SECONDS 10

enum us_conn_state {
	US_CONN_HANDSHAKE,
	US_CONN_HEAD,
	US_CONN_BODY,
	US_CONN_WAIT,
	US_CONN_FLUSH,
	US_CONN_LINGER,
	US_CONN_DEAD,
};
/* conn.c: the diagram above as a table. Every change of a connection's state goes through it. */
extern const struct us_transitions us_conn_transitions;

struct us_front;

/* Invariants: route is not NULL exactly in BODY; in holds the start of a head in HEAD, or what the
 * client sent ahead in WAIT and FLUSH; out[out_at ..] is what the socket has not taken; of it,
 * uncredited bytes are of a reply's body and are still to be credited to the vault. */
struct us_conn {
	struct us_front *front;
	SSL *ssl;
	struct event *read_event;
	struct event *write_event;
	struct event *closed_event; /* while nothing is read: is the client still there? */
	int fd;
	enum us_conn_state state;
	uint32_t slot;
	uint32_t generation;
	int64_t deadline; /* monotonic seconds; the tick acts on it */
	int64_t body_deadline;
	int64_t born;
	struct us_http_scan scan;
	struct us_buf in;
	struct us_buf body;
	struct us_buf out;
	size_t out_at;
	size_t uncredited;
	struct us_route *route;
	struct us_conn *next_dead;
	struct us_share_holder *holder; /* an address until the certificate is verified */
	struct us_share_item silent;    /* in holder's line while the client is to speak */
	struct us_conn *turn_before, *turn_next;
	size_t body_n;     /* bytes of the body that are charged */
	size_t unread;     /* of out */
	int16_t intake;    /* index of the intake that has our part, or -1 */
	uint8_t paused;    /* read_event is not pending */
	uint8_t consuming; /* us_conn's reader is on the stack */
	uint8_t close;     /* after this answer */
	uint8_t part;      /* one is charged */
	uint8_t has_turn;  /* its handshake may go on */
	uint8_t turn_waits;
	uint8_t streaming; /* a chunked answer has begun */
	uint8_t peer_n;
	char peer[64];
	uint8_t credential[32];
};

struct us_front {
	struct event_base *base;
	struct us_tls *tls;
	struct us_channel *vault;
	struct us_channel *intakes[US_INTAKES_MAX];
	/* since when one of intakes is NULL again, monotonic seconds */
	int64_t intake_lost[US_INTAKES_MAX];
	unsigned intake_n; /* one more than the largest index seen */
	struct event *listen_event;
	struct event *tick_event;
	int listen_fd;
	int keeper_fd;
	uint32_t connections_max;
	uint32_t connections;
	struct us_shares *shares;
	struct us_conn *turn_first; /* wait for a handshake, the newest first */
	struct event *turns_event;
	struct us_conn **slots; /* connections_max of them */
	uint32_t *generations;
	uint32_t *free_slots;
	uint32_t free_n;
	struct us_route *routes; /* free list */
	struct us_conn *dead;
	struct us_buf arena; /* of the request being decoded */
	int64_t now;         /* monotonic seconds, renewed each tick */
	int64_t last_handshakes;
	uint8_t told[US_SHARE_COUNT * US_SHARE_FIGURES_BYTES]; /* of the shares, last */
	char date[US_ANSWER_DATE_MAX];
	struct us_channel *control; /* to the monitor; NULL in tests */
	int failed;                 /* cannot go on: the event loop is about to end */
	/* without an entry, by reason, that the vault was not told of */
	uint32_t refused[UINT8_MAX + 1];
	uint8_t in[US_READ_SIZE];
	uint8_t small[US_READ_SIZE]; /* an answer written at once */
};

/* --- front.c: a front without a process around it, for us_front_main and for tests --- */

/* For so many connections, 1 .. US_CONNECTIONS_MAX. NULL: no memory. Free with us_front_free(). */
struct us_front *us_front_new(struct event_base *base, uint32_t connections_max);
/* Drops all connections and closes its descriptors. f may be NULL. */
void us_front_free(struct us_front *f);
/* Takes a listening socket. */
int us_front_listen(struct us_front *f, int fd);
/* Takes a channel to the vault. US_ERR_NOMEM; US_ERR_STATE: it has one. */
int us_front_set_vault(struct us_front *f, int fd);
/* The same to an intake. */
int us_front_set_intake(struct us_front *f, uint8_t index, int fd);
/* The same to the keeper, on which the front waits for answers. */
int us_front_set_keeper(struct us_front *f, int fd);
/* Begins to accept; channels, keeper and listening socket must be there. */
int us_front_start(struct us_front *f);
/* One second's work; the tick calls it. now: monotonic seconds. */
void us_front_tick(struct us_front *f, int64_t now);
/* This process cannot go on, for the reason given: says its last words and ends the event loop, and
 * the monitor starts another. Once. */
void us_front_fail(struct us_front *f, const char *why);
/* Room for a head; NULL: no memory. Give it back with us_front_route_put(). */
struct us_route *us_front_route_get(struct us_front *f);
/* Wipes and keeps it for another. */
void us_front_route_put(struct us_front *f, struct us_route *route);

/* --- conn.c ----------------------------------------------------------------------------------- */

/* Takes fd, an accepted socket, and holder, where it comes from. NULL: fd is closed. */
struct us_conn *
us_conn_new(struct us_front *f, int fd, struct us_share_holder *holder, const char *peer);
/* Closes it, and gives up its request. c lives until the next us_conn_reap(). */
void us_conn_drop(struct us_conn *c);
/* Frees what drop left. */
void us_conn_reap(struct us_front *f);
/* What a second's passing means for c. */
void us_conn_tick(struct us_conn *c);
/* Leads c to a state. */
void us_conn_move(struct us_conn *c, enum us_conn_state to);
/* While a request is under way nothing is read; then only the client's going matters. */
void us_conn_pause(struct us_conn *c);
/* Reading goes on. */
void us_conn_resume(struct us_conn *c);
/* Sends the parts one behind the other. c may be dead afterwards. */
void us_conn_send(struct us_conn *c, const struct us_bytes *parts, size_t n);
/* The answer is wholly in out or sent: on to the next request, or to the end. */
void us_conn_answered(struct us_conn *c);

/* --- conn_share.c ----------------------------------------------------------------------------- */

/* Ends the oldest silent connection of the largest holder; 0: there is none. */
int us_conn_make_room(struct us_front *f);
/* Takes the place of a connection for h. US_ERR_FULL: there is none, and nobody can be asked. */
int us_conn_take_place(struct us_front *f, struct us_share_holder *h);
/* From now on c is its credential's. */
void us_conn_is_verified(struct us_conn *c);
/* c goes: gives back its place, and its bytes that nobody read. */
void us_conn_leave_place(struct us_conn *c);
/* The client has done something, or it is its turn, or not any more. */
void us_conn_heard(struct us_conn *c);
/* f->turns_event. US_ERR_NOMEM. */
int us_conn_turns_new(struct us_front *f);
/* 1 if c's handshake may go on; else it waits, and is read from again when it may. */
int us_conn_has_turn(struct us_conn *c);
/* c does not wait for a turn. */
void us_conn_turn_forget(struct us_conn *c);
/* Charges n bytes of a body that have come. US_ERR_FULL: beyond its share. */
int us_conn_charge_body(struct us_conn *c, size_t n);
/* The same of a part of a load. */
int us_conn_charge_part(struct us_conn *c);
/* Gives back what the two charged. */
void us_conn_give_back(struct us_conn *c);
/* Charges what waits in out now, instead of what did. US_ERR_FULL: beyond its share. */
int us_conn_charge_unread(struct us_conn *c);

/* --- conn_read.c ------------------------------------------------------------------------------ */

/* Takes requests out of what was read, as long as each is answered at once. What comes behind a
 * request under way waits in c->in. c may be dead afterwards. */
void us_conn_consume(struct us_conn *c, const uint8_t *p, size_t n);

/* --- conn_out.c ------------------------------------------------------------------------------- */

/* Bytes that the socket has not taken. */
size_t us_conn_out_left(const struct us_conn *c);
/* Writes what is left as far as the socket takes it, and has the event loop go on with the rest.
 * US_ERR_CLOSED: the connection is beyond help; US_ERR_FULL: too much waits for its holder. */
int us_conn_out_flush(struct us_conn *c);
/* Writes the parts one behind the other, behind what is left. US_ERR_CLOSED; US_ERR_LIMIT: more
 * than may be left, US_ERR_NOMEM. */
int us_conn_out_send(struct us_conn *c, const struct us_bytes *parts, size_t n);

/* --- relay.c ---------------------------------------------------------------------------------- */

/* The request whose head is decoded and whose body is there. */
void us_relay_request(struct us_conn *c, const struct us_route *route, struct us_bytes body);
/* More than a share. */
extern const struct us_problem us_relay_too_many;
/* Answers with a problem made here. close: the connection cannot go on. */
void us_relay_problem(struct us_conn *c, const struct us_problem *p, int close);
/* Tells the vault how much of the reply the socket has taken. */
void us_relay_credit(struct us_conn *c);
/* c goes while its request is under way. */
void us_relay_cancel(struct us_conn *c);
/* May the body of this route come? Its bytes are charged as they do. 0, or the status of *p. */
int us_relay_admit(struct us_conn *c, const struct us_route *route, struct us_problem *p);
/* Gives back the room that us_relay_admit() took. */
void us_relay_release(struct us_conn *c);
/* Counts a connection or request that was refused here, so that nobody writes an entry about it. */
void us_relay_refused(struct us_front *f, enum us_reason why);
/* Tells the vault what it has of what people share, if that has changed. */
void us_relay_shares(struct us_front *f);
/* Sends the counts if it is time. */
void us_relay_handshakes(struct us_front *f);
/* The same to the monitor, before this process ends. */
void us_relay_last_words(struct us_front *f);
extern const struct us_channel_handler us_relay_vault_handler;
extern const struct us_channel_handler us_relay_intake_handler;

#endif
