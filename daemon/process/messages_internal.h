/* What the generated encoders and decoders share. */
#ifndef US_DAEMON_PROCESS_MESSAGES_INTERNAL_H
#define US_DAEMON_PROCESS_MESSAGES_INTERNAL_H

#include <string.h>

#include "base/buf.h"
#include "base/err.h"

/* A field of at most max bytes. US_ERR_LIMIT if it has more. */
static inline int
us_msg_put_bytes(struct us_buf *b, struct us_bytes field, size_t max)
{
	return field.n > max ? US_ERR_LIMIT : us_buf_put_str32(b, field.p, field.n);
}

/* Ends a body that begins at start of b and has at most max bytes. err: of its fields. On failure
 * b is as it was. */
static inline int
us_msg_encode_end(struct us_buf *b, size_t start, size_t max, int err)
{
	if (err == US_OK && b->len - start > max)
		err = US_ERR_LIMIT;
	if (err != US_OK)
		b->len = start;
	return err;
}

/* Begins to take a body of n bytes apart, which may have max. */
static inline void
us_msg_decode_start(struct us_reader *r, const void *p, size_t n, size_t max)
{
	us_reader_init(r, p, n);
	if (n > max)
		us_reader_fail(r, US_ERR_LIMIT);
}

/* US_OK if the body was m's fields and nothing else. Else US_ERR_MALFORMED, and m is zeros. */
static inline int
us_msg_decode_end(const struct us_reader *r, void *m, size_t size)
{
	if (us_reader_end(r) == US_OK)
		return US_OK;
	memset(m, 0, size);
	return US_ERR_MALFORMED;
}

#endif
