/* Goal: what a query finds in a document's text is what the index finds, and the places it names
 * are where the words stand. */
#include "tests/unit/evidence/index/index_test.h"

#include <cjson/cJSON.h>

#include "base/time.h"
#include "base/utf8.h"
#include "evidence/query/match.h"

#define MESSAGES_MAX 4
#define ROUNDS 6
#define DOCS 500
#define QUERIES 700

static uint64_t random_state = 0x9e3779b97f4a7c15u;

static unsigned
pick(unsigned n)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (unsigned)((random_state >> 20) % n);
}

/* Few words, so that phrases are often there; runs, a ligature, combining marks, a long word and
 * broken bytes. */
static const char *const WORDS[] = { "the", "the", "a", "of", "Court", "order", "x1", "don't",
	"3.14", "caf\xc3\xa9", "cafe\xcc\x81", "\xe6\x89\x8b", "\xe6\x9c\xba", "\xe5\x8f\xb7",
	"\xe6\x89\x8b\xe6\x9c\xba", "\xe6\x9c\xba\xe5\x8f\xb7", "\xef\xb7\xba", "\xe2\x84\xab",
	"\xe3\x82\xab\xe3\x82\x99", "\xef\xbd\xb6\xef\xbe\x9e", "\xea\xb0\x80", "\xe0\xb8\x81",
	"\xff\xfe", "\xc3", "\xf0\xa0\x80\x80", "e-mail", "zebra", "\xd0\x96\xd0\x96" };
#define N_WORDS (sizeof WORDS / sizeof WORDS[0])
static const char *const GAPS[] = { " ", " ", " ", "", "", ", ", "\n", "\xe3\x80\x82", "-" };
#define N_GAPS (sizeof GAPS / sizeof GAPS[0])
static const char *const MODELS[] = { "", "GPT-4", "claude", "my  model" };
static const char *const LANGUAGES[] = { "", "en", "ZH" };
static const char *const DESIGNATIONS[] = { "", "CONFIDENTIAL", "AEO" };

struct doc {
	char *text[MESSAGES_MAX];
	unsigned role[MESSAGES_MAX];
	unsigned n;
	int64_t created_s;
	const char *model, *language, *designation;
};

static char *
make_text(unsigned words)
{
	char *s = calloc(1, words * 16 + 1024);

	assert_non_null(s);
	for (unsigned i = 0; i < words; i++) {
		strcat(s, WORDS[pick(pick(2) ? N_WORDS : 16)]);
		strcat(s, GAPS[pick(N_GAPS)]);
	}
	if (pick(40) == 0)
		memset(s + strlen(s), 'w', 300); /* longer than a word may be */
	return s;
}

static void
make_doc(struct doc *d)
{
	d->n = pick(MESSAGES_MAX + 1);
	for (unsigned i = 0; i < d->n; i++) {
		d->role[i] = 1 + pick(4);
		d->text[i] = make_text(pick(4) == 0 ? 0 : pick(30));
	}
	d->created_s = pick(8) == 0 ? INT64_MIN :
				      1672531200 + (int64_t)pick(730) * 86400 + pick(86400);
	d->model = MODELS[pick(4)];
	d->language = LANGUAGES[pick(3)];
	d->designation = DESIGNATIONS[pick(3)];
}

static struct us_segment *
make_segment(const struct doc *docs, uint32_t n, struct pages *pages)
{
	struct us_segment_options options = { .docs_max = n, .term_key = fake_term_key };
	struct us_segment_writer *w;
	struct us_doc_builder *b;
	struct us_buf out;
	uint32_t number;

	us_buf_init(&out, US_DOC_MAX);
	assert_int_equal(us_random(options.salt, sizeof options.salt), US_OK);
	assert_int_equal(us_segment_writer_new(&options, &w), US_OK);
	assert_int_equal(us_doc_builder_new(&b), US_OK);
	for (uint32_t i = 0; i < n; i++) {
		const struct doc *d = &docs[i];
		struct us_doc_meta meta = { US_DOC_NO_TIME, us_bytes_of(d->model),
			us_bytes_of(d->language), us_bytes_of(d->designation) };

		if (d->created_s != INT64_MIN)
			meta.created_ns = d->created_s * US_NS_PER_SECOND + pick(1000000000);
		assert_int_equal(us_doc_begin(b, &meta), US_OK);
		for (unsigned m = 0; m < d->n; m++)
			assert_int_equal(us_doc_message(b, (enum us_message_role)d->role[m],
					     d->text[m], strlen(d->text[m])),
			    US_OK);
		us_buf_reset(&out);
		assert_int_equal(us_doc_end(b, &out), US_OK);
		assert_int_equal(us_segment_writer_add(w, (struct us_bytes){ out.data, out.len }),
		    US_OK);
	}
	assert_int_equal(us_segment_writer_finish(w, pages_emit, pages, &number), US_OK);
	us_segment_writer_free(w);
	us_doc_builder_free(b);
	us_buf_free(&out);
	return pages_open(pages);
}

/* ---- queries ---- */

static void
put_words(struct us_buf *b, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		const char *w = WORDS[pick(pick(2) ? N_WORDS : 16)];

		if ((unsigned char)w[0] == 0xff || strcmp(w, "\xc3") == 0)
			w = "zebra"; /* a query is UTF-8 */
		assert_int_equal(us_buf_putf(b, "%s%s", w, i + 1 < n ? GAPS[pick(N_GAPS)] : ""),
		    US_OK);
	}
}

static void
put_query(struct us_buf *b, unsigned depth)
{
	static const char *const FIELDS[] = { "model:gpt-4", "model:claude", "model:\"MY  model\"",
		"language:en", "language:zh", "designation:confidential", "role:system",
		"role:user", "role:assistant", "role:tool", "date:2023", "date:2023-07..2024-02",
		"date:*", "date:..2023-03-04", "bates:TEST000001100..TEST000001300",
		"bates:test000001001", "bates:OTHER000001100", "bates:..1200", "*" };

	switch (pick(depth == 0 ? 5 : 9)) {
	case 0:
		assert_int_equal(us_buf_putf(b, "%s",
				     FIELDS[pick(sizeof FIELDS / sizeof FIELDS[0])]),
		    US_OK);
		break;
	case 1:
	case 2:
		put_words(b, 1);
		break;
	case 3:
	case 4:
		assert_int_equal(us_buf_putf(b, "\""), US_OK);
		put_words(b, 1 + pick(pick(6) == 0 ? 30 : 4));
		assert_int_equal(us_buf_putf(b, "\""), US_OK);
		break;
	case 5:
		assert_int_equal(us_buf_putf(b, "NOT "), US_OK);
		put_query(b, depth - 1);
		break;
	default:
		assert_int_equal(us_buf_putf(b, "("), US_OK);
		put_query(b, depth - 1);
		assert_int_equal(us_buf_putf(b, "%s",
				     pick(2)     ? " OR " :
					 pick(2) ? " AND " :
						   " "),
		    US_OK);
		put_query(b, depth - 1);
		assert_int_equal(us_buf_putf(b, ")"), US_OK);
		break;
	}
}

static int
match(const struct us_query *q, const struct doc *d, uint64_t record)
{
	struct us_match_message messages[MESSAGES_MAX];
	struct us_match_document m = { .messages = messages,
		.n_messages = d->n,
		.created_s = d->created_s,
		.model = us_bytes_of(d->model),
		.language = us_bytes_of(d->language),
		.designation = us_bytes_of(d->designation),
		.record = record,
		.bates_prefix = us_bytes_of("test") };
	int yes = -1;

	for (unsigned i = 0; i < d->n; i++)
		messages[i] = (struct us_match_message){ d->role[i], us_bytes_of(d->text[i]) };
	assert_int_equal(us_match(q, &m, &yes), US_OK);
	return yes;
}

/* Record by record; the number of hits. */
static size_t
compare(struct us_segment *s, const struct doc *docs, uint32_t n, struct us_bytes text)
{
	const struct us_eval_options options = { .base = 1000,
		.bates_prefix = us_bytes_of("test"),
		.term_key = fake_term_key };
	struct us_query_error error;
	struct us_query *q;
	roaring_bitmap_t *b;
	size_t hits;

	if (us_query_parse(text.p, text.n, &q, &error) != US_OK)
		return 0; /* a word of separators alone */
	assert_int_equal(us_eval(s, q, &options, &b), US_OK);
	for (uint32_t i = 0; i < n; i++) {
		int yes = match(q, &docs[i], 1000 + i);

		if (yes != (int)roaring_bitmap_contains(b, i))
			fail_msg("%.*s: record %u: match says %d, the index otherwise", (int)text.n,
			    (const char *)text.p, i, yes);
	}
	hits = roaring_bitmap_get_cardinality(b);
	roaring_bitmap_free(b);
	us_query_free(q);
	return hits;
}

static void
free_docs(struct doc *docs, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		for (unsigned m = 0; m < docs[i].n; m++)
			free(docs[i].text[m]);
	free(docs);
}

static void
test_random_against_index(void **state)
{
	size_t some = 0, all = 0;

	(void)state;
	for (unsigned round = 0; round < ROUNDS; round++) {
		struct doc *docs = calloc(DOCS, sizeof *docs);
		struct pages pages = { .n = 0 };
		struct us_segment *s;
		struct us_buf text;

		assert_non_null(docs);
		us_buf_init(&text, 1 << 16);
		for (uint32_t i = 0; i < DOCS; i++)
			make_doc(&docs[i]);
		s = make_segment(docs, DOCS, &pages);
		for (unsigned i = 0; i < QUERIES / ROUNDS; i++) {
			size_t hits;

			us_buf_reset(&text);
			put_query(&text, pick(4));
			hits = compare(s, docs, DOCS, (struct us_bytes){ text.data, text.len });
			all++;
			some += hits != 0 && hits != DOCS;
		}
		us_buf_free(&text);
		us_segment_close(s);
		free(pages.p);
		free_docs(docs, DOCS);
	}
	assert_true(some * 2 > all); /* else the queries ask nothing */
}

/* ---- real conversations, where there are any ---- */

static const char *
text_of(const cJSON *object, const char *name)
{
	const char *s = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, name));

	return s == NULL ? "" : s;
}

static uint32_t
load(struct doc *docs, uint32_t max)
{
	static const char *const ROLES[] = { "system", "user", "assistant", "tool" };
	const char *dir = getenv("UNDERSEAL_TEST_DATA");
	char path[4096], *line = NULL;
	size_t size = 0;
	uint32_t n = 0;
	FILE *f;

	(void)snprintf(path, sizeof path, "%s/conversations/small.jsonl",
	    dir != NULL ? dir : US_SOURCE_DIR "/../shared/data");
	f = fopen(path, "r");
	if (f == NULL)
		return 0;
	while (n < max && getline(&line, &size, f) > 0) {
		cJSON *record = cJSON_Parse(line);
		const cJSON *message;
		struct doc *d = &docs[n++];

		assert_non_null(record);
		*d = (struct doc){ .created_s = INT64_MIN,
			.model = MODELS[pick(4)],
			.language = "en",
			.designation = "" };
		cJSON_ArrayForEach(message, cJSON_GetObjectItemCaseSensitive(record, "messages")) {
			if (d->n == MESSAGES_MAX)
				break;
			for (unsigned r = 0; r < 4; r++)
				if (strcmp(text_of(message, "role"), ROLES[r]) == 0)
					d->role[d->n] = r + 1;
			d->text[d->n] = strdup(text_of(message, "content"));
			assert_non_null(d->text[d->n++]);
		}
		cJSON_Delete(record);
	}
	free(line);
	(void)fclose(f);
	return n;
}

/* A piece of some document's text, at characters' borders, without what a query reads as syntax. */
static void
put_piece(struct us_buf *b, const struct doc *d)
{
	size_t n, from, len;
	const char *t;

	assert_int_equal(us_buf_putf(b, "\""), US_OK);
	if (d->n != 0) {
		t = d->text[pick(d->n)];
		n = strlen(t);
		from = n == 0 ? 0 : pick((unsigned)n);
		while (from > 0 && (t[from] & 0xc0) == 0x80)
			from--;
		len = n - from < 40 ? n - from : 3 + pick(37);
		len = us_utf8_valid_prefix(t + from, len);
		for (size_t i = 0; i < len; i++)
			assert_int_equal(us_buf_put_u8(b,
					     t[from + i] == '"' || t[from + i] == '\xe2' ?
						 ' ' :
						 (uint8_t)t[from + i]),
			    US_OK);
	}
	assert_int_equal(us_buf_putf(b, "\""), US_OK);
}

static void
test_conversations_against_index(void **state)
{
	enum { MAX = 1500 };
	struct doc *docs = calloc(MAX, sizeof *docs);
	struct pages pages = { .n = 0 };
	struct us_segment *s;
	struct us_buf text;
	size_t found = 0;
	uint32_t n;

	(void)state;
	assert_non_null(docs);
	n = load(docs, MAX);
	if (n == 0) {
		free(docs);
		printf("no test data: skipped\n");
		skip();
	}
	s = make_segment(docs, n, &pages);
	us_buf_init(&text, 1 << 16);
	for (unsigned i = 0; i < 40; i++) {
		us_buf_reset(&text);
		put_piece(&text, &docs[pick(n)]);
		assert_int_equal(us_buf_putf(&text, pick(2) ? " OR " : " NOT "), US_OK);
		put_piece(&text, &docs[pick(n)]);
		found += compare(s, docs, n, (struct us_bytes){ text.data, text.len }) != 0;
	}
	assert_true(found > 20);
	us_buf_free(&text);
	us_segment_close(s);
	free(pages.p);
	free_docs(docs, n);
}

/* ---- spans ---- */

static void
expect_spans(const char *query, const char *text, const char *marked)
{
	struct us_bytes t = us_bytes_of(text);
	struct us_match_span *spans;
	struct us_query *q;
	struct us_buf b;
	size_t n, at = 0;

	us_buf_init(&b, 4096);
	assert_int_equal(us_query_parse(query, strlen(query), &q, NULL), US_OK);
	assert_int_equal(us_match_spans(q, t, &spans, &n), US_OK);
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(us_buf_put(&b, t.p + at, spans[i].start - at), US_OK);
		assert_int_equal(us_buf_putf(&b, "<%.*s>", (int)(spans[i].end - spans[i].start),
				     text + spans[i].start),
		    US_OK);
		at = spans[i].end;
	}
	assert_int_equal(us_buf_put(&b, t.p + at, t.n - at), US_OK);
	assert_string_equal(us_buf_cstr(&b), marked);
	us_buf_free(&b);
	free(spans);
	us_query_free(q);
}

static void
test_spans(void **state)
{
	(void)state;
	expect_spans("court", "The Court's order; COURT", "The <Court>'s order; <COURT>");
	expect_spans("\"the court\"", "the the  court, a court", "the <the  court>, a court");
	expect_spans("\"the the the\"", "the the the the x the the", "<the the the the> x the the");
	expect_spans("\"a b c\" OR \"b c d e\" OR c", "a b c d e c", "<a b c d e> <c>");
	expect_spans("a NOT b", "a b", "<a> b");
	expect_spans("NOT (NOT a)", "a b", "a b");
	expect_spans("role:user OR date:2023", "role user 2023", "role user 2023");
	expect_spans("*", "a", "a");
	expect_spans("a", "", "");
	expect_spans("don't", "don t, don't t", "<don t>, <don't> t");
	/* scripts without spaces: a character, a pair, a run, two runs with something between */
	expect_spans("\xe6\x9c\xba", "\xe6\x89\x8b\xe6\x9c\xba", "\xe6\x89\x8b<\xe6\x9c\xba>");
	expect_spans("\xe6\x89\x8b\xe6\x9c\xba",
	    "\xe6\x89\x8b\xe6\x9c\xba\xe5\x8f\xb7 \xe6\x89\x8b,\xe6\x9c\xba",
	    "<\xe6\x89\x8b\xe6\x9c\xba>\xe5\x8f\xb7 \xe6\x89\x8b,\xe6\x9c\xba");
	expect_spans("\xe6\x89\x8b\xe6\x9c\xba\xe5\x8f\xb7",
	    "\xe6\x89\x8b\xe6\x89\x8b\xe6\x9c\xba\xe5\x8f\xb7\xe6\x9c\xba",
	    "\xe6\x89\x8b<\xe6\x89\x8b\xe6\x9c\xba\xe5\x8f\xb7>\xe6\x9c\xba");
	expect_spans("\"\xe6\x89\x8b,\xe6\x9c\xba\"",
	    "\xe6\x89\x8b;\xe6\x9c\xba \xe6\x89\x8b\xe6\x9c\xba",
	    "<\xe6\x89\x8b;\xe6\x9c\xba> \xe6\x89\x8b\xe6\x9c\xba");
	/* touching: one */
	expect_spans("\xe6\x89\x8b OR \xe6\x9c\xba", "\xe6\x89\x8b\xe6\x9c\xba",
	    "<\xe6\x89\x8b\xe6\x9c\xba>");
}

/* In random texts: ascending, not touching, at borders; and there are some exactly if a query of
 * one part matches. */
static void
test_spans_and_match_agree(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 20000; i++) {
		struct us_match_span *spans;
		struct us_query *q;
		struct us_buf b;
		char *text = make_text(pick(30));
		size_t n, len = strlen(text);
		const struct us_match_message message = { 2, us_bytes_of(text) };
		const struct us_match_document d = { .messages = &message,
			.n_messages = 1,
			.created_s = INT64_MIN };
		int yes;

		us_buf_init(&b, 4096);
		assert_int_equal(us_buf_putf(&b, "\""), US_OK);
		put_words(&b, 1 + pick(4));
		assert_int_equal(us_buf_putf(&b, "\""), US_OK);
		assert_int_equal(us_query_parse(b.data, b.len, &q, NULL), US_OK);
		assert_int_equal(us_match_spans(q, us_bytes_of(text), &spans, &n), US_OK);
		assert_int_equal(us_match(q, &d, &yes), US_OK);
		assert_int_equal(yes, n != 0);
		for (size_t k = 0; k < n; k++) {
			assert_true(spans[k].start < spans[k].end && spans[k].end <= len);
			assert_true(k == 0 || spans[k - 1].end < spans[k].start);
			assert_true((text[spans[k].start] & 0xc0) != 0x80 &&
			    (text[spans[k].end] & 0xc0) != 0x80);
		}
		free(spans);
		free(text);
		us_buf_free(&b);
		us_query_free(q);
	}
}

/* More phrases than one row of bits holds. */
static void
test_many_phrases(void **state)
{
	struct us_buf b, t;

	(void)state;
	us_buf_init(&b, 1 << 16);
	us_buf_init(&t, 1 << 16);
	for (unsigned i = 0; i < 60; i++)
		assert_int_equal(us_buf_putf(&b, "%s\"w%u of the very w%u\"", i == 0 ? "" : " AND ",
				     i, i + 1),
		    US_OK);
	for (unsigned i = 0; i < 61; i++)
		assert_int_equal(us_buf_putf(&t, "w%u of the very ", i), US_OK);
	for (unsigned left_out = 0; left_out < 2; left_out++) {
		const struct us_match_message m = { 2, { t.data + left_out, t.len - left_out } };
		const struct us_match_document d = { .messages = &m,
			.n_messages = 1,
			.created_s = INT64_MIN };
		struct us_query *q;
		int yes;

		assert_int_equal(us_query_parse(b.data, b.len, &q, NULL), US_OK);
		assert_int_equal(us_match(q, &d, &yes), US_OK);
		assert_int_equal(yes, !left_out);
		us_query_free(q);
	}
	us_buf_free(&b);
	us_buf_free(&t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random_against_index),
		cmocka_unit_test(test_conversations_against_index),
		cmocka_unit_test(test_spans),
		cmocka_unit_test(test_spans_and_match_agree),
		cmocka_unit_test(test_many_phrases),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
