/*
 * Loads: a person opens one, intakes and the sealer do the work, the vault stores the sealed pages of each
 * batch and commits it. What is in a page it does not know.
 */
#include <stdlib.h>
#include <string.h>

#include "common/crypto.h"
#include "daemon/vault/internal.h"

#define LOADS_MAX 256

/* A batch between its last page and its commit. */
struct closing {
	struct vault *vault;
	uint64_t load;
	uint32_t collection;
	uint32_t slot;
	int err;
};

struct load *
load_find(struct vault *v, uint64_t id)
{
	struct load *l = v->loads;

	while (l != NULL && l->id != id)
		l = l->next;
	return l;
}

static void
load_free(struct vault *v, struct load *l)
{
	struct load **at = &v->loads;

	while (*at != l)
		at = &(*at)->next;
	*at = l->next;
	free(l->stored);
	free(l);
}

void
loads_free(struct vault *v)
{
	while (v->loads != NULL)
		load_free(v, v->loads);
}

void
load_request_gone(struct vault *v, struct request *r)
{
	struct load *l;

	for (l = v->loads; l != NULL; l = l->next)
		if (l->waiting == r)
			l->waiting = NULL;
}

/* --- duplicates ----------------------------------------------------------------------------------------------------- */

static int
tags_of(struct vault *v, uint32_t id, struct us_tags **out)
{
	struct collection *c = evidence_collection(v, id);
	size_t i, n = us_registry_batches(v->registry, id);
	int err = c == NULL ? US_ERR_NOMEM : US_OK;

	if (err == US_OK && c->tags == NULL)
		err = us_tags_new(&c->tags, id);
	for (i = 0; i < n && err == US_OK; i++) {
		const struct us_batch *b = us_registry_batch(v->registry, id, i);

		/* Withdrawn records are still there: the same bytes are not admitted twice. */
		if (b->status != US_BATCH_VOID)
			err = us_tags_add(c->tags, v->reader, b->facts.slot, b->facts.count);
	}
	if (err == US_OK)
		*out = c->tags;
	return err;
}

static int
on_known(struct vault *v, uint32_t tag, struct us_bytes body)
{
	struct us_msg_known_request m;
	struct us_msg_known_reply reply = { 0 };
	struct us_tags *tags = NULL;
	struct us_buf known;
	struct us_tag t;
	size_t i;
	int err = us_msg_known_request_decode(&m, body.p, body.n);

	if (err != US_OK || m.tags.n % 24 != 0)
		return US_ERR_FORMAT;
	us_buf_init(&known, 98304);
	err = v->state != VAULT_OPEN ? US_ERR_SEALED :
	    us_registry_collection(v->registry, m.collection) == NULL ? US_ERR_NOT_FOUND :
	    tags_of(v, m.collection, &tags);
	for (i = 0; i < m.tags.n && err == US_OK; i += 24) {
		enum us_known k = US_KNOWN_NEW;

		memcpy(t.id, m.tags.p + i, 16);
		memcpy(t.content, m.tags.p + i + 16, 8);
		err = us_tags_find(tags, v->cache, &t, &k);
		if (err == US_OK)
			err = us_buf_put_u8(&known, (uint8_t)k);
	}
	reply.err = (uint8_t)err;
	if (err == US_OK)
		reply.known = (struct us_bytes){ known.data, known.len };
	else
		us_log_err(err, "looking for duplicates");
	err = us_send_known_reply(v->sealer, tag, &reply);
	us_buf_free(&known);
	return err;
}

/* --- pages ------------------------------------------------------------------------------------------------------------ */

static void
pages_stored(void *ctx, int err, size_t bytes)
{
	struct vault *v = ctx;
	struct us_msg_pages_credit m;

	/* A batch whose pages found no room fails at its end: the barrier's err says so. */
	if (err != US_OK)
		us_log_err(err, "pages of a batch were not stored");
	v->credit_owed += (uint32_t)bytes;
	if (us_writer_pending(v->writer) > US_WRITER_FULL || v->sealer == NULL) {
		/* The checkpointer will catch up; a barrier brings us back here. */
		struct us_write job = { .op = US_WRITE_BARRIER, .done = pages_stored, .ctx = v };

		if (v->sealer != NULL)
			(void)us_writer_put(v->writer, &job);
		return;
	}
	m.bytes = v->credit_owed;
	v->credit_owed = 0;
	if (m.bytes > 0)
		(void)us_send_pages_credit(v->sealer, 0, &m);
}

static int
on_pages(struct vault *v, struct us_bytes body)
{
	struct us_write job = { .op = US_WRITE_PAGES, .done = pages_stored, .ctx = v };
	const struct us_collection *c;
	struct us_msg_pages m;
	struct us_reader in;
	size_t n = 0;
	int err = us_msg_pages_decode(&m, body.p, body.n);

	if (err != US_OK)
		return err;
	c = v->state == VAULT_OPEN ? us_registry_collection(v->registry, m.collection) : NULL;
	us_reader_init(&in, m.pages.p, m.pages.n);
	while (in.left > 0 && in.err == US_OK) {
		struct us_bytes page = us_take_str16(&in, US_PAGE_MAX);

		if (in.err == US_OK && page.n == 0)
			us_reader_fail(&in, US_ERR_FORMAT);
		n++;
	}
	/* Nothing that is committed may be written over. */
	if (in.err != US_OK || c == NULL || m.kind < US_PAGE_RECORDS || m.kind > US_PAGE_DICTIONARY ||
	    m.slot > US_SLOT_MAX || m.first > 0xffff || n > 0x10000u - m.first)
		return US_ERR_FORMAT;
	if (m.kind == US_PAGE_DICTIONARY ?
	    us_registry_dictionary(v->registry, m.collection, m.slot) != NULL || m.slot == 0 :
	    us_registry_batch_slot(v->registry, m.collection, m.slot) != NULL)
		return US_ERR_FORMAT;
	job.key = (struct us_store_key){ m.collection, m.kind, PAGE_NUMBER(m.slot, m.first) };
	job.data = m.pages;
	return us_writer_put(v->writer, &job);
}

/* --- the end of a batch --------------------------------------------------------------------------------------------------- */

static void
tell_stored(struct closing *c, int err, uint64_t entry)
{
	struct us_msg_batch_stored m = { .load = c->load, .slot = c->slot, .err = (uint8_t)err,
		.entry = entry };
	struct vault *v = c->vault;

	if (err != US_OK) {
		struct us_write job = { .op = US_WRITE_DELETE,
			.key = { c->collection, US_PAGE_RECORDS, PAGE_NUMBER(c->slot, 0) },
			.last = PAGE_NUMBER(c->slot, 0xffff) };

		for (; job.key.kind <= US_PAGE_TAGS; job.key.kind++)
			(void)us_writer_put(v->writer, &job);
		evidence_forget_batch(v, c->collection, c->slot);
	}
	if (v->sealer != NULL)
		(void)us_send_batch_stored(v->sealer, 0, &m);
	free(c);
}

static int
note_stored(struct load *l, uint32_t slot, uint64_t entry)
{
	struct load_batch *more = realloc(l->stored, (l->n_stored + 1) * sizeof *more);

	if (more == NULL)
		return US_ERR_NOMEM;
	l->stored = more;
	l->stored[l->n_stored++] = (struct load_batch){ slot, entry };
	return US_OK;
}

static void commit_batch(struct closing *c);

static void
batch_done(struct vault *v, void *ctx, const struct act_result *result)
{
	struct closing *c = ctx;
	struct us_committed_act committed;
	struct us_signed_act act;
	struct load *l;

	if (result->err != US_OK) {
		us_log_err(result->err, "batch %u of collection %u was not admitted", c->slot, c->collection);
		tell_stored(c, result->err, NO_ENTRY);
		return;
	}
	if (evidence_take_keys(v, c->collection, result->logged->page_keys) != US_OK)
		us_fatal("the page keys of a batch are not usable: stopping");
	/* A dictionary that the batch is the first to use comes as an act of its own before it. */
	if (us_committed_act_decode(&committed, &act, result->committed.p, result->committed.n) == US_OK &&
	    act.type == US_ACT_DICTIONARY) {
		commit_batch(c);
		return;
	}
	l = load_find(v, c->load);
	if (l != NULL && note_stored(l, c->slot, result->entry) != US_OK)
		us_log(US_LOG_WARNING, "out of memory: a receipt will lack a batch");
	tell_stored(c, US_OK, result->entry);
}

static void
commit_batch(struct closing *c)
{
	struct act_job *job = calloc(1, sizeof *job);

	if (job == NULL) {
		tell_stored(c, US_ERR_NOMEM, NO_ENTRY);
		return;
	}
	job->is_batch = 1;
	job->batch = (struct us_msg_batch_prepare){ c->load, c->collection, c->slot };
	us_buf_init(&job->copy, 0);
	job->done = batch_done;
	job->ctx = c;
	acts_put(c->vault, job);
}

/* Counts the pages that are there against what will be claimed is the keeper's and the readers' business: a
 * page that is missing fails the batch's first reader, never silently. Here: all that was sent is on the disk. */
static void
on_barrier(void *ctx, int err, size_t bytes)
{
	struct closing *c = ctx;

	(void)bytes;
	if (err != US_OK) {
		tell_stored(c, err, NO_ENTRY);
		return;
	}
	commit_batch(c);
}

static int
on_batch_end(struct vault *v, struct us_bytes body)
{
	struct us_write job = { .op = US_WRITE_BARRIER, .done = on_barrier };
	struct us_msg_batch_end m;
	struct closing *c;
	int err = us_msg_batch_end_decode(&m, body.p, body.n);

	if (err != US_OK)
		return err;
	c = calloc(1, sizeof *c);
	if (c == NULL)
		return US_ERR_NOMEM;
	*c = (struct closing){ .vault = v, .load = m.load, .collection = m.collection, .slot = m.slot };
	job.ctx = c;
	err = us_writer_put(v->writer, &job);
	if (err != US_OK)
		free(c);
	return err;
}

/* --- start and end -------------------------------------------------------------------------------------------------------- */

static int
on_started(struct vault *v, struct us_bytes body)
{
	struct us_msg_load_started m;
	struct request *r;
	struct load *l;
	struct us_json j;
	struct us_buf b;
	int err = us_msg_load_started_decode(&m, body.p, body.n);

	if (err != US_OK)
		return err;
	l = load_find(v, m.load);
	if (l == NULL)
		return US_OK;
	l->started = 1;
	r = l->waiting;
	l->waiting = NULL;
	if (m.err != US_OK) {
		load_free(v, l);
		if (r != NULL)
			reply_error(r, m.err, US_REASON_ERROR, r->entry);
		return US_OK;
	}
	if (r == NULL)
		return US_OK;
	us_buf_init(&b, 4096);
	us_json_begin(&j, &b);
	us_json_object(&j);
	us_json_kv_uint(&j, "load", l->id);
	us_json_kv_bool(&j, "dry_run", (l->flags & US_LOAD_DRY_RUN) != 0);
	us_json_kv_bool(&j, "hold", (l->flags & US_LOAD_HOLD) != 0);
	us_json_kv_uint(&j, "order", us_registry_order(v->registry)->version);
	us_json_kv_uint(&j, "entry", r->entry);
	us_json_close(&j);
	if (us_json_end(&j) == US_OK)
		reply_json(r, 201, r->entry, &b);
	else
		reply_error(r, US_ERR_INTERNAL, US_REASON_ERROR, r->entry);
	us_buf_free(&b);
	return US_OK;
}

static int
append_page(void *ctx, const struct us_store_key *key, struct us_bytes page)
{
	(void)key;
	return us_buf_put(ctx, page.p, page.n);
}

static void
load_logged(struct request *r, const struct us_msg_logged *m)
{
	struct vault *v = r->vault;
	struct load *l = r->state;
	const struct us_collection *c = us_registry_collection(v->registry, l->collection);
	const struct us_dictionary *d = us_registry_dictionary(v->registry, l->collection, 0);
	struct us_msg_load_start start = { .load = l->id, .collection = l->collection, .flags = l->flags,
		.designation = us_bytes_of(c->designation) };
	struct us_buf dictionary;
	int err = US_OK;

	r->state = NULL; /* the list's now */
	r->free_state = NULL;
	l->next = v->loads;
	v->loads = l;
	r->entry = m->index;
	us_buf_init(&dictionary, 245760);
	if (d != NULL) {
		struct us_store_key from = { l->collection, US_PAGE_DICTIONARY, PAGE_NUMBER(d->version, 0) };

		start.dictionary_version = d->version;
		err = us_store_scan(v->reader, &from, PAGE_NUMBER(d->version, 0xffff), append_page, &dictionary);
		start.dictionary = (struct us_bytes){ dictionary.data, dictionary.len };
	}
	if (err == US_OK)
		err = v->sealer == NULL ? US_ERR_BUSY : us_send_load_start(v->sealer, 0, &start);
	us_buf_free(&dictionary);
	if (err != US_OK) {
		load_free(v, l);
		reply_error(r, err, US_REASON_ERROR, m->index);
		return;
	}
	l->waiting = r;
}

void
handle_load_open(struct request *r)
{
	struct entry e = { .kind = US_KIND_INTENT, .action = US_ACTION_LOAD,
		.decision = US_DECISION_ALLOW, .related = NO_ENTRY };
	struct us_msg_load_open_request q;
	struct load *l, *other;
	size_t n = 0;
	int err = us_msg_load_open_request_decode(&q, r->body.data, r->body.len);

	if (err != US_OK) {
		reply_error(r, err, US_REASON_MALFORMED, NO_ENTRY);
		return;
	}
	if (access_person(r) != US_OK || access_collection(r, q.collection, US_ACTION_LOAD) != US_OK ||
	    access_rule(r, US_ACTION_LOAD, q.purpose, 0) != US_OK)
		return;
	for (other = r->vault->loads; other != NULL; other = other->next)
		n++;
	l = calloc(1, sizeof *l);
	if (l == NULL || n >= LOADS_MAX || us_random(&l->id, sizeof l->id) != US_OK) {
		free(l);
		reply_error(r, US_ERR_BUSY, US_REASON_ERROR, NO_ENTRY);
		return;
	}
	l->id = (l->id & UINT64_C(0xffffffffffff)) | 1; /* exact in every JSON reader; never 0 */
	l->collection = r->collection;
	l->person = r->person;
	l->flags = q.flags;
	memcpy(l->credential, r->credential, sizeof l->credential);
	r->state = l;
	r->free_state = free;
	e.purpose = q.purpose;
	e.load = l->id;
	access_log(r, &e, load_logged);
}

/* --- receipts --------------------------------------------------------------------------------------------------------------- */

struct receipt {
	struct us_buf json; /* all but the proof, its object still open */
	struct us_json j;
	uint64_t entry;
};

static void
receipt_free(void *state)
{
	struct receipt *t = state;

	us_buf_free(&t->json);
	free(t);
}

static void
put_batches(struct vault *v, const struct load *l, struct us_json *j)
{
	const struct us_collection *c = us_registry_collection(v->registry, l->collection);
	char bates[US_BATES_MAX + 1], name[US_COLLECTION_NAME_MAX + 16];
	size_t i;

	us_json_key(j, "batches");
	us_json_array(j);
	for (i = 0; i < l->n_stored; i++) {
		const struct us_batch *b = us_registry_batch_slot(v->registry, l->collection, l->stored[i].slot);

		if (b == NULL)
			continue;
		us_json_object(j);
		(void)snprintf(name, sizeof name, "%s/%u", c->name, b->facts.slot);
		us_json_kv_cstr(j, "batch", name);
		us_json_kv_uint(j, "slot", b->facts.slot);
		us_json_kv_uint(j, "records", b->facts.count);
		if (us_bates_format(c, b->facts.first, bates) == US_OK)
			us_json_kv_cstr(j, "first", bates);
		if (us_bates_format(c, b->facts.first + b->facts.count - 1, bates) == US_OK)
			us_json_kv_cstr(j, "last", bates);
		us_json_kv_cstr(j, "status", us_batch_status_name(b->status));
		us_json_kv_hex(j, "manifest_root", b->facts.manifest_root, 32);
		us_json_kv_uint(j, "entry", l->stored[i].entry);
		us_json_kv_uint(j, "raw_bytes", b->facts.raw_bytes);
		us_json_close(j);
	}
	us_json_close(j);
}

static void
finish_receipt(struct request *r, struct us_bytes proof)
{
	struct receipt *t = r->state;

	us_json_key(&t->j, "receipt");
	if (proof.n > 0)
		us_json_str(&t->j, proof);
	else
		us_json_null(&t->j);
	us_json_close(&t->j);
	if (us_json_end(&t->j) == US_OK)
		reply_json(r, 200, t->entry, &t->json);
	else
		reply_error(r, US_ERR_INTERNAL, US_REASON_ERROR, t->entry);
}

static void
on_proof(struct vault *v, void *ctx, uint16_t type, struct us_bytes body)
{
	struct request *r = ctx;
	struct us_msg_entry_proof_reply m;
	struct us_buf proof;

	(void)v;
	r->call = 0;
	us_buf_init(&proof, 65536);
	if (type == US_MSG_entry_proof_reply &&
	    us_msg_entry_proof_reply_decode(&m, body.p, body.n) == US_OK && m.err == US_OK)
		(void)access_proof_of(m.index, m.proof, m.checkpoint, &proof);
	finish_receipt(r, (struct us_bytes){ proof.data, proof.len });
	us_buf_free(&proof);
}

/* The receipt proves its last batch's entry; the others' proofs are at /v1/log/entry-proof/<index>. */
static void
begin_receipt(struct request *r, const struct load *l, const struct us_msg_load_ended *m)
{
	struct us_msg_entry_proof ask;
	struct receipt *t = calloc(1, sizeof *t);
	struct vault *v = r->vault;

	if (t == NULL) {
		reply_error(r, US_ERR_NOMEM, US_REASON_ERROR, NO_ENTRY);
		return;
	}
	if (r->free_state != NULL)
		r->free_state(r->state);
	us_buf_init(&t->json, 4u << 20);
	t->entry = l->n_stored == 0 ? NO_ENTRY : l->stored[l->n_stored - 1].entry;
	r->state = t;
	r->free_state = receipt_free;
	us_json_begin(&t->j, &t->json);
	us_json_object(&t->j);
	us_json_kv_uint(&t->j, "load", l->id);
	us_json_kv_bool(&t->j, "dry_run", (l->flags & US_LOAD_DRY_RUN) != 0);
	us_json_kv_bool(&t->j, "ended", m != NULL);
	if (m != NULL) {
		us_json_kv_uint(&t->j, "received", m->received);
		us_json_kv_uint(&t->j, "admitted", m->admitted);
		us_json_kv_uint(&t->j, "duplicates", m->duplicates);
		us_json_kv_uint(&t->j, "refused", m->refused);
	}
	put_batches(v, l, &t->j);
	us_json_kv_uint(&t->j, "order", us_registry_order(v->registry)->version);
	us_json_key(&t->j, "entry");
	if (t->entry == NO_ENTRY) {
		us_json_null(&t->j);
		finish_receipt(r, (struct us_bytes){ NULL, 0 });
		return;
	}
	us_json_uint(&t->j, t->entry);
	ask.index = t->entry;
	r->call = call_new(v, on_proof, r);
	if (r->call == 0 || us_send_entry_proof(v->keeper, r->call, &ask) != US_OK)
		finish_receipt(r, (struct us_bytes){ NULL, 0 });
}

/* Pages of batches that were given up go when nobody loads into the collection any more. */
static void
tidy_after(struct vault *v, const struct load *ended)
{
	const struct load *l;

	for (l = v->loads; l != NULL; l = l->next)
		if (l != ended && l->collection == ended->collection)
			return;
	if (v->state == VAULT_OPEN && v->acts.first == NULL && start_tidy(v, ended->collection) != US_OK)
		us_log(US_LOG_WARNING, "unused pages stay until the next start");
}

static int
on_ended(struct vault *v, struct us_bytes body)
{
	struct us_msg_load_ended m;
	struct request *r;
	struct load *l;
	int err = us_msg_load_ended_decode(&m, body.p, body.n);

	if (err != US_OK)
		return err;
	l = load_find(v, m.load);
	if (l == NULL)
		return US_OK;
	r = l->waiting;
	l->waiting = NULL;
	if (r != NULL && m.err != US_OK)
		reply_error(r, m.err, US_REASON_ERROR, NO_ENTRY);
	else if (r != NULL)
		begin_receipt(r, l, &m);
	tidy_after(v, l);
	load_free(v, l);
	return US_OK;
}

void
handle_load_end(struct request *r)
{
	struct us_msg_load_end_request q;
	struct us_msg_load_end m;
	struct vault *v = r->vault;
	struct load *l;
	int err = us_msg_load_end_request_decode(&q, r->body.data, r->body.len);

	if (err == US_OK && q.how > 2)
		err = US_ERR_RANGE;
	if (err != US_OK) {
		reply_error(r, err, US_REASON_MALFORMED, NO_ENTRY);
		return;
	}
	if (access_person(r) != US_OK)
		return;
	l = load_find(v, q.load);
	if (l == NULL || l->person != r->person) {
		reply_error(r, US_ERR_NOT_FOUND, US_REASON_NOT_FOUND, NO_ENTRY);
		return;
	}
	if (q.how == 2) {
		begin_receipt(r, l, NULL);
		return;
	}
	if (l->waiting != NULL || !l->started || v->sealer == NULL) {
		reply_error(r, US_ERR_STATE, US_REASON_STATE, NO_ENTRY);
		return;
	}
	m.load = l->id;
	m.how = q.how;
	err = us_send_load_end(v->sealer, 0, &m);
	if (err != US_OK)
		reply_error(r, err, US_REASON_ERROR, NO_ENTRY);
	else
		l->waiting = r;
}

void
load_sealer_gone(struct vault *v)
{
	while (v->loads != NULL) {
		struct request *r = v->loads->waiting;

		v->loads->waiting = NULL;
		if (r != NULL)
			reply_error(r, US_ERR_CLOSED, US_REASON_ERROR, NO_ENTRY);
		load_free(v, v->loads);
	}
	v->credit_owed = 0;
}

int
load_message(struct vault *v, uint16_t type, uint32_t tag, struct us_bytes body)
{
	switch (type) {
	case US_MSG_known_request: return on_known(v, tag, body);
	case US_MSG_pages: return on_pages(v, body);
	case US_MSG_batch_end: return on_batch_end(v, body);
	case US_MSG_load_started: return on_started(v, body);
	case US_MSG_load_ended: return on_ended(v, body);
	default: return US_ERR_FORMAT;
	}
}
