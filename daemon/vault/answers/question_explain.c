/*
 * "order explain": what every rule says to one request, and what would help; "order who": who may
 * do something with a record.
 *
 * The answer is the order's as the vault can give it without the request itself: what it can't know
 * (address, what was disclosed before, approvals) is left out and named, a purpose is taken to be
 * stated. About a past moment the registry is folded again up to then; records are asked about as
 * they are now.
 */
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/err.h"
#include "base/time.h"
#include "daemon/vault/answers/answer.h"
#include "daemon/vault/answers/question.h"
#include "daemon/vault/answers/question_rules.h"
#include "daemon/vault/decide/sight.h"
#include "daemon/vault/state/history.h"
#include "registry/hypothetical.h"

#define TEXT_MAX_BYTES 1024

struct us_vault_asking {
	const struct us_msg_question_request *q; /* the request's */
	enum us_action action;
	uint32_t person;
	int has_record;
	uint64_t record;
	uint64_t entry;
	int64_t at_ns;
	struct us_registry *past; /* owned; NULL: as it is now */
	const struct us_registry *then;
};

static void
asking_free(struct us_vault_request *r)
{
	struct us_vault_asking *a = r->own.asking;

	us_registry_free(a->past);
	free(a);
}

/* --- one person's case ------------------------------------------------------------------------ */

/* What the order says to one person, and whether its rules let them see the record. */
struct us_vault_hypothetical {
	struct us_hypothetical of;
	int visible; /* 1, 0; below 0: not known */
};

static void
judge(const struct us_vault_request *r, const struct us_vault_asking *a,
    struct us_vault_question_rules *rules, const struct us_person *person,
    struct us_vault_hypothetical *o)
{
	const struct us_person *now = us_registry_person(us_vault_registry_of(r), person->id);

	us_registry_hypothetical(a->then, person, a->action,
	    us_registry_collection(a->then, r->who.collection), a->has_record ? 1 : 0, a->at_ns,
	    &o->of);
	o->visible = -1;
	/* what a record is like is not for administrators to find out */
	if (rules != NULL && a->has_record && us_action_row(a->action)->is_evidence &&
	    now != NULL && !us_capacity_runs_machine(r->who.subject.capacity))
		o->visible = us_vault_question_sees(rules, &o->of.ruling, person->capacity,
		    now->party_bits, a->record);
}

static void
put_visible(const struct us_vault_hypothetical *o, struct us_json *j)
{
	us_json_key(j, "visible");
	if (o->visible < 0)
		us_json_null(j);
	else
		us_json_bool(j, o->visible);
}

static void
put_text(struct us_json *j, const char *key, struct us_bytes text)
{
	us_json_key(j, key);
	if (text.n == 0)
		us_json_null(j);
	else
		us_json_str(j, text);
}

/* --- explain ---------------------------------------------------------------------------------- */

struct us_vault_lines {
	const struct us_order *order;
	struct us_json *j;
};

static void
put_misses(unsigned misses, struct us_json *j)
{
	static const struct {
		unsigned bit;
		const char *name;
	} names[] = {
		{ US_MISSES_PARTY, "party" },
		{ US_MISSES_CAPACITY, "capacity" },
		{ US_MISSES_ACTION, "action" },
		{ US_MISSES_COLLECTION, "collection" },
	};

	us_json_key(j, "misses");
	us_json_array(j);
	for (size_t i = 0; i < US_COUNT(names); i++)
		if ((misses & names[i].bit) != 0)
			us_json_cstr(j, names[i].name);
	us_json_close(j);
}

static const char *
standing_name(enum us_standing standing)
{
	switch (standing) {
	case US_STANDS_NOT:
		return "not";
	case US_STANDS_PERMIT:
		return "permit";
	case US_STANDS_FORBID:
		return "forbid";
	case US_STANDS_EXCLUDES:
		return "excludes";
	}
	return "not";
}

static void
put_line(void *ctx, const struct us_explained *e)
{
	const struct us_vault_lines *l = ctx;
	const struct us_rule *rule = &l->order->rules[e->rule];
	struct us_json *j = l->j;

	us_json_object(j);
	us_json_kv_str(j, "rule", rule->id);
	us_json_kv_str(j, "paragraph", rule->paragraph);
	us_json_kv_cstr(j, "effect", rule->effect == US_PERMIT ? "permit" : "forbid");
	us_json_kv_cstr(j, "stands", standing_name(e->standing));
	put_misses(e->misses, j);
	us_json_key(j, "holds");
	us_json_array(j);
	for (unsigned c = 0; c < US_CONDITIONS; c++)
		if ((e->asked & ~e->fails) >> c & 1)
			us_json_cstr(j, us_condition_name(c));
	us_json_close(j);
	us_json_key(j, "fails");
	us_json_array(j);
	for (unsigned c = 0; c < US_CONDITIONS; c++) {
		if ((e->fails >> c & 1) == 0)
			continue;
		us_json_object(j);
		us_json_kv_cstr(j, "condition", us_condition_name(c));
		us_json_kv_cstr(j, "cure", us_condition_cure((enum us_condition)c, rule));
		us_json_close(j);
	}
	us_json_close(j);
	us_json_close(j);
}

/* What the answer does not look at, and what it takes for granted. */
static void
put_left_out(const struct us_vault_hypothetical *o, struct us_json *j)
{
	us_json_key(j, "not_asked");
	us_json_array(j);
	us_json_cstr(j, "address");
	us_json_cstr(j, "usage");
	us_json_cstr(j, "approval");
	if (!o->of.has_credential)
		us_json_cstr(j, "credential");
	us_json_close(j);
	us_json_key(j, "assumed");
	us_json_array(j);
	if (o->of.ruling.purpose_needed)
		us_json_cstr(j, "purpose");
	us_json_close(j);
}

static void
put_explanation(struct us_vault_asking *a, const struct us_vault_hypothetical *o, struct us_json *j)
{
	const struct us_order *order = us_registry_order(a->then);
	struct us_vault_lines lines = { order, j };
	const enum us_reason fallen = us_person_fallen(a->then, o->of.person, a->at_ns);

	us_json_kv_uint(j, "person", o->of.person->id);
	us_json_kv_cstr(j, "name", o->of.person->name);
	us_json_kv_cstr(j, "action", us_action_name((unsigned)a->action));
	us_json_kv_cstr(j, "decision",
	    us_decision_name(
		(unsigned)(fallen == US_REASON_NONE ? o->of.ruling.decision : US_DECISION_DENY)));
	us_json_kv_cstr(j, "reason",
	    us_reason_name((unsigned)(fallen == US_REASON_NONE ? o->of.ruling.reason : fallen)));
	put_text(j, "rule", o->of.ruling.rule_id);
	put_text(j, "paragraph", o->of.ruling.paragraph);
	us_json_kv_cstr(j, "cure", o->of.ruling.cure[0] == '\0' ? NULL : o->of.ruling.cure);
	if (o->of.ruling.freeze != 0)
		us_json_kv_uint(j, "freeze", o->of.ruling.freeze);
	us_json_kv_time(j, "at", a->at_ns);
	us_json_kv_uint(j, "order", order->version);
	us_json_kv_cstr(j, "standing", us_person_status_name(o->of.person->status));
	us_json_kv_bool(j, "credential", o->of.has_credential);
	put_visible(o, j);
	us_json_key(j, "conditions");
	us_json_array(j);
	us_order_explain(order, &o->of.subject, a->action, &o->of.context, put_line, &lines);
	us_json_close(j);
	put_left_out(o, j);
	us_json_kv_uint(j, "entry", a->entry);
	us_json_close(j);
}

/* --- who -------------------------------------------------------------------------------------- */

static void
put_who(const struct us_vault_asking *a, const struct us_vault_hypothetical *o, struct us_json *j)
{
	enum us_reason reason = us_person_fallen(a->then, o->of.person, a->at_ns);

	if (reason == US_REASON_NONE)
		reason = o->of.ruling.reason;
	if (reason == US_REASON_NONE && o->visible == 0)
		reason = US_REASON_NOT_VISIBLE;
	us_json_object(j);
	us_json_kv_uint(j, "person", o->of.person->id);
	us_json_kv_cstr(j, "name", o->of.person->name);
	us_json_kv_cstr(j, "decision", reason == US_REASON_NONE ? "allow" : "deny");
	us_json_kv_cstr(j, "reason", us_reason_name((unsigned)reason));
	put_text(j, "rule", o->of.ruling.rule_id);
	put_text(j, "paragraph", o->of.ruling.paragraph);
	put_visible(o, j);
	us_json_close(j);
}

static void
put_all(struct us_vault_request *r, struct us_vault_asking *a,
    struct us_vault_question_rules *rules, struct us_json *j)
{
	struct us_vault_hypothetical o;

	us_json_kv_str(j, "record", a->q->bates);
	us_json_kv_cstr(j, "action", us_action_name((unsigned)a->action));
	us_json_kv_time(j, "at", a->at_ns);
	us_json_kv_uint(j, "order", us_registry_order(a->then)->version);
	us_json_key(j, "people");
	us_json_array(j);
	for (uint32_t id = 1; id <= us_registry_people(a->then); id++) {
		const struct us_person *p = us_registry_person(a->then, id);

		if (p == NULL)
			continue;
		judge(r, a, rules, p, &o);
		put_who(a, &o, j);
	}
	us_json_close(j);
	us_json_kv_uint(j, "entry", a->entry);
	us_json_close(j);
}

/* --- the request ------------------------------------------------------------------------------ */

static enum us_vault_next
put_answer(struct us_vault_request *r)
{
	struct us_vault_asking *a = r->own.asking;
	const struct us_person *person = us_registry_person(a->then, a->person);
	const int explains = a->q->what == US_QUESTION_EXPLAIN;
	struct us_vault_question_rules rules = { .evidence = NULL }, *asked = NULL;
	struct us_vault_hypothetical o;
	struct us_json j;
	struct us_buf b;

	if (explains && person == NULL) /* not yet there at that time */
		return us_vault_fail(r, US_ERR_NOT_FOUND, US_REASON_NOT_FOUND, a->entry);
	if (a->has_record) {
		asked = &rules;
		if (us_vault_question_rules_init(&rules, r->vault->evidence,
			us_registry_order(a->then), r->who.collection) != US_OK) {
			us_vault_question_rules_free(&rules);
			return us_vault_fail(r, US_ERR_NOMEM, US_REASON_ERROR, a->entry);
		}
	}
	us_vault_json_begin(&j, &b, 64u << 20);
	if (explains) {
		judge(r, a, asked, person, &o);
		put_explanation(a, &o, &j);
	} else {
		put_all(r, a, asked, &j);
	}
	us_vault_question_rules_free(&rules);
	return us_vault_answer_json(r, 200, a->entry, &j, &b);
}

static enum us_vault_next
take_past(struct us_vault_request *r)
{
	struct us_vault_asking *a = r->own.asking;
	int err = US_OK;

	a->entry = r->heard.logged->index;
	a->then = us_vault_registry_of(r);
	if (a->q->at != 0) {
		err = us_vault_history_registry(r->vault, a->q->at, &a->past);
		a->then = a->past;
	}
	return err == US_OK ? US_VAULT_GO_ON : us_vault_fail(r, err, US_REASON_ERROR, a->entry);
}

static enum us_vault_next
open_index(struct us_vault_request *r)
{
	return r->own.asking->has_record ? us_vault_question_open(r) : US_VAULT_GO_ON;
}

/* The question as it stands in the log. */
static enum us_vault_next
log_question(struct us_vault_request *r)
{
	const struct us_vault_asking *a = r->own.asking;
	const struct us_person *person = us_registry_person(us_vault_registry_of(r), a->person);
	char time[US_TIME_TEXT_SIZE];
	enum us_vault_next next;
	struct us_buf b;

	us_buf_init(&b, TEXT_MAX_BYTES);
	if (us_buf_reserve(&b, TEXT_MAX_BYTES, NULL) != US_OK)
		return us_vault_fail(r, US_ERR_NOMEM, US_REASON_ERROR, NO_ENTRY);
	(void)us_buf_putf(&b, "%s: %s", us_action_name((unsigned)r->action),
	    us_action_name((unsigned)a->action));
	if (person != NULL)
		(void)us_buf_putf(&b, " by %s", person->name);
	if (a->has_record)
		(void)us_buf_putf(&b, " of %.*s", (int)a->q->bates.n, (const char *)a->q->bates.p);
	if (a->q->at != 0)
		(void)us_buf_putf(&b, " at %s", us_time_format(a->q->at, time));
	next = us_vault_question_log(r, (struct us_bytes){ b.data, b.len });
	us_buf_free(&b);
	return next;
}

/* What explain and who share: action, collection, record. */
static enum us_vault_next
take_question(struct us_vault_request *r)
{
	const struct us_msg_question_request *q = &r->q.question_request;
	struct us_vault_asking *a = calloc(1, sizeof *a);
	const struct us_collection *c;

	if (a == NULL)
		return us_vault_fail(r, US_ERR_NOMEM, US_REASON_ERROR, NO_ENTRY);
	r->own.asking = a;
	r->own_free = asking_free;
	a->q = q;
	a->at_ns = q->at != 0 ? q->at : us_time_now_ns();
	if (us_action_of(&a->action, (const char *)q->action.p, q->action.n) != US_OK ||
	    a->action == US_ACTION_NONE)
		return us_vault_fail(r, US_ERR_FORMAT, US_REASON_MALFORMED, NO_ENTRY);
	if (q->collection.n > 0 &&
	    us_vault_decide_collection(r->vault, &r->who, q->collection, &r->problem) !=
		US_VAULT_ALLOWED)
		return US_VAULT_REFUSE;
	c = us_registry_collection(us_vault_registry_of(r), r->who.collection);
	a->has_record = q->bates.n > 0;
	if (a->has_record &&
	    (c == NULL || us_bates_parse(c->prefix, q->bates, &a->record) != US_OK))
		return us_vault_fail(r, US_ERR_FORMAT, US_REASON_MALFORMED, NO_ENTRY);
	return US_VAULT_GO_ON;
}

static enum us_vault_next
find_person(struct us_vault_request *r)
{
	const struct us_registry *reg = us_vault_registry_of(r);
	const struct us_person *person = us_registry_person_named(reg,
	    r->q.question_request.person);

	if (person == NULL)
		return us_vault_question_not_found(r, "There is no person of that name");
	r->own.asking->person = person->id;
	if (!us_vault_sight_is_full(&r->who) &&
	    !us_vault_sight_shares_party(reg, &r->who, person->id))
		return us_vault_question_refuse(r,
		    "People of other parties are not yours to ask about");
	return US_VAULT_GO_ON;
}

static enum us_vault_next
may_ask_who(struct us_vault_request *r)
{
	r->action = US_ACTION_ORDER_WHO;
	return us_vault_question_for_all(r);
}

const struct us_vault_step us_vault_explain_steps[] = {
	{ .once = take_question },
	{ .once = find_person },
	{ .once = us_vault_question_ask_order },
	{ .once = log_question },
	{ .once = take_past },
	{ .once = open_index },
	{ .once = us_vault_take_page_keys },
	{ .once = put_answer },
	{ .once = NULL },
};

const struct us_vault_step us_vault_who_steps[] = {
	{ .once = may_ask_who },
	{ .once = take_question },
	{ .once = us_vault_question_ask_order },
	{ .once = log_question },
	{ .once = take_past },
	{ .once = open_index },
	{ .once = us_vault_take_page_keys },
	{ .once = put_answer },
	{ .once = NULL },
};
