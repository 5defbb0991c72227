/* What a log's reader has to refuse; tests/independent/hostile_log.py tampers with whole logs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "audit/export.h"
#include "audit/tree.h"
#include "common/err.h"

#define K "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="

static void
test_keys_lines(void **state)
{
	static const char *const good[] = { "{\"index\":0}", " { \"index\" : 12 } ",
	    "{\"access\":\"" K "\",\"index\":9223372036854775807}",
	    "{\"index\":1,\"query\":\"" K "\",\"disclosure\":\"" K "\",\"access\":\"" K "\"}\r" };
	static const char *const bad[] = { "", "{}", "{\"index\":}", "{\"index\":01}",
	    "{\"index\":-1}", "{\"index\":1.0}", "{\"index\":\"1\"}", "{\"index\":1}}",
	    "{\"index\":1,}", "{\"index\":1,\"index\":1}", "{\"index\":9223372036854775808}",
	    "{\"index\":1,\"other\":\"" K "\"}", "{\"access\":\"" K "\"}",
	    "{\"index\":1,\"access\":\"AAAA\"}", "{\"index\":1,\"access\":\"" K "AAAA\"}",
	    "{\"index\":1,\"access\":\"" K "\",\"access\":\"" K "\"}", "[1]", "{\"index\":1",
	    "{\"index\":1,\"access\":\"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh9=\"}",
	    "{\"\\u0069ndex\":1}", "null", "{\"index\":1 \"access\":\"" K "\"}" };
	struct us_export_keys k, again;
	struct us_buf out;
	size_t i, n;

	(void)state;
	us_buf_init(&out, 4096);
	for (i = 0; i < sizeof(good) / sizeof(*good); i++) {
		assert_int_equal(us_export_keys_parse(&k, good[i], strlen(good[i])), US_OK);
		us_buf_reset(&out);
		assert_int_equal(us_export_keys_line(&out, k.index,
		    k.present[0] ? &k.keys[0] : NULL, k.present[1] ? &k.keys[1] : NULL,
		    k.present[2] ? &k.keys[2] : NULL), US_OK);
		assert_int_equal(us_export_keys_parse(&again, (const char *)out.data, out.len - 1),
		    US_OK);
		assert_memory_equal(&k, &again, sizeof(k));
		for (n = 0; n + 2 < out.len; n++)
			assert_int_equal(us_export_keys_parse(&again, (const char *)out.data, n),
			    US_ERR_FORMAT);
	}
	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_int_equal(us_export_keys_parse(&k, bad[i], strlen(bad[i])), US_ERR_FORMAT);
	us_buf_free(&out);
}

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
on_entry(void *arg, const struct us_entry_view *view, const struct us_digest *leaf)
{
	int *err = arg;

	assert_int_equal(view->time_ns, 77);
	assert_non_null(leaf);
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
	struct us_log_source source = { &m, get, NULL };
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
		cmocka_unit_test(test_keys_lines),
		cmocka_unit_test(test_source),
		cmocka_unit_test(test_directory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
