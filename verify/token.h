/*
 * Timestamps of RFC 3161: what an authority that has nothing to do with the vault says of a digest,
 * and when. A token is verified against its authority's certificates as of the time that it names,
 * not as of now: certificates run out, what they signed does not. The only part of the verifier
 * that knows of certificates; it calls OpenSSL itself. One owner.
 */
#ifndef US_VERIFY_TOKEN_H
#define US_VERIFY_TOKEN_H

#include "base/buf.h"

#define US_TOKEN_MAX 262144u
#define US_AUTHORITY_PEM_MAX 1048576u

struct us_authority; /* certificates that are trusted, under one name */
struct us_token;

/* Reads one certificate or several (PEM). The name is what reports call it, and is copied.
 * US_ERR_FORMAT if there are none or one is malformed, US_ERR_NOMEM. Free with us_authority_free(),
 * NULL allowed. */
int us_authority_new(struct us_authority **out, const char *name, struct us_bytes pem);
/* NULL is allowed. */
void us_authority_free(struct us_authority *a);
/* The name it was made with, as long as it lives. */
const char *us_authority_name(const struct us_authority *a);

/* Reads an authority's response (DER, to its last byte) that grants a token. US_ERR_FORMAT. Free
 * with us_token_free(), NULL allowed. */
int us_token_parse(struct us_token **out, struct us_bytes der);
/* NULL is allowed. */
void us_token_free(struct us_token *t);
/* Seconds since 1970, as the token says, rounded down. */
int64_t us_token_time_s(const struct us_token *t);
/* Whether it is over this SHA-256. */
int us_token_is_of(const struct us_token *t, const uint8_t digest[32]);
/* Whether its signature leads to a certificate of the authority, as of its own time: US_OK,
 * US_ERR_VERIFY. */
int
us_token_verify(const struct us_token *t, const uint8_t digest[32], const struct us_authority *a);

/* A request for a token over that digest, appended to out (DER), and the nonce drawn for it.
 * US_ERR_NOMEM, US_ERR_CRYPTO. */
int us_token_request(struct us_buf *out, const uint8_t digest[32], uint64_t *nonce);
/* Whether the token answers the request with that nonce. */
int us_token_answers(const struct us_token *t, uint64_t nonce);

#endif
