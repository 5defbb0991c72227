#include "client/report_redecision.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "registry/hypothetical.h"
#include "registry/versions.h"

struct us_redecision {
	const struct us_trail *trail;
	struct us_registry *registry;
	size_t folded; /* acts */
	int frozen;    /* the daemon was started so */
	uint64_t count;
};

int
us_redecision_new(struct us_redecision **out, const struct us_trail *t)
{
	struct us_redecision *a;
	int err;

	*out = NULL;
	if (t->n_committed == 0 || t->n_committed < t->n_acts)
		return US_ERR_NOT_FOUND;
	a = calloc(1, sizeof *a);
	if (a == NULL)
		return US_ERR_NOMEM;
	a->trail = t;
	err = us_registry_new(&a->registry);
	if (err != US_OK) {
		free(a);
		return err;
	}
	*out = a;
	return US_OK;
}

void
us_redecision_free(struct us_redecision *a)
{
	if (a == NULL)
		return;
	us_registry_free(a->registry);
	free(a);
}

/* Whether it grants what the order decides about. Opening a session or a collection's index, and
 * what witnesses bring, are not of that kind. */
static int
is_grant(const struct us_trail_entry *e)
{
	return e->entry_class == US_CLASS_ACCESS && e->decision == US_DECISION_ALLOW &&
	    (e->kind == US_KIND_INTENT || e->kind == US_KIND_DISCLOSURE) &&
	    e->action != US_ACTION_SESSION && e->action != US_ACTION_OPEN_COLLECTION &&
	    e->action != US_ACTION_AUDIT_WITNESS;
}

/* How many records the whole request names: the parts of an entry stand behind one another. */
static uint64_t
records_of(const struct us_redecision *a, const struct us_trail_entry *e)
{
	const struct us_trail_entry *end = a->trail->entries + a->trail->n;
	uint64_t n = e->n_records;

	for (uint32_t part = e->part + 1; ++e < end && e->part == part; part++)
		n += e->n_records;
	return n;
}

static enum us_reason
ask_order(const struct us_redecision *a, const struct us_trail_entry *e,
    const struct us_person *person, const struct us_credential *credential)
{
	const struct us_collection *c = us_registry_collection(a->registry, e->collection);
	const struct us_subject subject = us_registry_subject(a->registry, person, e->time_ns);
	struct us_context context;
	struct us_ruling ruling;

	us_registry_context(a->registry, credential, us_bytes_of(e->address), e->time_ns, &context);
	if (a->frozen)
		us_context_freeze(&context);
	context.unknown |= US_UNKNOWN_USAGE | US_UNKNOWN_APPROVAL;
	context.purpose = us_bytes_of(e->purpose);
	context.records = records_of(a, e);
	if (c != NULL)
		context.collection = us_bytes_of(c->name);
	us_order_evaluate(us_registry_order(a->registry), &subject, e->action, &context, &ruling);
	return ruling.reason;
}

static enum us_reason
judge(struct us_redecision *a, const struct us_trail_entry *e)
{
	const struct us_credential *credential = NULL;
	const struct us_person *person = NULL;
	enum us_reason why;

	if (a->folded == 0)
		return US_REASON_STATE;
	(void)us_registry_at(a->registry, e->time_ns);
	why = us_registry_standing(a->registry, e->credential, e->time_ns, &person, &credential);
	if (why == US_REASON_NONE && person->id != e->person)
		why = US_REASON_CREDENTIAL;
	/* the parts behind the first say nothing of their own but their records */
	if (why == US_REASON_NONE && e->part == 0)
		why = ask_order(a, e, person, credential);
	for (size_t i = 0;
	     why == US_REASON_NONE && e->kind == US_KIND_DISCLOSURE && i < e->n_records; i++)
		why = us_registry_barred(a->registry, person, e->collection, e->records[i]);
	return why;
}

int
us_redecision_next(struct us_redecision *a, const struct us_trail_entry *e, enum us_reason *why)
{
	const unsigned all = (1u << US_BOXES) - 1;

	*why = US_REASON_NONE;
	if (e->entry_class == US_CLASS_STATE)
		return us_registry_replay(a->registry, a->trail->acts[a->folded++].act, NULL);
	if (e->kind == US_KIND_EVENT && e->action == US_ACTION_START)
		a->frozen = e->event.form == US_EVENT_START && e->event.start.frozen;
	if (e->opened == all && is_grant(e)) {
		*why = judge(a, e);
		a->count += e->part == 0;
	}
	return US_OK;
}

uint64_t
us_redecision_count(const struct us_redecision *a)
{
	return a->count;
}
