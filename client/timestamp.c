/*
 * Timestamps of checkpoints by authorities that have nothing to do with the vault (RFC 3161), by files: the vault's machine and this one
 * need no network for it. The message that is stamped is the checkpoint, byte for byte as it was signed. A token is verified against its
 * authority's certificate as of the time it names, not as of now: certificates run out, what they signed does not.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ts.h>
#include <openssl/x509_vfy.h>

#include "audit/checkpoint.h"
#include "client/log_source.h"
#include "common/crypto.h"
#include "common/err.h"
#include "common/timefmt.h"

#define TOKEN_MAX 262144u
#define CHECKPOINT_MAX 16384u
#define NONCE_BYTES 8

static void
write_new(const char *path, const void *p, size_t n)
{
	FILE *f = fopen(path, "wxe");
	int written;

	if (f == NULL)
		us_give_up(US_EXIT_OTHER, "cannot make %s: it exists already, or its directory cannot be written", path);
	written = fwrite(p, 1, n, f) == n;
	if (fclose(f) != 0 || !written)
		us_give_up(US_EXIT_OTHER, "cannot write %s", path);
}

/* ---- asking ---- */

static TS_REQ *
request_of(const uint8_t digest[32])
{
	TS_REQ *request = TS_REQ_new();
	TS_MSG_IMPRINT *imprint = TS_MSG_IMPRINT_new();
	X509_ALGOR *algorithm = X509_ALGOR_new();
	ASN1_INTEGER *nonce = ASN1_INTEGER_new();
	uint8_t random[NONCE_BYTES];
	uint64_t number;
	int ok = request != NULL && imprint != NULL && algorithm != NULL && nonce != NULL && us_random(random, sizeof random) == US_OK;

	number = ok ? us_load_u64(random) >> 1 : 0;
	ok = ok && X509_ALGOR_set0(algorithm, OBJ_nid2obj(NID_sha256), V_ASN1_NULL, NULL) == 1 &&
	    TS_MSG_IMPRINT_set_algo(imprint, algorithm) == 1 && TS_MSG_IMPRINT_set_msg(imprint, (unsigned char *)(uintptr_t)digest, 32) == 1 &&
	    TS_REQ_set_version(request, 1) == 1 && TS_REQ_set_msg_imprint(request, imprint) == 1 &&
	    ASN1_INTEGER_set_uint64(nonce, number) == 1 && TS_REQ_set_nonce(request, nonce) == 1 && TS_REQ_set_cert_req(request, 1) == 1;
	TS_MSG_IMPRINT_free(imprint);
	X509_ALGOR_free(algorithm);
	ASN1_INTEGER_free(nonce);
	if (ok)
		return request;
	TS_REQ_free(request);
	return NULL;
}

static int
run_request(struct us_client *client, const struct us_args *args)
{
	const char *out = us_arg(args, "output");
	unsigned char *der = NULL;
	struct us_log_remote remote;
	uint8_t digest[32];
	char path[4096];
	TS_REQ *request;
	int n;

	if (out == NULL || snprintf(path, sizeof path, "%s.checkpoint", out) >= (int)sizeof path)
		us_usage_error("-o FILE, for the request, is needed");
	us_log_remote_open(&remote, client);
	if (us_sha256(remote.checkpoint.data, remote.checkpoint.len, digest) != US_OK || (request = request_of(digest)) == NULL)
		us_give_up(US_EXIT_OTHER, "the request cannot be made");
	n = i2d_TS_REQ(request, &der);
	TS_REQ_free(request);
	if (n <= 0)
		us_give_up(US_EXIT_OTHER, "the request cannot be made");
	write_new(path, remote.checkpoint.data, remote.checkpoint.len);
	write_new(out, der, (size_t)n);
	OPENSSL_free(der);
	if (client->json)
		printf("{\"request\":\"%s\",\"checkpoint\":\"%s\",\"size\":%llu}\n", out, path, (unsigned long long)remote.size);
	else
		printf("%s goes to the authority, %s stays with what comes back:\n"
		    "    curl --data-binary @%s -H 'Content-Type: application/timestamp-query' -o FILE.tsr AUTHORITY\n"
		    "    underseal audit timestamp-verify FILE.tsr --checkpoint %s --ca AUTHORITY.pem\n", out, path, out, path);
	us_log_remote_close(&remote);
	return US_EXIT_DONE;
}

/* ---- checking ---- */

static TS_RESP *
read_response(const char *path)
{
	struct us_buf bytes;
	const unsigned char *p;
	TS_RESP *response = NULL;

	us_buf_init(&bytes, TOKEN_MAX);
	if (us_file_read(path, TOKEN_MAX, &bytes) != US_OK)
		us_give_up(US_EXIT_USAGE, "%s cannot be read, or is no timestamp", path);
	p = bytes.data;
	if (bytes.len > 0)
		response = d2i_TS_RESP(NULL, &p, (long)bytes.len);
	if (response == NULL || p != bytes.data + bytes.len || TS_RESP_get_tst_info(response) == NULL)
		us_give_up(US_EXIT_UNVERIFIED, "%s is no timestamp that was granted", path);
	us_buf_free(&bytes);
	return response;
}

static int
time_of(TS_RESP *response, time_t *out)
{
	const ASN1_GENERALIZEDTIME *t = TS_TST_INFO_get_time(TS_RESP_get_tst_info(response));
	struct tm tm = { 0 };

	if (t == NULL || ASN1_TIME_to_tm(t, &tm) != 1)
		return US_ERR_FORMAT;
	*out = timegm(&tm);
	return *out == (time_t)-1 ? US_ERR_RANGE : US_OK;
}

static int
is_sha256(TS_RESP *response)
{
	TS_MSG_IMPRINT *imprint = TS_TST_INFO_get_msg_imprint(TS_RESP_get_tst_info(response));
	const ASN1_OBJECT *object = NULL;

	if (imprint == NULL)
		return 0;
	X509_ALGOR_get0(&object, NULL, NULL, TS_MSG_IMPRINT_get_algo(imprint));
	return OBJ_obj2nid(object) == NID_sha256;
}

/* 1 if the token is over that digest and its signature leads to one of the certificates, as of the token's own time. */
static int
holds(TS_RESP *response, const uint8_t digest[32], const char *ca, time_t at)
{
	TS_VERIFY_CTX *ctx = TS_VERIFY_CTX_new();
	X509_STORE *store = X509_STORE_new();
	unsigned char *imprint = OPENSSL_memdup(digest, 32);
	int ok = ctx != NULL && store != NULL && imprint != NULL && X509_STORE_load_file(store, ca) == 1;

	if (!ok) {
		OPENSSL_free(imprint);
		X509_STORE_free(store);
		TS_VERIFY_CTX_free(ctx);
		us_give_up(US_EXIT_USAGE, "%s holds no certificates of an authority (PEM)", ca);
	}
	X509_VERIFY_PARAM_set_time(X509_STORE_get0_param(store), at);
	(void)TS_VERIFY_CTX_set_flags(ctx, TS_VFY_VERSION | TS_VFY_IMPRINT | TS_VFY_SIGNATURE);
	(void)TS_VERIFY_CTX_set_imprint(ctx, imprint, 32); /* both are the context's now */
	(void)TS_VERIFY_CTX_set_store(ctx, store);
	ok = is_sha256(response) && TS_RESP_verify_response(ctx, response) == 1;
	TS_VERIFY_CTX_free(ctx);
	ERR_clear_error();
	return ok;
}

static int
run_verify(struct us_client *client, const struct us_args *args)
{
	const char *checkpoint = us_arg(args, "checkpoint"), *ca = us_arg(args, "ca");
	TS_RESP *response = read_response(args->operand[0]);
	struct us_bytes signed_text, signatures;
	struct us_checkpoint body;
	struct us_buf text;
	uint8_t digest[32];
	char when[US_TIME_TEXT_SIZE];
	time_t at;
	int ok;

	if (checkpoint == NULL || ca == NULL)
		us_usage_error("--checkpoint FILE and --ca AUTHORITY.pem are needed");
	us_buf_init(&text, CHECKPOINT_MAX);
	if (us_file_read(checkpoint, CHECKPOINT_MAX, &text) != US_OK || us_sha256(text.data, text.len, digest) != US_OK ||
	    us_note_split(&signed_text, &signatures, text.data, text.len) != US_OK ||
	    us_checkpoint_parse(&body, signed_text.p, signed_text.n) != US_OK)
		us_give_up(US_EXIT_USAGE, "%s is no checkpoint", checkpoint);
	ok = time_of(response, &at) == US_OK && holds(response, digest, ca, at);
	TS_RESP_free(response);
	us_buf_free(&text);
	if (!ok) {
		us_say("VERIFICATION FAILED: %s is no timestamp of %s by an authority of %s", args->operand[0], checkpoint, ca);
		return US_EXIT_UNVERIFIED;
	}
	us_time_format_s((int64_t)at * US_NS_PER_SECOND, when);
	if (client->json)
		printf("{\"verdict\":\"OK\",\"time\":\"%s\",\"size\":%llu}\n", when, (unsigned long long)body.size);
	else
		printf("OK: the checkpoint of %llu entries was there on %s\n", (unsigned long long)body.size, when);
	return US_EXIT_DONE;
}

static const struct us_option request_options[] = {
	{ "output", "FILE", "the request (also -o); the checkpoint is put beside it, as FILE.checkpoint" },
};
static const struct us_option verify_options[] = {
	{ "checkpoint", "FILE", "what was stamped" },
	{ "ca", "FILE", "certificates of the authority that are trusted, PEM" },
};

const struct us_command us_commands_timestamp[] = {
	{ "audit timestamp-request", "-o FILE", "asks an authority (RFC 3161) to stamp the newest checkpoint: the file to carry there",
	    "underseal audit timestamp-request -o monday.tsq", request_options, 1, 0, 0, run_request },
	{ "audit timestamp-verify", "FILE.tsr --checkpoint FILE --ca FILE", "checks what came back, as of the time it names; offline",
	    "underseal audit timestamp-verify monday.tsr --checkpoint monday.tsq.checkpoint --ca authority.pem", verify_options, 2, 1, 1,
	    run_verify },
	{ 0 },
};
