/*
 * Base64 with padding (RFC 4648 section 4, the strict form: no white space, no missing padding,
 * unused bits zero, so that each text has one value and each value one text) and base16.
 * Thread safe. Not constant time: not for keys, but for shares' carriers and signatures.
 */
#ifndef US_BASE_BASE64_H
#define US_BASE_BASE64_H

#include "base/buf.h"

/* Text length without NUL. */
#define US_BASE64_SIZE(n) (((n) + 2) / 3 * 4)

/* Writes US_BASE64_SIZE(n) characters and a NUL. */
void us_base64_encode(const void *p, size_t n, char *out);
/* Appends the base64 of n bytes, padded. Errors of us_buf_put(). */
int us_base64_put(struct us_buf *b, const void *p, size_t n);
/* Writes at most out_max bytes; *out_n is how many. US_ERR_FORMAT, US_ERR_LIMIT. */
int us_base64_decode(const char *s, size_t n, void *out, size_t out_max, size_t *out_n);
/* Appends the bytes to b. */
int us_base64_take(struct us_buf *b, const char *s, size_t n);

/* Lower case; writes 2 * n characters and a NUL. */
void us_hex_encode(const void *p, size_t n, char *out);
/* Appends n bytes as 2 n lower-case digits. Errors of us_buf_put(). */
int us_hex_put(struct us_buf *b, const void *p, size_t n);
/* Either case; exactly out_n bytes must come of n characters, else US_ERR_FORMAT. */
int us_hex_decode(const char *s, size_t n, void *out, size_t out_n);

#endif
