#include "registry/recalls.h"

#include <string.h>

#include "registry/internal.h"
#include "registry/signers.h"
#include "registry/withheld.h"

struct us_registry_recalling {
	const struct us_registry *reg;
	const struct us_person *who;
	void (*each)(void *ctx, const struct us_recall *recall);
	void *ctx;
};

int
us_recall_has(const struct us_recall *recall, uint64_t record)
{
	if (recall->clawback != NULL)
		return us_record_set_has(recall->clawback->set, recall->copy->collection, record);
	return record >= recall->batch->facts.first &&
	    record - recall->batch->facts.first < recall->batch->facts.count;
}

static int
has_any(const struct us_recall *recall)
{
	for (uint32_t i = 0; i < recall->copy->n; i++)
		if (us_recall_has(recall, recall->copy->records[i]))
			return 1;
	return 0;
}

/* Whether the person has to answer for what the taker has. */
static int
answers_for(const struct us_person *who, const struct us_person *taker)
{
	return taker != NULL &&
	    (taker->id == who->id ||
		(taker->status != US_PERSON_ACTIVE && us_shares_party(who, taker)));
}

/* Whether it was taken back from this person, too. */
static int
is_taken_from(const struct us_registry *reg, const struct us_recall *recall,
    const struct us_person *taker)
{
	const uint32_t by = recall->clawback != NULL ? recall->clawback->filed_by :
						       recall->batch->changed_by;
	const struct us_person *back = us_registry_person(reg, by);

	if (back != NULL && us_shares_party(back, taker))
		return 0;
	return recall->clawback == NULL ||
	    (reg->order->workflows.clawback_visible & US_CAPACITY_BIT(taker->capacity)) == 0;
}

static int64_t
due_of(const struct us_filing *f, const struct us_person *taker)
{
	int64_t due = 0;

	for (size_t i = 0; f != NULL && i < f->n_services; i++)
		for (size_t p = 0; p < taker->n_parties; p++)
			if (strcmp(f->services[i].party, taker->parties[p]) == 0 &&
			    f->services[i].due_ns > due)
				due = f->services[i].due_ns;
	return due;
}

/* All copies of what was taken back in one act. */
static void
consider(const struct us_registry_recalling *r, uint32_t collection, struct us_recall *recall)
{
	for (uint64_t id = 1; id <= us_registry_copies(r->reg); id++) {
		const struct us_copy *copy = us_registry_copy(r->reg, id);
		const struct us_person *taker = us_registry_person(r->reg, copy->person);

		recall->copy = copy;
		if (copy->status != US_COPY_OUT || copy->collection != collection ||
		    !answers_for(r->who, taker) || !is_taken_from(r->reg, recall, taker) ||
		    !has_any(recall))
			continue;
		recall->due_ns = due_of(recall->clawback, taker);
		r->each(r->ctx, recall);
	}
}

void
us_registry_recalls(const struct us_registry *reg, const struct us_person *who,
    void (*each)(void *ctx, const struct us_recall *recall), void *ctx)
{
	const struct us_registry_recalling r = { reg, who, each, ctx };

	for (size_t i = 0; i < reg->n_filings; i++) {
		struct us_recall recall = { .clawback = reg->filings[i],
			.since_ns = reg->filings[i]->filed_ns };

		if (us_filing_withholds(reg->filings[i]) == US_WITHHELD_CLAWBACK)
			consider(&r, recall.clawback->set->collection, &recall);
	}
	for (uint32_t c = 1; us_registry_collection(reg, c) != NULL; c++) {
		const struct us_collection_full *of = us_collection_full(reg, c);

		for (size_t i = 0; i < of->n_batches; i++) {
			struct us_recall recall = { .batch = of->batches[i],
				.since_ns = of->batches[i]->changed_ns };

			if (recall.batch->status == US_BATCH_WITHDRAWN)
				consider(&r, c, &recall);
		}
	}
}

uint32_t
us_copy_taken_back(const struct us_registry *reg, const struct us_copy *copy)
{
	const int claws = us_registry_withholds(reg, copy->collection, US_WITHHELD_CLAWBACK);
	uint32_t n = 0;

	for (uint32_t i = 0; i < copy->n; i++) {
		const uint64_t record = copy->records[i];
		const struct us_batch *b = us_registry_batch_of(reg, copy->collection, record);

		n += (b != NULL && b->status == US_BATCH_WITHDRAWN) ||
		    (claws &&
			(us_registry_withheld(reg, copy->collection, record) &
			    US_WITHHELD_CLAWBACK) != 0);
	}
	return n;
}
