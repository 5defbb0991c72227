/* What is given without an entry of its own: status, log files, proofs, the TLS identity. */
#include <string.h>

#include <openssl/evp.h>

#include "crypto/crypto.h"
#include "base/err.h"
#include "base/log.h"
#include "daemon/keeper/internal.h"
#include "daemon/keeper/life.h"
#include "daemon/keeper/handlers.h"
#include "daemon/keeper/unseal.h"
#include "daemon/keeper/witnesses.h"

#define LOG_DATA_MAX (16u * 1024u * 1024u)
#define TLS_SIGNATURE_MAX 128u

int
us_on_keeper_status(struct us_keeper *k, struct us_channel *ch, uint32_t tag, struct us_bytes body)
{
	struct us_msg_keeper_status_reply r = { .state = (uint8_t)us_keeper_state(k) };
	struct us_msg_keeper_status m;
	int err = us_msg_keeper_status_decode(&m, body.p, body.n);

	if (err != US_OK)
		return err;
	us_unsealing_expire(k);
	us_unsealing_tell(k, &r);
	r.since = us_keeper_since(k);
	r.why = us_bytes_of(us_keeper_why(k));
	memcpy(r.vault_id, k->conf.vault_id, 32);
	r.tree_size = us_klog_size(k->klog);
	r.checkpoint = us_klog_checkpoint(k->klog);
	r.vkey = us_bytes_of(us_klog_vkey(k->klog));
	return us_send_keeper_status_reply(ch, tag, &r);
}

int
us_on_log_read(struct us_keeper *k, struct us_channel *ch, uint32_t tag, struct us_bytes body)
{
	struct us_msg_log_data r = { 0 };
	struct us_msg_log_read m;
	struct us_buf b;
	int err = us_msg_log_read_decode(&m, body.p, body.n);

	if (err != US_OK)
		return err;
	us_buf_init(&b, LOG_DATA_MAX);
	r.err = (uint8_t)us_klog_serve(k->klog, m.path, &b);
	if (r.err == US_ERR_FORMAT)
		r.err = (uint8_t)us_witnesses_serve(k, m.path, &b);
	if (r.err == US_OK)
		r.data = (struct us_bytes){ b.data, b.len };
	err = us_send_log_data(ch, tag, &r);
	us_buf_free(&b);
	if (err == US_ERR_NOMEM && r.err == US_OK) { /* no room for so much at once is an answer */
		r = (struct us_msg_log_data){ .err = US_ERR_NOMEM };
		err = us_send_log_data(ch, tag, &r);
	}
	return err;
}

/* Of any entry: bundles and tiles, of which it could be made, are there for the same people. */
int
us_on_entry_proof(struct us_keeper *k, struct us_channel *ch, uint32_t tag, struct us_bytes body)
{
	struct us_digest proof[US_PROOF_MAX];
	struct us_msg_entry_proof_reply r = { 0 };
	struct us_msg_entry_proof m;
	struct us_buf entry;
	size_t n = 0;
	int err = us_msg_entry_proof_decode(&m, body.p, body.n);

	if (err != US_OK)
		return err;
	us_buf_init(&entry, US_ENTRY_MAX);
	err = us_klog_entry_bytes(k->klog, m.index, &entry);
	if (err == US_OK)
		err = us_klog_proof(k->klog, m.index, proof, &n);
	r.err = (uint8_t)err;
	r.index = m.index;
	if (err == US_OK) {
		r.entry = (struct us_bytes){ entry.data, entry.len };
		r.proof = (struct us_bytes){ (const uint8_t *)proof, n * sizeof proof[0] };
		r.checkpoint = us_klog_checkpoint(k->klog);
	}
	err = us_send_entry_proof_reply(ch, tag, &r);
	us_buf_free(&entry);
	return err;
}

/* --- the TLS identity ----------------------------------------------------------------------- */

int
us_on_tls_identity(struct us_keeper *k, struct us_channel *ch, uint32_t tag, struct us_bytes body)
{
	struct us_msg_tls_identity_reply r = { 0 };
	struct us_msg_tls_identity m;
	int err = us_msg_tls_identity_decode(&m, body.p, body.n);

	if (err != US_OK)
		return err;
	memcpy(r.vault_id, k->conf.vault_id, 32);
	r.certificate = (struct us_bytes){ k->boot.tls_certificate.data,
		k->boot.tls_certificate.len };
	r.ca = (struct us_bytes){ k->conf.ca.data, k->conf.ca.len };
	return us_send_tls_identity_reply(ch, tag, &r);
}

int
us_on_tls_sign(struct us_keeper *k, struct us_channel *ch, uint32_t tag, struct us_bytes body)
{
	uint8_t signature[TLS_SIGNATURE_MAX];
	size_t n = sizeof signature;
	struct us_msg_tls_signature r = { .err = US_ERR_CRYPTO };
	struct us_msg_tls_sign m;
	EVP_PKEY_CTX *ctx;
	int err = us_msg_tls_sign_decode(&m, body.p, body.n);

	if (err != US_OK)
		return err;
	if (m.digest.n != US_DIGEST_SIZE)
		return US_ERR_MALFORMED;
	ctx = EVP_PKEY_CTX_new(us_pkey_native(k->boot.tls_key), NULL);
	if (ctx != NULL && EVP_PKEY_sign_init(ctx) == 1 &&
	    EVP_PKEY_CTX_set_signature_md(ctx, EVP_sha256()) == 1 &&
	    EVP_PKEY_sign(ctx, signature, &n, m.digest.p, m.digest.n) == 1) {
		r.err = US_OK;
		r.signature = (struct us_bytes){ signature, n };
	}
	EVP_PKEY_CTX_free(ctx);
	return us_send_tls_signature(ch, tag, &r);
}
