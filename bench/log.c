/*
 * What bench/log runs:
 *
 *   us_log_bench make DIR ENTRIES      an export: one vault's life with a session each 1,000
 *                                      entries and a read in each of the others; DIR/keys-all.jsonl
 *                                      has the keys of every box, DIR/keys-some.jsonl those of 4
 *                                      access boxes, 2 disclosure boxes and 1 query box of every 16
 *                                      entries
 *   us_log_bench make-seen DIR ENTRIES
 *                                      the same for bench/who-saw: keys.jsonl has the keys of every
 *                                      box, record 4711 is read in every 1,000th entry, record
 *                                      4712 in two, and the others are spread
 *   us_log_bench plain DIR             a plain verifier: one entry after the other, a context for
 *                                      each hash, all leaf hashes in memory and the root by the
 *                                      definition; no boxes, no rules between entries
 *   us_log_bench append DIR GROUP N    N entries through the keeper's log in an empty DIR, GROUP
 *                                      for each commit
 *   us_log_bench latency DIR ASKERS N  the same in a closed loop: each asker hands in its next
 *                                      entry when the answer to the one before may leave, its proof
 *                                      made; a commit takes what is there. Milliseconds from
 *                                      handing in to that moment, of which the median and the 99th
 *                                      percentile
 *
 * plain and append print seconds of a clock and of this process's CPU.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <openssl/evp.h>

#include "log/checkpoint.h"
#include "log/entry.h"
#include "log/export.h"
#include "log/tiles.h"
#include "log/tree.h"
#include "crypto/crypto.h"
#include "base/err.h"
#include "base/log.h"
#include "log/disk/klog.h"

#define ORIGIN "bench.example/log"
#define SESSION_EVERY 1000
#define MILLISECOND INT64_C(1000000)
#define KEYS_MAX ((size_t)4 << 30)
#define OFTEN 4711u
#define TWICE 4712u

static void
must(int err, const char *what)
{
	if (err != US_OK)
		us_fatal("%s: %s", what, us_strerror(err));
}

static double
seconds(clockid_t clock)
{
	struct timespec t;

	(void)clock_gettime(clock, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* --- make ---------------------------------------------------------------------------------- */

static void
write_file(const char *path, const void *p, size_t n)
{
	char folder[US_TILE_PATH_MAX];
	FILE *f;

	for (const char *slash = path; (slash = strchr(slash, '/')) != NULL; slash++) {
		(void)snprintf(folder, sizeof folder, "%.*s", (int)(slash - path), path);
		(void)mkdir(folder, 0755);
	}
	f = fopen(path, "wb");
	if (f == NULL || (n > 0 && fwrite(p, 1, n, f) != n) || fclose(f) != 0)
		us_fatal("%s cannot be written", path);
}

static void
write_tile(struct us_tile tile, const void *p, size_t n)
{
	char path[US_TILE_PATH_MAX];

	must(us_tile_path(&tile, path, sizeof path), "path");
	write_file(path, p, n);
}

static int
put_tile(void *arg, unsigned level, uint64_t n, const struct us_digest *hashes)
{
	const struct us_tile tile = { 0, level, n, US_TILE_WIDTH };

	(void)arg;
	write_tile(tile, hashes, US_TILE_WIDTH * US_HASH_LEN);
	return US_OK;
}

/* What the machine says first, so that the rest is a log as a vault writes it. */
static int
describe_start(uint64_t index, struct us_entry_in *in, struct us_entry_access *a)
{
	static const enum us_action first[] = { US_ACTION_INIT, US_ACTION_START, US_ACTION_UNSEAL,
		US_ACTION_STATE_OPEN, US_ACTION_ORDER_IN_FORCE };

	if (index >= sizeof first / sizeof first[0])
		return 0;
	in->entry_class = index == 0 ? US_CLASS_STATE : US_CLASS_SYSTEM;
	a->kind = US_KIND_EVENT;
	a->action = first[index];
	a->decision = US_DECISION_ALLOW;
	if (index == 0)
		a->sequence = 1;
	if (a->action == US_ACTION_ORDER_IN_FORCE)
		a->event = (struct us_event){ .form = US_EVENT_ORDER_IN_FORCE,
			.order_in_force = { 1 } };
	return 1;
}

/* Which record an entry reads. */
static uint64_t
record_of(uint64_t index, uint64_t seen)
{
	const uint64_t record = index * 7919 % 1000000;

	if (seen == 0)
		return record;
	if (index % 1000 == 500)
		return OFTEN;
	if (index == seen / 3 * 2 / 1000 * 1000 + 501 || index == seen / 3 / 1000 * 1000 + 501)
		return TWICE;
	return record == OFTEN || record == TWICE ? 0 : record;
}

/* seen: entries of a log for make-seen; 0: make. */
static void
make_entry(uint64_t index, uint64_t seen, const struct us_key *secret, const uint8_t vault_id[32],
    struct us_buf *out, struct us_key keys[US_BOXES])
{
	static uint64_t session;
	const uint64_t record = record_of(index, seen);
	struct us_entry_access a;
	struct us_entry_disclosure d;
	struct us_entry_query q;
	struct us_entry_in in = { .entry_class = US_CLASS_ACCESS,
		.order_version = 1,
		.index = index,
		.vault_id = vault_id,
		.secret = secret,
		.time_ns = INT64_C(1700000000000000000) + (int64_t)index * MILLISECOND,
		.access = &a,
		.disclosure = &d,
		.query = &q };

	us_entry_access_init(&a);
	us_entry_disclosure_init(&d);
	us_entry_query_init(&q);
	us_store_u64(in.salt, index);
	if (!describe_start(index, &in, &a)) {
		if (index % SESSION_EVERY == 5)
			session = index;
		a.kind = session == index ? US_KIND_INTENT : US_KIND_DISCLOSURE;
		a.action = session == index ? US_ACTION_SESSION : US_ACTION_READ;
		a.decision = US_DECISION_ALLOW;
		a.person = 7;
		us_store_u64(a.session, session);
		a.collection = 1;
		a.rule = 3;
		a.paragraph = us_bytes_of("4(b)");
		a.n_parties = 1;
		a.parties[0] = us_bytes_of("plaintiffs");
		d.records = &record;
		d.n_records = session != index;
		d.total = 1;
		q.purpose = us_bytes_of("preparation for trial");
		q.address = us_bytes_of("192.0.2.1");
	}
	us_buf_reset(out);
	must(us_entry_encode(out, &in), "entry");
	must(us_entry_box_keys(keys, secret, vault_id, index, in.salt), "keys");
}

static void
finish_tree(struct us_logtree *tree, const struct us_key *seed)
{
	struct us_checkpoint c = { .size = us_logtree_size(tree), .origin = ORIGIN };
	struct us_digest hashes[US_TILE_WIDTH];
	char vkey[US_NOTE_VKEY_MAX];
	struct us_note_signer *signer;
	struct us_buf out;

	for (unsigned level = 0; level < 8 && c.size >> (8 * level) != 0; level++) {
		struct us_tile tile = { 0, level, c.size >> (8 * level) >> 8, 0 };

		tile.width = us_tile_width(c.size, level, tile.n);
		if (tile.width == 0)
			continue;
		must(us_logtree_tile(tree, level, tile.n, tile.width, hashes), "tile");
		write_tile(tile, hashes, tile.width * sizeof hashes[0]);
	}
	must(us_note_signer_new(&signer, ORIGIN, US_NOTE_ED25519, seed), "signer");
	must(us_note_key_format(us_note_signer_key(signer), vkey, sizeof vkey), "vkey");
	write_file("log.vkey", vkey, strlen(vkey));
	us_buf_init(&out, 65536);
	must(us_logtree_root(tree, &c.root), "root");
	must(us_checkpoint_sign(&out, &c, signer), "checkpoint");
	write_file("checkpoint", out.data, out.len);
	us_buf_free(&out);
	us_note_signer_free(signer);
}

/* Keys go to their file a bundle at a time: of ten million entries they are gigabytes. */
static void
flush_keys(FILE *f, struct us_buf *lines)
{
	if (fwrite(lines->data, 1, lines->len, f) != lines->len)
		us_fatal("the keys cannot be written");
	us_buf_reset(lines);
}

static void
make(uint64_t size, uint64_t seen)
{
	const struct us_logtree_store store = { NULL, NULL, put_tile };
	struct us_key seed, secret, keys[US_BOXES];
	struct us_buf entry, bundle, all, some;
	uint8_t vault_id[32] = { 1 };
	struct us_logtree *tree;
	struct us_digest leaf;
	FILE *all_file = fopen(seen == 0 ? "keys-all.jsonl" : "keys.jsonl", "wb");

	if (all_file == NULL)
		us_fatal("the keys cannot be written");
	must(us_key_random(&seed), "seed");
	must(us_key_random(&secret), "secret");
	us_buf_init(&entry, US_ENTRY_MAX);
	us_buf_init(&bundle, US_BUNDLE_MAX);
	us_buf_init(&all, KEYS_MAX);
	us_buf_init(&some, KEYS_MAX);
	must(us_logtree_new(&tree, &store, 0), "tree");
	for (uint64_t i = 0; i < size; i++) {
		make_entry(i, seen, &secret, vault_id, &entry, keys);
		us_merkle_leaf(&leaf, entry.data, entry.len);
		must(us_logtree_append(tree, &leaf), "append");
		must(us_bundle_put(&bundle, entry.data, entry.len), "bundle");
		must(us_export_keys_line(&all, i, &keys[0], &keys[1], &keys[2]), "keys");
		if (seen == 0 && i % 4 == 1)
			must(us_export_keys_line(&some, i, &keys[0], i % 8 == 1 ? &keys[1] : NULL,
				 i % 16 == 1 ? &keys[2] : NULL),
			    "keys");
		if ((i + 1) % US_TILE_WIDTH == 0 || i + 1 == size) {
			const struct us_tile tile = { 1, 0, i / US_TILE_WIDTH,
				(unsigned)(i % US_TILE_WIDTH) + 1 };

			write_tile(tile, bundle.data, bundle.len);
			us_buf_reset(&bundle);
			flush_keys(all_file, &all);
		}
	}
	finish_tree(tree, &seed);
	if (fclose(all_file) != 0)
		us_fatal("the keys cannot be written");
	if (seen == 0)
		write_file("keys-some.jsonl", some.data, some.len);
	printf("{\"entry_bytes\": %zu}\n", entry.len);
	us_logtree_free(tree);
	us_buf_free(&entry);
	us_buf_free(&bundle);
	us_buf_free(&all);
	us_buf_free(&some);
}

/* --- a plain verifier ---------------------------------------------------------------------- */

static uint8_t *
read_whole(const char *path, size_t *n)
{
	FILE *f = fopen(path, "rb");
	struct stat st;
	uint8_t *p;

	if (f == NULL || fstat(fileno(f), &st) != 0)
		us_fatal("%s cannot be read", path);
	*n = (size_t)st.st_size;
	p = malloc(*n + 1);
	if (p == NULL || fread(p, 1, *n, f) != *n)
		us_fatal("%s cannot be read", path);
	p[*n] = '\0';
	(void)fclose(f);
	return p;
}

/* SHA-256(tag || a || b) with a context of its own. */
static void
plain_hash(uint8_t tag, struct us_bytes a, struct us_bytes b, uint8_t out[32])
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();

	if (ctx == NULL || EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) != 1 ||
	    EVP_DigestUpdate(ctx, &tag, 1) != 1 || EVP_DigestUpdate(ctx, a.p, a.n) != 1 ||
	    EVP_DigestUpdate(ctx, b.p, b.n) != 1 || EVP_DigestFinal_ex(ctx, out, NULL) != 1)
		us_fatal("SHA-256 failed");
	EVP_MD_CTX_free(ctx);
}

/* RFC 6962, 2.1. */
static void
plain_root(const struct us_digest *leaves, size_t n, struct us_digest *out)
{
	struct us_digest left, right;
	size_t k = 1;

	if (n == 1) {
		*out = leaves[0];
		return;
	}
	while (2 * k < n)
		k *= 2;
	plain_root(leaves, k, &left);
	plain_root(leaves + k, n - k, &right);
	plain_hash(1, (struct us_bytes){ left.b, 32 }, (struct us_bytes){ right.b, 32 }, out->b);
}

static int64_t
plain_bundle(uint64_t n, unsigned width, struct us_digest *leaves, int64_t last)
{
	struct us_tile tile = { 1, 0, n, width };
	char path[US_TILE_PATH_MAX];
	struct us_entry_view view;
	size_t size, hashes_size;
	uint8_t *data, *hashes;
	struct us_reader r;

	must(us_tile_path(&tile, path, sizeof path), "path");
	data = read_whole(path, &size);
	tile.entries = 0;
	must(us_tile_path(&tile, path, sizeof path), "path");
	hashes = read_whole(path, &hashes_size);
	us_reader_init(&r, data, size);
	for (unsigned i = 0; i < width; i++) {
		const struct us_bytes entry = us_bundle_take(&r);
		uint8_t *copy = malloc(entry.n + 1);

		if (copy == NULL || r.err != US_OK || hashes_size != width * (size_t)US_HASH_LEN)
			us_fatal("bundle %llu is wrong", (unsigned long long)n);
		memcpy(copy, entry.p, entry.n);
		plain_hash(0, (struct us_bytes){ copy, entry.n }, (struct us_bytes){ NULL, 0 },
		    leaves[i].b);
		if (memcmp(leaves[i].b, hashes + i * (size_t)US_HASH_LEN, US_HASH_LEN) != 0 ||
		    us_entry_decode(&view, copy, entry.n) != US_OK ||
		    view.index != n * US_TILE_WIDTH + i || view.time_ns < last)
			us_fatal("an entry of bundle %llu is wrong", (unsigned long long)n);
		last = view.time_ns;
		free(copy);
	}
	free(data);
	free(hashes);
	return last;
}

static void
plain(void)
{
	size_t checkpoint_n, vkey_n;
	uint8_t *checkpoint = read_whole("checkpoint", &checkpoint_n),
		*vkey = read_whole("log.vkey", &vkey_n);
	struct us_digest *leaves, root;
	struct us_checkpoint c;
	struct us_note_key key;
	int64_t last = 0;

	must(us_note_key_parse(&key, (const char *)vkey, vkey_n), "log.vkey");
	must(us_checkpoint_open(&c, NULL, checkpoint, checkpoint_n, &key, 1), "checkpoint");
	leaves = calloc(c.size + 1, sizeof *leaves);
	if (leaves == NULL || c.size == 0)
		us_fatal("there is nothing to verify, or no memory for it");
	for (uint64_t n = 0; n * US_TILE_WIDTH < c.size; n++)
		last = plain_bundle(n, us_tile_width(c.size, 0, n), leaves + n * US_TILE_WIDTH,
		    last);
	plain_root(leaves, c.size, &root);
	if (memcmp(root.b, c.root.b, US_HASH_LEN) != 0)
		us_fatal("the root is wrong");
	free(leaves);
	free(checkpoint);
	free(vkey);
}

/* --- append -------------------------------------------------------------------------------- */

static struct us_klog *
open_log(void)
{
	static uint8_t vault_id[32] = { 1 }, public[32];
	static struct us_key seed, box, private;
	struct us_klog_options o = { .origin = ORIGIN,
		.vault_id = vault_id,
		.box_public = public,
		.seed = &seed };
	struct us_klog *log;

	must(us_key_random(&seed), "seed");
	must(us_key_random(&box), "key");
	must(us_key_random(&private), "key");
	must(us_x25519_public(&private, public), "key");
	must(us_klog_open(&log, &o), "log");
	us_klog_set_box_key(log, &box);
	return log;
}

static uint64_t
append_one(struct us_klog *log)
{
	const uint64_t record = OFTEN;
	struct us_entry_access a;
	struct us_entry_disclosure d;
	struct us_entry_query q;
	struct us_entry_in e = { .entry_class = US_CLASS_ACCESS,
		.order_version = 1,
		.access = &a,
		.disclosure = &d,
		.query = &q };
	uint64_t index;
	int64_t time_ns;

	us_entry_access_init(&a);
	us_entry_disclosure_init(&d);
	us_entry_query_init(&q);
	a.kind = US_KIND_DISCLOSURE;
	a.action = US_ACTION_READ;
	a.decision = US_DECISION_ALLOW;
	a.person = 7;
	a.paragraph = us_bytes_of("4(b)");
	d.records = &record;
	d.n_records = 1;
	q.purpose = us_bytes_of("preparation for trial");
	q.address = us_bytes_of("192.0.2.1");
	must(us_klog_append(log, &e, &index, &time_ns), "append");
	return index;
}

static void
append(unsigned group, unsigned n)
{
	struct us_klog *log = open_log();

	for (unsigned i = 0; i < n; i++) {
		(void)append_one(log);
		if ((i + 1) % group == 0 || i + 1 == n)
			must(us_klog_commit(log), "commit");
		if ((i + 1) % group == 0)
			(void)us_klog_tick(log);
	}
	us_klog_close(log);
}

static int
compare_doubles(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static void
latency(unsigned askers, unsigned n)
{
	struct us_digest proof[US_PROOF_MAX];
	struct us_klog *log = open_log();
	double *took = calloc(n + askers, sizeof *took), *handed = calloc(askers, sizeof *handed);
	uint64_t *index = calloc(askers, sizeof *index);
	unsigned done = 0;
	size_t hashes;

	if (took == NULL || handed == NULL || index == NULL)
		us_fatal("out of memory");
	for (unsigned i = 0; i < askers; i++)
		handed[i] = seconds(CLOCK_MONOTONIC);
	while (done < n) {
		for (unsigned i = 0; i < askers; i++)
			index[i] = append_one(log);
		must(us_klog_commit(log), "commit");
		for (unsigned i = 0; i < askers; i++) {
			double now;

			must(us_klog_proof(log, index[i], proof, &hashes), "proof");
			now = seconds(CLOCK_MONOTONIC);
			took[done++] = (now - handed[i]) * 1000;
			handed[i] = now;
		}
		(void)us_klog_tick(log);
	}
	qsort(took, done, sizeof *took, compare_doubles);
	printf("{\"p50\": %.4f, \"p99\": %.4f}\n", took[done / 2], took[done - 1 - done / 100]);
	us_klog_close(log);
	free(took);
	free(handed);
	free(index);
}

int
main(int argc, char **argv)
{
	double wall, cpu;

	us_log_init("us_log_bench", US_LOG_WARNING);
	must(us_crypto_init(), "cryptography");
	if (argc < 3 || chdir(argv[2]) != 0)
		us_fatal("usage: us_log_bench make DIR ENTRIES | make-seen DIR ENTRIES | plain DIR "
			 "| append DIR GROUP ENTRIES | latency DIR ASKERS ENTRIES");
	wall = seconds(CLOCK_MONOTONIC);
	cpu = seconds(CLOCK_PROCESS_CPUTIME_ID);
	if (argc == 4 && strcmp(argv[1], "make") == 0) {
		make(strtoull(argv[3], NULL, 10), 0);
		return 0;
	}
	if (argc == 4 && strcmp(argv[1], "make-seen") == 0) {
		make(strtoull(argv[3], NULL, 10), strtoull(argv[3], NULL, 10));
		return 0;
	}
	if (argc == 5 && strcmp(argv[1], "latency") == 0 && strtoul(argv[3], NULL, 10) > 0) {
		latency((unsigned)strtoul(argv[3], NULL, 10), (unsigned)strtoul(argv[4], NULL, 10));
		return 0;
	}
	if (argc == 3 && strcmp(argv[1], "plain") == 0)
		plain();
	else if (argc == 5 && strcmp(argv[1], "append") == 0 && strtoul(argv[3], NULL, 10) > 0)
		append((unsigned)strtoul(argv[3], NULL, 10), (unsigned)strtoul(argv[4], NULL, 10));
	else
		us_fatal("no such bench");
	printf("{\"seconds\": %.6f, \"cpu\": %.6f}\n", seconds(CLOCK_MONOTONIC) - wall,
	    seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu);
	return 0;
}
