#include "policy/evaluate.h"

#include <string.h>

/* Texts of what would help; static, so that a ruling owns nothing. */
static const char cure_order[] =
    "ask a roster signer of your party whether the order can be amended; nobody at the vault can allow it";
static const char cure_capacity[] =
    "this is never open to your capacity; somebody whom the order names must do it";
static const char cure_purpose[] = "state a purpose with --purpose";
static const char cure_listed[] = "state one of the order's purpose codes with --purpose";
static const char cure_quota[] = "ask for fewer records in one request";
static const char cure_signatures[] = "this goes by signed acts and the docket, not by this request";

static int
same(struct us_bytes a, struct us_bytes b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

static int
collection_fits(const struct us_rule *rule, struct us_bytes collection)
{
	if (rule->any_collection)
		return 1;
	for (size_t i = 0; i < rule->n_collections; i++)
		if (collection.n > 0 && same(rule->collections[i], collection))
			return 1;
	return 0;
}

static int
rule_fits(const struct us_rule *rule, const struct us_subject *subject, enum us_action action,
    struct us_bytes collection)
{
	return us_actions_has(rule->actions, action) &&
	    (rule->capacities & US_CAPACITY_BIT(subject->capacity)) != 0 &&
	    (rule->any_party || (rule->parties & subject->parties) != 0) &&
	    collection_fits(rule, collection);
}

static void
deny(struct us_ruling *out, enum us_reason reason, const char *cure)
{
	out->decision = US_DECISION_DENY;
	out->reason = reason;
	out->cure = cure;
}

static void
cite(struct us_ruling *out, const struct us_order *order, size_t rule)
{
	out->rule = (uint32_t)rule + 1;
	out->rule_id = order->rules[rule].id;
	out->paragraph = order->rules[rule].paragraph;
}

/* Everything that fits into the two sets; 1 if a forbid without a query does, which is cited. */
static int
gather(const struct us_order *order, const struct us_subject *subject, enum us_action action,
    struct us_bytes collection, struct us_ruling *out)
{
	for (size_t i = 0; i < order->n_rules; i++) {
		const struct us_rule *rule = &order->rules[i];
		if (!rule_fits(rule, subject, action, collection))
			continue;
		if (rule->effect == US_FORBID && !rule->is_query) {
			cite(out, order, i);
			return 1;
		}
		uint64_t *set = rule->effect == US_PERMIT ? out->permits : out->forbids;
		set[i / 64] |= UINT64_C(1) << (i % 64);
	}
	return 0;
}

static int
is_listed(const struct us_order *order, struct us_bytes purpose)
{
	for (size_t i = 0; i < order->n_purposes; i++)
		if (same(order->purposes[i].code, purpose))
			return 1;
	return 0;
}

/* The conditions of all permits at once. The first rule that fails is cited. */
static void
judge(const struct us_order *order, enum us_action action, const struct us_context *context,
    struct us_ruling *out)
{
	int listed = is_listed(order, context->purpose);
	size_t first = 0, narrowest = 0;
	int wants = -1, any = 0;

	out->boxes = us_action_opens_log(action) ? US_BOXES_ALL : 0;
	for (int i = us_rules_next(out->permits, 0); i >= 0; i = us_rules_next(out->permits, i + 1)) {
		const struct us_rule *rule = &order->rules[i];
		if (!any++)
			first = (size_t)i;
		if (!rule->is_query)
			out->sees_all = 1;
		if (rule->records_per_request < out->records_per_request) {
			out->records_per_request = rule->records_per_request;
			narrowest = (size_t)i;
		}
		out->boxes &= rule->boxes;
		if (rule->purpose != US_PURPOSE_FREE)
			out->purpose_needed = 1;
		if (wants < 0 && rule->purpose != US_PURPOSE_FREE &&
		    (context->purpose.n == 0 || (rule->purpose == US_PURPOSE_LISTED && !listed)))
			wants = i;
	}
	if (us_rules_next(out->forbids, 0) >= 0)
		out->sees_all = 0;
	if (us_action_opens_log(action) && out->boxes == 0) {
		deny(out, US_REASON_NOT_IN_ORDER, cure_order);
		return;
	}
	if (wants >= 0) {
		cite(out, order, (size_t)wants);
		deny(out, US_REASON_PURPOSE_MISSING,
		    order->rules[wants].purpose == US_PURPOSE_LISTED ? cure_listed : cure_purpose);
		return;
	}
	if (context->records > out->records_per_request) {
		cite(out, order, narrowest);
		deny(out, US_REASON_QUOTA, cure_quota);
		return;
	}
	cite(out, order, first);
	out->decision = US_DECISION_ALLOW;
	out->reason = US_REASON_NONE;
	out->cure = "";
}

void
us_order_evaluate(const struct us_order *order, const struct us_subject *subject,
    enum us_action action, const struct us_context *context, struct us_ruling *out)
{
	enum us_action_class class = us_action_class_of(action);

	memset(out, 0, sizeof(*out));
	out->records_per_request = US_RECORDS_UNLIMITED;
	out->paragraph = order->default_paragraph;
	deny(out, US_REASON_NOT_IN_ORDER, cure_order);
	if (us_capacity_name((unsigned)subject->capacity) == NULL || subject->person == 0) {
		deny(out, US_REASON_UNKNOWN_CREDENTIAL, cure_capacity);
		return;
	}
	if (class == US_ACTIONS_INTERNAL) {
		deny(out, US_REASON_CAPACITY, cure_capacity);
		return;
	}
	if (class == US_ACTIONS_ADMINISTRATIVE) {
		deny(out, US_REASON_CAPACITY, cure_signatures);
		return;
	}
	if (us_action_is_evidence(action) && (subject->capacity == US_CAPACITY_ADMINISTRATOR ||
	    subject->capacity == US_CAPACITY_KEYHOLDER)) {
		deny(out, US_REASON_CAPACITY, cure_capacity);
		return;
	}
	if (gather(order, subject, action, context->collection, out)) {
		memset(out->permits, 0, sizeof(out->permits));
		memset(out->forbids, 0, sizeof(out->forbids));
		deny(out, US_REASON_PROHIBITED, cure_order);
		return;
	}
	if (us_rules_next(out->permits, 0) >= 0) {
		judge(order, action, context, out);
		return;
	}
	memset(out->forbids, 0, sizeof(out->forbids));
	if (class == US_ACTIONS_OPEN) {
		out->decision = US_DECISION_ALLOW;
		out->reason = US_REASON_NONE;
		out->cure = "";
		out->paragraph = (struct us_bytes){ NULL, 0 };
	}
}

int
us_rules_next(const uint64_t rules[US_RULE_WORDS], int from)
{
	for (size_t word = (size_t)from / 64; word < US_RULE_WORDS; word++) {
		uint64_t bits = rules[word];
		if (word == (size_t)from / 64)
			bits &= ~UINT64_C(0) << ((unsigned)from % 64);
		if (bits != 0)
			return (int)(word * 64) + __builtin_ctzll(bits);
	}
	return -1;
}
