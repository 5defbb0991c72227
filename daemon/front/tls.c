/*
 * EC_KEY_METHOD is OpenSSL's legacy way to keep a key elsewhere, deprecated in 3.0 without a
 * replacement short of a whole provider; OpenSMTPD and libtls isolate their keys the same way.
 */
#define OPENSSL_SUPPRESS_DEPRECATED 1
#include "daemon/front/tls.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "base/err.h"
#include "base/log.h"
#include "daemon/process/exchange.h"

#define SIGN_TIMEOUT_MS 5000
#define IDENTITY_TIMEOUT_MS 60000
#define CERTIFICATE_MAX 16384

struct us_tls {
	SSL_CTX *ctx;
	EC_KEY_METHOD *method;
	struct us_line keeper;
};

/* --- the key in the keeper ------------------------------------------------------------- */

/* Index of a key's struct us_tls, once a process. */
static int
key_index(void)
{
	static int index = -1;

	if (index < 0)
		index = EC_KEY_get_ex_new_index(0, NULL, NULL, NULL, NULL);
	return index;
}

static int
encode_sign(struct us_buf *b, const void *m)
{
	return us_msg_tls_sign_encode(b, m);
}

static int
encode_identity(struct us_buf *b, const void *m)
{
	return us_msg_tls_identity_encode(b, m);
}

/* ECDSA_sign of a key that is not here: 1 or 0, as OpenSSL wants it. */
static int
sign(int type, const unsigned char *digest, int digest_n, unsigned char *sig, unsigned int *sig_n,
    const BIGNUM *kinv, const BIGNUM *r, EC_KEY *key)
{
	struct us_tls *tls = EC_KEY_get_ex_data(key, key_index());
	const struct us_msg_tls_sign ask = { .digest = { digest, (size_t)digest_n } };
	const struct us_line_question question = { .type = US_MSG_tls_sign,
		.reply_type = US_MSG_tls_signature,
		.encode = encode_sign,
		.m = &ask,
		.timeout_ms = SIGN_TIMEOUT_MS };
	struct us_msg_tls_signature answer;
	struct us_buf reply;
	int err;

	(void)type;
	(void)kinv;
	(void)r;
	us_buf_init(&reply, 1024);
	err = us_line_ask(&tls->keeper, &question, &reply);
	if (err == US_OK)
		err = us_msg_tls_signature_decode(&answer, reply.data, reply.len);
	if (err == US_OK)
		err = answer.err;
	if (err == US_OK &&
	    (answer.signature.n == 0 || answer.signature.n > (size_t)ECDSA_size(key)))
		err = US_ERR_FORMAT;
	if (err == US_OK) {
		memcpy(sig, answer.signature.p, answer.signature.n);
		*sig_n = (unsigned)answer.signature.n;
	} else
		us_log_err(err, "the keeper did not sign a handshake");
	us_buf_free(&reply);
	return err == US_OK;
}

static int
encode_standing(struct us_buf *b, const void *m)
{
	return us_msg_standing_encode(b, m);
}

static int
sign_setup(EC_KEY *key, BN_CTX *ctx, BIGNUM **kinv, BIGNUM **r)
{
	(void)key;
	(void)ctx;
	(void)kinv;
	(void)r;
	return 1;
}

static int
use_key(struct us_tls *tls, X509 *certificate)
{
	const EC_KEY *public = EVP_PKEY_get0_EC_KEY(X509_get0_pubkey(certificate));
	EVP_PKEY *pkey = EVP_PKEY_new();
	EC_KEY *key = NULL;
	int ok;

	tls->method = EC_KEY_METHOD_new(EC_KEY_OpenSSL());
	ok = public != NULL && pkey != NULL && tls->method != NULL && (key = EC_KEY_new()) != NULL;
	if (ok) {
		EC_KEY_METHOD_set_sign(tls->method, sign, sign_setup, NULL);
		ok = EC_KEY_set_group(key, EC_KEY_get0_group(public)) == 1 &&
		    EC_KEY_set_public_key(key, EC_KEY_get0_public_key(public)) == 1 &&
		    EC_KEY_set_method(key, tls->method) == 1 &&
		    EC_KEY_set_ex_data(key, key_index(), tls) == 1 &&
		    EVP_PKEY_set1_EC_KEY(pkey, key) == 1 &&
		    SSL_CTX_use_certificate(tls->ctx, certificate) == 1 &&
		    SSL_CTX_use_PrivateKey(tls->ctx, pkey) == 1;
	}
	EC_KEY_free(key);
	EVP_PKEY_free(pkey);
	return ok ? US_OK : US_ERR_CRYPTO;
}

/* --- who is let in ----------------------------------------------------------------------- */

/* Of a certificate that this vault's CA has issued: may it go on? */
static int
may_go_on(struct us_tls *tls, X509 *certificate)
{
	struct us_msg_standing m;
	const struct us_line_question question = { .type = US_MSG_standing,
		.reply_type = US_MSG_standing_reply,
		.encode = encode_standing,
		.m = &m,
		.timeout_ms = SIGN_TIMEOUT_MS };
	struct us_msg_standing_reply answer;
	struct us_buf reply;
	unsigned n = 0;
	int err;

	if (X509_digest(certificate, EVP_sha256(), m.credential, &n) != 1 || n != 32)
		return 0;
	us_buf_init(&reply, 1024);
	err = us_line_ask(&tls->keeper, &question, &reply);
	if (err == US_OK)
		err = us_msg_standing_reply_decode(&answer, reply.data, reply.len);
	us_buf_free(&reply);
	if (err != US_OK)
		us_log_err(err, "the keeper did not say whether a credential stands");
	return err == US_OK && answer.reason == US_REASON_NONE;
}

/* So that who is told no is told so in the handshake, by an alert that says why. */
static int
on_verify(int ok, X509_STORE_CTX *store)
{
	const SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
	struct us_tls *tls = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));

	if (!ok || X509_STORE_CTX_get_error_depth(store) != 0)
		return ok;
	if (may_go_on(tls, X509_STORE_CTX_get_current_cert(store)))
		return 1;
	X509_STORE_CTX_set_error(store, X509_V_ERR_CERT_REVOKED);
	return 0;
}

/* --- the context ----------------------------------------------------------------------- */

static int
select_alpn(SSL *ssl, const unsigned char **out, unsigned char *out_n, const unsigned char *in,
    unsigned in_n, void *arg)
{
	static const unsigned char ours[] = "\x08http/1.1";
	unsigned char *selected;

	(void)ssl;
	(void)arg;
	if (SSL_select_next_proto(&selected, out_n, ours, sizeof ours - 1, in, in_n) !=
	    OPENSSL_NPN_NEGOTIATED)
		return SSL_TLSEXT_ERR_ALERT_FATAL;
	*out = selected;
	return SSL_TLSEXT_ERR_OK;
}

static int
set_up(SSL_CTX *ctx)
{
	(void)SSL_CTX_set_options(ctx,
	    SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
		SSL_OP_CIPHER_SERVER_PREFERENCE);
	(void)SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	/* idle connections keep no buffers; one recv() takes a whole request */
	(void)SSL_CTX_set_mode(ctx,
	    SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
		SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	SSL_CTX_set_read_ahead(ctx, 1);
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, on_verify);
	SSL_CTX_set_verify_depth(ctx, 0); /* issued by the CA itself */
	SSL_CTX_set_max_cert_list(ctx, CERTIFICATE_MAX);
	SSL_CTX_set_alpn_select_cb(ctx, select_alpn, NULL);
	if (SSL_CTX_set_min_proto_version(ctx, TLS1_3_VERSION) != 1 ||
	    SSL_CTX_set_max_proto_version(ctx, TLS1_3_VERSION) != 1 ||
	    SSL_CTX_set_num_tickets(ctx, 0) != 1 || SSL_CTX_set_max_early_data(ctx, 0) != 1 ||
	    SSL_CTX_set_recv_max_early_data(ctx, 0) != 1 ||
	    SSL_CTX_set_ciphersuites(ctx,
		"TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:"
		"TLS_AES_128_GCM_SHA256") != 1 ||
	    SSL_CTX_set1_groups_list(ctx, "X25519:P-256") != 1 ||
	    SSL_CTX_set1_sigalgs_list(ctx, "ECDSA+SHA256") != 1 ||
	    SSL_CTX_set1_client_sigalgs_list(ctx, "ECDSA+SHA256:ed25519") != 1 ||
	    SSL_CTX_set_purpose(ctx, X509_PURPOSE_SSL_CLIENT) != 1)
		return US_ERR_CRYPTO;
	return US_OK;
}

static X509 *
parse_certificate(struct us_bytes der)
{
	const unsigned char *p = der.p;
	X509 *x;

	if (der.n == 0 || der.n > CERTIFICATE_MAX)
		return NULL;
	x = d2i_X509(NULL, &p, (long)der.n);
	if (x != NULL && p != der.p + der.n) {
		X509_free(x);
		return NULL;
	}
	return x;
}

int
us_tls_new_with(int keeper_fd, struct us_bytes certificate, struct us_bytes ca, struct us_tls **out)
{
	struct us_tls *tls = calloc(1, sizeof *tls);
	X509 *own = parse_certificate(certificate);
	X509 *issuer = parse_certificate(ca);
	X509_STORE *store = X509_STORE_new();
	int err = US_ERR_CRYPTO;

	*out = NULL;
	if (tls == NULL) {
		err = US_ERR_NOMEM;
		goto out;
	}
	us_line_init(&tls->keeper, keeper_fd);
	tls->ctx = SSL_CTX_new(TLS_server_method());
	if (tls->ctx == NULL || own == NULL || issuer == NULL || store == NULL ||
	    X509_STORE_add_cert(store, issuer) != 1)
		goto out;
	(void)SSL_CTX_set_app_data(tls->ctx, tls);
	SSL_CTX_set_cert_store(tls->ctx, store);
	store = NULL; /* transferred */
	err = set_up(tls->ctx);
	if (err == US_OK)
		err = use_key(tls, own);
out:
	X509_STORE_free(store);
	X509_free(issuer);
	X509_free(own);
	if (err == US_OK)
		*out = tls;
	else
		us_tls_free(tls);
	ERR_clear_error();
	return err;
}

int
us_tls_new(int keeper_fd, struct us_tls **out)
{
	const struct us_msg_tls_identity ask = { 0 };
	const struct us_line_question question = { .type = US_MSG_tls_identity,
		.reply_type = US_MSG_tls_identity_reply,
		.encode = encode_identity,
		.m = &ask,
		.timeout_ms = IDENTITY_TIMEOUT_MS };
	struct us_msg_tls_identity_reply identity;
	struct us_line line;
	struct us_buf reply;
	int err;

	*out = NULL;
	us_buf_init(&reply, 65536);
	us_line_init(&line, keeper_fd);
	err = us_line_ask(&line, &question, &reply);
	if (err == US_OK)
		err = us_msg_tls_identity_reply_decode(&identity, reply.data, reply.len);
	if (err == US_OK && identity.err != US_OK)
		err = US_ERR_STATE;
	if (err == US_OK)
		err = us_tls_new_with(keeper_fd, identity.certificate, identity.ca, out);
	if (err == US_OK)
		(*out)->keeper = line; /* its tags go on */
	us_buf_free(&reply);
	return err;
}

void
us_tls_free(struct us_tls *tls)
{
	if (tls == NULL)
		return;
	SSL_CTX_free(tls->ctx);
	EC_KEY_METHOD_free(tls->method);
	free(tls);
}

int
us_tls_is_lost(const struct us_tls *tls)
{
	return tls->keeper.ended;
}

SSL *
us_tls_accept(struct us_tls *tls, int fd)
{
	SSL *ssl = SSL_new(tls->ctx);

	if (ssl == NULL || SSL_set_fd(ssl, fd) != 1) {
		SSL_free(ssl);
		ERR_clear_error();
		return NULL;
	}
	SSL_set_accept_state(ssl);
	return ssl;
}

/* --- what a handshake tells ------------------------------------------------------------ */

static enum us_reason
classify_certificate(long result)
{
	switch (result) {
	case X509_V_ERR_CERT_HAS_EXPIRED:
		return US_REASON_EXPIRED;
	case X509_V_ERR_CERT_NOT_YET_VALID:
		return US_REASON_NOT_YET_VALID;
	case X509_V_ERR_CERT_REVOKED:
		return US_REASON_REVOKED;
	case X509_V_ERR_INVALID_PURPOSE:
	case X509_V_ERR_INVALID_CA:
	case X509_V_ERR_KEYUSAGE_NO_CERTSIGN:
		return US_REASON_WRONG_USAGE;
	default:
		return US_REASON_FOREIGN_CA;
	}
}

enum us_reason
us_tls_failure(const SSL *ssl, int ssl_error)
{
	unsigned long code = ERR_peek_error();
	long result = SSL_get_verify_result(ssl);
	int reason = ERR_GET_REASON(code);

	ERR_clear_error();
	if (ssl_error != SSL_ERROR_SSL || ERR_GET_LIB(code) != ERR_LIB_SSL)
		return US_REASON_MALFORMED;
	if (reason == SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE)
		return US_REASON_NO_CERTIFICATE;
	if (reason == SSL_R_CERTIFICATE_VERIFY_FAILED && result != X509_V_OK)
		return classify_certificate(result);
	/* not TLS 1.3, not TLS, or an end in the middle */
	return US_REASON_MALFORMED;
}

int
us_tls_credential(const SSL *ssl, uint8_t out[32])
{
	X509 *peer = SSL_get0_peer_certificate(ssl);
	unsigned n = 0;

	if (peer == NULL || SSL_get_verify_result(ssl) != X509_V_OK ||
	    X509_digest(peer, EVP_sha256(), out, &n) != 1 || n != 32)
		return US_ERR_CRYPTO;
	return US_OK;
}
