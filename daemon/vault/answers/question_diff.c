/*
 * "order diff": what each person gains and loses from one version to another.
 *
 *   logged -> next collection -> its index opened -> keys of the rules' words -> batch after batch
 *   -> next collection … -> answer
 *
 * Words in rules need keys, which the keeper gives to who may search there: the same person asks
 * for them, as for a count. Who may not is told to let somebody ask who may; so an administrator
 * cannot find out about contents by proposing an order that names words.
 */
#include "daemon/vault/answers/question_change.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/err.h"
#include "base/time.h"
#include "daemon/vault/answers/answer.h"
#include "daemon/vault/answers/question.h"
#include "daemon/vault/evidence/words.h"
#include "registry/versions.h"

#define WORDS_MAX_BYTES 262144u /* in an entry */
#define GATHERED_MAX_BYTES (4u * WORDS_MAX_BYTES)
#define PURPOSE "to compare versions of the order"

struct us_vault_comparing {
	struct us_vault_diff diff;
	uint32_t version[2];
	uint64_t entry;
	uint32_t collection; /* that is counted; 0: none yet */
	size_t batch;        /* next one */
	struct us_vault_question_rules rules[2];
	struct us_buf words; /* packed, sorted, unique; and views of them */
	struct us_bytes *word;
	size_t n_words;
	uint8_t *term_keys; /* us_secret_alloc() */
	size_t term_keys_n;
};

static void
forget_collection(struct us_vault_comparing *c)
{
	for (int side = DIFF_FROM; side <= DIFF_TO; side++)
		if (c->rules[side].order != NULL)
			us_vault_question_rules_free(&c->rules[side]);
	us_buf_reset(&c->words);
	free(c->word);
	c->word = NULL;
	c->n_words = 0;
	us_secret_free(c->term_keys);
	c->term_keys = NULL;
	c->term_keys_n = 0;
}

static void
comparing_free(struct us_vault_request *r)
{
	struct us_vault_comparing *c = r->own.comparing;

	forget_collection(c);
	us_buf_free(&c->words);
	us_vault_diff_free(&c->diff);
	free(c);
}

/* What r->problem is for that err. */
static void
failure(struct us_vault_request *r, int err)
{
	struct us_vault_problem *p = &r->problem;

	if (err != US_ERR_SEALED && err != US_ERR_DENIED) {
		us_vault_problem_of(p, r->vault->state, err, US_REASON_ERROR,
		    r->own.comparing->entry);
		return;
	}
	us_vault_problem_conflict(p)->entry = r->own.comparing->entry;
	us_vault_problem_detail(p,
	    err == US_ERR_SEALED ?
		"A rule's query needs the index of a collection that nobody has opened since "
		"the vault was unsealed" :
		"A rule names content words, and their keys are given to those alone who may "
		"search the collection");
	us_vault_problem_cure(p,
	    "somebody who may search the collection must ask, or search there first");
}

static enum us_vault_next
fail(struct us_vault_request *r, int err)
{
	failure(r, err);
	return US_VAULT_FAIL;
}

/* --- the answer ------------------------------------------------------------------------------- */

static enum us_vault_next
put_answer(struct us_vault_request *r)
{
	struct us_vault_comparing *c = r->own.comparing;
	const int with_samples = !us_capacity_runs_machine(r->who.subject.capacity);
	struct us_json j;
	struct us_buf b;

	us_vault_json_begin(&j, &b, 64u << 20);
	us_json_kv_uint(&j, "from", c->version[DIFF_FROM]);
	us_json_kv_uint(&j, "to", c->version[DIFF_TO]);
	us_vault_diff_put(us_vault_registry_of(r), &c->diff, with_samples, &j);
	us_json_kv_uint(&j, "entry", c->entry);
	us_json_close(&j);
	return us_vault_answer_json(r, 200, c->entry, &j, &b);
}

/* --- batch after batch ------------------------------------------------------------------------ */

static void
use_keys(struct us_vault_comparing *c, const struct us_batch *batch)
{
	const size_t step = 4 + c->n_words * US_KEY_SIZE;
	struct us_term_table table = { c->word, NULL, 0 };

	for (size_t at = 0; at < c->term_keys_n; at += step) {
		if (us_load_u32(c->term_keys + at) != batch->facts.era)
			continue;
		table.keys = (const struct us_key *)(const void *)(c->term_keys + at + 4);
		table.n = c->n_words;
	}
	c->rules[DIFF_FROM].keys = c->rules[DIFF_TO].keys = table;
}

/* One batch. */
static enum us_step
count_one(struct us_vault_request *r)
{
	struct us_vault_comparing *c = r->own.comparing;
	const struct us_registry *reg = us_vault_registry_of(r);
	const struct us_batch *batch;
	int err;

	/* whoever is suspended meanwhile gets no answer any more */
	if (us_vault_decide_again(r->vault, &r->who, r->action, r->purpose, 0, r->entry,
		&r->problem) == US_VAULT_NO_LONGER)
		return US_STEP_FAILED;
	if (c->batch >= us_registry_batches(reg, c->collection))
		return US_STEP_DONE;
	batch = us_registry_batch(reg, c->collection, c->batch++);
	if (batch->status == US_BATCH_VOID || batch->status == US_BATCH_WITHDRAWN)
		return US_STEP_AGAIN;
	use_keys(c, batch);
	err = us_vault_diff_count_batch(reg, &c->diff, c->rules, c->collection, batch);
	if (err == US_OK)
		return US_STEP_AGAIN;
	failure(r, err);
	return US_STEP_FAILED;
}

/* --- words ------------------------------------------------------------------------------------ */

/* Views of what was gathered into c->words as it came: each once. */
static int
sort_words(struct us_vault_comparing *c, struct us_buf *gathered)
{
	struct us_bytes *all;
	size_t n;
	int err = us_vault_words_split(gathered, &all, &n);

	if (err == US_OK)
		err = us_vault_words_pack(all, n, &c->words, &c->n_words);
	free(all);
	return err != US_OK ? err : us_vault_words_split(&c->words, &c->word, &c->n_words);
}

static int
gather_words(struct us_vault_comparing *c)
{
	struct us_buf gathered;
	int err = US_OK;

	us_buf_init(&gathered, GATHERED_MAX_BYTES);
	us_buf_reset(&c->words);
	for (size_t i = 0; i < c->diff.n_changes && err == US_OK; i++) {
		const struct us_vault_diff_change *change = &c->diff.changes[i];

		for (int side = DIFF_FROM;
		     side <= DIFF_TO && err == US_OK && change->collection == c->collection;
		     side++) {
			err = us_vault_question_rules_words(&c->rules[side],
			    change->stance[side].permits, &gathered);
			if (err == US_OK)
				err = us_vault_question_rules_words(&c->rules[side],
				    change->stance[side].forbids, &gathered);
		}
	}
	if (err == US_OK)
		err = sort_words(c, &gathered);
	us_buf_free(&gathered);
	return err;
}

/* In the asker's name, by an action that the order lets them do here. */
static enum us_vault_next
log_words(struct us_vault_request *r)
{
	static const enum us_action any[] = { US_ACTION_COUNT, US_ACTION_SEARCH };
	struct us_vault_comparing *c = r->own.comparing;
	struct us_vault_entry e = { .kind = US_KIND_INTENT,
		.decision = US_DECISION_ALLOW,
		.related = c->entry,
		.snapshot = us_vault_newest(r->vault->state),
		.purpose = us_bytes_of(PURPOSE) };
	struct us_ruling ruling;

	for (size_t i = 0; i < US_COUNT(any) && e.action == US_ACTION_NONE; i++) {
		us_vault_ruling(r->vault, &r->who, any[i], e.purpose, 0, &ruling);
		if (ruling.decision == US_DECISION_ALLOW)
			e.action = any[i];
	}
	if (e.action == US_ACTION_NONE)
		return fail(r, US_ERR_DENIED);
	if (c->words.len > WORDS_MAX_BYTES)
		return fail(r, US_ERR_LIMIT);
	e.terms = (struct us_bytes){ c->words.data, c->words.len };
	return us_vault_log(r, &e);
}

static enum us_vault_next
find_words(struct us_vault_request *r)
{
	struct us_vault_comparing *c = r->own.comparing;
	struct us_vault_lacking lacking;
	int err = us_vault_evidence_lacks(r->vault->evidence, c->collection, &lacking) ?
	    US_ERR_SEALED :
	    gather_words(c);

	if (err != US_OK)
		return fail(r, err);
	return c->n_words == 0 ? US_VAULT_GO_ON : log_words(r);
}

static enum us_vault_next
take_words(struct us_vault_request *r)
{
	struct us_vault_comparing *c = r->own.comparing;
	const struct us_msg_logged *m = r->heard.logged;

	if (m == NULL || m->term_keys.n == 0)
		return US_VAULT_GO_ON;
	if (m->term_keys.n % (4 + c->n_words * US_KEY_SIZE) != 0)
		return us_vault_fail(r, US_ERR_INTERNAL, US_REASON_ERROR, m->index);
	c->term_keys = us_secret_alloc(m->term_keys.n);
	if (c->term_keys == NULL)
		return us_vault_fail(r, US_ERR_NOMEM, US_REASON_ERROR, m->index);
	memcpy(c->term_keys, m->term_keys.p, m->term_keys.n);
	c->term_keys_n = m->term_keys.n;
	return US_VAULT_GO_ON;
}

/* --- collection after collection -------------------------------------------------------------- */

static enum us_vault_next
prepare(struct us_vault_request *r)
{
	struct us_vault_comparing *c = r->own.comparing;
	int err;

	c->entry = r->heard.logged->index;
	err = us_vault_diff_prepare(us_vault_registry_of(r), &c->diff, us_time_now_ns());
	return err == US_OK ? US_VAULT_GO_ON : fail(r, err);
}

enum { COLLECTION = 2, COUNT = 7 }; /* where each collection begins, and its counting */

static enum us_vault_next
next_collection(struct us_vault_request *r)
{
	struct us_vault_comparing *c = r->own.comparing;
	const struct us_registry *reg = us_vault_registry_of(r);
	const uint32_t n = us_registry_collections(reg);
	int err = US_OK;

	forget_collection(c);
	do
		c->collection++;
	while (c->collection <= n && !us_vault_diff_concerns(&c->diff, c->collection));
	if (c->collection > n)
		return put_answer(r);
	c->batch = 0;
	r->who.collection = c->collection;
	for (int side = DIFF_FROM; side <= DIFF_TO && err == US_OK; side++)
		err = us_vault_question_rules_init(&c->rules[side], r->vault->evidence,
		    c->diff.order[side], c->collection);
	if (err != US_OK)
		return fail(r, err);
	return us_vault_diff_needs_index(&c->diff, c->collection) &&
		us_registry_batches(reg, c->collection) > 0 ?
	    US_VAULT_GO_ON :
	    us_vault_row(r, &us_vault_diff_steps[COUNT]);
}

static enum us_vault_next
go_round(struct us_vault_request *r)
{
	return us_vault_row(r, &us_vault_diff_steps[COLLECTION]);
}

static enum us_vault_next
ask_for_diff(struct us_vault_request *r)
{
	const struct us_msg_question_request *q = &r->q.question_request;
	const struct us_registry *reg = us_vault_registry_of(r);
	const struct us_order_version *from = us_registry_version_of(reg, q->first);
	const struct us_order_version *to = us_registry_version_of(reg, q->second);
	struct us_vault_comparing *c;
	enum us_vault_next next;
	char text[64];

	r->action = US_ACTION_ORDER_DIFF;
	next = us_vault_question_for_all(r);
	if (next == US_VAULT_GO_ON)
		next = us_vault_question_ask_order(r);
	if (next != US_VAULT_GO_ON)
		return next;
	if (from == NULL || to == NULL)
		return us_vault_question_not_found(r, "There is no such version of the order");
	c = calloc(1, sizeof *c);
	if (c == NULL)
		return us_vault_fail(r, US_ERR_NOMEM, US_REASON_ERROR, NO_ENTRY);
	us_buf_init(&c->words, GATHERED_MAX_BYTES);
	r->own.comparing = c;
	r->own_free = comparing_free;
	c->version[DIFF_FROM] = from->version;
	c->version[DIFF_TO] = to->version;
	c->diff.order[DIFF_FROM] = from->order;
	c->diff.order[DIFF_TO] = to->order;
	(void)snprintf(text, sizeof text, "order-diff %u to %u", from->version, to->version);
	return us_vault_question_log(r, us_bytes_of(text));
}

const struct us_vault_step us_vault_diff_steps[] = {
	{ .once = ask_for_diff },
	{ .once = prepare },
	[COLLECTION] = { .once = next_collection },
	{ .once = us_vault_question_open },
	{ .once = us_vault_take_page_keys },
	{ .once = find_words },
	{ .once = take_words },
	[COUNT] = { .unit = count_one },
	{ .once = go_round },
	{ .once = NULL },
};
