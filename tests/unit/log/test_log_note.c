/* Notes, checkpoints and receipts with keys of our own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "log/proof.h"
#include "base/err.h"

#define NAME "log.example.org/underseal/00"

static struct us_note_signer *
signer(const char *name, enum us_note_type type, uint8_t byte)
{
	struct us_note_signer *s;
	struct us_key seed;

	memset(&seed, byte, sizeof(seed));
	assert_int_equal(us_note_signer_new(&s, name, type, &seed), US_OK);
	return s;
}

static void
test_names(void **state)
{
	static const char *const bad[] = { "", "a b", "a+b", "a\tb", "a\nb",
		"a\xc2\xa0"
		"b",
		"a\xe2\x80\xa8", "\xff", "a\x01" };
	struct us_note_key key;
	uint8_t pub[32] = { 1 };
	char longest[US_NOTE_NAME_MAX + 2], text[US_NOTE_VKEY_MAX];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_int_equal(us_note_key_init(&key, bad[i], US_NOTE_ED25519, pub),
		    US_ERR_FORMAT);
	memset(longest, 'n', sizeof(longest));
	longest[US_NOTE_NAME_MAX + 1] = '\0';
	assert_int_equal(us_note_key_init(&key, longest, US_NOTE_ED25519, pub), US_ERR_LIMIT);
	longest[US_NOTE_NAME_MAX] = '\0';
	assert_int_equal(us_note_key_init(&key, longest, US_NOTE_COSIGNATURE, pub), US_OK);
	assert_int_equal(us_note_key_format(&key, text, sizeof(text)), US_OK);
	assert_int_equal(us_note_key_parse(&key, text, strlen(text)), US_OK);
	assert_int_equal(us_note_key_format(&key, text, 10), US_ERR_LIMIT);
}

static void
test_checkpoint(void **state)
{
	struct us_note_signer *log = signer(NAME, US_NOTE_ED25519, 1);
	struct us_note_signer *witness = signer("witness.example", US_NOTE_COSIGNATURE, 2);
	struct us_note_signer *stranger = signer(NAME, US_NOTE_ED25519, 3);
	struct us_note_key keys[2], reversed[2], unknown;
	struct us_checkpoint c, got;
	struct us_note note;
	struct us_bytes text, sigs;
	struct us_buf out;
	size_t i;

	(void)state;
	keys[0] = reversed[1] = *us_note_signer_key(log);
	keys[1] = reversed[0] = *us_note_signer_key(witness);
	unknown = *us_note_signer_key(stranger);
	memset(&c, 0, sizeof(c));
	(void)snprintf(c.origin, sizeof(c.origin), NAME);
	c.size = 20852163;
	memset(c.root.b, 9, 32);
	us_buf_init(&out, 65536);
	assert_int_equal(us_checkpoint_sign(&out, &c, log), US_OK);
	assert_int_equal(us_note_split(&text, &sigs, out.data, out.len), US_OK);
	assert_int_equal(us_note_sign_line(&out, stranger, text.p, text.n, 0), US_OK);
	assert_int_equal(us_note_split(&text, &sigs, out.data, out.len), US_OK);
	assert_int_equal(us_note_sign_line(&out, witness, text.p, text.n, 1700000000), US_OK);
	assert_int_equal(us_checkpoint_open(&got, &note, out.data, out.len, keys, 2), US_OK);
	assert_string_equal(got.origin, c.origin);
	assert_int_equal(got.size, c.size);
	assert_memory_equal(&got.root, &c.root, sizeof(c.root));
	assert_int_equal(note.n_sigs, 2);
	assert_int_equal(note.n_unknown, 1);
	assert_int_equal(note.sigs[1].timestamp, 1700000000);
	assert_int_equal(us_checkpoint_open(&got, NULL, out.data, out.len, reversed, 2),
	    US_ERR_VERIFY);
	assert_int_equal(us_checkpoint_open(&got, NULL, out.data, out.len, &unknown, 1), US_OK);
	/* Any changed byte: refused, or of the stranger's line only. */
	for (i = 0; i < out.len; i++) {
		out.data[i] ^= 1;
		if (us_checkpoint_open(&got, &note, out.data, out.len, keys, 2) == US_OK)
			assert_true(i >= text.n && memcmp(&got.root, &c.root, 32) == 0 &&
			    got.size == c.size);
		out.data[i] ^= 1;
	}
	for (i = 0; i < out.len; i++)
		(void)us_checkpoint_open(&got, &note, out.data, i, keys, 2);
	us_buf_free(&out);
	us_note_signer_free(log);
	us_note_signer_free(witness);
	us_note_signer_free(stranger);
}

#define ROOT "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"

static void
test_checkpoint_text(void **state)
{
	static const char *const good[] = { "o\n0\n" ROOT, "o\n9223372036854775807\n" ROOT,
		"a b\n7\n" ROOT "extension\n" };
	static const char *const bad[] = { "", "\n", "o\n", "o\n1\n", "o\n01\n" ROOT,
		"o\n-1\n" ROOT, "o\n+1\n" ROOT, "o\n\n" ROOT, "\n1\n" ROOT, "o\n1 \n" ROOT,
		"o\n9223372036854775808\n" ROOT, "o\n99999999999999999999\n" ROOT,
		"o\n1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2J=\n",
		"o\n1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I\n", "o\n1\nAAAA\n",
		"o\n1\n" ROOT "\n", "o\n1\n" ROOT "x", "o\n1\n" ROOT "x\n\ny\n",
		"o\n1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=" };
	struct us_checkpoint c;
	struct us_buf out;
	size_t i;

	(void)state;
	us_buf_init(&out, 4096);
	for (i = 0; i < sizeof(good) / sizeof(*good); i++) {
		us_buf_reset(&out);
		assert_int_equal(us_checkpoint_parse(&c, good[i], strlen(good[i])), US_OK);
		assert_int_equal(us_checkpoint_encode(&out, &c), US_OK);
		assert_string_equal(us_buf_cstr(&out), good[i]);
	}
	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_int_not_equal(us_checkpoint_parse(&c, bad[i], strlen(bad[i])), US_OK);
	us_buf_free(&out);
}

static void
test_receipt(void **state)
{
	struct us_note_signer *log = signer(NAME, US_NOTE_ED25519, 1);
	struct us_digest leaves[11];
	struct us_tlog_proof p, got;
	struct us_checkpoint c;
	struct us_buf note, text;
	size_t i;

	(void)state;
	for (i = 0; i < 11; i++)
		us_merkle_leaf(&leaves[i], &i, sizeof(i));
	memset(&c, 0, sizeof(c));
	(void)snprintf(c.origin, sizeof(c.origin), NAME);
	c.size = 11;
	us_merkle_root(&c.root, leaves, 11);
	us_buf_init(&note, 4096);
	us_buf_init(&text, 65536);
	assert_int_equal(us_checkpoint_sign(&note, &c, log), US_OK);
	memset(&p, 0, sizeof(p));
	p.checkpoint = (struct us_bytes){ note.data, note.len };
	for (i = 0; i < 11; i++) {
		p.index = i;
		p.extra = i % 2 ? us_bytes_of("extra\n") : (struct us_bytes){ NULL, 0 };
		assert_int_equal(us_merkle_prove(leaves, 11, i, p.hashes, &p.n_hashes), US_OK);
		us_buf_reset(&text);
		assert_int_equal(us_tlog_proof_encode(&text, &p), US_OK);
		assert_int_equal(us_tlog_proof_verify(text.data, text.len, &leaves[i],
				     us_note_signer_key(log), 1, &got, &c),
		    US_OK);
		assert_int_equal(got.index, i);
		assert_int_equal(got.extra.p != NULL, i % 2);
		assert_int_equal(us_tlog_proof_verify(text.data, text.len, &leaves[(i + 1) % 11],
				     us_note_signer_key(log), 1, NULL, NULL),
		    US_ERR_VERIFY);
	}
	for (i = 0; i < text.len; i++) {
		assert_int_not_equal(us_tlog_proof_verify(text.data, i, &leaves[10],
					 us_note_signer_key(log), 1, NULL, NULL),
		    US_OK);
		text.data[i] ^= 2;
		assert_int_not_equal(us_tlog_proof_verify(text.data, text.len, &leaves[10],
					 us_note_signer_key(log), 1, NULL, NULL),
		    US_OK);
		text.data[i] ^= 2;
	}
	us_buf_free(&note);
	us_buf_free(&text);
	us_note_signer_free(log);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_checkpoint),
		cmocka_unit_test(test_checkpoint_text),
		cmocka_unit_test(test_receipt),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
