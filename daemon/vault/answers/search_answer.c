#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/log.h"
#include "base/time.h"
#include "daemon/vault/answers/answer.h"
#include "daemon/vault/answers/record_line.h"
#include "daemon/vault/answers/searching.h"
#include "evidence/index/snippet.h"
#include "policy/designation.h"

static void
put_hit_meta(struct us_vault_request *r, struct us_vault_searching *s, uint64_t record)
{
	const struct us_collection *c = us_registry_collection(us_vault_registry_of(r),
	    r->who.collection);
	const struct us_batch *facts = us_registry_batch_of(us_vault_registry_of(r),
	    r->who.collection, record);
	struct us_segment_doc doc = { .created_s = INT64_MIN };
	struct us_segment *segment;
	char bates[US_BATES_MAX + 1] = "";

	(void)us_bates_format(c->prefix, record, bates);
	us_json_kv_cstr(&s->json, "bates", bates);
	if (facts != NULL &&
	    us_vault_evidence_segment(r->vault->evidence, facts, &segment) == US_OK)
		(void)us_segment_doc(segment, (uint32_t)(record - facts->facts.first), &doc);
	us_json_key(&s->json, "created");
	if ((r->who.ruling.mask.fields & US_MASK_CREATED) != 0)
		doc.created_s = INT64_MIN;
	if (doc.created_s == INT64_MIN || doc.created_s > INT64_MAX / US_NS_PER_SECOND ||
	    doc.created_s < INT64_MIN / US_NS_PER_SECOND)
		us_json_null(&s->json);
	else
		us_json_time(&s->json, doc.created_s * US_NS_PER_SECOND);
	us_json_key(&s->json, "score");
	us_json_null(&s->json);
}

static size_t
code_points(const uint8_t *p, size_t n)
{
	size_t i, count = 0;

	for (i = 0; i < n; i++)
		count += (p[i] & 0xc0) != 0x80;
	return count;
}

static void
put_snippet(struct us_json *j, const struct us_snippet *snippet, struct us_buf *text)
{
	size_t i, lead = snippet->cut_before ? 1 : 0;

	us_buf_reset(text);
	if (snippet->cut_before)
		(void)us_buf_put(text, "\xe2\x80\xa6", 3);
	(void)us_buf_put(text, snippet->text.p, snippet->text.n);
	if (snippet->cut_after)
		(void)us_buf_put(text, "\xe2\x80\xa6", 3);
	us_json_kv_str(j, "snippet", (struct us_bytes){ text->data, text->len });
	us_json_kv_uint(j, "message", snippet->message);
	us_json_key(j, "marks");
	us_json_array(j);
	for (i = 0; i < snippet->n_marks; i++) {
		us_json_array(j);
		us_json_uint(j, lead + code_points(snippet->text.p, snippet->marks[i].start));
		us_json_uint(j, lead + code_points(snippet->text.p, snippet->marks[i].end));
		us_json_close(j);
	}
	us_json_close(j);
}

#define SNIPPET_MESSAGES 256 /* of a record are looked at */

static int
snippet_of(struct us_vault_request *r, struct us_vault_searching *s, size_t i)
{
	const struct us_batch *facts = us_registry_batch_of(us_vault_registry_of(r),
	    r->who.collection, s->hits[i]);
	struct us_bytes messages[SNIPPET_MESSAGES];
	size_t ends[SNIPPET_MESSAGES];
	struct us_container c;
	struct us_snippet snippet;
	struct us_buf text;
	struct us_key key;
	size_t m, n;
	int err;

	if (facts == NULL || !us_vault_view_batch(&s->view, facts))
		return US_ERR_NOT_FOUND;
	memcpy(key.b, s->keys + i * RECORD_KEY_ITEM, US_KEY_SIZE);
	err = us_vault_evidence_record(r->vault->evidence, facts, s->hits[i], &key, &c);
	us_wipe(&key, sizeof key);
	if (err != US_OK)
		return err;
	us_buf_reset(&s->text);
	n = c.messages < SNIPPET_MESSAGES ? c.messages : SNIPPET_MESSAGES;
	for (m = 0; m < n && err == US_OK; m++) {
		err = us_container_content(&c, m, &s->text);
		ends[m] = s->text.len;
	}
	for (m = 0; m < n && err == US_OK; m++) {
		size_t start = m == 0 ? 0 : ends[m - 1];

		messages[m] = (struct us_bytes){ s->text.data + start, ends[m] - start };
	}
	if (err == US_OK)
		err = us_snippet_pick(messages, n, s->query, US_SNIPPET_BYTES, &snippet);
	if (err == US_OK) {
		us_buf_init(&text, 4096);
		put_snippet(&s->json, &snippet, &text);
		us_buf_free(&text);
	}
	return err;
}

/* A designation that the order does not list finds what was loaded before it was refused, if
 * anything: nobody should take a slip's nothing for an answer. */
static void
put_notes(struct us_vault_request *r, struct us_vault_searching *s)
{
	const struct us_query_node *outside;
	struct us_designations listed;
	struct us_designated found;
	char note[400];

	us_json_key(&s->json, "notes");
	us_json_array(&s->json);
	if (us_designations_of(&listed, us_registry_order(us_vault_registry_of(r))) == US_OK &&
	    (outside = us_designations_outside(&listed, s->query)) != NULL &&
	    us_designations_find(&listed, outside->value, &found) == US_ERR_NOT_FOUND) {
		(void)snprintf(note, sizeof note, "the order lists no designation \"%.*s\"%s%.*s%s",
		    (int)outside->value.n, (const char *)outside->value.p,
		    found.nearest.n > 0 ? "; did you mean \"" : "", (int)found.nearest.n,
		    (const char *)found.nearest.p, found.nearest.n > 0 ? "\"?" : "");
		us_json_str(&s->json, us_bytes_of(note));
	}
	us_json_close(&s->json);
}

static void
put_tail(struct us_vault_request *r, struct us_vault_searching *s)
{
	us_json_close(&s->json);
	put_notes(r, s);
	if (s->withdrawn > 0 && r->who.smallest_count == 0)
		us_json_kv_uint(&s->json, "withdrawn", s->withdrawn);
	us_vault_put_head(r, &s->json, s->snapshot, s->entry);
	us_json_kv_uint(&s->json, "intent", s->intent);
	us_json_close(&s->json);
}

int
us_vault_search_hides_text(const struct us_vault_request *r)
{
	/* a snippet opens its record, which the keeper decides as a read */
	return !r->who.shows_text || us_mask_hides_text(&r->who.ruling.mask) ||
	    r->who.ruling.mask.except_match;
}

void
us_vault_search_view(struct us_vault_request *r)
{
	struct us_vault_searching *s = r->own.searching;

	us_vault_view_open(r->vault->views, &r->who.ruling, &r->who.subject, r->who.collection,
	    s->snapshot, &s->view);
}

enum us_vault_next
us_vault_search_changed(struct us_vault_request *r)
{
	us_vault_problem_set(&r->problem, 409, "changed", "What may be seen has changed meanwhile",
	    US_REASON_STATE)
	    ->entry = r->own.searching->intent;
	us_vault_problem_detail(&r->problem, "Search again");
	return US_VAULT_FAIL;
}

/* Numbers have been told, so it cannot begin anew: it goes on while what it still has to show is to
 * be seen, as it was when they were told. */
static int
still_holds(struct us_vault_request *r)
{
	struct us_vault_searching *s = r->own.searching;
	const struct us_batch *facts;

	switch (us_vault_decide_again(r->vault, &r->who, r->action, r->purpose, 0, r->entry,
	    &r->problem)) {
	case US_VAULT_SAME:
		break;
	case US_VAULT_CHANGED:
		us_vault_search_view(r);
		s->overtaken = 1;
		if (us_vault_decide_query(r->vault, &r->who, r->purpose, s->query, &r->problem) ==
			US_VAULT_ALLOWED &&
		    (s->keys == NULL || !us_vault_search_hides_text(r)))
			break;
		(void)us_vault_search_changed(r);
		return 0;
	case US_VAULT_NO_LONGER:
		return 0;
	}
	if (s->overtaken && s->shown < s->n_hits &&
	    us_vault_view_record(&s->view, s->hits[s->shown], &facts) != 1) {
		(void)us_vault_search_changed(r);
		return 0;
	}
	return 1;
}

static int
put_hit(struct us_vault_request *r, struct us_vault_searching *s)
{
	int err = US_OK;

	us_json_object(&s->json);
	put_hit_meta(r, s, s->hits[s->shown]);
	if (s->keys != NULL)
		err = snippet_of(r, s, s->shown);
	us_json_close(&s->json);
	if (err == US_OK && s->keys != NULL) {
		err = us_buf_put_u8(&r->work.out, '\n'); /* see outcome.c */
		r->ending.records++;
	}
	s->shown++;
	return err;
}

enum us_vault_next
us_vault_search_begin(struct us_vault_request *r)
{
	struct us_vault_searching *s = r->own.searching;
	struct us_json *j = &s->json;

	r->entry = s->entry;
	us_work_clear(&r->work);
	us_json_begin(j, &r->work.out);
	us_json_object(j);
	if (s->total < r->who.smallest_count) {
		us_json_key(j, "total");
		us_json_null(j);
		us_json_kv_uint(j, "fewer_than", r->who.smallest_count);
	} else {
		us_json_kv_uint(j, "total", s->total);
	}
	us_json_kv_uint(j, "shown", s->n_hits);
	us_json_kv_cstr(j, "next", s->next[0] == '\0' ? NULL : s->next);
	us_json_key(j, "hits");
	us_json_array(j);
	return US_VAULT_GO_ON;
}

/* One hit; behind the last the rest of the answer. */
enum us_step
us_vault_search_put(struct us_vault_request *r)
{
	struct us_vault_searching *s = r->own.searching;
	const int is_last = s->shown == s->n_hits;
	int err;

	if (!still_holds(r))
		return US_STEP_FAILED;
	if (is_last) {
		put_tail(r, s);
		err = us_json_end(&s->json);
	} else {
		err = put_hit(r, s);
	}
	if (err == US_OK)
		return is_last ? US_STEP_DONE : US_STEP_AGAIN;
	us_log_err(err, "a search could not be answered");
	return us_vault_unit_failed(r, US_ERR_INTERNAL, US_REASON_ERROR, s->entry);
}
