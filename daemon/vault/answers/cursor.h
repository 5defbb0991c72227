/*
 * Cursors of a search: sealed, so that a client can neither read nor make one, and holding nothing
 * on the server. Text is base64url without padding. Pure; any thread.
 */
#ifndef US_DAEMON_VAULT_ANSWERS_CURSOR_H
#define US_DAEMON_VAULT_ANSWERS_CURSOR_H

#include "base/buf.h"
#include "crypto/key.h"

struct us_cursor {
	uint32_t collection;
	uint32_t person;   /* whose it is */
	uint64_t snapshot; /* log index */
	uint64_t place;    /* record number of the last hit shown */
	uint64_t total;    /* as counted for the first page, in that view */
	uint64_t intent;   /* log index of the entry of the first page */
	uint8_t query[32]; /* SHA-256 of the canonical query */
};

/* Appends the text to out. */
int us_cursor_seal(const struct us_key *key, const uint8_t vault[32], const struct us_cursor *c,
    struct us_buf *out);
/* US_ERR_FORMAT for anything that this vault did not seal. */
int us_cursor_open(const struct us_key *key, const uint8_t vault[32], struct us_bytes text,
    struct us_cursor *out);

#endif
