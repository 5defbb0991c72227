/* Goal: every request that llhttp's own test cases refuse is refused here, and what we take of
 * the others is what the case says. Needs the vectors; skipped without. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <cjson/cJSON.h>
#include <cmocka.h>

#include "base/base64.h"
#include "base/err.h"
#include "daemon/front/http.h"

static char *
read_file(const char *path, size_t *n)
{
	FILE *file = fopen(path, "rb");
	char *text = NULL;

	*n = 0;
	if (file == NULL)
		return NULL;
	text = malloc(8u << 20);
	if (text != NULL)
		*n = fread(text, 1, 8u << 20, file);
	(void)fclose(file);
	return text;
}

static int
has_event(const cJSON *events, const char *what)
{
	const cJSON *e;

	cJSON_ArrayForEach(e, events)
		if (cJSON_IsString(e) && strstr(e->valuestring, what) != NULL)
			return 1;
	return 0;
}

/* 1 if a request is taken from the front of these bytes. */
static int
taken(const uint8_t *p, size_t n, struct us_http_head *head)
{
	struct us_http_scan scan = { 0, 0 };
	const char *why;
	size_t end;

	return us_http_scan(&scan, p, n, &end) == US_OK && us_http_parse(p, end, head, &why) == 0;
}

/* Few cases have the Host that HTTP/1.1 asks for: without one all would be refused for that. */
static size_t
add_host(uint8_t *p, size_t n, size_t max)
{
	static const char host[] = "Host: h\r\n";
	uint8_t *end = memmem(p, n, "\r\n", 2);
	size_t at, add = sizeof host - 1;

	for (size_t i = 0; i + 5 <= n; i++)
		if (strncasecmp((const char *)p + i, "host:", 5) == 0)
			return n;
	if (end == NULL || add > max - n)
		return n;
	at = (size_t)(end - p) + 2;
	memmove(p + at + add, p + at, n - at);
	memcpy(p + at, host, add);
	return n + add;
}

static void
vectors(void **state)
{
	const char *dir = getenv("UNDERSEAL_TEST_DATA");
	unsigned seen = 0, taken_n = 0, refused = 0;
	struct us_http_head head;
	char path[4096], *text;
	cJSON *root, *cases;
	const cJSON *c;
	size_t n;

	(void)state;
	(void)snprintf(path, sizeof path, "%s/vectors/llhttp-cases.json",
	    dir != NULL ? dir : US_SOURCE_DIR "/../shared/data");
	text = read_file(path, &n);
	if (text == NULL) {
		print_message("no %s\n", path);
		skip();
	}
	root = cJSON_ParseWithLength(text, n);
	assert_non_null(root);
	cases = cJSON_GetObjectItem(root, "cases");
	cJSON_ArrayForEach(c, cases) {
		const cJSON *events = cJSON_GetObjectItem(c, "expected");
		const char *input = cJSON_GetObjectItem(c, "input_base64")->valuestring;
		const char *type = cJSON_GetObjectItem(c, "type")->valuestring;
		const cJSON *error = cJSON_GetObjectItem(c, "error");
		uint8_t bytes[16384];
		size_t bytes_n;
		int ok;

		assert_int_equal(us_base64_decode(input, strlen(input), bytes, sizeof bytes,
				     &bytes_n),
		    US_OK);
		bytes_n = add_host(bytes, bytes_n, sizeof bytes);
		seen++;
		ok = taken(bytes, bytes_n, &head);
		taken_n += (unsigned)ok;
		refused += (unsigned)!ok;
		if (strncmp(type, "request", 7) != 0 && strcmp(type, "url") != 0) {
			assert_false(ok); /* responses are no requests */
			continue;
		}
		/* An error behind a complete message is one of the bytes that follow. */
		if (cJSON_IsString(error) && !has_event(events, "headers complete") && ok)
			fail_msg("taken: %s", cJSON_GetObjectItem(c, "name")->valuestring);
		if (ok && !has_event(events, "headers complete") && strcmp(type, "url") != 0)
			fail_msg("taken without a head: %s",
			    cJSON_GetObjectItem(c, "name")->valuestring);
		if (ok && head.has_length) {
			char want[64];

			(void)snprintf(want, sizeof want, "content_length=%llu",
			    (unsigned long long)head.content_length);
			assert_true(has_event(events, want));
		}
	}
	print_message("%u cases: %u taken, %u refused\n", seen, taken_n, refused);
	assert_true(taken_n > 0);
	cJSON_Delete(root);
	free(text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(vectors) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
