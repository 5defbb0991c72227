#include "daemon/process/share.h"

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>

#include "base/err.h"
#include "base/log.h"
#include "daemon/process/settings.h"

#define HELD_TIMES 4u
#define NETWORKS_MAX 16u
#define KEY_SIZE 32u
#define HOUR_MS INT64_C(3600000)
#define LIMIT_MAX (INT64_C(1) << 50)
#define NETWORK_SHORT 6u /* bytes of a network of 48 bits */
#define NETWORK_LONG 8u

enum us_share_class { ADDRESSES, CREDENTIALS, CLASSES };

/* refs: of callers, of items and of networks in it. Idle holders (refs 0, nothing held) hang in
 * their class's list, least recently left first; next_hash chains those of one place. */
struct us_share_holder {
	uint8_t key[KEY_SIZE];
	uint8_t key_n;
	uint8_t class;
	uint8_t used;
	uint32_t refs;
	uint32_t networks;               /* of 48 bits: how many of 64 in it are holders */
	struct us_share_holder *network; /* of 64 bits: the one of 48 that it is in */
	struct us_share_holder *next_hash;
	struct us_share_holder *idle_before, *idle_next;
	struct us_share_item *first, *last;
	uint64_t held[US_SHARE_COUNT];
	int64_t at_ms[US_SHARE_COUNT]; /* SPENT, TURNS: when held was right */
};

struct us_share_table {
	struct us_share_holder *at, *idle_first, *idle_last;
	struct us_share_holder **place;
	size_t n, mask;
	struct us_share_holder others;
	struct us_share_holder *largest[US_SHARE_COUNT];
	uint64_t largest_had[US_SHARE_COUNT]; /* when it was looked for */
	uint64_t total[US_SHARE_COUNT];
};

struct us_shares {
	struct us_share_table table[CLASSES];
	struct us_share_holder all; /* of TURNS */
	uint64_t limit[US_SHARE_COUNT], refused[US_SHARE_COUNT];
	uint64_t seed[2];
};

static const struct us_share_info infos[] = {
#define SHARE(name, sort, limit, refill, owner, text) \
	[US_SHARE_##name] = { #name, text, US_SHARE_##sort, US_SHARE_##owner, limit, refill },
#include "daemon/process/shares.def"
#undef SHARE
};

const struct us_share_info *
us_share_info(enum us_share what)
{
	return &infos[what];
}

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
	if (s == NULL || table_new(&s->table[ADDRESSES], addresses, ADDRESSES) != US_OK ||
	    table_new(&s->table[CREDENTIALS], credentials, CREDENTIALS) != US_OK) {
		us_shares_free(s);
		return US_ERR_NOMEM;
	}
	for (size_t i = 0; i < US_SHARE_COUNT; i++)
		s->limit[i] = infos[i].limit;
	/* who chooses addresses shall not choose where they stand; without it they may */
	(void)!getrandom(s->seed, sizeof s->seed, GRND_NONBLOCK);
	*out = s;
	return US_OK;
}

void
us_shares_limit(struct us_shares *s, enum us_share what, uint64_t limit)
{
	s->limit[what] = limit;
}

void
us_shares_set(struct us_shares *s, const struct us_settings *settings)
{
	char name[64];

	for (size_t i = 0; i < US_SHARE_COUNT; i++) {
		(void)snprintf(name, sizeof name, "share.%s", infos[i].name);
		s->limit[i] = (uint64_t)us_setting_number(settings, name, (int64_t)s->limit[i], 0,
		    LIMIT_MAX);
	}
}

void
us_shares_free(struct us_shares *s)
{
	if (s == NULL)
		return;
	for (size_t i = 0; i < CLASSES; i++) {
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

static void leave(struct us_shares *s, struct us_share_holder *h);

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
		leave(s, network);
	}
}

static struct us_share_holder *
come(struct us_share_table *t, struct us_share_holder *h)
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
		return come(t, h);
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
	struct us_share_table *t = &s->table[ADDRESSES];
	struct us_share_holder *h = find(s, t, address, NETWORK_LONG), *network;

	if (h != NULL)
		return come(t, h);
	network = at_key(s, ADDRESSES, address, NETWORK_SHORT);
	if (network == NULL || network->networks >= NETWORKS_MAX)
		return network != NULL ? network : others_of(s, ADDRESSES);
	h = at_key(s, ADDRESSES, address, NETWORK_LONG);
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
		h = at_key(s, ADDRESSES, (const uint8_t *)&in.sin_addr, sizeof in.sin_addr);
	} else if (address->sa_family == AF_INET6) {
		struct sockaddr_in6 in6;

		memcpy(&in6, address, sizeof in6);
		h = IN6_IS_ADDR_V4MAPPED(&in6.sin6_addr) ?
		    at_key(s, ADDRESSES, in6.sin6_addr.s6_addr + 12, 4) :
		    at_network(s, in6.sin6_addr.s6_addr);
	}
	return h != NULL ? h : others_of(s, ADDRESSES);
}

struct us_share_holder *
us_share_at_credential(struct us_shares *s, const uint8_t fingerprint[32])
{
	struct us_share_holder *h = at_key(s, CREDENTIALS, fingerprint, KEY_SIZE);

	return h != NULL ? h : others_of(s, CREDENTIALS);
}

static void
leave(struct us_shares *s, struct us_share_holder *h)
{
	if (--h->refs == 0)
		idle_add(&s->table[h->class], h);
}

void
us_share_leave(struct us_shares *s, struct us_share_holder *h)
{
	leave(s, h);
}

/* --- what is held ---------------------------------------------------------------------- */

static uint64_t
total(const struct us_shares *s, enum us_share what)
{
	return s->table[ADDRESSES].total[what] + s->table[CREDENTIALS].total[what];
}

static int
may_have(const struct us_shares *s, const struct us_share_holder *h, enum us_share what, uint64_t n)
{
	const uint64_t limit = s->limit[what], all = total(s, what);

	if (limit == 0)
		return 1;
	if (all > limit || n > limit - all)
		return 0;
	return infos[what].sort == US_SHARE_YIELDS ||
	    h->held[what] + n <= HELD_TIMES * (limit - all);
}

int
us_share_take(struct us_shares *s, struct us_share_holder *h, enum us_share what, uint64_t n)
{
	struct us_share_table *t = &s->table[h->class];

	if (!may_have(s, h, what, n)) {
		s->refused[what]++;
		return US_ERR_FULL;
	}
	if (n > 0 && h->held[what] == 0)
		(void)come(t, h);
	h->held[what] += n;
	t->total[what] += n;
	if (t->largest[what] != NULL && h->held[what] > t->largest[what]->held[what]) {
		t->largest[what] = h;
		t->largest_had[what] = h->held[what];
	}
	return US_OK;
}

void
us_share_give(struct us_shares *s, struct us_share_holder *h, enum us_share what, uint64_t n)
{
	if (n == 0)
		return;
	if (n > h->held[what])
		us_panic("more of a share is given back than was taken");
	h->held[what] -= n;
	s->table[h->class].total[what] -= n;
	if (h->held[what] == 0)
		leave(s, h);
}

/* All of them are looked at only when the largest has become smaller by an eighth. */
static struct us_share_holder *
largest_of(struct us_share_table *t, enum us_share what)
{
	struct us_share_holder *best = t->largest[what];

	if (best != NULL && best->held[what] > 0 &&
	    best->held[what] >= t->largest_had[what] - t->largest_had[what] / 8)
		return best;
	best = &t->others;
	for (size_t i = 0; i < t->n; i++)
		if (t->at[i].held[what] > best->held[what])
			best = &t->at[i];
	t->largest[what] = best;
	t->largest_had[what] = best->held[what];
	return best->held[what] == 0 ? NULL : best;
}

struct us_share_holder *
us_share_largest(struct us_shares *s, enum us_share what)
{
	struct us_share_holder *h = NULL;

	if (s->table[ADDRESSES].total[what] * 2 >= total(s, what))
		h = largest_of(&s->table[ADDRESSES], what);
	return h != NULL ? h : largest_of(&s->table[CREDENTIALS], what);
}

/* --- what is spent --------------------------------------------------------------------- */

static void
refill(struct us_share_holder *h, enum us_share what, int64_t now_ms)
{
	const uint64_t rate = infos[what].refill;
	const int64_t gone_ms = now_ms - h->at_ms[what];
	uint64_t back;

	if (h->held[what] == 0 || gone_ms >= HOUR_MS * 24 * 365) {
		h->held[what] = 0;
		h->at_ms[what] = now_ms;
		return;
	}
	back = gone_ms <= 0 ? 0 : (uint64_t)gone_ms * rate / HOUR_MS;
	if (back == 0)
		return;
	h->held[what] -= back < h->held[what] ? back : h->held[what];
	/* not to now: what is less than one is not lost */
	h->at_ms[what] += (int64_t)(back * HOUR_MS / rate);
}

uint64_t
us_share_has(struct us_share_holder *h, enum us_share what, int64_t now_ms)
{
	if (infos[what].sort == US_SHARE_SPENT || infos[what].sort == US_SHARE_TURNS)
		refill(h, what, now_ms);
	return h->held[what];
}

/* Seconds until n more fit below the limit. */
static uint32_t
wait_of(struct us_share_holder *h, enum us_share what, uint64_t limit, uint64_t n, int64_t now_ms)
{
	const uint64_t rate = infos[what].refill, has = us_share_has(h, what, now_ms);
	uint64_t over;

	if (limit == 0 || has + n <= limit)
		return 0;
	over = n > limit ? has : has + n - limit;
	over = over * (HOUR_MS / 1000) / rate + 1;
	return over > UINT16_MAX ? UINT16_MAX : (uint32_t)over;
}

uint32_t
us_share_wait(struct us_shares *s, struct us_share_holder *h, enum us_share what, uint64_t n,
    int64_t now_ms)
{
	const uint32_t seconds = wait_of(h, what, s->limit[what], n, now_ms);

	if (seconds > 0)
		s->refused[what]++;
	return seconds;
}

void
us_share_owe(struct us_share_holder *h, enum us_share what, uint64_t n, int64_t now_ms)
{
	refill(h, what, now_ms);
	h->held[what] += n;
}

uint32_t
us_share_spend(struct us_shares *s, struct us_share_holder *h, enum us_share what, uint64_t n,
    int64_t now_ms)
{
	const uint32_t seconds = us_share_wait(s, h, what, n, now_ms);

	if (seconds == 0)
		us_share_owe(h, what, n, now_ms);
	return seconds;
}

int
us_share_turn(struct us_shares *s, struct us_share_holder *h, enum us_share what, int64_t now_ms)
{
	if (wait_of(&s->all, what, s->limit[what], 1, now_ms) > 0)
		return 0;
	us_share_owe(&s->all, what, 1, now_ms);
	us_share_owe(h, what, 1, now_ms);
	return 1;
}

void
us_share_refused(struct us_shares *s, enum us_share what)
{
	s->refused[what]++;
}

/* --- lines ----------------------------------------------------------------------------- */

void
us_share_line_leave(struct us_share_item *item)
{
	struct us_share_holder *h = item->holder;

	if (h == NULL)
		return;
	*(item->before != NULL ? &item->before->next : &h->first) = item->next;
	*(item->next != NULL ? &item->next->before : &h->last) = item->before;
	*item = (struct us_share_item){ .holder = NULL };
}

void
us_share_line_up(struct us_share_holder *h, struct us_share_item *item)
{
	us_share_line_leave(item);
	item->holder = h;
	item->before = h->last;
	*(h->last != NULL ? &h->last->next : &h->first) = item;
	h->last = item;
}

struct us_share_item *
us_share_oldest(const struct us_share_holder *h)
{
	return h->first;
}

/* --- figures --------------------------------------------------------------------------- */

static void
add_figures(struct us_share_holder *h, enum us_share what, int64_t now_ms,
    struct us_share_figures *out)
{
	const uint64_t has = us_share_has(h, what, now_ms);

	out->held += has;
	out->holders += has > 0;
	if (has > out->largest)
		out->largest = has;
}

void
us_share_figures(struct us_shares *s, enum us_share what, int64_t now_ms,
    struct us_share_figures *out)
{
	*out = (struct us_share_figures){ .limit = s->limit[what], .refused = s->refused[what] };
	for (size_t c = 0; c < CLASSES; c++) {
		struct us_share_table *t = &s->table[c];

		add_figures(&t->others, what, now_ms, out);
		for (size_t i = 0; i < t->n; i++)
			if (t->at[i].used)
				add_figures(&t->at[i], what, now_ms, out);
	}
}
