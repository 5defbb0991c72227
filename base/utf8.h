/* UTF-8 as of RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF. */
#ifndef US_BASE_UTF8_H
#define US_BASE_UTF8_H

#include <stddef.h>
#include <stdint.h>

/* 1 if the n bytes are valid UTF-8 (NUL is valid), else 0. */
int us_utf8_valid(const void *p, size_t n);
/* Length of the longest valid prefix that ends at a character's border. */
size_t us_utf8_valid_prefix(const void *p, size_t n);
/* Reads the character at p (n > 0 bytes left) into *c and returns its length, 1 .. 4, or 0 if
 * there is no valid one. */
size_t us_utf8_next(const void *p, size_t n, uint32_t *c);
/* Writes c to out (1 .. 4 bytes) and returns the length; 0 if c is not a scalar value. */
size_t us_utf8_encode(uint32_t c, uint8_t out[4]);

#endif
