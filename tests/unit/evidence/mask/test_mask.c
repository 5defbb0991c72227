/*
 * Goal: what is masked does not reach a reader or a search, wherever it stood. Records are made of
 * known parts, so that the test knows what must not show without asking the code under test; JSON
 * is read back by another library.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <cjson/cJSON.h>

#include "base/err.h"
#include "base/json_out.h"
#include "evidence/mask/mask.h"

#define MESSAGES_MAX 6
#define ROUNDS 5000

static uint64_t random_state = 0xda3e39cb94b95bdbu;

static unsigned
pick(unsigned n)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (unsigned)((random_state >> 20) % n);
}

/* A record's bytes as producers write them, and its container. */
struct record {
	struct us_buf source, box;
	struct us_container container;
	struct us_span spans[MESSAGES_MAX];
	size_t n;
};

static void
record_begin(struct record *r, const char *head)
{
	us_buf_init(&r->source, 1 << 20);
	us_buf_init(&r->box, 1 << 20);
	r->n = 0;
	assert_int_equal(us_buf_putf(&r->source, "{%s\"messages\":[", head), US_OK);
}

static void
record_message(struct record *r, unsigned role, const char *extra, const char *text)
{
	size_t at;

	assert_int_equal(us_buf_putf(&r->source, "%s{\"role\":\"%s\",%s\"content\":",
			     r->n == 0 ? "" : ",", us_message_role_name(role), extra),
	    US_OK);
	at = r->source.len;
	assert_int_equal(us_json_put_string(&r->source, us_bytes_of(text)), US_OK);
	r->spans[r->n++] = (struct us_span){ (uint8_t)role, (uint32_t)at + 1,
		(uint32_t)(r->source.len - at - 2) };
	assert_int_equal(us_buf_putf(&r->source, "}"), US_OK);
}

static void
record_end(struct record *r, const char *tail)
{
	assert_int_equal(us_buf_putf(&r->source, "]%s}", tail), US_OK);
	assert_int_equal(us_container_encode(&r->box, r->spans, r->n,
			     (struct us_bytes){ r->source.data, r->source.len }),
	    US_OK);
	assert_int_equal(us_container_decode(&r->container,
			     (struct us_bytes){ r->box.data, r->box.len }),
	    US_OK);
}

static void
record_free(struct record *r)
{
	us_buf_free(&r->source);
	us_buf_free(&r->box);
}

static struct us_query *
query_of(const char *text)
{
	struct us_query *q;

	assert_int_equal(us_query_parse(text, strlen(text), &q, NULL), US_OK);
	return q;
}

static void
expect(const struct us_mask *mask, const struct record *r, const struct us_mask_facts *facts,
    const char *query, const char *json)
{
	struct us_query *q = query == NULL ? NULL : query_of(query);
	struct us_buf out;

	us_buf_init(&out, 1 << 20);
	assert_int_equal(us_buf_putf(&out, "before"), US_OK);
	assert_int_equal(us_mask_render(mask, &r->container, facts, q, &out), US_OK);
	assert_memory_equal(out.data, "before", 6);
	assert_string_equal(us_buf_cstr(&out) + 6, json);
	us_buf_free(&out);
	us_query_free(q);
}

static void
test_exact(void **state)
{
	const struct us_mask_facts facts = { us_bytes_of("conv/1"), 1709288430,
		us_bytes_of("gpt-4-20240301"), us_bytes_of("en") };
	const struct us_mask_facts unknown = { { NULL, 0 }, INT64_MIN, { NULL, 0 }, { NULL, 0 } };
	const struct us_mask_facts telling = { us_bytes_of("mail a@b.co"), -5, us_bytes_of("m"),
		us_bytes_of("x") };
	struct us_mask mask = { .identifiers = US_IDENTIFIER_BIT(US_IDENTIFIER_EMAIL) |
		    US_IDENTIFIER_BIT(US_IDENTIFIER_NUMBER) };
	struct record r;

	(void)state;
	record_begin(&r, "\"secret\":\"s3cret\",");
	record_message(&r, 1, "", "You are \"x\".");
	record_message(&r, 2, "\"name\":\"jane\",", "I am a@b.co\n\x01\xe6\x89\x8b");
	record_message(&r, 3, "", "");
	record_end(&r, ",\"user\":\"jane\"");
	expect(&mask, &r, &facts, NULL,
	    "{\"id\":\"conv/"
	    "1\",\"created\":\"2024-03-01T10:20:30Z\",\"model\":\"gpt-4-20240301\",\"language\":"
	    "\"en\",\"messages\":["
	    "{\"role\":\"system\",\"content\":\"You are "
	    "\\\"x\\\".\"},{\"role\":\"user\",\"content\":\"I am [masked: "
	    "email]\\n\\u0001\xe6\x89\x8b\"},"
	    "{\"role\":\"assistant\",\"content\":\"\"}],\"masked\":{\"identifiers\":{\"email\":1},"
	    "\"messages\":0,\"fields\":[],\"outside_match\":false}}");
	mask = (struct us_mask){ .roles = 1u << 1 | 1u << 3,
		.fields = US_MASK_CREATED | US_MASK_MODEL };
	expect(&mask, &r, &unknown, NULL,
	    "{\"id\":null,\"created\":\"[masked]\",\"model\":\"[masked]\",\"language\":null,"
	    "\"messages\":["
	    "{\"role\":\"system\",\"content\":\"[masked: message of "
	    "system]\"},{\"role\":\"user\",\"content\":\"I am a@b.co\\n\\u0001\xe6\x89\x8b\"},"
	    "{\"role\":\"assistant\",\"content\":\"[masked: message of assistant]\"}],"
	    "\"masked\":{\"identifiers\":{},\"messages\":2,\"fields\":[\"created\",\"model\"],"
	    "\"outside_match\":false}}");
	mask = (struct us_mask){ .except_match = 1,
		.identifiers = US_IDENTIFIERS_ALL,
		.fields = US_MASK_LANGUAGE };
	expect(&mask, &r, &telling, "am OR x OR b.co",
	    "{\"id\":\"mail [masked: "
	    "email]\",\"created\":null,\"model\":\"m\",\"language\":\"[masked]\",\"messages\":["
	    "{\"role\":\"system\",\"content\":\"[\xe2\x80\xa6]x[\xe2\x80\xa6]\"},{\"role\":"
	    "\"user\",\"content\":\"[\xe2\x80\xa6]am[\xe2\x80\xa6]\"},"
	    "{\"role\":\"assistant\",\"content\":\"\"}],\"masked\":{\"identifiers\":{\"email\":1},"
	    "\"messages\":0,\"fields\":[\"language\"],\"outside_match\":true}}");
	expect(&mask, &r, &unknown, NULL,
	    "{\"id\":null,\"created\":null,\"model\":null,\"language\":\"[masked]\",\"messages\":["
	    "{\"role\":\"system\",\"content\":\"[\xe2\x80\xa6]\"},{\"role\":\"user\",\"content\":"
	    "\"[\xe2\x80\xa6]\"},"
	    "{\"role\":\"assistant\",\"content\":\"\"}],\"masked\":{\"identifiers\":{},"
	    "\"messages\":0,\"fields\":[\"language\"],\"outside_match\":true}}");
	record_free(&r);
}

/* A phrase does not reach over what is masked, nor a query into it. */
static void
test_no_bridge(void **state)
{
	const struct us_mask_facts unknown = { { NULL, 0 }, INT64_MIN, { NULL, 0 }, { NULL, 0 } };
	const struct us_mask mask = { .identifiers = US_IDENTIFIERS_ALL, .except_match = 1 };
	struct record r;

	(void)state;
	record_begin(&r, "");
	record_message(&r, 2, "", "alpha beta jane@example.com alpha beta");
	record_end(&r, "");
	expect(&mask, &r, &unknown, "\"beta alpha\" OR jane OR \"beta jane\"",
	    "{\"id\":null,\"created\":null,\"model\":null,\"language\":null,\"messages\":[{"
	    "\"role\":\"user\",\"content\":\"[\xe2\x80\xa6]\"}],"
	    "\"masked\":{\"identifiers\":{},\"messages\":0,\"fields\":[],\"outside_match\":true}}");
	expect(&mask, &r, &unknown, "beta OR \"alpha beta\"",
	    "{\"id\":null,\"created\":null,\"model\":null,\"language\":null,\"messages\":[{"
	    "\"role\":\"user\",\"content\":"
	    "\"alpha beta[\xe2\x80\xa6]alpha "
	    "beta\"}],\"masked\":{\"identifiers\":{},\"messages\":0,\"fields\":[],\"outside_"
	    "match\":true}}");
	record_free(&r);
}

static void
test_broken_container(void **state)
{
	static const char *const BROKEN[] = { "\\q", "\\ud800", "\xff", "\\" };
	const struct us_mask_facts facts = { us_bytes_of("x"), 0, { NULL, 0 }, { NULL, 0 } },
				   bad = { us_bytes_of("\xff"), 0, { NULL, 0 }, { NULL, 0 } };
	const struct us_mask mask = { .identifiers = 1 };
	struct us_buf out, box;
	struct us_container c;

	(void)state;
	us_buf_init(&out, 1 << 20);
	us_buf_init(&box, 1 << 20);
	for (size_t i = 0; i < sizeof BROKEN / sizeof BROKEN[0]; i++) {
		const struct us_span span = { 2, 0, (uint32_t)strlen(BROKEN[i]) };

		us_buf_reset(&box);
		assert_int_equal(us_container_encode(&box, &span, 1, us_bytes_of(BROKEN[i])),
		    US_OK);
		assert_int_equal(us_container_decode(&c, (struct us_bytes){ box.data, box.len }),
		    US_OK);
		assert_int_equal(us_mask_render(&mask, &c, &facts, NULL, &out), US_ERR_FORMAT);
		assert_int_equal(out.len, 0);
	}
	us_buf_reset(&box);
	assert_int_equal(us_container_encode(&box, NULL, 0, us_bytes_of("{}")), US_OK);
	assert_int_equal(us_container_decode(&c, (struct us_bytes){ box.data, box.len }), US_OK);
	assert_int_equal(us_mask_render(&mask, &c, &bad, NULL, &out), US_ERR_ENCODING);
	assert_int_equal(out.len, 0);
	us_buf_free(&out);
	us_buf_init(&out, 40); /* too small */
	assert_int_equal(us_mask_render(&mask, &c, &facts, NULL, &out), US_ERR_LIMIT);
	assert_int_equal(out.len, 0);
	us_buf_free(&out);
	us_buf_free(&box);
}

/* ---- thousands of records ---- */

#define PLANTS 12

/* What is put where, and what must not show for it. */
struct planted {
	char must_not[PLANTS * MESSAGES_MAX][64]; /* in the output */
	size_t n;
};

static void
plant(struct planted *p, const char *text)
{
	assert_true(p->n < PLANTS * MESSAGES_MAX && strlen(text) < 64);
	strcpy(p->must_not[p->n++], text);
}

static const char *const PLAIN[] = { "the", "court", "asks", "about", "weather",
	"\xe5\xa4\xa9\xe6\xb0\x94", "\"quoted\"", "\\back", "\ttab", "caf\xc3\xa9", "line\n",
	"\x02" };

/* An identifier of a class with a number of its own in it; plants it if the mask covers it. */
static void
put_identifier(struct us_buf *b, struct planted *p, const struct us_mask *mask, int hidden)
{
	unsigned identifier = pick(4), a = 1000 + pick(9000), c = 1000 + pick(9000);
	static const enum us_identifier CLASSES[] = { US_IDENTIFIER_EMAIL, US_IDENTIFIER_PHONE,
		US_IDENTIFIER_URL, US_IDENTIFIER_NUMBER };
	char text[64], word[32];

	switch (identifier) {
	case 0:
		(void)snprintf(word, sizeof word, "mail%u%u", a, c);
		(void)snprintf(text, sizeof text, "%s@example.com", word);
		break;
	case 1:
		(void)snprintf(word, sizeof word, "555%u", a);
		(void)snprintf(text, sizeof text, "+1 %s %u", word, c);
		break;
	case 2:
		(void)snprintf(word, sizeof word, "path%u%u", a, c);
		(void)snprintf(text, sizeof text, "https://example.net/%s", word);
		break;
	default:
		(void)snprintf(word, sizeof word, "77%u%u", a, c);
		(void)snprintf(text, sizeof text, "%s", word);
		break;
	}
	assert_int_equal(us_buf_putf(b, " %s ", text), US_OK);
	if (hidden || (mask->identifiers & US_IDENTIFIER_BIT(CLASSES[identifier])) != 0)
		plant(p, word);
}

static void
make_record(struct record *r, struct planted *p, const struct us_mask *mask)
{
	char head[128], extra[64], word[32];
	struct us_buf text;

	us_buf_init(&text, 1 << 16);
	(void)snprintf(word, sizeof word, "unknown%08u", pick(100000000));
	plant(p, word);
	(void)snprintf(head, sizeof head, "\"metadata\":{\"note\":\"%s\"},", word);
	record_begin(r, head);
	for (unsigned i = pick(MESSAGES_MAX); i > 0; i--) {
		unsigned role = 1 + pick(4);
		int hidden = mask->roles >> role & 1;

		us_buf_reset(&text);
		(void)snprintf(word, sizeof word, "name%08u", pick(100000000));
		plant(p, word);
		(void)snprintf(extra, sizeof extra, "\"name\":\"%s\",", word);
		for (unsigned k = pick(8); k > 0; k--) {
			if (pick(3) == 0)
				put_identifier(&text, p, mask, hidden);
			else
				assert_int_equal(us_buf_putf(&text, "%s ",
						     PLAIN[pick(sizeof PLAIN / sizeof PLAIN[0])]),
				    US_OK);
		}
		if (hidden) {
			(void)snprintf(word, sizeof word, "hidden%08u", pick(100000000));
			plant(p, word);
			assert_int_equal(us_buf_putf(&text, "%s", word), US_OK);
		}
		record_message(r, role, extra, us_buf_cstr(&text));
	}
	(void)snprintf(word, sizeof word, "tail%08u", pick(100000000));
	plant(p, word);
	(void)snprintf(head, sizeof head, ",\"x\":[\"%s\"]", word);
	record_end(r, head);
	us_buf_free(&text);
}

static void
check_shape(const char *json, const struct record *r)
{
	cJSON *o = cJSON_Parse(json);
	const cJSON *m;
	int i = 0;

	if (o == NULL)
		fail_msg("not JSON: %s", json);
	assert_int_equal(cJSON_GetArraySize(o), 6);
	assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItemCaseSensitive(o, "messages")), r->n);
	cJSON_ArrayForEach(m, cJSON_GetObjectItemCaseSensitive(o, "messages")) {
		assert_int_equal(cJSON_GetArraySize(m), 2);
		assert_string_equal(cJSON_GetStringValue(
					cJSON_GetObjectItemCaseSensitive(m, "role")),
		    us_message_role_name(r->spans[i++].role));
		assert_non_null(
		    cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(m, "content")));
	}
	cJSON_Delete(o);
}

static struct us_mask
random_mask(void)
{
	return (struct us_mask){ .identifiers = (uint8_t)(pick(4) == 0 ? 0xff : pick(256)),
		.roles = (uint8_t)(pick(16) << 1),
		.fields = (uint8_t)pick(16),
		.except_match = pick(4) == 0 };
}

static void
test_nothing_leaks(void **state)
{
	size_t plants = 0;

	(void)state;
	for (unsigned round = 0; round < ROUNDS; round++) {
		const struct us_mask mask = random_mask();
		const struct us_mask_facts facts = { us_bytes_of("idof1"), 1709288430,
			us_bytes_of("modelof1"), us_bytes_of("languageof1") };
		struct planted p = { .n = 0 };
		struct us_query *q = query_of("court OR \"the court\" OR mail1234 OR 555");
		struct record r;
		struct us_buf out;
		const char *json;

		us_buf_init(&out, 1 << 20);
		make_record(&r, &p, &mask);
		assert_int_equal(us_mask_render(&mask, &r.container, &facts, pick(2) ? q : NULL,
				     &out),
		    US_OK);
		json = us_buf_cstr(&out);
		check_shape(json, &r);
		for (size_t i = 0; i < p.n; i++)
			if (strstr(json, p.must_not[i]) != NULL)
				fail_msg("%s shows in %s", p.must_not[i], json);
		assert_int_equal(strstr(json, "idof1") != NULL, (mask.fields & US_MASK_ID) == 0);
		assert_int_equal(strstr(json, "modelof1") != NULL,
		    (mask.fields & US_MASK_MODEL) == 0);
		assert_int_equal(strstr(json, "languageof1") != NULL,
		    (mask.fields & US_MASK_LANGUAGE) == 0);
		assert_int_equal(strstr(json, "2024-03-01") != NULL,
		    (mask.fields & US_MASK_CREATED) == 0);
		plants += p.n;
		us_buf_free(&out);
		us_query_free(q);
		record_free(&r);
	}
	assert_true(plants > ROUNDS * 3);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_exact),
		cmocka_unit_test(test_no_bridge),
		cmocka_unit_test(test_broken_container),
		cmocka_unit_test(test_nothing_leaks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
