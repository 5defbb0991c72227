/* Loads as their producer sees them: start, end, receipts. What is stored is load.c's. */
#include <stdlib.h>
#include <string.h>

#include "crypto/crypto.h"
#include "daemon/vault/internal.h"
#include "policy/designation.h"

#define LOADS_MAX 256
#define LOADS_OF_ONE 16 /* a person */

/* --- start ------------------------------------------------------------------------------------ */

/* What each part of the load carries, and until when. */
static void
put_ticket(struct us_json *j, struct us_bytes ticket)
{
	us_json_key(j, "ticket");
	us_json_base64(j, ticket.p, ticket.n);
	us_json_key(j, "ticket_expires");
	us_json_time(j, us_ticket_expires(ticket));
}

int
us_vault_load_on_started(struct us_vault *v, struct us_bytes body)
{
	struct us_msg_load_started m;
	struct us_vault_request *r;
	struct us_vault_load *l;
	struct us_json j;
	struct us_buf b;
	int err = us_msg_load_started_decode(&m, body.p, body.n);

	if (err != US_OK)
		return err;
	l = us_vault_load_find(v, m.load);
	if (l == NULL)
		return US_OK;
	l->started = 1;
	r = l->waiting;
	l->waiting = NULL;
	if (m.err != US_OK) {
		us_vault_load_free(v, l);
		if (r != NULL)
			us_vault_reply_error(r, m.err, US_REASON_ERROR, r->entry);
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
	put_ticket(&j, (struct us_bytes){ l->ticket, sizeof l->ticket });
	us_wipe(l->ticket, sizeof l->ticket);
	us_json_close(&j);
	if (us_json_end(&j) == US_OK)
		us_vault_reply_json(r, 201, r->entry, &b);
	else
		us_vault_reply_error(r, US_ERR_INTERNAL, US_REASON_ERROR, r->entry);
	us_buf_free(&b);
	return US_OK;
}

static int
append_page(void *ctx, const struct us_store_key *key, struct us_bytes page)
{
	(void)key;
	return us_buf_put(ctx, page.p, page.n);
}

/* What a record without a designation of its own gets, as the order spells it: the collection's,
 * else the strictest; empty if there is neither. US_ERR_NOT_FOUND: the order in force does not list
 * the collection's, which *found tells more of. */
static int
default_designation(const struct us_vault *v, const struct us_collection *c,
    struct us_designated *found)
{
	const struct us_order *order = us_registry_order(v->registry);

	memset(found, 0, sizeof *found);
	if (c->designation[0] != '\0')
		return us_order_designation(order, us_bytes_of(c->designation), found);
	if (order->n_designations > 0)
		found->name = order->designations[0].name;
	return US_OK;
}

static int
put_designations(const struct us_order *order, struct us_buf *out)
{
	int err = US_OK;

	for (size_t i = 0; i < order->n_designations && err == US_OK; i++)
		err = us_buf_put_str16(out, order->designations[i].name.p,
		    order->designations[i].name.n);
	return err;
}

/* Records would come in that no rule of the order reaches. */
static void
refuse_designation(struct us_vault_request *r, const struct us_collection *c,
    const struct us_designated *found)
{
	char detail[256], cure[256] = "A version of the order that lists it, or another collection";
	const struct us_vault_problem p = { .status = 409,
		.type = "conflict",
		.title = "Not possible in the present state",
		.detail = detail,
		.cure = cure,
		.reason = US_REASON_STATE,
		.entry = NO_ENTRY,
		.position = -1 };

	(void)snprintf(detail, sizeof detail,
	    "The order in force does not list the collection's designation \"%s\"", c->designation);
	if (found->nearest.n > 0)
		(void)snprintf(cure, sizeof cure,
		    "A version of the order that lists it, or another collection; was \"%.*s\" "
		    "meant?",
		    (int)found->nearest.n, (const char *)found->nearest.p);
	us_vault_reply_problem(r, &p);
}

static void
load_logged(struct us_vault_request *r, const struct us_msg_logged *m)
{
	struct us_vault *v = r->vault;
	struct us_vault_load *l = r->state;
	const struct us_collection *c = us_registry_collection(v->registry, l->collection);
	const struct us_dictionary *d = us_registry_dictionary(v->registry, l->collection, 0);
	struct us_msg_load_start start = { .load = l->id,
		.collection = l->collection,
		.flags = l->flags };
	struct us_buf dictionary, list;
	struct us_designated found;
	int err = default_designation(v, c, &found);

	if (m->ticket.n != sizeof l->ticket) {
		us_vault_reply_error(r, US_ERR_INTERNAL, US_REASON_ERROR, m->index);
		return;
	}
	memcpy(l->ticket, m->ticket.p, sizeof l->ticket);
	l->entry = m->index;
	r->state = NULL; /* the list's now */
	r->free_state = NULL;
	l->next = v->loads;
	v->loads = l;
	r->entry = m->index;
	us_buf_init(&dictionary, 245760);
	us_buf_init(&list, US_ORDER_DESIGNATIONS * (US_ORDER_ID_MAX + 2));
	start.designation = found.name;
	if (err == US_OK)
		err = put_designations(us_registry_order(v->registry), &list);
	start.designations = (struct us_bytes){ list.data, list.len };
	if (err == US_OK && d != NULL) {
		struct us_store_key from = { l->collection, US_PAGE_DICTIONARY,
			PAGE_NUMBER(d->version, 0) };

		start.dictionary_version = d->version;
		err = us_store_scan(v->reader, &from, PAGE_NUMBER(d->version, 0xffff), append_page,
		    &dictionary);
		start.dictionary = (struct us_bytes){ dictionary.data, dictionary.len };
	}
	if (err == US_OK)
		err = v->sealer == NULL ? US_ERR_BUSY : us_send_load_start(v->sealer, 0, &start);
	us_buf_free(&dictionary);
	us_buf_free(&list);
	if (err != US_OK) {
		us_vault_load_free(v, l);
		us_vault_reply_error(r, err, US_REASON_ERROR, m->index);
		return;
	}
	l->waiting = r;
}

static void
refuse_another(struct us_vault_request *r)
{
	const struct us_vault_problem p = { .status = 429,
		.type = "too-many",
		.title = "You have many loads open",
		.detail = "A person may have 16 loads open at a time",
		.cure = "Finish one, or give it up (DELETE /v1/loads/{load})",
		.reason = US_REASON_OVER_LIMIT,
		.entry = NO_ENTRY,
		.position = -1,
		.retry_after = 1 };

	us_vault_reply_problem(r, &p);
}

void
us_vault_handle_load_open(struct us_vault_request *r)
{
	struct us_msg_log e = { .kind = US_KIND_INTENT,
		.action = US_ACTION_LOAD,
		.decision = US_DECISION_ALLOW,
		.related = NO_ENTRY };
	struct us_msg_load_open_request q;
	const struct us_collection *c;
	struct us_designated found;
	struct us_vault_load *l, *other;
	size_t n = 0, own = 0;
	int err = us_msg_load_open_request_decode(&q, r->body.data, r->body.len);

	if (err != US_OK) {
		us_vault_reply_error(r, err, US_REASON_MALFORMED, NO_ENTRY);
		return;
	}
	if (us_vault_access_collection(r, q.collection, US_ACTION_LOAD) != US_OK ||
	    us_vault_access_rule(r, US_ACTION_LOAD, q.purpose, 0) != US_OK)
		return;
	c = us_registry_collection(r->vault->registry, r->collection);
	if (default_designation(r->vault, c, &found) == US_ERR_NOT_FOUND) {
		refuse_designation(r, c, &found);
		return;
	}
	for (other = r->vault->loads; other != NULL; other = other->next) {
		n++;
		own += other->person == r->person;
	}
	if (own >= LOADS_OF_ONE) {
		refuse_another(r);
		return;
	}
	l = calloc(1, sizeof *l);
	if (l == NULL || n >= LOADS_MAX || us_random(&l->id, sizeof l->id) != US_OK) {
		free(l);
		us_vault_reply_error(r, US_ERR_BUSY, US_REASON_ERROR, NO_ENTRY);
		return;
	}
	l->id = (l->id & UINT64_C(0xffffffffffff)) | 1; /* exact in every JSON reader; never 0 */
	l->collection = r->collection;
	l->person = r->person;
	l->flags = q.flags;
	l->purpose_n = q.purpose.n;
	if (q.purpose.n > 0)
		memcpy(l->purpose, q.purpose.p, q.purpose.n);
	memcpy(l->credential, r->credential, sizeof l->credential);
	r->state = l;
	r->free_state = free;
	e.purpose = q.purpose;
	e.load = l->id;
	us_vault_access_log(r, &e, load_logged);
}

/* --- receipts --------------------------------------------------------------------------------- */

struct us_vault_receipt {
	struct us_buf json; /* all but the proof, its object still open */
	struct us_json j;
	uint64_t entry;
};

static void
receipt_free(void *state)
{
	struct us_vault_receipt *t = state;

	us_buf_free(&t->json);
	free(t);
}

static void
put_batches(struct us_vault *v, const struct us_vault_load *l, struct us_json *j)
{
	const struct us_collection *c = us_registry_collection(v->registry, l->collection);
	char bates[US_BATES_MAX + 1], name[US_COLLECTION_NAME_MAX + 16];
	size_t i;

	us_json_key(j, "batches");
	us_json_array(j);
	for (i = 0; i < l->n_stored; i++) {
		const struct us_batch *b = us_registry_batch_slot(v->registry, l->collection,
		    l->stored[i].slot);

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
		us_json_kv_hex(j, "before", l->stored[i].before, sizeof l->stored[i].before);
		us_json_key(j, "act");
		us_json_base64(j, l->stored[i].committed.data, l->stored[i].committed.len);
		us_json_close(j);
	}
	us_json_close(j);
}

static void
finish_receipt(struct us_vault_request *r, struct us_bytes proof)
{
	struct us_vault_receipt *t = r->state;

	us_json_key(&t->j, "receipt");
	if (proof.n > 0)
		us_json_str(&t->j, proof);
	else
		us_json_null(&t->j);
	us_json_close(&t->j);
	if (us_json_end(&t->j) == US_OK)
		us_vault_reply_json(r, 200, t->entry, &t->json);
	else
		us_vault_reply_error(r, US_ERR_INTERNAL, US_REASON_ERROR, t->entry);
}

static void
on_proof(struct us_vault *v, void *ctx, uint16_t type, struct us_bytes body)
{
	struct us_vault_request *r = ctx;
	struct us_msg_entry_proof_reply m;
	struct us_buf proof;

	(void)v;
	r->call = 0;
	us_buf_init(&proof, 65536);
	if (type == US_MSG_entry_proof_reply &&
	    us_msg_entry_proof_reply_decode(&m, body.p, body.n) == US_OK && m.err == US_OK)
		(void)us_vault_access_proof_of(m.index, m.proof, m.checkpoint, &proof);
	finish_receipt(r, (struct us_bytes){ proof.data, proof.len });
	us_buf_free(&proof);
}

/* The receipt proves its last batch's entry; the others' proofs are at
 * /v1/log/entry-proof/<index>. */
static void
begin_receipt(struct us_vault_request *r, const struct us_vault_load *l,
    const struct us_msg_load_ended *m)
{
	struct us_msg_entry_proof ask;
	struct us_vault_receipt *t = calloc(1, sizeof *t);
	struct us_vault *v = r->vault;

	if (t == NULL) {
		us_vault_reply_error(r, US_ERR_NOMEM, US_REASON_ERROR, NO_ENTRY);
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
	r->call = us_vault_keeper_call_new(v, on_proof, r);
	if (r->call == 0 || us_send_entry_proof(v->keeper, r->call, &ask) != US_OK)
		finish_receipt(r, (struct us_bytes){ NULL, 0 });
}

/* Pages of batches that were given up go when nobody loads into the collection any more. */
static void
tidy_after(struct us_vault *v, const struct us_vault_load *ended)
{
	const struct us_vault_load *l;

	for (l = v->loads; l != NULL; l = l->next)
		if (l != ended && l->collection == ended->collection)
			return;
	if (v->state == VAULT_OPEN && v->acts.first == NULL &&
	    us_vault_start_tidy(v, ended->collection) != US_OK)
		us_log(US_LOG_WARNING, "unused pages stay until the next start");
}

/* Why a load has ended otherwise than it was asked to. */
static void
reply_ended(struct us_vault_request *r, const struct us_msg_load_ended *m)
{
	struct us_vault_problem p = { .status = 409,
		.type = "conflict",
		.title = "Not possible in the present state",
		.reason = US_REASON_STATE,
		.entry = NO_ENTRY,
		.position = -1 };

	switch (m->err) {
	case US_ERR_INCOMPLETE:
		p.detail = "Parts are missing before some that came; what was complete is admitted";
		break;
	case US_ERR_FORMAT:
		p.detail = "The load has stopped because of a refused record; nothing of its open "
			   "batch is admitted";
		break;
	case US_ERR_DENIED:
		p.status = 403;
		p.type = "denied";
		p.title = "The load was stopped";
		p.reason = (enum us_reason)m->reason;
		p.detail =
		    "What opened it does not stand any more; nothing of its open batch is admitted";
		break;
	default:
		us_vault_reply_error(r, m->err, US_REASON_ERROR, NO_ENTRY);
		return;
	}
	us_vault_reply_problem(r, &p);
}

int
us_vault_load_on_ended(struct us_vault *v, struct us_bytes body)
{
	struct us_msg_load_ended m;
	struct us_vault_request *r;
	struct us_vault_load *l;
	int err = us_msg_load_ended_decode(&m, body.p, body.n);

	if (err != US_OK)
		return err;
	l = us_vault_load_find(v, m.load);
	if (l == NULL)
		return US_OK;
	r = l->waiting;
	l->waiting = NULL;
	if (r != NULL && m.err != US_OK)
		reply_ended(r, &m);
	else if (r != NULL)
		begin_receipt(r, l, &m);
	tidy_after(v, l);
	us_vault_load_free(v, l);
	return US_OK;
}

void
us_vault_handle_load_end(struct us_vault_request *r)
{
	struct us_msg_load_end_request q;
	struct us_msg_load_end m;
	struct us_vault *v = r->vault;
	struct us_vault_load *l;
	int err = us_msg_load_end_request_decode(&q, r->body.data, r->body.len);

	if (err == US_OK && q.how > 2)
		err = US_ERR_RANGE;
	if (err != US_OK) {
		us_vault_reply_error(r, err, US_REASON_MALFORMED, NO_ENTRY);
		return;
	}
	l = us_vault_load_find(v, q.load);
	/* to look, or to give up, is for the person; to have it admitted for the credential that
	 * the parts came with */
	if (l == NULL || l->person != r->person ||
	    (q.how == 0 && memcmp(l->credential, r->credential, sizeof l->credential) != 0)) {
		us_vault_reply_error(r, US_ERR_NOT_FOUND, US_REASON_NOT_FOUND, NO_ENTRY);
		return;
	}
	if (q.how == 2) {
		begin_receipt(r, l, NULL);
		return;
	}
	if (l->waiting != NULL || !l->started || v->sealer == NULL) {
		us_vault_reply_error(r, US_ERR_STATE, US_REASON_STATE, NO_ENTRY);
		return;
	}
	m.load = l->id;
	m.how = q.how;
	err = us_send_load_end(v->sealer, 0, &m);
	if (err != US_OK)
		us_vault_reply_error(r, err, US_REASON_ERROR, NO_ENTRY);
	else
		l->waiting = r;
}

/* --- another ticket --------------------------------------------------------------------------- */

static void
ticket_logged(struct us_vault_request *r, const struct us_msg_logged *m)
{
	struct us_json j;
	struct us_buf b;

	if (m->ticket.n != US_TICKET_SIZE) {
		us_vault_reply_error(r, US_ERR_INTERNAL, US_REASON_ERROR, m->index);
		return;
	}
	us_buf_init(&b, 4096);
	us_json_begin(&j, &b);
	us_json_object(&j);
	us_json_kv_uint(&j, "order", us_registry_order(r->vault->registry)->version);
	us_json_kv_uint(&j, "entry", m->index);
	put_ticket(&j, m->ticket);
	us_json_close(&j);
	if (us_json_end(&j) == US_OK)
		us_vault_reply_json(r, 200, m->index, &b);
	else
		us_vault_reply_error(r, US_ERR_INTERNAL, US_REASON_ERROR, m->index);
	us_buf_free(&b);
}

/* The order is asked again, by the keeper too, and the log says so. */
void
us_vault_handle_load_ticket(struct us_vault_request *r)
{
	struct us_msg_log e = { .kind = US_KIND_INTENT,
		.action = US_ACTION_LOAD,
		.decision = US_DECISION_ALLOW };
	struct us_msg_load_ticket_request q;
	const struct us_vault_load *l;

	if (us_msg_load_ticket_request_decode(&q, r->body.data, r->body.len) != US_OK) {
		us_vault_reply_error(r, US_ERR_FORMAT, US_REASON_MALFORMED, NO_ENTRY);
		return;
	}
	l = us_vault_load_find(r->vault, q.load);
	if (l == NULL || l->person != r->person ||
	    memcmp(l->credential, r->credential, sizeof l->credential) != 0) {
		us_vault_reply_error(r, US_ERR_NOT_FOUND, US_REASON_NOT_FOUND, NO_ENTRY);
		return;
	}
	r->collection = l->collection;
	e.purpose = (struct us_bytes){ l->purpose, l->purpose_n };
	if (us_vault_access_rule(r, US_ACTION_LOAD, e.purpose, 0) != US_OK)
		return;
	e.related = l->entry;
	e.load = l->id;
	us_vault_access_log(r, &e, ticket_logged);
}
