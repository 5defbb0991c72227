/* What an order knows of itself: parties and signers, forms of text. */
#include "policy/order.h"

#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"

void
us_order_free(struct us_order *order)
{
	if (order == NULL)
		return;
	for (size_t i = 0; order->rules != NULL && i < order->n_rules; i++) {
		free(order->rules[i].collections);
		free(order->rules[i].conditions.networks);
	}
	free(order->rules);
	for (size_t i = 0; order->calendars != NULL && i < order->n_calendars; i++)
		free((void *)(uintptr_t)order->calendars[i].holidays);
	free(order->calendars);
	free(order->designations);
	free(order->periods);
	free(order->matter_states);
	free(order->clearances);
	free(order->purposes);
	free(order->parties);
	us_buf_free(&order->texts);
	free(order);
}

static int
same(struct us_bytes a, struct us_bytes b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

int
us_order_party(const struct us_order *order, struct us_bytes id, size_t *out)
{
	for (size_t i = 0; i < order->n_parties; i++) {
		if (same(order->parties[i].id, id)) {
			*out = i;
			return US_OK;
		}
	}
	return US_ERR_NOT_FOUND;
}

int
us_order_is_signer(const struct us_order *order, size_t party, struct us_bytes person,
    enum us_capacity capacity)
{
	if (party >= order->n_parties)
		return 0;
	const struct us_party *p = &order->parties[party];
	for (size_t i = 0; i < p->n_signers; i++)
		if (p->signers[i].capacity == capacity && same(p->signers[i].person, person))
			return 1;
	return 0;
}

struct us_limits
us_limits_none(void)
{
	struct us_limits l = { US_PER_PERSON, US_UNLIMITED, US_UNLIMITED, US_UNLIMITED,
		US_UNLIMITED, US_UNLIMITED };

	return l;
}

int
us_quorum_met(const struct us_quorum *quorum, uint64_t signed_parties)
{
	for (size_t i = 0; i < quorum->n && i < US_ORDER_QUORUM; i++)
		if (quorum->alternatives[i] != 0 &&
		    (quorum->alternatives[i] & ~signed_parties) == 0)
			return 1;
	return 0;
}

const struct us_calendar *
us_order_calendar(const struct us_order *order)
{
	static const struct us_calendar utc = { .weekdays = 0x7f, .to_minute = 1440 };

	return order->home_calendar == 0 ? &utc : &order->calendars[order->home_calendar - 1u];
}

int
us_log_scope_is_narrower(enum us_log_scope a, enum us_log_scope b)
{
	static const unsigned char rank[] = { [US_LOG_OF_ALL] = 1,
		[US_LOG_OF_OWN_RECORDS] = 2,
		[US_LOG_OF_OWN_PARTY] = 3,
		[US_LOG_OF_SELF] = 4 };

	return rank[a] > rank[b];
}

/* Characters that move or hide others on a screen: a name with them could look like another. */
static int
deceives(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0) || (c >= 0x200b && c <= 0x200f) ||
	    (c >= 0x2028 && c <= 0x202e) || (c >= 0x2060 && c <= 0x206f) || c == 0xfeff ||
	    c == 0xad || (c >= 0xfff9 && c <= 0xfffb) || (c >= 0xe0000 && c <= 0xe007f);
}

static int
is_space(uint32_t c)
{
	return c == ' ' || c == 0xa0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200a) ||
	    c == 0x202f || c == 0x205f || c == 0x3000;
}

int
us_text_ok(struct us_bytes text, size_t max)
{
	size_t at = 0;

	if (text.n == 0 || text.n > max)
		return 0;
	while (at < text.n) {
		uint32_t c;
		size_t n = us_utf8_next(text.p + at, text.n - at, &c);
		if (n == 0 || deceives(c))
			return 0;
		if ((at == 0 || at + n == text.n) && is_space(c))
			return 0;
		at += n;
	}
	return 1;
}

int
us_id_ok(struct us_bytes text, size_t max)
{
	if (text.n == 0 || text.n > max)
		return 0;
	for (size_t i = 0; i < text.n; i++) {
		uint8_t c = text.p[i];
		int alnum = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
		if (!alnum && (i == 0 || (c != '.' && c != '_' && c != '-')))
			return 0;
	}
	return 1;
}
