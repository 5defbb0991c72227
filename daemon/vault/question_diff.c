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
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/time.h"
#include "daemon/vault/question_diff.h"

#define WORDS_MAX_BYTES 262144u
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

static void next_collection(void *ctx);

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
comparing_free(void *state)
{
	struct us_vault_comparing *c = state;

	forget_collection(c);
	us_buf_free(&c->words);
	us_vault_diff_free(&c->diff);
	free(c);
}

static struct us_vault_problem
failure(const struct us_vault_request *r, int err)
{
	const struct us_vault_comparing *c = r->state;
	const struct us_vault_problem p = { .status = 409,
		.type = "conflict",
		.title = "Not possible in the present state",
		.detail = err == US_ERR_SEALED ?
		    "A rule's query needs the index of a collection that nobody has opened since "
		    "the vault was unsealed" :
		    "A rule names content words, and their keys are given to those alone who may "
		    "search the collection",
		.reason = US_REASON_STATE,
		.cure = "somebody who may search the collection must ask, or search there first",
		.entry = c->entry,
		.position = -1 };

	if (err == US_ERR_SEALED || err == US_ERR_DENIED)
		return p;
	return us_vault_problem_of(r, err, US_REASON_ERROR, c->entry);
}

static void
fail(struct us_vault_request *r, int err)
{
	const struct us_vault_problem p = failure(r, err);

	us_vault_reply_problem(r, &p);
}

/* --- the answer ------------------------------------------------------------------------------- */

static void
answer(struct us_vault_request *r)
{
	struct us_vault_comparing *c = r->state;
	const int with_samples = r->subject.capacity != US_CAPACITY_ADMINISTRATOR &&
	    r->subject.capacity != US_CAPACITY_KEYHOLDER;
	struct us_json j;
	struct us_buf b;

	us_buf_init(&b, 64u << 20);
	us_json_begin(&j, &b);
	us_json_object(&j);
	us_json_kv_uint(&j, "from", c->version[DIFF_FROM]);
	us_json_kv_uint(&j, "to", c->version[DIFF_TO]);
	us_vault_diff_put(r->vault, &c->diff, with_samples, &j);
	us_json_kv_uint(&j, "entry", c->entry);
	us_json_close(&j);
	if (us_json_end(&j) == US_OK)
		us_vault_reply_json(r, 200, c->entry, &b);
	else
		us_vault_reply_error(r, US_ERR_INTERNAL, US_REASON_ERROR, c->entry);
	us_buf_free(&b);
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
count_step(void *ctx)
{
	struct us_vault_request *r = ctx;
	struct us_vault_comparing *c = r->state;
	const struct us_bytes none = { NULL, 0 };
	const struct us_batch *batch;
	int err;

	/* whoever is suspended meanwhile gets no answer any more */
	if (us_vault_access_again(r, US_ACTION_ORDER_DIFF, none, 0) == ACCESS_ENDED)
		return US_STEP_FAILED;
	if (c->batch >= us_registry_batches(r->vault->registry, c->collection))
		return US_STEP_DONE;
	batch = us_registry_batch(r->vault->registry, c->collection, c->batch++);
	if (batch->status == US_BATCH_VOID || batch->status == US_BATCH_WITHDRAWN)
		return US_STEP_AGAIN;
	use_keys(c, batch);
	err = us_vault_diff_count_batch(r->vault, &c->diff, c->rules, c->collection, batch);
	if (err == US_OK)
		return US_STEP_AGAIN;
	r->problem = failure(r, err);
	return US_STEP_FAILED;
}

static void
begin_counting(struct us_vault_request *r)
{
	us_work_begin(&r->work, count_step, next_collection);
}

/* --- words ------------------------------------------------------------------------------------ */

static int
compare_words(const void *a, const void *b)
{
	const struct us_bytes *x = a, *y = b;
	const int order = memcmp(x->p, y->p, x->n < y->n ? x->n : y->n);

	return order != 0 ? order : (x->n > y->n) - (x->n < y->n);
}

/* Views of packed words, sorted, each once. */
static int
sort_words(struct us_buf *packed, struct us_bytes **out, size_t *n)
{
	struct us_reader in;
	size_t room = 0, kept = 0;

	us_reader_init(&in, packed->data, packed->len);
	while (in.left > 0 && in.err == US_OK) {
		(void)us_take_str16(&in, US_WORD_MAX);
		room++;
	}
	*n = 0;
	*out = NULL;
	if (in.err != US_OK || room == 0)
		return in.err;
	*out = calloc(room, sizeof **out);
	if (*out == NULL)
		return US_ERR_NOMEM;
	us_reader_init(&in, packed->data, packed->len);
	for (size_t i = 0; i < room; i++)
		(*out)[i] = us_take_str16(&in, US_WORD_MAX);
	qsort(*out, room, sizeof **out, compare_words);
	for (size_t i = 0; i < room; i++)
		if (kept == 0 || compare_words(&(*out)[kept - 1], &(*out)[i]) != 0)
			(*out)[kept++] = (*out)[i];
	*n = kept;
	return US_OK;
}

static int
gather_words(struct us_vault_comparing *c)
{
	int err = US_OK;

	us_buf_reset(&c->words);
	for (size_t i = 0; i < c->diff.n_changes && err == US_OK; i++) {
		const struct us_vault_diff_change *change = &c->diff.changes[i];

		for (int side = DIFF_FROM;
		     side <= DIFF_TO && err == US_OK && change->collection == c->collection;
		     side++) {
			err = us_vault_question_rules_words(&c->rules[side],
			    change->stance[side].permits, &c->words);
			if (err == US_OK)
				err = us_vault_question_rules_words(&c->rules[side],
				    change->stance[side].forbids, &c->words);
		}
	}
	return err != US_OK ? err : sort_words(&c->words, &c->word, &c->n_words);
}

static void
words_logged(struct us_vault_request *r, const struct us_msg_logged *m)
{
	struct us_vault_comparing *c = r->state;

	if (m->term_keys.n % (4 + c->n_words * US_KEY_SIZE) != 0) {
		us_vault_reply_error(r, US_ERR_INTERNAL, US_REASON_ERROR, m->index);
		return;
	}
	if (m->term_keys.n > 0) {
		c->term_keys = us_secret_alloc(m->term_keys.n);
		if (c->term_keys == NULL) {
			us_vault_reply_error(r, US_ERR_NOMEM, US_REASON_ERROR, m->index);
			return;
		}
		memcpy(c->term_keys, m->term_keys.p, m->term_keys.n);
		c->term_keys_n = m->term_keys.n;
	}
	begin_counting(r);
}

/* In the asker's name, by an action that the order lets them do here. */
static void
ask_for_words(struct us_vault_request *r)
{
	static const enum us_action any[] = { US_ACTION_COUNT, US_ACTION_SEARCH };
	struct us_vault_comparing *c = r->state;
	struct us_msg_log e = { .kind = US_KIND_INTENT,
		.decision = US_DECISION_ALLOW,
		.related = c->entry,
		.snapshot = r->vault->newest,
		.purpose = us_bytes_of(PURPOSE) };
	struct us_ruling ruling;
	struct us_buf packed;
	int err = US_OK;

	for (size_t i = 0; i < US_COUNT(any) && e.action == US_ACTION_NONE; i++) {
		us_vault_access_ruling(r, any[i], e.purpose, 0, &ruling);
		if (ruling.decision == US_DECISION_ALLOW)
			e.action = (uint8_t)any[i];
	}
	if (e.action == US_ACTION_NONE) {
		fail(r, US_ERR_DENIED);
		return;
	}
	us_buf_init(&packed, WORDS_MAX_BYTES);
	for (size_t i = 0; i < c->n_words && err == US_OK; i++)
		err = us_buf_put_str16(&packed, c->word[i].p, c->word[i].n);
	e.terms = (struct us_bytes){ packed.data, packed.len };
	if (err == US_OK)
		us_vault_access_log(r, &e, words_logged);
	else
		fail(r, err);
	us_buf_free(&packed);
}

static void
opened(struct us_vault_request *r)
{
	struct us_vault_comparing *c = r->state;
	int err = us_vault_evidence_complete(r->vault, c->collection) ? gather_words(c) :
									US_ERR_SEALED;

	if (err != US_OK)
		fail(r, err);
	else if (c->n_words == 0)
		begin_counting(r);
	else
		ask_for_words(r);
}

/* --- collection after collection -------------------------------------------------------------- */

static void
next_collection(void *ctx)
{
	struct us_vault_request *r = ctx;
	struct us_vault_comparing *c = r->state;
	const uint32_t n = us_registry_collections(r->vault->registry);
	int err = US_OK;

	forget_collection(c);
	do
		c->collection++;
	while (c->collection <= n && !us_vault_diff_concerns(&c->diff, c->collection));
	if (c->collection > n) {
		answer(r);
		return;
	}
	c->batch = 0;
	r->collection = c->collection;
	for (int side = DIFF_FROM; side <= DIFF_TO && err == US_OK; side++)
		err = us_vault_question_rules_init(&c->rules[side], r->vault, c->diff.order[side],
		    c->collection);
	if (err != US_OK)
		fail(r, err);
	else if (us_vault_diff_needs_index(&c->diff, c->collection) &&
	    us_registry_batches(r->vault->registry, c->collection) > 0)
		us_vault_question_open(r, opened);
	else
		begin_counting(r);
}

static void
logged(struct us_vault_request *r, const struct us_msg_logged *m)
{
	struct us_vault_comparing *c = r->state;
	int err;

	c->entry = m->index;
	err = us_vault_diff_prepare(r->vault, &c->diff, us_time_now_ns());
	if (err != US_OK)
		fail(r, err);
	else
		next_collection(r);
}

void
us_vault_question_diff(struct us_vault_request *r, const struct us_msg_question_request *q)
{
	const struct us_order_version *from = us_registry_version_of(r->vault->registry, q->first);
	const struct us_order_version *to = us_registry_version_of(r->vault->registry, q->second);
	struct us_vault_comparing *c;
	char text[64];

	if (us_vault_question_for_all(r, US_ACTION_ORDER_DIFF) != US_OK ||
	    us_vault_access_rule(r, US_ACTION_ORDER_DIFF, (struct us_bytes){ NULL, 0 }, 0) != US_OK)
		return;
	if (from == NULL || to == NULL) {
		us_vault_question_not_found(r, US_ACTION_ORDER_DIFF,
		    "There is no such version of the order");
		return;
	}
	c = calloc(1, sizeof *c);
	if (c == NULL) {
		us_vault_reply_error(r, US_ERR_NOMEM, US_REASON_ERROR, NO_ENTRY);
		return;
	}
	us_buf_init(&c->words, WORDS_MAX_BYTES * 4);
	r->state = c;
	r->free_state = comparing_free;
	c->version[DIFF_FROM] = from->version;
	c->version[DIFF_TO] = to->version;
	c->diff.order[DIFF_FROM] = from->order;
	c->diff.order[DIFF_TO] = to->order;
	(void)snprintf(text, sizeof text, "order-diff %u to %u", from->version, to->version);
	us_vault_question_log(r, US_ACTION_ORDER_DIFF, us_bytes_of(text), logged);
}
