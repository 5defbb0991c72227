/* The keys of one open JSON object, for the search of duplicates. */
#ifndef US_DAEMON_INTAKE_KEYS_H
#define US_DAEMON_INTAKE_KEYS_H

#include "base/buf.h"

/* A text within a buffer that may still move. */
struct us_intake_text {
	size_t at, n;
};

struct us_intake_keys {
	struct us_buf text;
	struct us_intake_text *key;
	size_t n, cap;
};

/* max: bytes of all keys together. Free with us_intake_keys_free(). */
void us_intake_keys_init(struct us_intake_keys *o, size_t max);
/* Gives back what o holds. */
void us_intake_keys_free(struct us_intake_keys *o);
/* Takes a copy of a key. US_ERR_NOMEM, US_ERR_LIMIT. */
int us_intake_keys_add(struct us_intake_keys *o, const unsigned char *s, size_t n);
/* The object ends: forgets the keys; 1 if two were the same. */
int us_intake_keys_end(struct us_intake_keys *o);

#endif
