/* The conditions of a permit: which are asked, which hold, and what would cure the others. */
#include "policy/conditions.h"

#include <string.h>

#define HOUR_NS (INT64_C(3600) * 1000000000)
#define APPROVAL_HOURS 168 /* a week, where the rule does not say */

const char *
us_condition_name(unsigned condition)
{
	switch (condition) {
#define X(name, number, text) \
	case number: \
		return text;
		US_CONDITION_LIST(X)
#undef X
	default:
		return NULL;
	}
}

enum us_reason
us_condition_reason(enum us_condition condition)
{
	switch (condition) {
	case US_CONDITION_ACKNOWLEDGEMENT:
		return US_REASON_NO_ACKNOWLEDGEMENT;
	case US_CONDITION_CLEARANCE:
		return US_REASON_CLEARANCE;
	case US_CONDITION_MATTER:
		return US_REASON_MATTER;
	case US_CONDITION_PERIOD:
		return US_REASON_PERIOD;
	case US_CONDITION_HOURS:
		return US_REASON_HOURS;
	case US_CONDITION_NETWORK:
		return US_REASON_NETWORK;
	case US_CONDITION_CREDENTIAL:
		return US_REASON_CREDENTIAL;
	case US_CONDITION_PURPOSE:
		return US_REASON_PURPOSE_MISSING;
	case US_CONDITION_REQUEST:
	case US_CONDITION_CONSECUTIVE:
	case US_CONDITION_DAY:
	case US_CONDITION_LIFE:
	case US_CONDITION_SHARE:
		return US_REASON_QUOTA;
	case US_CONDITION_APPROVAL:
		return US_REASON_APPROVAL;
	}
	return US_REASON_ERROR;
}

const char *
us_condition_cure(enum us_condition condition, const struct us_rule *rule)
{
	switch (condition) {
	case US_CONDITION_ACKNOWLEDGEMENT:
		return "acknowledge the order first";
	case US_CONDITION_CLEARANCE:
		return "your party must ask for your clearance, and it must be granted";
	case US_CONDITION_MATTER:
		return "the state of the matter does not allow it; only the court can change that";
	case US_CONDITION_PERIOD:
		return "come back within the period that the order names";
	case US_CONDITION_HOURS:
		return "come back within the working hours that the order names";
	case US_CONDITION_NETWORK:
		return "connect from a network that the order names";
	case US_CONDITION_CREDENTIAL:
		return "ask for a credential as strong and as short-lived as the order wants";
	case US_CONDITION_PURPOSE:
		return rule->conditions.purpose == US_PURPOSE_LISTED ?
		    "state one of the order's purpose codes with --purpose" :
		    "state a purpose with --purpose";
	case US_CONDITION_REQUEST:
		return "ask for fewer records in one request";
	case US_CONDITION_CONSECUTIVE:
		return "ask for records that do not continue the run of those you have had";
	case US_CONDITION_DAY:
		return "come back tomorrow, or ask for fewer records";
	case US_CONDITION_LIFE:
	case US_CONDITION_SHARE:
		return "the limit is for good; only an amended order can raise it";
	case US_CONDITION_APPROVAL:
		return "ask the people whom the rule names to approve this very request";
	}
	return "";
}

static int
in_networks(const struct us_conditions *c, const struct us_context *x)
{
	for (size_t i = 0; x->has_address && i < c->n_networks; i++)
		if (us_network_has(&c->networks[i], x->address))
			return 1;
	return 0;
}

static int
approved(const struct us_approval_need *need, const struct us_subject *s,
    const struct us_context *x)
{
	const int64_t holds = (need->hours == 0 ? APPROVAL_HOURS : need->hours) * HOUR_NS;
	unsigned count = 0;

	for (size_t i = 0; i < x->n_approvers; i++) {
		const struct us_approver *a = &x->approvers[i];
		int again = 0;

		for (size_t j = 0; j < i; j++)
			again |= x->approvers[j].person == a->person;
		if (again || a->person == 0 || a->person == s->person ||
		    us_capacity_name((unsigned)a->capacity) == NULL ||
		    (need->capacities & US_CAPACITY_BIT(a->capacity)) == 0 ||
		    (!need->any_party && (need->parties & a->parties) == 0) ||
		    a->at_ns > x->now_ns || x->now_ns - a->at_ns > holds)
			continue;
		count++;
	}
	return count >= need->count;
}

uint64_t
us_share_of(uint32_t share, uint64_t corpus)
{
	return corpus / US_MILLION * share + corpus % US_MILLION * share / US_MILLION;
}

int
us_condition_asked(const struct us_rule *rule, enum us_condition condition, unsigned unknown)
{
	const struct us_conditions *c = &rule->conditions;
	const struct us_limits *l = &rule->limits;

	switch (condition) {
	case US_CONDITION_ACKNOWLEDGEMENT:
		return c->acknowledgement != 0;
	case US_CONDITION_CLEARANCE:
		return c->clearance != 0;
	case US_CONDITION_MATTER:
		return c->matter_states != 0;
	case US_CONDITION_PERIOD:
		return c->period != 0;
	case US_CONDITION_HOURS:
		return c->calendar != 0;
	case US_CONDITION_NETWORK:
		return c->n_networks != 0 && (unknown & US_UNKNOWN_ADDRESS) == 0;
	case US_CONDITION_CREDENTIAL:
		return (c->credential_bits != 0 || c->credential_days != 0) &&
		    (unknown & US_UNKNOWN_CREDENTIAL) == 0;
	case US_CONDITION_PURPOSE:
		return c->purpose != US_PURPOSE_FREE;
	case US_CONDITION_REQUEST:
		return l->records_per_request != US_UNLIMITED;
	case US_CONDITION_CONSECUTIVE:
		return l->consecutive != US_UNLIMITED && (unknown & US_UNKNOWN_USAGE) == 0;
	case US_CONDITION_DAY:
		return l->per_day != US_UNLIMITED && (unknown & US_UNKNOWN_USAGE) == 0;
	case US_CONDITION_LIFE:
		return l->life != US_UNLIMITED && (unknown & US_UNKNOWN_USAGE) == 0;
	case US_CONDITION_SHARE:
		return l->share != US_UNLIMITED && (unknown & US_UNKNOWN_USAGE) == 0;
	case US_CONDITION_APPROVAL:
		return c->approval.count != 0 && (unknown & US_UNKNOWN_APPROVAL) == 0;
	}
	return 1;
}

int
us_condition_holds(const struct us_order *order, const struct us_rule *rule,
    enum us_condition condition, const struct us_subject *s, const struct us_context *x, int listed)
{
	const struct us_conditions *c = &rule->conditions;
	const struct us_limits *l = &rule->limits;
	const struct us_meter *after = l->per == US_PER_PARTY ? &x->party_after : &x->person_after;

	switch (condition) {
	case US_CONDITION_ACKNOWLEDGEMENT:
		return s->acknowledged;
	case US_CONDITION_CLEARANCE:
		return (s->clearances >> (c->clearance - 1u) & 1) != 0;
	case US_CONDITION_MATTER:
		return x->matter < 16 && (c->matter_states >> x->matter & 1) != 0;
	case US_CONDITION_PERIOD: {
		const struct us_period *p = &order->periods[c->period - 1u];
		return x->now_ns >= p->from_ns && x->now_ns < p->until_ns;
	}
	case US_CONDITION_HOURS:
		return us_calendar_is_open(&order->calendars[c->calendar - 1u], x->now_ns);
	case US_CONDITION_NETWORK:
		return in_networks(c, x);
	case US_CONDITION_CREDENTIAL:
		return x->credential_bits >= c->credential_bits && x->credential_bits != 0 &&
		    (c->credential_days == 0 || x->credential_days <= c->credential_days);
	case US_CONDITION_PURPOSE:
		return x->purpose.n > 0 && (c->purpose != US_PURPOSE_LISTED || listed);
	case US_CONDITION_REQUEST:
		return x->records <= l->records_per_request;
	case US_CONDITION_CONSECUTIVE:
		return after->run <= l->consecutive;
	case US_CONDITION_DAY:
		return after->day <= l->per_day;
	case US_CONDITION_LIFE:
		return after->life <= l->life;
	case US_CONDITION_SHARE:
		return after->life <= us_share_of(l->share, x->corpus);
	case US_CONDITION_APPROVAL:
		return approved(&c->approval, s, x);
	}
	return 0;
}
