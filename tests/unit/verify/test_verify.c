/* The verifier as a library: what its sources give it, and what it gives its users.
 * tests/independent/hostile_log.py tampers with whole logs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "log/tiles.h"
#include "base/err.h"
#include "verify/verify.h"

/* A log of one entry, in memory. */
struct memory_log {
	struct us_buf entry;
	struct us_buf checkpoint;
	char vkey[US_NOTE_VKEY_MAX];
	struct us_digest leaf;
	int fail; /* what reading bundles gives */
};

static int
get(void *arg, const char *path, struct us_buf *out)
{
	struct memory_log *m = arg;

	if (strcmp(path, "log.vkey") == 0)
		return us_buf_put(out, m->vkey, strlen(m->vkey));
	if (strcmp(path, "checkpoint") == 0)
		return us_buf_put(out, m->checkpoint.data, m->checkpoint.len);
	if (m->fail != US_OK)
		return m->fail;
	if (strcmp(path, "tile/entries/000.p/1") == 0)
		return us_bundle_put(out, m->entry.data, m->entry.len);
	if (strcmp(path, "tile/0/000.p/1") == 0)
		return us_buf_put(out, m->leaf.b, sizeof(m->leaf.b));
	return US_ERR_NOT_FOUND;
}

static void
make(struct memory_log *m)
{
	struct us_note_signer *s;
	struct us_entry_in in;
	struct us_checkpoint c;
	struct us_key seed;
	uint8_t vault_id[32] = { 1 };

	memset(m, 0, sizeof(*m));
	memset(&in, 0, sizeof(in));
	memset(&c, 0, sizeof(c));
	memset(&seed, 5, sizeof(seed));
	us_buf_init(&m->entry, US_ENTRY_MAX);
	us_buf_init(&m->checkpoint, 4096);
	in.entry_class = US_CLASS_SYSTEM;
	in.time_ns = 77;
	in.vault_id = vault_id;
	in.secret = &seed;
	assert_int_equal(us_entry_encode(&m->entry, &in), US_OK);
	us_merkle_leaf(&m->leaf, m->entry.data, m->entry.len);
	assert_int_equal(us_note_signer_new(&s, "log.example", US_NOTE_ED25519, &seed), US_OK);
	assert_int_equal(us_note_key_format(us_note_signer_key(s), m->vkey, sizeof(m->vkey)),
	    US_OK);
	(void)snprintf(c.origin, sizeof(c.origin), "log.example");
	c.size = 1;
	us_merkle_root(&c.root, &m->leaf, 1);
	assert_int_equal(us_checkpoint_sign(&m->checkpoint, &c, s), US_OK);
	us_note_signer_free(s);
}

static int
on_entry(void *arg, const struct us_verified_entry *e)
{
	int *err = arg;

	assert_int_equal(e->opened->view.time_ns, 77);
	assert_non_null(e->leaf);
	assert_null(e->keys);
	return *err;
}

static void
test_source(void **state)
{
	static const struct {
		int fail;
		enum us_verdict verdict;
	} failures[] = { { US_ERR_NOT_FOUND, US_VERDICT_INCOMPLETE },
		{ US_ERR_IO, US_VERDICT_UNVERIFIABLE }, { US_ERR_CLOSED, US_VERDICT_UNVERIFIABLE },
		{ US_ERR_LIMIT, US_VERDICT_TAMPERED } };
	struct memory_log m;
	struct us_log_source source = { .arg = &m, .get = get };
	struct us_verify_options options = { 0 };
	struct us_verify_report report;
	int err = US_OK;
	size_t i;

	(void)state;
	make(&m);
	options.on_entry = on_entry;
	options.arg = &err;
	assert_int_equal(us_log_verify(&report, &source, &options), US_OK);
	assert_int_equal(report.verdict, US_VERDICT_OK);
	assert_true(report.own_vkey);
	assert_int_equal(report.entries, 1);
	options.vkey = m.vkey;
	assert_int_equal(us_log_verify(&report, &source, &options), US_OK);
	assert_false(report.own_vkey);
	err = US_ERR_BUSY;
	assert_int_equal(us_log_verify(&report, &source, &options), US_ERR_BUSY);
	err = US_OK;
	options.vkey = "nonsense";
	assert_int_equal(us_log_verify(&report, &source, &options), US_OK);
	assert_int_equal(report.verdict, US_VERDICT_UNVERIFIABLE);
	options.vkey = NULL;
	for (i = 0; i < sizeof(failures) / sizeof(*failures); i++) {
		m.fail = failures[i].fail;
		assert_int_equal(us_log_verify(&report, &source, &options), US_OK);
		assert_int_equal(report.verdict, failures[i].verdict);
	}
	m.fail = US_ERR_NOMEM;
	assert_int_equal(us_log_verify(&report, &source, &options), US_ERR_NOMEM);
	m.fail = US_OK;
	m.entry.data[m.entry.len - 1] ^= 1;
	assert_int_equal(us_log_verify(&report, &source, &options), US_OK);
	assert_int_equal(report.verdict, US_VERDICT_TAMPERED);
	assert_int_equal(report.index, 0);
	us_buf_free(&m.entry);
	us_buf_free(&m.checkpoint);
}

/* --- a log of several bundles, read by several threads -------------------------------------- */

#define MANY 1500u
#define BUNDLES ((MANY + US_TILE_WIDTH - 1) / US_TILE_WIDTH)

struct large {
	struct us_buf bundle[BUNDLES], hashes[BUNDLES], level1, checkpoint, keys;
	size_t keys_read;
	uint64_t line_at[MANY]; /* where the entry's line begins in keys */
	uint64_t seen;
	char vkey[US_NOTE_VKEY_MAX];
};

static int
has_keys(uint64_t index)
{
	return index % 5 == 3;
}

static int
get_large(void *arg, const char *path, struct us_buf *out)
{
	const struct large *l = arg;
	const struct us_buf *file = NULL;
	struct us_tile t;

	if (strcmp(path, "checkpoint") == 0)
		file = &l->checkpoint;
	else if (us_tile_parse(&t, path, strlen(path)) != US_OK ||
	    t.n >= (t.level == 0 ? BUNDLES : 1) || t.level > 1)
		return US_ERR_NOT_FOUND;
	else
		file = t.entries ? &l->bundle[t.n] : t.level == 0 ? &l->hashes[t.n] : &l->level1;
	return us_buf_put(out, file->data, file->len);
}

static int
next_large(void *arg, char line[US_EXPORT_KEYS_LINE_MAX], size_t *n)
{
	struct large *l = arg;
	const char *at = (const char *)l->keys.data + l->keys_read, *end;

	if (l->keys_read == l->keys.len)
		return US_ERR_NOT_FOUND;
	end = memchr(at, '\n', l->keys.len - l->keys_read);
	assert_non_null(end);
	*n = (size_t)(end - at);
	memcpy(line, at, *n);
	l->keys_read += *n + 1;
	return US_OK;
}

static void
make_large(struct large *l)
{
	struct us_entry_in in = { .entry_class = US_CLASS_SYSTEM };
	struct us_digest leaf[MANY], root;
	struct us_checkpoint c = { .size = MANY };
	struct us_note_signer *s;
	struct us_key secret = { .b = { 7 } }, box[US_BOXES];
	const uint8_t vault_id[32] = { 1 };
	struct us_buf entry;

	us_buf_init(&entry, US_ENTRY_MAX);
	us_buf_init(&l->keys, 1u << 20);
	us_buf_init(&l->level1, US_TILE_WIDTH * US_HASH_LEN);
	us_buf_init(&l->checkpoint, 4096);
	in.vault_id = vault_id;
	in.secret = &secret;
	for (size_t b = 0; b < BUNDLES; b++) {
		us_buf_init(&l->bundle[b], US_BUNDLE_MAX);
		us_buf_init(&l->hashes[b], US_TILE_WIDTH * US_HASH_LEN);
	}
	for (uint64_t i = 0; i < MANY; i++) {
		const size_t b = i / US_TILE_WIDTH;

		in.index = i;
		in.time_ns = (int64_t)i + 77;
		us_buf_reset(&entry);
		assert_int_equal(us_entry_encode(&entry, &in), US_OK);
		assert_int_equal(us_bundle_put(&l->bundle[b], entry.data, entry.len), US_OK);
		us_merkle_leaf(&leaf[i], entry.data, entry.len);
		assert_int_equal(us_buf_put(&l->hashes[b], leaf[i].b, US_HASH_LEN), US_OK);
		if (i % US_TILE_WIDTH == US_TILE_WIDTH - 1) {
			us_merkle_root(&root, &leaf[i + 1 - US_TILE_WIDTH], US_TILE_WIDTH);
			assert_int_equal(us_buf_put(&l->level1, root.b, US_HASH_LEN), US_OK);
		}
		assert_int_equal(us_entry_box_keys(box, &secret, vault_id, i, in.salt), US_OK);
		if (i % 7 == 0) /* an empty line counts */
			assert_int_equal(us_buf_put_u8(&l->keys, '\n'), US_OK);
		l->line_at[i] = l->keys.len;
		if (has_keys(i))
			assert_int_equal(us_export_keys_line(&l->keys, i, NULL, NULL,
					     &box[US_BOX_QUERY]),
			    US_OK);
	}
	assert_int_equal(us_note_signer_new(&s, "log.example", US_NOTE_ED25519, &secret), US_OK);
	assert_int_equal(us_note_key_format(us_note_signer_key(s), l->vkey, sizeof l->vkey), US_OK);
	(void)snprintf(c.origin, sizeof c.origin, "log.example");
	us_merkle_root(&c.root, leaf, MANY);
	assert_int_equal(us_checkpoint_sign(&l->checkpoint, &c, s), US_OK);
	us_note_signer_free(s);
	us_buf_free(&entry);
}

static int
see(void *arg, const struct us_verified_entry *e)
{
	struct large *l = arg;
	const uint8_t *hash = l->hashes[l->seen / US_TILE_WIDTH].data +
	    l->seen % US_TILE_WIDTH * US_HASH_LEN;
	struct us_buf content;

	assert_int_equal(e->opened->view.index, l->seen);
	assert_memory_equal(e->leaf->b, hash, US_HASH_LEN);
	assert_int_equal(e->keys != NULL, has_keys(l->seen));
	assert_int_equal(us_opened_has(e->opened, US_BOX_QUERY), has_keys(l->seen));
	if (e->keys != NULL) {
		us_buf_init(&content, US_ENTRY_CONTENT_MAX);
		assert_int_equal(e->keys->index, l->seen);
		assert_int_equal(e->keys_at, l->line_at[l->seen]);
		assert_int_equal(us_entry_open(&e->opened->view, US_BOX_QUERY,
				     &e->keys->keys[US_BOX_QUERY], &content),
		    US_OK);
		us_buf_free(&content);
	}
	l->seen++;
	return US_OK;
}

/* Each entry is seen once, in order, with its keys; by one thread or several, and also if the
 * source wants only one. */
static void
test_entries(void **state)
{
	static struct large l;
	struct us_log_source source = { .arg = &l, .get = get_large, .next_keys = next_large };
	struct us_verify_options options = { .on_entry = see, .arg = &l };
	struct us_verify_report report;

	(void)state;
	make_large(&l);
	options.vkey = l.vkey;
	for (unsigned round = 0; round < 12; round++) {
		source.shared = round % 3 != 0;
		options.threads = round;
		l.keys_read = l.seen = 0;
		assert_int_equal(us_log_verify(&report, &source, &options), US_OK);
		assert_string_equal(report.detail, "1500 entries match the signed checkpoint");
		assert_int_equal(report.verdict, US_VERDICT_OK);
		assert_int_equal(l.seen, MANY);
		assert_int_equal(report.opened[US_BOX_QUERY], MANY / 5);
		assert_int_equal(report.withheld, MANY);
	}
	/* What comes before the entry that is wrong is shown, and nothing behind it. */
	l.bundle[3].data[2 + 40] ^= 1;
	for (unsigned threads = 1; threads < 4; threads++) {
		source.shared = 1;
		options.threads = threads;
		l.keys_read = l.seen = 0;
		assert_int_equal(us_log_verify(&report, &source, &options), US_OK);
		assert_int_equal(report.verdict, US_VERDICT_TAMPERED);
		assert_int_equal(report.index, 3 * US_TILE_WIDTH);
		assert_int_equal(l.seen, 3 * US_TILE_WIDTH);
	}
	for (size_t b = 0; b < BUNDLES; b++) {
		us_buf_free(&l.bundle[b]);
		us_buf_free(&l.hashes[b]);
	}
	us_buf_free(&l.level1);
	us_buf_free(&l.checkpoint);
	us_buf_free(&l.keys);
}

static void
test_directory(void **state)
{
	struct us_verify_report report;

	(void)state;
	assert_int_equal(us_export_verify(&report, "/nonexistent/log", NULL), US_OK);
	assert_int_equal(report.verdict, US_VERDICT_UNVERIFIABLE);
	assert_int_equal(us_verdict_exit(US_VERDICT_OK), 0);
	assert_int_equal(us_verdict_exit(US_VERDICT_TAMPERED), 5);
	assert_int_equal(us_verdict_exit(US_VERDICT_INCOMPLETE), 6);
	assert_int_equal(us_verdict_exit(US_VERDICT_UNVERIFIABLE), 6);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_source),
		cmocka_unit_test(test_entries),
		cmocka_unit_test(test_directory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
