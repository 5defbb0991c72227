/* Goal: whole parts: the broken corpus record by record, JSONTestSuite, naughty strings, zstd
 * bombs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <cjson/cJSON.h>
#include <zstd.h>

#include "evidence/batch/intake_record.h"
#include "crypto/crypto.h"
#include "base/err.h"
#include "base/time.h"
#include "daemon/intake/native.h"
#include "daemon/intake/part.h"
#include "evidence/index/doc.h"

#define NOW (INT64_C(1760000000) * US_NS_PER_SECOND)
#define MESSAGES "\"messages\":[{\"role\":\"assistant\",\"content\":\"a\"}]"

static struct us_part_worker *worker;

static const char *
data_dir(void)
{
	const char *dir = getenv("UNDERSEAL_TEST_DATA");

	return dir != NULL ? dir : US_SOURCE_DIR "/../shared/data";
}

static uint8_t *
slurp(const char *name, size_t *n)
{
	char path[4096];
	FILE *f;
	uint8_t *p;
	long size;

	snprintf(path, sizeof(path), "%s/%s", data_dir(), name);
	f = fopen(path, "rb");
	if (f == NULL)
		return NULL;
	fseek(f, 0, SEEK_END);
	size = ftell(f);
	rewind(f);
	p = malloc((size_t)size + 1);
	*n = fread(p, 1, (size_t)size, f);
	p[*n] = 0;
	fclose(f);
	return p;
}

static uint8_t *
slurp_zst(const char *name, size_t *n)
{
	size_t zn, cap = 64u << 20;
	uint8_t *z = slurp(name, &zn), *p;

	if (z == NULL)
		return NULL;
	p = malloc(cap);
	*n = ZSTD_decompress(p, cap, z, zn);
	assert_false(ZSTD_isError(*n));
	free(z);
	return p;
}

static int
process(const void *p, size_t n, int zstd, const void *raw, size_t raw_n, struct us_part_result **r)
{
	uint8_t digest[32];
	struct us_part part = { .number = 0,
		.first_line = 1,
		.encoding = zstd ? US_PART_ZSTD : US_PART_PLAIN,
		.digest = digest,
		.data = { p, n } };

	assert_int_equal(us_sha256(raw, raw_n, digest), US_OK);
	return us_part_process(worker, &part, NOW, r);
}

static int
plain(const void *p, size_t n, struct us_part_result **r)
{
	return process(p, n, 0, p, n, r);
}

/* Each document's container and document decode, and its contents are what the words came from. */
static void
check_documents(const struct us_part_result *r)
{
	struct us_reader in;
	struct us_intake_record rec;
	struct us_container c;
	struct us_doc d;
	struct us_buf text;

	us_buf_init(&text, US_RECORD_MAX);
	us_reader_init(&in, r->documents.data, r->documents.len);
	for (uint32_t i = 0; i < r->count; i++) {
		assert_int_equal(us_intake_record_take(&in, &rec), US_OK);
		assert_int_equal(us_container_decode(&c, rec.container), US_OK);
		assert_int_equal(us_doc_open(rec.document, &d), US_OK);
		assert_int_equal(d.messages, c.messages);
		for (size_t k = 0; k < c.messages; k++)
			assert_int_equal(us_container_content(&c, k, &text), US_OK);
		us_buf_reset(&text);
	}
	assert_int_equal(us_reader_end(&in), US_OK);
	us_buf_free(&text);
}

static void
check_file(const cJSON *file)
{
	const char *name = cJSON_GetObjectItem(file, "file")->valuestring;
	const char *expect = cJSON_GetObjectItem(file, "expect")->valuestring;
	const cJSON *rec;
	struct us_part_result *r;
	char path[512];
	uint8_t *p;
	size_t n, seen = 0, at = 0;
	int err;

	snprintf(path, sizeof(path), "formats/broken/%s", name);
	p = slurp(path, &n);
	assert_non_null(p);
	err = plain(p, n, &r);
	if (strcmp(expect, "refuse") == 0) {
		assert_int_not_equal(err, US_OK);
		assert_string_equal(us_defect_code(r->code),
		    cJSON_GetObjectItem(file, "reason")->valuestring);
		free(p);
		return;
	}
	assert_int_equal(err, US_OK);
	cJSON_ArrayForEach(rec, cJSON_GetObjectItem(file, "records")) {
		const cJSON *reason = cJSON_GetObjectItem(rec, "reason");

		seen++;
		if (reason == NULL || strcmp(reason->valuestring, "duplicate-id") == 0)
			continue; /* duplicates are the sealer's */
		if (at >= r->n_defects)
			fail_msg("%s: record %zu was not refused", name, seen);
		assert_int_equal(r->defects[at].line, seen);
		if (strcmp(us_defect_code(r->defects[at].code), reason->valuestring) != 0)
			fail_msg("%s: %s, not %s", name, us_defect_code(r->defects[at].code),
			    reason->valuestring);
		at++;
	}
	if (at != r->n_defects)
		fail_msg("%s: %u refused, not %zu (%s)", name, r->n_defects, at,
		    us_defect_code(r->defects[at].code));
	assert_int_equal(r->records, seen);
	assert_int_equal(r->count, seen - at);
	check_documents(r);
	free(p);
}

static void
test_broken_corpus(void **state)
{
	size_t n, files = 0;
	char *text = (char *)slurp("formats/broken/expected.json", &n);
	const cJSON *file;
	cJSON *all;

	(void)state;
	if (text == NULL) {
		print_message("no test data: set UNDERSEAL_TEST_DATA\n");
		skip();
	}
	all = cJSON_Parse(text);
	assert_non_null(all);
	cJSON_ArrayForEach(file, cJSON_GetObjectItem(all, "files")) {
		if (strcmp(cJSON_GetObjectItem(file, "format")->valuestring, "native") == 0) {
			check_file(file);
			files++;
		}
	}
	assert_true(files >= 45);
	cJSON_Delete(all);
	free(text);
}

/* A tar of small files: calls fn with each file's base name and bytes. */
static void
each_in_tar(const uint8_t *p, size_t n, void (*fn)(const char *name, const uint8_t *p, size_t n))
{
	size_t at = 0;

	while (at + 512 <= n && p[at] != 0) {
		size_t size = strtoul((const char *)p + at + 124, NULL, 8);
		const char *slash = strrchr((const char *)p + at, '/');

		if (p[at + 156] == '0' || p[at + 156] == 0)
			fn(slash == NULL ? (const char *)p + at : slash + 1, p + at + 512, size);
		at += 512 + (size + 511) / 512 * 512;
	}
}

static unsigned suite_good, suite_bad;

/* The value stands in an unknown field of a good record. */
static void
suite_case(const char *name, const uint8_t *p, size_t n)
{
	static const char head[] = "{\"id\":\"1\"," MESSAGES ",\"x\":";
	struct us_native *native;
	struct us_native_record r;
	enum us_defect d;
	uint8_t *line;
	size_t len = sizeof(head) - 1 + n + 1;

	if (n == 0 || n > 1000000 || memchr(p, '\n', n) != NULL)
		return; /* a line end ends a record; the empty case is no value */
	line = malloc(len);
	memcpy(line, head, sizeof(head) - 1);
	memcpy(line + sizeof(head) - 1, p, n);
	line[len - 1] = '}';
	assert_int_equal(us_native_new(&native), US_OK);
	assert_int_equal(us_native_parse(native, (struct us_bytes){ line, len }, NOW, &d, &r),
	    US_OK);
	if (strncmp(name, "y_", 2) == 0) {
		suite_good++;
		if (d != US_DEFECT_NONE)
			fail_msg("%s: %s", name, us_defect_code(d));
	} else if (strncmp(name, "n_", 2) == 0) {
		suite_bad++;
		if (d == US_DEFECT_NONE)
			fail_msg("%s was accepted", name);
	}
	us_native_free(native);
	free(line);
}

static void
test_json_suite(void **state)
{
	size_t n = 0;
	uint8_t *tar = slurp_zst("vectors/JSONTestSuite-test_parsing.tar.zst", &n);

	(void)state;
	if (tar == NULL)
		skip();
	suite_good = suite_bad = 0;
	each_in_tar(tar, n, suite_case);
	print_message("JSONTestSuite: %u y_, %u n_\n", suite_good, suite_bad);
	assert_true(suite_good > 80 && suite_bad > 150);
	free(tar);
}

static void
test_naughty_strings(void **state)
{
	size_t n = 0, count = 0;
	char *text = (char *)slurp("vectors/blns.json", &n);
	const cJSON *s;
	cJSON *all;

	(void)state;
	if (text == NULL)
		skip();
	all = cJSON_Parse(text);
	assert_non_null(all);
	cJSON_ArrayForEach(s, all) {
		char *literal = cJSON_PrintUnformatted(s), *line = malloc(strlen(literal) + 200);
		struct us_part_result *r;
		struct us_reader in;
		struct us_intake_record rec;
		struct us_container c;
		struct us_buf content;

		sprintf(line,
		    "{\"id\":\"%zu\",\"messages\":[{\"role\":\"assistant\",\"content\":%s}]}\n",
		    ++count, literal);
		assert_int_equal(plain(line, strlen(line), &r), US_OK);
		assert_int_equal(r->count, 1);
		us_reader_init(&in, r->documents.data, r->documents.len);
		assert_int_equal(us_intake_record_take(&in, &rec), US_OK);
		assert_int_equal(us_container_decode(&c, rec.container), US_OK);
		us_buf_init(&content, 100000);
		assert_int_equal(us_container_content(&c, 0, &content), US_OK);
		assert_true(
		    us_bytes_is((struct us_bytes){ content.data, content.len }, s->valuestring));
		us_buf_free(&content);
		free(literal);
		free(line);
	}
	assert_true(count > 500);
	cJSON_Delete(all);
	free(text);
}

static void
test_encodings(void **state)
{
	static const char text[] = "{\"id\":\"1\"," MESSAGES "}\n\n{\"id\":\"2\"," MESSAGES "}";
	size_t big_n = US_PART_RAW_MAX + 1, zn;
	uint8_t *big = calloc(1, big_n), *z = malloc(ZSTD_compressBound(big_n));
	struct us_part_result *r;

	(void)state;
	zn = ZSTD_compress(z, ZSTD_compressBound(big_n), text, sizeof(text) - 1, 3);
	assert_int_equal(process(z, zn, 1, text, sizeof(text) - 1, &r), US_OK);
	assert_int_equal(r->count, 2);
	check_documents(r);
	for (size_t n = 0; n < zn; n++)
		assert_int_not_equal(process(z, n, 1, text, sizeof(text) - 1, &r), US_OK);
	assert_int_equal(process(text, sizeof(text) - 1, 0, text, 5, &r), US_ERR_VERIFY);
	assert_int_equal(process(text, sizeof(text) - 1, 1, text, sizeof(text) - 1, &r),
	    US_ERR_FORMAT);
	/* a bomb: one byte too many, far too many, and exactly enough */
	memset(big, ' ', big_n);
	zn = ZSTD_compress(z, ZSTD_compressBound(big_n), big, big_n, 3);
	assert_int_equal(process(z, zn, 1, big, big_n, &r), US_ERR_LIMIT);
	zn = ZSTD_compress(z, ZSTD_compressBound(big_n), big, big_n - 1, 3);
	assert_int_equal(process(z, zn, 1, big, big_n - 1, &r), US_OK);
	assert_int_equal(r->records, 0);
	free(big);
	free(z);
}

static int
set_up(void **state)
{
	(void)state;
	return us_part_worker_new(&worker);
}

static int
tear_down(void **state)
{
	(void)state;
	us_part_worker_free(worker);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_broken_corpus),
		cmocka_unit_test(test_json_suite),
		cmocka_unit_test(test_naughty_strings),
		cmocka_unit_test(test_encodings),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
