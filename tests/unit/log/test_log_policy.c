/* Policy files: what is taken and what is refused, and the quorum against a second evaluator that
 * asks its own tree. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "log/witness_policy.h"
#include "base/err.h"

#define ORIGIN "log.example.org/underseal/00"
#define TEXT ORIGIN "\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"

static struct us_note_signer *
signer(const char *name, enum us_note_type type, unsigned byte)
{
	struct us_note_signer *s;
	struct us_key seed;

	memset(&seed, (int)byte, sizeof seed);
	assert_int_equal(us_note_signer_new(&s, name, type, &seed), US_OK);
	return s;
}

/* The verifier key of witness number i, or of the log (0). */
static const char *
vkey(unsigned i)
{
	static char text[4][US_NOTE_VKEY_MAX];
	static unsigned at;
	struct us_note_signer *s;
	char name[64];

	(void)snprintf(name, sizeof name, "witness.example/%u", i);
	s = signer(i == 0 ? ORIGIN : name, i == 0 ? US_NOTE_ED25519 : US_NOTE_COSIGNATURE, i + 1);
	at = (at + 1) % 4;
	assert_int_equal(us_note_key_format(us_note_signer_key(s), text[at], sizeof text[at]),
	    US_OK);
	us_note_signer_free(s);
	return text[at];
}

/* Replaces "@3" by the key of witness 3, "@0" by the log's. */
static void
expand(struct us_buf *out, const char *text)
{
	us_buf_reset(out);
	for (; *text != '\0'; text++) {
		if (*text == '@') {
			assert_int_equal(us_buf_putf(out, "%s",
					     vkey((unsigned)strtoul(text + 1,
						 (char **)(uintptr_t)&text, 10))),
			    US_OK);
			text--;
		} else {
			assert_int_equal(us_buf_put_u8(out, (uint8_t)*text), US_OK);
		}
	}
}

static int
parse(struct us_tlog_policy **p, const char *text, struct us_tlog_policy_error *error)
{
	struct us_buf b;
	int err;

	us_buf_init(&b, 1 << 20);
	expand(&b, text);
	err = us_tlog_policy_parse(p, b.data, b.len, error);
	assert_true((err == US_OK) == (*p != NULL));
	us_buf_free(&b);
	return err;
}

#define W "log @0\nwitness a @1\nwitness b @2\nwitness c @3\n"

static void
test_taken(void **state)
{
	static const char *const good[] = {
		W "quorum a\n",
		W "quorum none\n",
		"quorum none\n",
		"\tlog\t @0  http://x/ \t\n\n  # a comment\n#\n \t\nquorum none\n",
		W "group g 2 a b c\nquorum g\n",
		W "group g any a b\ngroup h all g c\nquorum h\n",
		W "quorum a\ngroup g any a b\n",
		W "group all all a\ngroup any any b\ngroup 1 1 c\nquorum 1\n",
		"witness \xc3\xa9\xff @1 https://w.example/\xe4\xb8\xad\nquorum \xc3\xa9\xff\n",
		W "witness quorum @4\nquorum quorum\n",
	};
	struct us_tlog_policy_error error;
	struct us_tlog_policy *p;
	size_t n;

	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
		if (parse(&p, good[i], &error) != US_OK)
			fail_msg("policy %zu, line %u: %s", i, error.line, error.what);
		us_tlog_policy_free(p);
	}
	assert_int_equal(
	    parse(&p, "witness x @1 http://w1/\nlog @0 http://log/\nwitness y @2\nquorum y\n",
		NULL),
	    US_OK);
	assert_string_equal(us_tlog_policy_logs(p, &n)->name, ORIGIN);
	assert_int_equal(n, 1);
	assert_string_equal(us_tlog_policy_witnesses(p, &n)[1].name, "witness.example/2");
	assert_int_equal(n, 2);
	assert_string_equal(us_tlog_policy_witness_url(p, 0), "http://w1/");
	assert_null(us_tlog_policy_witness_url(p, 1));
	assert_string_equal(us_tlog_policy_witness_name(p, 1), "y");
	us_tlog_policy_free(p);
}

static void
test_refused(void **state)
{
	static const struct {
		const char *text;
		int err;
		unsigned line;
	} bad[] = {
		{ "", US_ERR_FORMAT, 0 },
		{ W, US_ERR_FORMAT, 0 },
		{ W "quorum a", US_ERR_FORMAT, 5 },
		{ "quorum none\nquorum none\n", US_ERR_EXISTS, 2 },
		{ "quorum a\nwitness a @1\n", US_ERR_NOT_FOUND, 1 },
		{ W "quorum d\n", US_ERR_NOT_FOUND, 5 },
		{ W "quorum\n", US_ERR_FORMAT, 5 },
		{ W "quorum a b\n", US_ERR_FORMAT, 5 },
		{ W "quorum log\n", US_ERR_NOT_FOUND, 5 },
		{ W "quorum A\n", US_ERR_NOT_FOUND, 5 },
		{ W "\xef\xbb\xbfquorum a\n", US_ERR_FORMAT, 5 },
		{ W "quorum a\r\n", US_ERR_FORMAT, 5 },
		{ W "quorum\x0b"
		    "a\n",
		    US_ERR_FORMAT, 5 },
		{ W "quorum a\x7f\n", US_ERR_FORMAT, 5 },
		{ W "# a\x01\nquorum a\n", US_ERR_FORMAT, 5 },
		{ W "quorum a # why\n", US_ERR_FORMAT, 5 },
		{ W "Quorum a\n", US_ERR_FORMAT, 5 },
		{ W "quorum\xc2\xa0"
		    "a\n",
		    US_ERR_FORMAT, 5 },
		{ W "witness a @4\nquorum a\n", US_ERR_EXISTS, 5 },
		{ W "witness d @1\nquorum a\n", US_ERR_EXISTS, 5 },
		{ W "witness none @4\nquorum a\n", US_ERR_EXISTS, 5 },
		{ W "log @0\nquorum a\n", US_ERR_EXISTS, 5 },
		{ W "witness d @0\nquorum a\n", US_ERR_FORMAT, 5 },
		{ W "log @4\nquorum a\n", US_ERR_FORMAT, 5 },
		{ W "witness d\nquorum a\n", US_ERR_FORMAT, 5 },
		{ W "log\nquorum a\n", US_ERR_FORMAT, 5 },
		{ W "witness d @4 http://x y\nquorum a\n", US_ERR_FORMAT, 5 },
		{ "log @0 x y\nquorum none\n", US_ERR_FORMAT, 1 },
		{ W "witness d @4x\nquorum a\n", US_ERR_FORMAT, 5 },
		{ W "witness d x\nquorum a\n", US_ERR_FORMAT, 5 },
		{ W "group g 0 a\nquorum g\n", US_ERR_FORMAT, 5 },
		{ W "group g 3 a b\nquorum g\n", US_ERR_FORMAT, 5 },
		{ W "group g -1 a b\nquorum g\n", US_ERR_FORMAT, 5 },
		{ W "group g +1 a b\nquorum g\n", US_ERR_FORMAT, 5 },
		{ W "group g 01 a b\nquorum g\n", US_ERR_FORMAT, 5 },
		{ W "group g 1x a b\nquorum g\n", US_ERR_FORMAT, 5 },
		{ W "group g 18446744073709551617 a b\nquorum g\n", US_ERR_FORMAT, 5 },
		{ W "group g ALL a b\nquorum g\n", US_ERR_FORMAT, 5 },
		{ W "group g any\nquorum a\n", US_ERR_FORMAT, 5 },
		{ W "group g\nquorum a\n", US_ERR_FORMAT, 5 },
		{ W "group g any a a\nquorum g\n", US_ERR_EXISTS, 5 },
		{ W "group g any a\ngroup h any b a\nquorum g\n", US_ERR_EXISTS, 6 },
		{ W "group g any g\nquorum g\n", US_ERR_NOT_FOUND, 5 },
		{ W "group g any h\ngroup h any a\nquorum g\n", US_ERR_NOT_FOUND, 5 },
		{ W "group g any none\nquorum g\n", US_ERR_NOT_FOUND, 5 },
		{ W "group a any b\nquorum a\n", US_ERR_EXISTS, 5 },
		{ W "group none any b\nquorum none\n", US_ERR_EXISTS, 5 },
	};
	struct us_tlog_policy_error error;
	struct us_tlog_policy *p;
	struct us_buf b;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		int err = parse(&p, bad[i].text, &error);

		if (err != bad[i].err || error.line != bad[i].line || error.what == NULL)
			fail_msg("policy %zu: error %d at line %u (%s)", i, err, error.line,
			    error.what == NULL ? "" : error.what);
	}
	us_buf_init(&b, US_TLOG_POLICY_MAX + 1);
	while (b.len <= US_TLOG_POLICY_MAX)
		assert_int_equal(us_buf_put_u8(&b, '\n'), US_OK);
	assert_int_equal(us_tlog_policy_parse(&p, b.data, b.len, &error), US_ERR_LIMIT);
	assert_int_equal(us_tlog_policy_parse(&p, "quorum none\0\n", 13, &error), US_ERR_FORMAT);
	us_buf_free(&b);
}

static void
test_limits(void **state)
{
	struct us_tlog_policy *p;
	struct us_buf b;

	(void)state;
	us_buf_init(&b, 1 << 20);
	for (unsigned i = 1; i <= US_COSIGNERS_MAX; i++)
		assert_int_equal(us_buf_putf(&b, "witness w%u @%u\n", i, i), US_OK);
	for (unsigned i = 1; i <= US_TLOG_GROUPS_MAX; i++)
		assert_int_equal(us_buf_putf(&b, "group g%u any w%u\n", i, i), US_OK);
	assert_int_equal(us_buf_putf(&b, "quorum g64\n"), US_OK);
	assert_int_equal(parse(&p, us_buf_cstr(&b), NULL), US_OK);
	us_tlog_policy_free(p);
	assert_int_equal(us_buf_putf(&b, "witness more @65\n"), US_OK);
	assert_int_equal(parse(&p, us_buf_cstr(&b), NULL), US_ERR_LIMIT);
	b.len -= strlen("witness more @65\n");
	assert_int_equal(us_buf_putf(&b, "group more any g1\n"), US_OK);
	assert_int_equal(parse(&p, us_buf_cstr(&b), NULL), US_ERR_LIMIT);
	us_buf_reset(&b);
	assert_int_equal(us_buf_putf(&b, "witness w @1\ngroup g any"), US_OK);
	for (int i = 0; i < 200; i++)
		assert_int_equal(us_buf_putf(&b, " w"), US_OK);
	assert_int_equal(us_buf_putf(&b, "\nquorum g\n"), US_OK);
	assert_int_equal(parse(&p, us_buf_cstr(&b), NULL), US_ERR_LIMIT);
	us_buf_reset(&b);
	assert_int_equal(us_buf_putf(&b, "witness %0256d @1\nquorum none\n", 1), US_OK);
	assert_int_equal(parse(&p, us_buf_cstr(&b), NULL), US_ERR_LIMIT);
	us_buf_reset(&b);
	assert_int_equal(us_buf_putf(&b, "witness w @1 %01025d\nquorum none\n", 1), US_OK);
	assert_int_equal(parse(&p, us_buf_cstr(&b), NULL), US_ERR_LIMIT);
	us_buf_free(&b);
}

/* ---- the quorum, twice ---- */

#define WITNESSES 6
#define GROUPS 4

struct group {
	unsigned k, n;
	unsigned member[WITNESSES + GROUPS]; /* witnesses from 0, groups from WITNESSES */
};

/* Asked from the top, as the text of the format says it. */
static int
holds(const struct group *groups, unsigned node, unsigned signed_by)
{
	const struct group *g = &groups[node < WITNESSES ? 0 : node - WITNESSES];
	unsigned n = 0;

	if (node < WITNESSES)
		return signed_by >> node & 1;
	for (unsigned i = 0; i < g->n; i++)
		n += (unsigned)holds(groups, g->member[i], signed_by);
	return n >= g->k;
}

static unsigned
random_below(unsigned n)
{
	static uint64_t seed = 88172645463325252u;

	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (unsigned)(seed >> 33) % n;
}

static void
put_name(struct us_buf *b, unsigned node)
{
	assert_int_equal(us_buf_putf(b, node < WITNESSES ? " w%u" : " g%u",
			     node < WITNESSES ? node : node - WITNESSES),
	    US_OK);
}

static void
make(struct us_buf *b, struct group *groups, unsigned *quorum)
{
	int used[WITNESSES + GROUPS] = { 0 };

	us_buf_reset(b);
	for (unsigned i = 0; i < WITNESSES; i++)
		assert_int_equal(us_buf_putf(b, "witness w%u @%u\n", i, i + 1), US_OK);
	for (unsigned g = 0; g < GROUPS; g++) {
		groups[g].n = 0;
		for (unsigned i = 0; i < WITNESSES + g; i++)
			if (!used[i] && random_below(2) == 0) {
				groups[g].member[groups[g].n++] = i;
				used[i] = 1;
			}
		if (groups[g].n == 0) { /* the newest node is free */
			unsigned newest = g == 0 ? 0 : WITNESSES + g - 1;

			groups[g].member[groups[g].n++] = newest;
			used[newest] = 1;
		}
		groups[g].k = 1 + random_below(groups[g].n);
		assert_int_equal(us_buf_putf(b, "group g%u ", g), US_OK);
		if (groups[g].k == groups[g].n && random_below(2) == 0)
			assert_int_equal(us_buf_putf(b, "all"), US_OK);
		else if (groups[g].k == 1 && random_below(2) == 0)
			assert_int_equal(us_buf_putf(b, "any"), US_OK);
		else
			assert_int_equal(us_buf_putf(b, "%u", groups[g].k), US_OK);
		for (unsigned i = 0; i < groups[g].n; i++)
			put_name(b, groups[g].member[i]);
		assert_int_equal(us_buf_putf(b, "\n"), US_OK);
	}
	*quorum = random_below(WITNESSES + GROUPS);
	assert_int_equal(us_buf_putf(b, "quorum"), US_OK);
	put_name(b, *quorum);
	assert_int_equal(us_buf_putf(b, "\n"), US_OK);
}

static void
test_quorum(void **state)
{
	struct group groups[GROUPS];
	struct us_tlog_policy *p;
	unsigned quorum, met = 0;
	struct us_buf b;

	(void)state;
	us_buf_init(&b, 65536);
	for (int round = 0; round < 300; round++) {
		make(&b, groups, &quorum);
		assert_int_equal(parse(&p, us_buf_cstr(&b), NULL), US_OK);
		for (unsigned set = 0; set < 1u << WITNESSES; set++) {
			uint8_t by[US_COSIGNERS_MAX] = { 0 };

			for (unsigned i = 0; i < WITNESSES; i++)
				by[i] = set >> i & 1;
			if (us_tlog_policy_met(p, by) != holds(groups, quorum, set))
				fail_msg("witnesses %x of\n%s", set, us_buf_cstr(&b));
			met += (unsigned)us_tlog_policy_met(p, by);
		}
		us_tlog_policy_free(p);
	}
	assert_in_range(met, 300, 300 * 63);
	us_buf_free(&b);
}

/* ---- checkpoints ---- */

static void
cosign(struct us_buf *note, unsigned witness, uint64_t time_s)
{
	struct us_note_signer *s;
	char name[64];

	(void)snprintf(name, sizeof name, "witness.example/%u", witness);
	s = signer(name, US_NOTE_COSIGNATURE, witness + 1);
	assert_int_equal(us_cosignature_sign(note, s, us_bytes_of(TEXT), time_s), US_OK);
	us_note_signer_free(s);
}

static int
check(const char *policy, const struct us_note_key *log, const struct us_buf *note,
    struct us_tlog_verdict *v)
{
	struct us_tlog_policy *p;
	int err;

	assert_int_equal(parse(&p, policy, NULL), US_OK);
	err = us_tlog_policy_check(p, log, (struct us_bytes){ note->data, note->len }, v);
	us_tlog_policy_free(p);
	return err;
}

static void
test_check(void **state)
{
	struct us_note_signer *log = signer(ORIGIN, US_NOTE_ED25519, 1),
			      *other = signer(ORIGIN, US_NOTE_ED25519, 99);
	const struct us_note_key *key = us_note_signer_key(log),
				 *other_key = us_note_signer_key(other);
	struct us_tlog_verdict v;
	struct us_buf note;

	(void)state;
	us_buf_init(&note, 65536);
	assert_int_equal(us_note_sign(&note, log, TEXT, strlen(TEXT), 0), US_OK);
	assert_int_equal(check(W "quorum none\n", NULL, &note, &v), US_OK);
	assert_int_equal(v.checkpoint.size, 20852163);
	assert_int_equal(v.as_of_s, 0);
	assert_int_equal(check(W "quorum a\n", NULL, &note, &v), US_ERR_INCOMPLETE);
	cosign(&note, 2, 200);
	cosign(&note, 4, 900); /* a stranger */
	assert_int_equal(check(W "quorum a\n", NULL, &note, &v), US_ERR_INCOMPLETE);
	assert_int_equal(v.who.n, 1);
	assert_int_equal(check(W "quorum b\n", NULL, &note, &v), US_OK);
	assert_int_equal(check(W "group g 2 a b c\nquorum g\n", NULL, &note, &v),
	    US_ERR_INCOMPLETE);
	cosign(&note, 3, 300);
	cosign(&note, 1, 100);
	assert_int_equal(check(W "group g 2 a b c\nquorum g\n", NULL, &note, &v), US_OK);
	assert_int_equal(v.who.n, 3);
	assert_int_equal(v.as_of_s, 200);
	assert_int_equal(check(W "group g all a b c\nquorum g\n", NULL, &note, &v), US_OK);
	assert_int_equal(v.as_of_s, 100);
	assert_int_equal(check(W "group g any a b c\nquorum g\n", NULL, &note, &v), US_OK);
	assert_int_equal(v.as_of_s, 300);

	/* which log */
	assert_int_equal(check(W "quorum a\n", key, &note, &v), US_OK);
	assert_int_equal(check(W "quorum a\n", other_key, &note, &v), US_ERR_NOT_FOUND);
	assert_int_equal(check("witness a @1\nquorum a\n", NULL, &note, &v), US_ERR_ARG);
	assert_int_equal(check("witness a @1\nquorum a\n", key, &note, &v), US_OK);
	assert_int_equal(check("witness a @1\nquorum a\n", other_key, &note, &v), US_ERR_NOT_FOUND);

	/* a line that is not what it says spoils everything, whatever the quorum */
	assert_int_equal(us_buf_put(&note, "x", 1), US_OK);
	assert_int_equal(check(W "quorum a\n", NULL, &note, &v), US_ERR_FORMAT);
	us_buf_reset(&note);
	assert_int_equal(us_note_sign(&note, log, TEXT, strlen(TEXT), 0), US_OK);
	cosign(&note, 1, 100);
	cosign(&note, 2, 100);
	note.data[note.len - 30] ^= 1; /* in the base64 of the last signature */
	assert_int_not_equal(check(W "quorum a\n", NULL, &note, &v), US_OK);
	us_buf_reset(&note);
	assert_int_equal(us_note_sign(&note, other, TEXT, strlen(TEXT), 0), US_OK);
	cosign(&note, 1, 100);
	assert_int_equal(check(W "quorum a\n", NULL, &note, &v), US_ERR_NOT_FOUND);
	us_buf_free(&note);
	us_note_signer_free(log);
	us_note_signer_free(other);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_taken),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_quorum),
		cmocka_unit_test(test_check),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
