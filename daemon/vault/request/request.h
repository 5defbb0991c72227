/*
 * A request of a person, from its message to its last byte.
 *
 * What is to be done for a request of a kind is a row of steps (struct us_vault_step). The engine
 * (engine.c) decodes the message, once, has it decided who asks, and makes the steps one after
 * another. A step does its part and says how it goes on; it never sends an answer, ends a request,
 * or hears of one that has ended: the engine alone does that, and it alone frees. So whatever a
 * step calls, its request is there until it returns.
 *
 *      take ── decode ── decide access ──┬── step ── step ── … ── answer ── whole ── end
 *                                        │    │ waits for the keeper, a turn, the sealer
 *                                        │    │ us_vault_resume()
 *                                        │    └ next step
 *                                        ├── REFUSE: logged, then its problem is answered ── end
 *                                        └── FAIL: its problem is answered ── end
 *
 * A request also ends when its front says so or goes, in whichever step it is: then what it waits
 * for is forgotten, or, if an entry that gives it something is being written, heard by outcome.c.
 */
#ifndef US_DAEMON_VAULT_REQUEST_REQUEST_H
#define US_DAEMON_VAULT_REQUEST_REQUEST_H

#include "base/buf.h"
#include "daemon/process/requests.h"
#include "daemon/process/share.h"
#include "daemon/vault/decide/decide.h"
#include "daemon/vault/request/gate.h"
#include "daemon/vault/request/opening.h"
#include "daemon/vault/request/outcome.h"
#include "daemon/vault/request/work.h"

struct us_vault_front;
struct us_vault_request;

/* --- rows ------------------------------------------------------------------------------------- */

enum us_vault_next {
	US_VAULT_GO_ON,  /* the next step; behind the last one the answer in work.out is whole */
	US_VAULT_WAIT,   /* the next step, once somebody calls us_vault_resume() */
	US_VAULT_ANSWER, /* the answer in work.out is whole: no step follows */
	US_VAULT_REFUSE, /* r->problem is logged, then answered */
	US_VAULT_FAIL,   /* r->problem is answered */
};

/* Exactly one of the two; in the step behind a row's last one neither. */
struct us_vault_step {
	enum us_vault_next (*once)(struct us_vault_request *r);
	/* a unit of work, made again and again, in slices (work.h). A failed one leaves r->problem.
	 * What it adds to work.out goes to the client if it is its row's last step */
	enum us_step (*unit)(struct us_vault_request *r);
	/* of a kind's first step: what a refusal of whoever asks is to name, into r; NULL:
	 * nothing */
	void (*name)(struct us_vault_request *r);
};

/* --- a request -------------------------------------------------------------------------------- */

/* What its steps keep between them; each is its file's own. */
union us_vault_own {
	struct us_vault_reading *reading;
	struct us_vault_searching *searching;
	struct us_vault_acting *acting;
	struct us_vault_comparing *comparing;
	struct us_vault_asking *asking;
	struct us_vault_gathering *gathering;
	struct us_vault_reporting *reporting;
	struct us_vault_sending *sending;
	struct us_vault_load_request *loading;
	const struct us_msg_log_keys_reply *log_keys;
};

/* An answer of the keeper; valid in the step behind the question alone. */
struct us_vault_heard {
	uint16_t type;
	struct us_bytes body;
	const struct us_msg_logged *logged; /* of an entry that stands; else NULL */
};

struct us_vault_request {
	/* for steps */
	struct us_vault *vault;
	union us_request_message q; /* decoded; views into body */
	struct us_vault_asker who;
	enum us_action action;   /* asked for */
	struct us_bytes purpose; /* that the order was asked with */
	const uint64_t *asked;   /* records that it asks for; in its own */
	size_t n_asked;
	struct us_vault_heard heard;
	union us_vault_own own;
	void (*own_free)(struct us_vault_request *r); /* called once, at the end; NULL: nothing */
	struct us_vault_problem problem;
	uint16_t status; /* of the answer's head, which begins as 200 and JSON */
	uint8_t content;
	uint64_t entry;
	struct us_work work;           /* of the answer: units, and its bytes */
	struct us_vault_ending ending; /* what it was given, and how its answer ends */
	/* the engine's, and those of its room */
	const struct us_request_info *kind;
	const struct us_vault_step *step; /* the next one */
	struct us_vault_front *front;
	uint32_t tag;
	struct us_vault_request *tag_next; /* once it has ended: of those that are kept */
	uint32_t call;                     /* outstanding question to the keeper; 0: none */
	int asks;                          /* its entry is to give something */
	int refused;                       /* by an entry, which tells how it ended */
	struct us_vault_pass pass;         /* of the gate before the log */
	struct us_vault_pass turn;         /* of the one before everything */
	struct us_share_holder *holder;    /* whose share it takes; NULL: of nobody yet */
	struct us_vault_opening opening;   /* of its collection */
	struct us_buf body;                /* the message */
};

/* --- for steps: how it goes on (reply.c) ------------------------------------------------------ */

/* Goes on with another row. */
enum us_vault_next us_vault_row(struct us_vault_request *r, const struct us_vault_step *steps);
/* FAIL with the problem that an error of ours or of the keeper amounts to. entry: NO_ENTRY:
 * none. */
enum us_vault_next
us_vault_fail(struct us_vault_request *r, int err, enum us_reason reason, uint64_t entry);
/* The same for a unit. */
enum us_step
us_vault_unit_failed(struct us_vault_request *r, int err, enum us_reason reason, uint64_t entry);
/* What a decision means: GO_ON, REFUSE or FAIL. */
enum us_vault_next us_vault_decided(enum us_vault_decision decision);
/* ANSWER with these bytes, which are copied. */
enum us_vault_next us_vault_answer_bytes(struct us_vault_request *r, uint16_t status,
    uint8_t content, uint64_t entry, struct us_bytes body);
/* Ends the document, whose bytes are in json, and answers with it; FAIL if it cannot be ended.
 * Frees json in any case. */
enum us_vault_next us_vault_answer_json(struct us_vault_request *r, uint16_t status, uint64_t entry,
    struct us_json *j, struct us_buf *json);

#endif
