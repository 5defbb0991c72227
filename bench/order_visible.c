/*
 * Records for the bench of decisions, and the visible set of a ruling over them: what the vault
 * does when a set of rules is first asked about (daemon/vault/evidence/visible.c), over pages that are in
 * memory and open.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/order_bench.h"
#include "crypto/crypto.h"
#include "base/err.h"
#include "evidence/index/doc.h"
#include "evidence/index/eval.h"

#define WORDS 5000
#define WORD_MAX 16
#define YEARS 4
#define DAYS (YEARS * 365)
#define DAY_0 18628 /* 2021-01-01 */
#define DOC_BYTES 65536
#define SEGMENTS_MAX 256

static const char *const designations[] = { "ATTORNEYS' EYES ONLY", "CONFIDENTIAL", "PROTECTED",
	"PUBLIC" };
static const char *const models[] = { "m-large", "m-small", "m-code", "m-old", "m-new" };
static const char *const languages[] = { "en", "de", "fr", "es", "ja", "pt" };
#define OF(r, list) (list)[rng_below(r, sizeof(list) / sizeof((list)[0]))]

struct pages {
	uint8_t (*p)[US_PAGE_PLAIN];
	uint32_t n, room;
	uint64_t first; /* record */
	uint32_t docs;
};

struct records {
	size_t n; /* segments, with the one that arrives later */
	struct pages segments[SEGMENTS_MAX];
};

/* Few words are frequent, many are rare. */
static void
put_word(struct rng *r, char word[WORD_MAX])
{
	uint64_t x = rng_below(r, 1u << 16), square = x * x >> 16;

	(void)snprintf(word, WORD_MAX, "w%u", (unsigned)((square * square >> 16) * WORDS >> 16));
}

void
records_query(struct rng *r, char *text, size_t n)
{
	const char *designation = OF(r, designations), *model = OF(r, models),
		   *language = OF(r, languages);
	unsigned year = 2021 + rng_below(r, YEARS), month = 1 + rng_below(r, 12);
	char word[WORD_MAX], other[WORD_MAX];

	put_word(r, word);
	put_word(r, other);
	switch (rng_below(r, 5)) {
	case 0:
		(void)snprintf(text, n, "designation:\"%s\"", designation);
		break;
	case 1:
		(void)snprintf(text, n, "designation:\"%s\" model:%s NOT language:%s", designation,
		    model, language);
		break;
	case 2:
		(void)snprintf(text, n, "created:%u-%02u..%u (language:%s OR model:%s)", year,
		    month, year, language, model);
		break;
	case 3:
		(void)snprintf(text, n, "(%s OR %s) designation:\"%s\"", word, other, designation);
		break;
	case 4:
		(void)snprintf(text, n, "model:%s %s", model, word);
		break;
	}
}

static int
put_page(void *ctx, uint32_t number, const uint8_t page[US_PAGE_PLAIN])
{
	struct pages *s = ctx;

	if (number != s->n)
		return US_ERR_STATE;
	if (s->n == s->room) {
		uint32_t room = s->room * 2 + 64;
		void *more = realloc(s->p, (size_t)room * US_PAGE_PLAIN);
		if (more == NULL)
			return US_ERR_NOMEM;
		s->p = more;
		s->room = room;
	}
	memcpy(s->p[s->n++], page, US_PAGE_PLAIN);
	return US_OK;
}

static int
get_page(void *ctx, uint32_t number, const uint8_t **page)
{
	const struct pages *s = ctx;

	if (number >= s->n)
		return US_ERR_NOT_FOUND;
	*page = s->p[number];
	return US_OK;
}

/* Stands in for what the keeper gives. */
static int
term_key(void *ctx, struct us_bytes word, struct us_key *key)
{
	(void)ctx;
	return us_sha256(word.p, word.n, key->b);
}

static void
add_doc(struct rng *r, struct us_doc_builder *b, struct us_segment_writer *w, struct us_buf *out)
{
	const struct us_doc_meta meta = { (DAY_0 + (int64_t)rng_below(r, DAYS)) *
		    INT64_C(86400000000000),
		us_bytes_of(OF(r, models)), us_bytes_of(OF(r, languages)),
		us_bytes_of(OF(r, designations)) };
	char text[40 * WORD_MAX], word[WORD_MAX];
	size_t n = 0;

	for (unsigned words = 8 + rng_below(r, 24); words > 0; words--) {
		put_word(r, word);
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%s ", word);
	}
	out->len = 0;
	bench_check(us_doc_begin(b, &meta), "a document");
	bench_check(us_doc_message(b, US_MESSAGE_USER, text, n), "a message");
	bench_check(us_doc_end(b, out), "the end of a document");
	bench_check(us_segment_writer_add(w, (struct us_bytes){ out->data, out->len }),
	    "adding a document");
}

static void
make_segment(struct rng *r, struct pages *s)
{
	struct us_segment_options options = { .docs_max = s->docs, .term_key = term_key };
	struct us_segment_writer *w;
	struct us_doc_builder *b;
	struct us_buf out;
	uint32_t pages;

	us_buf_init(&out, DOC_BYTES);
	for (size_t i = 0; i < sizeof(options.salt); i++)
		options.salt[i] = (uint8_t)rng_below(r, 256);
	bench_check(us_segment_writer_new(&options, &w), "a writer");
	bench_check(us_doc_builder_new(&b), "a builder");
	for (uint32_t i = 0; i < s->docs; i++)
		add_doc(r, b, w, &out);
	bench_check(us_segment_writer_finish(w, put_page, s, &pages), "writing a segment");
	us_segment_writer_free(w);
	us_doc_builder_free(b);
	us_buf_free(&out);
}

struct records *
records_new(struct rng *r, uint32_t n, uint32_t segment)
{
	struct records *s = calloc(1, sizeof(*s));
	uint64_t first = 0;

	bench_check(s == NULL ? US_ERR_NOMEM : US_OK, "the records");
	bench_check(segment == 0 || n / segment + 2 > SEGMENTS_MAX ? US_ERR_LIMIT : US_OK,
	    "the segments");
	for (;;) {
		struct pages *p = &s->segments[s->n++];
		int later = first == n;

		p->first = first;
		p->docs = later || n - first >= segment ? segment : (uint32_t)(n - first);
		make_segment(r, p);
		first += p->docs;
		(void)fprintf(stderr, "\r%llu records", (unsigned long long)first);
		if (later)
			break;
	}
	(void)fprintf(stderr, "\n");
	return s;
}

void
records_free(struct records *s)
{
	for (size_t i = 0; s != NULL && i < s->n; i++)
		free(s->segments[i].p);
	free(s);
}

/* --- the visible set -------------------------------------------------------------------------- */

static void
add_rules(struct us_segment *segment, const struct pages *s, const uint64_t rules[US_RULE_WORDS],
    struct us_query *const *queries, roaring_bitmap_t *set)
{
	const struct us_eval_options options = { .base = s->first,
		.bates_prefix = us_bytes_of("BENCH"),
		.term_key = term_key };
	roaring_bitmap_t *found;

	for (int i = us_rules_next(rules, 0); i >= 0; i = us_rules_next(rules, i + 1)) {
		bench_check(us_eval(segment, queries[i], &options, &found), "a query");
		roaring_bitmap_or_inplace(set, found);
		roaring_bitmap_free(found);
	}
}

static roaring_bitmap_t *
make_bitmap(struct pages *s, const struct us_ruling *ruling, struct us_query *const *queries)
{
	const struct us_segment_source source = { s->n, get_page, s };
	roaring_bitmap_t *set = roaring_bitmap_create(), *without = roaring_bitmap_create();
	struct us_segment *segment;

	bench_check(set == NULL || without == NULL ? US_ERR_NOMEM : US_OK, "a bitmap");
	bench_check(us_segment_open(&source, &segment), "opening a segment");
	add_rules(segment, s, ruling->permits, queries, set);
	add_rules(segment, s, ruling->forbids, queries, without);
	roaring_bitmap_andnot_inplace(set, without);
	(void)roaring_bitmap_run_optimize(set);
	roaring_bitmap_free(without);
	us_segment_close(segment);
	return set;
}

void
records_visible(struct records *s, const struct us_order *order, const struct us_ruling *ruling,
    struct visible_times *out)
{
	struct us_query *queries[US_ORDER_RULES] = { NULL };
	roaring_bitmap_t *sets[SEGMENTS_MAX];
	int64_t began = bench_now(), all;

	for (size_t i = 0; i < order->n_rules; i++)
		if (((ruling->permits[i / 64] | ruling->forbids[i / 64]) >> i % 64 & 1) != 0)
			bench_check(us_query_parse_compiled(order->rules[i].what.p,
					order->rules[i].what.n, &queries[i], NULL),
			    "a rule's query");
	for (size_t i = 0; i + 1 < s->n; i++)
		sets[i] = make_bitmap(&s->segments[i], ruling, queries);
	all = bench_now();
	sets[s->n - 1] = make_bitmap(&s->segments[s->n - 1], ruling, queries);
	out->increment_ms = (double)(bench_now() - all) / 1e6;
	out->seconds = (double)(all - began) / 1e9;
	out->visible = 0;
	for (size_t i = 0; i < s->n; i++) {
		if (i + 1 < s->n)
			out->visible += roaring_bitmap_get_cardinality(sets[i]);
		roaring_bitmap_free(sets[i]);
	}
	for (size_t i = 0; i < order->n_rules; i++)
		us_query_free(queries[i]);
}
