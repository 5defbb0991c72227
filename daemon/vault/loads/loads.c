/*
 * Loads: a person opens one, intakes and the sealer do the work, the vault stores the sealed pages
 * of each batch and commits it. What is in a page it does not know.
 */
#include <stdlib.h>
#include <string.h>

#include "crypto/crypto.h"
#include "daemon/vault/internal.h"

/* A batch between its last page and its commit. */
struct us_vault_closing {
	struct us_vault *vault;
	uint64_t load;
	uint32_t collection;
	uint32_t slot;
	int err;
};

struct us_vault_load *
us_vault_load_find(struct us_vault *v, uint64_t id)
{
	struct us_vault_load *l = v->loads;

	while (l != NULL && l->id != id)
		l = l->next;
	return l;
}

void
us_vault_load_free(struct us_vault *v, struct us_vault_load *l)
{
	struct us_vault_load **at = &v->loads;

	while (*at != l)
		at = &(*at)->next;
	*at = l->next;
	for (size_t i = 0; i < l->n_stored; i++)
		us_buf_free(&l->stored[i].committed);
	free(l->stored);
	free(l);
}

void
us_vault_loads_free(struct us_vault *v)
{
	while (v->loads != NULL)
		us_vault_load_free(v, v->loads);
}

void
us_vault_load_request_gone(struct us_vault *v, struct us_vault_request *r)
{
	struct us_vault_load *l;

	for (l = v->loads; l != NULL; l = l->next)
		if (l->waiting == r)
			l->waiting = NULL;
}

/* --- duplicates ------------------------------------------------------------------------------- */

static int
tags_of(struct us_vault *v, uint32_t id, struct us_tags **out)
{
	struct us_vault_collection *c = us_vault_evidence_collection(v, id);
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
on_known(struct us_vault *v, uint32_t tag, struct us_bytes body)
{
	struct us_msg_known_request m;
	struct us_msg_known_reply reply = { 0 };
	struct us_tags *tags = NULL;
	struct us_buf known;
	struct us_tag t;
	size_t i;
	int err = us_msg_known_request_decode(&m, body.p, body.n);

	if (err != US_OK || m.tags.n % 24 != 0)
		return US_ERR_MALFORMED;
	us_buf_init(&known, 98304);
	err = v->state != VAULT_OPEN ? US_ERR_SEALED :
	    us_registry_collection(v->registry, m.collection) == NULL ?
				       US_ERR_NOT_FOUND :
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

/* --- pages ------------------------------------------------------------------------------------ */

struct us_vault_under_way {
	struct us_vault *vault;
	uint32_t collection;
	uint32_t slot;
	uint8_t kind;
};

/* Pages that are not on the disk, and why. */
static void
note_lost(struct us_vault *v, const struct us_vault_under_way *u, int err)
{
	struct us_vault_lost_pages *more = realloc(v->lost, (v->n_lost + 1) * sizeof *more);

	if (more == NULL)
		us_fatal("out of memory after a failed write: stopping");
	v->lost = more;
	v->lost[v->n_lost++] = (struct us_vault_lost_pages){ u->collection, u->slot, u->kind, err };
}

/* Why pages of the batch, or of a dictionary it may use, are not on the disk; US_OK if all are.
 * Forgets the batch's. */
static int
take_lost(struct us_vault *v, uint32_t collection, uint32_t slot)
{
	size_t i, kept = 0;
	int err = US_OK;

	for (i = 0; i < v->n_lost; i++) {
		int same = v->lost[i].collection == collection &&
		    (v->lost[i].slot == slot || v->lost[i].kind == US_PAGE_DICTIONARY);

		if (same)
			err = v->lost[i].err;
		if (!same || v->lost[i].kind == US_PAGE_DICTIONARY)
			v->lost[kept++] = v->lost[i];
	}
	v->n_lost = kept;
	return err;
}

/* err: of sending. A sealer that does not hear what it waits for would wait for ever. */
static void
tell_sealer(struct us_vault *v, int err)
{
	if (err != US_OK)
		us_channel_fail(v->sealer, err);
}

static void
give_credit(struct us_vault *v)
{
	struct us_msg_pages_credit m = { .bytes = v->credit_owed };

	v->credit_owed = 0;
	if (m.bytes > 0 && v->sealer != NULL && !v->leaving)
		tell_sealer(v, us_send_pages_credit(v->sealer, 0, &m));
}

/* Credit is held back while the write-ahead log is too long: the checkpoint behind the next commit
 * shortens it. */
static void
credit_barrier(void *ctx, int err, size_t bytes)
{
	struct us_vault *v = ctx;
	struct us_write job = { .op = US_WRITE_BARRIER, .done = credit_barrier, .ctx = v };

	(void)err;
	(void)bytes;
	if (us_writer_pending(v->writer) <= US_WRITER_FULL ||
	    us_writer_put(v->writer, &job) != US_OK)
		give_credit(v);
}

static void
pages_stored(void *ctx, int err, size_t bytes)
{
	struct us_vault_under_way *u = ctx;
	struct us_vault *v = u->vault;

	if (err != US_OK) {
		us_log_err(err, "pages of batch %u of collection %u were not stored", u->slot,
		    u->collection);
		note_lost(v, u, err);
	}
	free(u);
	v->credit_owed += (uint32_t)bytes;
	credit_barrier(v, US_OK, 0);
}

static int
on_pages(struct us_vault *v, struct us_bytes body)
{
	struct us_write job = { .op = US_WRITE_PAGES, .done = pages_stored };
	struct us_vault_under_way *u;
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
	if (in.err != US_OK || c == NULL || m.kind < US_PAGE_RECORDS ||
	    m.kind > US_PAGE_DICTIONARY || m.slot > US_SLOT_MAX || m.first > 0xffff ||
	    n > 0x10000u - m.first)
		return US_ERR_MALFORMED;
	if (m.kind == US_PAGE_DICTIONARY ?
		us_registry_dictionary(v->registry, m.collection, m.slot) != NULL || m.slot == 0 :
		us_registry_batch_slot(v->registry, m.collection, m.slot) != NULL)
		return US_ERR_MALFORMED;
	job.key = (struct us_store_key){ m.collection, m.kind, PAGE_NUMBER(m.slot, m.first) };
	job.data = m.pages;
	job.ctx = u = malloc(sizeof *u);
	if (u == NULL)
		return US_ERR_NOMEM;
	*u = (struct us_vault_under_way){ v, m.collection, m.slot, m.kind };
	err = us_writer_put(v->writer, &job);
	if (err != US_OK) /* the batch will not be closed, for that reason */
		pages_stored(u, err, m.pages.n);
	return US_OK;
}

/* --- the end of a batch ----------------------------------------------------------------------- */

static void
tell_stored(struct us_vault_closing *c, int err, uint64_t entry)
{
	struct us_msg_batch_stored m = { .load = c->load,
		.slot = c->slot,
		.err = (uint8_t)err,
		.entry = entry };
	struct us_vault *v = c->vault;

	/* Never what has been committed, whatever a sealer says. */
	if (err != US_OK && us_registry_batch_slot(v->registry, c->collection, c->slot) == NULL) {
		struct us_write job = { .op = US_WRITE_DELETE,
			.key = { c->collection, US_PAGE_RECORDS, PAGE_NUMBER(c->slot, 0) },
			.last = PAGE_NUMBER(c->slot, 0xffff) };

		for (; job.key.kind <= US_PAGE_TAGS; job.key.kind++)
			(void)us_writer_put(v->writer, &job);
		us_vault_evidence_forget_batch(v, c->collection, c->slot);
	}
	if (v->sealer != NULL)
		tell_sealer(v, us_send_batch_stored(v->sealer, 0, &m));
	free(c);
}

static int
note_stored(struct us_vault_load *l, uint32_t slot, const struct us_vault_act_result *result)
{
	struct us_vault_load_batch *more = realloc(l->stored, (l->n_stored + 1) * sizeof *more), *b;

	if (more == NULL)
		return US_ERR_NOMEM;
	l->stored = more;
	b = &more[l->n_stored];
	*b = (struct us_vault_load_batch){ .slot = slot, .entry = result->entry };
	memcpy(b->before, result->before, sizeof b->before);
	us_buf_init(&b->committed, US_ACT_COMMITTED_MAX);
	if (us_buf_put(&b->committed, result->committed.p, result->committed.n) != US_OK)
		return US_ERR_NOMEM;
	l->n_stored++;
	return US_OK;
}

static void commit_batch(struct us_vault_closing *c);

static void
batch_done(struct us_vault *v, void *ctx, const struct us_vault_act_result *result)
{
	struct us_vault_closing *c = ctx;
	struct us_committed_act committed;
	struct us_signed_act act;
	struct us_vault_load *l;

	if (result->err != US_OK) {
		us_log_err(result->err, "batch %u of collection %u was not admitted", c->slot,
		    c->collection);
		tell_stored(c, result->err, NO_ENTRY);
		return;
	}
	if (us_vault_evidence_take_keys(v, c->collection, result->logged->page_keys) != US_OK)
		us_fatal("the page keys of a batch are not usable: stopping");
	/* A dictionary that the batch is the first to use comes as an act of its own before it. */
	if (us_committed_act_decode(&committed, &act, result->committed.p, result->committed.n) ==
		US_OK &&
	    act.type == US_ACT_DICTIONARY) {
		commit_batch(c);
		return;
	}
	l = us_vault_load_find(v, c->load);
	if (l != NULL && note_stored(l, c->slot, result) != US_OK)
		us_log(US_LOG_WARNING, "out of memory: a receipt will lack a batch");
	tell_stored(c, US_OK, result->entry);
}

static void
commit_batch(struct us_vault_closing *c)
{
	struct us_vault_act_job *job = calloc(1, sizeof *job);

	if (job == NULL) {
		tell_stored(c, US_ERR_NOMEM, NO_ENTRY);
		return;
	}
	job->is_batch = 1;
	job->batch = (struct us_msg_batch_prepare){ c->load, c->collection, c->slot };
	us_buf_init(&job->copy, 0);
	job->done = batch_done;
	job->ctx = c;
	us_vault_acts_put(c->vault, job);
}

/* All that was sent is on the disk, or known to be lost. */
static void
on_barrier(void *ctx, int err, size_t bytes)
{
	struct us_vault_closing *c = ctx;
	struct us_vault *v = c->vault;

	(void)bytes;
	if (v->leaving) {
		free(c);
		return;
	}
	if (err == US_OK)
		err = take_lost(v, c->collection, c->slot);
	if (err != US_OK)
		tell_stored(c, err, NO_ENTRY);
	else
		commit_batch(c);
}

static int
on_batch_end(struct us_vault *v, struct us_bytes body)
{
	struct us_write job = { .op = US_WRITE_BARRIER, .done = on_barrier };
	struct us_msg_batch_end m;
	struct us_vault_closing *c;
	int err = us_msg_batch_end_decode(&m, body.p, body.n);

	if (err != US_OK)
		return err;
	if (v->state != VAULT_OPEN || us_registry_collection(v->registry, m.collection) == NULL ||
	    us_registry_batch_slot(v->registry, m.collection, m.slot) != NULL)
		return US_ERR_MALFORMED;
	c = calloc(1, sizeof *c);
	if (c == NULL)
		return US_ERR_NOMEM;
	*c = (struct us_vault_closing){ .vault = v,
		.load = m.load,
		.collection = m.collection,
		.slot = m.slot };
	job.ctx = c;
	err = us_writer_put(v->writer, &job);
	if (err != US_OK)
		tell_stored(c, err, NO_ENTRY);
	return US_OK;
}

/* --- messages --------------------------------------------------------------------------------- */

void
us_vault_load_sealer_gone(struct us_vault *v)
{
	while (v->loads != NULL) {
		struct us_vault_request *r = v->loads->waiting;

		v->loads->waiting = NULL;
		if (r != NULL)
			us_vault_reply_error(r, US_ERR_CLOSED, US_REASON_ERROR, NO_ENTRY);
		us_vault_load_free(v, v->loads);
	}
	v->credit_owed = 0;
}

int
us_vault_load_message(struct us_vault *v, uint16_t type, uint32_t tag, struct us_bytes body)
{
	switch (type) {
	case US_MSG_known_request:
		return on_known(v, tag, body);
	case US_MSG_pages:
		return on_pages(v, body);
	case US_MSG_batch_end:
		return on_batch_end(v, body);
	case US_MSG_load_started:
		return us_vault_load_on_started(v, body);
	case US_MSG_load_ended:
		return us_vault_load_on_ended(v, body);
	default:
		return US_ERR_MALFORMED;
	}
}
