#include "daemon/process/share.h"

#include <stdio.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/log.h"
#include "daemon/process/settings.h"
#include "daemon/process/share_internal.h"

#define HELD_TIMES 4u
#define HOUR_MS INT64_C(3600000)

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
		(void)snprintf(name, sizeof name, "limit.%s", infos[i].name);
		s->limit[i] = (uint64_t)us_setting_number(settings, name, (int64_t)s->limit[i]);
	}
}

/* --- what is held ---------------------------------------------------------------------- */

static uint64_t
total(const struct us_shares *s, enum us_share what)
{
	return s->table[US_SHARE_ADDRESSES].total[what] +
	    s->table[US_SHARE_CREDENTIALS].total[what];
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
		(void)us_share_come(t, h);
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
		us_share_leave(s, h);
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

	if (s->table[US_SHARE_ADDRESSES].total[what] * 2 >= total(s, what))
		h = largest_of(&s->table[US_SHARE_ADDRESSES], what);
	return h != NULL ? h : largest_of(&s->table[US_SHARE_CREDENTIALS], what);
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
	for (size_t c = 0; c < US_SHARE_CLASSES; c++) {
		struct us_share_table *t = &s->table[c];

		add_figures(&t->others, what, now_ms, out);
		for (size_t i = 0; i < t->n; i++)
			if (t->at[i].used)
				add_figures(&t->at[i], what, now_ms, out);
	}
}

size_t
us_shares_pack(struct us_shares *s, enum us_share_owner owner, int64_t now_ms,
    uint8_t out[US_SHARE_COUNT * US_SHARE_FIGURES_BYTES])
{
	struct us_share_figures f;
	size_t n = 0;

	for (size_t i = 0; i < US_SHARE_COUNT; i++) {
		if (infos[i].owner != owner)
			continue;
		us_share_figures(s, (enum us_share)i, now_ms, &f);
		out[n] = (uint8_t)i;
		us_store_u64(out + n + 1, f.limit);
		us_store_u64(out + n + 9, f.held);
		us_store_u64(out + n + 17, f.largest);
		us_store_u64(out + n + 25, f.refused);
		us_store_u32(out + n + 33, f.holders);
		n += US_SHARE_FIGURES_BYTES;
	}
	return n;
}

int
us_shares_unpack(const uint8_t *p, size_t n, struct us_share_figures out[US_SHARE_COUNT])
{
	if (n % US_SHARE_FIGURES_BYTES != 0)
		return US_ERR_MALFORMED;
	for (; n > 0; n -= US_SHARE_FIGURES_BYTES, p += US_SHARE_FIGURES_BYTES) {
		if (p[0] >= US_SHARE_COUNT)
			return US_ERR_MALFORMED;
		out[p[0]] = (struct us_share_figures){ .limit = us_load_u64(p + 1),
			.held = us_load_u64(p + 9),
			.largest = us_load_u64(p + 17),
			.refused = us_load_u64(p + 25),
			.holders = us_load_u32(p + 33) };
	}
	return US_OK;
}
