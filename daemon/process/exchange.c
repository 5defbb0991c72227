#include "daemon/process/exchange.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>

#include "base/err.h"
#include "base/time.h"

#define QUESTION_MAX 65536u
#define MS_NS INT64_C(1000000)

void
us_line_init(struct us_line *line, int fd)
{
	*line = (struct us_line){ .fd = fd };
}

/* Moves exactly n bytes over fd until deadline_ns of the monotonic clock. */
static int
move_all(int fd, uint8_t *p, size_t n, short events, int64_t deadline_ns)
{
	struct pollfd pfd = { .fd = fd, .events = events };

	while (n > 0) {
		ssize_t k = events == POLLIN ? recv(fd, p, n, MSG_DONTWAIT) :
					       send(fd, p, n, MSG_DONTWAIT | MSG_NOSIGNAL);
		int64_t left;

		if (k > 0) {
			p += k;
			n -= (size_t)k;
			continue;
		}
		if (k == 0 || (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR))
			return US_ERR_CLOSED;
		left = deadline_ns - us_time_mono_ns();
		if (left <= 0)
			return US_ERR_BUSY;
		(void)poll(&pfd, 1, (int)((left + MS_NS - 1) / MS_NS));
	}
	return US_OK;
}

static int
send_question(struct us_line *line, const struct us_line_question *q, int64_t deadline_ns)
{
	struct us_buf b;
	uint8_t *header;
	int err;

	us_buf_init(&b, QUESTION_MAX);
	err = us_buf_extend(&b, US_FRAME_HEADER, &header);
	if (err == US_OK)
		err = q->encode(&b, q->m);
	if (err == US_OK) {
		us_frame_header(b.data, q->type, ++line->tag, (uint32_t)(b.len - US_FRAME_HEADER));
		err = move_all(line->fd, b.data, b.len, POLLOUT, deadline_ns);
	}
	us_buf_free(&b);
	return err;
}

/* Takes the n bytes of a body that nobody waits for. */
static int
drop_body(int fd, uint32_t n, int64_t deadline_ns)
{
	uint8_t scrap[4096];
	int err = US_OK;

	while (n > 0 && err == US_OK) {
		const uint32_t some = n < sizeof scrap ? n : (uint32_t)sizeof scrap;

		err = move_all(fd, scrap, some, POLLIN, deadline_ns);
		n -= some;
	}
	us_wipe(scrap, sizeof scrap);
	return err;
}

static int
read_answer(struct us_line *line, const struct us_line_question *q, struct us_buf *reply,
    int64_t deadline_ns)
{
	uint8_t header[US_FRAME_HEADER], *to;
	struct us_msg_info info;
	uint32_t n;
	int err;

	for (;;) {
		err = move_all(line->fd, header, sizeof header, POLLIN, deadline_ns);
		if (err != US_OK)
			return err;
		n = us_load_u32(header);
		if (!us_msg_info(us_load_u16(header + 4), &info) || n > info.max)
			return US_ERR_FORMAT;
		if (us_load_u32(header + 8) == line->tag)
			break;
		err = drop_body(line->fd, n, deadline_ns);
		if (err != US_OK)
			return err;
	}
	if (us_load_u16(header + 4) != q->reply_type)
		return US_ERR_FORMAT;
	us_buf_reset(reply);
	err = us_buf_extend(reply, n, &to);
	return err == US_OK ? move_all(line->fd, to, n, POLLIN, deadline_ns) : err;
}

int
us_line_ask(struct us_line *line, const struct us_line_question *question, struct us_buf *reply)
{
	const int64_t deadline_ns = us_time_mono_ns() + question->timeout_ms * MS_NS;
	int err = line->ended ? US_ERR_CLOSED : send_question(line, question, deadline_ns);

	if (err == US_OK)
		err = read_answer(line, question, reply, deadline_ns);
	line->ended |= err != US_OK;
	return err;
}
