/* The log's texts: notes, checkpoints, receipts, keys, tile paths, lines of keys.jsonl. The first
 * byte says which; what is accepted must be written again as it was. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "log/export.h"
#include "log/proof.h"
#include "log/tiles.h"
#include "base/err.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Test keys of golang.org/x/mod/sumdb/note and of C2SP's signed-note text. */
static const char *const vkeys[2] = {
	"PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
	"example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
};

static void
check(int ok)
{
	if (!ok)
		abort();
}

static void
note(const uint8_t *p, size_t n)
{
	struct us_note_key keys[2];
	struct us_note opened;
	struct us_checkpoint c;
	struct us_tlog_proof proof;
	struct us_digest leaf = { { 0 } };
	size_t i;

	for (i = 0; i < 2; i++)
		check(us_note_key_parse(&keys[i], vkeys[i], strlen(vkeys[i])) == US_OK);
	if (us_note_open(&opened, p, n, keys, 2) == US_OK)
		check(opened.n_sigs > 0 && opened.text.n < n);
	(void)us_checkpoint_open(&c, &opened, p, n, keys, 2);
	(void)us_tlog_proof_verify(p, n, &leaf, keys, 2, &proof, &c);
}

static void
checkpoint(const uint8_t *p, size_t n)
{
	struct us_checkpoint c;
	struct us_buf out;

	us_buf_init(&out, n + 1);
	if (us_checkpoint_parse(&c, p, n) == US_OK && us_checkpoint_encode(&out, &c) == US_OK)
		check(out.len == n && memcmp(out.data, p, n) == 0);
	us_buf_free(&out);
}

static void
vkey(const char *p, size_t n)
{
	char out[US_NOTE_VKEY_MAX];
	struct us_note_key key;

	if (us_note_key_parse(&key, p, n) == US_OK) {
		check(us_note_key_format(&key, out, sizeof(out)) == US_OK);
		check(strlen(out) == n && memcmp(out, p, n) == 0);
	}
}

static void
path(const char *p, size_t n)
{
	char out[US_TILE_PATH_MAX];
	struct us_tile t;

	if (us_tile_parse(&t, p, n) == US_OK) {
		check(us_tile_path(&t, out, sizeof(out)) == US_OK);
		check(strlen(out) == n && memcmp(out, p, n) == 0);
	}
}

static void
proof(const uint8_t *p, size_t n)
{
	struct us_tlog_proof t;
	struct us_buf out;

	us_buf_init(&out, 2 * n + 64);
	if (us_tlog_proof_parse(&t, p, n) == US_OK && t.extra.p == NULL) {
		check(us_tlog_proof_encode(&out, &t) == US_OK);
		check(out.len == n && memcmp(out.data, p, n) == 0);
	}
	us_buf_free(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct us_export_keys keys;

	if (size == 0)
		return 0;
	const uint8_t *p = data + 1;
	size_t n = size - 1;

	switch (data[0] % 6) {
	case 0:
		note(p, n);
		break;
	case 1:
		checkpoint(p, n);
		break;
	case 2:
		vkey((const char *)p, n);
		break;
	case 3:
		path((const char *)p, n);
		break;
	case 4:
		proof(p, n);
		break;
	default:
		(void)us_export_keys_parse(&keys, (const char *)p, n);
		break;
	}
	return 0;
}
