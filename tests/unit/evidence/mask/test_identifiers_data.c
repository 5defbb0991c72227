/*
 * Goal: identifiers that stand in real conversations are found, and what only looks like one mostly
 * is not. The data is not part of the project (docs/TESTING.md, "Test data"). Each labelled span of
 * a class must be covered by what all classes together hide (recall), and by the class itself.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <cjson/cJSON.h>
#include <zstd.h>

#include "base/err.h"
#include "evidence/mask/identifiers.h"

#define TEXT_MAX ((size_t)128 << 20)

static char *
read_zst(const char *name)
{
	const char *dir = getenv("UNDERSEAL_TEST_DATA");
	char path[4096], *in, *out;
	size_t size;
	long n;
	FILE *f;

	(void)snprintf(path, sizeof path, "%s/pii/%s",
	    dir != NULL ? dir : US_SOURCE_DIR "/../shared/data", name);
	f = fopen(path, "rb");
	if (f == NULL)
		return NULL;
	assert_int_equal(fseek(f, 0, SEEK_END), 0);
	n = ftell(f);
	rewind(f);
	in = malloc((size_t)n);
	assert_non_null(in);
	assert_int_equal(fread(in, 1, (size_t)n, f), n);
	(void)fclose(f);
	out = malloc(TEXT_MAX + 1);
	assert_non_null(out);
	size = ZSTD_decompress(out, TEXT_MAX, in, (size_t)n);
	assert_false(ZSTD_isError(size));
	out[size] = '\0';
	free(in);
	return out;
}

static const char *
text_of(const cJSON *object, const char *name)
{
	const char *s = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, name));

	return s == NULL ? "" : s;
}

/* Offsets of the data count code points. */
static size_t
byte_of(const char *text, double points)
{
	size_t i = 0;

	for (size_t left = (size_t)points; left > 0 && text[i] != '\0'; left--)
		do
			i++;
		while (((unsigned char)text[i] & 0xc0) == 0x80);
	return i;
}

static int
covered(const char *text, size_t start, size_t end, uint32_t wanted)
{
	struct us_identifier_span *spans;
	size_t n, at = start;

	assert_int_equal(us_identifiers_find(us_bytes_of(text), wanted, &spans, &n), US_OK);
	for (size_t i = 0; i < n; i++)
		if (spans[i].start <= at && spans[i].end > at)
			at = spans[i].end;
	free(spans);
	return at >= end;
}

static int
touched(const char *text, size_t start, size_t end, uint32_t wanted)
{
	struct us_identifier_span *spans;
	size_t n;
	int yes = 0;

	assert_int_equal(us_identifiers_find(us_bytes_of(text), wanted, &spans, &n), US_OK);
	for (size_t i = 0; i < n; i++)
		yes |= spans[i].start < end && spans[i].end > start;
	free(spans);
	return yes;
}

struct figure {
	const char *type;
	enum us_identifier identifier;
	double least; /* of spans that the class itself must cover */
	unsigned n, found;
};

static struct figure figures[] = {
	{ "EMAIL", US_IDENTIFIER_EMAIL, 0.99, 0, 0 },
	{ "PHONE", US_IDENTIFIER_PHONE, 0.93, 0, 0 },
	{ "URL", US_IDENTIFIER_URL, 0.95, 0, 0 },
	{ "IPV4", US_IDENTIFIER_IP, 0.99, 0, 0 },
	{ "IPV6", US_IDENTIFIER_IP, 0.99, 0, 0 },
	{ "CREDIT_CARD", US_IDENTIFIER_CARD, 0.95, 0, 0 },
	{ "IBAN", US_IDENTIFIER_IBAN, 0.95, 0, 0 },
	{ "SSN", US_IDENTIFIER_SSN, 0.95, 0, 0 },
};
#define N_FIGURES (sizeof figures / sizeof figures[0])

static void
take_span(const cJSON *span, const char *text)
{
	size_t start = byte_of(text,
	    cJSON_GetNumberValue(cJSON_GetObjectItemCaseSensitive(span, "start")));
	size_t end = byte_of(text,
	    cJSON_GetNumberValue(cJSON_GetObjectItemCaseSensitive(span, "end")));

	for (size_t i = 0; i < N_FIGURES; i++) {
		struct figure *f = &figures[i];

		if (strcmp(text_of(span, "type"), f->type) != 0 ||
		    cJSON_IsFalse(cJSON_GetObjectItemCaseSensitive(span, "valid")))
			continue;
		f->n++;
		if (covered(text, start, end, US_IDENTIFIER_BIT(f->identifier)))
			f->found++;
		else if (getenv("UNDERSEAL_SHOW") != NULL)
			printf("missed %s: %s\n", f->type, text_of(span, "value"));
	}
}

static void
test_recall(void **state)
{
	char *gold = read_zst("chats-with-identifiers-gold.jsonl.zst"), *chats, *g, *c, *g_next,
	     *c_next;
	unsigned negatives = 0, hit = 0;
	const cJSON *messages, *one;

	(void)state;
	if (gold == NULL) {
		printf("no test data: skipped\n");
		skip();
	}
	chats = read_zst("chats-with-identifiers.jsonl.zst");
	assert_non_null(chats);
	for (g = gold, c = chats; *g != '\0' && *c != '\0'; g = g_next, c = c_next) {
		cJSON *labels = cJSON_ParseWithOpts(g, (const char **)&g_next, 0),
		      *chat = cJSON_ParseWithOpts(c, (const char **)&c_next, 0);

		assert_true(labels != NULL && chat != NULL);
		assert_string_equal(text_of(labels, "id"), text_of(chat, "id"));
		messages = cJSON_GetObjectItemCaseSensitive(chat, "messages");
		cJSON_ArrayForEach(one, cJSON_GetObjectItemCaseSensitive(labels, "spans"))
			take_span(one,
			    text_of(cJSON_GetArrayItem(messages,
					cJSON_GetObjectItemCaseSensitive(one, "message")->valueint),
				"content"));
		cJSON_ArrayForEach(one, cJSON_GetObjectItemCaseSensitive(labels, "negatives")) {
			const char *text =
			    text_of(cJSON_GetArrayItem(messages,
					cJSON_GetObjectItemCaseSensitive(one, "message")->valueint),
				"content");
			int yes = touched(text,
			    byte_of(text,
				cJSON_GetNumberValue(
				    cJSON_GetObjectItemCaseSensitive(one, "start"))),
			    byte_of(text,
				cJSON_GetNumberValue(cJSON_GetObjectItemCaseSensitive(one, "end"))),
			    US_IDENTIFIERS_ALL & ~US_IDENTIFIER_BIT(US_IDENTIFIER_NUMBER));

			negatives++;
			hit += (unsigned)yes;
			if (yes && getenv("UNDERSEAL_SHOW") != NULL)
				printf("masked %s: %s\n", text_of(one, "kind"),
				    text_of(one, "value"));
		}
		cJSON_Delete(labels);
		cJSON_Delete(chat);
		for (; *g_next == '\n'; g_next++)
			;
		for (; *c_next == '\n'; c_next++)
			;
	}
	for (size_t i = 0; i < N_FIGURES; i++) {
		printf("%-12s %5u of %5u\n", figures[i].type, figures[i].found, figures[i].n);
		assert_true(
		    figures[i].n > 100 && figures[i].found >= figures[i].least * figures[i].n);
	}
	printf("%-12s %5u of %5u (without the class number)\n", "not one", hit, negatives);
	assert_true(hit < negatives / 4);
	free(gold);
	free(chats);
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_recall) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
