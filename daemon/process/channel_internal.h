/* What channel.c (life, taking) and channel_send.c (sending) share. */
#ifndef US_DAEMON_PROCESS_CHANNEL_INTERNAL_H
#define US_DAEMON_PROCESS_CHANNEL_INTERNAL_H

#include <event2/event.h>

#include "daemon/process/channel.h"

/* Buffers that grew beyond this are given back when they run empty. */
#define US_CHANNEL_KEEP (1024u * 1024u)

/*
 * Invariants: out holds whole frames but for the part of the first that the kernel took (out_at
 * bytes). depth > 0 while a callback runs: freeing is put off until it returns (dead). high is as
 * us_channel_is_high() says; while it is, and the peer is less trusted, frames stay in `in` and
 * read_event is not pending.
 */
struct us_channel {
	struct event_base *base;
	struct event *read_event;
	struct event *write_event;
	struct event *flush_event; /* runs at the end of the turn in which something was sent */
	const struct us_channel_handler *handler;
	void *ctx;
	struct us_buf in;
	struct us_buf out;
	size_t out_at;
	int fd;
	int received_fd;
	int depth;
	int dead;
	int closed;
	int flush_pending;
	int high;
	int drained;   /* on_drained is due */
	int kept_back; /* what was left in `in` is to be looked at before more is read */
	int draining;  /* us_channel_drain() is at work */
	int hung_up;   /* us_channel_hang_up(): nothing more comes, but what is said still goes */
	int close_err; /* US_ERR_CLOSED: the peer is gone */
	uint16_t type; /* of the newest message taken, for what is said of it */
	enum us_role own, peer;
	uint8_t peer_index;
};

/* channel.c */
/* Stops all traffic and tells the owner once, from the event loop. err: US_ERR_CLOSED, or what went
 * wrong. */
void us_channel_condemn(struct us_channel *ch, int err);
/* Tells the owner what writing has found: that there is room again, that the channel is gone. ch
 * may be gone afterwards. */
void us_channel_report(struct us_channel *ch);
/* Whether nothing is taken from the peer now. */
int us_channel_holds(const struct us_channel *ch);

/* channel_send.c: events of ch, which is arg; both write what they can and tell the owner. */

/* There is something to write. ch may be gone afterwards. */
void us_channel_on_flush(evutil_socket_t fd, short what, void *arg);
/* There is room to write. ch may be gone afterwards. */
void us_channel_on_writable(evutil_socket_t fd, short what, void *arg);

#endif
