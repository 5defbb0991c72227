/*
 * Reading, one record or thousands, and copies. Order, visibility, one disclosure entry that names
 * all records; its answer brings their keys, and then line after line goes out as the client takes
 * them. The steps stand in their order at the end.
 */
#include "daemon/vault/answers/read.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/log.h"
#include "daemon/vault/answers/answer.h"
#include "daemon/vault/answers/record_line.h"
#include "daemon/vault/evidence/visible.h"
#include "daemon/vault/evidence/words.h"
#include "daemon/vault/state/keeper.h"

#define RECORDS_MAX 65536u
#define SMALL_READ 64 /* records whose numbers need no memory of their own */

struct us_vault_reading {
	struct us_vault_view view;
	uint64_t *records;
	size_t n, at;
	uint8_t *keys; /* us_secret_alloc(): n × RECORD_KEY_ITEM, once the entry is there */
	uint64_t snapshot;
	int again;        /* something was taken from somebody since the entry */
	uint64_t copy_id; /* 0: no copy */
	uint64_t related;
	char recipient[US_RECIPIENT_MAX + 1];
	struct us_query *match; /* what a mask of all but the match shows; NULL: none asked for */
	struct us_buf words;    /* of rules, packed; and views of them */
	struct us_bytes *word;
	size_t n_words;
};

static void
reading_free(struct us_vault_request *r)
{
	struct us_vault_reading *d = r->own.reading;

	us_secret_free(d->keys);
	us_query_free(d->match);
	us_buf_free(&d->words);
	free(d->word);
	free(d->records);
	free(d);
}

static struct us_vault_reading *
reading_new(struct us_vault_request *r, size_t n)
{
	struct us_vault_reading *d = calloc(1, sizeof *d);

	if (d != NULL)
		d->records = malloc((n == 0 ? 1 : n) * sizeof *d->records);
	if (d == NULL || d->records == NULL) {
		free(d);
		return NULL;
	}
	d->n = n;
	d->related = NO_ENTRY;
	us_buf_init(&d->words, 262144);
	r->own.reading = d;
	r->own_free = reading_free;
	return d;
}

/* --- what is asked for ------------------------------------------------------------------------ */

/* How many numbers; US_ERR_FORMAT, US_ERR_LIMIT. */
static int
count_numbers(struct us_bytes bates, size_t *n)
{
	struct us_reader in;

	us_reader_init(&in, bates.p, bates.n);
	for (*n = 0; in.left > 0 && in.err == US_OK; ++*n)
		(void)us_take_str16(&in, 64);
	return in.err != US_OK || *n == 0 ? US_ERR_FORMAT : *n > RECORDS_MAX ? US_ERR_LIMIT : US_OK;
}

/* Into r->asked those that are of the collection's form. */
static int
take_asked(struct us_vault_request *r)
{
	const struct us_collection *c = us_registry_collection_named(us_vault_registry_of(r),
	    r->q.read_request.collection);
	struct us_vault_reading *d;
	struct us_reader in;
	size_t n;
	int err = count_numbers(r->q.read_request.bates, &n);

	if (err != US_OK)
		return err;
	d = reading_new(r, n);
	if (d == NULL)
		return US_ERR_NOMEM;
	if (c == NULL)
		return US_OK;
	r->who.collection = c->id;
	us_reader_init(&in, r->q.read_request.bates.p, r->q.read_request.bates.n);
	while (in.left > 0 && in.err == US_OK)
		r->n_asked += us_bates_parse(c->prefix, us_take_str16(&in, 64),
				  &d->records[r->n_asked]) == US_OK;
	r->asked = d->records;
	return US_OK;
}

static void
name_records(struct us_vault_request *r)
{
	(void)take_asked(r);
}

static enum us_vault_next
take_numbers(struct us_vault_request *r)
{
	const int err = take_asked(r);

	if (err != US_OK)
		return us_vault_fail(r, err,
		    err == US_ERR_NOMEM ? US_REASON_ERROR : US_REASON_MALFORMED, NO_ENTRY);
	return us_vault_decided(us_vault_decide_collection(r->vault, &r->who,
	    r->q.read_request.collection, &r->problem));
}

static enum us_vault_next
ask_order(struct us_vault_request *r)
{
	return us_vault_ask_order(r, r->q.read_request.purpose, r->own.reading->n);
}

static enum us_vault_next
take_match(struct us_vault_request *r)
{
	const struct us_bytes text = r->q.read_request.match;
	struct us_query_error error = { 0 };
	int err = US_OK;

	if (text.n > 0)
		err = us_query_parse(text.p, text.n, &r->own.reading->match, &error);
	return err == US_OK ? US_VAULT_GO_ON : us_vault_bad_query(r, err, &error);
}

/* A number of another form is answered like one that is not there. */
static enum us_vault_next
check_numbers(struct us_vault_request *r)
{
	struct us_vault_reading *d = r->own.reading;

	const enum us_vault_next next = us_vault_snapshot(r, r->q.read_request.snapshot,
	    &d->snapshot);

	if (next != US_VAULT_GO_ON || r->n_asked == d->n)
		return next;
	us_vault_problem_set(&r->problem, 404, "not-found", "Not found or not visible",
	    US_REASON_NOT_VISIBLE);
	return US_VAULT_REFUSE;
}

/* --- visibility ------------------------------------------------------------------------------- */

static void
view_open(struct us_vault_request *r)
{
	struct us_vault_reading *d = r->own.reading;

	us_vault_view_open(r->vault->views, &r->who.ruling, &r->who.subject, r->who.collection,
	    d->snapshot, &d->view);
}

/* Rules that name words need these words' keys before a bitmap can be made: an intent of its
 * own. */
static enum us_vault_next
open_view(struct us_vault_request *r)
{
	struct us_vault_reading *d = r->own.reading;
	struct us_vault_entry e = { .kind = US_KIND_INTENT,
		.action = r->action,
		.decision = US_DECISION_ALLOW,
		.purpose = r->purpose,
		.related = NO_ENTRY,
		.snapshot = d->snapshot };
	int err;

	view_open(r);
	err = us_vault_view_words(&d->view, &d->words, &d->n_words);
	if (err == US_OK)
		err = us_vault_words_split(&d->words, &d->word, &d->n_words);
	if (err != US_OK)
		return us_vault_fail(r, err, US_REASON_ERROR, NO_ENTRY);
	if (d->n_words == 0)
		return US_VAULT_GO_ON;
	e.terms = (struct us_bytes){ d->words.data, d->words.len };
	return us_vault_log(r, &e);
}

static enum us_vault_next
take_words(struct us_vault_request *r)
{
	struct us_vault_reading *d = r->own.reading;
	const struct us_msg_logged *m = r->heard.logged;
	int err;

	if (m == NULL) /* there were none */
		return US_VAULT_GO_ON;
	err = us_vault_view_fill(&d->view, m->term_keys, d->word, d->n_words);
	d->related = m->index;
	return err == US_OK ? US_VAULT_GO_ON :
			      us_vault_fail(r, err == US_ERR_FORMAT ? US_ERR_INTERNAL : err,
				  US_REASON_ERROR, m->index);
}

static enum us_vault_next
refuse_unseen(struct us_vault_request *r, uint64_t record)
{
	const struct us_collection *c = us_registry_collection(us_vault_registry_of(r),
	    r->who.collection);
	char bates[US_BATES_MAX + 1] = "";

	(void)us_bates_format(c->prefix, record, bates);
	us_vault_problem_set(&r->problem, 404, "not-found", "Not found or not visible",
	    US_REASON_NOT_VISIBLE);
	(void)snprintf(r->problem.detail, sizeof r->problem.detail,
	    "%s is not found or not visible", bates);
	return US_VAULT_REFUSE;
}

static enum us_vault_next
check_records(struct us_vault_request *r)
{
	struct us_vault_reading *d = r->own.reading;
	const struct us_batch *facts;

	for (size_t i = 0; i < d->n; i++) {
		const int seen = us_vault_view_record(&d->view, d->records[i], &facts);

		if (seen < 0)
			return us_vault_fail(r, -seen, US_REASON_ERROR, NO_ENTRY);
		if (seen == 0)
			return refuse_unseen(r, d->records[i]);
	}
	return US_VAULT_GO_ON;
}

enum us_vault_next
us_vault_read_check(struct us_vault_request *r, const uint64_t *records, size_t n)
{
	struct us_vault_view view;
	const struct us_batch *facts;

	us_vault_view_open(r->vault->views, &r->who.ruling, &r->who.subject, r->who.collection,
	    us_vault_newest(r->vault->state), &view);
	for (size_t i = 0; i < n; i++)
		if (us_vault_view_record(&view, records[i], &facts) <= 0)
			return refuse_unseen(r, records[i]);
	return US_VAULT_GO_ON;
}

/* --- the entry -------------------------------------------------------------------------------- */

static enum us_vault_next
log_disclosure(struct us_vault_request *r)
{
	struct us_vault_reading *d = r->own.reading;
	struct us_vault_entry e = { .kind = US_KIND_DISCLOSURE,
		.action = r->action,
		.decision = US_DECISION_ALLOW,
		.purpose = r->purpose,
		.related = d->related,
		.snapshot = d->snapshot,
		.total = d->n,
		.query = d->copy_id != 0 ? (struct us_bytes){ NULL, 0 } : r->q.read_request.match };
	uint8_t note[8 + 2 + US_RECIPIENT_MAX], small[SMALL_READ * 8], *packed = small;
	enum us_vault_next next;

	if (d->n > SMALL_READ)
		packed = malloc(d->n * 8);
	if (packed == NULL)
		return us_vault_fail(r, US_ERR_NOMEM, US_REASON_ERROR, NO_ENTRY);
	for (size_t i = 0; i < d->n; i++)
		us_store_u64(packed + i * 8, d->records[i]);
	e.records = (struct us_bytes){ packed, d->n * 8 };
	if (d->copy_id != 0) {
		const size_t n = strlen(d->recipient);

		us_store_u64(note, d->copy_id);
		us_store_u16(note + 8, (uint16_t)n);
		memcpy(note + 10, d->recipient, n);
		e.flags = ENTRY_FLAG_COPY;
		e.note = (struct us_bytes){ note, 10 + n };
	}
	next = us_vault_log(r, &e);
	if (packed != small)
		free(packed);
	return next;
}

static int
put_header(struct us_vault_request *r, const struct us_msg_logged *m)
{
	struct us_vault_reading *d = r->own.reading;
	struct us_json j;
	struct us_buf proof;
	int err;

	us_buf_init(&proof, 65536);
	err = us_vault_put_proof(m->index, m->proof, us_vault_checkpoint(r->vault->keeper), &proof);
	us_json_begin(&j, &r->work.out);
	us_json_object(&j);
	us_vault_put_head(r, &j, d->snapshot, m->index);
	if (d->copy_id != 0) {
		us_json_kv_uint(&j, "copy", d->copy_id);
		us_json_kv_cstr(&j, "recipient", d->recipient);
	}
	us_json_kv_uint(&j, "records", d->n);
	us_json_kv_str(&j, "receipt", (struct us_bytes){ proof.data, proof.len });
	us_json_close(&j);
	us_buf_free(&proof);
	if (err == US_OK)
		err = us_json_end(&j);
	return err != US_OK ? err : us_buf_put_u8(&r->work.out, '\n');
}

static enum us_vault_next
take_keys(struct us_vault_request *r)
{
	struct us_vault_reading *d = r->own.reading;
	const struct us_msg_logged *m = r->heard.logged;
	int err = m->record_keys.n == d->n * RECORD_KEY_ITEM ? US_OK : US_ERR_FORMAT;

	if (err == US_OK) {
		d->keys = us_secret_alloc(m->record_keys.n);
		err = d->keys == NULL ? US_ERR_NOMEM : US_OK;
	}
	if (err == US_OK) {
		memcpy(d->keys, m->record_keys.p, m->record_keys.n);
		us_work_clear(&r->work);
		err = put_header(r, m);
	}
	if (err != US_OK)
		return us_vault_fail(r, err, US_REASON_ERROR, m->index);
	r->entry = m->index;
	r->content = US_TYPE_JSON_LINES;
	return US_VAULT_GO_ON;
}

/* --- lines ------------------------------------------------------------------------------------ */

static int
put_line(struct us_vault_request *r, size_t i)
{
	struct us_vault_reading *d = r->own.reading;
	const struct us_batch *facts = us_registry_batch_of(us_vault_registry_of(r),
	    r->who.collection, d->records[i]);

	/* withdrawn while the answer was on its way; once anything has changed each record is asked
	 * about again */
	if (facts == NULL || !us_vault_view_batch(&d->view, facts) ||
	    (d->again && us_vault_view_record(&d->view, d->records[i], &facts) != 1))
		return US_ERR_NOT_FOUND;
	return us_vault_record_line(r, facts, d->records[i], d->keys + i * RECORD_KEY_ITEM,
	    d->match, &r->work.out);
}

/* One record. */
static enum us_step
put_record(struct us_vault_request *r)
{
	struct us_vault_reading *d = r->own.reading;
	int err;

	switch (us_vault_decide_again(r->vault, &r->who, r->action, r->purpose, d->n, r->entry,
	    &r->problem)) {
	case US_VAULT_SAME:
		break;
	case US_VAULT_CHANGED:
		view_open(r);
		d->again = 1;
		break;
	case US_VAULT_NO_LONGER:
		return US_STEP_FAILED;
	}
	if (d->at == d->n)
		return US_STEP_DONE;
	err = put_line(r, d->at);
	if (err == US_OK) {
		r->ending.records++;
		return ++d->at == d->n ? US_STEP_DONE : US_STEP_AGAIN;
	}
	us_log_err(err, "a record could not be read");
	return us_vault_unit_failed(r, err == US_ERR_NOT_FOUND ? err : US_ERR_INTERNAL,
	    US_REASON_ERROR, r->entry);
}

/* --- a read ----------------------------------------------------------------------------------- */

enum { SHOW = 6 }; /* where a copy begins */

const struct us_vault_step us_vault_read_request_steps[] = {
	/* collection and records, by their names */
	{ .once = take_numbers, .name = name_records },
	{ .once = ask_order },                /* may who asks read so many, for that purpose? */
	{ .once = take_match },               /* for a mask of all but what it finds */
	{ .once = us_vault_open_collection }, /* keys of its pages: an entry, the first time */
	{ .once = us_vault_take_page_keys },
	{ .once = check_numbers },
	[SHOW] = { .once = open_view }, /* what rules let be seen: an entry if they name words */
	{ .once = take_words },
	{ .once = check_records },  /* may all of them be seen? */
	{ .once = log_disclosure }, /* no entry, no keys */
	{ .once = take_keys },
	{ .unit = put_record }, /* line by line, as the client takes them */
	{ .once = NULL },
};

enum us_vault_next
us_vault_read_copy(struct us_vault_request *r, const struct us_act_copy *copy, uint64_t copy_id,
    uint64_t entry)
{
	struct us_vault_reading *d = reading_new(r, copy->n);

	if (d == NULL)
		return us_vault_fail(r, US_ERR_NOMEM, US_REASON_ERROR, entry);
	for (uint32_t i = 0; i < copy->n; i++)
		d->records[i] = us_act_copy_record(copy, i);
	d->snapshot = us_vault_newest(r->vault->state);
	d->copy_id = copy_id;
	d->related = entry;
	if (copy->recipient.n <= US_RECIPIENT_MAX)
		memcpy(d->recipient, copy->recipient.p, copy->recipient.n);
	return us_vault_row(r, &us_vault_read_request_steps[SHOW]);
}
