#include "daemon/lib/channel.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <event2/event.h>
#include <event2/util.h>

#include "common/err.h"
#include "common/log.h"

#define READ_CHUNK (256u * 1024u)
#define OUT_MAX (256u * 1024u * 1024u)
#define IN_MAX (80u * 1024u * 1024u)
/* Buffers that grew beyond this are given back when they run empty. */
#define KEEP_MAX (1024u * 1024u)

/*
 * Invariants: out holds whole frames but for the part of the first that the kernel took (out_at
 * bytes). depth > 0 while a callback runs: freeing is put off until it returns (dead).
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
	int close_err;
	enum us_role own, peer;
	uint8_t peer_index;
};

static void on_readable(evutil_socket_t fd, short what, void *arg);
static void on_writable(evutil_socket_t fd, short what, void *arg);
static void on_flush(evutil_socket_t fd, short what, void *arg);

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
	us_buf_init(&ch->out, OUT_MAX);
	(void)evutil_make_socket_nonblocking(fd);
	(void)evutil_make_socket_closeonexec(fd);
	ch->read_event = event_new(base, fd, EV_READ | EV_PERSIST, on_readable, ch);
	ch->write_event = event_new(base, fd, EV_WRITE, on_writable, ch);
	ch->flush_event = event_new(base, -1, 0, on_flush, ch);
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

void
us_channel_pause(struct us_channel *ch, int paused)
{
	if (ch->closed)
		return;
	if (paused)
		(void)event_del(ch->read_event);
	else
		(void)event_add(ch->read_event, NULL);
}

/* Stops all traffic and tells the owner once, from the event loop. */
static void
condemn(struct us_channel *ch, int err)
{
	if (ch->closed)
		return;
	ch->closed = 1;
	ch->close_err = err;
	(void)event_del(ch->read_event);
	(void)event_del(ch->write_event);
	event_active(ch->flush_event, EV_TIMEOUT, 1);
}

static void
report_close(struct us_channel *ch)
{
	if (ch->close_err != US_ERR_CLOSED && ch->peer > ch->own)
		us_panic("malformed message from %s, which is more trusted: stopping",
		    us_role_name(ch->peer));
	if (ch->close_err != US_ERR_CLOSED)
		us_log_err(ch->close_err, "malformed message from %s %u: dropping it",
		    us_role_name(ch->peer), ch->peer_index);
	ch->depth++;
	ch->handler->on_close(ch->ctx, ch, ch->close_err);
	ch->depth--;
	destroy(ch);
}

/* Writes what is queued; leaves the rest to on_writable. */
static void
flush(struct us_channel *ch)
{
	while (ch->out.len > ch->out_at) {
		ssize_t n = send(ch->fd, ch->out.data + ch->out_at, ch->out.len - ch->out_at,
		    MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
			(void)event_add(ch->write_event, NULL);
			return;
		}
		if (n < 0) {
			condemn(ch, US_ERR_CLOSED);
			return;
		}
		ch->out_at += (size_t)n;
	}
	ch->out_at = 0;
	if (ch->out.cap > KEEP_MAX)
		us_buf_free(&ch->out);
	else
		us_buf_reset(&ch->out);
}

static void
on_flush(evutil_socket_t fd, short what, void *arg)
{
	struct us_channel *ch = arg;

	(void)fd;
	(void)what;
	ch->flush_pending = 0;
	if (!ch->closed)
		flush(ch);
	if (ch->closed)
		report_close(ch);
}

static void
on_writable(evutil_socket_t fd, short what, void *arg)
{
	struct us_channel *ch = arg;

	(void)fd;
	(void)what;
	if (!ch->closed)
		flush(ch);
}

static int
put_frame(struct us_channel *ch, uint16_t type, uint32_t tag, us_encode_fn encode, const void *m)
{
	size_t start = ch->out.len;
	uint8_t *header;
	int err = us_buf_extend(&ch->out, US_FRAME_HEADER, &header);

	if (err == US_OK)
		err = encode(&ch->out, m);
	if (err != US_OK) {
		ch->out.len = start;
		return err;
	}
	/* not header: the buffer may have moved */
	us_frame_header(ch->out.data + start, type, tag,
	    (uint32_t)(ch->out.len - start - US_FRAME_HEADER));
	return US_OK;
}

int
us_channel_send(struct us_channel *ch, uint16_t type, uint32_t tag, us_encode_fn encode,
    const void *m)
{
	int err;

	if (ch->closed)
		return US_OK; /* on_close is on its way */
	err = put_frame(ch, type, tag, encode, m);
	if (err == US_OK && !ch->flush_pending) {
		ch->flush_pending = 1;
		event_active(ch->flush_event, EV_TIMEOUT, 1);
	}
	return err;
}

int
us_channel_send_fd(struct us_channel *ch, uint16_t type, uint32_t tag, us_encode_fn encode,
    const void *m, int fd)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = { .bytes = { 0 } };
	struct iovec iov;
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = control.bytes, .msg_controllen = sizeof control.bytes };
	struct cmsghdr *cmsg;
	ssize_t n;
	int err;

	if (ch->closed)
		return US_ERR_CLOSED;
	flush(ch);
	if (ch->closed || us_channel_backlog(ch) != 0)
		return US_ERR_BUSY;
	err = put_frame(ch, type, tag, encode, m);
	if (err != US_OK)
		return err;
	iov = (struct iovec){ ch->out.data, ch->out.len };
	cmsg = CMSG_FIRSTHDR(&msg);
	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(cmsg), &fd, sizeof fd);
	do
		n = sendmsg(ch->fd, &msg, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	if (n < 0) {
		us_buf_reset(&ch->out);
		return US_ERR_CLOSED;
	}
	ch->out_at = (size_t)n;
	flush(ch);
	return US_OK;
}

/* Takes the whole frames out of in. Returns US_OK or what is wrong with the peer. */
static int
dispatch(struct us_channel *ch)
{
	struct us_msg_info info;
	size_t at = 0;
	int err = US_OK;

	while (err == US_OK && !ch->dead && !ch->closed && ch->in.len - at >= US_FRAME_HEADER) {
		const uint8_t *p = ch->in.data + at;
		uint32_t n = us_load_u32(p);
		uint16_t type = us_load_u16(p + 4);
		struct us_bytes body = { p + US_FRAME_HEADER, n };
		int fd = -1;

		if (us_load_u16(p + 6) != 0 || !us_msg_info(type, &info) || n > info.max ||
		    (info.from != US_ROLE_ANY && info.from != ch->peer) ||
		    (info.to != US_ROLE_ANY && info.to != ch->own)) {
			err = US_ERR_FORMAT;
			break;
		}
		if (ch->in.len - at - US_FRAME_HEADER < n)
			break;
		if (type == US_MSG_channel || type == US_MSG_listen) {
			fd = ch->received_fd;
			ch->received_fd = -1;
		}
		err = ch->handler->on_message(ch->ctx, ch, type, us_load_u32(p + 8), body, fd);
		at += US_FRAME_HEADER + n;
	}
	us_buf_consume(&ch->in, at);
	if (ch->in.len == 0 && ch->in.cap > KEEP_MAX)
		us_buf_free(&ch->in);
	return err;
}

static ssize_t
receive(struct us_channel *ch)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec iov;
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = control.bytes, .msg_controllen = sizeof control.bytes };
	struct cmsghdr *cmsg;
	uint8_t *to;
	size_t want = READ_CHUNK;
	ssize_t n;

	/* A large frame is read in one go once its length is known. */
	if (ch->in.len >= US_FRAME_HEADER) {
		size_t whole = (size_t)us_load_u32(ch->in.data) + US_FRAME_HEADER;

		if (whole > ch->in.len && whole - ch->in.len > want)
			want = whole - ch->in.len;
	}
	if (us_buf_reserve(&ch->in, want, &to) != US_OK)
		return 0;
	iov = (struct iovec){ to, want };
	do
		n = recvmsg(ch->fd, &msg, MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n <= 0)
		return n;
	for (cmsg = CMSG_FIRSTHDR(&msg); cmsg != NULL; cmsg = CMSG_NXTHDR(&msg, cmsg)) {
		if (cmsg->cmsg_level != SOL_SOCKET || cmsg->cmsg_type != SCM_RIGHTS)
			continue;
		if (ch->received_fd >= 0)
			(void)close(ch->received_fd);
		memcpy(&ch->received_fd, CMSG_DATA(cmsg), sizeof ch->received_fd);
	}
	ch->in.len += (size_t)n;
	return n;
}

/* One read's worth: 1 if there was any and the channel is still there. */
static int
take(struct us_channel *ch)
{
	ssize_t n;
	int err;

	if (ch->closed)
		return 0;
	n = receive(ch);
	if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
		return 0;
	if (n <= 0) {
		condemn(ch, US_ERR_CLOSED);
		return 0;
	}
	ch->depth++;
	err = dispatch(ch);
	if (err == US_OK && !ch->dead && !ch->closed && ch->handler->on_batch_end != NULL)
		ch->handler->on_batch_end(ch->ctx, ch);
	ch->depth--;
	if (ch->dead) {
		destroy(ch);
		return 0;
	}
	if (err != US_OK)
		condemn(ch, err);
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
	while (take(ch))
		;
}

void
us_channel_flush(struct us_channel *ch)
{
	if (!ch->closed)
		flush(ch);
}

#define X(name, number, from, to, max) \
	static int encode_##name(struct us_buf *b, const void *m) \
	{ \
		return us_msg_##name##_encode(b, m); \
	} \
	int us_send_##name(struct us_channel *ch, uint32_t tag, const struct us_msg_##name *m) \
	{ \
		return us_channel_send(ch, number, tag, encode_##name, m); \
	}
US_MESSAGES(X)
#undef X
