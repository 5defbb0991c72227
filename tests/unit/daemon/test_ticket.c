/* Goal: a ticket verifies for its own load and credential until it expires, and for nothing else;
 * its bytes are those that docs/PROTOCOL.md says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#include "crypto/crypto.h"
#include "base/err.h"
#include "daemon/process/ticket.h"

static struct us_key key;
static struct us_ticket ticket = { .load = 0x0102030405060708,
	.person = 9,
	.credential = { 1, 2, 3 },
	.expires_ns = 1000 };

static int
shown(const uint8_t *bytes, size_t n, uint64_t load, uint8_t first, int64_t now)
{
	const uint8_t credential[32] = { first, 2, 3 };

	return us_ticket_check(&key, (struct us_bytes){ bytes, n }, load, credential, now);
}

static void
good_and_bad(void **state)
{
	uint8_t t[US_TICKET_SIZE + 1], other[US_TICKET_SIZE];
	struct us_key wrong;

	(void)state;
	assert_int_equal(us_key_random(&key), US_OK);
	assert_int_equal(us_key_random(&wrong), US_OK);
	assert_int_equal(us_ticket_make(&key, &ticket, t), US_OK);
	t[US_TICKET_SIZE] = 0;
	assert_int_equal(shown(t, US_TICKET_SIZE, ticket.load, 1, 999), US_OK);
	assert_int_equal(shown(t, US_TICKET_SIZE, ticket.load, 1, 1000), US_ERR_EXPIRED);
	assert_int_equal(shown(t, US_TICKET_SIZE, ticket.load + 1, 1, 999), US_ERR_SIGNATURE);
	assert_int_equal(shown(t, US_TICKET_SIZE, ticket.load, 2, 999), US_ERR_SIGNATURE);
	assert_int_equal(shown(t, US_TICKET_SIZE - 1, ticket.load, 1, 999), US_ERR_SIGNATURE);
	assert_int_equal(shown(t, US_TICKET_SIZE + 1, ticket.load, 1, 999), US_ERR_SIGNATURE);
	assert_int_equal(shown(NULL, 0, ticket.load, 1, 999), US_ERR_SIGNATURE);
	for (size_t i = 0; i < US_TICKET_SIZE * 8; i++) {
		memcpy(other, t, sizeof other);
		other[i / 8] ^= (uint8_t)(1u << i % 8);
		assert_int_equal(shown(other, sizeof other, ticket.load, 1, 999), US_ERR_SIGNATURE);
	}
	key = wrong;
	assert_int_equal(shown(t, US_TICKET_SIZE, ticket.load, 1, 999), US_ERR_SIGNATURE);
	assert_true(us_ticket_expires((struct us_bytes){ t, US_TICKET_SIZE }) == 1000);
	assert_true(us_ticket_expires((struct us_bytes){ t, 12 }) == 0);
}

/* Made by Python's hmac from the text of the document: secret 32 bytes of 0x11, the ticket
 * above. */
static void
bytes(void **state)
{
	static const uint8_t want[] = {
		0x01,
		0x01,
		0x02,
		0x03,
		0x04,
		0x05,
		0x06,
		0x07,
		0x08,
		0x00,
		0x00,
		0x00,
		0x09,
		0x01,
		0x02,
		0x03,
		0x00,
		0x00,
		0x00,
		0x00,
		0x00,
		0x00,
		0x00,
		0x00,
		0x00,
		0x00,
		0x00,
		0x00,
		0x00,
		0x00,
		0x00,
		0x00,
		0x00,
		0x00,
		0x00,
		0x00,
		0x00,
		0x00,
		0x00,
		0x00,
		0x00,
		0x00,
		0x00,
		0x00,
		0x00,
		0x00,
		0x00,
		0x00,
		0x00,
		0x00,
		0x00,
		0x03,
		0xe8,
		0xd7,
		0x53,
		0xca,
		0x1e,
		0xb3,
		0xdf,
		0xd4,
		0x1a,
		0xfc,
		0x92,
		0x11,
		0xab,
		0xa3,
		0xb9,
		0xf9,
		0xf4,
		0xd8,
		0xdb,
		0x08,
		0xb6,
		0xc2,
		0x72,
		0x2b,
		0x73,
		0xf0,
		0x5c,
		0xa1,
		0xe4,
		0xcb,
		0xb8,
		0xaa,
		0xbf,
	};
	struct us_key secret;
	uint8_t t[US_TICKET_SIZE];

	(void)state;
	memset(secret.b, 0x11, US_KEY_SIZE);
	assert_int_equal(us_ticket_key(&secret, ticket.load, &key), US_OK);
	assert_int_equal(us_ticket_make(&key, &ticket, t), US_OK);
	assert_int_equal(sizeof want, sizeof t);
	assert_memory_equal(t, want, sizeof t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(good_and_bad),
		cmocka_unit_test(bytes) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
