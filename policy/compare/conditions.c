#include <string.h>

#include "base/array.h"
#include "base/err.h"
#include "base/time.h"
#include "policy/compare/terms_internal.h"

int
us_compare_put_acknowledgement(const struct us_compare_side *s, struct us_buf *out)
{
	const struct us_rule *rule;
	int wanted = 0;

	for (int i = 0; (rule = us_compare_next_permit(s, &i)) != NULL;)
		wanted |= rule->conditions.acknowledgement;
	return wanted ? us_buf_putf(out, "wanted") : US_OK;
}

int
us_compare_put_clearance(const struct us_compare_side *s, struct us_buf *out)
{
	const struct us_rule *rule;
	uint32_t all = 0;
	int err = US_OK;

	for (int i = 0; (rule = us_compare_next_permit(s, &i)) != NULL;)
		if (rule->conditions.clearance > 0)
			all |= UINT32_C(1) << (rule->conditions.clearance - 1u);
	for (size_t i = 0; i < s->order->n_clearances && err == US_OK; i++)
		if ((all >> i & 1) != 0)
			err = us_compare_put_word(out, " and ", s->order->clearances[i].id);
	return err;
}

int
us_compare_put_matter(const struct us_compare_side *s, struct us_buf *out)
{
	const struct us_rule *rule;
	unsigned states = 0xffff;
	int err = US_OK, asked = 0;

	for (int i = 0; (rule = us_compare_next_permit(s, &i)) != NULL;)
		if (rule->conditions.matter_states != 0) {
			states &= rule->conditions.matter_states;
			asked = 1;
		}
	for (size_t i = 0; asked && i < s->order->n_matter_states && err == US_OK; i++)
		if ((states >> i & 1) != 0)
			err = us_compare_put_word(out, " or ", s->order->matter_states[i]);
	return asked && err == US_OK && out->len == 0 ? us_buf_putf(out, "none") : err;
}

static int
put_one_period(const struct us_period *p, struct us_buf *out)
{
	char time[US_TIME_TEXT_SIZE];
	int err = us_compare_put_word(out, " and ", p->id);

	if (err == US_OK && p->from_ns != INT64_MIN)
		err = us_buf_putf(out, " from %s", us_time_format(p->from_ns, time));
	if (err == US_OK && p->until_ns != INT64_MAX)
		err = us_buf_putf(out, " until %s", us_time_format(p->until_ns, time));
	return err;
}

int
us_compare_put_period(const struct us_compare_side *s, struct us_buf *out)
{
	const struct us_rule *rule;
	uint32_t all = 0;
	int err = US_OK;

	for (int i = 0; (rule = us_compare_next_permit(s, &i)) != NULL;)
		if (rule->conditions.period > 0)
			all |= UINT32_C(1) << (rule->conditions.period - 1u);
	for (size_t i = 0; i < s->order->n_periods && err == US_OK; i++)
		if ((all >> i & 1) != 0)
			err = put_one_period(&s->order->periods[i], out);
	return err;
}

int
us_compare_put_calendar(const struct us_calendar *c, struct us_buf *out)
{
	static const char *const days[] = { "Su", "Mo", "Tu", "We", "Th", "Fr", "Sa" };
	char date[11];
	int err = us_compare_put_word(out, " and ", c->id);

	for (size_t i = 0; i < US_COUNT(days) && err == US_OK; i++)
		if ((c->weekdays >> i & 1) != 0)
			err = us_buf_putf(out, " %s", days[i]);
	if (err == US_OK)
		err = us_buf_putf(out, " %02u:%02u to %02u:%02u ", c->from_minute / 60u,
		    c->from_minute % 60u, c->to_minute / 60u, c->to_minute % 60u);
	if (err == US_OK)
		err = us_compare_put_text(out, c->zone_name);
	for (size_t i = 0; i < c->n_holidays && err == US_OK; i++)
		err = us_buf_putf(out, "%s%s", i == 0 ? ", not on " : " ",
		    us_time_format_date((int64_t)c->holidays[i] * US_DAY_S * US_NS_PER_SECOND,
			date));
	return err;
}

int
us_compare_put_hours(const struct us_compare_side *s, struct us_buf *out)
{
	const struct us_rule *rule;
	uint32_t all = 0;
	int err = US_OK;

	for (int i = 0; (rule = us_compare_next_permit(s, &i)) != NULL;)
		if (rule->conditions.calendar > 0)
			all |= UINT32_C(1) << (rule->conditions.calendar - 1u);
	for (size_t i = 0; i < s->order->n_calendars && err == US_OK; i++)
		if ((all >> i & 1) != 0)
			err = us_compare_put_calendar(&s->order->calendars[i], out);
	return err;
}

static int
put_one_network(const struct us_network *n, struct us_buf *out)
{
	static const uint8_t mapped[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };
	const uint8_t *a = n->address;
	int err = US_OK;

	if (n->bits >= 96 && memcmp(a, mapped, sizeof mapped) == 0)
		return us_buf_putf(out, "%u.%u.%u.%u/%u", a[12], a[13], a[14], a[15],
		    n->bits - 96u);
	for (size_t i = 0; i < 16 && err == US_OK; i += 2)
		err = us_buf_putf(out, "%s%x", i == 0 ? "" : ":", (unsigned)(a[i] << 8 | a[i + 1]));
	return err != US_OK ? err : us_buf_putf(out, "/%u", n->bits);
}

int
us_compare_put_network(const struct us_compare_side *s, struct us_buf *out)
{
	const struct us_rule *rule;
	int err = US_OK;

	for (int i = 0; err == US_OK && (rule = us_compare_next_permit(s, &i)) != NULL;)
		for (size_t k = 0; k < rule->conditions.n_networks && err == US_OK; k++) {
			err = us_buf_putf(out, "%s",
			    out->len == 0 ? "" :
				k == 0    ? " and " :
					    " or ");
			if (err == US_OK)
				err = put_one_network(&rule->conditions.networks[k], out);
		}
	return err;
}

int
us_compare_put_credential(const struct us_compare_side *s, struct us_buf *out)
{
	const struct us_rule *rule;
	unsigned bits = 0, days = 0;
	int err = US_OK;

	for (int i = 0; (rule = us_compare_next_permit(s, &i)) != NULL;) {
		const struct us_conditions *c = &rule->conditions;

		bits = c->credential_bits > bits ? c->credential_bits : bits;
		if (c->credential_days != 0 && (days == 0 || c->credential_days < days))
			days = c->credential_days;
	}
	if (bits != 0)
		err = us_buf_putf(out, "of at least %u bits", bits);
	if (days != 0 && err == US_OK)
		err = us_buf_putf(out, "%sfor at most %u days", bits == 0 ? "" : " ", days);
	return err;
}

int
us_compare_put_purpose(const struct us_compare_side *s, struct us_buf *out)
{
	const struct us_rule *rule;
	enum us_purpose_need need = US_PURPOSE_FREE;
	int err;

	for (int i = 0; (rule = us_compare_next_permit(s, &i)) != NULL;)
		need = rule->conditions.purpose > need ? rule->conditions.purpose : need;
	if (need != US_PURPOSE_LISTED)
		return need == US_PURPOSE_FREE ? US_OK : us_buf_putf(out, "to be stated");
	err = us_buf_putf(out, "one of the order's:");
	for (size_t i = 0; i < s->order->n_purposes && err == US_OK; i++)
		err = us_buf_putf(out, "%s%.*s", i == 0 ? " " : ", ",
		    (int)s->order->purposes[i].code.n, (const char *)s->order->purposes[i].code.p);
	return err;
}

static int
put_need(const struct us_order *order, const struct us_approval_need *need, struct us_buf *out)
{
	int err = us_buf_putf(out, "%s%u of", out->len == 0 ? "" : " and ", need->count);

	for (unsigned c = 1; c <= US_CAPACITY_LAST && err == US_OK; c++)
		if ((need->capacities & US_CAPACITY_BIT(c)) != 0)
			err = us_buf_putf(out, " %s", us_capacity_name(c));
	for (size_t p = 0; p < order->n_parties && err == US_OK; p++)
		if ((need->parties >> p & 1) != 0)
			err = us_buf_putf(out, " %.*s", (int)order->parties[p].id.n,
			    (const char *)order->parties[p].id.p);
	if (err == US_OK && need->hours != 0)
		err = us_buf_putf(out, " for %u hours", need->hours);
	return err;
}

int
us_compare_put_approval(const struct us_compare_side *s, struct us_buf *out)
{
	const struct us_rule *rule;
	int err = US_OK;

	for (int i = 0; err == US_OK && (rule = us_compare_next_permit(s, &i)) != NULL;)
		if (rule->conditions.approval.count > 0)
			err = put_need(s->order, &rule->conditions.approval, out);
	return err;
}
