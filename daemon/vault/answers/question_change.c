#include "daemon/vault/answers/question_change.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/err.h"

static const enum us_action compared[] = { US_ACTION_COUNT, US_ACTION_SEARCH, US_ACTION_READ,
	US_ACTION_COPY };

void
us_vault_diff_free(struct us_vault_diff *d)
{
	free(d->changes);
	free(d->cases);
	d->changes = NULL;
	d->cases = NULL;
	d->n_changes = d->n_cases = 0;
}

/* --- stances ---------------------------------------------------------------------------------- */

static int
is_empty(const uint64_t rules[US_RULE_WORDS])
{
	return us_rules_next(rules, 0) < 0;
}

/* The evaluator's two sets, whether or not the conditions hold now. */
static void
take_stance(const struct us_registry *reg, const struct us_order *order,
    const struct us_person *person, const struct us_collection *collection, enum us_action action,
    int64_t now_ns, struct us_vault_diff_stance *out)
{
	const struct us_subject subject = us_registry_subject_under(reg, person, order, now_ns);
	const struct us_context context = { .collection = us_bytes_of(collection->name),
		.now_ns = now_ns,
		.unknown = US_UNKNOWN_ADDRESS | US_UNKNOWN_USAGE | US_UNKNOWN_APPROVAL |
		    US_UNKNOWN_CREDENTIAL };
	struct us_ruling ruling;

	memset(out, 0, sizeof *out);
	us_order_evaluate(order, &subject, action, &context, &ruling);
	memcpy(out->permits, ruling.permits, sizeof out->permits);
	if (!is_empty(out->permits))
		memcpy(out->forbids, ruling.forbids, sizeof out->forbids);
	if (ruling.reason == US_REASON_PROHIBITED && ruling.rule > 0) {
		out->prohibited = 1;
		out->rule = ruling.rule - 1;
	}
}

static int
same_stance(const struct us_vault_diff_stance *a, const struct us_vault_diff_stance *b)
{
	return memcmp(a->permits, b->permits, sizeof a->permits) == 0 &&
	    memcmp(a->forbids, b->forbids, sizeof a->forbids) == 0 &&
	    a->prohibited == b->prohibited && a->rule == b->rule;
}

static int
same_change(const struct us_vault_diff_change *a, const struct us_vault_diff_change *b)
{
	return a->collection == b->collection && a->capacity == b->capacity &&
	    a->party_bits == b->party_bits &&
	    same_stance(&a->stance[DIFF_FROM], &b->stance[DIFF_FROM]) &&
	    same_stance(&a->stance[DIFF_TO], &b->stance[DIFF_TO]);
}

/* --- cases ------------------------------------------------------------------------------------ */

static int
put_case(struct us_vault_diff *d, const struct us_vault_diff_change *change, uint32_t person,
    enum us_action action)
{
	size_t i = d->n_changes;
	int err = us_grow(&d->cases, d->n_cases, &d->cap_cases, sizeof *d->cases);

	/* changes of a collection stand together at the end */
	while (i > 0 && d->changes[i - 1].collection == change->collection &&
	    !same_change(&d->changes[i - 1], change))
		i--;
	if (err == US_OK && (i == 0 || !same_change(&d->changes[i - 1], change))) {
		err = us_grow(&d->changes, d->n_changes, &d->cap_changes, sizeof *d->changes);
		if (err == US_OK) {
			d->changes[d->n_changes++] = *change;
			i = d->n_changes;
		}
	}
	if (err == US_OK)
		d->cases[d->n_cases++] = (struct us_vault_diff_case){ person, action, i - 1 };
	return err;
}

static int
prepare_person(const struct us_registry *reg, struct us_vault_diff *d,
    const struct us_person *person, const struct us_collection *c, int64_t now_ns)
{
	int err = US_OK;

	for (size_t a = 0; a < US_COUNT(compared) && err == US_OK; a++) {
		struct us_vault_diff_change change = { .collection = c->id,
			.capacity = person->capacity,
			.party_bits = person->party_bits };

		for (int side = DIFF_FROM; side <= DIFF_TO; side++)
			take_stance(reg, d->order[side], person, c, compared[a], now_ns,
			    &change.stance[side]);
		if (!is_empty(change.stance[DIFF_FROM].permits) ||
		    !is_empty(change.stance[DIFF_TO].permits))
			err = put_case(d, &change, person->id, compared[a]);
	}
	return err;
}

int
us_vault_diff_prepare(const struct us_registry *reg, struct us_vault_diff *d, int64_t now_ns)
{
	int err = US_OK;

	for (uint32_t c = 1; c <= us_registry_collections(reg) && err == US_OK; c++) {
		const struct us_collection *collection = us_registry_collection(reg, c);

		for (uint32_t p = 1;
		     collection != NULL && p <= us_registry_people(reg) && err == US_OK; p++) {
			const struct us_person *person = us_registry_person(reg, p);

			if (person != NULL && person->status == US_PERSON_ACTIVE)
				err = prepare_person(reg, d, person, collection, now_ns);
		}
	}
	return err;
}

int
us_vault_diff_concerns(const struct us_vault_diff *d, uint32_t collection)
{
	for (size_t i = 0; i < d->n_changes; i++)
		if (d->changes[i].collection == collection)
			return 1;
	return 0;
}

static int
has_query(const struct us_order *order, const uint64_t rules[US_RULE_WORDS])
{
	for (int i = us_rules_next(rules, 0); i >= 0; i = us_rules_next(rules, i + 1))
		if (order->rules[i].is_query)
			return 1;
	return 0;
}

int
us_vault_diff_needs_index(const struct us_vault_diff *d, uint32_t collection)
{
	for (size_t i = 0; i < d->n_changes; i++)
		for (int side = DIFF_FROM;
		     side <= DIFF_TO && d->changes[i].collection == collection; side++)
			if (has_query(d->order[side], d->changes[i].stance[side].permits) ||
			    has_query(d->order[side], d->changes[i].stance[side].forbids))
				return 1;
	return 0;
}

/* --- counting --------------------------------------------------------------------------------- */

static void
cite(struct us_vault_diff_count *count, const struct us_order *order, int rule)
{
	if (rule < 0)
		return;
	count->rule = order->rules[rule].id;
	count->paragraph = order->rules[rule].paragraph;
}

/* Adds the records; the first of all says which rule is to be cited: 1 if it is among them. */
static int
add_records(struct us_vault_diff_count *count, const roaring_bitmap_t *set,
    const struct us_batch *batch, uint32_t *first)
{
	const int was_empty = count->records == 0;
	roaring_uint32_iterator_t it;

	count->records += roaring_bitmap_get_cardinality(set);
	roaring_init_iterator(set, &it);
	*first = it.current_value;
	for (; it.has_value && count->n < DIFF_SAMPLES; roaring_advance_uint32_iterator(&it))
		count->samples[count->n++] = batch->facts.first + it.current_value;
	return was_empty && count->records > 0;
}

static void
cite_gain(struct us_vault_diff_change *c, struct us_vault_question_rules rules[2], uint32_t doc)
{
	cite(&c->gains, rules[DIFF_TO].order,
	    us_vault_question_rules_first(&rules[DIFF_TO], c->stance[DIFF_TO].permits, doc));
}

/* A prohibition of the new version, or the permission of the old one that is not there any more. */
static void
cite_loss(struct us_vault_diff_change *c, struct us_vault_question_rules rules[2], uint32_t doc)
{
	const struct us_vault_diff_stance *to = &c->stance[DIFF_TO];
	const int forbid = to->prohibited ?
	    (int)to->rule :
	    us_vault_question_rules_first(&rules[DIFF_TO], to->forbids, doc);

	if (forbid >= 0)
		cite(&c->loses, rules[DIFF_TO].order, forbid);
	else
		cite(&c->loses, rules[DIFF_FROM].order,
		    us_vault_question_rules_first(&rules[DIFF_FROM], c->stance[DIFF_FROM].permits,
			doc));
}

static int
set_of(const struct us_registry *reg, const struct us_vault_diff_change *c,
    struct us_vault_question_rules *rules, int side, const struct us_batch *batch,
    roaring_bitmap_t **out)
{
	int err;

	*out = roaring_bitmap_create();
	if (*out == NULL)
		return US_ERR_NOMEM;
	err = us_vault_question_rules_set(rules, c->stance[side].permits, c->stance[side].forbids,
	    *out);
	if (err == US_OK)
		us_vault_question_withhold(reg, c->collection, batch, rules->order, c->capacity,
		    *out);
	return err;
}

static int
count_change(const struct us_registry *reg, struct us_vault_diff_change *c,
    struct us_vault_question_rules rules[2], const struct us_batch *batch)
{
	roaring_bitmap_t *set[2] = { NULL, NULL }, *gained = NULL, *lost = NULL;
	uint32_t first;
	int err = set_of(reg, c, &rules[DIFF_FROM], DIFF_FROM, batch, &set[DIFF_FROM]);

	if (err == US_OK)
		err = set_of(reg, c, &rules[DIFF_TO], DIFF_TO, batch, &set[DIFF_TO]);
	if (err == US_OK) {
		gained = roaring_bitmap_andnot(set[DIFF_TO], set[DIFF_FROM]);
		lost = roaring_bitmap_andnot(set[DIFF_FROM], set[DIFF_TO]);
		err = gained == NULL || lost == NULL ? US_ERR_NOMEM : US_OK;
	}
	if (err == US_OK) {
		if (add_records(&c->gains, gained, batch, &first))
			cite_gain(c, rules, first);
		if (add_records(&c->loses, lost, batch, &first))
			cite_loss(c, rules, first);
	}
	for (int side = DIFF_FROM; side <= DIFF_TO; side++)
		if (set[side] != NULL)
			roaring_bitmap_free(set[side]);
	if (gained != NULL)
		roaring_bitmap_free(gained);
	if (lost != NULL)
		roaring_bitmap_free(lost);
	return err;
}

int
us_vault_diff_count_batch(const struct us_registry *reg, struct us_vault_diff *d,
    struct us_vault_question_rules rules[2], uint32_t collection, const struct us_batch *batch)
{
	int err = US_OK;

	for (int side = DIFF_FROM; side <= DIFF_TO; side++)
		us_vault_question_rules_at(&rules[side], batch);
	for (size_t i = 0; i < d->n_changes && err == US_OK; i++)
		if (d->changes[i].collection == collection &&
		    us_vault_question_batch_open(reg, batch, d->changes[i].party_bits))
			err = count_change(reg, &d->changes[i], rules, batch);
	/* the next step may find the batch elsewhere */
	for (int side = DIFF_FROM; side <= DIFF_TO; side++)
		us_vault_question_rules_at(&rules[side], NULL);
	return err;
}

/* --- the answer ------------------------------------------------------------------------------- */

static void
put_samples(const struct us_collection *c, const struct us_vault_diff_count *count,
    int with_samples, struct us_json *j)
{
	char bates[US_BATES_MAX + 1];

	us_json_array(j);
	for (size_t i = 0; i < count->n && with_samples; i++)
		if (us_bates_format(c->prefix, count->samples[i], bates) == US_OK)
			us_json_cstr(j, bates);
	us_json_close(j);
}

static void
put_parties(const struct us_person *p, struct us_json *j)
{
	struct us_buf b;

	us_buf_init(&b, 4096);
	if (us_buf_reserve(&b, 4096, NULL) != US_OK)
		us_json_fail(j, US_ERR_NOMEM);
	for (size_t i = 0; i < p->n_parties; i++)
		(void)us_buf_putf(&b, "%s%s", i == 0 ? "" : ", ", p->parties[i]);
	us_json_kv_str(j, "party", (struct us_bytes){ b.data, b.len });
	us_buf_free(&b);
}

/* Rule and samples are those of what is gained; those of what is lost stand beside, if there is
 * both. */
static void
put_case_json(const struct us_registry *reg, const struct us_vault_diff *d,
    const struct us_vault_diff_case *c, int with_samples, struct us_json *j)
{
	const struct us_vault_diff_change *change = &d->changes[c->change];
	const struct us_person *p = us_registry_person(reg, c->person);
	const struct us_collection *collection = us_registry_collection(reg, change->collection);
	const struct us_vault_diff_count *shown = change->gains.records > 0 ? &change->gains :
									      &change->loses;

	us_json_object(j);
	us_json_kv_uint(j, "person", p->id);
	us_json_kv_cstr(j, "name", p->name);
	put_parties(p, j);
	us_json_kv_cstr(j, "capacity", us_capacity_name((unsigned)p->capacity));
	us_json_kv_cstr(j, "collection", collection->name);
	us_json_kv_cstr(j, "action", us_action_name((unsigned)c->action));
	us_json_kv_uint(j, "gains", change->gains.records);
	us_json_kv_uint(j, "loses", change->loses.records);
	us_json_kv_str(j, "rule", shown->rule);
	us_json_kv_str(j, "paragraph", shown->paragraph);
	us_json_key(j, "samples");
	put_samples(collection, shown, with_samples, j);
	if (change->gains.records > 0 && change->loses.records > 0) {
		us_json_kv_str(j, "loses_rule", change->loses.rule);
		us_json_kv_str(j, "loses_paragraph", change->loses.paragraph);
		us_json_key(j, "loses_samples");
		put_samples(collection, &change->loses, with_samples, j);
	}
	us_json_close(j);
}

void
us_vault_diff_put(const struct us_registry *reg, const struct us_vault_diff *d, int with_samples,
    struct us_json *j)
{
	uint64_t gains = 0, loses = 0;

	us_json_key(j, "people");
	us_json_array(j);
	for (size_t i = 0; i < d->n_cases; i++) {
		const struct us_vault_diff_change *c = &d->changes[d->cases[i].change];

		if (c->gains.records == 0 && c->loses.records == 0)
			continue;
		gains += c->gains.records;
		loses += c->loses.records;
		put_case_json(reg, d, &d->cases[i], with_samples, j);
	}
	us_json_close(j);
	us_json_kv_uint(j, "total_gains", gains);
	us_json_kv_uint(j, "total_loses", loses);
}
