/* Goal: each class of identifiers is found where it stands, not where it does not, and whatever the
 * text is, the spans are in order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/time.h"
#include "base/utf8.h"
#include "evidence/mask/identifiers.h"

static uint64_t random_state = 0x2545f4914f6cdd1du;

static unsigned
pick(unsigned n)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (unsigned)((random_state >> 20) % n);
}

/* "<" and ">" around each span that is found. */
static char *
marked(const char *text, uint32_t wanted)
{
	struct us_identifier_span *spans;
	struct us_buf b;
	size_t n, at = 0, len = strlen(text);
	char *out;

	us_buf_init(&b, 1 << 20);
	assert_int_equal(us_identifiers_find(us_bytes_of(text), wanted, &spans, &n), US_OK);
	for (size_t i = 0; i < n; i++) {
		assert_true(
		    spans[i].start >= at && spans[i].start < spans[i].end && spans[i].end <= len);
		assert_true((wanted & US_IDENTIFIER_BIT(spans[i].identifier)) != 0);
		assert_int_equal(us_buf_put(&b, text + at, spans[i].start - at), US_OK);
		assert_int_equal(us_buf_putf(&b, "<%.*s>", (int)(spans[i].end - spans[i].start),
				     text + spans[i].start),
		    US_OK);
		at = spans[i].end;
	}
	assert_int_equal(us_buf_put(&b, text + at, len - at), US_OK);
	out = strdup(us_buf_cstr(&b));
	assert_non_null(out);
	us_buf_free(&b);
	free(spans);
	return out;
}

/* expected has the marks; the text is expected without them. */
static void
check(enum us_identifier identifier, const char *expected)
{
	char text[512], *got;
	size_t n = 0;

	for (const char *p = expected; *p != '\0'; p++)
		if (*p != '<' && *p != '>')
			text[n++] = *p;
	text[n] = '\0';
	got = marked(text, US_IDENTIFIER_BIT(identifier));
	if (strcmp(got, expected) != 0)
		fail_msg("%s: expected %s, found %s", us_identifier_name(identifier), expected,
		    got);
	free(got);
}

static void
check_all(enum us_identifier identifier, const char *const *expected, size_t n)
{
	for (size_t i = 0; i < n; i++)
		check(identifier, expected[i]);
}
#define CHECK(identifier, ...) \
	do { \
		static const char *const E[] = { __VA_ARGS__ }; \
		check_all(identifier, E, sizeof E / sizeof E[0]); \
	} while (0)

static void
test_email(void **state)
{
	(void)state;
	CHECK(US_IDENTIFIER_EMAIL, "<a@b.co>", "write to <john.doe+tag@mail.example.com>.",
	    "(<x_y@example.org>)", "\"<x@example.org>\"", "mailto:<j@example.com>?subject=x",
	    "<O'Brien@example.ie>, <b@example.com>;<c@example.com>",
	    "<user@sub-domain.example.museum>", "<\"john doe\"@example.com>", "<root@[192.0.2.1]>",
	    "<user@163.com>", "<USER@EXAMPLE.COM>!", "<j@example.com>.2024 was",
	    "<a%b@example.com>", "<j\xc3\xbcrgen@m\xc3\xbcnchen.de>",
	    "<user@xn--bcher-kva.example>", "'<quoted@example.com>'", "*<bold@example.com>*",
	    "<a@b.co> <c@d.org>",
	    /* Chinese on both sides is not part of it, but may be the whole of it */
	    "\xe9\x82\xae\xe7\xae\xb1\xe6\x98\xaf<john@example.com>\xe8\xb0\xa2\xe8\xb0\xa2",
	    "<\xe7\x94\xa8\xe6\x88\xb7@\xe4\xbe\x8b\xe5\xad\x90.\xe4\xb8\xad\xe5\x9b\xbd>",
	    /* full width; a soft hyphen and a zero-width space within */
	    "<john\xef\xbc\xa0"
	    "example\xef\xbc\x8e"
	    "com>",
	    "<jo\xc2\xadhn@exam\xe2\x80\x8bple.com>",
	    /* none */
	    "@handle", "a @ b.com", "user@localhost", "react@18.2.0", "express@6.25.12 first", "@",
	    "a@", "@b.com", "a@.com", "a@b..", "x@y.1", "price @ 3.50", "\"@example.com", "a@b");
}

static void
test_phone(void **state)
{
	(void)state;
	CHECK(US_IDENTIFIER_PHONE, "<+1 555 123 4567>", "<+15551234567>", "<(818) 292-6948> or",
	    "<818-292-6948>", "<818.292.6948>", "<818 292 6948>", "<1-800-555-0199>",
	    "<+44 20 7946 0958>", "<+44 (0)20 7946 0958>", "<+49-30-901820>", "<+86 138 1234 5678>",
	    "<138-1234-5678>", "<13812345678>", "<0044 20 7946 0958>", "<(020) 7946 0958>",
	    "<020 7946 0958>", "<02079460958>", "<01 23 45 67 89>", "call <555-1234>.",
	    "<555-123-4567 x89>", "<555-123-4567 ext. 1234> and", "<555/123-4567>",
	    "<(555)123-4567>", "<+1(555)123-4567>", "<+358 40 1234567>",
	    "\xe7\x94\xb5\xe8\xaf\x9d<13812345678>\xef\xbc\x8c",
	    "<\xef\xbc\x8b\xef\xbc\x91 555 123 4567>",
	    "<555\xe2\x80\x91"
	    "123\xe2\x80\x91"
	    "4567>",
	    "<+\xd9\xa1\xd9\xa2\xd9\xa3\xd9\xa4\xd9\xa5\xd9\xa6\xd9\xa7\xd9\xa8>",
	    "<1 (555) 123-4567>", "a <+1 555 123 4567>, b <555-123-4567>",
	    /* none */
	    "2024-01-31", "31.01.2024", "01/31/2024", "01-02-24", "192.168.1.1", "12:30:45",
	    "$1,234,567.89", "1 2 3 4 5 6 7", "123", "+123", "12345678901234567890", "3.14159265",
	    "2019 2020 2021", "4111 1111 1111 1111", "10-20");
}

static void
test_url(void **state)
{
	(void)state;
	CHECK(US_IDENTIFIER_URL, "<http://example.com>", "see <https://example.com/a?b=c#d>, and",
	    "(<https://example.com/a_(b)>)", "<https://example.com/x>).", "<www.example.com>!",
	    "<WWW.Example.COM/a>", "<HTTPS://EXAMPLE.COM>", "<ftp://u:p@h/f>",
	    "\"<https://example.com>\"", "[t](<https://example.com/x>)",
	    "<https://example.com/a>\n<https://example.com/b>", "<postgres://u:secret@db/x>",
	    "<https://[2001:db8::1]:80/>", "<git+ssh://host/x>",
	    "\xe7\x9c\x8b<https://example.com>\xe8\xb0\xa2\xe8\xb0\xa2",
	    "<https://example.com/\xe8\xb7\xaf>\xe3\x80\x82",
	    "<https://\xe4\xbe\x8b\xe5\xad\x90.\xe4\xb8\xad\xe5\x9b\xbd/a>", "`<http://a.b/c>`",
	    "<http\xef\xbc\x9a//example.com>",
	    /* none */
	    "http://", "http:/x", "www.", "awww.example.com", "://x", "a://b", "example.com",
	    "std::x // comment", "w w w");
}

static void
test_ip(void **state)
{
	(void)state;
	CHECK(US_IDENTIFIER_IP, "<192.168.1.1>", "at <10.0.0.255>:8080", "<8.8.8.8>.",
	    "(<127.0.0.1>)/24", "<192.168.001.001>", "<1.2.3.4>, <5.6.7.8>", "<2001:db8::1>",
	    "<::1>", "[<::1>]:80", "<fe80::1%eth0>", "<2001:0db8:85a3:0000:0000:8a2e:0370:7334>",
	    "<::ffff:192.0.2.1>", "<64:ff9b::192.0.2.33>.", "<2001:db8::>",
	    "addr: <2001:DB8::1>: up", "ip:<2001:db8::7>", "<fe80::1>/64", "<dead::beef>",
	    "\xe5\x9c\xb0\xe5\x9d\x80<10.1.2.3>\xe3\x80\x82", "<\xef\xbc\x91\xef\xbc\x90.1.2.3>",
	    /* none */
	    "256.1.1.1", "1.2.3", "1.2.3.4.5", "v1.2.3.4", "1234.1.1.1", "1.2.3.1234", "12:30:45",
	    "std::vector", "a::b", "::", "a:b:c", "00:1A:2B:3C:4D:5E", "1:2:3:4:5:6:7",
	    "1:2:3:4:5:6:7:8:9", "1::2::3", ":::1", "12345::1", "face::x", "x2001:db8::1");
}

static void
test_card(void **state)
{
	(void)state;
	CHECK(US_IDENTIFIER_CARD, "<4111111111111111>", "<4111 1111 1111 1111>",
	    "<4111-1111-1111-1111>", "card <3782 822463 10005>.", "<378282246310005>",
	    "<5555555555554444>, exp", "<4222222222222>", "<4111 1111 1111 1111> 12/25",
	    "12 <4111 1111 1111 1111>", "no.<6011000990139424>x",
	    "<4111\xe2\x80\x93"
	    "1111\xe2\x80\x93"
	    "1111\xe2\x80\x93"
	    "1111>",
	    "<4111\xc2\xa0"
	    "1111\xc2\xa0"
	    "1111\xc2\xa0"
	    "1111>",
	    /* none */
	    "4111111111111112", "4111 1111 1111 1112", "411111111111", "41111111111111111111111",
	    "4111  1111  1111  1111", "4111.1111.1111.1111", "1234");
}

static void
test_iban(void **state)
{
	(void)state;
	CHECK(US_IDENTIFIER_IBAN, "<DE89370400440532013000>", "<DE89 3704 0044 0532 0130 00>",
	    "to <GB82 WEST 1234 5698 7654 32>, thanks", "<gb82west12345698765432>",
	    "<NL91ABNA0417164300>.", "<NO9386011117947>", "<MT84MALT011000012345MTLCAST001S>",
	    "IBAN:<BE68 5390 0754 7034>", "<GB82-WEST-1234-5698-7654-32>",
	    "\xe8\xb4\xa6\xe6\x88\xb7<DE89370400440532013000>\xe3\x80\x82",
	    "<GB82 WEST 1234 5698 7654 32> please",
	    /* none */
	    "DE89370400440532013001", "DE8937040044", "AB12", "XX00 0000 0000 0000 0000",
	    "D189370400440532013000", "XDE89370400440532013000");
}

static void
test_ssn(void **state)
{
	(void)state;
	CHECK(US_IDENTIFIER_SSN, "<084-34-2344>", "SSN: <123-45-6789>.", "<123 45 6789>",
	    "<123.45.6789>",
	    "<123\xe2\x80\x91"
	    "45\xe2\x80\x91"
	    "6789>",
	    "a<123-45-6789>b",
	    /* none */
	    "000-12-3456", "666-12-3456", "900-12-3456", "123-00-4567", "123-45-0000",
	    "123-45-67890", "1123-45-6789", "123-45 6789", "12-345-6789", "123456789",
	    "123-45-678");
}

static void
test_number(void **state)
{
	(void)state;
	CHECK(US_IDENTIFIER_NUMBER, "<12345678>", "a<12345678>b", "<1234 5678>", "<1234-5678>",
	    "<1234.5678>", "<1 2 3 4 5 6 7 8>", "no. <123-456.78 9>,",
	    "<\xef\xbc\x91\xef\xbc\x92\xef\xbc\x93\xef\xbc\x94\xef\xbc\x95\xef\xbc\x96\xef\xbc\x97"
	    "\xef\xbc\x98>",
	    "\xe5\x8f\xb7<12345678>\xe3\x80\x82", "<2024-01-31>",
	    "<1234\xe2\x80\x8b"
	    "5678>",
	    "<12345678>- x",
	    /* none */
	    "1234567", "1,234,567,890", "1234  5678", "1234 - 5678", "123 4567", "12:34:56:78",
	    "abc");
}

static void
expect_all(const char *text, const char *expected)
{
	char *got = marked(text, US_IDENTIFIERS_ALL);

	assert_string_equal(got, expected);
	free(got);
}

static void
test_overlaps(void **state)
{
	struct us_identifier_span *spans;
	size_t n;

	(void)state;
	expect_all("x 12345678@example.com", "x <12345678@example.com>");
	expect_all("https://a@example.com/12345678", "<https://a@example.com/12345678>");
	/* begins first; what sticks out remains */
	expect_all("+1 555 123 4567@example.com", "<+1 555 123 4567><@example.com>");
	expect_all("084-34-2344", "<084-34-2344>");
	assert_int_equal(us_identifiers_find(us_bytes_of("084-34-2344"), US_IDENTIFIERS_ALL, &spans,
			     &n),
	    US_OK);
	assert_int_equal(n, 1);
	/* 0 in front: the lower class */
	assert_int_equal(spans[0].identifier, US_IDENTIFIER_PHONE);
	free(spans);
	assert_int_equal(us_identifiers_find(us_bytes_of("123-45-6789"), US_IDENTIFIERS_ALL, &spans,
			     &n),
	    US_OK);
	assert_int_equal(n, 1);
	assert_int_equal(spans[0].identifier, US_IDENTIFIER_SSN);
	free(spans);
	expect_all("nothing here", "nothing here");
	assert_int_equal(us_identifiers_find(us_bytes_of("a@b.co"), 0, &spans, &n), US_OK);
	assert_true(n == 0 && spans == NULL);
	assert_int_equal(us_identifiers_find((struct us_bytes){ NULL, 0 }, US_IDENTIFIERS_ALL,
			     &spans, &n),
	    US_OK);
	assert_true(n == 0 && spans == NULL);
}

/* ---- whatever the text ---- */

static size_t
random_text(uint8_t *out, size_t max)
{
	static const char *const PARTS[] = { "a@b.co", "+1", "(555)", " ", " ", "-", ".", ":",
		"::", "/", "//", "www.", "http", "@", "1", "23", "4567", "890123",
		"4111111111111111", "DE89", "370400440532013000", "fe80", "\"", "[", "]", "%", "x",
		"ext", "\xe6\x89\x8b", "\xc3\xa9", "\xef\xbc\x91", "\xe2\x80\x8b", "\xe2\x80\x93",
		"\xf0\x9d\x9f\x98", "\xff", "\xe2\x80", "\n", "\xd9\xa3", "e", "-", "com", ".org" };
	size_t n = 0, len;

	for (unsigned i = pick(40); i > 0; i--) {
		const char *p = PARTS[pick(sizeof PARTS / sizeof PARTS[0])];

		len = strlen(p);
		if (len > max - n)
			break;
		memcpy(out + n, p, len);
		n += len;
	}
	return n;
}

static void
test_random_texts(void **state)
{
	(void)state;
	for (unsigned round = 0; round < 60000; round++) {
		uint8_t text[1024];
		size_t len = random_text(text, sizeof text), n, at = 0;
		/* so that a sanitizer sees a read behind the end */
		uint8_t *exact = malloc(len + 1);
		uint32_t wanted = pick(256);
		struct us_identifier_span *spans;

		assert_non_null(exact);
		exact = realloc(exact, len == 0 ? 1 : len);
		assert_non_null(exact);
		memcpy(exact, text, len);
		assert_int_equal(us_identifiers_find((struct us_bytes){ exact, len }, wanted,
				     &spans, &n),
		    US_OK);
		for (size_t i = 0; i < n; i++) {
			assert_true(spans[i].start >= at && spans[i].start < spans[i].end &&
			    spans[i].end <= len);
			assert_true((US_IDENTIFIER_BIT(spans[i].identifier) & wanted) != 0);
			if (us_utf8_valid(exact, len)) {
				assert_true((exact[spans[i].start] & 0xc0) != 0x80);
				assert_true(
				    spans[i].end == len || (exact[spans[i].end] & 0xc0) != 0x80);
			}
			at = spans[i].end;
		}
		free(spans);
		free(exact);
	}
}

/* All classes together hide whatever one of them hides. */
static void
test_more_classes_hide_more(void **state)
{
	(void)state;
	for (unsigned round = 0; round < 20000; round++) {
		uint8_t text[1024];
		size_t len = random_text(text, sizeof text), n_all, n_one;
		struct us_identifier_span *all, *one;
		uint8_t hidden[1024] = { 0 };

		assert_int_equal(us_identifiers_find((struct us_bytes){ text, len },
				     US_IDENTIFIERS_ALL, &all, &n_all),
		    US_OK);
		assert_int_equal(us_identifiers_find((struct us_bytes){ text, len },
				     US_IDENTIFIER_BIT(pick(8)), &one, &n_one),
		    US_OK);
		for (size_t i = 0; i < n_all; i++)
			memset(hidden + all[i].start, 1, all[i].end - all[i].start);
		for (size_t i = 0; i < n_one; i++)
			for (size_t k = one[i].start; k < one[i].end; k++)
				if (!hidden[k] && text[k] < 0x80)
					fail_msg("%.*s: byte %zu shows", (int)len,
					    (const char *)text, k);
		free(all);
		free(one);
	}
}

/* Text around an identifier that does not touch it changes nothing about it. */
static void
test_text_around(void **state)
{
	static const char *const SAMPLES[] = { "john@example.com", "+1 555 123 4567",
		"https://example.com/x", "10.1.2.3", "2001:db8::1", "4111 1111 1111 1111",
		"GB82 WEST 1234 5698 7654 32", "123-45-6789", "12345678" };
	static const char *const AROUND[] = { "word", "\n", "It is 5 o'clock:\n", "(a) b ",
		"\xe6\x89\x8b\xe6\x9c\xba ", "x, ", "@ ", "1.\n", "www ", "\"q\" " };
	static const enum us_identifier CLASSES[] = { US_IDENTIFIER_EMAIL, US_IDENTIFIER_PHONE,
		US_IDENTIFIER_URL, US_IDENTIFIER_IP, US_IDENTIFIER_IP, US_IDENTIFIER_CARD,
		US_IDENTIFIER_IBAN, US_IDENTIFIER_SSN, US_IDENTIFIER_NUMBER };

	(void)state;
	for (unsigned round = 0; round < 20000; round++) {
		unsigned which = pick(9);
		char text[256], expected[512];

		(void)snprintf(text, sizeof text, "%s%s\n", AROUND[pick(10)], AROUND[pick(10)]);
		(void)snprintf(expected, sizeof expected, "%s<%s>\n%s", text, SAMPLES[which],
		    AROUND[pick(10)]);
		check(CLASSES[which], expected);
	}
}

/* Hostile texts take no longer than others: each is a megabyte. */
/* The processor's time that this process has had: others on the machine do not count. */
static int64_t
processor_ns(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return ts.tv_sec * US_NS_PER_SECOND + ts.tv_nsec;
}

static void
test_linear(void **state)
{
	static const char *const UNITS[] = { "1", "1 ", "1-", "a@", "a.", "@", ":",
		"::", "1:", "a:", "http://", "www.", "\"", "\"@", "DE89 ", "DE89", "(1", "+", "+1 ",
		"0 ", "1.1.1.", "-", "[", "a@[", "x@b.", "a@b.1.", "\xe6\x89\x8b", "\xe6\x89\x8b@",
		"\xe2\x80\x8b", "\xd9\xa3", "4111 1111 1111 1112 ", "e1" };
	enum { SIZE = 1 << 20 };
	char *text = malloc(SIZE);
	struct us_identifier_span *spans;
	int64_t start, slowest = 0;
	size_t n, len;

	(void)state;
	assert_non_null(text);
	for (size_t u = 0; u < sizeof UNITS / sizeof UNITS[0]; u++) {
		len = strlen(UNITS[u]);
		for (size_t i = 0; i < SIZE; i++)
			text[i] = UNITS[u][i % len];
		start = processor_ns();
		assert_int_equal(us_identifiers_find((struct us_bytes){ (uint8_t *)text, SIZE },
				     US_IDENTIFIERS_ALL, &spans, &n),
		    US_OK);
		start = processor_ns() - start;
		if (start > 5 * US_NS_PER_SECOND)
			fail_msg("%s over and over: %lld ms", UNITS[u], (long long)start / 1000000);
		slowest = start > slowest ? start : slowest;
		free(spans);
	}
	printf("slowest megabyte: %lld ms\n", (long long)slowest / 1000000);
	free(text);
}

static void
test_names(void **state)
{
	enum us_identifier identifier;
	enum us_mask_field field;

	(void)state;
	for (unsigned i = 0; i < US_IDENTIFIERS; i++) {
		assert_int_equal(us_identifier_of(&identifier, us_bytes_of(us_identifier_name(i))),
		    US_OK);
		assert_int_equal(identifier, i);
	}
	assert_null(us_identifier_name(US_IDENTIFIERS));
	assert_int_equal(us_identifier_of(&identifier, us_bytes_of("Email")), US_ERR_NOT_FOUND);
	for (unsigned bit = 1; bit <= 8; bit *= 2) {
		assert_int_equal(us_mask_field_of(&field, us_bytes_of(us_mask_field_name(bit))),
		    US_OK);
		assert_int_equal(field, bit);
	}
	assert_null(us_mask_field_name(0));
	assert_null(us_mask_field_name(3));
	assert_null(us_mask_field_name(16));
	assert_int_equal(us_mask_field_of(&field, us_bytes_of("role")), US_ERR_NOT_FOUND);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_email),
		cmocka_unit_test(test_phone),
		cmocka_unit_test(test_url),
		cmocka_unit_test(test_ip),
		cmocka_unit_test(test_card),
		cmocka_unit_test(test_iban),
		cmocka_unit_test(test_ssn),
		cmocka_unit_test(test_number),
		cmocka_unit_test(test_overlaps),
		cmocka_unit_test(test_random_texts),
		cmocka_unit_test(test_more_classes_hide_more),
		cmocka_unit_test(test_text_around),
		cmocka_unit_test(test_linear),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
