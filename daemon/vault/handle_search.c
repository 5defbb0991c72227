/*
 * Searching. The intent, with query, purpose and every content word, is logged before anything is
 * opened; its answer brings the words' keys. Batches are evaluated one by one, each intersected
 * with what is visible before it is counted. A second entry has the number that the person is told,
 * and names the records that snippets disclose.
 */
#include <stdlib.h>
#include <string.h>

#include "crypto/crypto.h"
#include "daemon/vault/searching.h"

#define QUERY_LOGGED_MAX 8192u
#define LIMIT_DEFAULT 20u
#define SNIPPETS_MAX 1000u

static void
searching_free(void *state)
{
	struct us_vault_searching *s = state;

	us_query_free(s->query);
	us_secret_free(s->term_keys);
	us_secret_free(s->keys);
	us_buf_free(&s->words);
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

static void
disclosed(struct us_vault_request *r, const struct us_msg_logged *m)
{
	struct us_vault_searching *s = r->state;

	s->entry = m->index;
	if (!search_has_snippets(s)) {
		us_vault_search_answer(r);
		return;
	}
	if (m->record_keys.n != s->n_hits * RECORD_KEY_ITEM ||
	    (s->keys = us_secret_alloc(m->record_keys.n)) == NULL) {
		us_vault_reply_error(r, US_ERR_NOMEM, US_REASON_ERROR, m->index);
		return;
	}
	memcpy(s->keys, m->record_keys.p, m->record_keys.n);
	us_vault_search_answer(r);
}

/* The last batch has been evaluated. */
static void
counted(void *ctx)
{
	struct us_vault_request *r = ctx;
	struct us_vault_searching *s = r->state;
	struct us_cursor next = { .collection = r->collection,
		.person = r->person,
		.snapshot = s->snapshot,
		.total = s->total,
		.intent = s->intent };
	struct us_msg_log e = { .kind = US_KIND_DISCLOSURE,
		.action = (s->flags & US_SEARCH_COUNT) != 0 ? US_ACTION_COUNT : US_ACTION_SEARCH,
		.decision = US_DECISION_ALLOW,
		.purpose = s->purpose,
		.related = s->intent,
		.snapshot = s->snapshot,
		.total = s->total };
	uint8_t *packed;
	size_t i;

	us_secret_free(s->term_keys);
	s->term_keys = NULL;
	s->entry = s->intent;
	s->withdrawn = us_vault_view_withdrawn(&s->view);
	if (s->more && s->n_hits > 0) {
		struct us_buf b;

		next.place = s->hits[s->n_hits - 1];
		memcpy(next.query, s->cursor.query, sizeof next.query);
		us_buf_init(&b, sizeof s->next - 1);
		if (us_cursor_seal(r->vault->cursor_key, r->vault->vault_id, &next, &b) != US_OK) {
			us_vault_reply_error(r, US_ERR_INTERNAL, US_REASON_ERROR, s->intent);
			us_buf_free(&b);
			return;
		}
		memcpy(s->next, b.data, b.len);
		us_buf_free(&b);
	}
	if (s->total < r->smallest_count) {
		e.total = r->smallest_count;
		e.flags = US_LOG_FEWER;
	}
	if (!search_has_snippets(s)) {
		us_vault_access_log(r, &e, disclosed);
		return;
	}
	packed = malloc(s->n_hits * 8);
	if (packed == NULL) {
		us_vault_reply_error(r, US_ERR_NOMEM, US_REASON_ERROR, s->intent);
		return;
	}
	for (i = 0; i < s->n_hits; i++)
		us_store_u64(packed + i * 8, s->hits[i]);
	e.records = (struct us_bytes){ packed, s->n_hits * 8 };
	us_vault_access_log(r, &e, disclosed);
	free(packed);
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
	err = us_vault_view_eval(r->vault, facts, s->query, &table, &found);
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
search_step(void *ctx)
{
	struct us_vault_request *r = ctx;
	struct us_vault_searching *s = r->state;
	const size_t n = us_registry_batches(r->vault->registry, r->collection);
	const struct us_batch *facts;
	int err;

	if (us_vault_search_has_changed(r, s))
		return US_STEP_FAILED;
	if (s->batch == n || (s->has_cursor && s->more))
		return US_STEP_DONE;
	facts = us_registry_batch(r->vault->registry, r->collection, s->batch++);
	if (!us_vault_view_batch(&s->view, facts) ||
	    (s->has_cursor && facts->facts.first + facts->facts.count - 1 <= s->cursor.place))
		return US_STEP_AGAIN;
	err = search_batch(r, s, facts);
	if (err == US_OK)
		return US_STEP_AGAIN;
	us_log_err(err, "a search failed");
	return us_vault_step_failed(r, err == US_ERR_NOMEM ? err : US_ERR_INTERNAL, US_REASON_ERROR,
	    s->intent);
}

static void
intended(struct us_vault_request *r, const struct us_msg_logged *m)
{
	struct us_vault_searching *s = r->state;

	s->intent = m->index;
	if (m->term_keys.n > 0) {
		if (m->term_keys.n % (4 + s->n_words * US_KEY_SIZE) != 0) {
			us_vault_reply_error(r, US_ERR_INTERNAL, US_REASON_ERROR, m->index);
			return;
		}
		s->term_keys = us_secret_alloc(m->term_keys.n);
		if (s->term_keys == NULL) {
			us_vault_reply_error(r, US_ERR_NOMEM, US_REASON_ERROR, m->index);
			return;
		}
		memcpy(s->term_keys, m->term_keys.p, m->term_keys.n);
		s->term_keys_n = m->term_keys.n;
	}
	if (s->has_cursor)
		s->total = s->cursor.total;
	us_work_begin(&r->work, search_step, counted);
}

/* --- the request ------------------------------------------------------------------------------ */

static int
compare_words(const void *a, const void *b)
{
	const struct us_bytes *x = a, *y = b;
	int order = memcmp(x->p, y->p, x->n < y->n ? x->n : y->n);

	return order != 0 ? order : (x->n > y->n) - (x->n < y->n);
}

/* The words whose keys are needed, each once and sorted: of the query, and of rules without
 * bitmaps. */
static int
gather_words(struct us_vault_searching *s)
{
	struct us_buf rules;
	struct us_reader in;
	struct us_bytes *all;
	size_t n_rules = 0, i, n;
	int err;

	us_buf_init(&rules, 262144);
	err = us_vault_view_words(&s->view, &rules, &n_rules);
	n = s->query->n_words;
	all = calloc(n + n_rules + 1, sizeof *all);
	if (all == NULL)
		err = US_ERR_NOMEM;
	if (err == US_OK && n > 0)
		memcpy(all, s->query->words, n * sizeof *all);
	us_reader_init(&in, rules.data, rules.len);
	for (i = 0; err == US_OK && i < n_rules; i++)
		all[n++] = us_take_str16(&in, US_WORD_MAX);
	if (err == US_OK && n > 0) {
		qsort(all, n, sizeof *all, compare_words);
		for (i = 0; i < n && err == US_OK; i++) {
			if (i > 0 && compare_words(&all[i - 1], &all[i]) == 0)
				continue;
			err = us_buf_put_str16(&s->words, all[i].p, all[i].n);
			s->n_words++;
		}
	}
	free(all);
	us_buf_free(&rules);
	if (err != US_OK || s->n_words == 0)
		return err;
	s->word = calloc(s->n_words, sizeof *s->word);
	if (s->word == NULL)
		return US_ERR_NOMEM;
	us_reader_init(&in, s->words.data, s->words.len);
	for (i = 0; i < s->n_words; i++)
		s->word[i] = us_take_str16(&in, US_WORD_MAX);
	return us_reader_end(&in);
}

static void
refuse_cursor(struct us_vault_request *r)
{
	struct us_vault_problem p = { .status = 400,
		.type = "cursor",
		.title = "The cursor is not one of this search",
		.detail = "A cursor goes with the query, collection and person it was given for; "
			  "search anew",
		.reason = US_REASON_MALFORMED,
		.entry = NO_ENTRY,
		.position = -1 };

	us_vault_reply_problem(r, &p);
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
		err = us_cursor_open(r->vault->cursor_key, r->vault->vault_id, text, &s->cursor);
		if (err != US_OK || s->cursor.person != r->person ||
		    s->cursor.collection != r->collection ||
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
		if (r->ruling.records_per_request > 0 && r->ruling.records_per_request < most)
			most = r->ruling.records_per_request;
	}
	s->limit = limit == 0 ? LIMIT_DEFAULT : limit;
	if (s->limit > most)
		s->limit = most;
	if ((s->flags & US_SEARCH_COUNT) != 0)
		s->limit = 0;
	s->hits = malloc((s->limit + 1) * sizeof *s->hits);
	return s->hits == NULL ? US_ERR_NOMEM : US_OK;
}

static struct us_vault_searching *
begin(struct us_vault_request *r, const struct us_msg_search_request *q)
{
	struct us_query_error error = { 0 };
	struct us_vault_searching *s = calloc(1, sizeof *s);
	int err;

	if (s == NULL) {
		us_vault_reply_error(r, US_ERR_NOMEM, US_REASON_ERROR, NO_ENTRY);
		return NULL;
	}
	us_buf_init(&s->words, 262144);
	r->state = s;
	r->free_state = searching_free;
	s->flags = q->flags;
	s->purpose = q->purpose;
	if (q->query.n > QUERY_LOGGED_MAX) { /* before it costs anything */
		err = US_ERR_LIMIT;
		error.at = QUERY_LOGGED_MAX;
		(void)strncpy(error.message, "a query has at most 8,192 bytes",
		    sizeof error.message - 1);
	} else {
		err = us_query_parse(q->query.p, q->query.n, &s->query, &error);
	}
	if (err != US_OK) {
		us_vault_reply_bad_query(r, err, &error);
		return NULL;
	}
	return s;
}

static void
search_opened(struct us_vault_request *r)
{
	struct us_vault *v = r->vault;
	struct us_msg_log e = { .kind = US_KIND_INTENT,
		.decision = US_DECISION_ALLOW,
		.related = NO_ENTRY };
	struct us_msg_search_request q;
	struct us_vault_searching *s = r->state;
	int err = us_msg_search_request_decode(&q, r->body.data, r->body.len);

	if (err != US_OK) {
		us_vault_reply_error(r, err, US_REASON_ERROR, NO_ENTRY);
		return;
	}
	e.action = (q.flags & US_SEARCH_COUNT) != 0 ? US_ACTION_COUNT : US_ACTION_SEARCH;
	s->snapshot = q.snapshot == 0 || q.snapshot - 1 > v->newest ? v->newest : q.snapshot - 1;
	err = take_cursor(r, s, q.cursor);
	if (err == US_ERR_FORMAT) {
		refuse_cursor(r);
		return;
	}
	if (err == US_OK)
		err = take_limits(r, s, q.limit);
	if (err == US_OK)
		us_vault_view_open(v, us_registry_order(v->registry), &r->ruling, &r->subject,
		    r->collection, s->snapshot, &s->view);
	if (err == US_OK)
		err = gather_words(s);
	if (err != US_OK) {
		us_vault_reply_error(r, err, US_REASON_MALFORMED, NO_ENTRY);
		return;
	}
	e.query = q.query;
	e.purpose = q.purpose;
	e.snapshot = s->snapshot;
	e.terms = (struct us_bytes){ s->words.data, s->words.len };
	if (s->has_cursor)
		e.related = s->cursor.intent;
	us_vault_access_log(r, &e, intended);
}

void
us_vault_handle_search(struct us_vault_request *r)
{
	struct us_msg_search_request q;
	struct us_vault_searching *s;
	enum us_action action;
	int err = us_msg_search_request_decode(&q, r->body.data, r->body.len);

	if (err != US_OK) {
		us_vault_reply_error(r, err, US_REASON_MALFORMED, NO_ENTRY);
		return;
	}
	action = (q.flags & US_SEARCH_COUNT) != 0 ? US_ACTION_COUNT : US_ACTION_SEARCH;
	if (us_vault_access_collection(r, q.collection, action) != US_OK ||
	    us_vault_access_rule(r, action, q.purpose, 0) != US_OK || (s = begin(r, &q)) == NULL ||
	    us_vault_access_limit_query(r, action, q.purpose, s->query) != US_OK)
		return;
	/* a snippet is text around a match: what is masked there cannot be told */
	if (us_mask_hides_text(&r->ruling.mask) || r->ruling.mask.except_match)
		s->flags |= US_SEARCH_NO_SNIPPETS;
	us_vault_access_open(r, q.purpose, search_opened);
}
