/* What is withheld of a collection by clawbacks and freezes, and what relabels have made of it. */
#include "registry/withheld.h"

#include "registry/internal.h"

unsigned
us_filing_withholds(const struct us_filing *f)
{
	/* a clawback that was granted stays; one that was denied or withdrawn is over */
	if (f->kind == US_FILING_CLAWBACK &&
	    (us_filing_is_open(f) || f->status == US_FILING_GRANTED))
		return US_WITHHELD_CLAWBACK;
	if (f->kind == US_FILING_FREEZE && f->scope == US_FREEZE_RECORDS && us_filing_is_open(f))
		return US_WITHHELD_FREEZE;
	return 0;
}

unsigned
us_registry_withheld(const struct us_registry *reg, uint32_t collection, uint64_t record)
{
	unsigned why = 0;

	for (size_t i = 0; i < reg->n_filings; i++) {
		const struct us_filing *f = reg->filings[i];
		const unsigned w = f->set == NULL ? 0 : us_filing_withholds(f);

		if ((w & ~why) != 0 && us_record_set_has(f->set, collection, record))
			why |= w;
	}
	return why;
}

int
us_registry_withholds(const struct us_registry *reg, uint32_t collection, unsigned why)
{
	for (size_t i = 0; i < reg->n_filings; i++) {
		const struct us_filing *f = reg->filings[i];

		if (f->set != NULL && f->set->collection == collection &&
		    (us_filing_withholds(f) & why) != 0)
			return 1;
	}
	return 0;
}

void
us_registry_withheld_runs(const struct us_registry *reg, uint32_t collection, uint64_t first,
    uint64_t count, unsigned why, void (*run)(void *ctx, struct us_run run), void *ctx)
{
	for (size_t i = 0; i < reg->n_filings; i++) {
		const struct us_filing *f = reg->filings[i];

		if (f->set != NULL && f->set->collection == collection &&
		    (us_filing_withholds(f) & why) != 0)
			us_record_set_each(f->set, first, count, run, ctx);
	}
}

size_t
us_registry_relabels(const struct us_registry *reg)
{
	return reg->n_relabels;
}

const struct us_relabel *
us_registry_relabel(const struct us_registry *reg, size_t i)
{
	return i < reg->n_relabels ? reg->relabels[i] : NULL;
}

const char *
us_registry_designation(const struct us_registry *reg, uint32_t collection, uint64_t record)
{
	for (size_t i = reg->n_relabels; i-- > 0;)
		if (us_record_set_has(reg->relabels[i]->set, collection, record))
			return reg->relabels[i]->designation;
	return NULL;
}

static int
holds_any(const struct us_copy *copy, const struct us_record_set *set)
{
	if (copy->collection != set->collection)
		return 0;
	for (uint32_t i = 0; i < copy->n; i++)
		if (us_record_set_has(set, copy->collection, copy->records[i]))
			return 1;
	return 0;
}

void
us_registry_copies_of(const struct us_registry *reg, const struct us_record_set *set,
    struct us_copies_of *count)
{
	*count = (struct us_copies_of){ 0 };
	for (uint64_t id = 1; id <= us_registry_copies(reg); id++) {
		const struct us_copy *copy = us_registry_copy(reg, id);
		const uint64_t holds = holds_any(copy, set) ? 1 : 0;

		switch (copy->status) {
		case US_COPY_OUT:
			count->out += holds;
			break;
		case US_COPY_GIVEN_BACK:
			count->returned += holds;
			break;
		case US_COPY_GONE:
			count->destroyed += holds;
			break;
		}
	}
}
