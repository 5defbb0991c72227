/*
 * build_log DIR ENTRIES: writes an exported log into DIR (which must exist and be empty) from
 * audit/ alone: journal-less, with fixed keys. Every class and kind of content occurs; keys.jsonl
 * discloses some boxes of some entries. The private key is printed on stdout, so that a test can
 * also forge.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "log/checkpoint.h"
#include "log/entry.h"
#include "log/export.h"
#include "log/tiles.h"
#include "log/tree.h"
#include "crypto/crypto.h"
#include "base/err.h"
#include "base/log.h"

#define ORIGIN "log.example.org/underseal/0123456789abcdef"

static const char *dir;

static void
must(int err, const char *what)
{
	if (err != US_OK)
		us_fatal("%s: %s", what, us_strerror(err));
}

static void
write_file(const char *path, const void *p, size_t n)
{
	char full[4096];
	char *slash;
	FILE *f;

	(void)snprintf(full, sizeof(full), "%s/%s", dir, path);
	for (slash = full + strlen(dir) + 1; (slash = strchr(slash, '/')) != NULL; slash++) {
		*slash = '\0';
		(void)mkdir(full, 0755);
		*slash = '/';
	}
	f = fopen(full, "wb");
	if (f == NULL || (n > 0 && fwrite(p, 1, n, f) != n) || fclose(f) != 0)
		us_fatal("%s cannot be written", full);
}

static void
write_tile(struct us_tile tile, const void *p, size_t n)
{
	char path[US_TILE_PATH_MAX];

	must(us_tile_path(&tile, path, sizeof(path)), "path");
	write_file(path, p, n);
}

static int
put_tile(void *arg, unsigned level, uint64_t n, const struct us_digest *hashes)
{
	struct us_tile tile = { 0, level, n, US_TILE_WIDTH };

	(void)arg;
	write_tile(tile, hashes, US_TILE_WIDTH * US_HASH_LEN);
	return US_OK;
}

static void
fill(uint8_t *p, size_t n, uint64_t seed)
{
	size_t i;

	for (i = 0; i < n; i++) {
		seed = seed * 6364136223846793005u + 1442695040888963407u;
		p[i] = (uint8_t)(seed >> 56);
	}
}

/* Encodes entry index; its box keys go to keys. */
static void
make_entry(uint64_t index, struct us_buf *out, struct us_key keys[US_BOXES])
{
	struct us_entry_in in;
	struct us_entry_access access;
	struct us_entry_disclosure disclosure;
	struct us_entry_query query;
	struct us_bytes terms[2] = { us_bytes_of("restaurant"), us_bytes_of("s\xc3\xa9jour") };
	uint64_t records[5] = { index, index + 1, 7, 1000000007, 3 };
	uint8_t vault_id[32], sealed[104];
	struct us_key secret;

	fill(vault_id, sizeof(vault_id), 1);
	fill(secret.b, sizeof(secret.b), 2);
	fill(sealed, sizeof(sealed), index);
	memset(&in, 0, sizeof(in));
	us_entry_access_init(&access);
	us_entry_disclosure_init(&disclosure);
	us_entry_query_init(&query);
	in.entry_class = (enum us_entry_class)(1 + index % 4);
	in.order_version = (uint32_t)(index / 100);
	in.index = index;
	in.time_ns = INT64_C(1700000000000000000) + (int64_t)(index / 3) * 1000000;
	in.vault_id = vault_id;
	in.secret = &secret;
	fill(in.salt, sizeof(in.salt), index + 1000);
	fill(in.state_digest, 32, index);
	access.action = index % 2 ? US_ACTION_READ : US_ACTION_SEARCH;
	access.decision = US_DECISION_ALLOW;
	access.person = 7;
	access.paragraph = us_bytes_of("4(b)");
	access.parties[0] = us_bytes_of("plaintiffs");
	access.n_parties = 1;
	disclosure.records = records;
	disclosure.n_records = 5;
	query.query = us_bytes_of("restaurant AND s\xc3\xa9jour");
	query.purpose = us_bytes_of("preparation for trial");
	query.terms = terms;
	query.n_terms = 2;
	in.access = &access;
	in.disclosure = index % 5 ? &disclosure : NULL;
	in.query = index % 3 ? &query : NULL;
	if (index % 50 == 2)
		in.sealed = (struct us_bytes){ sealed, sizeof(sealed) };
	must(us_entry_encode(out, &in), "entry");
	must(us_entry_box_keys(keys, &secret, vault_id, index, in.salt), "keys");
}

static void
write_partial(struct us_logtree *tree, uint64_t size)
{
	struct us_digest hashes[US_TILE_WIDTH];
	unsigned level;

	for (level = 0; level < 8 && size >> (8 * level) != 0; level++) {
		struct us_tile tile = { 0, level, size >> (8 * level) >> 8, 0 };

		tile.width = us_tile_width(size, level, tile.n);
		if (tile.width == 0)
			continue;
		must(us_logtree_tile(tree, level, tile.n, tile.width, hashes), "tile");
		write_tile(tile, hashes, tile.width * sizeof(hashes[0]));
	}
}

static void
write_head(struct us_logtree *tree)
{
	char vkey[US_NOTE_VKEY_MAX], hex[65];
	struct us_note_signer *signer;
	struct us_checkpoint c;
	struct us_key seed;
	struct us_buf out;
	size_t i;

	fill(seed.b, sizeof(seed.b), 3);
	must(us_note_signer_new(&signer, ORIGIN, US_NOTE_ED25519, &seed), "signer");
	must(us_note_key_format(us_note_signer_key(signer), vkey, sizeof(vkey) - 1), "vkey");
	(void)strcat(vkey, "\n");
	write_file("log.vkey", vkey, strlen(vkey));
	memset(&c, 0, sizeof(c));
	(void)snprintf(c.origin, sizeof(c.origin), "%s", ORIGIN);
	c.size = us_logtree_size(tree);
	must(us_logtree_root(tree, &c.root), "root");
	us_buf_init(&out, 65536);
	must(us_checkpoint_sign(&out, &c, signer), "checkpoint");
	write_file("checkpoint", out.data, out.len);
	us_buf_free(&out);
	us_note_signer_free(signer);
	for (i = 0; i < 32; i++)
		(void)snprintf(hex + 2 * i, 3, "%02x", seed.b[i]);
	printf("%s\n", hex);
}

int
main(int argc, char **argv)
{
	struct us_logtree_store store = { NULL, NULL, put_tile };
	struct us_buf bundle, entry, keys_file;
	struct us_key keys[US_BOXES];
	struct us_logtree *tree;
	struct us_digest leaf;
	uint64_t i, size;

	if (argc != 3)
		us_fatal("usage: build_log DIR ENTRIES");
	dir = argv[1];
	size = strtoull(argv[2], NULL, 10);
	us_buf_init(&bundle, US_BUNDLE_MAX);
	us_buf_init(&entry, US_ENTRY_MAX);
	us_buf_init(&keys_file, 64u << 20);
	must(us_logtree_new(&tree, &store, 0), "tree");
	for (i = 0; i < size; i++) {
		us_buf_reset(&entry);
		make_entry(i, &entry, keys);
		us_merkle_leaf(&leaf, entry.data, entry.len);
		must(us_logtree_append(tree, &leaf), "append");
		must(us_bundle_put(&bundle, entry.data, entry.len), "bundle");
		if (i % 4 == 1)
			must(us_export_keys_line(&keys_file, i, &keys[0],
				 i % 8 == 1 ? &keys[1] : NULL, i % 16 == 1 ? &keys[2] : NULL),
			    "keys");
		if ((i + 1) % US_TILE_WIDTH == 0 || i + 1 == size) {
			struct us_tile tile = { 1, 0, i / US_TILE_WIDTH,
				(unsigned)(i % US_TILE_WIDTH) + 1 };

			write_tile(tile, bundle.data, bundle.len);
			us_buf_reset(&bundle);
		}
	}
	write_partial(tree, size);
	write_head(tree);
	write_file("keys.jsonl", keys_file.data, keys_file.len);
	us_logtree_free(tree);
	us_buf_free(&bundle);
	us_buf_free(&entry);
	us_buf_free(&keys_file);
	return 0;
}
