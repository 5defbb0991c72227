/*
 * A channel: one end of a socketpair between two roles, carrying the framed messages of
 * daemon/proto. What is sent during a turn of the event loop leaves in one write at its end.
 *
 * What goes wrong on a channel is of three kinds (us_err_blame()):
 *
 *   malformed   the peer sent what it may not send: a frame whose type is not its own to send,
 *               whose length exceeds the type's maximum, whose reserved bytes are not zero, or
 *               that a handler refuses with US_ERR_MALFORMED. A less trusted peer is dropped; if
 *               it is the more trusted one the process stops (abort).
 *   memory      there is none for a message, on its way in or in its handler
 *   sending     the channel has no room for what must be said
 *
 * The last two, and any other error of a handler, are our own, and nobody is called malformed for
 * them. Yet something was not said or not done, so the channel cannot go on: to a less trusted peer
 * it ends, to a more trusted one the process does, with a message that says what happened; the
 * monitor starts anew who ends. A handler that can answer with an error does that instead of
 * returning one.
 *
 * Back-pressure. While more than US_CHANNEL_HIGH bytes wait for a *less* trusted peer to take them,
 * nothing is taken from it: its messages wait, at most one read's worth of them here, the rest in
 * the socket. That ends when US_CHANNEL_LOW bytes or fewer are left. Towards a *more* trusted peer
 * this is never done. So whoever waits for somebody to read waits for someone less trusted, and no
 * circle of roles can wait on itself: the least trusted waits for nobody. (A front that asks the
 * keeper for a signature reads nothing meanwhile, for five seconds at most.) What a less trusted
 * role has to say and may not send it keeps or refuses: a channel holds OUT_MAX bytes, and beyond
 * them a reserve for messages that are small by their type (commit, abort, cancel, credit …), so
 * that what must not fail does not fail behind large ones.
 *
 * Single-threaded: all calls from the thread of its event base.
 */
#ifndef US_DAEMON_PROCESS_CHANNEL_H
#define US_DAEMON_PROCESS_CHANNEL_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "daemon/process/messages.h"

struct event_base;
struct us_channel;

struct us_channel_handler {
	/* One frame. body is valid during the call. An error ends the channel, see above;
	 * US_ERR_MALFORMED alone says that the peer is at fault. fd is -1, or a descriptor that now
	 * belongs to the callee. */
	int (*on_message)(void *ctx, struct us_channel *ch, uint16_t type, uint32_t tag,
	    struct us_bytes body, int fd);
	/* The channel is gone: err is US_ERR_CLOSED or what was wrong. Called once, never from
	 * within us_channel_send. After it returns ch is freed by the channel itself. */
	void (*on_close)(void *ctx, struct us_channel *ch, int err);
	/* Optional: the end of one read's worth of messages, where a role may do what it
	 * gathered (the keeper commits its group here). */
	void (*on_batch_end)(void *ctx, struct us_channel *ch);
	/* Optional: us_channel_is_high() was true and is not any more. */
	void (*on_drained)(void *ctx, struct us_channel *ch);
};

#define US_CHANNEL_HIGH (16u * 1024u * 1024u)
#define US_CHANNEL_LOW (4u * 1024u * 1024u)

/* Takes ownership of fd. handler must outlive the channel. NULL if memory is out. */
struct us_channel *us_channel_new(struct event_base *base, int fd, enum us_role own,
    enum us_role peer, uint8_t peer_index, const struct us_channel_handler *handler, void *ctx);
/* Closes and frees without on_close; from within a handler, once that returns. NULL is allowed. */
void us_channel_free(struct us_channel *ch);
enum us_role us_channel_peer(const struct us_channel *ch);
/* Which process of the peer's role it is, as given to us_channel_new(). */
uint8_t us_channel_peer_index(const struct us_channel *ch);
/* Bytes queued and not yet taken by the kernel: for those who must hold back. */
size_t us_channel_backlog(const struct us_channel *ch);
/* 1 from when more than US_CHANNEL_HIGH bytes wait to be taken until no more than US_CHANNEL_LOW
 * do. */
int us_channel_is_high(const struct us_channel *ch);
/* We cannot go on with this peer, because of err, an error of ours: as if a handler had returned
 * it. */
void us_channel_fail(struct us_channel *ch, int err);

typedef int (*us_encode_fn)(struct us_buf *b, const void *m);
/* Queues a frame with the body of type `type` that encode() writes. US_ERR_NOMEM; US_ERR_FULL:
 * there is no room until the peer has taken what waits; US_ERR_INTERNAL: our bug (a field is larger
 * than it may be), which has been logged. Then nothing was queued. A gone peer is reported by
 * on_close, not here. For use by us_send_NAME(), which are in messages_generated.h. */
int us_channel_send(struct us_channel *ch, uint16_t type, uint32_t tag, us_encode_fn encode,
    const void *m);
/* As us_channel_send with a descriptor; written at once. The caller keeps fd. Control channel only.
 * US_ERR_BUSY: something waits there already; US_ERR_CLOSED. */
int us_channel_send_fd(struct us_channel *ch, uint16_t type, uint32_t tag, us_encode_fn encode,
    const void *m, int fd);

/* Writes what is queued as far as the kernel takes it, without waiting for the end of the turn:
 * before a process ends. */
void us_channel_flush(struct us_channel *ch);
/* 1 once the peer is known to be gone, or to take no more; on_close follows. */
int us_channel_is_gone(const struct us_channel *ch);
/* Handles what the peer has sent so far, without waiting for the event loop, and however much waits
 * for it: before a process ends, or when the peer has. Nothing from within a handler of ch. */
void us_channel_drain(struct us_channel *ch);
/* Takes no more from the peer, and handles what it has sent so far. What it sends from now on fails
 * there, so that it knows what has arrived here: before a process ends. Sending goes on as before.
 * From within a handler of ch what it has sent is not handled. */
void us_channel_hang_up(struct us_channel *ch);

#endif
