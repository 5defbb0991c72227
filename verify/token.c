#include "verify/token.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ts.h>
#include <openssl/x509_vfy.h>

#include "crypto/crypto.h"
#include "base/err.h"

struct us_authority {
	char *name;
	X509_STORE *store;
};

struct us_token {
	TS_RESP *response;
	time_t time;
};

/* --- authorities --------------------------------------------------------------------------- */

/* Adds every certificate there is. */
static int
add_certificates(X509_STORE *store, BIO *bio)
{
	unsigned n = 0;
	X509 *x;
	int ok = 1;

	while (ok && (x = PEM_read_bio_X509(bio, NULL, NULL, NULL)) != NULL) {
		ok = X509_STORE_add_cert(store, x) == 1;
		X509_free(x);
		n++;
	}
	/* what ends it must be the end */
	ok = ok && n > 0 && ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
	ERR_clear_error();
	return ok ? US_OK : US_ERR_FORMAT;
}

int
us_authority_new(struct us_authority **out, const char *name, struct us_bytes pem)
{
	struct us_authority *a = calloc(1, sizeof *a);
	BIO *bio = pem.n <= INT_MAX ? BIO_new_mem_buf(pem.p, (int)pem.n) : NULL;
	int err = US_ERR_NOMEM;

	*out = NULL;
	if (a != NULL) {
		a->name = strdup(name);
		a->store = X509_STORE_new();
	}
	if (a != NULL && bio != NULL && a->name != NULL && a->store != NULL)
		err = add_certificates(a->store, bio);
	BIO_free(bio);
	if (err == US_OK)
		*out = a;
	else
		us_authority_free(a);
	return err;
}

void
us_authority_free(struct us_authority *a)
{
	if (a == NULL)
		return;
	X509_STORE_free(a->store);
	free(a->name);
	free(a);
}

const char *
us_authority_name(const struct us_authority *a)
{
	return a->name;
}

/* --- tokens -------------------------------------------------------------------------------- */

static int
time_of(TS_RESP *response, time_t *out)
{
	const ASN1_GENERALIZEDTIME *t = TS_TST_INFO_get_time(TS_RESP_get_tst_info(response));
	struct tm tm = { 0 };

	if (t == NULL || ASN1_TIME_to_tm(t, &tm) != 1)
		return US_ERR_FORMAT;
	*out = timegm(&tm);
	return *out < 0 || *out > INT64_MAX / 1000000000 ? US_ERR_FORMAT : US_OK;
}

int
us_token_parse(struct us_token **out, struct us_bytes der)
{
	struct us_token *t = calloc(1, sizeof *t);
	const unsigned char *p = der.p;
	int err = US_ERR_FORMAT;

	*out = NULL;
	if (t == NULL)
		return US_ERR_NOMEM;
	if (der.n > 0 && der.n <= US_TOKEN_MAX)
		t->response = d2i_TS_RESP(NULL, &p, (long)der.n);
	if (t->response != NULL && p == der.p + der.n && TS_RESP_get_tst_info(t->response) != NULL)
		err = time_of(t->response, &t->time);
	ERR_clear_error();
	if (err == US_OK)
		*out = t;
	else
		us_token_free(t);
	return err;
}

void
us_token_free(struct us_token *t)
{
	if (t == NULL)
		return;
	TS_RESP_free(t->response);
	free(t);
}

int64_t
us_token_time_s(const struct us_token *t)
{
	return (int64_t)t->time;
}

int
us_token_is_of(const struct us_token *t, const uint8_t digest[32])
{
	TS_MSG_IMPRINT *imprint = TS_TST_INFO_get_msg_imprint(TS_RESP_get_tst_info(t->response));
	const ASN1_OCTET_STRING *stamped;
	const ASN1_OBJECT *object = NULL;

	if (imprint == NULL)
		return 0;
	X509_ALGOR_get0(&object, NULL, NULL, TS_MSG_IMPRINT_get_algo(imprint));
	stamped = TS_MSG_IMPRINT_get_msg(imprint);
	return OBJ_obj2nid(object) == NID_sha256 && stamped != NULL &&
	    ASN1_STRING_length(stamped) == 32 &&
	    memcmp(ASN1_STRING_get0_data(stamped), digest, 32) == 0;
}

int
us_token_verify(const struct us_token *t, const uint8_t digest[32], const struct us_authority *a)
{
	int good;

	/* the signer's chain, its purpose (timestamping), its digest in what is signed, and the
	 * signature */
	X509_VERIFY_PARAM_set_time(X509_STORE_get0_param(a->store), t->time);
	good = us_token_is_of(t, digest) &&
	    TS_TST_INFO_get_version(TS_RESP_get_tst_info(t->response)) == 1 &&
	    TS_RESP_verify_signature(TS_RESP_get_token(t->response), NULL, a->store, NULL) == 1;
	ERR_clear_error();
	return good ? US_OK : US_ERR_VERIFY;
}

/* --- requests ------------------------------------------------------------------------------ */

int
us_token_request(struct us_buf *out, const uint8_t digest[32], uint64_t *nonce)
{
	TS_REQ *request = TS_REQ_new();
	TS_MSG_IMPRINT *imprint = TS_MSG_IMPRINT_new();
	X509_ALGOR *algorithm = X509_ALGOR_new();
	ASN1_INTEGER *number = ASN1_INTEGER_new();
	unsigned char *der = NULL;
	uint8_t random[8];
	int n = -1, err = us_random(random, sizeof random);

	*nonce = us_load_u64(random) >> 1;
	if (err == US_OK && request != NULL && imprint != NULL && algorithm != NULL &&
	    number != NULL &&
	    X509_ALGOR_set0(algorithm, OBJ_nid2obj(NID_sha256), V_ASN1_NULL, NULL) == 1 &&
	    TS_MSG_IMPRINT_set_algo(imprint, algorithm) == 1 &&
	    TS_MSG_IMPRINT_set_msg(imprint, (unsigned char *)(uintptr_t)digest, 32) == 1 &&
	    TS_REQ_set_version(request, 1) == 1 && TS_REQ_set_msg_imprint(request, imprint) == 1 &&
	    ASN1_INTEGER_set_uint64(number, *nonce) == 1 &&
	    TS_REQ_set_nonce(request, number) == 1 && TS_REQ_set_cert_req(request, 1) == 1)
		n = i2d_TS_REQ(request, &der);
	TS_REQ_free(request);
	TS_MSG_IMPRINT_free(imprint);
	X509_ALGOR_free(algorithm);
	ASN1_INTEGER_free(number);
	if (err == US_OK)
		err = n > 0 ? us_buf_put(out, der, (size_t)n) : US_ERR_NOMEM;
	OPENSSL_free(der);
	ERR_clear_error();
	return err;
}

int
us_token_answers(const struct us_token *t, uint64_t nonce)
{
	const ASN1_INTEGER *number = TS_TST_INFO_get_nonce(TS_RESP_get_tst_info(t->response));
	uint64_t got;

	return number != NULL && ASN1_INTEGER_get_uint64(&got, number) == 1 && got == nonce;
}
