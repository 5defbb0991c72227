/* Goal: whatever is asked of a segment, the answer is that of a reader who goes through every
 * text. */
#include "index_test.h"

#include "evidence/index/pack.h"
#include "evidence/index/segment_internal.h"

#define DOCS 700
#define MESSAGES_MAX 3
#define WORDS_MAX 40

static const char *const VOCABULARY[] = { "the", "of", "apple", "banana", "court", "order", "x1",
	"zebra", "don", "t", "\xe6\x89\x8b", "\xe6\x9c\xba", "\xe5\x8f\xb7", "\xe7\xa0\x81",
	"rare" };
#define N_VOCABULARY (sizeof VOCABULARY / sizeof VOCABULARY[0])
static const char *const MODELS[] = { "", "gpt-4", "claude", "my model" };
static const char *const ROLES[] = { "system", "user", "assistant", "tool" };

struct naive_doc {
	char text[MESSAGES_MAX][WORDS_MAX * 8];
	unsigned role[MESSAGES_MAX];
	unsigned n;
	int64_t created_s;
	unsigned model;
};

static struct naive_doc docs[DOCS];
static uint64_t random_state = 88172645463325252u;

static unsigned
pick(unsigned n)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (unsigned)(random_state >> 20) % n;
}

static unsigned
pick_word(void)
{
	/* the first words are common, the last is rare */
	unsigned a = pick(N_VOCABULARY - 1), b = pick(N_VOCABULARY - 1);

	return pick(400) == 0 ? N_VOCABULARY - 1 : a < b ? a : b;
}

static int
is_run(const char *word)
{
	return (unsigned char)word[0] >= 0x80;
}

static void
make_text(char *out, unsigned words)
{
	int run = 0;

	*out = '\0';
	for (unsigned i = 0; i < words; i++) {
		const char *word = VOCABULARY[pick_word()];

		/* characters of a run mostly side by side */
		if (*out != '\0' && !(run && is_run(word) && pick(4) != 0))
			strcat(out, pick(5) == 0 ? ", " : " ");
		strcat(out, word);
		run = is_run(word);
	}
}

static void
make_docs(struct pages *pages, uint32_t n)
{
	struct us_segment_options options = { .docs_max = DOCS, .term_key = fake_term_key };
	struct us_segment_writer *w;
	struct us_doc_builder *b;
	struct us_buf out;
	uint32_t number;

	us_buf_init(&out, 1 << 20);
	assert_int_equal(us_random(options.salt, sizeof options.salt), US_OK);
	assert_int_equal(us_segment_writer_new(&options, &w), US_OK);
	assert_int_equal(us_doc_builder_new(&b), US_OK);
	for (uint32_t i = 0; i < n; i++) {
		struct naive_doc *d = &docs[i];
		struct us_doc_meta meta = { .created_ns = US_DOC_NO_TIME };

		d->n = pick(MESSAGES_MAX + 1);
		d->created_s = pick(10) == 0 ?
		    INT64_MIN :
		    1672531200 + (int64_t)pick(730) * 86400 + pick(86400);
		d->model = pick(4);
		if (d->created_s != INT64_MIN)
			meta.created_ns = d->created_s * 1000000000 + pick(1000000000);
		meta.model = us_bytes_of(MODELS[d->model]);
		assert_int_equal(us_doc_begin(b, &meta), US_OK);
		for (unsigned m = 0; m < d->n; m++) {
			make_text(d->text[m], pick(WORDS_MAX));
			d->role[m] = pick(4);
			assert_int_equal(us_doc_message(b, (enum us_message_role)(d->role[m] + 1),
					     d->text[m], strlen(d->text[m])),
			    US_OK);
		}
		us_buf_reset(&out);
		assert_int_equal(us_doc_end(b, &out), US_OK);
		assert_int_equal(us_segment_writer_add(w, (struct us_bytes){ out.data, out.len }),
		    US_OK);
	}
	assert_int_equal(us_segment_writer_finish(w, pages_emit, pages, &number), US_OK);
	assert_int_equal(number, pages->n);
	us_segment_writer_free(w);
	us_doc_builder_free(b);
	us_buf_free(&out);
}

/* ---- the reader who goes through every text ---- */

static const char *
next_token(const char *p, char *token, int *separated)
{
	size_t n = 0;

	*separated = 0;
	while (*p == ' ' || *p == ',') {
		*separated = 1;
		p++;
	}
	if (*p == '\0')
		return NULL;
	if (is_run(p)) {
		n = 3;
	} else {
		while (p[n] != '\0' && p[n] != ' ' && p[n] != ',' && !is_run(p + n))
			n++;
	}
	memcpy(token, p, n);
	token[n] = '\0';
	return p + n;
}

/* 1 if the terms' words stand at p one behind the other. */
static int
phrase_at(const char *p, const struct us_query_node *node)
{
	const struct us_query_term *before = NULL, *t;
	char token[64];
	int separated, was_run = 0;

	for (size_t i = 0; i < node->n_terms; i++) {
		t = &node->terms[i];
		if (t->kind == US_WORD_PAIR)
			continue;
		p = next_token(p, token, &separated);
		if (p == NULL || !us_bytes_is(t->word, token))
			return 0;
		/* two runs: side by side or not, as in the query */
		if (before != NULL && was_run && is_run(token) &&
		    separated != (t->offset == before->offset + 2))
			return 0;
		was_run = is_run(token);
		before = t;
	}
	return 1;
}

static int
has_phrase(const char *text, const struct us_query_node *node)
{
	char token[64];
	const char *p = text;
	int separated;

	while (p != NULL && *p != '\0') {
		if (phrase_at(p, node))
			return 1;
		p = next_token(p, token, &separated);
	}
	return 0;
}

static int
naive_text(const struct naive_doc *d, const struct us_query_node *node)
{
	char word[US_WORD_MAX + 1];
	struct us_query_node one = *node;

	for (unsigned m = 0; m < d->n; m++) {
		if (node->terms[0].kind == US_WORD_PAIR && node->n_terms == 1) {
			memcpy(word, node->terms[0].word.p, node->terms[0].word.n);
			word[node->terms[0].word.n] = '\0';
			if (strstr(d->text[m], word) != NULL)
				return 1;
		} else if (has_phrase(d->text[m], &one)) {
			return 1;
		}
	}
	return 0;
}

static int
naive(uint32_t i, const struct us_query_node *node)
{
	const struct naive_doc *d = &docs[i];
	size_t hits = 0;

	switch (node->op) {
	case US_QUERY_ALL:
		return 1;
	case US_QUERY_WORD:
	case US_QUERY_PHRASE:
		return naive_text(d, node);
	case US_QUERY_META:
		if (node->field == US_FIELD_MODEL)
			return us_bytes_is(node->value, MODELS[d->model]);
		for (unsigned m = 0; m < d->n; m++)
			hits += (size_t)us_bytes_is(node->value, ROLES[d->role[m]]);
		return node->field == US_FIELD_ROLE && hits != 0;
	case US_QUERY_DATE:
		return d->created_s != INT64_MIN && d->created_s >= node->from_s &&
		    d->created_s < node->to_s;
	case US_QUERY_BATES:
		return i + UINT64_C(1000) >= node->first && i + UINT64_C(1000) <= node->last;
	case US_QUERY_AND:
	case US_QUERY_OR:
	case US_QUERY_NOT:
		for (size_t k = 0; k < node->n_children; k++)
			hits += (size_t)naive(i, node->children[k]);
		return node->op == US_QUERY_NOT ? hits == 0 :
		    node->op == US_QUERY_OR     ? hits != 0 :
						  hits == node->n_children;
	}
	return 0;
}

/* ---- random queries ---- */

static void
make_leaf(char *out)
{
	switch (pick(12)) {
	case 0:
		(void)sprintf(out, "model:\"%s\"", MODELS[1 + pick(3)]);
		break;
	case 1:
		(void)sprintf(out, "role:%s", ROLES[pick(4)]);
		break;
	case 2:
		(void)sprintf(out, "date:2023-%02u..2024-%02u", 1 + pick(12), 1 + pick(12));
		break;
	case 3:
		(void)sprintf(out, "bates:TEST%09u..", 1001 + pick(DOCS));
		break;
	case 4:
		strcpy(out, "*");
		break;
	case 5:
	case 6:
	case 7:
		strcpy(out, "\"");
		make_text(out + 1, 2 + pick(3));
		strcat(out, "\"");
		break;
	default:
		make_text(out, 1);
		break;
	}
}

static void
make_query(char *out, unsigned depth)
{
	unsigned n = 2 + pick(2);

	if (depth == 0 || pick(3) == 0) {
		make_leaf(out);
		return;
	}
	if (pick(4) == 0) {
		strcpy(out, "NOT ");
		make_query(out + 4, depth - 1);
		return;
	}
	strcpy(out, "(");
	for (unsigned i = 0; i < n; i++) {
		if (i != 0)
			strcat(out, pick(2) == 0 ? " OR " : " ");
		make_query(out + strlen(out), depth - 1);
	}
	strcat(out, ")");
}

static void
check_queries(struct us_segment *s, uint32_t n, unsigned rounds)
{
	static char text[1 << 16];
	struct us_query *q;
	roaring_bitmap_t *b;

	for (unsigned round = 0; round < rounds; round++) {
		make_query(text, 3);
		b = search(s, text);
		assert_int_equal(us_query_parse(text, strlen(text), &q, NULL), US_OK);
		for (uint32_t i = 0; i < n; i++)
			if (naive(i, q->root) != (int)roaring_bitmap_contains(b, i))
				fail_msg("%s: document %u", text, i);
		us_query_free(q);
		roaring_bitmap_free(b);
	}
}

static void
test_naive(void **state)
{
	static const uint32_t SIZES[] = { 1, 7, 130, DOCS };
	struct us_segment *s;

	(void)state;
	for (size_t i = 0; i < sizeof SIZES / sizeof SIZES[0]; i++) {
		struct pages pages = { .n = 0 };

		make_docs(&pages, SIZES[i]);
		s = pages_open(&pages);
		assert_int_equal(us_segment_docs(s), SIZES[i]);
		check_queries(s, SIZES[i], 300);
		us_segment_close(s);
		free(pages.p);
	}
}

static void
test_columns(void **state)
{
	struct pages pages = { .n = 0 };
	struct us_segment_doc d;
	struct us_segment *s;
	uint32_t df;

	(void)state;
	make_docs(&pages, DOCS);
	s = pages_open(&pages);
	for (uint32_t i = 0; i < DOCS; i++) {
		assert_int_equal(us_segment_doc(s, i, &d), US_OK);
		assert_true(d.created_s == docs[i].created_s);
		assert_true(us_bytes_is(d.model, MODELS[docs[i].model]));
		assert_int_equal(d.messages, docs[i].n);
	}
	assert_int_equal(us_segment_doc(s, DOCS, &d), US_ERR_RANGE);
	assert_int_equal(us_segment_df(s, us_bytes_of("apple"), &df), US_OK);
	assert_int_equal(df, count(s, "apple"));
	assert_int_equal(us_segment_df(s, us_bytes_of("nowhere"), &df), US_OK);
	assert_int_equal(df, 0);
	assert_int_equal(us_segment_df_meta(s, US_FIELD_MODEL, us_bytes_of("my model"), &df),
	    US_OK);
	assert_int_equal(df, count(s, "model:\"My Model\""));
	us_segment_close(s);
	free(pages.p);
}

/* ---- many terms, keys, damage ---- */

static uint32_t
make_wide(struct pages *pages, uint32_t n_docs, uint32_t words)
{
	struct us_segment_options options = { .docs_max = n_docs, .term_key = fake_term_key };
	const struct us_doc_meta meta = { .created_ns = US_DOC_NO_TIME };
	struct us_segment_writer *w;
	struct us_doc_builder *b;
	struct us_buf out;
	char text[32];
	uint32_t number;

	us_buf_init(&out, 1 << 24);
	assert_int_equal(us_segment_writer_new(&options, &w), US_OK);
	assert_int_equal(us_doc_builder_new(&b), US_OK);
	for (uint32_t i = 0; i < n_docs; i++) {
		assert_int_equal(us_doc_begin(b, &meta), US_OK);
		assert_int_equal(us_doc_message(b, US_MESSAGE_USER, "all of it", 9), US_OK);
		for (uint32_t k = 0; k < words; k++) {
			int n = snprintf(text, sizeof text, "w%07u", i * words + k);

			assert_int_equal(us_doc_message(b, US_MESSAGE_USER, text, (size_t)n),
			    US_OK);
		}
		us_buf_reset(&out);
		assert_int_equal(us_doc_end(b, &out), US_OK);
		assert_int_equal(us_segment_writer_add(w, (struct us_bytes){ out.data, out.len }),
		    US_OK);
	}
	assert_int_equal(us_segment_writer_add(w, (struct us_bytes){ out.data, out.len }),
	    US_ERR_LIMIT);
	assert_int_equal(us_segment_writer_finish(w, pages_emit, pages, &number), US_OK);
	us_segment_writer_free(w);
	us_doc_builder_free(b);
	us_buf_free(&out);
	return number;
}

static int
count_words(void *ctx, struct us_bytes word, uint32_t df)
{
	uint32_t *n = ctx;

	assert_true(word.n != 0 && df != 0);
	++*n;
	return US_OK;
}

static void
test_dictionary(void **state)
{
	struct pages pages = { .n = 0 };
	struct us_segment *s;
	char text[32];
	uint32_t n = 0;

	(void)state;
	make_wide(&pages, 40, 500);
	s = pages_open(&pages);
	for (uint32_t i = 0; i < 40 * 500; i += 37) {
		(void)snprintf(text, sizeof text, "w%07u", i);
		pages.gets = 0;
		assert_int_equal(count(s, text), 1);
		assert_true(pages.gets <= 3); /* a dictionary page, a list on one page or two */
		(void)snprintf(text, sizeof text, "v%07u", i);
		assert_int_equal(count(s, text), 0);
	}
	assert_int_equal(us_segment_each_word(s, us_bytes_of("w00001"), count_words, &n), US_OK);
	assert_int_equal(n, 100);
	n = 0;
	assert_int_equal(us_segment_each_word(s, us_bytes_of(""), count_words, &n), US_OK);
	assert_int_equal(n, 40 * 500 + 3);
	assert_int_equal(count(s, "\"all of it\""), 40);
	assert_int_equal(count(s, "\"it w0000000\""), 0); /* not across messages */
	us_segment_close(s);
	free(pages.p);
}

static void
test_keys(void **state)
{
	struct pages pages = { .n = 0 };
	struct us_key key;
	struct us_bytes word = us_bytes_of("all");
	struct us_term_table table = { &word, &key, 1 };
	struct us_eval_options options = { .term_key = us_term_table_key, .term_key_ctx = &table };
	struct us_segment *s;
	struct us_query *q;
	roaring_bitmap_t *b;

	(void)state;
	make_wide(&pages, 40, 10);
	s = pages_open(&pages);
	assert_int_equal(us_sha256(word.p, word.n, key.b), US_OK);
	assert_int_equal(us_query_parse("all", 3, &q, NULL), US_OK);
	assert_int_equal(us_eval(s, q, &options, &b), US_OK);
	assert_int_equal(roaring_bitmap_get_cardinality(b), 40);
	roaring_bitmap_free(b);
	us_query_free(q);
	/* a word without key: refused if it stands there, no hit else */
	assert_int_equal(us_query_parse("\"all of\"", 8, &q, NULL), US_OK);
	assert_int_equal(us_eval(s, q, &options, &b), US_ERR_DENIED);
	assert_null(b);
	us_query_free(q);
	assert_int_equal(us_query_parse("nowhere", 7, &q, NULL), US_OK);
	assert_int_equal(us_eval(s, q, &options, &b), US_OK);
	roaring_bitmap_free(b);
	us_query_free(q);
	us_segment_close(s);
	free(pages.p);
}

/* The words' places must not be readable without their keys: the plain list of a known term is
 * nowhere. */
static void
test_sealed(void **state)
{
	struct pages pages = { .n = 0 };
	struct us_key term_key, chunk_key;
	struct us_segment *s;
	static const uint8_t SALT[US_SEGMENT_SALT];
	uint8_t list[64];

	(void)state;
	make_wide(&pages, 40, 10);
	/* "all" stands first: in all 40 documents, hence a bitmap of 5 bytes, counts 1, all at
	 * position 0 */
	assert_memory_not_equal(pages.p[0], "\xff\xff\xff\xff\xff\x00", 6);
	memcpy(list, pages.p[0], 6);
	assert_int_equal(us_sha256("all", 3, term_key.b), US_OK);
	assert_int_equal(us_chunk_key(&term_key, SALT, &chunk_key), US_OK);
	assert_int_equal(us_chunk_crypt(&chunk_key, US_LIST_DOCS, 0, list, 6), US_OK);
	assert_memory_equal(list, "\xff\xff\xff\xff\xff\x00", 6);
	/* in pieces as in one go */
	memcpy(list, pages.p[0], 64);
	assert_int_equal(us_chunk_crypt(&chunk_key, US_LIST_DOCS, 5, list, 40), US_OK);
	assert_int_equal(us_chunk_crypt(&chunk_key, US_LIST_DOCS, 5, list, 3), US_OK);
	assert_int_equal(us_chunk_crypt(&chunk_key, US_LIST_DOCS, 8, list + 3, 20), US_OK);
	assert_int_equal(us_chunk_crypt(&chunk_key, US_LIST_DOCS, 28, list + 23, 17), US_OK);
	assert_memory_equal(list, pages.p[0], 64);
	s = pages_open(&pages);
	us_segment_close(s);
	free(pages.p);
}

static void
test_damage(void **state)
{
	static const char *const QUERIES[] = { "the of apple", "\"the of\"",
		"model:claude date:2023", "NOT \xe6\x89\x8b\xe6\x9c\xba\xe5\x8f\xb7" };
	const struct us_eval_options options = { .term_key = fake_term_key };
	struct pages pages = { .n = 0 };
	struct us_query *queries[4];
	struct us_segment_doc d;
	unsigned opened = 0;

	(void)state;
	make_docs(&pages, 200);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(us_query_parse(QUERIES[i], strlen(QUERIES[i]), &queries[i], NULL),
		    US_OK);
	for (unsigned round = 0; round < 4000; round++) {
		const struct us_segment_source source = { pages.n, pages_get, &pages };
		uint32_t page = pick(pages.n), n = 0;
		/* mostly where something stands: the beginning, and the last bytes of the last
		 * page */
		size_t at = pick(4) == 0 ? US_PAGE_PLAIN - 1 - pick(32) :
					   pick(pick(2) == 0 ? 60 : 2000);
		uint8_t flip = (uint8_t)(1u << pick(8));
		struct us_segment *s;
		roaring_bitmap_t *b;

		pages.p[page][at] ^= flip;
		if (us_segment_open(&source, &s) == US_OK) {
			opened++;
			for (size_t i = 0; i < 4; i++)
				if (us_eval(s, queries[i], &options, &b) == US_OK)
					roaring_bitmap_free(b);
			(void)us_segment_doc(s, pick(200), &d);
			(void)us_segment_each_word(s, us_bytes_of(""), count_words, &n);
			us_segment_close(s);
		}
		pages.p[page][at] ^= flip;
	}
	assert_true(opened > 100);
	for (size_t i = 0; i < 4; i++)
		us_query_free(queries[i]);
	free(pages.p);
}

static void
test_pack(void **state)
{
	uint32_t in[700], out[700];
	uint64_t wide[100];
	struct us_reader r;
	struct us_buf b;

	(void)state;
	us_buf_init(&b, 1 << 20);
	for (unsigned width = 0; width <= 32; width++) {
		for (size_t n = 0; n <= 700; n += 1 + pick(90)) {
			for (size_t i = 0; i < n; i++)
				in[i] = width == 0 ?
				    0 :
				    (uint32_t)(((uint64_t)pick(1u << 16) << 16 | pick(1u << 16)) >>
					(32 - width));
			us_buf_reset(&b);
			assert_int_equal(us_pack_put(&b, in, n), US_OK);
			us_reader_init(&r, b.data, b.len);
			assert_int_equal(us_pack_take(&r, n, out), US_OK);
			assert_int_equal(us_reader_end(&r), US_OK);
			if (n != 0)
				assert_memory_equal(in, out, n * sizeof *in);
		}
	}
	for (unsigned width = 0; width <= 64; width++) {
		for (size_t i = 0; i < 100; i++)
			wide[i] = width == 0 ? 0 : (random_state * (i + 1)) >> (64 - width);
		us_buf_reset(&b);
		assert_int_equal(us_bits_put(&b, wide, 100, width), US_OK);
		for (size_t i = 0; i < 100; i++)
			assert_true(us_bits_get(b.data, b.len, i * width, width) == wide[i]);
	}
	us_buf_free(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pack),
		cmocka_unit_test(test_naive),
		cmocka_unit_test(test_columns),
		cmocka_unit_test(test_dictionary),
		cmocka_unit_test(test_keys),
		cmocka_unit_test(test_sealed),
		cmocka_unit_test(test_damage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
