#include "daemon/vault/evidence/visible.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/log.h"
#include "daemon/vault/evidence/designate.h"
#include "daemon/vault/evidence/words.h"
#include "daemon/vault/state/rooms.h"
#include "registry/docket.h"
#include "registry/withheld.h"

#define RULE_SETS_MAX 64

/* One distinct set of rules of one version of the order, over one collection. */
struct us_vault_rule_set {
	const struct us_order *order;
	uint64_t permits[US_RULE_WORDS];
	uint64_t forbids[US_RULE_WORDS];
	uint32_t collection;
	size_t relabels; /* how many there were when the bitmaps were made */
	uint64_t used;   /* for the choice of what goes when there are too many */
	roaring_bitmap_t **by_slot;
	size_t n_slots;
};

/* The parsed queries of a version's rules; made at first use. */
struct us_vault_rule_queries {
	struct us_vault_rule_queries *next;
	const struct us_order *order;
	struct us_query *query[]; /* by rule */
};

struct us_vault_views {
	const struct us_vault_state *state;
	struct us_vault_evidence *evidence;
	struct us_vault_rule_set *sets[RULE_SETS_MAX];
	uint64_t clock;
	struct us_vault_rule_queries *queries; /* by version */
	roaring_bitmap_t *overlay;             /* a set without what is withheld */
};

static struct us_registry *
registry_of(const struct us_vault_view *w)
{
	return us_vault_registry(w->views->state);
}

static int
rule_query(struct us_vault_views *v, const struct us_order *order, int rule,
    const struct us_query **out)
{
	const struct us_rule *r = &order->rules[rule];
	struct us_vault_rule_queries *q = v->queries;
	int err;

	while (q != NULL && q->order != order)
		q = q->next;
	if (q == NULL) {
		q = calloc(1, sizeof *q + order->n_rules * sizeof q->query[0]);
		if (q == NULL)
			return US_ERR_NOMEM;
		q->order = order;
		q->next = v->queries;
		v->queries = q;
	}
	if (q->query[rule] == NULL) {
		err = us_query_parse_compiled(r->what.p, r->what.n, &q->query[rule], NULL);
		if (err != US_OK) {
			us_log_err(err,
			    "rule %d of version %u of the order has a query that does not parse",
			    rule + 1, (unsigned)order->version);
			return US_ERR_DENIED;
		}
	}
	*out = q->query[rule];
	return US_OK;
}

/* --- sets of rules ---------------------------------------------------------------------------- */

static void
drop_bitmaps(struct us_vault_rule_set *s)
{
	for (size_t i = 0; i < s->n_slots; i++) {
		if (s->by_slot[i] != NULL)
			roaring_bitmap_free(s->by_slot[i]);
		s->by_slot[i] = NULL;
	}
}

static void
rule_set_free(struct us_vault_rule_set *s)
{
	if (s == NULL)
		return;
	drop_bitmaps(s);
	free(s->by_slot);
	free(s);
}

void
us_vault_views_free(struct us_vault_views *v)
{
	struct us_vault_rule_queries *q;

	if (v == NULL)
		return;
	for (size_t i = 0; i < RULE_SETS_MAX; i++)
		rule_set_free(v->sets[i]);
	while ((q = v->queries) != NULL) {
		v->queries = q->next;
		for (size_t i = 0; i < q->order->n_rules; i++)
			us_query_free(q->query[i]);
		free(q);
	}
	if (v->overlay != NULL)
		roaring_bitmap_free(v->overlay);
	free(v);
}

int
us_vault_views_new(struct us_vault_views **out, struct us_vault_evidence *evidence)
{
	*out = calloc(1, sizeof **out);
	if (*out == NULL)
		return US_ERR_NOMEM;
	(*out)->evidence = evidence;
	(*out)->state = us_vault_evidence_state(evidence);
	return US_OK;
}

/* The set of a view, with its bitmaps as far as they have been made. NULL: out of memory. */
static struct us_vault_rule_set *
rule_set_of(const struct us_vault_view *w)
{
	struct us_vault_views *v = w->views;
	struct us_vault_rule_set *s, **place = &v->sets[0];

	for (size_t i = 0; i < RULE_SETS_MAX; i++) {
		s = v->sets[i];
		if (s == NULL) {
			place = &v->sets[i];
			break;
		}
		if (s->collection == w->collection && s->order == w->order &&
		    memcmp(s->permits, w->permits, sizeof s->permits) == 0 &&
		    memcmp(s->forbids, w->forbids, sizeof s->forbids) == 0) {
			if (s->relabels != us_registry_relabels(us_vault_registry(v->state)))
				drop_bitmaps(s);
			s->relabels = us_registry_relabels(us_vault_registry(v->state));
			s->used = ++v->clock;
			return s;
		}
		if (s->used < (*place)->used)
			place = &v->sets[i];
	}
	s = calloc(1, sizeof *s);
	if (s == NULL)
		return NULL;
	memcpy(s->permits, w->permits, sizeof s->permits);
	memcpy(s->forbids, w->forbids, sizeof s->forbids);
	s->order = w->order;
	s->collection = w->collection;
	s->relabels = us_registry_relabels(us_vault_registry(v->state));
	s->used = ++v->clock;
	rule_set_free(*place);
	*place = s;
	return s;
}

void
us_vault_view_open(struct us_vault_views *v, const struct us_ruling *ruling,
    const struct us_subject *subject, uint32_t collection, uint64_t snapshot,
    struct us_vault_view *out)
{
	const struct us_order *order = us_registry_order(us_vault_registry(v->state));

	*out = (struct us_vault_view){ .views = v,
		.order = order,
		.collection = collection,
		.snapshot = snapshot,
		.parties = subject->parties,
		.sees_all = ruling->sees_all,
		.withheld = US_WITHHELD_FREEZE };
	if ((order->workflows.clawback_visible & US_CAPACITY_BIT(subject->capacity)) == 0)
		out->withheld |= US_WITHHELD_CLAWBACK;
	memcpy(out->permits, ruling->permits, sizeof out->permits);
	memcpy(out->forbids, ruling->forbids, sizeof out->forbids);
}

/* --- batches ---------------------------------------------------------------------------------- */

static int
is_loaders_party(const struct us_vault_view *w, const struct us_batch *facts)
{
	const struct us_person *loader = us_registry_person(registry_of(w), facts->facts.loaded_by);

	return loader != NULL && (loader->party_bits & w->parties) != 0;
}

/* Log index of the release or withdrawal of a batch; NO_ENTRY if there was none. */
static uint64_t
entry_of_change(const struct us_vault_view *w, const struct us_batch *facts, enum us_act_type type)
{
	return us_vault_entry_of_change(w->views->state, w->collection, facts->facts.slot, type);
}

uint64_t
us_vault_view_withdrawn(const struct us_vault_view *w)
{
	size_t i, n = us_registry_batches(registry_of(w), w->collection);
	uint64_t records = 0;

	for (i = 0; i < n; i++) {
		const struct us_batch *facts = us_registry_batch(registry_of(w), w->collection, i);

		/* One that was never released was never to be seen by others. */
		if (facts->status == US_BATCH_WITHDRAWN &&
		    us_vault_entry_of(w->views->state, facts->sequence) <= w->snapshot &&
		    entry_of_change(w, facts, US_ACT_BATCH_WITHDRAW) > w->snapshot &&
		    (!facts->facts.held || is_loaders_party(w, facts) ||
			entry_of_change(w, facts, US_ACT_BATCH_RELEASE) <= w->snapshot))
			records += facts->facts.count;
	}
	/* of clawbacks their size, not how many of them a query would have found */
	for (i = 0;
	     (w->withheld & US_WITHHELD_CLAWBACK) != 0 && i < us_registry_filings(registry_of(w));
	     i++) {
		const struct us_filing *f = us_registry_filing(registry_of(w), i);

		if (f->kind == US_FILING_CLAWBACK && f->collection == w->collection &&
		    (us_filing_is_open(f) || f->status == US_FILING_GRANTED) &&
		    us_vault_entry_of(w->views->state, f->sequence) > w->snapshot)
			records += f->set->records;
	}
	return records;
}

int
us_vault_view_batch(const struct us_vault_view *w, const struct us_batch *facts)
{
	if (us_vault_entry_of(w->views->state, facts->sequence) > w->snapshot)
		return 0;
	switch (facts->status) {
	case US_BATCH_LIVE:
		return !facts->facts.held || is_loaders_party(w, facts) ||
		    entry_of_change(w, facts, US_ACT_BATCH_RELEASE) <= w->snapshot;
	case US_BATCH_HELD:
		return is_loaders_party(w, facts);
	case US_BATCH_WITHDRAWN:
	case US_BATCH_VOID:
		return 0;
	}
	return 0;
}

/* --- bitmaps ---------------------------------------------------------------------------------- */

static int
add_rule(struct us_vault_view *w, const struct us_batch *facts, int rule, roaring_bitmap_t *set)
{
	const struct us_query *query;
	roaring_bitmap_t *found;
	int err;

	if (!w->order->rules[rule].is_query) {
		roaring_bitmap_add_range(set, 0, facts->facts.count);
		return US_OK;
	}
	err = rule_query(w->views, w->order, rule, &query);
	if (err == US_OK)
		err = us_vault_designate_eval(w->views->evidence, facts, query, &w->keys, &found);
	if (err != US_OK)
		return err;
	roaring_bitmap_or_inplace(set, found);
	roaring_bitmap_free(found);
	return US_OK;
}

static int
make_bitmap(struct us_vault_view *w, const struct us_batch *facts, roaring_bitmap_t **out)
{
	roaring_bitmap_t *set = roaring_bitmap_create();
	roaring_bitmap_t *without = roaring_bitmap_create();
	int i, err = set == NULL || without == NULL ? US_ERR_NOMEM : US_OK;

	for (i = us_rules_next(w->permits, 0); i >= 0 && err == US_OK;
	     i = us_rules_next(w->permits, i + 1))
		err = add_rule(w, facts, i, set);
	for (i = us_rules_next(w->forbids, 0); i >= 0 && err == US_OK;
	     i = us_rules_next(w->forbids, i + 1))
		err = add_rule(w, facts, i, without);
	if (err == US_OK) {
		roaring_bitmap_andnot_inplace(set, without);
		(void)roaring_bitmap_run_optimize(set);
		*out = set;
		set = NULL;
	}
	if (set != NULL)
		roaring_bitmap_free(set);
	if (without != NULL)
		roaring_bitmap_free(without);
	return err;
}

static roaring_bitmap_t **
bitmap_place(struct us_vault_rule_set *s, uint32_t slot)
{
	if (slot >= s->n_slots) {
		size_t n = (size_t)slot * 2 + 16;
		roaring_bitmap_t **more = realloc(s->by_slot, n * sizeof *more);

		if (more == NULL)
			return NULL;
		memset(more + s->n_slots, 0, (n - s->n_slots) * sizeof *more);
		s->by_slot = more;
		s->n_slots = n;
	}
	return &s->by_slot[slot];
}

/* What the rules let be seen; NULL: all of the batch. */
static int
rules_bitmap(struct us_vault_view *w, const struct us_batch *facts, const roaring_bitmap_t **out)
{
	struct us_vault_rule_set *set;
	roaring_bitmap_t **place;
	int err = US_OK;

	*out = NULL;
	if (w->sees_all)
		return US_OK;
	set = rule_set_of(w);
	place = set == NULL ? NULL : bitmap_place(set, facts->facts.slot);
	if (place == NULL)
		return US_ERR_NOMEM;
	if (*place == NULL)
		err = make_bitmap(w, facts, place);
	*out = *place;
	return err;
}

struct us_vault_withholding {
	roaring_bitmap_t *set;
	uint64_t first; /* record of document 0 */
};

static void
withhold_run(void *ctx, struct us_run run)
{
	const struct us_vault_withholding *h = ctx;

	roaring_bitmap_remove_range(h->set, run.first - h->first, run.first - h->first + run.count);
}

int
us_vault_view_bitmap(struct us_vault_view *w, const struct us_batch *facts,
    const roaring_bitmap_t **out)
{
	struct us_vault_views *v = w->views;
	struct us_vault_withholding h = { NULL, facts->facts.first };
	int err = rules_bitmap(w, facts, out);

	if (err != US_OK || !us_registry_withholds(registry_of(w), w->collection, w->withheld))
		return err;
	h.set = *out == NULL ? roaring_bitmap_from_range(0, facts->facts.count, 1) :
			       roaring_bitmap_copy(*out);
	if (h.set == NULL)
		return US_ERR_NOMEM;
	us_registry_withheld_runs(registry_of(w), w->collection, facts->facts.first,
	    facts->facts.count, w->withheld, withhold_run, &h);
	if (v->overlay != NULL)
		roaring_bitmap_free(v->overlay);
	*out = v->overlay = h.set;
	return US_OK;
}

int
us_vault_view_record(struct us_vault_view *w, uint64_t record, const struct us_batch **facts)
{
	const roaring_bitmap_t *set;
	int err;

	*facts = us_registry_batch_of(registry_of(w), w->collection, record);
	if (*facts == NULL || !us_vault_view_batch(w, *facts) ||
	    (us_registry_withheld(registry_of(w), w->collection, record) & w->withheld) != 0)
		return 0;
	err = rules_bitmap(w, *facts, &set);
	if (err != US_OK)
		return -err;
	return set == NULL ||
		roaring_bitmap_contains(set, (uint32_t)(record - (*facts)->facts.first)) ?
	    1 :
	    0;
}

/* --- words in rules --------------------------------------------------------------------------- */

static int
lacks_bitmaps(struct us_vault_view *w)
{
	size_t i, n = us_registry_batches(registry_of(w), w->collection);
	const struct us_vault_rule_set *set = rule_set_of(w);

	for (i = 0; i < n; i++) {
		const struct us_batch *facts = us_registry_batch(registry_of(w), w->collection, i);

		if (facts->status != US_BATCH_VOID && us_vault_view_batch(w, facts) &&
		    (set == NULL || facts->facts.slot >= set->n_slots ||
			set->by_slot[facts->facts.slot] == NULL))
			return 1;
	}
	return 0;
}

int
us_vault_view_words(struct us_vault_view *w, struct us_buf *out, size_t *n)
{
	struct us_bytes *words = NULL;
	size_t n_words = 0;
	uint64_t both[US_RULE_WORDS];
	const struct us_query *query;
	int i, err = US_OK;

	*n = 0;
	if (w->sees_all || !lacks_bitmaps(w))
		return US_OK;
	for (i = 0; i < US_RULE_WORDS; i++)
		both[i] = w->permits[i] | w->forbids[i];
	for (i = us_rules_next(both, 0); i >= 0 && err == US_OK; i = us_rules_next(both, i + 1)) {
		struct us_bytes *more;

		if (!w->order->rules[i].is_query)
			continue;
		err = rule_query(w->views, w->order, i, &query);
		if (err != US_OK || query->n_words == 0)
			continue;
		more = realloc(words, (n_words + query->n_words) * sizeof *more);
		if (more == NULL) {
			err = US_ERR_NOMEM;
			break;
		}
		words = more;
		memcpy(words + n_words, query->words, query->n_words * sizeof *words);
		n_words += query->n_words;
	}
	if (err == US_OK && n_words > 0)
		err = us_vault_words_pack(words, n_words, out, n);
	free(words);
	return err;
}

int
us_vault_view_fill(struct us_vault_view *w, struct us_bytes term_keys, const struct us_bytes *words,
    size_t n)
{
	size_t i, batches = us_registry_batches(registry_of(w), w->collection);
	size_t step = 4 + n * US_KEY_SIZE;
	int err = US_OK;

	if (term_keys.n % step != 0)
		return US_ERR_FORMAT;
	for (i = 0; i < batches && err == US_OK; i++) {
		const struct us_batch *facts = us_registry_batch(registry_of(w), w->collection, i);
		const roaring_bitmap_t *set;
		size_t at;

		if (!us_vault_view_batch(w, facts))
			continue;
		w->keys = (struct us_term_table){ words, NULL, 0 };
		for (at = 0; at < term_keys.n; at += step) {
			if (us_load_u32(term_keys.p + at) != facts->facts.era)
				continue;
			w->keys.keys = (const struct us_key *)(const void *)(term_keys.p + at + 4);
			w->keys.n = n;
		}
		err = rules_bitmap(w, facts, &set);
	}
	w->keys = (struct us_term_table){ NULL, NULL, 0 };
	return err;
}
