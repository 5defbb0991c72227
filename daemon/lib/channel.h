/*
 * A channel: one end of a socketpair between two roles, carrying the framed messages of
 * daemon/proto. What is sent during a turn of the event loop leaves in one write at its end.
 *
 * A frame whose type this peer may not send, whose length exceeds the type's maximum, or whose
 * reserved bytes are not zero is malformed: the channel reports US_ERR_FORMAT through on_close, as
 * does a handler that returns an error. If the peer is the more trusted side the process stops.
 *
 * Single-threaded: all calls from the thread of its event base.
 */
#ifndef US_DAEMON_LIB_CHANNEL_H
#define US_DAEMON_LIB_CHANNEL_H

#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "daemon/proto/messages.h"

struct event_base;
struct us_channel;

struct us_channel_handler {
	/* One frame. body is valid during the call. An error (US_ERR_FORMAT, …) condemns the
	 * peer: the channel is closed. fd is -1, or a descriptor that now belongs to the callee. */
	int (*on_message)(void *ctx, struct us_channel *ch, uint16_t type, uint32_t tag,
	    struct us_bytes body, int fd);
	/* The channel is gone: err is US_ERR_CLOSED or what was wrong. Called once, never from
	 * within us_channel_send. After it returns ch is freed by the channel itself. */
	void (*on_close)(void *ctx, struct us_channel *ch, int err);
	/* Optional: the end of one read's worth of messages, where a role may do what it
	 * gathered (the keeper commits its group here). */
	void (*on_batch_end)(void *ctx, struct us_channel *ch);
};

/* Takes ownership of fd. handler must outlive the channel. NULL if memory is out. */
struct us_channel *us_channel_new(struct event_base *base, int fd, enum us_role own,
    enum us_role peer, uint8_t peer_index, const struct us_channel_handler *handler, void *ctx);
void us_channel_free(struct us_channel *ch);
enum us_role us_channel_peer(const struct us_channel *ch);
uint8_t us_channel_peer_index(const struct us_channel *ch);
/* Bytes queued and not yet taken by the kernel: for those who must hold back. */
size_t us_channel_backlog(const struct us_channel *ch);
/* Stops and starts reading, for flow control. */
void us_channel_pause(struct us_channel *ch, int paused);

/* Queues a frame with the body of type `type` that encode() writes. Fails with US_ERR_LIMIT,
 * US_ERR_NOMEM; a gone peer is reported by on_close, not here. Use the us_send_NAME below. */
typedef int (*us_encode_fn)(struct us_buf *b, const void *m);
int us_channel_send(struct us_channel *ch, uint16_t type, uint32_t tag, us_encode_fn encode,
    const void *m);
/* As us_channel_send with a descriptor; written at once. The caller keeps fd. Control channel only. */
int us_channel_send_fd(struct us_channel *ch, uint16_t type, uint32_t tag, us_encode_fn encode,
    const void *m, int fd);

#define X(name, number, from, to, max) \
	int us_send_##name(struct us_channel *ch, uint32_t tag, const struct us_msg_##name *m);
US_MESSAGES(X)
#undef X

/* Writes what is queued as far as the kernel takes it, without waiting for the end of the turn: before a process ends. */
void us_channel_flush(struct us_channel *ch);
/* Handles what the peer has sent so far, without waiting for the event loop: before a process ends, or when the peer has.
 * Not from within a handler of ch. */
void us_channel_drain(struct us_channel *ch);

#endif
