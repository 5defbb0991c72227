/*
 * Bounded buffers: all untrusted bytes are gathered in a struct us_buf and taken apart with a
 * struct us_reader. Integers are big-endian on every wire and in every file.
 *
 * us_buf grows up to its maximum; what leaves it (growth, reset, free) is wiped. Appending past
 * the maximum fails with US_ERR_LIMIT and changes nothing. Not thread safe; one owner.
 *
 * us_reader has a sticky error: after the first failed take every further one yields zeros, and
 * us_reader_end() reports it. So a decoder is a straight list of takes and one check.
 */
#ifndef US_BASE_BUF_H
#define US_BASE_BUF_H

#include <stddef.h>
#include <stdint.h>

/* A view of bytes that somebody else owns. p may be NULL only if n is 0. */
struct us_bytes {
	const uint8_t *p;
	size_t n;
};

/* Invariant: len <= cap <= max; data is NULL exactly if cap is 0. Read data and len freely;
 * change them by the functions below only. */
struct us_buf {
	uint8_t *data;
	size_t len;
	size_t cap;
	size_t max;
};

/* An empty buffer that may hold up to max bytes. Allocates nothing. */
void us_buf_init(struct us_buf *b, size_t max);
/* Wipes and frees; b is then empty with its old maximum. NULL is allowed. */
void us_buf_free(struct us_buf *b);
/* Wipes the contents, keeps the memory. */
void us_buf_reset(struct us_buf *b);
/* Drops the first n bytes (n <= len), moving the rest to the front. */
void us_buf_consume(struct us_buf *b, size_t n);
/* Makes room for n more bytes and, if p is not NULL, points *p at them; len is unchanged.
 * US_ERR_LIMIT or US_ERR_NOMEM. */
int us_buf_reserve(struct us_buf *b, size_t n, uint8_t **p);
/* Appends n bytes that the caller fills through *p (uninitialised). */
int us_buf_extend(struct us_buf *b, size_t n, uint8_t **p);
/* Appends n bytes; p may be NULL if n is 0. US_ERR_LIMIT, US_ERR_NOMEM: nothing was appended. So
 * it is with all that append below. */
int us_buf_put(struct us_buf *b, const void *p, size_t n);
/* Appends one byte. */
int us_buf_put_u8(struct us_buf *b, uint8_t v);
/* Appends two bytes, big-endian. */
int us_buf_put_u16(struct us_buf *b, uint16_t v);
/* Appends four bytes, big-endian. */
int us_buf_put_u32(struct us_buf *b, uint32_t v);
/* Appends eight bytes, big-endian. */
int us_buf_put_u64(struct us_buf *b, uint64_t v);
/* A length of two (or four) bytes, then the bytes. US_ERR_LIMIT if n does not fit the length. */
int us_buf_put_str16(struct us_buf *b, const void *p, size_t n);
/* As us_buf_put_str16(), with a length of four bytes. */
int us_buf_put_str32(struct us_buf *b, const void *p, size_t n);
/* LEB128, least significant group first, at most ten bytes. */
int us_buf_put_varint(struct us_buf *b, uint64_t v);
/* Formatted text without its NUL. */
int us_buf_putf(struct us_buf *b, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The text as a C string that b owns, until b changes; NULL if memory is out. */
const char *us_buf_cstr(struct us_buf *b);

struct us_reader {
	const uint8_t *p;
	size_t left;
	int err; /* US_OK or the first failure */
};

/* Begins to read the n bytes at p, which must outlive the reader and all views it gives. */
void us_reader_init(struct us_reader *r, const void *p, size_t n);
/* The next byte. */
uint8_t us_take_u8(struct us_reader *r);
/* The next two bytes, big-endian. */
uint16_t us_take_u16(struct us_reader *r);
/* The next four bytes, big-endian. */
uint32_t us_take_u32(struct us_reader *r);
/* The next eight bytes, big-endian. */
uint64_t us_take_u64(struct us_reader *r);
/* A shortest-form LEB128; longer forms than needed are US_ERR_FORMAT. */
uint64_t us_take_varint(struct us_reader *r);
/* A view of n bytes of the reader's memory; {NULL, 0} after an error. */
struct us_bytes us_take(struct us_reader *r, size_t n);
/* Copies n bytes to out; zeros after an error. */
void us_take_into(struct us_reader *r, void *out, size_t n);
/* A length of two (four) bytes that may be at most max, then a view of the bytes. */
struct us_bytes us_take_str16(struct us_reader *r, size_t max);
/* As us_take_str16(), with a length of four bytes. */
struct us_bytes us_take_str32(struct us_reader *r, size_t max);
/* Marks the reader as failed with err, unless it failed before. */
void us_reader_fail(struct us_reader *r, int err);
/* US_OK if nothing failed and nothing is left; else the first error or US_ERR_TRAILING. */
int us_reader_end(const struct us_reader *r);

/* 1 if equal, 0 if not; the time does not depend on the bytes. */
int us_equal_secret(const void *a, const void *b, size_t n);
/* Overwrites n bytes in a way the compiler keeps. */
void us_wipe(void *p, size_t n);
/* 1 if the view holds exactly the text s. */
int us_bytes_is(struct us_bytes b, const char *s);
/* A view of the text s without its NUL. */
struct us_bytes us_bytes_of(const char *s);

static inline void
us_store_u16(uint8_t *p, uint16_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}
static inline void
us_store_u32(uint8_t *p, uint32_t v)
{
	us_store_u16(p, (uint16_t)(v >> 16));
	us_store_u16(p + 2, (uint16_t)v);
}
static inline void
us_store_u64(uint8_t *p, uint64_t v)
{
	us_store_u32(p, (uint32_t)(v >> 32));
	us_store_u32(p + 4, (uint32_t)v);
}
static inline uint16_t
us_load_u16(const uint8_t *p)
{
	return (uint16_t)((unsigned)p[0] << 8 | p[1]);
}
static inline uint32_t
us_load_u32(const uint8_t *p)
{
	return (uint32_t)us_load_u16(p) << 16 | us_load_u16(p + 2);
}
static inline uint64_t
us_load_u64(const uint8_t *p)
{
	return (uint64_t)us_load_u32(p) << 32 | us_load_u32(p + 4);
}

#endif
