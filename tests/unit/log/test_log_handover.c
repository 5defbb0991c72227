/* Hand-overs: what is signed opens again; what is changed, cut, put together from parts, or signed
 * by the wrong key does not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "log/succession.h"
#include "base/base64.h"
#include "crypto/crypto.h"
#include "base/err.h"
#include "base/time.h"

#define ID "00112233445566aa"
#define FIRST "log.example.org/underseal/" ID
#define SECOND FIRST "/2"
#define THIRD "new.example.org/underseal/" ID "/3"
#define T0 (INT64_C(1800000000) * US_NS_PER_SECOND)
#define SECONDS(n) ((n)*US_NS_PER_SECOND)
#define M 300u

static struct us_digest root_m = { { 3 } }, root_l = { { 4 } }, root_n = { { 5 } };

static struct us_note_signer *
signer(const char *name, uint8_t byte)
{
	struct us_note_signer *s;
	struct us_key seed;

	memset(&seed, byte, sizeof seed);
	assert_int_equal(us_note_signer_new(&s, name, US_NOTE_ED25519, &seed), US_OK);
	return s;
}

static struct us_bytes
bytes(const struct us_buf *b)
{
	return (struct us_bytes){ b->data, b->len };
}

/* Three keys, the first two hand-overs: the first with entries lost, the second without. */
struct fixture {
	struct us_note_signer *key[3];
	struct us_buf succession, last, chain;
	struct us_handovers h;
};

static void
put_checkpoint(struct us_buf *b, const struct us_note_signer *s, uint64_t size,
    const struct us_digest *root)
{
	struct us_checkpoint c = { .size = size, .root = *root };

	(void)snprintf(c.origin, sizeof c.origin, "%s", us_note_signer_key(s)->name);
	us_buf_reset(b);
	assert_int_equal(us_checkpoint_sign(b, &c, s), US_OK);
}

static int
set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	struct us_bytes last;

	f->key[0] = signer(FIRST, 1);
	f->key[1] = signer(SECOND, 2);
	f->key[2] = signer(THIRD, 3);
	us_buf_init(&f->succession, US_HANDOVER_MAX);
	us_buf_init(&f->last, US_HANDOVER_MAX);
	us_buf_init(&f->chain, US_HANDOVERS_BYTES_MAX);
	assert_int_equal(us_succession_sign(&f->succession, f->key[0],
			     us_note_signer_key(f->key[1]), M, &root_m, T0),
	    US_OK);
	put_checkpoint(&f->last, f->key[0], M + 7, &root_l);
	last = bytes(&f->last);
	assert_int_equal(us_handover_sign(&f->chain, bytes(&f->succession), f->key[1],
			     US_HANDOVER_RESTORE, T0 + SECONDS(60), &last),
	    US_OK);
	us_buf_reset(&f->succession);
	assert_int_equal(us_succession_sign(&f->succession, f->key[1],
			     us_note_signer_key(f->key[2]), M + 1, &root_n, T0 + SECONDS(90)),
	    US_OK);
	assert_int_equal(us_handover_sign(&f->chain, bytes(&f->succession), f->key[2],
			     US_HANDOVER_MOVE, T0 + SECONDS(91), NULL),
	    US_OK);
	*state = f;
	return 0;
}

static int
tear_down(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < 3; i++)
		us_note_signer_free(f->key[i]);
	us_buf_free(&f->succession);
	us_buf_free(&f->last);
	us_buf_free(&f->chain);
	free(f);
	return 0;
}

static void
test_round(void **state)
{
	struct fixture *f = *state;
	const struct us_handover *a = &f->h.item[0], *b = &f->h.item[1];
	size_t place = 9;

	assert_int_equal(us_handovers_open(&f->h, bytes(&f->chain)), US_OK);
	assert_int_equal(f->h.n, 2);
	assert_int_equal(a->succession.size, M);
	assert_memory_equal(a->succession.root.b, root_m.b, 32);
	assert_int_equal(a->succession.time_ns, T0);
	assert_int_equal(a->reason, US_HANDOVER_RESTORE);
	assert_int_equal(a->time_ns, T0 + SECONDS(60));
	assert_int_equal(a->last_size, M + 7);
	assert_memory_equal(a->last_root.b, root_l.b, 32);
	assert_int_equal(b->reason, US_HANDOVER_MOVE);
	assert_int_equal(b->last_size, M + 1);
	assert_memory_equal(b->last_root.b, root_n.b, 32);
	assert_int_equal(a->text.n + b->text.n, f->chain.len);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(us_handovers_place(&place, &f->h, us_note_signer_key(f->key[i])),
		    US_OK);
		assert_int_equal(place, i);
	}
	f->h.n = 1;
	assert_int_equal(us_handovers_place(&place, &f->h, us_note_signer_key(f->key[2])),
	    US_ERR_NOT_FOUND);
}

/* Every byte stands in a signed text, in a signature, or in a length. */
static void
test_every_byte(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < f->chain.len; i++)
		for (unsigned bit = 0; bit < 8; bit++) {
			f->chain.data[i] = (uint8_t)(f->chain.data[i] ^ 1u << bit);
			if (us_handovers_open(&f->h, bytes(&f->chain)) == US_OK)
				fail_msg("byte %zu, bit %u may change", i, bit);
			f->chain.data[i] = (uint8_t)(f->chain.data[i] ^ 1u << bit);
		}
}

static void
test_cut(void **state)
{
	struct fixture *f = *state;
	size_t whole;

	assert_int_equal(us_handovers_open(&f->h, bytes(&f->chain)), US_OK);
	whole = f->h.item[0].text.n;
	for (size_t n = 0; n < f->chain.len; n++)
		if ((us_handovers_open(&f->h, (struct us_bytes){ f->chain.data, n }) == US_OK) !=
		    (n == whole))
			fail_msg("%zu of %zu bytes", n, f->chain.len);
	assert_int_equal(us_buf_put_u8(&f->chain, '\n'), US_OK);
	assert_int_not_equal(us_handovers_open(&f->h, bytes(&f->chain)), US_OK);
}

/* The second alone opens: whom it is to be believed by is told by its old key. Twice, or in the
 * wrong order, they do not. */
static void
test_order(void **state)
{
	struct fixture *f = *state;
	struct us_bytes first, second;
	struct us_buf b;
	size_t place;

	us_buf_init(&b, US_HANDOVERS_BYTES_MAX);
	assert_int_equal(us_handovers_open(&f->h, bytes(&f->chain)), US_OK);
	first = f->h.item[0].text;
	second = f->h.item[1].text;
	assert_int_equal(us_handovers_open(&f->h, second), US_OK);
	assert_int_equal(us_handovers_place(&place, &f->h, us_note_signer_key(f->key[0])),
	    US_ERR_NOT_FOUND);
	assert_int_equal(us_buf_put(&b, second.p, second.n), US_OK);
	assert_int_equal(us_buf_put(&b, first.p, first.n), US_OK);
	assert_int_equal(us_handovers_open(&f->h, bytes(&b)), US_ERR_VERIFY);
	us_buf_reset(&b);
	assert_int_equal(us_buf_put(&b, first.p, first.n), US_OK);
	assert_int_equal(us_buf_put(&b, first.p, first.n), US_OK);
	assert_int_equal(us_handovers_open(&f->h, bytes(&b)), US_ERR_VERIFY);
	us_buf_free(&b);
}

/* ---- notes put together by hand, signed by the right keys, and wrong all the same ---- */

struct forged {
	const char *old_name, *new_name;
	uint8_t old_byte, new_byte;   /* seeds */
	const char *size, *root_byte; /* root_byte: NULL for the right one */
	const char *time, *after;     /* of the succession; "after": behind its last line */
	/* seeds of who signs, with the names above; 0: the right ones */
	uint8_t succession_by, handover_by;
	int wrong_digest, two_signatures;
	const char *reason, *handover_time, *last_size;
	int last_root_is_l;         /* else the succession's */
	const char *last_note_size; /* NULL: no third note */
	uint8_t last_by;
	int last_extension;
};

static const struct forged good = { .old_name = FIRST,
	.new_name = SECOND,
	.old_byte = 1,
	.new_byte = 2,
	.size = "300",
	.time = "2027-01-15T08:00:00Z",
	.after = "",
	.reason = "key",
	.handover_time = "2027-01-15T08:00:01Z",
	.last_size = "300" };

static void
put_b64(struct us_buf *b, const uint8_t p[32])
{
	assert_int_equal(us_base64_put(b, p, 32), US_OK);
	assert_int_equal(us_buf_put_u8(b, '\n'), US_OK);
}

static void
forge(const struct forged *g, struct us_buf *out)
{
	struct us_note_signer *old_key = signer(g->old_name, g->old_byte),
			      *new_key = signer(g->new_name, g->new_byte);
	struct us_note_signer *by_old = signer(g->old_name,
	    g->succession_by ? g->succession_by : g->old_byte);
	struct us_note_signer *by_new = signer(g->new_name,
	    g->handover_by ? g->handover_by : g->new_byte);
	struct us_note_signer *by_last = signer(g->old_name, g->last_by ? g->last_by : g->old_byte);
	char old_vkey[US_NOTE_VKEY_MAX], new_vkey[US_NOTE_VKEY_MAX];
	struct us_buf text, s, h, l;
	uint8_t digest[32];

	us_buf_init(&text, 8192);
	us_buf_init(&s, 8192);
	us_buf_init(&h, 8192);
	us_buf_init(&l, 8192);
	assert_int_equal(us_note_key_format(us_note_signer_key(old_key), old_vkey, sizeof old_vkey),
	    US_OK);
	assert_int_equal(us_note_key_format(us_note_signer_key(new_key), new_vkey, sizeof new_vkey),
	    US_OK);
	assert_int_equal(us_buf_putf(&text, "underseal/succession/1\n%s\n%s\n%s\n", old_vkey,
			     new_vkey, g->size),
	    US_OK);
	put_b64(&text, root_m.b);
	assert_int_equal(us_buf_putf(&text, "%s\n%s", g->time, g->after), US_OK);
	assert_int_equal(us_note_sign(&s, by_old, text.data, text.len, 0), US_OK);
	assert_int_equal(us_sha256(s.data, s.len, digest), US_OK);
	digest[0] ^= (uint8_t)g->wrong_digest;
	us_buf_reset(&text);
	assert_int_equal(us_buf_putf(&text, "underseal/handover/1\n"), US_OK);
	put_b64(&text, digest);
	assert_int_equal(us_buf_putf(&text, "%s\n%s\n%s\n", g->reason, g->handover_time,
			     g->last_size),
	    US_OK);
	put_b64(&text, g->last_root_is_l ? root_l.b : root_m.b);
	assert_int_equal(us_note_sign(&h, by_new, text.data, text.len, 0), US_OK);
	if (g->two_signatures)
		assert_int_equal(us_note_sign_line(&h, by_old, text.data, text.len, 0), US_OK);
	if (g->last_note_size != NULL) {
		us_buf_reset(&text);
		assert_int_equal(us_buf_putf(&text, "%s\n%s\n", g->old_name, g->last_note_size),
		    US_OK);
		put_b64(&text, g->last_root_is_l ? root_l.b : root_m.b);
		if (g->last_extension)
			assert_int_equal(us_buf_putf(&text, "more\n"), US_OK);
		assert_int_equal(us_note_sign(&l, by_last, text.data, text.len, 0), US_OK);
	}
	us_buf_reset(out);
	assert_int_equal(us_buf_putf(out, "underseal/handed-over/1 %zu %zu %zu\n", s.len, h.len,
			     l.len),
	    US_OK);
	assert_int_equal(us_buf_put(out, s.data, s.len), US_OK);
	assert_int_equal(us_buf_put(out, h.data, h.len), US_OK);
	assert_int_equal(us_buf_put(out, l.data, l.len), US_OK);
	us_buf_free(&text);
	us_buf_free(&s);
	us_buf_free(&h);
	us_buf_free(&l);
	us_note_signer_free(old_key);
	us_note_signer_free(new_key);
	us_note_signer_free(by_old);
	us_note_signer_free(by_new);
	us_note_signer_free(by_last);
}

#define REFUSED(...) \
	do { \
		struct forged g_ = good; \
		struct forged *g = &g_; \
		__VA_ARGS__; \
		forge(g, &b); \
		if (us_handovers_open(h, bytes(&b)) == US_OK) \
			fail_msg("taken: %s", #__VA_ARGS__); \
	} while (0)

static void
test_forged(void **state)
{
	struct us_handovers *h = &((struct fixture *)*state)->h;
	struct forged lost = good;
	struct us_buf b;

	us_buf_init(&b, 16384);
	forge(&good, &b); /* else all of the below would be refused for nothing */
	assert_int_equal(us_handovers_open(h, bytes(&b)), US_OK);
	lost.last_size = lost.last_note_size = "301";
	lost.last_root_is_l = 1;
	forge(&lost, &b);
	assert_int_equal(us_handovers_open(h, bytes(&b)), US_OK);

	REFUSED(g->succession_by = 2);
	REFUSED(g->succession_by = 9);
	REFUSED(g->handover_by = 1);
	REFUSED(g->handover_by = 9);
	REFUSED(g->new_byte = 1); /* the old key again */
	REFUSED(g->new_name = FIRST);
	REFUSED(g->new_name = FIRST "/1");
	REFUSED(g->new_name = FIRST "/3");
	REFUSED(g->new_name = FIRST "/02");
	REFUSED(g->new_name = FIRST "/2/");
	REFUSED(g->new_name = "log.example.org/underseal/00112233445566ab/2");
	REFUSED(g->new_name = "log.example.org/other/" ID "/2");
	REFUSED(g->new_name = "/underseal/" ID "/2");
	REFUSED(g->old_name = "log.example.org/underseal/00");
	REFUSED(g->size = g->last_size = "0");
	REFUSED(g->size = "0300");
	REFUSED(g->size = "");
	REFUSED(g->size = "30x");
	REFUSED(g->last_size = "3 0");
	REFUSED(g->size = "9223372036854775808");
	REFUSED(g->time = "2027-01-15T08:00:00.5Z");
	REFUSED(g->time = "2027-01-15T08:00:00+00:00");
	REFUSED(g->time = "2027-01-15t08:00:00Z");
	REFUSED(g->time = "");
	REFUSED(g->after = "more\n");
	REFUSED(g->after = "\n");
	REFUSED(g->wrong_digest = 1);
	REFUSED(g->two_signatures = 1);
	REFUSED(g->reason = "Key");
	REFUSED(g->reason = "");
	REFUSED(g->handover_time = "2027-01-15T07:59:59Z");
	REFUSED(g->last_size = "299");
	REFUSED(g->last_size = "301");
	REFUSED(g->last_root_is_l = 1);     /* another root of the same size */
	REFUSED(g->last_note_size = "300"); /* one too many */
	REFUSED(*g = lost; g->last_note_size = NULL);
	REFUSED(*g = lost; g->last_note_size = "302");
	REFUSED(*g = lost; g->last_by = 2);
	REFUSED(*g = lost; g->last_extension = 1);
	us_buf_free(&b);
}

/* Keys that come back, sizes that do not grow, another successor in between. */
static void
test_chain(void **state)
{
	static const struct {
		const char *old_name, *new_name, *size;
		uint8_t old_byte, new_byte;
		int ok;
	} seconds[] = {
		{ SECOND, THIRD, "301", 2, 3, 1 },
		{ SECOND, THIRD, "300", 2, 3, 0 },
		{ SECOND, THIRD, "299", 2, 3, 0 },
		{ SECOND, THIRD, "301", 4, 3, 0 },
		{ "other.example.org/underseal/" ID "/2", THIRD, "301", 2, 3, 0 },
		{ SECOND, THIRD, "301", 2, 1, 0 },
	};
	struct us_handovers *h = &((struct fixture *)*state)->h;
	struct us_buf first, b;

	us_buf_init(&first, 16384);
	us_buf_init(&b, 16384);
	for (size_t i = 0; i < sizeof seconds / sizeof seconds[0]; i++) {
		struct forged g = good;

		forge(&good, &first);
		g.old_name = seconds[i].old_name;
		g.new_name = seconds[i].new_name;
		g.size = g.last_size = seconds[i].size;
		g.old_byte = seconds[i].old_byte;
		g.new_byte = seconds[i].new_byte;
		forge(&g, &b);
		assert_int_equal(us_handovers_open(h, bytes(&b)), US_OK);
		assert_int_equal(us_buf_put(&first, b.data, b.len), US_OK);
		if ((us_handovers_open(h, bytes(&first)) == US_OK) != seconds[i].ok)
			fail_msg("case %zu", i);
	}
	us_buf_free(&first);
	us_buf_free(&b);
}

static void
test_sign_refuses(void **state)
{
	struct fixture *f = *state;
	struct us_bytes last = bytes(&f->last);
	struct us_buf b, s;

	us_buf_init(&b, US_HANDOVERS_BYTES_MAX);
	us_buf_init(&s, US_HANDOVER_MAX);
	assert_int_equal(us_succession_sign(&s, f->key[0], us_note_signer_key(f->key[2]), M,
			     &root_m, T0),
	    US_ERR_FORMAT);
	assert_int_equal(us_succession_sign(&s, f->key[0], us_note_signer_key(f->key[1]), 0,
			     &root_m, T0),
	    US_ERR_FORMAT);
	assert_int_equal(us_succession_sign(&s, f->key[0], us_note_signer_key(f->key[1]), M,
			     &root_m, T0),
	    US_OK);
	assert_int_equal(us_handover_sign(&b, bytes(&s), f->key[2], US_HANDOVER_MOVE, T0, NULL),
	    US_ERR_ARG);
	put_checkpoint(&f->last, f->key[0], M, &root_m); /* not larger */
	last = bytes(&f->last);
	assert_int_equal(us_handover_sign(&b, bytes(&s), f->key[1], US_HANDOVER_MOVE, T0, &last),
	    US_ERR_VERIFY);
	put_checkpoint(&f->last, f->key[1], M + 3, &root_l); /* another key's */
	last = bytes(&f->last);
	assert_int_equal(us_handover_sign(&b, bytes(&s), f->key[1], US_HANDOVER_MOVE, T0, &last),
	    US_ERR_VERIFY);
	assert_int_equal(b.len, 0);
	/* a clock that is behind the backup's; cosignatures of strangers on the last checkpoint */
	put_checkpoint(&f->last, f->key[0], M + 3, &root_l);
	assert_int_equal(us_note_sign_line(&f->last, f->key[2], f->last.data, 10, 0),
	    US_ERR_FORMAT);
	assert_int_equal(us_buf_putf(&f->last, "\xe2\x80\x94 w AAAAAAAA\n"), US_OK);
	last = bytes(&f->last);
	assert_int_equal(us_handover_sign(&b, bytes(&s), f->key[1], US_HANDOVER_MOVE,
			     T0 - SECONDS(1), &last),
	    US_OK);
	assert_int_equal(us_handovers_open(&f->h, bytes(&b)), US_OK);
	assert_int_equal(f->h.item[0].time_ns, T0);
	assert_int_equal(f->h.item[0].last_size, M + 3);
	us_buf_free(&b);
	us_buf_free(&s);
}

static void
test_judge(void **state)
{
	struct fixture *f = *state;
	const struct us_handover *h = &f->h.item[0];

	assert_int_equal(us_handovers_open(&f->h, bytes(&f->chain)), US_OK);
	assert_int_equal(us_handover_judge(h, M - 1, &root_n), US_HANDOVER_KEPT);
	assert_int_equal(us_handover_judge(h, M, &root_m), US_HANDOVER_KEPT);
	assert_int_equal(us_handover_judge(h, M, &root_n), US_HANDOVER_FORKED);
	assert_int_equal(us_handover_judge(h, M + 1, &root_n), US_HANDOVER_LOST);
	assert_int_equal(us_handover_judge(h, M + 7, &root_l), US_HANDOVER_LOST);
	assert_int_equal(us_handover_judge(h, M + 7, &root_n), US_HANDOVER_FORKED);
	assert_int_equal(us_handover_judge(h, M + 8, &root_l), US_HANDOVER_HIDDEN);
	/* nothing admitted */
	assert_int_equal(us_handover_judge(&f->h.item[1], M + 1, &root_n), US_HANDOVER_KEPT);
	assert_int_equal(us_handover_judge(&f->h.item[1], M + 2, &root_n), US_HANDOVER_HIDDEN);
}

static void
test_origin(void **state)
{
	char out[US_NOTE_NAME_MAX + 1], longest[US_NOTE_NAME_MAX + 1];

	(void)state;
	assert_int_equal(us_origin_next(out, FIRST, NULL), US_OK);
	assert_string_equal(out, SECOND);
	assert_int_equal(us_origin_next(out, SECOND, "new.example.org"), US_OK);
	assert_string_equal(out, THIRD);
	assert_int_equal(us_origin_next(out, "a/underseal/b/underseal/" ID "/9", NULL), US_OK);
	assert_string_equal(out, "a/underseal/b/underseal/" ID "/10");
	assert_int_equal(us_origin_next(out, "log.example.org/underseal/00", NULL), US_ERR_FORMAT);
	assert_int_equal(us_origin_next(out, FIRST "/1", NULL), US_ERR_FORMAT);
	assert_int_equal(us_origin_next(out, FIRST "a", NULL), US_ERR_FORMAT);
	assert_int_equal(us_origin_next(out, FIRST "/99", NULL), US_ERR_FORMAT);
	assert_int_equal(us_origin_next(out, "", NULL), US_ERR_FORMAT);
	memset(longest, 'h', sizeof longest - 1);
	longest[sizeof longest - 1] = '\0';
	assert_int_equal(us_origin_next(out, FIRST, longest), US_ERR_LIMIT);
}

/* No note of a hand-over passes as a checkpoint of the key that signed it. */
static void
test_no_checkpoint(void **state)
{
	struct fixture *f = *state;
	struct us_checkpoint c;

	assert_int_equal(us_checkpoint_open(&c, NULL, f->succession.data, f->succession.len,
			     us_note_signer_key(f->key[1]), 1),
	    US_ERR_FORMAT);
}

/* The longest names fit into one hand-over, and it into an entry's access box beside its other
 * fields. */
static void
test_longest(void **state)
{
	struct fixture *f = *state;
	static const char tail[] = "/underseal/" ID "/63";
	char name[US_NOTE_NAME_MAX + 1], next[US_NOTE_NAME_MAX + 1];
	struct us_note_signer *a, *b;
	struct us_bytes last;
	struct us_buf out;

	memset(name, 'h', sizeof name);
	memcpy(name + sizeof name - sizeof tail, tail, sizeof tail);
	assert_int_equal(us_origin_next(next, name, NULL), US_OK);
	a = signer(name, 1);
	b = signer(next, 2);
	us_buf_init(&out, US_HANDOVERS_BYTES_MAX);
	us_buf_reset(&f->succession);
	assert_int_equal(us_succession_sign(&f->succession, a, us_note_signer_key(b), INT64_MAX - 1,
			     &root_m, T0),
	    US_OK);
	put_checkpoint(&f->last, a, INT64_MAX, &root_l);
	last = bytes(&f->last);
	assert_int_equal(us_handover_sign(&out, bytes(&f->succession), b, US_HANDOVER_RESTORE, T0,
			     &last),
	    US_OK);
	assert_int_equal(us_handovers_open(&f->h, bytes(&out)), US_OK);
	us_buf_free(&out);
	us_note_signer_free(a);
	us_note_signer_free(b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_round, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_every_byte, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_cut, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_order, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_forged, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_chain, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_sign_refuses, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_judge, set_up, tear_down),
		cmocka_unit_test(test_origin),
		cmocka_unit_test_setup_teardown(test_no_checkpoint, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_longest, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
