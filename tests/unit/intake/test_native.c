/* Goal: a native record is read in one way or refused with its own code. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/err.h"
#include "base/time.h"
#include "daemon/intake/native.h"

#define NOW (INT64_C(1760000000) * US_NS_PER_SECOND)
#define MESSAGES \
	"\"messages\":[{\"role\":\"user\",\"content\":\"q\"},{\"role\":\"assistant\",\"content\":" \
	"\"a\"}]"

static struct us_native *parser;

static enum us_defect
parse(const char *line, size_t n, struct us_native_record *r)
{
	enum us_defect d;
	/* exact allocation, so that a sanitizer sees the first byte beyond */
	uint8_t *copy = malloc(n == 0 ? 1 : n);

	memcpy(copy, line, n);
	assert_int_equal(us_native_parse(parser, (struct us_bytes){ copy, n }, NOW, &d, r), US_OK);
	free(copy);
	return d;
}

static enum us_defect
code(const char *line)
{
	struct us_native_record r;

	return parse(line, strlen(line), &r);
}

static void
test_codes(void **state)
{
	static const struct {
		enum us_defect want;
		const char *line;
	} cases[] = {
		{ US_DEFECT_NONE, "{\"id\":\"1\"," MESSAGES "}" },
		{ US_DEFECT_NONE,
		    " {\"id\":\"1\"," MESSAGES ",\"x\":[1,{\"id\":2,\"id\":3}],\"n\":1e400}\t" },
		{ US_DEFECT_NONE, "{\"id\":\"1\",\"created\":null,\"model\":null," MESSAGES "}" },
		{ US_DEFECT_NONE,
		    "{\"id\":\"1\",\"created\":\"2023-05-05T22:08:09+09:00\"," MESSAGES "}" },
		{ US_DEFECT_TRUNCATED_JSON, "{\"id\":\"1\"," MESSAGES },
		{ US_DEFECT_TRUNCATED_JSON, "{\"id\":\"\xc3" },
		{ US_DEFECT_TRUNCATED_JSON, "{\"id\":\"\\ud83d" },
		{ US_DEFECT_INVALID_JSON, "{\"id\":\"1\"," MESSAGES "} x" },
		{ US_DEFECT_INVALID_JSON, "{\"id\":\"1\"," MESSAGES "}{}" },
		{ US_DEFECT_INVALID_JSON, "{'id':1}" },
		{ US_DEFECT_INVALID_JSON, "{\"id\":\"\\x\"}" },
		{ US_DEFECT_INVALID_UTF8, "{\"id\":\"\xff\"," MESSAGES "}" },
		{ US_DEFECT_LONE_SURROGATE, "{\"id\":\"\\ud83d\"," MESSAGES "}" },
		{ US_DEFECT_LONE_SURROGATE, "{\"id\":\"\\ud83d\"}" },
		{ US_DEFECT_LONE_SURROGATE, "{\"id\":\"\\ude00\\ud83d\"," MESSAGES "}" },
		{ US_DEFECT_CONTROL_CHARACTER, "{\"id\":\"a\001\"," MESSAGES "}" },
		{ US_DEFECT_DUPLICATE_KEY, "{\"id\":\"1\",\"id\":\"1\"," MESSAGES "}" },
		{ US_DEFECT_DUPLICATE_KEY,
		    "{\"id\":\"1\",\"x\":1,\"y\":1,\"\\u0078\":2," MESSAGES "}" },
		{ US_DEFECT_DUPLICATE_KEY,
		    "{\"id\":\"1\",\"messages\":[{\"role\":\"assistant\",\"content\":\"\",\"z\":0,"
		    "\"z\":1}]}" },
		{ US_DEFECT_NOT_AN_OBJECT, "[]" },
		{ US_DEFECT_NOT_AN_OBJECT, "\"x\"" },
		{ US_DEFECT_NOT_AN_OBJECT, "12" },
		{ US_DEFECT_NOT_AN_OBJECT, "null" },
		{ US_DEFECT_MISSING_FIELD, "{}" },
		{ US_DEFECT_MISSING_FIELD, "{" MESSAGES "}" },
		{ US_DEFECT_MISSING_FIELD,
		    "{\"id\":\"1\",\"messages\":[{\"role\":\"assistant\"}]}" },
		{ US_DEFECT_WRONG_TYPE, "{\"id\":1," MESSAGES "}" },
		{ US_DEFECT_WRONG_TYPE, "{\"id\":null," MESSAGES "}" },
		{ US_DEFECT_WRONG_TYPE, "{\"id\":{\"id\":\"1\"}," MESSAGES "}" },
		{ US_DEFECT_WRONG_TYPE, "{\"id\":\"1\",\"messages\":[\"x\"]}" },
		{ US_DEFECT_WRONG_TYPE, "{\"id\":\"1\",\"messages\":[[]]}" },
		{ US_DEFECT_WRONG_TYPE, "{\"id\":\"1\",\"messages\":\"x\"}" },
		{ US_DEFECT_WRONG_TYPE,
		    "{\"id\":\"1\",\"messages\":[{\"role\":\"assistant\",\"content\":[]}]}" },
		{ US_DEFECT_WRONG_TYPE, "{\"id\":\"1\",\"model\":7," MESSAGES "}" },
		{ US_DEFECT_BAD_ID, "{\"id\":\"\"," MESSAGES "}" },
		{ US_DEFECT_NO_MESSAGES, "{\"id\":\"1\",\"messages\":[]}" },
		{ US_DEFECT_NO_OUTPUT_TURN,
		    "{\"id\":\"1\",\"messages\":[{\"role\":\"user\",\"content\":\"x\"}]}" },
		{ US_DEFECT_UNKNOWN_ROLE,
		    "{\"id\":\"1\",\"messages\":[{\"role\":\"User\",\"content\":\"x\"}]}" },
		{ US_DEFECT_BAD_TIMESTAMP,
		    "{\"id\":\"1\",\"created\":\"yesterday\"," MESSAGES "}" },
		{ US_DEFECT_BAD_TIMESTAMP,
		    "{\"id\":\"1\",\"created\":\"2023-02-30T00:00:00Z\"," MESSAGES "}" },
		{ US_DEFECT_BAD_TIMESTAMP,
		    "{\"id\":\"1\",\"created\":\"2023-02-03T00:00:00\"," MESSAGES "}" },
		{ US_DEFECT_TIMESTAMP_OUT_OF_RANGE,
		    "{\"id\":\"1\",\"created\":\"2999-01-01T00:00:00Z\"," MESSAGES "}" },
		{ US_DEFECT_TIMESTAMP_OUT_OF_RANGE,
		    "{\"id\":\"1\",\"created\":\"1989-12-31T23:59:59Z\"," MESSAGES "}" },
		{ US_DEFECT_UNKNOWN_DESIGNATION,
		    "{\"id\":\"1\",\"designation\":\"\"," MESSAGES "}" },
		{ US_DEFECT_UNKNOWN_DESIGNATION,
		    "{\"id\":\"1\",\"designation\":\"  \\t\"," MESSAGES "}" },
		{ US_DEFECT_UNKNOWN_DESIGNATION,
		    "{\"id\":\"1\",\"designation\":\"\\u200b\\u00ad\"," MESSAGES "}" },
		{ US_DEFECT_NONE, "{\"id\":\"1\",\"designation\":null," MESSAGES "}" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		enum us_defect got = code(cases[i].line);

		if (got != cases[i].want)
			fail_msg("%s: %s, not %s", cases[i].line, us_defect_code(got),
			    us_defect_code(cases[i].want));
	}
}

static void
test_fields(void **state)
{
	static const char line[] =
	    "{\"id\":\"caf\\u00e9\",\"created\":\"2023-05-05T22:08:09+09:00\",\"model\":\"m\\/"
	    "1\",\"designation\":\"AEO\","
	    "\"messages\":[{\"content\":\"plain\",\"role\":\"system\"},"
	    "{\"role\":\"user\",\"content\":\"\\\\\\\"x\\\\\" , \"time\":\"2023-05-05T22:08:09Z\"},"
	    "{\"role\":\"assistant\",\"content\":\"\"},{\"role\":\"tool\",\"content\":\"b \\u0000 "
	    "a\\ud83d\\ude00\"}]}";
	struct us_native_record r;
	enum us_defect d;
	struct us_bytes l = us_bytes_of(line);

	(void)state;
	assert_int_equal(us_native_parse(parser, l, NOW, &d, &r), US_OK);
	assert_int_equal(d, US_DEFECT_NONE);
	assert_true(us_bytes_is(r.id, "caf\xc3\xa9"));
	assert_true(us_bytes_is(r.model, "m/1"));
	assert_true(us_bytes_is(r.designation, "AEO"));
	assert_int_equal(r.language.n, 0);
	assert_int_equal(r.created_ns / US_NS_PER_SECOND, 1683292089);
	assert_int_equal(r.messages, 4);
	assert_true(us_bytes_is(r.texts[0], "plain"));
	assert_true(us_bytes_is(r.texts[1], "\\\"x\\"));
	assert_int_equal(r.texts[2].n, 0);
	assert_int_equal(r.texts[3].n, 9);
	assert_memory_equal(r.texts[3].p, "b \0 a\xf0\x9f\x98\x80", 9);
	assert_int_equal(r.spans[0].role, US_MESSAGE_SYSTEM);
	assert_int_equal(r.spans[3].role, US_MESSAGE_TOOL);

	/* the spans name the literals: undone, they are the texts */
	for (size_t i = 0; i < r.messages; i++) {
		struct us_buf c, text;
		struct us_container box;

		us_buf_init(&c, 10000);
		us_buf_init(&text, 10000);
		assert_int_equal(us_container_encode(&c, r.spans, r.messages, l), US_OK);
		assert_int_equal(us_container_decode(&box, (struct us_bytes){ c.data, c.len }),
		    US_OK);
		assert_int_equal(us_container_content(&box, i, &text), US_OK);
		assert_int_equal(text.len, r.texts[i].n);
		if (text.len > 0)
			assert_memory_equal(text.data, r.texts[i].p, text.len);
		us_buf_free(&c);
		us_buf_free(&text);
	}
}

static void
test_limits(void **state)
{
	struct us_native_record r;
	char *s = malloc(US_RECORD_MAX + 2), *p;

	(void)state;
	memset(s, '[', 100000);
	assert_int_equal(parse(s, 100000, &r), US_DEFECT_TOO_DEEP);
	memset(s, 'a', US_RECORD_MAX + 1);
	assert_int_equal(parse(s, US_RECORD_MAX + 1, &r), US_DEFECT_TOO_LARGE);
	/* 63 levels below the record, then one more */
	for (int depth = 62; depth <= 64; depth++) {
		p = s + sprintf(s, "{\"id\":\"1\",%s,\"x\":", MESSAGES);
		for (int i = 0; i < depth; i++)
			*p++ = '[';
		for (int i = 0; i < depth; i++)
			*p++ = ']';
		*p++ = '}';
		assert_int_equal(parse(s, (size_t)(p - s), &r),
		    depth <= 63 ? US_DEFECT_NONE : US_DEFECT_TOO_DEEP);
	}
	/* an id of 512 bytes, and of 513 */
	for (int n = 512; n <= 513; n++) {
		p = s + sprintf(s, "{\"id\":\"");
		memset(p, 'i', (size_t)n);
		p += n;
		p += sprintf(p, "\",%s}", MESSAGES);
		assert_int_equal(parse(s, (size_t)(p - s), &r),
		    n == 512 ? US_DEFECT_NONE : US_DEFECT_BAD_ID);
	}
	/* too many messages */
	p = s + sprintf(s, "{\"id\":\"1\",\"messages\":[");
	for (int i = 0; i < 65536; i++)
		p += sprintf(p, "%s{\"role\":\"assistant\",\"content\":\"\"}", i ? "," : "");
	p += sprintf(p, "]}");
	assert_int_equal(parse(s, (size_t)(p - s), &r), US_DEFECT_TOO_MANY_MESSAGES);
	free(s);
}

/* Every cut of a good line is refused, and no flipped bit harms. */
static void
test_cuts(void **state)
{
	static const char line[] =
	    "{\"id\":\"\\u00e9\\ud83d\\ude00\xc3\xa9\",\"n\":-1.5e3,\"t\":true," MESSAGES "}";
	struct us_native_record r;
	char copy[sizeof(line)];

	(void)state;
	for (size_t n = 0; n + 1 < sizeof(line) - 1; n++)
		assert_int_equal(parse(line, n, &r),
		    n == 0 ? US_DEFECT_TRUNCATED_JSON : US_DEFECT_TRUNCATED_JSON);
	for (size_t i = 0; i < sizeof(line) - 1; i++) {
		for (int bit = 0; bit < 8; bit++) {
			memcpy(copy, line, sizeof(line));
			copy[i] = (char)(copy[i] ^ (1 << bit));
			(void)parse(copy, sizeof(line) - 1, &r);
		}
	}
}

static int
set_up(void **state)
{
	(void)state;
	return us_native_new(&parser);
}

static int
tear_down(void **state)
{
	(void)state;
	us_native_free(parser);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_codes),
		cmocka_unit_test(test_fields),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_cuts),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
