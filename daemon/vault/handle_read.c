/*
 * Reading, one record or thousands, and copies. Order, visibility, one disclosure entry that names
 * all records; its answer brings their keys, and then line after line goes out as the client takes
 * them.
 */
#include <stdlib.h>
#include <string.h>

#include "daemon/vault/record_line.h"

#define RECORDS_MAX 65536u

struct us_vault_reading {
	struct us_vault_view view;
	uint64_t *records;
	size_t n, at;
	uint8_t *keys; /* us_secret_alloc(): n × RECORD_KEY_ITEM, once the entry is there */
	enum us_action action;
	struct us_bytes purpose;
	uint64_t snapshot;
	int again;        /* something was taken from somebody since the entry */
	uint64_t copy_id; /* 0: no copy */
	uint64_t related;
	char recipient[US_RECIPIENT_MAX + 1];
	struct us_query *match; /* what a mask of all but the match shows; NULL: none asked for */
	struct us_bytes match_text;
	struct us_buf words; /* of rules, packed; and views of them */
	struct us_bytes *word;
	size_t n_words;
};

static void check_and_log(struct us_vault_request *r);

static void
reading_free(void *state)
{
	struct us_vault_reading *d = state;

	us_secret_free(d->keys);
	us_query_free(d->match);
	us_buf_free(&d->words);
	free(d->word);
	free(d->records);
	free(d);
}

static struct us_vault_reading *
reading_new(struct us_vault_request *r, size_t n, enum us_action action)
{
	struct us_vault_reading *d = calloc(1, sizeof *d);

	if (d != NULL)
		d->records = malloc((n == 0 ? 1 : n) * sizeof *d->records);
	if (d == NULL || d->records == NULL) {
		free(d);
		return NULL;
	}
	d->n = n;
	d->action = action;
	d->related = NO_ENTRY;
	us_buf_init(&d->words, 262144);
	r->state = d;
	r->free_state = reading_free;
	return d;
}

/* --- lines ------------------------------------------------------------------------------------ */

static int
put_record(struct us_vault_request *r, struct us_vault_reading *d, size_t i, struct us_buf *b)
{
	const struct us_batch *facts = us_registry_batch_of(r->vault->registry, r->collection,
	    d->records[i]);

	/* withdrawn while the answer was on its way; once anything has changed each record is asked
	 * about again */
	if (facts == NULL || !us_vault_view_batch(&d->view, facts) ||
	    (d->again && us_vault_view_record(&d->view, d->records[i], &facts) != 1))
		return US_ERR_NOT_FOUND;
	return us_vault_record_line(r, facts, d->records[i], d->keys + i * RECORD_KEY_ITEM,
	    d->match, b);
}

/* One record. */
static enum us_step
read_step(void *ctx)
{
	struct us_vault_request *r = ctx;
	struct us_vault_reading *d = r->state;
	int err;

	switch (us_vault_access_again(r, d->action, d->purpose, d->n)) {
	case ACCESS_SAME:
		break;
	case ACCESS_CHANGED:
		us_vault_view_open(r->vault, us_registry_order(r->vault->registry), &r->ruling,
		    &r->subject, r->collection, d->snapshot, &d->view);
		d->again = 1;
		break;
	case ACCESS_ENDED:
		return US_STEP_FAILED;
	}
	if (d->at == d->n)
		return US_STEP_DONE;
	err = put_record(r, d, d->at, &r->work.out);
	if (err == US_OK) {
		r->records_put++;
		return ++d->at == d->n ? US_STEP_DONE : US_STEP_AGAIN;
	}
	us_log_err(err, "a record could not be read");
	return us_vault_step_failed(r, err == US_ERR_NOT_FOUND ? err : US_ERR_INTERNAL,
	    US_REASON_ERROR, r->entry);
}

/* --- the entry -------------------------------------------------------------------------------- */

static int
put_header(struct us_vault_request *r, struct us_vault_reading *d, const struct us_msg_logged *m)
{
	struct us_json j;
	struct us_buf *proof = &r->vault->text;
	int err;

	us_buf_reset(proof);
	err = us_vault_access_proof(r->vault, m, proof);
	us_json_begin(&j, &r->work.out);
	us_json_object(&j);
	us_vault_access_json(r, &j, d->snapshot, m->index);
	if (d->copy_id != 0) {
		us_json_kv_uint(&j, "copy", d->copy_id);
		us_json_kv_cstr(&j, "recipient", d->recipient);
	}
	us_json_kv_uint(&j, "records", d->n);
	us_json_kv_str(&j, "receipt", (struct us_bytes){ proof->data, proof->len });
	us_json_close(&j);
	if (err == US_OK)
		err = us_json_end(&j);
	return err != US_OK ? err : us_buf_put_u8(&r->work.out, '\n');
}

static void
disclosed(struct us_vault_request *r, const struct us_msg_logged *m)
{
	struct us_vault_reading *d = r->state;
	int err = m->record_keys.n == d->n * RECORD_KEY_ITEM ? US_OK : US_ERR_FORMAT;

	if (err == US_OK) {
		d->keys = us_secret_alloc(m->record_keys.n);
		err = d->keys == NULL ? US_ERR_NOMEM : US_OK;
	}
	if (err == US_OK) {
		memcpy(d->keys, m->record_keys.p, m->record_keys.n);
		us_work_clear(&r->work);
		err = put_header(r, d, m);
	}
	if (err != US_OK) {
		us_vault_reply_error(r, err, US_REASON_ERROR, m->index);
		return;
	}
	r->entry = m->index;
	r->content = US_TYPE_JSON_LINES;
	us_work_begin(&r->work, read_step, NULL);
}

static void
log_disclosure(struct us_vault_request *r)
{
	struct us_vault_reading *d = r->state;
	struct us_msg_log e = { .kind = US_KIND_DISCLOSURE,
		.action = (uint8_t)d->action,
		.decision = US_DECISION_ALLOW,
		.purpose = d->purpose,
		.related = d->related,
		.snapshot = d->snapshot,
		.total = d->n,
		.query = d->match_text };
	uint8_t small[64 * 8], *packed = small;
	size_t i;

	if (d->n > 64) {
		packed = malloc(d->n * 8);
		if (packed == NULL) {
			us_vault_reply_error(r, US_ERR_NOMEM, US_REASON_ERROR, NO_ENTRY);
			return;
		}
	}
	for (i = 0; i < d->n; i++)
		us_store_u64(packed + i * 8, d->records[i]);
	e.records = (struct us_bytes){ packed, d->n * 8 };
	if (d->copy_id != 0) {
		uint8_t note[8 + 2 + US_RECIPIENT_MAX];
		size_t n = strlen(d->recipient);

		us_store_u64(note, d->copy_id);
		us_store_u16(note + 8, (uint16_t)n);
		memcpy(note + 10, d->recipient, n);
		e.flags = US_LOG_COPY;
		e.note = (struct us_bytes){ note, 10 + n };
		us_vault_access_log(r, &e, disclosed);
	} else {
		us_vault_access_log(r, &e, disclosed);
	}
	if (packed != small)
		free(packed);
}

/* --- visibility ------------------------------------------------------------------------------- */

static void
refuse_unseen(struct us_vault_request *r, struct us_vault_reading *d, uint64_t record)
{
	struct us_vault_problem p = { .status = 404,
		.type = "not-found",
		.title = "Not found or not visible",
		.reason = US_REASON_NOT_VISIBLE,
		.entry = NO_ENTRY,
		.position = -1 };
	const struct us_collection *c = us_registry_collection(r->vault->registry, r->collection);
	char bates[US_BATES_MAX + 1] = "", detail[96];

	(void)us_bates_format(c, record, bates);
	(void)snprintf(detail, sizeof detail, "%s is not found or not visible", bates);
	p.detail = detail;
	us_vault_access_refuse(r, d->action, d->purpose, &p);
}

static void
words_logged(struct us_vault_request *r, const struct us_msg_logged *m)
{
	struct us_vault_reading *d = r->state;
	int err = us_vault_view_fill(&d->view, m->term_keys, d->word, d->n_words);

	d->related = m->index;
	if (err != US_OK)
		us_vault_reply_error(r, err == US_ERR_FORMAT ? US_ERR_INTERNAL : err,
		    US_REASON_ERROR, m->index);
	else
		check_and_log(r);
}

static int
split_words(struct us_vault_reading *d)
{
	struct us_reader in;
	size_t i;

	d->word = calloc(d->n_words, sizeof *d->word);
	if (d->word == NULL)
		return US_ERR_NOMEM;
	us_reader_init(&in, d->words.data, d->words.len);
	for (i = 0; i < d->n_words; i++)
		d->word[i] = us_take_str16(&in, US_WORD_MAX);
	return us_reader_end(&in);
}

/* Rules that name words need these words' keys before a bitmap can be made: an intent of its
 * own. */
static void
prepare_view(struct us_vault_request *r)
{
	struct us_vault_reading *d = r->state;
	struct us_msg_log e = { .kind = US_KIND_INTENT,
		.action = (uint8_t)d->action,
		.decision = US_DECISION_ALLOW,
		.purpose = d->purpose,
		.related = NO_ENTRY,
		.snapshot = d->snapshot };
	int err;

	us_vault_view_open(r->vault, us_registry_order(r->vault->registry), &r->ruling, &r->subject,
	    r->collection, d->snapshot, &d->view);
	err = us_vault_view_words(&d->view, &d->words, &d->n_words);
	if (err == US_OK && d->n_words > 0)
		err = split_words(d);
	if (err != US_OK) {
		us_vault_reply_error(r, err, US_REASON_ERROR, NO_ENTRY);
		return;
	}
	if (d->n_words == 0) {
		check_and_log(r);
		return;
	}
	e.terms = (struct us_bytes){ d->words.data, d->words.len };
	us_vault_access_log(r, &e, words_logged);
}

static void
check_and_log(struct us_vault_request *r)
{
	struct us_vault_reading *d = r->state;
	const struct us_batch *facts;
	size_t i;
	int seen;

	for (i = 0; i < d->n; i++) {
		seen = us_vault_view_record(&d->view, d->records[i], &facts);
		if (seen < 0) {
			us_vault_reply_error(r, -seen, US_REASON_ERROR, NO_ENTRY);
			return;
		}
		if (seen == 0) {
			refuse_unseen(r, d, d->records[i]);
			return;
		}
	}
	log_disclosure(r);
}

/* --- requests --------------------------------------------------------------------------------- */

static void
refuse_bates(struct us_vault_request *r, struct us_bytes purpose)
{
	/* A number of another form is answered like one that is not there. */
	struct us_vault_problem p = { .status = 404,
		.type = "not-found",
		.title = "Not found or not visible",
		.reason = US_REASON_NOT_VISIBLE,
		.entry = NO_ENTRY,
		.position = -1 };

	us_vault_access_refuse(r, US_ACTION_READ, purpose, &p);
}

static void
read_opened(struct us_vault_request *r)
{
	struct us_vault *v = r->vault;
	struct us_vault_reading *d = r->state;
	struct us_msg_read_request q;

	if (us_msg_read_request_decode(&q, r->body.data, r->body.len) != US_OK) {
		us_vault_reply_error(r, US_ERR_INTERNAL, US_REASON_ERROR, NO_ENTRY);
		return;
	}
	d->snapshot = q.snapshot == 0 || q.snapshot - 1 > v->newest ? v->newest : q.snapshot - 1;
	if (r->n_asked < d->n)
		refuse_bates(r, q.purpose);
	else
		prepare_view(r);
}

/* The numbers asked for, into r->asked: those that are of this collection's form. */
static void
take_bates(struct us_vault_request *r, const struct us_msg_read_request *q,
    struct us_vault_reading *d)
{
	const struct us_collection *c = us_registry_collection_named(r->vault->registry,
	    q->collection);
	struct us_reader in;

	if (c == NULL)
		return;
	r->collection = c->id;
	us_reader_init(&in, q->bates.p, q->bates.n);
	while (in.left > 0 && in.err == US_OK)
		r->n_asked += us_bates_parse(c, us_take_str16(&in, 64), &d->records[r->n_asked]) ==
		    US_OK;
	r->asked = d->records;
}

/* The message, and r->state for what it asks for. */
static int
read_begin(struct us_vault_request *r, struct us_msg_read_request *q)
{
	struct us_reader in;
	struct us_vault_reading *d;
	size_t n = 0;
	int err = us_msg_read_request_decode(q, r->body.data, r->body.len);

	us_reader_init(&in, q->bates.p, q->bates.n);
	while (err == US_OK && in.left > 0 && in.err == US_OK) {
		(void)us_take_str16(&in, 64);
		n++;
	}
	if (err == US_OK)
		err = in.err != US_OK || n == 0 ? US_ERR_FORMAT :
		    n > RECORDS_MAX             ? US_ERR_LIMIT :
						  US_OK;
	if (err != US_OK)
		return err;
	d = reading_new(r, n, US_ACTION_READ);
	if (d == NULL)
		return US_ERR_NOMEM;
	take_bates(r, q, d);
	return US_OK;
}

void
us_vault_read_asked(struct us_vault_request *r)
{
	struct us_msg_read_request q;

	(void)read_begin(r, &q);
}

void
us_vault_handle_read(struct us_vault_request *r)
{
	struct us_query_error error = { 0 };
	struct us_msg_read_request q;
	struct us_vault_reading *d;
	int err = read_begin(r, &q);

	if (err != US_OK) {
		us_vault_reply_error(r, err,
		    err == US_ERR_NOMEM ? US_REASON_ERROR : US_REASON_MALFORMED, NO_ENTRY);
		return;
	}
	d = r->state;
	if (us_vault_access_collection(r, q.collection, US_ACTION_READ) != US_OK ||
	    us_vault_access_rule(r, US_ACTION_READ, q.purpose, d->n) != US_OK)
		return;
	d->purpose = q.purpose;
	d->match_text = q.match;
	err = q.match.n == 0 ? US_OK : us_query_parse(q.match.p, q.match.n, &d->match, &error);
	if (err != US_OK) {
		us_vault_reply_bad_query(r, err, &error);
		return;
	}
	us_vault_access_open(r, q.purpose, read_opened);
}

/* Before a copy's act is prepared: may all of it be seen? Answers and returns an error if not.
 * Words in rules must have been met by a search or read before; else the copy is refused as not
 * visible. */
int
us_vault_read_check(struct us_vault_request *r, const uint64_t *records, size_t n,
    enum us_action action, struct us_bytes purpose)
{
	struct us_vault_reading probe = { .action = action, .purpose = purpose };
	const struct us_batch *facts;
	size_t i;

	us_vault_view_open(r->vault, us_registry_order(r->vault->registry), &r->ruling, &r->subject,
	    r->collection, r->vault->newest, &probe.view);
	for (i = 0; i < n; i++) {
		if (us_vault_view_record(&probe.view, records[i], &facts) <= 0) {
			refuse_unseen(r, &probe, records[i]);
			return US_ERR_NOT_FOUND;
		}
	}
	return US_OK;
}

/* A copy whose act has been committed: from here it is a read. */
int
us_vault_read_copy(struct us_vault_request *r, const struct us_act_copy *copy, uint64_t copy_id,
    uint64_t entry)
{
	struct us_vault_reading *d = reading_new(r, copy->n, US_ACTION_COPY);
	uint32_t i;

	if (d == NULL)
		return US_ERR_NOMEM;
	for (i = 0; i < copy->n; i++)
		d->records[i] = us_act_copy_record(copy, i);
	d->purpose = copy->purpose;
	d->snapshot = r->vault->newest;
	d->copy_id = copy_id;
	d->related = entry;
	if (copy->recipient.n <= US_RECIPIENT_MAX)
		memcpy(d->recipient, copy->recipient.p, copy->recipient.n);
	prepare_view(r);
	return US_OK;
}
