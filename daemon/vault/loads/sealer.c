#include "daemon/vault/loads/sealer.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/err.h"
#include "base/log.h"
#include "daemon/vault/evidence/evidence.h"
#include "daemon/vault/loads/tags.h"
#include "daemon/vault/state/acts.h"
#include "daemon/vault/state/writer.h"

/* Pages that found no room: their batch must not be closed. */
struct us_vault_lost_pages {
	uint32_t collection;
	uint32_t slot;
	uint8_t kind;
	int err;
};

struct us_vault_sealer {
	struct us_vault *vault;
	struct us_tags **tags; /* by collection; NULL until a load into it asks */
	size_t n_tags;
	struct us_vault_lost_pages *lost;
	size_t n_lost;
	uint32_t credit_owed; /* bytes of pages stored while the log of writes is too long */
};

/* A batch between its last page and its commit. */
struct us_vault_closing {
	struct us_vault_sealer *sealer;
	uint64_t load;
	uint32_t collection;
	uint32_t slot;
};

static struct us_channel *
channel(const struct us_vault_sealer *s)
{
	return us_vault_loads_sealer(s->vault->loads);
}

/* --- duplicates ------------------------------------------------------------------------------- */

static struct us_tags **
tags_place(struct us_vault_sealer *s, uint32_t collection)
{
	const size_t before = s->n_tags;

	if (collection < s->n_tags)
		return &s->tags[collection];
	if (us_grow_to(&s->tags, (size_t)collection + 1, &s->n_tags, sizeof *s->tags) != US_OK)
		return NULL;
	memset(s->tags + before, 0, (s->n_tags - before) * sizeof *s->tags);
	return &s->tags[collection];
}

/* Those of all its batches. */
static int
tags_of(struct us_vault_sealer *s, uint32_t id, struct us_tags **out)
{
	const struct us_registry *reg = us_vault_registry(s->vault->state);
	const size_t n = us_registry_batches(reg, id);
	struct us_tags **place;
	int err = US_OK;

	if (us_registry_collection(reg, id) == NULL)
		return US_ERR_NOT_FOUND;
	place = tags_place(s, id);
	if (place == NULL)
		return US_ERR_NOMEM;
	if (*place == NULL)
		err = us_tags_new(place, id);
	for (size_t i = 0; i < n && err == US_OK; i++) {
		const struct us_batch *b = us_registry_batch(reg, id, i);

		/* Withdrawn records are still there: the same bytes are not admitted twice. */
		if (b->status != US_BATCH_VOID)
			err = us_tags_add(*place, s->vault->reader, b->facts.slot, b->facts.count);
	}
	*out = *place;
	return err;
}

static int
on_known(struct us_vault_sealer *s, uint32_t tag, struct us_bytes body)
{
	const struct us_vault *v = s->vault;
	struct us_msg_known_request m;
	struct us_msg_known_reply reply = { 0 };
	struct us_tags *tags = NULL;
	struct us_buf known;
	struct us_tag t;
	int err = us_msg_known_request_decode(&m, body.p, body.n);

	if (err != US_OK || m.tags.n % 24 != 0)
		return US_ERR_MALFORMED;
	us_buf_init(&known, 98304);
	err = us_vault_is_open(v->state) ? tags_of(s, m.collection, &tags) : US_ERR_SEALED;
	for (size_t i = 0; i < m.tags.n && err == US_OK; i += 24) {
		enum us_known k = US_KNOWN_NEW;

		memcpy(t.id, m.tags.p + i, 16);
		memcpy(t.content, m.tags.p + i + 16, 8);
		err = us_tags_find(tags, us_vault_evidence_cache(v->evidence), &t, &k);
		if (err == US_OK)
			err = us_buf_put_u8(&known, (uint8_t)k);
	}
	reply.err = (uint8_t)err;
	if (err == US_OK)
		reply.known = (struct us_bytes){ known.data, known.len };
	else
		us_log_err(err, "looking for duplicates");
	err = us_send_known_reply(channel(s), tag, &reply);
	us_buf_free(&known);
	return err;
}

/* --- pages ------------------------------------------------------------------------------------ */

struct us_vault_under_way {
	struct us_vault_sealer *sealer;
	uint32_t collection;
	uint32_t slot;
	uint8_t kind;
};

/* Pages that are not on the disk, and why. */
static void
note_lost(struct us_vault_sealer *s, const struct us_vault_under_way *u, int err)
{
	if (us_grow_bare(&s->lost, s->n_lost, sizeof *s->lost) != US_OK)
		us_fatal("out of memory after a failed write: stopping");
	s->lost[s->n_lost++] = (struct us_vault_lost_pages){ u->collection, u->slot, u->kind, err };
}

/* Why pages of the batch, or of a dictionary it may use, are not on the disk; US_OK if all are.
 * Forgets the batch's. */
static int
take_lost(struct us_vault_sealer *s, uint32_t collection, uint32_t slot)
{
	size_t i, kept = 0;
	int err = US_OK;

	for (i = 0; i < s->n_lost; i++) {
		int same = s->lost[i].collection == collection &&
		    (s->lost[i].slot == slot || s->lost[i].kind == US_PAGE_DICTIONARY);

		if (same)
			err = s->lost[i].err;
		if (!same || s->lost[i].kind == US_PAGE_DICTIONARY)
			s->lost[kept++] = s->lost[i];
	}
	s->n_lost = kept;
	return err;
}

/* err: of sending. A sealer that does not hear what it waits for would wait for ever. */
static void
tell_sealer(struct us_vault_sealer *s, int err)
{
	if (err != US_OK)
		us_channel_fail(channel(s), err);
}

static void
give_credit(struct us_vault_sealer *s)
{
	struct us_msg_pages_credit m = { .bytes = s->credit_owed };

	s->credit_owed = 0;
	if (m.bytes > 0 && channel(s) != NULL && !us_vault_is_leaving(s->vault->state))
		tell_sealer(s, us_send_pages_credit(channel(s), 0, &m));
}

/* Credit is held back while the write-ahead log is too long: the checkpoint behind the next commit
 * shortens it. */
static void
credit_barrier(void *ctx, int err, size_t bytes)
{
	struct us_vault_sealer *s = ctx;
	struct us_write job = { .op = US_WRITE_BARRIER, .done = credit_barrier, .ctx = s };

	(void)err;
	(void)bytes;
	if (us_writer_pending(s->vault->writer) <= US_WRITER_FULL ||
	    us_writer_put(s->vault->writer, &job) != US_OK)
		give_credit(s);
}

static void
pages_stored(void *ctx, int err, size_t bytes)
{
	struct us_vault_under_way *u = ctx;
	struct us_vault_sealer *s = u->sealer;

	if (err != US_OK) {
		us_log_err(err, "pages of batch %u of collection %u were not stored", u->slot,
		    u->collection);
		note_lost(s, u, err);
	}
	free(u);
	s->credit_owed += (uint32_t)bytes;
	credit_barrier(s, US_OK, 0);
}

static int
on_pages(struct us_vault_sealer *s, struct us_bytes body)
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
	c = us_vault_is_open(s->vault->state) ?
	    us_registry_collection(us_vault_registry(s->vault->state), m.collection) :
	    NULL;
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
		us_registry_dictionary(us_vault_registry(s->vault->state), m.collection, m.slot) !=
			NULL ||
		    m.slot == 0 :
		us_registry_batch_slot(us_vault_registry(s->vault->state), m.collection, m.slot) !=
		    NULL)
		return US_ERR_MALFORMED;
	job.key = (struct us_store_key){ m.collection, m.kind, PAGE_NUMBER(m.slot, m.first) };
	job.data = m.pages;
	job.ctx = u = malloc(sizeof *u);
	if (u == NULL)
		return US_ERR_NOMEM;
	*u = (struct us_vault_under_way){ s, m.collection, m.slot, m.kind };
	err = us_writer_put(s->vault->writer, &job);
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
	struct us_vault_sealer *s = c->sealer;

	/* Never what has been committed, whatever a sealer says. */
	if (err != US_OK &&
	    us_registry_batch_slot(us_vault_registry(s->vault->state), c->collection, c->slot) ==
		NULL) {
		struct us_write job = { .op = US_WRITE_DELETE,
			.key = { c->collection, US_PAGE_RECORDS, PAGE_NUMBER(c->slot, 0) },
			.last = PAGE_NUMBER(c->slot, 0xffff) };

		for (; job.key.kind <= US_PAGE_TAGS; job.key.kind++)
			(void)us_writer_put(s->vault->writer, &job);
		us_vault_evidence_forget_batch(s->vault->evidence, c->collection, c->slot);
	}
	if (channel(s) != NULL)
		tell_sealer(s, us_send_batch_stored(channel(s), 0, &m));
	free(c);
}

static void batch_done(void *ctx, const struct us_vault_act_result *result);

static void
commit_batch(struct us_vault_closing *c)
{
	const struct us_msg_batch_prepare m = { c->load, c->collection, c->slot };
	const int err = us_vault_acts_put_batch(c->sealer->vault->acts, &m, batch_done, c);

	if (err != US_OK)
		tell_stored(c, err, NO_ENTRY);
}

static void
batch_done(void *ctx, const struct us_vault_act_result *result)
{
	struct us_vault_closing *c = ctx;
	struct us_vault_sealer *s = c->sealer;
	struct us_committed_act committed;
	struct us_signed_act act;
	struct us_vault_load *l;

	if (result->err != US_OK) {
		us_log_err(result->err, "batch %u of collection %u was not admitted", c->slot,
		    c->collection);
		tell_stored(c, result->err, NO_ENTRY);
		return;
	}
	if (us_vault_evidence_take_keys(s->vault->evidence, c->collection,
		result->logged->page_key) != US_OK)
		us_fatal("the page keys of a batch are not usable: stopping");
	/* A dictionary that the batch is the first to use comes as an act of its own before it. */
	if (us_committed_act_decode(&committed, &act, result->committed.p, result->committed.n) ==
		US_OK &&
	    act.type == US_ACT_DICTIONARY) {
		commit_batch(c);
		return;
	}
	l = us_vault_load_find(s->vault->loads, c->load);
	if (l != NULL && us_vault_load_note_batch(l, c->slot, result) != US_OK)
		us_log(US_LOG_WARNING, "out of memory: a receipt will lack a batch");
	tell_stored(c, US_OK, result->entry);
}

/* All that was sent is on the disk, or known to be lost. */
static void
on_barrier(void *ctx, int err, size_t bytes)
{
	struct us_vault_closing *c = ctx;
	struct us_vault_sealer *s = c->sealer;

	(void)bytes;
	if (us_vault_is_leaving(s->vault->state)) {
		free(c);
		return;
	}
	if (err == US_OK)
		err = take_lost(s, c->collection, c->slot);
	if (err != US_OK)
		tell_stored(c, err, NO_ENTRY);
	else
		commit_batch(c);
}

static int
on_batch_end(struct us_vault_sealer *s, struct us_bytes body)
{
	struct us_write job = { .op = US_WRITE_BARRIER, .done = on_barrier };
	struct us_msg_batch_end m;
	struct us_vault_closing *c;
	int err = us_msg_batch_end_decode(&m, body.p, body.n);

	if (err != US_OK)
		return err;
	if (!us_vault_is_open(s->vault->state) ||
	    us_registry_collection(us_vault_registry(s->vault->state), m.collection) == NULL ||
	    us_registry_batch_slot(us_vault_registry(s->vault->state), m.collection, m.slot) !=
		NULL)
		return US_ERR_MALFORMED;
	c = calloc(1, sizeof *c);
	if (c == NULL)
		return US_ERR_NOMEM;
	*c = (struct us_vault_closing){ .sealer = s,
		.load = m.load,
		.collection = m.collection,
		.slot = m.slot };
	job.ctx = c;
	err = us_writer_put(s->vault->writer, &job);
	if (err != US_OK)
		tell_stored(c, err, NO_ENTRY);
	return US_OK;
}

/* --- the sealer ------------------------------------------------------------------------------- */

int
us_vault_sealer_new(struct us_vault_sealer **out, struct us_vault *v)
{
	*out = calloc(1, sizeof **out);
	if (*out == NULL)
		return US_ERR_NOMEM;
	(*out)->vault = v;
	return US_OK;
}

void
us_vault_sealer_free(struct us_vault_sealer *s)
{
	if (s == NULL)
		return;
	for (size_t i = 0; i < s->n_tags; i++)
		us_tags_free(s->tags[i]);
	free(s->tags);
	free(s->lost);
	free(s);
}

void
us_vault_sealer_connect(struct us_vault_sealer *s, struct us_channel *to)
{
	us_vault_loads_connect(s->vault->loads, to);
	if (to == NULL)
		s->credit_owed = 0;
}

int
us_vault_sealer_message(struct us_vault_sealer *s, uint16_t type, uint32_t tag,
    struct us_bytes body)
{
	switch (type) {
	case US_MSG_known_request:
		return on_known(s, tag, body);
	case US_MSG_pages:
		return on_pages(s, body);
	case US_MSG_batch_end:
		return on_batch_end(s, body);
	case US_MSG_load_started:
		return us_vault_loads_started(s->vault->loads, body);
	case US_MSG_load_ended:
		return us_vault_loads_ended(s->vault->loads, body);
	default:
		return US_ERR_MALFORMED;
	}
}
