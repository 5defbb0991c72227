#include "daemon/vault/answers/question_rules.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "daemon/vault/evidence/designate.h"
#include "registry/withheld.h"

int
us_vault_question_rules_init(struct us_vault_question_rules *w, struct us_vault_evidence *evidence,
    const struct us_order *order, uint32_t collection)
{
	const size_t n = order->n_rules == 0 ? 1 : order->n_rules;

	*w = (struct us_vault_question_rules){ .evidence = evidence,
		.order = order,
		.collection = collection };
	w->queries = calloc(n, sizeof *w->queries);
	w->found = calloc(n, sizeof *w->found);
	return w->queries == NULL || w->found == NULL ? US_ERR_NOMEM : US_OK;
}

static void
drop_found(struct us_vault_question_rules *w)
{
	for (size_t i = 0; w->found != NULL && i < w->order->n_rules; i++) {
		if (w->found[i] != NULL)
			roaring_bitmap_free(w->found[i]);
		w->found[i] = NULL;
	}
}

void
us_vault_question_rules_free(struct us_vault_question_rules *w)
{
	drop_found(w);
	for (size_t i = 0; w->queries != NULL && i < w->order->n_rules; i++)
		us_query_free(w->queries[i]);
	free(w->queries);
	free(w->found);
	w->queries = NULL;
	w->found = NULL;
}

void
us_vault_question_rules_at(struct us_vault_question_rules *w, const struct us_batch *batch)
{
	drop_found(w);
	w->batch = batch;
}

static int
query_of(struct us_vault_question_rules *w, int rule, const struct us_query **out)
{
	const struct us_rule *r = &w->order->rules[rule];
	int err = US_OK;

	if (w->queries[rule] == NULL)
		err = us_query_parse_compiled(r->what.p, r->what.n, &w->queries[rule], NULL);
	*out = w->queries[rule];
	/* a version that was never in force may say what no query is */
	return err == US_ERR_NOMEM ? err : err != US_OK ? US_ERR_FORMAT : US_OK;
}

static int
evaluate(struct us_vault_question_rules *w, int rule, roaring_bitmap_t **out)
{
	const struct us_query *query;
	int err;

	if (!w->order->rules[rule].is_query) {
		*out = roaring_bitmap_from_range(0, w->batch->facts.count, 1);
		return *out == NULL ? US_ERR_NOMEM : US_OK;
	}
	err = query_of(w, rule, &query);
	return err != US_OK ? err :
			      us_vault_designate_eval(w->evidence, w->batch, query, &w->keys, out);
}

/* *out: what a rule's query finds in the batch; belongs to w. */
static int
rule_finds(struct us_vault_question_rules *w, int rule, const roaring_bitmap_t **out)
{
	int err = US_OK;

	if (w->found[rule] == NULL)
		err = evaluate(w, rule, &w->found[rule]);
	*out = w->found[rule];
	return err;
}

int
us_vault_question_rules_set(struct us_vault_question_rules *w,
    const uint64_t permits[US_RULE_WORDS], const uint64_t forbids[US_RULE_WORDS],
    roaring_bitmap_t *set)
{
	const roaring_bitmap_t *found;
	int i, err = US_OK;

	for (i = us_rules_next(permits, 0); i >= 0 && err == US_OK;
	     i = us_rules_next(permits, i + 1)) {
		err = rule_finds(w, i, &found);
		if (err == US_OK)
			roaring_bitmap_or_inplace(set, found);
	}
	for (i = us_rules_next(forbids, 0); i >= 0 && err == US_OK;
	     i = us_rules_next(forbids, i + 1)) {
		err = rule_finds(w, i, &found);
		if (err == US_OK)
			roaring_bitmap_andnot_inplace(set, found);
	}
	return err;
}

int
us_vault_question_rules_first(struct us_vault_question_rules *w,
    const uint64_t rules[US_RULE_WORDS], uint32_t doc)
{
	const roaring_bitmap_t *found;

	for (int i = us_rules_next(rules, 0); i >= 0; i = us_rules_next(rules, i + 1))
		if (rule_finds(w, i, &found) == US_OK && roaring_bitmap_contains(found, doc))
			return i;
	return -1;
}

int
us_vault_question_rules_words(struct us_vault_question_rules *w,
    const uint64_t rules[US_RULE_WORDS], struct us_buf *words)
{
	const struct us_query *query;
	int i, err = US_OK;

	for (i = us_rules_next(rules, 0); i >= 0 && err == US_OK; i = us_rules_next(rules, i + 1)) {
		if (!w->order->rules[i].is_query)
			continue;
		err = query_of(w, i, &query);
		for (size_t k = 0; err == US_OK && k < query->n_words; k++)
			err = us_buf_put_str16(words, query->words[k].p, query->words[k].n);
	}
	return err;
}

int
us_vault_question_batch_open(const struct us_registry *reg, const struct us_batch *batch,
    uint64_t party_bits)
{
	const struct us_person *loader;

	switch (batch->status) {
	case US_BATCH_LIVE:
		return 1;
	case US_BATCH_HELD:
		loader = us_registry_person(reg, batch->facts.loaded_by);
		return loader != NULL && (loader->party_bits & party_bits) != 0;
	case US_BATCH_WITHDRAWN:
	case US_BATCH_VOID:
		return 0;
	}
	return 0;
}

struct us_vault_taking {
	roaring_bitmap_t *set;
	uint64_t first;
};

static void
take_out(void *ctx, struct us_run run)
{
	struct us_vault_taking *t = ctx;

	roaring_bitmap_remove_range(t->set, run.first - t->first, run.first - t->first + run.count);
}

/* What is withheld from people of that capacity. */
static unsigned
withheld_from(const struct us_order *order, enum us_capacity capacity)
{
	return (order->workflows.clawback_visible & US_CAPACITY_BIT(capacity)) != 0 ?
	    US_WITHHELD_FREEZE :
	    US_WITHHELD_FREEZE | US_WITHHELD_CLAWBACK;
}

void
us_vault_question_withhold(const struct us_registry *reg, uint32_t collection,
    const struct us_batch *batch, const struct us_order *order, enum us_capacity capacity,
    roaring_bitmap_t *set)
{
	struct us_vault_taking t = { set, batch->facts.first };

	us_registry_withheld_runs(reg, collection, batch->facts.first, batch->facts.count,
	    withheld_from(order, capacity), take_out, &t);
}

int
us_vault_question_sees(struct us_vault_question_rules *w, const struct us_ruling *ruling,
    enum us_capacity capacity, uint64_t party_bits, uint64_t record)
{
	const struct us_registry *reg = us_vault_registry(us_vault_evidence_state(w->evidence));
	const struct us_batch *batch = us_registry_batch_of(reg, w->collection, record);
	const roaring_bitmap_t *found;
	uint32_t doc;
	int seen = 0, i, err;

	if (batch == NULL || !us_vault_question_batch_open(reg, batch, party_bits) ||
	    (us_registry_withheld(reg, w->collection, record) &
		withheld_from(w->order, capacity)) != 0)
		return 0;
	if (w->batch != batch)
		us_vault_question_rules_at(w, batch);
	doc = (uint32_t)(record - batch->facts.first);
	for (i = us_rules_next(ruling->permits, 0); i >= 0 && !seen;
	     i = us_rules_next(ruling->permits, i + 1)) {
		err = rule_finds(w, i, &found);
		if (err != US_OK)
			return -err;
		seen = roaring_bitmap_contains(found, doc);
	}
	for (i = us_rules_next(ruling->forbids, 0); i >= 0 && seen;
	     i = us_rules_next(ruling->forbids, i + 1)) {
		err = rule_finds(w, i, &found);
		if (err != US_OK)
			return -err;
		seen = !roaring_bitmap_contains(found, doc);
	}
	return seen;
}
