/* The compiled form of an order: strict decoding. Nothing unknown, empty, twice or left over
 * passes. */
#include <stdlib.h>
#include <string.h>

#include "crypto/crypto.h"
#include "policy/compiled.h"

static int
same(struct us_bytes a, struct us_bytes b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

static void
take_party(struct us_order *order, struct us_reader *r, size_t index)
{
	struct us_party *party = &order->parties[index];

	party->id = us_order_take_text(order, r, FORM_ID, US_ORDER_ID_MAX);
	for (size_t i = 0; i < index; i++)
		if (same(order->parties[i].id, party->id))
			us_reader_fail(r, US_ERR_EXISTS);
	party->name = us_order_take_text(order, r, FORM_TEXT, US_ORDER_TEXT_MAX);
	party->n_signers = us_take_u8(r);
	if (party->n_signers == 0 || party->n_signers > US_ORDER_SIGNERS) {
		us_reader_fail(r, US_ERR_LIMIT);
		party->n_signers = 0;
	}
	for (size_t i = 0; i < party->n_signers; i++) {
		struct us_signer *s = &party->signers[i];
		s->person = us_order_take_text(order, r, FORM_TEXT, US_ORDER_NAME_MAX);
		s->capacity = us_order_take_capacity(r);
		/* who adds people must not be who signs them in */
		if (us_capacity_runs_machine(s->capacity))
			us_reader_fail(r, US_ERR_DENIED);
		for (size_t j = 0; j < i; j++)
			if (same(party->signers[j].person, s->person))
				us_reader_fail(r, US_ERR_EXISTS);
	}
}

static void
take_purpose(struct us_order *order, struct us_reader *r, size_t index)
{
	struct us_purpose *purpose = &order->purposes[index];

	purpose->code = us_order_take_text(order, r, FORM_ID, US_ORDER_ID_MAX);
	purpose->text = us_order_take_text(order, r, FORM_TEXT, US_ORDER_TEXT_MAX);
	for (size_t i = 0; i < index; i++)
		if (same(order->purposes[i].code, purpose->code))
			us_reader_fail(r, US_ERR_EXISTS);
}

static void
take_collections(struct us_order *order, struct us_reader *r, struct us_rule *rule)
{
	size_t n = us_take_u8(r);

	if (n > US_ORDER_COLLECTIONS)
		us_reader_fail(r, US_ERR_LIMIT);
	if ((n == 0) != rule->any_collection)
		us_reader_fail(r, US_ERR_FORMAT);
	if (r->err != US_OK || n == 0)
		return;
	rule->collections = calloc(n, sizeof *rule->collections);
	if (rule->collections == NULL) {
		us_reader_fail(r, US_ERR_NOMEM);
		return;
	}
	rule->n_collections = n;
	for (size_t i = 0; i < n; i++) {
		rule->collections[i] = us_order_take_text(order, r, FORM_ID, US_ORDER_ID_MAX);
		for (size_t j = 0; j < i; j++)
			if (same(rule->collections[i], rule->collections[j]))
				us_reader_fail(r, US_ERR_EXISTS);
	}
}

static void
take_designation(struct us_order *order, struct us_reader *r, size_t index)
{
	struct us_designation *d = &order->designations[index];

	d->name = us_order_take_text(order, r, FORM_TEXT, US_ORDER_ID_MAX);
	for (size_t i = 0; i < index; i++)
		if (same(order->designations[i].name, d->name))
			us_reader_fail(r, US_ERR_EXISTS);
}

static void
take_calendar(struct us_order *order, struct us_reader *r, size_t index)
{
	struct us_calendar *c = &order->calendars[index];
	int32_t *holidays;
	size_t n;

	c->id = us_order_take_text(order, r, FORM_ID, US_ORDER_ID_MAX);
	for (size_t i = 0; i < index; i++)
		if (same(order->calendars[i].id, c->id))
			us_reader_fail(r, US_ERR_EXISTS);
	c->zone_name = us_order_take_text(order, r, FORM_TEXT, US_ZONE_MAX);
	c->zone_posix = us_order_take_text(order, r, FORM_TEXT, US_ZONE_MAX);
	if (r->err == US_OK && us_zone_parse(&c->zone, c->zone_posix) != US_OK)
		us_reader_fail(r, US_ERR_FORMAT);
	c->weekdays = us_take_u8(r);
	c->from_minute = us_take_u16(r);
	c->to_minute = us_take_u16(r);
	if (c->weekdays == 0 || c->weekdays > 0x7f || c->from_minute >= c->to_minute ||
	    c->to_minute > 1440)
		us_reader_fail(r, US_ERR_RANGE);
	n = us_order_take_count(r, US_HOLIDAYS_MAX, 4);
	if (n == 0)
		return;
	holidays = calloc(n, sizeof *holidays);
	if (holidays == NULL) {
		us_reader_fail(r, US_ERR_NOMEM);
		return;
	}
	c->holidays = holidays;
	c->n_holidays = n;
	for (size_t i = 0; i < n; i++) {
		holidays[i] = (int32_t)us_take_u32(r);
		if (i > 0 && holidays[i] <= holidays[i - 1])
			us_reader_fail(r, US_ERR_FORMAT);
	}
}

static void
take_period(struct us_order *order, struct us_reader *r, size_t index)
{
	struct us_period *p = &order->periods[index];

	p->id = us_order_take_text(order, r, FORM_ID, US_ORDER_ID_MAX);
	for (size_t i = 0; i < index; i++)
		if (same(order->periods[i].id, p->id))
			us_reader_fail(r, US_ERR_EXISTS);
	p->from_ns = (int64_t)us_take_u64(r);
	p->until_ns = (int64_t)us_take_u64(r);
	if (p->from_ns >= p->until_ns)
		us_reader_fail(r, US_ERR_RANGE);
}

static void
take_matter_state(struct us_order *order, struct us_reader *r, size_t index)
{
	order->matter_states[index] = us_order_take_text(order, r, FORM_ID, US_ORDER_ID_MAX);
	for (size_t i = 0; i < index; i++)
		if (same(order->matter_states[i], order->matter_states[index]))
			us_reader_fail(r, US_ERR_EXISTS);
}

static void
take_quorum(const struct us_order *order, struct us_reader *r, struct us_quorum *q)
{
	size_t n = us_order_take_small_count(r, US_ORDER_QUORUM);

	for (size_t i = 0; i < n; i++) {
		q->alternatives[i] = us_order_take_parties(order, r);
		if (q->alternatives[i] == 0) /* nobody's signature is no signature */
			us_reader_fail(r, US_ERR_FORMAT);
		for (size_t j = 0; j < i; j++)
			if (q->alternatives[i] == q->alternatives[j])
				us_reader_fail(r, US_ERR_EXISTS);
	}
	q->n = n;
}

static void
take_clearance(struct us_order *order, struct us_reader *r, size_t index)
{
	struct us_clearance *c = &order->clearances[index];

	c->id = us_order_take_text(order, r, FORM_ID, US_ORDER_ID_MAX);
	for (size_t i = 0; i < index; i++)
		if (same(order->clearances[i].id, c->id))
			us_reader_fail(r, US_ERR_EXISTS);
	c->paragraph = us_order_take_text(order, r, FORM_TEXT, US_ORDER_PARAGRAPH_MAX);
	c->serve = us_order_take_parties(order, r);
	c->days = us_take_u16(r);
	c->working_only = us_order_take_flag(r);
	take_quorum(order, r, &c->confirm);
	if (c->serve == 0 || c->days == 0 || c->days > 3650)
		us_reader_fail(r, US_ERR_RANGE);
}

static void
take_workflows(struct us_order *order, struct us_reader *r)
{
	struct us_workflows *w = &order->workflows;

	w->acknowledgement_paragraph = us_order_take_text(order, r, FORM_TEXT_OR_EMPTY,
	    US_ORDER_PARAGRAPH_MAX);
	w->carries_over = us_order_take_flag(r);
	w->renew_by_ns = (int64_t)us_take_u64(r);
	take_quorum(order, r, &w->amend);
	w->may_suspend = us_order_take_parties(order, r);
	w->may_freeze = us_order_take_parties(order, r);
	take_quorum(order, r, &w->lift);
	w->clawback_visible = us_take_u32(r);
	if ((w->clawback_visible & ~US_CAPACITY_ANY) != 0)
		us_reader_fail(r, US_ERR_RANGE);
	w->may_resolve = us_order_take_parties(order, r);
	w->confer_days = us_take_u16(r);
	w->move_days = us_take_u16(r);
	if (w->confer_days > 3650 || w->move_days > 3650)
		us_reader_fail(r, US_ERR_RANGE);
}

static void
take_conditions(struct us_order *order, struct us_reader *r, struct us_rule *rule)
{
	struct us_conditions *c = &rule->conditions;
	struct us_approval_need *need = &c->approval;
	size_t n;

	c->purpose = (enum us_purpose_need)us_take_u8(r);
	c->acknowledgement = us_order_take_flag(r);
	c->clearance = us_order_take_reference(r, order->n_clearances);
	c->calendar = us_order_take_reference(r, order->n_calendars);
	c->period = us_order_take_reference(r, order->n_periods);
	c->matter_states = us_take_u16(r);
	if (c->matter_states >> order->n_matter_states != 0)
		us_reader_fail(r, US_ERR_RANGE);
	c->credential_bits = us_take_u16(r);
	c->credential_days = us_take_u16(r);
	need->count = us_take_u8(r);
	if (need->count > US_ORDER_APPROVALS)
		us_reader_fail(r, US_ERR_LIMIT);
	if (r->err == US_OK && need->count > 0) {
		need->any_party = us_order_take_flag(r);
		need->parties = us_order_take_parties(order, r);
		need->capacities = us_take_u32(r);
		need->hours = us_take_u16(r);
		if (need->any_party ? need->parties != 0 : need->parties == 0)
			us_reader_fail(r, US_ERR_FORMAT);
		if (need->capacities == 0 || (need->capacities & ~US_CAPACITY_ANY) != 0 ||
		    need->hours == 0)
			us_reader_fail(r, US_ERR_RANGE);
	}
	n = us_order_take_small_count(r, US_ORDER_NETWORKS);
	if (n * 17 > r->left)
		us_reader_fail(r, US_ERR_TRUNCATED);
	if (r->err != US_OK || n == 0)
		return;
	c->networks = calloc(n, sizeof *c->networks);
	if (c->networks == NULL) {
		us_reader_fail(r, US_ERR_NOMEM);
		return;
	}
	c->n_networks = n;
	for (size_t i = 0; i < n; i++) {
		struct us_network *w = &c->networks[i];
		w->bits = us_take_u8(r);
		us_take_into(r, w->address, 16);
		if (w->bits > 128)
			us_reader_fail(r, US_ERR_RANGE);
		for (unsigned bit = w->bits; bit < 128; bit++)
			if ((w->address[bit / 8] >> (7 - bit % 8) & 1) != 0)
				us_reader_fail(r, US_ERR_RANGE);
		for (size_t j = 0; j < i; j++)
			if (memcmp(w, &c->networks[j], sizeof *w) == 0)
				us_reader_fail(r, US_ERR_EXISTS);
	}
}

static void
take_limits(struct us_reader *r, struct us_limits *l)
{
	l->per = (enum us_quota_per)us_take_u8(r);
	l->records_per_request = us_take_u32(r);
	l->consecutive = us_take_u32(r);
	l->per_day = us_take_u32(r);
	l->life = us_take_u32(r);
	l->share = us_take_u32(r);
	if ((l->per != US_PER_PERSON && l->per != US_PER_PARTY) || l->records_per_request == 0 ||
	    l->consecutive == 0 || l->per_day == 0 || l->life == 0 || l->share == 0 ||
	    (l->consecutive != US_UNLIMITED && l->consecutive > US_RUN_LIMIT) ||
	    (l->share != US_UNLIMITED && l->share > US_MILLION))
		us_reader_fail(r, US_ERR_RANGE);
}

static void
take_mask(struct us_reader *r, struct us_mask *m)
{
	m->identifiers = us_take_u8(r);
	m->roles = us_take_u8(r);
	m->fields = us_take_u8(r);
	m->except_match = (uint8_t)us_order_take_flag(r);
	if ((m->roles & ~US_MASK_ROLES_ALL) != 0 || m->fields > US_MASK_FIELDS_ALL)
		us_reader_fail(r, US_ERR_RANGE);
}

/* What no rule may say, however well it is written. */
static int
check_rule(const struct us_order *order, const struct us_rule *rule)
{
	int evidence = 0, log = 0;

	if (rule->any_party ? rule->parties != 0 : rule->parties == 0)
		return US_ERR_FORMAT;
	if (rule->capacities == 0 || (rule->capacities & ~US_CAPACITY_ANY) != 0)
		return US_ERR_RANGE;
	if (rule->actions[0] == 0 && rule->actions[1] == 0)
		return US_ERR_FORMAT;
	for (unsigned a = 0; a < US_ACTIONS_MAX; a++) {
		if (!us_actions_has(rule->actions, (enum us_action)a))
			continue;
		if (us_action_name(a) == NULL || us_action_row(a)->class == US_ACTIONS_INTERNAL)
			return US_ERR_RANGE;
		evidence |= us_action_row(a)->is_evidence;
		log |= us_action_row(a)->opens_log;
	}
	if (rule->effect == US_FORBID)
		return US_OK;
	if (evidence && (rule->capacities & us_capacities_of_machine()) != 0)
		return US_ERR_DENIED;
	if ((unsigned)rule->conditions.purpose > US_PURPOSE_LISTED || rule->boxes > US_BOXES_ALL)
		return US_ERR_RANGE;
	if (rule->conditions.purpose == US_PURPOSE_LISTED && order->n_purposes == 0)
		return US_ERR_FORMAT;
	if ((rule->boxes != 0) != log || (rule->boxes != 0) != (rule->log_scope != 0) ||
	    (unsigned)rule->log_scope > US_LOG_SCOPE_MAX)
		return US_ERR_FORMAT;
	return US_OK;
}

static void
take_rule(struct us_order *order, struct us_reader *r, size_t index)
{
	struct us_rule *rule = &order->rules[index];

	rule->id = us_order_take_text(order, r, FORM_ID, US_ORDER_ID_MAX);
	for (size_t i = 0; i < index; i++)
		if (same(order->rules[i].id, rule->id))
			us_reader_fail(r, US_ERR_EXISTS);
	rule->paragraph = us_order_take_text(order, r, FORM_TEXT, US_ORDER_PARAGRAPH_MAX);
	rule->effect = (enum us_effect)us_take_u8(r);
	if (rule->effect != US_PERMIT && rule->effect != US_FORBID)
		us_reader_fail(r, US_ERR_RANGE);
	unsigned flags = us_take_u8(r);
	if ((flags &
		~(unsigned)(US_RULE_FLAG_ANY_PARTY | US_RULE_FLAG_ANY_COLLECTION |
		    US_RULE_FLAG_QUERY)) != 0)
		us_reader_fail(r, US_ERR_RANGE);
	rule->any_party = (flags & US_RULE_FLAG_ANY_PARTY) != 0;
	rule->any_collection = (flags & US_RULE_FLAG_ANY_COLLECTION) != 0;
	rule->is_query = (flags & US_RULE_FLAG_QUERY) != 0;
	rule->parties = us_order_take_parties(order, r);
	rule->capacities = us_take_u32(r);
	rule->actions[0] = us_take_u64(r);
	rule->actions[1] = us_take_u64(r);
	take_collections(order, r, rule);
	struct us_bytes what = us_take_str32(r, US_ORDER_WHAT_MAX);
	if (r->err == US_OK &&
	    (rule->is_query ? !us_text_ok(what, US_ORDER_WHAT_MAX) : what.n != 0))
		us_reader_fail(r, US_ERR_ENCODING);
	rule->what = us_order_keep_text(order, r, what);
	if (rule->effect == US_PERMIT) {
		take_conditions(order, r, rule);
		take_limits(r, &rule->limits);
		take_mask(r, &rule->mask);
		rule->boxes = us_take_u8(r);
		rule->log_scope = (enum us_log_scope)us_take_u8(r);
	} else {
		rule->limits = us_limits_none();
	}
	if (r->err == US_OK) {
		int err = check_rule(order, rule);
		if (err != US_OK)
			us_reader_fail(r, err);
	}
}

/* Allocates a list of n; n is set on success only, so that freeing never reads beyond. */
static void *
list_new(struct us_reader *r, size_t n, size_t size, size_t *n_out)
{
	void *list = NULL;

	if (r->err == US_OK && n > 0) {
		list = calloc(n, size);
		if (list == NULL)
			us_reader_fail(r, US_ERR_NOMEM);
		else
			*n_out = n;
	}
	return list;
}

static void
take_order(struct us_order *order, struct us_reader *r)
{
	struct us_bytes magic = us_take(r, 4);

	if (r->err == US_OK && memcmp(magic.p, US_ORDER_MAGIC, 4) != 0)
		us_reader_fail(r, US_ERR_FORMAT);
	us_take_into(r, order->source_digest, 32);
	order->version = us_take_u32(r);
	if (order->version == 0)
		us_reader_fail(r, US_ERR_RANGE);
	order->title = us_order_take_text(order, r, FORM_TEXT, US_ORDER_TEXT_MAX);
	order->docket = us_order_take_text(order, r, FORM_TEXT_OR_EMPTY, US_ORDER_TEXT_MAX);
	order->default_paragraph = us_order_take_text(order, r, FORM_TEXT_OR_EMPTY,
	    US_ORDER_PARAGRAPH_MAX);
	order->smallest_count = us_take_u32(r);
	uint8_t home = us_take_u8(r);
#define LIST(count, list, number, take) \
	do { \
		order->list = list_new(r, count, sizeof *order->list, &order->number); \
		for (size_t i = 0; i < order->number && r->err == US_OK; i++) \
			take(order, r, i); \
	} while (0)
	LIST(us_order_take_count(r, US_ORDER_PARTIES, 8), parties, n_parties, take_party);
	LIST(us_order_take_small_count(r, US_ORDER_DESIGNATIONS), designations, n_designations,
	    take_designation);
	LIST(us_order_take_small_count(r, US_ORDER_CALENDARS), calendars, n_calendars,
	    take_calendar);
	LIST(us_order_take_small_count(r, US_ORDER_PERIODS), periods, n_periods, take_period);
	LIST(us_order_take_count(r, US_ORDER_PURPOSES, 6), purposes, n_purposes, take_purpose);
	LIST(us_order_take_small_count(r, US_ORDER_MATTER_STATES), matter_states, n_matter_states,
	    take_matter_state);
	LIST(us_order_take_small_count(r, US_ORDER_CLEARANCES), clearances, n_clearances,
	    take_clearance);
	take_workflows(order, r);
	LIST(us_order_take_count(r, US_ORDER_RULES, 40), rules, n_rules, take_rule);
#undef LIST
	if (home > order->n_calendars)
		us_reader_fail(r, US_ERR_RANGE);
	order->home_calendar = home;
	/* all or nothing: parties whom no rule concerns, or rules without parties, are a mistake */
	if ((order->n_parties == 0) != (order->n_rules == 0))
		us_reader_fail(r, US_ERR_FORMAT);
}

int
us_order_decode(const void *compiled, size_t n, struct us_order **out)
{
	struct us_reader r;
	struct us_order *order;
	int err;

	*out = NULL;
	if (n > US_ORDER_COMPILED_MAX)
		return US_ERR_LIMIT;
	order = calloc(1, sizeof *order);
	if (order == NULL)
		return US_ERR_NOMEM;
	us_buf_init(&order->texts, n + 1);
	err = us_buf_reserve(&order->texts, n + 1, NULL);
	if (err != US_OK)
		goto out;
	us_reader_init(&r, compiled, n);
	take_order(order, &r);
	err = us_reader_end(&r);
	if (err == US_OK)
		err = us_sha256(compiled, n, order->compiled_digest);
	if (err != US_OK)
		goto out;
	*out = order;
	order = NULL; /* transferred */
out:
	us_order_free(order);
	return err;
}
