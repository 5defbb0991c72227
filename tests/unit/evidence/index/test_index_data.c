/*
 * Goal: over real conversations, counts of the index equal a plain scan of their words. The data is
 * not part of the project: the folder is named by UNDERSEAL_TEST_DATA, else looked for beside the
 * source. With UNDERSEAL_INDEX_FILE another file of the same shape is taken, and speed and size are
 * printed.
 */
#include "index_test.h"

#include <time.h>

#include <cjson/cJSON.h>

#include "base/time.h"
#include "evidence/index/reader_internal.h"

struct corpus {
	char **lines;
	size_t n, cap;
};

static int
load(struct corpus *c)
{
	const char *file = getenv("UNDERSEAL_INDEX_FILE"), *dir = getenv("UNDERSEAL_TEST_DATA");
	char path[4096], *line = NULL;
	size_t size = 0;
	FILE *f;

	if (file != NULL)
		(void)snprintf(path, sizeof path, "%s", file);
	else if (dir != NULL)
		(void)snprintf(path, sizeof path, "%s/conversations/small.jsonl", dir);
	else
		(void)snprintf(path, sizeof path, "%s/../shared/data/conversations/small.jsonl",
		    US_SOURCE_DIR);
	f = fopen(path, "r");
	if (f == NULL)
		return 0;
	while (getline(&line, &size, f) > 0) {
		if (c->n == c->cap) {
			c->cap = c->cap == 0 ? 1024 : c->cap * 2;
			c->lines = realloc(c->lines, c->cap * sizeof(char *));
			assert_non_null(c->lines);
		}
		c->lines[c->n++] = strdup(line);
	}
	free(line);
	(void)fclose(f);
	return 1;
}

static const char *
text_of(const cJSON *object, const char *name)
{
	const char *s = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, name));

	return s == NULL ? "" : s;
}

static double
seconds(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

struct figures {
	double build, add, finish;
	size_t text;
};

static enum us_message_role
role_of(const char *role)
{
	if (strcmp(role, "system") == 0)
		return US_MESSAGE_SYSTEM;
	if (strcmp(role, "tool") == 0)
		return US_MESSAGE_TOOL;
	return strcmp(role, "assistant") == 0 ? US_MESSAGE_ASSISTANT : US_MESSAGE_USER;
}

static void
tokenise(struct us_doc_builder *b, const cJSON *record, struct figures *f, struct us_buf *out)
{
	struct us_doc_meta meta = { .created_ns = US_DOC_NO_TIME };
	const char *created = text_of(record, "created");
	const cJSON *message;
	double start = seconds();

	(void)us_time_parse(created, strlen(created), &meta.created_ns);
	meta.model = us_bytes_of(text_of(record, "model"));
	meta.language = us_bytes_of(text_of(record, "language"));
	assert_int_equal(us_doc_begin(b, &meta), US_OK);
	cJSON_ArrayForEach(message, cJSON_GetObjectItemCaseSensitive(record, "messages")) {
		const char *content = text_of(message, "content");

		f->text += strlen(content);
		assert_int_equal(us_doc_message(b, role_of(text_of(message, "role")), content,
				     strlen(content)),
		    US_OK);
	}
	us_buf_reset(out);
	assert_int_equal(us_doc_end(b, out), US_OK);
	f->build += seconds() - start;
}

static void
build(const struct corpus *c, struct pages *pages, struct figures *f)
{
	struct us_segment_options options = { .docs_max = (uint32_t)c->n,
		.term_key = fake_term_key };
	struct us_segment_writer *w;
	struct us_doc_builder *b;
	struct us_buf out;
	uint32_t number;
	size_t memory;
	double start;

	us_buf_init(&out, US_DOC_MAX);
	assert_int_equal(us_segment_writer_new(&options, &w), US_OK);
	assert_int_equal(us_doc_builder_new(&b), US_OK);
	for (size_t i = 0; i < c->n; i++) {
		cJSON *record = cJSON_Parse(c->lines[i]);

		assert_non_null(record);
		tokenise(b, record, f, &out);
		cJSON_Delete(record);
		start = seconds();
		assert_int_equal(us_segment_writer_add(w, (struct us_bytes){ out.data, out.len }),
		    US_OK);
		f->add += seconds() - start;
	}
	memory = us_segment_writer_memory(w);
	start = seconds();
	assert_int_equal(us_segment_writer_finish(w, pages_emit, pages, &number), US_OK);
	f->finish = seconds() - start;
	if (getenv("UNDERSEAL_INDEX_FILE") != NULL)
		printf("%zu records, %.1f MB of text: tokenise %.0f/s, add %.0f/s, finish %.2f s, "
		       "both of the writer %.0f/s; "
		       "%u pages, %.3f bytes a byte of text, %.1f MB held\n",
		    c->n, (double)f->text / 1e6, (double)c->n / f->build, (double)c->n / f->add,
		    f->finish, (double)c->n / (f->add + f->finish), number,
		    (double)number * (US_PAGE_PLAIN + 16) / (double)f->text, (double)memory / 1e6);
	us_segment_writer_free(w);
	us_doc_builder_free(b);
	us_buf_free(&out);
}

/* ---- the plain scan: words by lower-case ASCII, other scripts by their bytes ---- */

static int
is_word_byte(unsigned char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z');
}

/* For ASCII words: none of those asked for stands beside a letter outside ASCII but Chinese in this
 * data. */
static int
contains(const char *text, const char *word, int side_by_side)
{
	size_t n = strlen(word);
	const char *p = text;

	while ((p = side_by_side ? strstr(p, word) : strcasestr(p, word)) != NULL) {
		if (side_by_side)
			return 1;
		if ((p == text || !is_word_byte((unsigned char)(p[-1] | 32))) &&
		    !is_word_byte((unsigned char)(p[n] >= 'A' && p[n] <= 'Z' ? p[n] | 32 : p[n])))
			return 1;
		p++;
	}
	return 0;
}

static size_t
plain_count(const struct corpus *c, const char *word, int side_by_side)
{
	size_t found = 0;

	for (size_t i = 0; i < c->n; i++) {
		cJSON *record = cJSON_Parse(c->lines[i]);
		const cJSON *message;
		int hit = 0;

		cJSON_ArrayForEach(message, cJSON_GetObjectItemCaseSensitive(record, "messages"))
			hit |= contains(text_of(message, "content"), word, side_by_side);
		found += (size_t)hit;
		cJSON_Delete(record);
	}
	return found;
}

static void
test_counts(void **state)
{
	static const char *const WORDS[] = { "restaurant", "caveman", "weather", "python",
		"president", "lawyer", "ticket" };
	static const char *const RUNS[] = { "\xe8\xb0\xa2\xe8\xb0\xa2", "\xe7\x84\xa6\xe8\x99\x91",
		"\xe4\xbd\xa0\xe5\xa5\xbd", "\xe6\x88\x91\xe7\x90\x86\xe8\xa7\xa3",
		"\xe5\xbf\x83\xe7\x90\x86\xe5\x92\xa8\xe8\xaf\xa2\xe5\xb8\x88", "\xe7\x9a\x84" };
	struct corpus c = { .n = 0 };
	struct pages pages = { .n = 0 };
	struct figures f = { .text = 0 };
	struct us_segment *s;
	size_t want;

	(void)state;
	if (!load(&c)) {
		printf("no test data: skipped\n");
		skip();
	}
	build(&c, &pages, &f);
	s = pages_open(&pages);
	if (getenv("UNDERSEAL_INDEX_FILE") != NULL)
		printf("%u terms; MB: documents %.1f, positions %.1f, dictionary %.1f, columns "
		       "%.1f\n",
		    s->terms, (double)s->documents.bytes / 1e6, (double)s->positions.bytes / 1e6,
		    (double)s->dictionary.bytes / 1e6, (double)s->column_section.bytes / 1e6);
	for (size_t i = 0; i < sizeof WORDS / sizeof WORDS[0]; i++) {
		want = plain_count(&c, WORDS[i], 0);
		if (count(s, WORDS[i]) != want)
			fail_msg("%s: %zu, plain scan %zu", WORDS[i], (size_t)count(s, WORDS[i]),
			    want);
	}
	for (size_t i = 0; i < sizeof RUNS / sizeof RUNS[0]; i++) {
		want = plain_count(&c, RUNS[i], 1);
		if (count(s, RUNS[i]) != want)
			fail_msg("%s: %zu, plain scan %zu", RUNS[i], (size_t)count(s, RUNS[i]),
			    want);
	}
	assert_int_equal(count(s, "*"), c.n);
	assert_int_equal(count(s, "date:2022-12..2024-11"), c.n);
	assert_int_equal(count(s, "date:2023") + count(s, "NOT date:2023"), c.n);
	us_segment_close(s);
	free(pages.p);
	for (size_t i = 0; i < c.n; i++)
		free(c.lines[i]);
	free(c.lines);
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_counts) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
