#include "daemon/vault/evidence/designate.h"

#include <string.h>

#include "base/err.h"
#include "evidence/query/words.h"
#include "registry/withheld.h"

struct us_vault_designated {
	const struct us_registry *registry;
	const struct us_batch *facts;
	roaring_bitmap_t *docs;
	int is_value; /* of the relabel at hand */
};

static void
designate_run(void *ctx, struct us_run run)
{
	const struct us_vault_designated *d = ctx;
	const uint64_t from = run.first - d->facts->facts.first;

	if (d->is_value)
		roaring_bitmap_add_range(d->docs, from, from + run.count);
	else
		roaring_bitmap_remove_range(d->docs, from, from + run.count);
}

/* In their order, so that the newest has the last word. */
static int
designated(void *ctx, struct us_bytes value, roaring_bitmap_t *docs)
{
	struct us_vault_designated *d = ctx;
	uint8_t folded[US_WORD_MAX];
	size_t n;

	d->docs = docs;
	for (size_t i = 0; i < us_registry_relabels(d->registry); i++) {
		const struct us_relabel *r = us_registry_relabel(d->registry, i);
		int err;

		if (r->set->collection != d->facts->facts.collection)
			continue;
		err = us_value_fold(r->designation, strlen(r->designation), folded, &n);
		if (err != US_OK)
			return err;
		d->is_value = n == value.n && memcmp(folded, value.p, n) == 0;
		us_record_set_each(r->set, d->facts->facts.first, d->facts->facts.count,
		    designate_run, d);
	}
	return US_OK;
}

int
us_vault_designate_eval(struct us_vault_evidence *e, const struct us_batch *facts,
    const struct us_query *query, const struct us_term_table *keys, roaring_bitmap_t **out)
{
	const struct us_registry *reg = us_vault_registry(us_vault_evidence_state(e));
	const struct us_collection *c = us_registry_collection(reg, facts->facts.collection);
	struct us_vault_designated relabelled = { .registry = reg, .facts = facts };
	struct us_term_table table = *keys;
	struct us_eval_options options = { .base = facts->facts.first,
		.bates_prefix = us_bytes_of(c->prefix),
		.term_key = us_term_table_key,
		.term_key_ctx = &table,
		.designated = designated,
		.designated_ctx = &relabelled };
	struct us_segment *segment;
	int err = us_vault_evidence_segment(e, facts, &segment);

	return err != US_OK ? err : us_eval(segment, query, &options, out);
}
