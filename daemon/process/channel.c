#include "daemon/process/channel.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <event2/util.h>

#include "base/err.h"
#include "base/log.h"
#include "daemon/process/channel_internal.h"

#define READ_CHUNK (256u * 1024u)
#define IN_MAX (80u * 1024u * 1024u)

static void on_readable(evutil_socket_t fd, short what, void *arg);
static int take(struct us_channel *ch);

/* --- life ------------------------------------------------------------------------------ */

struct us_channel *
us_channel_new(struct event_base *base, int fd, enum us_role own, enum us_role peer,
    uint8_t peer_index, const struct us_channel_handler *handler, void *ctx)
{
	struct us_channel *ch = calloc(1, sizeof *ch);

	if (ch == NULL)
		return NULL;
	ch->base = base;
	ch->fd = fd;
	ch->received_fd = -1;
	ch->own = own;
	ch->peer = peer;
	ch->peer_index = peer_index;
	ch->handler = handler;
	ch->ctx = ctx;
	us_buf_init(&ch->in, IN_MAX);
	us_buf_init(&ch->out, SIZE_MAX / 2); /* put_frame() has the limits */
	(void)evutil_make_socket_nonblocking(fd);
	(void)evutil_make_socket_closeonexec(fd);
	ch->read_event = event_new(base, fd, EV_READ | EV_PERSIST, on_readable, ch);
	ch->write_event = event_new(base, fd, EV_WRITE, us_channel_on_writable, ch);
	ch->flush_event = event_new(base, -1, 0, us_channel_on_flush, ch);
	if (ch->read_event == NULL || ch->write_event == NULL || ch->flush_event == NULL ||
	    event_add(ch->read_event, NULL) != 0) {
		ch->fd = -1; /* the caller still owns it */
		us_channel_free(ch);
		return NULL;
	}
	return ch;
}

static void
destroy(struct us_channel *ch)
{
	if (ch->read_event != NULL)
		event_free(ch->read_event);
	if (ch->write_event != NULL)
		event_free(ch->write_event);
	if (ch->flush_event != NULL)
		event_free(ch->flush_event);
	if (ch->fd >= 0)
		(void)close(ch->fd);
	if (ch->received_fd >= 0)
		(void)close(ch->received_fd);
	us_buf_free(&ch->in);
	us_buf_free(&ch->out);
	free(ch);
}

void
us_channel_free(struct us_channel *ch)
{
	if (ch == NULL)
		return;
	if (ch->depth > 0) {
		ch->dead = 1;
		return;
	}
	destroy(ch);
}

enum us_role
us_channel_peer(const struct us_channel *ch)
{
	return ch->peer;
}

uint8_t
us_channel_peer_index(const struct us_channel *ch)
{
	return ch->peer_index;
}

size_t
us_channel_backlog(const struct us_channel *ch)
{
	return ch->out.len - ch->out_at;
}

int
us_channel_is_high(const struct us_channel *ch)
{
	return ch->high;
}

int
us_channel_holds(const struct us_channel *ch)
{
	return ch->high && ch->own > ch->peer && !ch->draining;
}

void
us_channel_condemn(struct us_channel *ch, int err)
{
	if (ch->closed)
		return;
	ch->closed = 1;
	ch->close_err = err;
	(void)event_del(ch->read_event);
	(void)event_del(ch->write_event);
	event_active(ch->flush_event, EV_TIMEOUT, 1);
}

/* That the other side is gone is for the channel to find out: from anybody else it is an error like
 * others. */
static int
fault_of(int err)
{
	return err == US_ERR_CLOSED ? US_ERR_INTERNAL : err;
}

void
us_channel_fail(struct us_channel *ch, int err)
{
	us_channel_condemn(ch, fault_of(err));
}

static void
report_fault(const struct us_channel *ch)
{
	const char *peer = us_role_name(ch->peer), *name = us_msg_name(ch->type);

	if (us_err_blame(ch->close_err) == US_BLAME_PEER && ch->peer > ch->own)
		us_panic("malformed message (\"%s\") from %s, which is more trusted: stopping",
		    name, peer);
	if (us_err_blame(ch->close_err) == US_BLAME_PEER)
		us_log(US_LOG_ERROR, "malformed message (\"%s\") from %s %u: dropping it", name,
		    peer, ch->peer_index);
	else if (ch->peer > ch->own)
		us_fatal("cannot go on with %s after its message \"%s\": %s. Stopping", peer, name,
		    us_strerror(ch->close_err));
	else
		us_log_err(ch->close_err,
		    "cannot go on with %s %u, ending its channel after its message \"%s\"", peer,
		    ch->peer_index, name);
}

/* A peer that takes no more may have spoken before it ended, or hung up: that is heard. What is
 * kept back from it because it does not take its answers is not. */
static void
hear_out(struct us_channel *ch)
{
	if (ch->close_err != US_ERR_CLOSED || ch->high)
		return;
	ch->depth++;
	ch->draining = 1;
	ch->kept_back = ch->in.len > 0;
	while (take(ch))
		;
	ch->draining = 0;
	ch->depth--;
}

static void
report_close(struct us_channel *ch)
{
	hear_out(ch);
	if (ch->dead) {
		destroy(ch);
		return;
	}
	if (ch->close_err != US_ERR_CLOSED)
		report_fault(ch);
	ch->depth++;
	ch->handler->on_close(ch->ctx, ch, ch->close_err);
	ch->depth--;
	destroy(ch);
}

void
us_channel_report(struct us_channel *ch)
{
	if (ch->drained && !ch->closed) {
		ch->drained = 0;
		ch->depth++;
		ch->handler->on_drained(ch->ctx, ch);
		ch->depth--;
	}
	if (ch->dead)
		destroy(ch);
	else if (ch->closed)
		report_close(ch);
}

/* --- taking ---------------------------------------------------------------------------- */

/* Nothing is heard any more: not even, of a peer that is gone, what it said before. */
static int
is_over(const struct us_channel *ch)
{
	return ch->closed && !(ch->draining && ch->close_err == US_ERR_CLOSED);
}

/* Takes the whole frames out of in, as long as the peer takes what it is answered. Returns US_OK or
 * what went wrong. */
static int
dispatch(struct us_channel *ch)
{
	struct us_msg_info info;
	size_t at = 0;
	int err = US_OK;

	while (err == US_OK && !ch->dead && !is_over(ch) && !us_channel_holds(ch) &&
	    ch->in.len - at >= US_FRAME_HEADER) {
		const uint8_t *p = ch->in.data + at;
		uint32_t n = us_load_u32(p);
		uint16_t type = us_load_u16(p + 4);
		struct us_bytes body = { p + US_FRAME_HEADER, n };
		int fd = -1;

		ch->type = type;
		if (us_load_u16(p + 6) != 0 || !us_msg_info(type, &info) || n > info.max ||
		    !us_msg_may_go(&info, ch->peer, ch->own)) {
			err = US_ERR_MALFORMED;
			break;
		}
		if (ch->in.len - at - US_FRAME_HEADER < n)
			break;
		if (type == US_MSG_channel || type == US_MSG_listen) {
			fd = ch->received_fd;
			ch->received_fd = -1;
		}
		err = fault_of(
		    ch->handler->on_message(ch->ctx, ch, type, us_load_u32(p + 8), body, fd));
		at += US_FRAME_HEADER + n;
	}
	us_buf_consume(&ch->in, at);
	if (ch->in.len == 0 && ch->in.cap > US_CHANNEL_KEEP)
		us_buf_free(&ch->in);
	return err;
}

/* US_OK: something came; US_ERR_BUSY: nothing for now; US_ERR_CLOSED: the peer is gone;
 * US_ERR_NOMEM. */
static int
receive(struct us_channel *ch)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec iov;
	struct msghdr msg = { .msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof control.bytes };
	struct cmsghdr *cmsg;
	uint8_t *to;
	size_t want = READ_CHUNK;
	ssize_t n;
	int err;

	/* A large frame is read in one go once its length is known. */
	if (ch->in.len >= US_FRAME_HEADER) {
		size_t whole = (size_t)us_load_u32(ch->in.data) + US_FRAME_HEADER;

		if (whole > ch->in.len && whole - ch->in.len > want)
			want = whole - ch->in.len;
	}
	err = us_buf_reserve(&ch->in, want, &to);
	if (err != US_OK)
		return err;
	iov = (struct iovec){ to, want };
	do
		n = recvmsg(ch->fd, &msg, MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
		return US_ERR_BUSY;
	if (n < 0 && (errno == ENOMEM || errno == ENOBUFS))
		return US_ERR_NOMEM;
	if (n <= 0)
		return US_ERR_CLOSED;
	for (cmsg = CMSG_FIRSTHDR(&msg); cmsg != NULL; cmsg = CMSG_NXTHDR(&msg, cmsg)) {
		if (cmsg->cmsg_level != SOL_SOCKET || cmsg->cmsg_type != SCM_RIGHTS)
			continue;
		if (ch->received_fd >= 0)
			(void)close(ch->received_fd);
		memcpy(&ch->received_fd, CMSG_DATA(cmsg), sizeof ch->received_fd);
	}
	ch->in.len += (size_t)n;
	return US_OK;
}

/* One read's worth, or what was kept back of one: 1 if there was any and the channel is still
 * there. */
static int
take(struct us_channel *ch)
{
	int err;

	if (ch->dead || is_over(ch) || us_channel_holds(ch))
		return 0;
	err = ch->kept_back ? US_OK : receive(ch);
	ch->kept_back = 0;
	if (err == US_ERR_BUSY)
		return 0;
	if (err == US_ERR_CLOSED && ch->hung_up) { /* by us: sending finds out whether it is gone */
		(void)event_del(ch->read_event);
		return 0;
	}
	if (err != US_OK) {
		us_channel_condemn(ch, err);
		return 0;
	}
	ch->depth++;
	err = dispatch(ch);
	if (err == US_OK && !ch->dead && !is_over(ch) && ch->handler->on_batch_end != NULL)
		ch->handler->on_batch_end(ch->ctx, ch);
	ch->depth--;
	if (ch->dead) {
		if (ch->depth == 0)
			destroy(ch);
		return 0;
	}
	if (err != US_OK && ch->closed)
		ch->close_err = err;
	else if (err != US_OK)
		us_channel_condemn(ch, err);
	return err == US_OK;
}

static void
on_readable(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)take(arg);
}

void
us_channel_drain(struct us_channel *ch)
{
	if (ch->depth > 0)
		return; /* a handler has the first of them in its hands */
	ch->draining = 1;
	ch->kept_back = ch->in.len > 0;
	while (take(ch)) /* which returns 0 if ch is gone */
		;
}

int
us_channel_is_gone(const struct us_channel *ch)
{
	return ch->closed;
}

void
us_channel_hang_up(struct us_channel *ch)
{
	(void)shutdown(ch->fd, SHUT_RD);
	ch->hung_up = 1;
	us_channel_drain(ch);
}
