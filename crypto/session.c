#include "crypto/session.h"

#include <string.h>

#include "crypto/crypto.h"
#include "base/err.h"
#include "base/time.h"

static const char magic[] = "underseal/session/1\n";
#define MAGIC_SIZE (sizeof magic - 1)

_Static_assert(MAGIC_SIZE + 3 * 32 + 2 * 8 == US_SESSION_STATEMENT_SIZE, "layout of a statement");

void
us_session_encode(const struct us_session_statement *s, uint8_t out[US_SESSION_STATEMENT_SIZE])
{
	uint8_t *p = out;

	memcpy(p, magic, MAGIC_SIZE);
	p += MAGIC_SIZE;
	memcpy(p, s->vault, 32);
	memcpy(p + 32, s->nonce, 32);
	memcpy(p + 64, s->credential, 32);
	us_store_u64(p + 96, (uint64_t)s->issued_ns);
	us_store_u64(p + 104, (uint64_t)s->expires_ns);
}

int
us_session_decode(struct us_bytes b, struct us_session_statement *out)
{
	struct us_session_statement s;
	struct us_reader r;
	struct us_bytes start;
	int err;

	us_reader_init(&r, b.p, b.n);
	start = us_take(&r, MAGIC_SIZE);
	if (start.p != NULL && !us_bytes_is(start, magic))
		us_reader_fail(&r, US_ERR_FORMAT);
	us_take_into(&r, s.vault, sizeof s.vault);
	us_take_into(&r, s.nonce, sizeof s.nonce);
	us_take_into(&r, s.credential, sizeof s.credential);
	s.issued_ns = (int64_t)us_take_u64(&r);
	s.expires_ns = (int64_t)us_take_u64(&r);
	err = us_reader_end(&r);
	if (err != US_OK)
		return err;
	if (s.issued_ns < 0 || s.expires_ns <= s.issued_ns ||
	    s.expires_ns - s.issued_ns > US_SESSION_SECONDS_MAX * US_NS_PER_SECOND)
		return US_ERR_RANGE;
	*out = s;
	return US_OK;
}

int
us_session_id(struct us_bytes statement, uint8_t out[US_SESSION_ID_SIZE])
{
	uint8_t digest[32];
	int err = us_sha256(statement.p, statement.n, digest);

	if (err == US_OK)
		memcpy(out, digest, US_SESSION_ID_SIZE);
	return err;
}

int
us_session_sign(const struct us_pkey *key, const struct us_session_statement *s, uint8_t *sig,
    size_t *sig_n)
{
	uint8_t statement[US_SESSION_STATEMENT_SIZE];

	us_session_encode(s, statement);
	return us_pkey_sign(key, (struct us_bytes){ statement, sizeof statement }, sig, sig_n);
}

int
us_session_check_time(const struct us_session_statement *s, int64_t now_ns)
{
	if (now_ns < s->issued_ns - US_SESSION_TOLERANCE_SECONDS * US_NS_PER_SECOND)
		return US_ERR_NOT_YET;
	return now_ns >= s->expires_ns ? US_ERR_EXPIRED : US_OK;
}

int
us_session_verify(const struct us_session_proof *proof, const uint8_t vault[32], int64_t now_ns,
    struct us_session_statement *out)
{
	struct us_session_statement s;
	uint8_t fingerprint[32];
	int err = us_session_decode(proof->statement, &s);

	if (err == US_OK)
		err = us_cert_fingerprint(proof->cert, fingerprint);
	if (err != US_OK)
		return err;
	if (memcmp(s.vault, vault, sizeof s.vault) != 0 ||
	    memcmp(s.credential, fingerprint, sizeof fingerprint) != 0)
		return US_ERR_DENIED;
	err = us_cert_verify_signature(proof->cert, proof->statement, proof->signature);
	if (err == US_OK)
		err = us_session_check_time(&s, now_ns);
	if (err == US_OK && out != NULL)
		*out = s;
	return err;
}
