#include "policy/compare/terms_internal.h"

#include <string.h>

#include "base/array.h"
#include "base/err.h"
#include "base/time.h"
#include "case/message_role.h"

const struct us_rule *
us_compare_next_permit(const struct us_compare_side *s, int *i)
{
	const int found = *i < US_ORDER_RULES ? us_rules_next(s->ruling.permits, *i) : -1;

	if (found < 0)
		return NULL;
	*i = found + 1;
	return &s->order->rules[found];
}

int
us_compare_put_text(struct us_buf *out, struct us_bytes text)
{
	return us_buf_put(out, text.p, text.n);
}

int
us_compare_put_word(struct us_buf *out, const char *separator, struct us_bytes word)
{
	int err = out->len == 0 ? US_OK : us_buf_putf(out, "%s", separator);

	return err != US_OK ? err : us_compare_put_text(out, word);
}

/* 1234567 as 1,234,567 */
static int
put_number(struct us_buf *out, uint32_t n)
{
	if (n >= 1000000)
		return us_buf_putf(out, "%u,%03u,%03u", n / 1000000, n / 1000 % 1000, n % 1000);
	return n < 1000 ? us_buf_putf(out, "%u", n) :
			  us_buf_putf(out, "%u,%03u", n / 1000, n % 1000);
}

/* ---- whether, and what ---- */

static int
put_queries(const struct us_order *order, const uint64_t rules[US_RULE_WORDS], const char *before,
    struct us_buf *out)
{
	int err = US_OK;

	for (int i = us_rules_next(rules, 0); i >= 0 && err == US_OK;
	     i = i + 1 < US_ORDER_RULES ? us_rules_next(rules, i + 1) : -1) {
		const struct us_rule *rule = &order->rules[i];

		err = us_buf_putf(out, "%s", out->len == 0 ? "" : before);
		if (err == US_OK && rule->is_query)
			err = us_compare_put_text(out, rule->what);
		else if (err == US_OK)
			err = us_buf_putf(out, "every record");
	}
	return err;
}

static int
put_may(const struct us_compare_side *s, struct us_buf *out)
{
	const struct us_ruling *r = &s->ruling;
	const enum us_action_class class = us_action_row(s->action)->class;
	int err;

	if (r->reason == US_REASON_PROHIBITED || r->reason == US_REASON_CAPACITY)
		return US_OK;
	if (us_rules_next(r->permits, 0) < 0)
		return class == US_ACTIONS_ORDERED ? US_OK : us_buf_putf(out, "as anybody");
	if (us_action_row(s->action)->opens_log && (r->boxes == 0 || r->log_scope == 0))
		return US_OK;
	err = put_queries(s->order, r->permits, " or ", out);
	return err != US_OK ? err : put_queries(s->order, r->forbids, " but not ", out);
}

static int
put_paragraphs(const struct us_compare_side *s, struct us_buf *out)
{
	const struct us_rule *rule;
	int err = US_OK;

	for (int i = 0; err == US_OK && (rule = us_compare_next_permit(s, &i)) != NULL;) {
		err = us_compare_put_word(out, ", ", rule->paragraph);
		if (err == US_OK && rule->id.n > 0)
			err = us_buf_putf(out, " (%.*s)", (int)rule->id.n,
			    (const char *)rule->id.p);
	}
	return err;
}

/* ---- limits ---- */

enum us_compare_limit { REQUEST, CONSECUTIVE, DAY, LIFE, SHARE };

static uint32_t
limit_of(const struct us_limits *l, enum us_compare_limit which)
{
	switch (which) {
	case REQUEST:
		return l->records_per_request;
	case CONSECUTIVE:
		return l->consecutive;
	case DAY:
		return l->per_day;
	case LIFE:
		return l->life;
	case SHARE:
		return l->share;
	}
	return US_UNLIMITED;
}

/* The smallest of all permits, of people and of parties. */
static int
put_limit(const struct us_compare_side *s, enum us_compare_limit which, struct us_buf *out)
{
	static const char *const per[] = { "", " for each person", " for each party" };
	const struct us_rule *rule;
	uint32_t least[3] = { US_UNLIMITED, US_UNLIMITED, US_UNLIMITED };
	int err = US_OK;

	for (int i = 0; (rule = us_compare_next_permit(s, &i)) != NULL;) {
		const uint32_t n = limit_of(&rule->limits, which);
		uint32_t *to = &least[which == REQUEST ? 0 : rule->limits.per];

		*to = n < *to ? n : *to;
	}
	for (size_t i = 0; i < US_COUNT(least) && err == US_OK; i++) {
		if (least[i] == US_UNLIMITED)
			continue;
		err = us_buf_putf(out, "%s", out->len == 0 ? "" : ", ");
		if (err == US_OK && which == SHARE)
			err = us_buf_putf(out, "%u.%04u %%", least[i] / 10000, least[i] % 10000);
		else if (err == US_OK)
			err = put_number(out, least[i]);
		if (err == US_OK)
			err = us_buf_putf(out, "%s", per[i]);
	}
	return err;
}

static int
put_request(const struct us_compare_side *s, struct us_buf *out)
{
	return put_limit(s, REQUEST, out);
}

static int
put_consecutive(const struct us_compare_side *s, struct us_buf *out)
{
	return put_limit(s, CONSECUTIVE, out);
}

static int
put_day(const struct us_compare_side *s, struct us_buf *out)
{
	return put_limit(s, DAY, out);
}

static int
put_life(const struct us_compare_side *s, struct us_buf *out)
{
	return put_limit(s, LIFE, out);
}

static int
put_share(const struct us_compare_side *s, struct us_buf *out)
{
	return put_limit(s, SHARE, out);
}

/* ---- masks ---- */

static struct us_mask
mask_of(const struct us_compare_side *s)
{
	const struct us_rule *rule;
	struct us_mask mask = { 0 };

	for (int i = 0; (rule = us_compare_next_permit(s, &i)) != NULL;)
		us_mask_add(&mask, &rule->mask);
	return mask;
}

static int
put_identifiers(const struct us_compare_side *s, struct us_buf *out)
{
	const struct us_mask mask = mask_of(s);
	int err = US_OK;

	for (unsigned i = 0; i < US_IDENTIFIERS && err == US_OK; i++)
		if ((mask.identifiers & US_IDENTIFIER_BIT(i)) != 0)
			err = us_compare_put_word(out, ", ", us_bytes_of(us_identifier_name(i)));
	return err;
}

static int
put_roles(const struct us_compare_side *s, struct us_buf *out)
{
	const struct us_mask mask = mask_of(s);
	int err = US_OK;

	for (unsigned r = US_MESSAGE_SYSTEM; r <= US_MESSAGE_TOOL && err == US_OK; r++)
		if ((mask.roles >> r & 1) != 0)
			err = us_compare_put_word(out, ", ", us_bytes_of(us_message_role_name(r)));
	return err;
}

static int
put_fields(const struct us_compare_side *s, struct us_buf *out)
{
	const struct us_mask mask = mask_of(s);
	int err = US_OK;

	for (unsigned f = US_MASK_ID; f <= US_MASK_LANGUAGE && err == US_OK; f <<= 1)
		if ((mask.fields & f) != 0)
			err = us_compare_put_word(out, ", ", us_bytes_of(us_mask_field_name(f)));
	return err;
}

static int
put_except(const struct us_compare_side *s, struct us_buf *out)
{
	return mask_of(s).except_match ? us_buf_putf(out, "all that the query does not match") :
					 US_OK;
}

/* ---- the log ---- */

static int
put_boxes(const struct us_compare_side *s, struct us_buf *out)
{
	static const char *const names[] = { "access", "disclosure", "query" };
	int err = US_OK;

	for (size_t i = 0; i < US_COUNT(names) && err == US_OK; i++)
		if (us_action_row(s->action)->opens_log && (s->ruling.boxes >> i & 1) != 0)
			err = us_compare_put_word(out, ", ", us_bytes_of(names[i]));
	return err;
}

static int
put_scope(const struct us_compare_side *s, struct us_buf *out)
{
	static const char *const names[] = { "", "everybody", "the own party", "oneself",
		"the own party, and others of its records" };

	return us_buf_putf(out, "%s", names[s->ruling.log_scope]);
}

static int
put_fewest(const struct us_compare_side *s, struct us_buf *out)
{
	return s->action != US_ACTION_COUNT || s->order->smallest_count == 0 ?
	    US_OK :
	    put_number(out, s->order->smallest_count);
}

static int
put_days(const struct us_compare_side *s, struct us_buf *out)
{
	struct us_buf limit;
	int err;

	us_buf_init(&limit, 256);
	err = put_limit(s, DAY, &limit);
	if (err == US_OK && limit.len > 0)
		err = us_compare_put_calendar(us_order_calendar(s->order), out);
	us_buf_free(&limit);
	return err;
}

static int
put_purposes(const struct us_compare_side *s, struct us_buf *out)
{
	const struct us_rule *rule;
	int err = US_OK, listed = 0;

	for (int i = 0; (rule = us_compare_next_permit(s, &i)) != NULL;)
		listed |= rule->conditions.purpose == US_PURPOSE_LISTED;
	for (size_t i = 0; listed && i < s->order->n_purposes && err == US_OK; i++)
		err = us_compare_put_word(out, "; ", s->order->purposes[i].text);
	return err;
}

const struct us_compare_term us_compare_terms[US_COMPARE_TERMS] = {
	{ "permitted", "permitted", "nothing", put_may },
	{ "records_per_request", "records a request", "no limit", put_request },
	{ "consecutive", "consecutive records", "no limit", put_consecutive },
	{ "per_day", "records a day", "no limit", put_day },
	{ "life", "records ever", "no limit", put_life },
	{ "share", "share of a collection", "no limit", put_share },
	{ "day", "what a day is", "not asked", put_days },
	{ "smallest_count", "smallest number told", "all are told", put_fewest },
	{ "acknowledgement", "acknowledgement of the order", "not wanted",
	    us_compare_put_acknowledgement },
	{ "clearance", "clearance", "not wanted", us_compare_put_clearance },
	{ "matter", "state of the matter", "any", us_compare_put_matter },
	{ "period", "period", "any", us_compare_put_period },
	{ "hours", "working hours", "any", us_compare_put_hours },
	{ "network", "network", "any", us_compare_put_network },
	{ "credential", "credential", "any", us_compare_put_credential },
	{ "purpose", "purpose", "not wanted", us_compare_put_purpose },
	{ "purposes", "what the purposes mean", "not asked", put_purposes },
	{ "approval", "approval", "not wanted", us_compare_put_approval },
	{ "mask_identifiers", "masked identifiers", "none", put_identifiers },
	{ "mask_roles", "masked messages, by role", "none", put_roles },
	{ "mask_fields", "masked fields", "none", put_fields },
	{ "mask_contents", "masked contents", "none", put_except },
	{ "boxes", "boxes of the log", "none", put_boxes },
	{ "log_scope", "whose entries of the log", "nobody's", put_scope },
	{ "paragraphs", "by paragraph", "none", put_paragraphs },
};
