/* The sending half of a channel: see channel.h. */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "base/err.h"
#include "base/log.h"
#include "daemon/process/channel_internal.h"

#define OUT_MAX (256u * 1024u * 1024u)
/* Above OUT_MAX, for types whose maximum is no larger than SMALL_MAX. */
#define RESERVE (64u * 1024u * 1024u)
#define SMALL_MAX 16384u

/* The peer has taken so much that its own messages are taken again. */
static void
leave_high(struct us_channel *ch)
{
	ch->high = 0;
	ch->drained = ch->handler->on_drained != NULL;
	if (ch->closed || ch->own < ch->peer)
		return;
	(void)event_add(ch->read_event, NULL);
	ch->kept_back = 1;
	event_active(ch->read_event, EV_READ, 1);
}

static void
empty_out(struct us_channel *ch)
{
	ch->out_at = 0;
	if (ch->out.cap > US_CHANNEL_KEEP)
		us_buf_free(&ch->out);
	else
		us_buf_reset(&ch->out);
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
			break;
		}
		if (n < 0) {
			us_channel_condemn(ch, US_ERR_CLOSED);
			return;
		}
		ch->out_at += (size_t)n;
	}
	if (ch->out_at == ch->out.len) {
		empty_out(ch);
	} else if (ch->out_at > ch->out.len / 2) {
		/* what has left must not be kept because something always waits */
		us_buf_consume(&ch->out, ch->out_at);
		ch->out_at = 0;
	}
	if (ch->high && us_channel_backlog(ch) <= US_CHANNEL_LOW)
		leave_high(ch);
}

void
us_channel_on_flush(evutil_socket_t fd, short what, void *arg)
{
	struct us_channel *ch = arg;

	(void)fd;
	(void)what;
	ch->flush_pending = 0;
	if (!ch->closed)
		flush(ch);
	us_channel_report(ch);
}

static void
flush_soon(struct us_channel *ch)
{
	if (ch->flush_pending)
		return;
	ch->flush_pending = 1;
	event_active(ch->flush_event, EV_TIMEOUT, 1);
}

void
us_channel_on_writable(evutil_socket_t fd, short what, void *arg)
{
	struct us_channel *ch = arg;

	(void)fd;
	(void)what;
	if (ch->closed)
		return; /* on_flush reports */
	flush(ch);
	if (ch->drained)
		us_channel_report(ch);
}

static void
take_back(struct us_channel *ch, size_t start)
{
	us_wipe(ch->out.data + start, ch->out.len - start);
	ch->out.len = start;
}

/* Appends a frame; out has room for any one beyond its limits, so that what an encoder cannot write
 * is its own doing. */
static int
put_frame(struct us_channel *ch, uint16_t type, uint32_t tag, us_encode_fn encode, const void *m)
{
	struct us_msg_info info;
	uint8_t *header;
	size_t limit, start;
	int err;

	if (!us_msg_info(type, &info))
		return US_ERR_INTERNAL;
	limit = info.max <= SMALL_MAX ? (size_t)OUT_MAX + RESERVE : OUT_MAX;
	if (us_channel_backlog(ch) >= limit)
		flush(ch); /* a turn of the loop may put more than that into an empty socket */
	if (us_channel_backlog(ch) >= limit)
		return US_ERR_FULL;
	start = ch->out.len;
	err = us_buf_extend(&ch->out, US_FRAME_HEADER, &header);
	if (err == US_OK)
		err = encode(&ch->out, m);
	if (err != US_OK && err != US_ERR_NOMEM) {
		us_log_err(err, "a message \"%s\" cannot be written", info.name);
		err = US_ERR_INTERNAL;
	}
	if (err == US_OK && us_channel_backlog(ch) > limit)
		err = US_ERR_FULL;
	if (err != US_OK) {
		take_back(ch, start);
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
	flush_soon(ch);
	if (err != US_OK)
		return err;
	if (!ch->high && us_channel_backlog(ch) > US_CHANNEL_HIGH) {
		ch->high = 1;
		if (us_channel_holds(ch))
			(void)event_del(ch->read_event);
	}
	return US_OK;
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
	struct msghdr msg = { .msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof control.bytes };
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
		return errno == EAGAIN || errno == EWOULDBLOCK || errno == ETOOMANYREFS ?
		    US_ERR_BUSY :
		    US_ERR_CLOSED;
	}
	ch->out_at = (size_t)n;
	flush(ch);
	return US_OK;
}

void
us_channel_flush(struct us_channel *ch)
{
	if (ch->closed)
		return;
	flush(ch);
	if (ch->drained)
		flush_soon(ch);
}
