/* Runs a suite: each statement is a request, ruled on as the vault would, and compared with what it
 * expects. */
#include <string.h>

#include "base/array.h"
#include "base/err.h"
#include "policy/suite/suite_internal.h"

#define TEXT_MAX (1u << 20) /* of one statement's explanation: 512 rules with a line each */

/* ---- the request ---- */

/* As if each record asked about were new. */
static struct us_meter
after(const struct us_meter *used, const struct us_suite_statement *s)
{
	return (
	    struct us_meter){ used->day + s->records, used->life + s->records, used->run + s->run };
}

static struct us_context
context_of(const struct us_suite_statement *s)
{
	struct us_context c = { .collection = s->facts.collection,
		.purpose = s->facts.purpose,
		.records = s->records,
		.now_ns = s->facts.at_ns,
		.has_address = s->facts.has_address,
		.matter = s->facts.matter,
		.credential_bits = s->facts.credential_bits,
		.credential_days = s->facts.credential_days,
		.n_approvers = s->n_approvers,
		.approvers = s->approvers,
		.n_freezes = s->n_freezes,
		.freezes = &s->freeze,
		.person_before = s->person_used,
		.person_after = after(&s->person_used, s),
		.party_before = s->party_used,
		.party_after = after(&s->party_used, s),
		.corpus = s->facts.corpus };

	memcpy(c.address, s->facts.address, sizeof c.address);
	return c;
}

/* 1 if the rule's query finds the record. */
static int
finds(const struct us_suite *suite, size_t rule, const struct us_suite_record *record, int *out)
{
	*out = 1;
	return suite->queries[rule] == NULL ?
	    US_OK :
	    us_match(suite->queries[rule], &record->document, out);
}

/* Whether the ruling's visible set has the record: some permit finds it and no forbid does. If not,
 * *forbid is the first forbid that finds it, or -1. */
static int
is_visible(const struct us_suite *suite, const struct us_ruling *r,
    const struct us_suite_record *record, int *visible, int *forbid)
{
	int yes = 0;

	*visible = 0;
	*forbid = -1;
	for (int i = us_rules_next(r->forbids, 0); i >= 0; i = us_rules_next(r->forbids, i + 1)) {
		int err = finds(suite, (size_t)i, record, &yes);

		if (err != US_OK)
			return err;
		if (yes) {
			*forbid = i;
			return US_OK;
		}
	}
	for (int i = us_rules_next(r->permits, 0); i >= 0 && !*visible;
	     i = us_rules_next(r->permits, i + 1)) {
		int err = finds(suite, (size_t)i, record, visible);

		if (err != US_OK)
			return err;
	}
	return US_OK;
}

/* Who has no permit at all to read a collection is told small numbers as "fewer than". */
static uint32_t
fewer_than(const struct us_suite *suite, const struct us_subject *subject,
    const struct us_context *context)
{
	struct us_ruling reading;

	us_order_evaluate(suite->order, subject, US_ACTION_READ, context, &reading);
	return us_rules_next(reading.permits, 0) < 0 ? suite->order->smallest_count : 0;
}

static int
rule_on(const struct us_suite *suite, const struct us_suite_statement *s,
    struct us_suite_said *found)
{
	const struct us_subject *subject = &suite->people[s->person].subject;
	const struct us_context context = context_of(s);
	struct us_ruling r;
	int visible, forbid, err;

	us_order_evaluate(suite->order, subject, s->action, &context, &r);
	*found = (struct us_suite_said){ .decision = r.decision,
		.paragraph = r.paragraph,
		.reason = r.reason,
		.mask = r.mask,
		.boxes = r.boxes,
		.log_scope = r.log_scope,
		.fewer_than = fewer_than(suite, subject, &context),
		.left = { r.left.records_per_request, r.left.consecutive, r.left.per_day,
		    r.left.life, r.left.share } };
	found->says = ~0u;
	if (r.decision != US_DECISION_ALLOW || s->record == 0)
		return US_OK;
	/* an action that no rule needs to permit is not about records either */
	if (us_rules_next(r.permits, 0) < 0)
		return US_OK;
	err = is_visible(suite, &r, &suite->records[s->record - 1], &visible, &forbid);
	if (err != US_OK || visible)
		return err;
	found->decision = US_DECISION_DENY;
	found->reason = US_REASON_NOT_VISIBLE;
	found->paragraph = forbid >= 0 ? suite->order->rules[forbid].paragraph :
					 suite->order->default_paragraph;
	return US_OK;
}

/* ---- why ---- */

struct us_suite_why {
	const struct us_suite *suite;
	const struct us_suite_statement *statement;
	struct us_buf *out;
	int err; /* the first */
};

static void
put(struct us_suite_why *w, const char *text)
{
	if (w->err == US_OK)
		w->err = us_buf_putf(w->out, "%s", text);
}

static void
put_misses(struct us_suite_why *w, unsigned misses)
{
	static const struct {
		unsigned bit;
		const char *text;
	} names[] = { { US_MISSES_PARTY, " party" }, { US_MISSES_CAPACITY, " capacity" },
		{ US_MISSES_ACTION, " action" }, { US_MISSES_COLLECTION, " collection" } };

	put(w, "does not fit:");
	for (size_t i = 0; i < US_COUNT(names); i++)
		if ((misses & names[i].bit) != 0)
			put(w, names[i].text);
}

static void
put_conditions(struct us_suite_why *w, const struct us_explained *e)
{
	put(w, "permits");
	for (unsigned c = 0; c < US_CONDITIONS; c++) {
		if ((e->asked >> c & 1) == 0)
			continue;
		put(w, (e->fails >> c & 1) != 0 ? "; fails: " : "; holds: ");
		put(w, us_condition_name(c));
	}
}

/* Whether a fitting rule's query finds the record that the statement is about. */
static void
put_query(struct us_suite_why *w, uint32_t rule)
{
	const size_t record = w->statement->record;
	int yes;

	if (record == 0 || w->suite->queries[rule] == NULL || w->err != US_OK)
		return;
	w->err = finds(w->suite, rule, &w->suite->records[record - 1], &yes);
	put(w, yes ? "; its query finds the record" : "; its query does not find the record");
}

static void
explain_rule(void *ctx, const struct us_explained *e)
{
	struct us_suite_why *w = ctx;
	const struct us_rule *rule = &w->suite->order->rules[e->rule];

	if (w->err == US_OK)
		w->err = us_buf_putf(w->out, "%.*s (%.*s): ", (int)rule->id.n,
		    (const char *)rule->id.p, (int)rule->paragraph.n,
		    (const char *)rule->paragraph.p);
	switch (e->standing) {
	case US_STANDS_NOT:
		put_misses(w, e->misses);
		break;
	case US_STANDS_PERMIT:
		put_conditions(w, e);
		break;
	case US_STANDS_FORBID:
		put(w, "forbids everything asked about");
		break;
	case US_STANDS_EXCLUDES:
		put(w, "takes records out");
		break;
	}
	if (e->standing == US_STANDS_PERMIT || e->standing == US_STANDS_EXCLUDES)
		put_query(w, e->rule);
	put(w, "\n");
}

/* ---- the suite ---- */

struct us_suite_texts {
	struct us_buf statement, expected, found, why;
};

static int
put_statement(const struct us_suite *suite, const struct us_suite_statement *s, struct us_buf *b)
{
	const struct us_bytes who = suite->people[s->person].id;
	int err = us_buf_putf(b, "%.*s %s %s", (int)who.n, (const char *)who.p,
	    s->expected.decision == US_DECISION_ALLOW ? "may" : "may not",
	    us_action_name((unsigned)s->action));

	if (err != US_OK || s->record == 0)
		return err;
	const struct us_bytes record = suite->records[s->record - 1].id;
	return us_buf_putf(b, " %.*s", (int)record.n, (const char *)record.p);
}

static int
report(const struct us_suite *suite, const struct us_suite_statement *s,
    const struct us_suite_said *found, struct us_suite_texts *t, struct us_suite_result *r)
{
	const struct us_context context = context_of(s);
	struct us_suite_why w = { suite, s, &t->why, US_OK };
	int err;

	us_buf_reset(&t->statement);
	us_buf_reset(&t->expected);
	us_buf_reset(&t->found);
	us_buf_reset(&t->why);
	err = put_statement(suite, s, &t->statement);
	if (err == US_OK)
		err = us_suite_put_said(&t->expected, &s->expected, s->expected.says);
	/* what was found always names its paragraph and reason: who mends the order or the suite
	 * looks for them */
	if (err == US_OK)
		err = us_suite_put_said(&t->found, found,
		    s->expected.says | US_SAYS_PARAGRAPH | US_SAYS_REASON);
	if (err != US_OK)
		return err;
	us_order_explain(suite->order, &suite->people[s->person].subject, s->action, &context,
	    explain_rule, &w);
	r->statement = us_buf_cstr(&t->statement);
	r->expected = us_buf_cstr(&t->expected);
	r->found = us_buf_cstr(&t->found);
	r->why = suite->order->n_rules == 0 ? "" : us_buf_cstr(&t->why);
	return w.err != US_OK ? w.err :
	    r->statement == NULL || r->expected == NULL || r->found == NULL || r->why == NULL ?
				US_ERR_NOMEM :
				US_OK;
}

int
us_suite_run(const struct us_suite *suite, void (*each)(void *ctx, const struct us_suite_result *r),
    void *ctx, struct us_suite_counts *counts)
{
	struct us_suite_texts t;
	int err = US_OK;

	*counts = (struct us_suite_counts){ 0, 0 };
	us_buf_init(&t.statement, TEXT_MAX);
	us_buf_init(&t.expected, TEXT_MAX);
	us_buf_init(&t.found, TEXT_MAX);
	us_buf_init(&t.why, TEXT_MAX);
	for (size_t i = 0; err == US_OK && i < suite->n_statements; i++) {
		const struct us_suite_statement *s = &suite->statements[i];
		struct us_suite_result r = { .line = s->line, .column = s->column };
		struct us_suite_said found;

		err = rule_on(suite, s, &found);
		if (err != US_OK)
			break;
		r.failed = !us_suite_agrees(&s->expected, &found);
		counts->statements++;
		counts->failed += (size_t)r.failed;
		if (each == NULL)
			continue;
		err = report(suite, s, &found, &t, &r);
		if (err == US_OK)
			each(ctx, &r);
	}
	us_buf_free(&t.statement);
	us_buf_free(&t.expected);
	us_buf_free(&t.found);
	us_buf_free(&t.why);
	return err;
}
