#include "daemon/keeper/ledger.h"

#include <stdlib.h>
#include <string.h>

#include "crypto/crypto.h"
#include "base/err.h"
#include "base/log.h"
#include "base/time.h"
#include "daemon/keeper/approve.h"
#include "daemon/keeper/answer.h"
#include "daemon/keeper/internal.h"
#include "daemon/keeper/ledger_file.h"
#include "log/opened.h"
#include "daemon/keeper/life.h"
#include "daemon/keeper/tasks.h"
#include "daemon/keeper/walk.h"
#include "policy/usage.h"
#include "registry/versions.h"

#define SAY_AFTER_NS US_NS_PER_SECOND

/* --- folding ------------------------------------------------------------------------------- */

static int
counts(const struct us_entry_access *a)
{
	return a->kind == US_KIND_DISCLOSURE && a->decision == US_DECISION_ALLOW &&
	    us_action_row(a->action)->is_evidence;
}

static enum us_meter_kind
kind_of(enum us_action action)
{
	return action == US_ACTION_COPY ? US_METER_COPY : US_METER_VIEW;
}

static int
count(const struct us_keeper *k, struct us_usage *usage, const struct us_ledger_fact *f)
{
	const struct us_entry_access *access = f->access;
	const struct us_order_version *version;
	struct us_usage_fact fact = { .person = access->person,
		.n_parties = access->n_parties,
		.parties = access->parties,
		.collection = access->collection,
		.kind = kind_of(access->action),
		.records = f->disclosure->records,
		.n = f->disclosure->n_records };

	if (!counts(access) || f->disclosure->n_records == 0)
		return US_OK;
	if (usage == NULL)
		return US_ERR_STATE;
	version = us_registry_version_of(k->registry, f->order_version);
	if (version == NULL)
		return US_ERR_VERIFY;
	fact.day = us_calendar_day(us_order_calendar(version->order), f->time_ns, NULL);
	return us_usage_fold(usage, &fact);
}

int
us_ledger_take(struct us_keeper *k, const struct us_ledger_fact *fact)
{
	return count(k, k->usage, fact);
}

/* --- rebuilding ---------------------------------------------------------------------------- */

/* A ledger on its way: nobody sees it until it holds the whole log. */
struct us_keeper_rebuild {
	struct us_task task; /* the first member */
	uint32_t tag;
	us_ledger_fn done;
	struct us_usage *usage;
	struct us_ledger_reading file;
	int reads; /* the file; then what the log has beyond it */
	struct us_walk walk;
	struct us_opened entry;
	uint64_t begin; /* what was before it stood in the file */
	uint64_t counted;
	int64_t start_ns;
};

static struct us_keeper_rebuild *
of(struct us_task *task)
{
	return (struct us_keeper_rebuild *)(void *)task;
}

static void
free_task(struct us_task *task)
{
	struct us_keeper_rebuild *b = of(task);

	us_usage_free(b->usage);
	us_ledger_reading_free(&b->file);
	us_walk_free(&b->walk);
	us_opened_free(&b->entry);
	free(b);
}

static int
take_entry(struct us_keeper *k, struct us_keeper_rebuild *b, struct us_bytes entry)
{
	struct us_opened *e = &b->entry;
	struct us_ledger_fact fact = { .access = &e->access, .disclosure = &e->disclosure };
	struct us_key keys[US_BOXES];
	int err = us_opened_begin(e, entry);

	if (err != US_OK || e->view.entry_class != US_CLASS_ACCESS)
		return err;
	if (e->view.index + 1 != b->walk.index) /* which has moved on */
		return US_ERR_VERIFY;
	err = us_klog_box_keys(k->klog, entry, &k->root->log_box_private, keys);
	if (err == US_OK)
		err = us_opened_box(e, US_BOX_ACCESS, &keys[US_BOX_ACCESS]);
	if (err == US_OK)
		err = us_approval_take(b->usage, &e->access, e->view.index);
	if (err == US_OK && counts(&e->access)) {
		fact.order_version = e->view.order_version;
		fact.time_ns = e->view.time_ns;
		err = us_opened_box(e, US_BOX_DISCLOSURE, &keys[US_BOX_DISCLOSURE]);
		if (err == US_OK)
			err = count(k, b->usage, &fact);
		b->counted++;
	}
	us_wipe(keys, sizeof keys);
	return err;
}

/* The whole log is in it. From here on it follows the entries that are appended. */
static void
take_over(struct us_keeper *k, struct us_keeper_rebuild *b)
{
	const int64_t took = us_time_mono_ns() - b->start_ns;

	k->usage = b->usage;
	b->usage = NULL; /* transferred */
	if (took > SAY_AFTER_NS)
		us_log(US_LOG_NOTICE,
		    "the ledger of disclosures was made from %llu entries in "
		    "%.1f s; %llu disclose something",
		    (unsigned long long)(b->walk.index - b->begin),
		    (double)took / (double)US_NS_PER_SECOND, (unsigned long long)b->counted);
}

/* The file is of no use: the log is folded from its start. */
static int
without_file(struct us_keeper_rebuild *b, int err)
{
	b->reads = 0;
	us_ledger_reading_free(&b->file);
	if (err == US_ERR_NOT_FOUND)
		return US_OK;
	us_log_err(err,
	    "the file \"ledger\" is not one of this log, or was changed: it is not used");
	us_usage_free(b->usage);
	b->usage = NULL;
	return us_usage_new(&b->usage);
}

static int
read_file(struct us_keeper *k, struct us_keeper_rebuild *b)
{
	int more, err = us_ledger_reading_next(k, &b->file, b->usage, &more);

	if (err == US_ERR_NOMEM)
		return err;
	if (err != US_OK)
		return without_file(b, err);
	if (more)
		return US_OK;
	b->reads = 0;
	b->begin = b->file.from;
	us_walk_init(&b->walk, b->begin);
	us_ledger_reading_free(&b->file);
	return US_OK;
}

static int
fold_next(struct us_keeper *k, struct us_keeper_rebuild *b)
{
	struct us_bytes entry;
	int err;

	if (!us_walk_has_next(&b->walk)) /* now and then, for who asks how far it is */
		us_keeper_explain(k, "opening, %llu of %llu: entries of the log are read",
		    (unsigned long long)(b->walk.index - b->begin),
		    (unsigned long long)(us_klog_size(k->klog) - b->begin));
	err = us_walk_next(&b->walk, k->klog, &entry);
	return err != US_OK ? err : take_entry(k, b, entry);
}

static int
step(struct us_keeper *k, struct us_task *task)
{
	struct us_keeper_rebuild *b = of(task);
	int err;

	/* What was appended meanwhile counts too: the end is where nothing is, committed or not. */
	if (!b->reads && b->walk.index == us_klog_size(k->klog) && us_klog_open_group(k->klog) > 0)
		us_keeper_settle(k);
	if (us_keeper_state(k) != US_KEEPER_REPLAYING || k->root == NULL)
		return 0; /* sealed: nobody waits for it */
	if (!b->reads && b->walk.index == us_klog_size(k->klog)) {
		take_over(k, b);
		b->done(k, task->ch, b->tag, US_OK);
		return 0;
	}
	err = b->reads ? read_file(k, b) : fold_next(k, b);
	if (err == US_OK)
		return 1;
	us_log_err(err, "the ledger of disclosures cannot be made, near entry %llu of the log",
	    (unsigned long long)b->walk.index);
	b->done(k, task->ch, b->tag, err);
	return 0;
}

int
us_ledger_rebuild(struct us_keeper *k, struct us_channel *ch, uint32_t tag, us_ledger_fn done)
{
	struct us_keeper_rebuild *b = calloc(1, sizeof *b);
	int err;

	us_usage_free(k->usage);
	k->usage = NULL;
	if (b == NULL || us_usage_new(&b->usage) != US_OK) {
		free(b);
		return US_ERR_NOMEM;
	}
	b->task = (struct us_task){ .ch = ch, .step = step, .free = free_task };
	b->tag = tag;
	b->done = done;
	b->start_ns = us_time_mono_ns();
	us_walk_init(&b->walk, 0);
	us_opened_init(&b->entry);
	err = us_ledger_reading_begin(&b->file);
	b->reads = 1;
	if (err != US_OK && err != US_ERR_NOMEM)
		err = without_file(b, err);
	if (err != US_OK) {
		free_task(&b->task);
		return err;
	}
	us_tasks_add(k, &b->task);
	return US_OK;
}

/* --- questions ------------------------------------------------------------------------------ */

static void
raise(struct us_meter *most, const struct us_meter *m)
{
	most->day = m->day > most->day ? m->day : most->day;
	most->life = m->life > most->life ? m->life : most->life;
	most->run = m->run > most->run ? m->run : most->run;
}

/* Both meters of a person or a party, each raised to them. */
static int
ask(const struct us_keeper *k, const struct us_usage_question *q, struct us_meter *before,
    struct us_meter *after)
{
	struct us_usage_question now = *q;
	struct us_meter m;
	int err;

	now.n = 0;
	err = us_usage_after(k->usage, &now, &m);
	if (err != US_OK)
		return err;
	raise(before, &m);
	if (q->n > 0)
		err = us_usage_after(k->usage, q, &m);
	if (err == US_OK)
		raise(after, &m);
	return err;
}

struct us_keeper_need {
	int usage, party, run;
};

static int
ask_all(const struct us_keeper *k, const struct us_ledger_question *q,
    const struct us_keeper_need *need, const uint64_t *records, struct us_context *context)
{
	const struct us_meter none = { 0, 0, 0 };
	struct us_meter person[2] = { none, none }, party[2] = { none, none };
	struct us_usage_question ledger = { .person = q->person->id,
		.collection = q->collection,
		.kind = kind_of(q->action),
		.records = records,
		.n = q->records.n / 8,
		.wants_run = need->run };
	int err;

	ledger.day = us_calendar_day(us_order_calendar(us_registry_order(k->registry)),
	    context->now_ns, NULL);
	err = ask(k, &ledger, &person[0], &person[1]);
	ledger.person = 0;
	for (size_t i = 0; err == US_OK && need->party && i < q->person->n_parties; i++) {
		ledger.party = us_bytes_of(q->person->parties[i]);
		err = ask(k, &ledger, &party[0], &party[1]);
	}
	if (err != US_OK)
		return err;
	context->person_before = person[0];
	context->person_after = person[1];
	if (need->party) {
		context->party_before = party[0];
		context->party_after = party[1];
	}
	return US_OK;
}

static void
fill(const struct us_keeper *k, const struct us_ledger_question *q,
    const struct us_keeper_need *need, struct us_context *context)
{
	const struct us_collection *c = us_registry_collection(k->registry, q->collection);
	const struct us_meter full = { UINT64_MAX, UINT64_MAX, UINT64_MAX };
	const size_t n = q->records.n / 8;
	uint64_t one, *records = n <= 1 ? &one : malloc(n * sizeof *records);
	int err = k->usage == NULL ? US_ERR_STATE : records == NULL ? US_ERR_NOMEM : US_OK;

	context->person_before = context->person_after = full;
	context->party_before = context->party_after = full;
	context->corpus = c == NULL ? 0 : c->admitted;
	for (size_t i = 0; err == US_OK && i < n; i++)
		records[i] = us_load_u64(q->records.p + 8 * i);
	if (err == US_OK)
		err = ask_all(k, q, need, records, context);
	if (err != US_OK)
		us_log_err(err,
		    "the ledger of disclosures cannot be asked: limits over time refuse");
	if (records != &one)
		free(records);
}

void
us_ledger_fill(const struct us_keeper *k, const struct us_ledger_question *q,
    struct us_context *context)
{
	const struct us_keeper_need all = { 1, 1, 1 };

	fill(k, q, &all, context);
}

void
us_ledger_evaluate(const struct us_keeper *k, const struct us_ledger_question *q,
    struct us_context *context, struct us_ruling *ruling)
{
	const struct us_order *order = us_registry_order(k->registry);
	const struct us_subject subject = us_registry_subject(k->registry, q->person,
	    context->now_ns);
	const unsigned unknown = context->unknown;
	struct us_keeper_need need = { 0, 0, 0 };

	context->unknown |= US_UNKNOWN_USAGE;
	us_order_evaluate(order, &subject, q->action, context, ruling);
	context->unknown = unknown;
	need.party = ruling->wants_party_usage;
	need.run = ruling->run_max != 0;
	for (int i = us_rules_next(ruling->permits, 0); i >= 0;
	     i = us_rules_next(ruling->permits, i + 1)) {
		const struct us_limits *l = &order->rules[i].limits;

		need.usage |= l->consecutive != US_UNLIMITED || l->per_day != US_UNLIMITED ||
		    l->life != US_UNLIMITED || l->share != US_UNLIMITED;
	}
	if (!need.usage)
		return;
	/* also what was refused already: which condition is cited, and what is left, are the full
	 * evaluation's to say */
	fill(k, q, &need, context);
	us_order_evaluate(order, &subject, q->action, context, ruling);
}
