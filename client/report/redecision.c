#include "client/report/redecision.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "registry/hypothetical.h"
#include "registry/versions.h"

struct us_redecision {
	struct us_registry *registry;
	uint64_t folded; /* acts */
	int frozen;      /* the daemon was started so */
	uint64_t count;
};

int
us_redecision_new(struct us_redecision **out)
{
	struct us_redecision *a;
	int err;

	*out = NULL;
	a = calloc(1, sizeof *a);
	if (a == NULL)
		return US_ERR_NOMEM;
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

int
us_redecision_asks(const struct us_trail_entry *e)
{
	return e->opened == (1u << US_BOXES) - 1 && e->part == 0 && is_grant(e);
}

static enum us_reason
ask_order(const struct us_redecision *a, const struct us_trail_entry *e,
    const struct us_person *person, const struct us_credential *credential, uint64_t records)
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
	context.records = records;
	if (c != NULL)
		context.collection = us_bytes_of(c->name);
	us_order_evaluate(us_registry_order(a->registry), &subject, e->action, &context, &ruling);
	return ruling.reason;
}

static enum us_reason
judge(struct us_redecision *a, const struct us_trail_entry *e, uint64_t records)
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
		why = ask_order(a, e, person, credential, records);
	for (size_t i = 0;
	     why == US_REASON_NONE && e->kind == US_KIND_DISCLOSURE && i < e->n_records; i++)
		why = us_registry_barred(a->registry, person, e->collection, e->records[i]);
	return why;
}

int
us_redecision_next(struct us_redecision *a, const struct us_trail_entry *e, struct us_bytes act,
    uint64_t records, enum us_reason *why)
{
	const unsigned all = (1u << US_BOXES) - 1;

	*why = US_REASON_NONE;
	if (e->entry_class == US_CLASS_STATE) {
		a->folded++;
		return us_registry_replay(a->registry, act, NULL);
	}
	if (e->kind == US_KIND_EVENT && e->action == US_ACTION_START)
		a->frozen = e->event.form == US_EVENT_START && e->event.start.frozen;
	if (e->opened == all && is_grant(e)) {
		*why = judge(a, e, records);
		a->count += e->part == 0;
	}
	return US_OK;
}

uint64_t
us_redecision_count(const struct us_redecision *a)
{
	return a->count;
}
