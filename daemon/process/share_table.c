/* The tables of holders: a fixed size, keyed by where a connection comes from or by credential. */
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>

#include "base/err.h"
#include "daemon/process/share_internal.h"

#define NETWORKS_MAX 16u
#define NETWORK_SHORT 6u /* bytes of a network of 48 bits */
#define NETWORK_LONG 8u

/* --- life ------------------------------------------------------------------------------ */

static void
idle_add(struct us_share_table *t, struct us_share_holder *h)
{
	h->idle_before = t->idle_last;
	h->idle_next = NULL;
	*(t->idle_last != NULL ? &t->idle_last->idle_next : &t->idle_first) = h;
	t->idle_last = h;
}

static void
idle_remove(struct us_share_table *t, struct us_share_holder *h)
{
	*(h->idle_before != NULL ? &h->idle_before->idle_next : &t->idle_first) = h->idle_next;
	*(h->idle_next != NULL ? &h->idle_next->idle_before : &t->idle_last) = h->idle_before;
	h->idle_before = h->idle_next = NULL;
}

static int
table_new(struct us_share_table *t, size_t n, enum us_share_class class)
{
	size_t places = 16;

	while (places < 2 * n)
		places *= 2;
	t->n = n;
	t->mask = places - 1;
	t->at = calloc(n, sizeof *t->at);
	t->place = calloc(places, sizeof *t->place);
	t->others = (struct us_share_holder){ .used = 1, .class = (uint8_t) class, .refs = 1 };
	if (t->at == NULL || t->place == NULL)
		return US_ERR_NOMEM;
	for (size_t i = 0; i < n; i++) {
		t->at[i].class = (uint8_t) class;
		idle_add(t, &t->at[i]);
	}
	return US_OK;
}

int
us_shares_new(struct us_shares **out, size_t addresses, size_t credentials)
{
	struct us_shares *s = calloc(1, sizeof *s);

	*out = NULL;
	if (s == NULL ||
	    table_new(&s->table[US_SHARE_ADDRESSES], addresses, US_SHARE_ADDRESSES) != US_OK ||
	    table_new(&s->table[US_SHARE_CREDENTIALS], credentials, US_SHARE_CREDENTIALS) !=
		US_OK) {
		us_shares_free(s);
		return US_ERR_NOMEM;
	}
	for (size_t i = 0; i < US_SHARE_COUNT; i++)
		s->limit[i] = us_share_info((enum us_share)i)->limit;
	/* who chooses addresses shall not choose where they stand; without it they may */
	(void)!getrandom(s->seed, sizeof s->seed, GRND_NONBLOCK);
	*out = s;
	return US_OK;
}

void
us_shares_free(struct us_shares *s)
{
	if (s == NULL)
		return;
	for (size_t i = 0; i < US_SHARE_CLASSES; i++) {
		free(s->table[i].at);
		free(s->table[i].place);
	}
	free(s);
}

/* --- holders --------------------------------------------------------------------------- */

static uint64_t
mix(uint64_t h, uint64_t v)
{
	h = (h ^ v) * UINT64_C(0x9fb21c651e98df25);
	return h ^ h >> 29;
}

static size_t
place_of(const struct us_shares *s, const struct us_share_table *t, const uint8_t *key, size_t n)
{
	uint64_t h = mix(s->seed[0], n), word;

	for (size_t i = 0; i < n; i += sizeof word) {
		const size_t some = n - i < sizeof word ? n - i : sizeof word;

		word = 0;
		memcpy(&word, key + i, some);
		h = mix(h, word);
	}
	return mix(h, s->seed[1]) & t->mask;
}

static struct us_share_holder *
find(const struct us_shares *s, const struct us_share_table *t, const uint8_t *key, size_t n)
{
	struct us_share_holder *h = t->place[place_of(s, t, key, n)];

	while (h != NULL && (h->key_n != n || memcmp(h->key, key, n) != 0))
		h = h->next_hash;
	return h;
}

/* One that nobody needs any more gives its place to another. */
static void
forget(struct us_shares *s, struct us_share_table *t, struct us_share_holder *h)
{
	struct us_share_holder **at, *network = h->network;

	if (!h->used)
		return;
	at = &t->place[place_of(s, t, h->key, h->key_n)];
	while (*at != h)
		at = &(*at)->next_hash;
	*at = h->next_hash;
	for (size_t i = 0; i < US_SHARE_COUNT; i++)
		if (t->largest[i] == h)
			t->largest[i] = NULL;
	*h = (struct us_share_holder){ .class = h->class };
	if (network != NULL) {
		network->networks--;
		us_share_leave(s, network);
	}
}

struct us_share_holder *
us_share_come(struct us_share_table *t, struct us_share_holder *h)
{
	if (h->refs == 0)
		idle_remove(t, h);
	h->refs++;
	return h;
}

/* The holder with that key, made if there is room; else NULL. With a reference. */
static struct us_share_holder *
at_key(struct us_shares *s, enum us_share_class class, const uint8_t *key, size_t n)
{
	struct us_share_table *t = &s->table[class];
	struct us_share_holder *h = find(s, t, key, n);
	size_t place;

	if (h != NULL)
		return us_share_come(t, h);
	h = t->idle_first;
	if (h == NULL)
		return NULL;
	idle_remove(t, h);
	forget(s, t, h);
	h->used = 1;
	h->refs = 1;
	h->key_n = (uint8_t)n;
	memcpy(h->key, key, n);
	place = place_of(s, t, key, n);
	h->next_hash = t->place[place];
	t->place[place] = h;
	return h;
}

static struct us_share_holder *
others_of(struct us_shares *s, enum us_share_class class)
{
	s->table[class].others.refs++;
	return &s->table[class].others;
}

/* IPv6: the network of 64 bits, unless the one of 48 around it has many already. */
static struct us_share_holder *
at_network(struct us_shares *s, const uint8_t address[16])
{
	struct us_share_table *t = &s->table[US_SHARE_ADDRESSES];
	struct us_share_holder *h = find(s, t, address, NETWORK_LONG), *network;

	if (h != NULL)
		return us_share_come(t, h);
	network = at_key(s, US_SHARE_ADDRESSES, address, NETWORK_SHORT);
	if (network == NULL || network->networks >= NETWORKS_MAX)
		return network != NULL ? network : others_of(s, US_SHARE_ADDRESSES);
	h = at_key(s, US_SHARE_ADDRESSES, address, NETWORK_LONG);
	if (h == NULL)
		return network;
	h->network = network; /* with the reference */
	network->networks++;
	return h;
}

struct us_share_holder *
us_share_at_address(struct us_shares *s, const struct sockaddr *address)
{
	struct us_share_holder *h = NULL;

	if (address->sa_family == AF_INET) {
		struct sockaddr_in in;

		memcpy(&in, address, sizeof in);
		h = at_key(s, US_SHARE_ADDRESSES, (const uint8_t *)&in.sin_addr,
		    sizeof in.sin_addr);
	} else if (address->sa_family == AF_INET6) {
		struct sockaddr_in6 in6;

		memcpy(&in6, address, sizeof in6);
		h = IN6_IS_ADDR_V4MAPPED(&in6.sin6_addr) ?
		    at_key(s, US_SHARE_ADDRESSES, in6.sin6_addr.s6_addr + 12, 4) :
		    at_network(s, in6.sin6_addr.s6_addr);
	}
	return h != NULL ? h : others_of(s, US_SHARE_ADDRESSES);
}

struct us_share_holder *
us_share_at_credential(struct us_shares *s, const uint8_t fingerprint[32])
{
	struct us_share_holder *h = at_key(s, US_SHARE_CREDENTIALS, fingerprint, US_SHARE_KEY);

	return h != NULL ? h : others_of(s, US_SHARE_CREDENTIALS);
}

void
us_share_leave(struct us_shares *s, struct us_share_holder *h)
{
	if (--h->refs == 0)
		idle_add(&s->table[h->class], h);
}
