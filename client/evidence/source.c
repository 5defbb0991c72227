#include "client/evidence/source.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include "base/err.h"

#define IN_SIZE (256u * 1024u)
#define OUT_SIZE (256u * 1024u)
#define LINES_MAX (64u * 1024u * 1024u)
#define WINDOW_LOG_MAX 27 /* 128 MiB: what "zstd --long" makes at most by default */

enum us_client_coding { PLAIN, GZIP, ZSTD };

struct us_source {
	int fd;
	enum us_client_coding coding;
	uint8_t in[IN_SIZE];
	size_t in_at, in_n;
	uint8_t out[OUT_SIZE];
	uint64_t size, read;
	uint64_t line;  /* of the first byte in lines, counted from 1 */
	int ended;      /* nothing more comes from the file */
	int frame_open; /* a compressed frame has begun and not ended */
	ZSTD_DStream *zstd;
	z_stream gzip;
	struct us_buf lines; /* decompressed and not yet given away */
};

static int
fill(struct us_source *s)
{
	ssize_t n;

	do
		n = read(s->fd, s->in, IN_SIZE);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return US_ERR_IO;
	s->in_at = 0;
	s->in_n = (size_t)n;
	s->read += (uint64_t)n;
	s->ended = n == 0;
	return US_OK;
}

static int
detect(struct us_source *s)
{
	static const uint8_t gzip[] = { 0x1f, 0x8b }, zstd[] = { 0x28, 0xb5, 0x2f, 0xfd };
	int err = fill(s);

	if (err != US_OK)
		return err;
	if (s->in_n >= sizeof zstd && memcmp(s->in, zstd, sizeof zstd) == 0) {
		s->coding = ZSTD;
		s->zstd = ZSTD_createDStream();
		if (s->zstd == NULL)
			return US_ERR_NOMEM;
		(void)ZSTD_DCtx_setParameter(s->zstd, ZSTD_d_windowLogMax, WINDOW_LOG_MAX);
	} else if (s->in_n >= sizeof gzip && memcmp(s->in, gzip, sizeof gzip) == 0) {
		s->coding = GZIP;
		if (inflateInit2(&s->gzip, 15 + 16) != Z_OK)
			return US_ERR_NOMEM;
	}
	return US_OK;
}

int
us_source_open(struct us_source **out, const char *path)
{
	struct us_source *s = calloc(1, sizeof *s);
	struct stat st;
	int err;

	*out = NULL;
	if (s == NULL)
		return US_ERR_NOMEM;
	s->line = 1;
	us_buf_init(&s->lines, LINES_MAX);
	s->fd = strcmp(path, "-") == 0 ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC);
	if (s->fd < 0) {
		err = errno == ENOENT ? US_ERR_NOT_FOUND : US_ERR_IO;
		us_source_close(s);
		return err;
	}
	if (fstat(s->fd, &st) == 0 && S_ISREG(st.st_mode))
		s->size = (uint64_t)st.st_size;
	err = detect(s);
	if (err != US_OK) {
		us_source_close(s);
		return err;
	}
	*out = s;
	return US_OK;
}

void
us_source_close(struct us_source *s)
{
	if (s == NULL)
		return;
	if (s->fd >= 0)
		(void)close(s->fd);
	if (s->coding == GZIP)
		(void)inflateEnd(&s->gzip);
	(void)ZSTD_freeDStream(s->zstd);
	us_buf_free(&s->lines);
	us_wipe(s, sizeof *s);
	free(s);
}

static int
step_zstd(struct us_source *s)
{
	ZSTD_inBuffer in = { s->in, s->in_n, s->in_at };
	ZSTD_outBuffer out = { s->out, OUT_SIZE, 0 };
	size_t left = ZSTD_decompressStream(s->zstd, &out, &in);

	if (ZSTD_isError(left))
		return US_ERR_FORMAT;
	s->in_at = in.pos;
	s->frame_open = left != 0;
	return us_buf_put(&s->lines, s->out, out.pos);
}

static int
step_gzip(struct us_source *s)
{
	int code;

	s->gzip.next_in = s->in + s->in_at;
	s->gzip.avail_in = (uInt)(s->in_n - s->in_at);
	s->gzip.next_out = s->out;
	s->gzip.avail_out = OUT_SIZE;
	code = inflate(&s->gzip, Z_NO_FLUSH);
	if (code != Z_OK && code != Z_STREAM_END && code != Z_BUF_ERROR)
		return US_ERR_FORMAT;
	s->in_at = s->in_n - s->gzip.avail_in;
	s->frame_open = code != Z_STREAM_END;
	if (code == Z_STREAM_END &&
	    inflateReset(&s->gzip) != Z_OK) /* members may follow each other */
		return US_ERR_FORMAT;
	return us_buf_put(&s->lines, s->out, OUT_SIZE - s->gzip.avail_out);
}

/* Decompresses a little more; sets ended at the end of the file. */
static int
step(struct us_source *s)
{
	int err = US_OK;

	if (s->in_at == s->in_n) {
		err = fill(s);
		if (err != US_OK)
			return err;
		if (s->ended)
			return s->frame_open ? US_ERR_FORMAT : US_OK;
	}
	switch (s->coding) {
	case PLAIN:
		err = us_buf_put(&s->lines, s->in + s->in_at, s->in_n - s->in_at);
		s->in_at = s->in_n;
		return err;
	case GZIP:
		return step_gzip(s);
	case ZSTD:
		return step_zstd(s);
	}
	return US_ERR_INTERNAL;
}

/* Length of the longest prefix of whole lines within want bytes, else of the first line; 0 if
 * there is no whole line yet. */
static size_t
whole_lines(const struct us_buf *b, size_t want)
{
	const uint8_t *newline;
	size_t n = b->len < want ? b->len : want;

	if (n == 0)
		return 0;
	newline = memrchr(b->data, '\n', n);
	if (newline == NULL)
		newline = memchr(b->data + n, '\n', b->len - n);
	return newline == NULL ? 0 : (size_t)(newline - b->data) + 1;
}

/* The same n bytes of lines, or as many of them as US_SOURCE_LINES_MAX lines have. */
static size_t
few_lines(const struct us_buf *b, size_t n)
{
	const uint8_t *at = b->data, *end = b->data + n;

	for (unsigned i = 0; i < US_SOURCE_LINES_MAX && at < end; i++) {
		at = memchr(at, '\n', (size_t)(end - at));
		if (at == NULL)
			return n;
		at++;
	}
	return (size_t)(at - b->data);
}

int
us_source_part(struct us_source *s, size_t want, size_t max, struct us_buf *part,
    uint64_t *first_line)
{
	size_t n;
	int err = US_OK;

	us_buf_reset(part);
	*first_line = s->line;
	while (!s->ended && s->lines.len < want && err == US_OK)
		err = step(s);
	while (err == US_OK && (n = whole_lines(&s->lines, want)) == 0 && !s->ended) {
		if (s->lines.len > max)
			return US_ERR_LIMIT;
		err = step(s);
	}
	if (err != US_OK)
		return err;
	n = whole_lines(&s->lines, want);
	if (n == 0)
		n = s->lines.len; /* the last line, without its end */
	else
		n = few_lines(&s->lines, n);
	if (n > max)
		return US_ERR_LIMIT;
	err = us_buf_put(part, s->lines.data, n);
	if (err != US_OK)
		return err;
	for (size_t i = 0; i < n; i++)
		s->line += part->data[i] == '\n';
	us_buf_consume(&s->lines, n);
	return US_OK;
}

uint64_t
us_source_size(const struct us_source *s)
{
	return s->size;
}

uint64_t
us_source_at(const struct us_source *s)
{
	return s->read;
}
