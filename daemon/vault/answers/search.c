/*
 * Searching. The intent, with query, purpose and every content word, is logged before anything is
 * opened; its answer brings the words' keys. Batches are evaluated one by one, each intersected
 * with what is visible before it is counted. A second entry has the number that the person is told,
 * and names the records that snippets disclose. The steps stand in their order at the end.
 */
#include "daemon/vault/answers/kinds.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/log.h"
#include "crypto/crypto.h"
#include "daemon/vault/answers/answer.h"
#include "daemon/vault/answers/record_line.h"
#include "daemon/vault/answers/searching.h"
#include "daemon/vault/evidence/designate.h"

#define QUERY_LOGGED_MAX 8192u
#define LIMIT_DEFAULT 20u
#define SNIPPETS_MAX 1000u
#define TEXT_MAX (64u * 1024u * 1024u)
#define AGAIN_MAX 16u /* a search that is overtaken more often fails */

enum { WORDS = 7, EVALUATE }; /* places in the row of a search */

static void
searching_free(struct us_vault_request *r)
{
	struct us_vault_searching *s = r->own.searching;

	us_query_free(s->query);
	us_secret_free(s->term_keys);
	us_secret_free(s->keys);
	us_buf_free(&s->words);
	us_buf_free(&s->text);
	free(s->word);
	free(s->hits);
	free(s);
}

/* --- the answer ------------------------------------------------------------------------------- */

static int
search_has_snippets(const struct us_vault_searching *s)
{
	return s->n_hits > 0 && (s->flags & US_SEARCH_NO_SNIPPETS) == 0;
}

static enum us_vault_next
take_keys(struct us_vault_request *r)
{
	struct us_vault_searching *s = r->own.searching;
	const struct us_msg_logged *m = r->heard.logged;

	s->entry = m->index;
	if (!search_has_snippets(s))
		return US_VAULT_GO_ON;
	if (m->record_keys.n != s->n_hits * RECORD_KEY_ITEM ||
	    (s->keys = us_secret_alloc(m->record_keys.n)) == NULL)
		return us_vault_fail(r, US_ERR_NOMEM, US_REASON_ERROR, m->index);
	memcpy(s->keys, m->record_keys.p, m->record_keys.n);
	return US_VAULT_GO_ON;
}

/* Where the next page begins, for the client to keep. */
static int
seal_cursor(const struct us_vault_request *r, struct us_vault_searching *s)
{
	struct us_cursor next = { .collection = r->who.collection,
		.person = r->who.person,
		.snapshot = s->snapshot,
		.total = s->total,
		.intent = s->intent,
		.place = s->hits[s->n_hits - 1] };
	struct us_buf b;
	int err;

	memcpy(next.query, s->cursor.query, sizeof next.query);
	us_buf_init(&b, sizeof s->next - 1);
	err = us_cursor_seal(us_vault_cursor_key(r->vault->state), us_vault_id(r->vault->state),
	    &next, &b);
	if (err == US_OK)
		memcpy(s->next, b.data, b.len);
	us_buf_free(&b);
	return err;
}

static enum us_vault_next
log_records(struct us_vault_request *r, struct us_vault_entry *e)
{
	const struct us_vault_searching *s = r->own.searching;
	uint8_t *packed = malloc(s->n_hits * 8);
	enum us_vault_next next;

	if (packed == NULL)
		return us_vault_fail(r, US_ERR_NOMEM, US_REASON_ERROR, s->intent);
	for (size_t i = 0; i < s->n_hits; i++)
		us_store_u64(packed + i * 8, s->hits[i]);
	e->records = (struct us_bytes){ packed, s->n_hits * 8 };
	next = us_vault_log(r, e);
	free(packed);
	return next;
}

/* The last batch has been evaluated. */
static enum us_vault_next
log_disclosure(struct us_vault_request *r)
{
	struct us_vault_searching *s = r->own.searching;
	struct us_vault_entry e = { .kind = US_KIND_DISCLOSURE,
		.action = r->action,
		.decision = US_DECISION_ALLOW,
		.purpose = r->purpose,
		.related = s->intent,
		.snapshot = s->snapshot,
		.total = s->total };

	us_secret_free(s->term_keys);
	s->term_keys = NULL;
	s->entry = s->intent;
	s->withdrawn = us_vault_view_withdrawn(&s->view);
	if (s->more && s->n_hits > 0 && seal_cursor(r, s) != US_OK)
		return us_vault_fail(r, US_ERR_INTERNAL, US_REASON_ERROR, s->intent);
	if (s->total < r->who.smallest_count) {
		e.total = r->who.smallest_count;
		e.flags = ENTRY_FLAG_FEWER;
	}
	return search_has_snippets(s) ? log_records(r, &e) : us_vault_log(r, &e);
}

/* --- evaluation ------------------------------------------------------------------------------- */

static int
add_hit(struct us_vault_searching *s, uint64_t record)
{
	if (s->n_hits == s->limit) {
		s->more = 1;
		return 0;
	}
	s->hits[s->n_hits++] = record;
	return 1;
}

struct us_vault_gather {
	struct us_vault_searching *s;
	uint64_t first;
};

static bool
gather(uint32_t item, void *ctx)
{
	struct us_vault_gather *g = ctx;
	uint64_t record = g->first + item;

	if (g->s->has_cursor && record <= g->s->cursor.place)
		return true;
	return add_hit(g->s, record) != 0;
}

static int
search_batch(struct us_vault_request *r, struct us_vault_searching *s, const struct us_batch *facts)
{
	struct us_term_table table = { s->word, NULL, 0 };
	size_t at, step = 4 + s->n_words * US_KEY_SIZE;
	struct us_vault_gather g = { s, facts->facts.first };
	const roaring_bitmap_t *visible;
	roaring_bitmap_t *found = NULL;
	int err;

	for (at = 0; at < s->term_keys_n; at += step) {
		if (us_load_u32(s->term_keys + at) != facts->facts.era)
			continue;
		table.keys = (const struct us_key *)(const void *)(s->term_keys + at + 4);
		table.n = s->n_words;
	}
	s->view.keys = table;
	err = us_vault_designate_eval(r->vault->evidence, facts, s->query, &table, &found);
	if (err == US_OK)
		err = us_vault_view_bitmap(&s->view, facts, &visible);
	if (err != US_OK && found != NULL)
		roaring_bitmap_free(found);
	if (err != US_OK)
		return err;
	if (visible != NULL)
		roaring_bitmap_and_inplace(found, visible);
	if (!s->has_cursor)
		s->total += roaring_bitmap_get_cardinality(found);
	if ((s->flags & US_SEARCH_COUNT) == 0 && !s->more)
		(void)roaring_iterate(found, gather, &g);
	roaring_bitmap_free(found);
	return US_OK;
}

/* One batch. */
static enum us_step
search_one(struct us_vault_request *r)
{
	struct us_vault_searching *s = r->own.searching;
	const struct us_registry *reg = us_vault_registry_of(r);
	const size_t n = us_registry_batches(reg, r->who.collection);
	const struct us_batch *facts;
	int err;

	switch (us_vault_decide_again(r->vault, &r->who, r->action, r->purpose, 0, r->entry,
	    &r->problem)) {
	case US_VAULT_SAME:
		break;
	case US_VAULT_CHANGED:
		s->overtaken = 1;
		return US_STEP_DONE; /* evaluate_again() */
	case US_VAULT_NO_LONGER:
		return US_STEP_FAILED;
	}
	if (s->batch == n || (s->has_cursor && s->more))
		return US_STEP_DONE;
	facts = us_registry_batch(reg, r->who.collection, s->batch++);
	if (!us_vault_view_batch(&s->view, facts) ||
	    (s->has_cursor && facts->facts.first + facts->facts.count - 1 <= s->cursor.place))
		return US_STEP_AGAIN;
	err = search_batch(r, s, facts);
	if (err == US_OK)
		return US_STEP_AGAIN;
	us_log_err(err, "a search failed");
	return us_vault_unit_failed(r, err == US_ERR_NOMEM ? err : US_ERR_INTERNAL, US_REASON_ERROR,
	    s->intent);
}

static enum us_vault_next
take_words(struct us_vault_request *r)
{
	struct us_vault_searching *s = r->own.searching;
	const struct us_msg_logged *m = r->heard.logged;

	s->intent = m->index;
	if (m->term_keys.n > 0) {
		if (m->term_keys.n % (4 + s->n_words * US_KEY_SIZE) != 0)
			return us_vault_fail(r, US_ERR_INTERNAL, US_REASON_ERROR, m->index);
		us_secret_free(s->term_keys); /* of the words before it began anew */
		s->term_keys = us_secret_alloc(m->term_keys.n);
		if (s->term_keys == NULL)
			return us_vault_fail(r, US_ERR_NOMEM, US_REASON_ERROR, m->index);
		memcpy(s->term_keys, m->term_keys.p, m->term_keys.n);
		s->term_keys_n = m->term_keys.n;
	}
	if (s->has_cursor)
		s->total = s->cursor.total;
	return US_VAULT_GO_ON;
}

/* --- the request ------------------------------------------------------------------------------ */

static enum us_vault_next
refuse_cursor(struct us_vault_request *r)
{
	us_vault_problem_set(&r->problem, 400, "cursor", "The cursor is not one of this search",
	    US_REASON_MALFORMED);
	us_vault_problem_detail(&r->problem,
	    "A cursor goes with the query, collection and person it was given for; "
	    "search anew");
	return US_VAULT_FAIL;
}

/* US_OK, or the cursor is not one of this person's for this query. */
static int
take_cursor(struct us_vault_request *r, struct us_vault_searching *s, struct us_bytes text)
{
	uint8_t digest[32];
	int err = us_sha256(s->query->canonical.p, s->query->canonical.n, digest);

	if (err != US_OK)
		return err;
	if (text.n > 0) {
		err = us_cursor_open(us_vault_cursor_key(r->vault->state),
		    us_vault_id(r->vault->state), text, &s->cursor);
		if (err != US_OK || s->cursor.person != r->who.person ||
		    s->cursor.collection != r->who.collection ||
		    memcmp(s->cursor.query, digest, sizeof digest) != 0)
			return US_ERR_FORMAT;
		s->has_cursor = 1;
		s->snapshot = s->cursor.snapshot;
	}
	memcpy(s->cursor.query, digest, sizeof digest);
	return US_OK;
}

static int
take_limits(struct us_vault_request *r, struct us_vault_searching *s, uint32_t limit)
{
	uint32_t most = 10000;

	if ((s->flags & US_SEARCH_NO_SNIPPETS) == 0) {
		most = SNIPPETS_MAX;
		if (r->who.ruling.records_per_request > 0 &&
		    r->who.ruling.records_per_request < most)
			most = r->who.ruling.records_per_request;
		if (r->who.text_max > 0 && r->who.text_max < most)
			most = r->who.text_max;
	}
	s->limit = limit == 0 ? LIMIT_DEFAULT : limit;
	if (s->limit > most)
		s->limit = most;
	if ((s->flags & US_SEARCH_COUNT) != 0)
		s->limit = 0;
	s->hits = malloc((s->limit + 1) * sizeof *s->hits);
	return s->hits == NULL ? US_ERR_NOMEM : US_OK;
}

/* An entry with the query, and what its words' keys are. */
static enum us_vault_next
ask_words(struct us_vault_request *r, uint64_t related)
{
	const struct us_vault_searching *s = r->own.searching;
	const struct us_vault_entry e = { .kind = US_KIND_INTENT,
		.action = r->action,
		.decision = US_DECISION_ALLOW,
		.query = r->q.search_request.query,
		.purpose = r->purpose,
		.related = related,
		.snapshot = s->snapshot,
		.terms = { s->words.data, s->words.len } };

	return us_vault_log(r, &e);
}

static enum us_vault_next
log_intent(struct us_vault_request *r)
{
	const struct us_msg_search_request *q = &r->q.search_request;
	struct us_vault_searching *s = r->own.searching;
	const enum us_vault_next next = us_vault_snapshot(r, q->snapshot, &s->snapshot);
	int err;

	if (next != US_VAULT_GO_ON)
		return next;
	err = take_cursor(r, s, q->cursor);
	if (err == US_ERR_FORMAT)
		return refuse_cursor(r);
	if (err == US_OK)
		err = take_limits(r, s, q->limit);
	if (err == US_OK) {
		us_vault_search_view(r);
		err = us_vault_search_words(s);
	}
	return err != US_OK ? us_vault_fail(r, err, US_REASON_MALFORMED, NO_ENTRY) :
			      ask_words(r, s->has_cursor ? s->cursor.intent : NO_ENTRY);
}

static enum us_vault_next
find_collection(struct us_vault_request *r)
{
	if ((r->q.search_request.flags & US_SEARCH_COUNT) != 0)
		r->action = US_ACTION_COUNT;
	return us_vault_decided(us_vault_decide_collection(r->vault, &r->who,
	    r->q.search_request.collection, &r->problem));
}

static enum us_vault_next
ask_order(struct us_vault_request *r)
{
	return us_vault_ask_order(r, r->q.search_request.purpose, 0);
}

static enum us_vault_next
take_query(struct us_vault_request *r)
{
	const struct us_bytes text = r->q.search_request.query;
	struct us_vault_searching *s = calloc(1, sizeof *s);
	struct us_query_error error = { 0 };
	int err;

	if (s == NULL)
		return us_vault_fail(r, US_ERR_NOMEM, US_REASON_ERROR, NO_ENTRY);
	us_buf_init(&s->words, SEARCH_WORDS_MAX);
	us_buf_init(&s->text, TEXT_MAX);
	r->own.searching = s;
	r->own_free = searching_free;
	s->flags = r->q.search_request.flags;
	if (text.n > QUERY_LOGGED_MAX) { /* before it costs anything */
		err = US_ERR_LIMIT;
		error.at = QUERY_LOGGED_MAX;
		(void)strncpy(error.message, "a query has at most 8,192 bytes",
		    sizeof error.message - 1);
	} else {
		err = us_query_parse(text.p, text.n, &s->query, &error);
	}
	return err == US_OK ? US_VAULT_GO_ON : us_vault_bad_query(r, err, &error);
}

static enum us_vault_next
limit_query(struct us_vault_request *r)
{
	struct us_vault_searching *s = r->own.searching;
	const enum us_vault_next next = us_vault_decided(
	    us_vault_decide_query(r->vault, &r->who, r->purpose, s->query, &r->problem));

	if (us_vault_search_hides_text(r))
		s->flags |= US_SEARCH_NO_SNIPPETS;
	return next;
}

/* --- anew ------------------------------------------------------------------------------------- */

/* Nothing has been told yet, so what was counted may go. 1: the words whose keys are needed are
 * others now. Below 0: minus an enum us_err. */
static int
begin_anew(struct us_vault_request *r)
{
	struct us_vault_searching *s = r->own.searching;
	struct us_buf before = s->words;
	int err, others;

	us_buf_init(&s->words, SEARCH_WORDS_MAX);
	free(s->word);
	s->word = NULL;
	s->batch = 0;
	s->n_hits = 0;
	s->more = 0;
	s->total = s->has_cursor ? s->cursor.total : 0;
	us_vault_search_view(r);
	err = us_vault_search_words(s);
	others = s->words.len != before.len ||
	    (before.len > 0 && memcmp(s->words.data, before.data, before.len) != 0);
	us_buf_free(&before);
	return err != US_OK ? -err : others;
}

/* Behind the last batch; or somebody was stopped, or something withheld, before it came. */
static enum us_vault_next
evaluate_again(struct us_vault_request *r)
{
	struct us_vault_searching *s = r->own.searching;
	enum us_vault_next next;
	int others;

	if (!s->overtaken)
		return US_VAULT_GO_ON;
	s->overtaken = 0;
	if (++s->again > AGAIN_MAX)
		return us_vault_search_changed(r);
	next = limit_query(r);
	if (next != US_VAULT_GO_ON)
		return next;
	others = begin_anew(r);
	if (others < 0)
		return us_vault_fail(r, -others, US_REASON_ERROR, s->intent);
	if (!others)
		return us_vault_row(r, &us_vault_search_request_steps[EVALUATE]);
	(void)us_vault_row(r, &us_vault_search_request_steps[WORDS]);
	return ask_words(r, s->intent);
}

/* --- a search --------------------------------------------------------------------------------- */

const struct us_vault_step us_vault_search_request_steps[] = {
	{ .once = find_collection },
	{ .once = ask_order }, /* may who asks search here? */
	{ .once = take_query },
	{ .once = limit_query }, /* it asks about nothing that must not be told */
	{ .once = us_vault_open_collection },
	{ .once = us_vault_take_page_keys },
	{ .once = log_intent }, /* no entry, no words' keys */
	[WORDS] = { .once = take_words },
	[EVALUATE] = { .unit = search_one }, /* batch by batch */
	{ .once = evaluate_again },          /* if it was overtaken */
	{ .once = log_disclosure },          /* no entry, no records' keys */
	{ .once = take_keys },
	{ .once = us_vault_search_begin },
	{ .unit = us_vault_search_put }, /* hit by hit */
	{ .once = NULL },
};
