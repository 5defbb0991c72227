/*
 * The session statement of docs/PROTOCOL.md section 3: what a person's key signs to open a
 * session of minutes. Fixed size, so encoding cannot fail. Thread safe.
 */
#ifndef US_CRYPTO_SESSION_H
#define US_CRYPTO_SESSION_H

#include "base/buf.h"
#include "crypto/cert.h"

#define US_SESSION_STATEMENT_SIZE 132
#define US_SESSION_ID_SIZE 16
#define US_SESSION_SECONDS_MAX (15 * 60)      /* expires - issued, at most */
#define US_SESSION_TOLERANCE_SECONDS (2 * 60) /* of `issued` against the keeper's clock */
#define US_SESSION_NONCE_SECONDS (60 * 60)    /* age of a nonce, at most */

struct us_session_statement {
	uint8_t vault[32];
	uint8_t nonce[32];
	uint8_t credential[32];
	int64_t issued_ns;
	int64_t expires_ns;
};

/* The bytes of a statement, as they are signed. */
void
us_session_encode(const struct us_session_statement *s, uint8_t out[US_SESSION_STATEMENT_SIZE]);
/* US_ERR_TRUNCATED, US_ERR_TRAILING, US_ERR_FORMAT; US_ERR_RANGE if the times are negative, not in
 * order, or more than 15 minutes apart. */
int us_session_decode(struct us_bytes b, struct us_session_statement *out);
/* First 16 bytes of SHA-256(statement). */
int us_session_id(struct us_bytes statement, uint8_t out[US_SESSION_ID_SIZE]);
/* Writes the signature (at most US_SIGNATURE_MAX bytes) over the encoded statement. */
int us_session_sign(const struct us_pkey *key, const struct us_session_statement *s, uint8_t *sig,
    size_t *sig_n);
struct us_session_proof {
	struct us_bytes statement;
	struct us_bytes signature;
	struct us_bytes cert; /* DER */
};

/* What one look at statement, signature and certificate can tell: form, that credential is the
 * certificate's fingerprint (US_ERR_DENIED), vault id (US_ERR_DENIED), the signature
 * (US_ERR_SIGNATURE), and the times (US_ERR_NOT_YET, US_ERR_EXPIRED). Not whether nonce,
 * certificate or person are live: that is the keeper's to know. out may be NULL. */
int us_session_verify(const struct us_session_proof *proof, const uint8_t vault[32], int64_t now_ns,
    struct us_session_statement *out);
/* The times alone, for each later request of a session. */
int us_session_check_time(const struct us_session_statement *s, int64_t now_ns);

#endif
