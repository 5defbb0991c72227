/* Shares: who is alone has what there is, whoever else comes has some, and many addresses push
 * nobody out. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "base/err.h"
#include "daemon/process/settings.h"
#include "daemon/process/share.h"

#define ADDRESSES 64u
#define CREDENTIALS 512u

static struct us_shares *
shares(void)
{
	struct us_shares *s;

	assert_int_equal(us_shares_new(&s, ADDRESSES, CREDENTIALS), US_OK);
	return s;
}

static struct us_share_holder *
at_v4(struct us_shares *s, uint32_t address)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_addr = { htonl(address) } };

	return us_share_at_address(s, (const struct sockaddr *)&in);
}

static struct us_share_holder *
at_v6(struct us_shares *s, const char *text)
{
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };

	assert_int_equal(inet_pton(AF_INET6, text, &in6.sin6_addr), 1);
	return us_share_at_address(s, (const struct sockaddr *)&in6);
}

static struct us_share_holder *
person(struct us_shares *s, uint32_t n)
{
	uint8_t fingerprint[32] = { 1, (uint8_t)(n >> 8), (uint8_t)n };

	return us_share_at_credential(s, fingerprint);
}

static void
test_rows(void **state)
{
	(void)state;
	for (unsigned i = 0; i < US_SHARE_COUNT; i++) {
		const struct us_share_info *info = us_share_info((enum us_share)i);
		const int flows = info->sort == US_SHARE_SPENT || info->sort == US_SHARE_TURNS;

		assert_true(info->limit > 0);
		assert_int_equal(info->refill > 0, flows);
	}
}

/* What can be taken away again is whoever is alone's, to the last one; then the largest gives
 * back. */
static void
test_yields(void **state)
{
	struct us_shares *s = shares();
	struct us_share_holder *much = at_v4(s, 1), *little = at_v4(s, 2), *verified = person(s, 1);

	(void)state;
	us_shares_limit(s, US_SHARE_connections, 100);
	assert_null(us_share_largest(s, US_SHARE_connections));
	for (unsigned i = 0; i < 100; i++)
		assert_int_equal(us_share_take(s, much, US_SHARE_connections, 1), US_OK);
	assert_int_equal(us_share_take(s, much, US_SHARE_connections, 1), US_ERR_FULL);
	assert_int_equal(us_share_take(s, little, US_SHARE_connections, 1), US_ERR_FULL);
	for (unsigned i = 0; i < 60; i++) {
		assert_ptr_equal(us_share_largest(s, US_SHARE_connections), much);
		us_share_give(s, much, US_SHARE_connections, 1);
		assert_int_equal(us_share_take(s, i < 20 ? little : verified, US_SHARE_connections,
				     1),
		    US_OK);
	}
	/* 40, 20 and 40 verified: those that are not verified have half */
	assert_ptr_equal(us_share_largest(s, US_SHARE_connections), much);
	us_share_give(s, much, US_SHARE_connections, 40);
	assert_ptr_equal(us_share_largest(s, US_SHARE_connections), verified);
	us_shares_free(s);
}

/* Of what cannot be taken away something is always left for who comes, however many have much. */
static void
test_held(void **state)
{
	struct us_shares *s = shares();
	uint64_t had[5] = { 0 };

	(void)state;
	us_shares_limit(s, US_SHARE_bodies, 64u << 20);
	for (uint32_t i = 0; i < 5; i++) {
		struct us_share_holder *h = person(s, i);

		while (us_share_take(s, h, US_SHARE_bodies, 16384) == US_OK)
			had[i] += 16384;
		us_share_leave(s, h);
		assert_true(had[i] > 0);
	}
	assert_true(had[0] > 51u << 20); /* alone: four fifths */
	assert_true(had[1] > 8u << 20);
	us_shares_free(s);
}

/* An attacker with as many addresses as there are neither pushes out who is there nor is counted as
 * many. */
static void
test_many_addresses(void **state)
{
	struct us_shares *s = shares();
	struct us_share_holder *honest = at_v4(s, 0x0a000001), *h, *others = NULL;

	(void)state;
	assert_int_equal(us_share_take(s, honest, US_SHARE_connections, 1), US_OK);
	us_share_leave(s, honest);
	for (uint32_t i = 0; i < 100000; i++) {
		h = at_v4(s, 0xc0000000 + i);
		if (i >= ADDRESSES - 1) {
			if (others == NULL)
				others = h;
			assert_ptr_equal(h, others);
		}
		assert_ptr_not_equal(h, honest);
		if (us_share_take(s, h, US_SHARE_connections, 1) != US_OK) {
			struct us_share_holder *largest = us_share_largest(s, US_SHARE_connections);

			assert_ptr_equal(largest, others);
			us_share_give(s, largest, US_SHARE_connections, 1);
			assert_int_equal(us_share_take(s, h, US_SHARE_connections, 1), US_OK);
		}
	}
	h = at_v4(s, 0x0a000001);
	assert_ptr_equal(h, honest);
	assert_int_equal(us_share_has(h, US_SHARE_connections, 0), 1);
	/* credentials have places of their own */
	assert_ptr_not_equal(person(s, 7), others);
	us_shares_free(s);
}

/* Addresses that have nothing any more give their places to others. */
static void
test_places_come_back(void **state)
{
	struct us_shares *s = shares();
	struct us_share_holder *first = at_v4(s, 1), *h;

	(void)state;
	us_share_leave(s, first);
	for (uint32_t i = 0; i < 10 * ADDRESSES; i++) {
		h = at_v4(s, 100 + i);
		assert_int_equal(us_share_take(s, h, US_SHARE_connections, 1), US_OK);
		us_share_leave(s, h);
		assert_int_equal(us_share_has(h, US_SHARE_connections, 0), 1);
		us_share_give(s, h, US_SHARE_connections, 1);
	}
	us_shares_free(s);
}

static void
test_networks(void **state)
{
	struct us_shares *s = shares();
	struct us_share_holder *a = at_v6(s, "2001:db8:1:1::1"), *h = NULL, *new;
	char text[64];

	(void)state;
	assert_ptr_equal(at_v6(s, "2001:db8:1:1:ffff::9"), a);
	assert_ptr_not_equal(at_v6(s, "2001:db8:2:1::1"), a);
	assert_ptr_equal(at_v6(s, "::ffff:10.0.0.1"), at_v4(s, 0x0a000001));
	for (unsigned i = 2; i < 60000; i++) { /* one customer with a network of 48 bits */
		(void)snprintf(text, sizeof text, "2001:db8:1:%x::1", i);
		new = at_v6(s, text);
		if (i < 17)
			assert_ptr_not_equal(new, a);
		else if (i == 17)
			h = new;
		assert_true(i < 18 || new == h);
	}
	assert_ptr_equal(at_v6(s, "2001:db8:1:1::2"), a);
	us_shares_free(s);
}

static void
test_spent(void **state)
{
	struct us_shares *s = shares();
	struct us_share_holder *h = person(s, 1), *other = person(s, 2);
	const uint64_t limit = us_share_info(US_SHARE_refusals)->limit;
	const uint64_t refill = us_share_info(US_SHARE_refusals)->refill;
	struct us_share_figures f;
	uint64_t n = 0;
	int64_t ms = 1000;

	(void)state;
	while (us_share_spend(s, h, US_SHARE_refusals, 1, ms) == 0)
		n++;
	assert_int_equal(n, limit);
	assert_int_equal(us_share_wait(s, h, US_SHARE_refusals, 1, ms), 1);
	assert_int_equal(us_share_wait(s, other, US_SHARE_refusals, 1, ms), 0);
	/* a try each 10 ms for an hour: the refill, and not more */
	for (n = 0; ms < 3601000; ms += 10)
		n += us_share_spend(s, h, US_SHARE_refusals, 1, ms) == 0;
	assert_in_range(n, refill - 1, refill);
	us_share_figures(s, US_SHARE_refusals, ms, &f);
	assert_int_equal(f.limit, limit);
	assert_true(f.largest >= limit - 1 && f.holders == 1 && f.refused > 200000);
	us_shares_limit(s, US_SHARE_refusals, 0);
	assert_int_equal(us_share_spend(s, h, US_SHARE_refusals, 1000000, ms), 0);
	us_shares_free(s);
}

static void
test_turns(void **state)
{
	struct us_shares *s = shares();
	struct us_share_holder *a = at_v4(s, 1), *b = at_v4(s, 2);
	unsigned n = 0;

	(void)state;
	while (us_share_turn(s, a, US_SHARE_handshakes, 1))
		n++;
	assert_int_equal(n, us_share_info(US_SHARE_handshakes)->limit);
	assert_false(us_share_turn(s, b, US_SHARE_handshakes, 1));
	assert_true(us_share_turn(s, b, US_SHARE_handshakes, 5));
	assert_true(
	    us_share_has(a, US_SHARE_handshakes, 5) > us_share_has(b, US_SHARE_handshakes, 5));
	us_shares_free(s);
}

/* Connections of the simulated front below, in the order of their table. */
struct us_test_connection {
	struct us_share_item item;
	struct us_share_holder *holder;
};

static void
come_in(struct us_shares *s, struct us_share_holder *h, struct us_test_connection *c)
{
	while (us_share_take(s, h, US_SHARE_connections, 1) != US_OK) {
		struct us_share_holder *largest = us_share_largest(s, US_SHARE_connections);
		struct us_test_connection *old;

		assert_non_null(largest);
		old = (struct us_test_connection *)us_share_oldest(largest);
		assert_non_null(old);
		us_share_line_leave(&old->item);
		us_share_give(s, old->holder, US_SHARE_connections, 1);
		old->holder = NULL;
	}
	c->holder = h;
	us_share_line_up(h, &c->item);
}

static void
verify(struct us_shares *s, struct us_test_connection *c, uint32_t n)
{
	struct us_share_holder *h = person(s, n);

	us_share_give(s, c->holder, US_SHARE_connections, 1);
	assert_int_equal(us_share_take(s, h, US_SHARE_connections, 1), US_OK);
	us_share_line_up(h, &c->item);
	c->holder = h;
	us_share_leave(s, h);
}

/* 300 people at the address of somebody who opens ten silent connections for each one of theirs. */
static void
test_beside_an_attacker(void **state)
{
	static struct us_test_connection honest[300], flood[200000];
	struct us_shares *s = shares();
	struct us_share_holder *address = at_v4(s, 0x7f000001);
	size_t silent = 0, live = 0;

	(void)state;
	memset(honest, 0, sizeof honest);
	memset(flood, 0, sizeof flood);
	us_shares_limit(s, US_SHARE_connections, 1000);
	for (unsigned i = 0; i < 1000; i++)
		come_in(s, address, &flood[silent++]);
	for (unsigned i = 0; i < 300; i++) {
		come_in(s, address, &honest[i]);
		for (unsigned j = 0; j < 10; j++) /* while its handshake goes on */
			come_in(s, address, &flood[silent++]);
		assert_non_null(honest[i].holder);
		verify(s, &honest[i], i);
	}
	while (silent < 200000)
		come_in(s, address, &flood[silent++]);
	for (unsigned i = 0; i < 300; i++)
		assert_non_null(honest[i].holder); /* all are there still */
	for (size_t i = 0; i < silent; i++)
		live += flood[i].holder != NULL;
	assert_int_equal(live, 700);
	assert_non_null(flood[silent - 1].holder); /* the oldest have gone */
	us_shares_free(s);
}

static void
test_settings(void **state)
{
	static const char text[] = "limit.connections=3\nlimit.acts=0\n";
	struct us_settings *settings = us_settings_parse(text, sizeof text - 1);
	struct us_shares *s = shares();
	struct us_share_figures f;

	(void)state;
	us_shares_set(s, settings);
	us_share_figures(s, US_SHARE_connections, 0, &f);
	assert_int_equal(f.limit, 3);
	us_share_figures(s, US_SHARE_acts, 0, &f);
	assert_int_equal(f.limit, 0);
	us_settings_free(settings);
	us_shares_free(s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_yields),
		cmocka_unit_test(test_held),
		cmocka_unit_test(test_many_addresses),
		cmocka_unit_test(test_places_come_back),
		cmocka_unit_test(test_networks),
		cmocka_unit_test(test_spent),
		cmocka_unit_test(test_turns),
		cmocka_unit_test(test_beside_an_attacker),
		cmocka_unit_test(test_settings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
