/*
 * The evaluator that one would write first, as a peer: lists of numbers instead of bits, the rules
 * that fit in an array, then each condition of each of them in turn. It shares with the other the
 * order's texts and the calendars.
 */
#include <stdlib.h>
#include <string.h>

#include "bench/order_bench.h"

struct list {
	size_t n;
	uint8_t of[128];
};

struct plain_rule {
	const struct us_rule *rule;
	struct list parties, capacities, actions, states, approving;
};

struct plain_order {
	const struct us_order *order;
	struct plain_rule rules[BENCH_RULES];
};

static struct list
list_of(uint64_t low, uint64_t high)
{
	struct list l = { 0 };

	for (unsigned i = 0; i < 128; i++)
		if (((i < 64 ? low : high) >> i % 64 & 1) != 0)
			l.of[l.n++] = (uint8_t)i;
	return l;
}

static int
holds(const struct list *l, unsigned number)
{
	for (size_t i = 0; i < l->n; i++)
		if (l->of[i] == number)
			return 1;
	return 0;
}

static int
equal(struct us_bytes a, struct us_bytes b)
{
	return a.n == b.n && memcmp(a.p, b.p, a.n) == 0;
}

struct plain_order *
plain_new(const struct us_order *order)
{
	struct plain_order *p = calloc(1, sizeof(*p));

	bench_check(p == NULL || order->n_rules != BENCH_RULES ? US_ERR_NOMEM : US_OK,
	    "the plain order");
	p->order = order;
	for (size_t i = 0; i < order->n_rules; i++) {
		const struct us_rule *r = &order->rules[i];
		p->rules[i] = (struct plain_rule){ r, list_of(r->parties, 0),
			list_of(r->capacities, 0), list_of(r->actions[0], r->actions[1]),
			list_of(r->conditions.matter_states, 0),
			list_of(r->conditions.approval.capacities, 0) };
	}
	return p;
}

void
plain_free(struct plain_order *p)
{
	free(p);
}

static int
fits(const struct plain_rule *p, const struct request *q)
{
	int party = p->rule->any_party, where = p->rule->any_collection;

	for (size_t i = 0; i < p->parties.n; i++)
		if ((q->subject.parties >> p->parties.of[i] & 1) != 0)
			party = 1;
	for (size_t i = 0; i < p->rule->n_collections; i++)
		if (equal(p->rule->collections[i], q->context.collection))
			where = 1;
	return party && where && holds(&p->capacities, (unsigned)q->subject.capacity) &&
	    holds(&p->actions, (unsigned)q->action);
}

static int
enough_approve(const struct plain_rule *p, const struct request *q)
{
	const struct us_approval_need *need = &p->rule->conditions.approval;
	const struct us_context *x = &q->context;
	unsigned n = 0;

	for (size_t i = 0; i < x->n_approvers; i++)
		if (x->approvers[i].person != q->subject.person &&
		    holds(&p->approving, (unsigned)x->approvers[i].capacity) &&
		    x->approvers[i].at_ns <= x->now_ns &&
		    x->now_ns - x->approvers[i].at_ns <= need->hours * INT64_C(3600000000000))
			n++;
	return n >= need->count;
}

/* Every permit of the bench sets every condition, so none is asked whether it does. */
static int
satisfied(const struct plain_order *p, const struct plain_rule *r, enum us_condition c,
    const struct request *q)
{
	const struct us_conditions *w = &r->rule->conditions;
	const struct us_limits *l = &r->rule->limits;
	const struct us_context *x = &q->context;
	const struct us_meter *m = l->per == US_PER_PARTY ? &x->party_after : &x->person_after;
	const struct us_period *period = &p->order->periods[w->period - 1];
	int found = 0;

	switch (c) {
	case US_CONDITION_ACKNOWLEDGEMENT:
		return q->subject.acknowledged;
	case US_CONDITION_CLEARANCE:
		return (q->subject.clearances >> (w->clearance - 1) & 1) != 0;
	case US_CONDITION_MATTER:
		return holds(&r->states, x->matter);
	case US_CONDITION_PERIOD:
		return period->from_ns <= x->now_ns && x->now_ns < period->until_ns;
	case US_CONDITION_HOURS:
		return us_calendar_is_open(&p->order->calendars[w->calendar - 1], x->now_ns);
	case US_CONDITION_NETWORK:
		for (size_t i = 0; x->has_address && i < w->n_networks; i++)
			found |= us_network_has(&w->networks[i], x->address);
		return found;
	case US_CONDITION_CREDENTIAL:
		return x->credential_bits >= w->credential_bits &&
		    x->credential_days <= w->credential_days;
	case US_CONDITION_PURPOSE:
		for (size_t i = 0; i < p->order->n_purposes; i++)
			found |= equal(p->order->purposes[i].code, x->purpose);
		return found;
	case US_CONDITION_REQUEST:
		return x->records <= l->records_per_request;
	case US_CONDITION_CONSECUTIVE:
		return m->run <= l->consecutive;
	case US_CONDITION_DAY:
		return m->day <= l->per_day;
	case US_CONDITION_LIFE:
		return m->life <= l->life;
	case US_CONDITION_SHARE:
		return m->life <= x->corpus * l->share / US_MILLION;
	case US_CONDITION_APPROVAL:
		return enough_approve(r, q);
	}
	return 0;
}

static int
is_frozen(const struct request *q)
{
	for (size_t i = 0; i < q->context.n_freezes; i++) {
		const struct us_freeze_on *f = &q->context.freezes[i];
		if (f->everything || (f->parties & q->subject.parties) != 0 ||
		    f->person == q->subject.person ||
		    (f->collection.n > 0 && equal(f->collection, q->context.collection)))
			return 1;
	}
	return 0;
}

void
plain_evaluate(const struct plain_order *p, const struct request *q, struct plain_ruling *out)
{
	uint32_t permits[BENCH_RULES];
	size_t n = 0;

	*out = (struct plain_ruling){ US_DECISION_DENY, US_REASON_NOT_IN_ORDER, 0 };
	if (us_action_row(q->action)->is_frozen && is_frozen(q)) {
		out->reason = US_REASON_FROZEN;
		return;
	}
	for (uint32_t i = 0; i < BENCH_RULES; i++)
		if (fits(&p->rules[i], q) && p->rules[i].rule->effect == US_PERMIT)
			permits[n++] = i;
	if (n == 0)
		return;
	for (unsigned c = 0; c < US_CONDITIONS; c++)
		for (size_t i = 0; i < n; i++)
			if (!satisfied(p, &p->rules[permits[i]], (enum us_condition)c, q)) {
				*out = (struct plain_ruling){ US_DECISION_DENY,
					us_condition_reason((enum us_condition)c), permits[i] + 1 };
				return;
			}
	*out = (struct plain_ruling){ US_DECISION_ALLOW, US_REASON_NONE, permits[0] + 1 };
}
