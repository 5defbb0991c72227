/* Cosignatures one by one and merged; a vector that tests/independent/witness.py printed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "log/cosignature.h"
#include "base/err.h"

#define ORIGIN "log.example.org/underseal/00"
#define TEXT ORIGIN "\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
#define OTHER ORIGIN "\n20852164\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
#define W1 "witness.example.org/w1"
/* Ed25519 seed of 32 bytes 7, time 1679315147 */
#define W1_VKEY W1 "+88acdbe8+BOpKbGPinFIKvvVQexMuxfmVR3auvr57kkIe6mkURtIs"
#define W1_LINE \
	"\xe2\x80\x94 " W1 \
	" iKzb6AAAAABkGFDLZ7WeBSTHGKC8bUwNUHPmRgmvU0MoQ1FIGcgPlGofwB3PuQ4U226ZMeiJ52/1ORUsmn6K0" \
	"IeJrdOUFRhK/j/yDA==\n"
#define W1_TIME 1679315147

static struct us_note_signer *
signer(const char *name, enum us_note_type type, uint8_t byte)
{
	struct us_note_signer *s;
	struct us_key seed;

	memset(&seed, byte, sizeof seed);
	assert_int_equal(us_note_signer_new(&s, name, type, &seed), US_OK);
	return s;
}

static struct us_bytes
bytes(const struct us_buf *b)
{
	return (struct us_bytes){ b->data, b->len };
}

static void
test_vector(void **state)
{
	struct us_note_signer *w = signer(W1, US_NOTE_COSIGNATURE, 7);
	const struct us_bytes text = us_bytes_of(TEXT), line = us_bytes_of(W1_LINE);
	struct us_note_key key;
	struct us_buf b;
	uint64_t time_s = 0;
	char vkey[US_NOTE_VKEY_MAX];

	(void)state;
	us_buf_init(&b, 4096);
	assert_int_equal(us_note_key_parse(&key, W1_VKEY, strlen(W1_VKEY)), US_OK);
	assert_int_equal(us_note_key_format(us_note_signer_key(w), vkey, sizeof vkey), US_OK);
	assert_string_equal(vkey, W1_VKEY);
	assert_int_equal(us_cosignature_verify(text, line, &key, &time_s), US_OK);
	assert_int_equal(time_s, W1_TIME);
	assert_int_equal(us_cosignature_sign(&b, w, text, W1_TIME), US_OK);
	assert_string_equal(us_buf_cstr(&b), W1_LINE);
	us_buf_free(&b);
	us_note_signer_free(w);
}

/* No byte of the line or of the text can be another one. */
static void
test_flipped(void **state)
{
	const struct us_bytes text = us_bytes_of(TEXT), line = us_bytes_of(W1_LINE);
	uint8_t changed[1024];
	struct us_note_key key;
	uint64_t time_s;

	(void)state;
	assert_int_equal(us_note_key_parse(&key, W1_VKEY, strlen(W1_VKEY)), US_OK);
	memcpy(changed, line.p, line.n);
	for (size_t i = 0; i < line.n * 8; i++) {
		changed[i / 8] ^= (uint8_t)(1u << i % 8);
		assert_int_not_equal(us_cosignature_verify(text,
					 (struct us_bytes){ changed, line.n }, &key, &time_s),
		    US_OK);
		changed[i / 8] ^= (uint8_t)(1u << i % 8);
	}
	memcpy(changed, text.p, text.n);
	for (size_t i = 0; i < text.n * 8; i++) {
		changed[i / 8] ^= (uint8_t)(1u << i % 8);
		assert_int_not_equal(us_cosignature_verify((struct us_bytes){ changed, text.n },
					 line, &key, &time_s),
		    US_OK);
		changed[i / 8] ^= (uint8_t)(1u << i % 8);
	}
}

static void
test_one_line(void **state)
{
	struct us_note_signer *log = signer(ORIGIN, US_NOTE_ED25519, 1);
	struct us_note_signer *w = signer(W1, US_NOTE_COSIGNATURE, 7),
			      *namesake = signer(W1, US_NOTE_COSIGNATURE, 8);
	const struct us_bytes text = us_bytes_of(TEXT);
	const struct us_note_key *key = us_note_signer_key(w);
	struct us_bytes rest, line;
	struct us_buf b;
	uint64_t time_s = 5;

	(void)state;
	us_buf_init(&b, 4096);
	assert_int_equal(us_cosignature_sign(&b, log, text, 1), US_ERR_ARG);
	assert_int_equal(us_cosignature_sign(&b, w, us_bytes_of("no checkpoint\n"), 1),
	    US_ERR_FORMAT);
	assert_int_equal(us_cosignature_sign(&b, w, text, (uint64_t)INT64_MAX + 1), US_ERR_RANGE);
	assert_int_equal(us_cosignature_verify(text, us_bytes_of(W1_LINE), us_note_signer_key(log),
			     &time_s),
	    US_ERR_ARG);
	assert_int_equal(us_cosignature_verify(text, us_bytes_of(W1_LINE),
			     us_note_signer_key(namesake), &time_s),
	    US_ERR_NOT_FOUND);
	assert_int_equal(us_cosignature_verify(us_bytes_of(OTHER), us_bytes_of(W1_LINE), key,
			     &time_s),
	    US_ERR_SIGNATURE);
	assert_int_equal(us_cosignature_verify(text, us_bytes_of(W1_LINE W1_LINE), key, &time_s),
	    US_ERR_FORMAT);
	assert_int_equal(us_cosignature_verify(text, us_bytes_of("\n" W1_LINE), key, &time_s),
	    US_ERR_FORMAT);
	assert_int_equal(us_cosignature_verify(text, us_bytes_of(""), key, &time_s), US_ERR_FORMAT);
	/* the text takes the line's place: an empty line in it moves the border */
	assert_int_not_equal(us_cosignature_verify(us_bytes_of(TEXT "\n" W1_LINE),
				 us_bytes_of(W1_LINE), key, &time_s),
	    US_OK);
	assert_int_equal(time_s, 5);

	rest = us_bytes_of("a\n\nb");
	assert_int_equal(us_cosignature_next(&rest, &line), US_OK);
	assert_true(us_bytes_is(line, "a\n"));
	assert_int_equal(us_cosignature_next(&rest, &line), US_OK);
	assert_true(us_bytes_is(line, "\n"));
	assert_int_equal(us_cosignature_next(&rest, &line), US_ERR_FORMAT);
	rest.n = 0;
	assert_int_equal(us_cosignature_next(&rest, &line), US_ERR_NOT_FOUND);
	us_buf_free(&b);
	us_note_signer_free(log);
	us_note_signer_free(w);
	us_note_signer_free(namesake);
}

struct cast {
	struct us_note_signer *log, *w[2], *stranger;
	struct us_note_key key[2];
	struct us_buf note, lines, out;
};

static void
open_cast(struct cast *c)
{
	c->log = signer(ORIGIN, US_NOTE_ED25519, 1);
	c->w[0] = signer(W1, US_NOTE_COSIGNATURE, 7);
	c->w[1] = signer("witness.example.org/w2", US_NOTE_COSIGNATURE, 8);
	c->stranger = signer("stranger.example", US_NOTE_COSIGNATURE, 9);
	c->key[0] = *us_note_signer_key(c->w[0]);
	c->key[1] = *us_note_signer_key(c->w[1]);
	us_buf_init(&c->note, 65536);
	us_buf_init(&c->lines, 65536);
	us_buf_init(&c->out, 65536);
	assert_int_equal(us_note_sign(&c->note, c->log, TEXT, strlen(TEXT), 0), US_OK);
}

static void
close_cast(struct cast *c)
{
	us_note_signer_free(c->log);
	us_note_signer_free(c->w[0]);
	us_note_signer_free(c->w[1]);
	us_note_signer_free(c->stranger);
	us_buf_free(&c->note);
	us_buf_free(&c->lines);
	us_buf_free(&c->out);
}

static void
put(struct us_buf *b, const struct us_note_signer *s, const char *text, uint64_t time_s)
{
	assert_int_equal(us_cosignature_sign(b, s, us_bytes_of(text), time_s), US_OK);
}

static int
merge(struct cast *c, struct us_cosigned *who)
{
	us_buf_reset(&c->out);
	return us_cosigned_merge(&c->out, who, us_note_signer_key(c->log), c->key, 2,
	    bytes(&c->note), bytes(&c->lines));
}

static void
test_merge(void **state)
{
	struct us_cosigned who;
	struct us_note note;
	struct us_note_key keys[3];
	struct cast c;

	(void)state;
	open_cast(&c);
	assert_int_equal(merge(&c, &who), US_OK);
	assert_int_equal(who.n, 0);
	assert_int_equal(c.out.len, c.note.len);
	put(&c.note, c.w[1], TEXT, 50);
	put(&c.lines, c.stranger, TEXT, 60);
	put(&c.lines, c.w[0], TEXT, 70);
	put(&c.lines, c.w[1], TEXT, 40); /* older than the one that is there */
	assert_int_equal(merge(&c, &who), US_OK);
	assert_int_equal(who.n, 2);
	assert_int_equal(who.time_s[0], 70);
	assert_int_equal(who.time_s[1], 50);
	put(&c.lines, c.w[1], TEXT, 80);
	assert_int_equal(merge(&c, &who), US_OK);
	assert_int_equal(who.n, 2);
	assert_int_equal(who.time_s[1], 80);
	/* what was merged is a note that the other reader takes, with a line each and no
	 * stranger's */
	keys[0] = *us_note_signer_key(c.log);
	memcpy(keys + 1, c.key, sizeof c.key);
	assert_int_equal(us_note_open(&note, c.out.data, c.out.len, keys, 3), US_OK);
	assert_int_equal(note.n_sigs, 3);
	assert_int_equal(note.n_unknown, 0);
	assert_int_equal(note.sigs[1].timestamp, 70);
	assert_int_equal(note.sigs[2].timestamp, 80);
	close_cast(&c);
}

static void
test_merge_refuses(void **state)
{
	struct us_note_key many[US_COSIGNERS_MAX + 1];
	struct us_cosigned who = { .n = 77 };
	struct us_note_signer *other;
	struct cast c;

	(void)state;
	open_cast(&c);
	put(&c.lines, c.w[0], OTHER, 70);
	assert_int_equal(merge(&c, &who), US_ERR_SIGNATURE); /* replayed for another checkpoint */
	us_buf_reset(&c.lines);
	assert_int_equal(us_note_sign_line(&c.lines, c.log, TEXT, strlen(TEXT), 0), US_OK);
	assert_int_equal(merge(&c, &who), US_OK); /* the log's line again is a stranger's here */
	assert_int_equal(who.n, 0);
	us_buf_reset(&c.lines);
	assert_int_equal(us_buf_put(&c.lines, W1_LINE, strlen(W1_LINE) - 1), US_OK);
	who.n = 77;
	assert_int_equal(merge(&c, &who), US_ERR_FORMAT);
	us_buf_reset(&c.lines);
	for (int i = 0; i <= US_NOTE_SIGS_MAX; i++)
		put(&c.lines, c.stranger, TEXT, 1);
	assert_int_equal(merge(&c, &who), US_ERR_LIMIT);
	us_buf_reset(&c.lines);
	memset(many, 0, sizeof many);
	assert_int_equal(us_cosigned_merge(&c.out, &who, us_note_signer_key(c.log), many,
			     US_COSIGNERS_MAX + 1, bytes(&c.note), bytes(&c.lines)),
	    US_ERR_LIMIT);
	/* signed by another log, of another origin, and by nobody */
	other = signer("other.example/log", US_NOTE_ED25519, 2);
	assert_int_equal(us_cosigned_merge(&c.out, &who, us_note_signer_key(other), c.key, 2,
			     bytes(&c.note), bytes(&c.lines)),
	    US_ERR_NOT_FOUND);
	us_buf_reset(&c.note);
	assert_int_equal(us_note_sign(&c.note, other, TEXT, strlen(TEXT), 0), US_OK);
	assert_int_equal(us_cosigned_merge(&c.out, &who, us_note_signer_key(other), c.key, 2,
			     bytes(&c.note), bytes(&c.lines)),
	    US_ERR_VERIFY);
	us_buf_reset(&c.note);
	assert_int_equal(us_buf_put(&c.note, TEXT "\n" W1_LINE, strlen(TEXT "\n" W1_LINE)), US_OK);
	assert_int_equal(merge(&c, &who), US_ERR_NOT_FOUND);
	assert_int_equal(c.out.len, 0);
	assert_int_equal(who.n, 77);
	us_note_signer_free(other);
	close_cast(&c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vector),
		cmocka_unit_test(test_flipped),
		cmocka_unit_test(test_one_line),
		cmocka_unit_test(test_merge),
		cmocka_unit_test(test_merge_refuses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
