/* Loads as their producer sees them: start, end, receipts, tickets. What is stored is
 * sealer.c's. */
#include "daemon/vault/answers/kinds.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "daemon/process/ticket.h"
#include "daemon/vault/answers/answer.h"
#include "daemon/vault/answers/receipt.h"
#include "daemon/vault/loads/loads.h"
#include "daemon/vault/state/keeper.h"
#include "daemon/vault/store/store.h"
#include "evidence/batch/batch.h"
#include "policy/designation.h"

#define LOADS_MAX 256
#define LOADS_OF_ONE 16 /* a person */

struct us_vault_load_request {
	struct us_vault_load *load; /* that is not listed yet */
	struct us_vault_load_wait wait;
	uint8_t ticket[US_TICKET_SIZE]; /* the first one, until it is handed out */
	struct us_buf json;             /* a receipt: all but the proof, its object still open */
	struct us_json j;
};

static void
loading_free(struct us_vault_request *r)
{
	struct us_vault_load_request *d = r->own.loading;

	us_vault_load_wait_end(&d->wait);
	us_vault_load_free(r->vault->loads, d->load);
	us_wipe(d->ticket, sizeof d->ticket);
	us_buf_free(&d->json);
	free(d);
}

static struct us_vault_load_request *
loading_new(struct us_vault_request *r)
{
	struct us_vault_load_request *d = calloc(1, sizeof *d);

	if (d == NULL)
		return NULL;
	us_buf_init(&d->json, 4u << 20);
	r->own.loading = d;
	r->own_free = loading_free;
	return d;
}

/* What each part of the load carries, and until when. */
static void
put_ticket(struct us_json *j, struct us_bytes ticket)
{
	us_json_key(j, "ticket");
	us_json_base64(j, ticket.p, ticket.n);
	us_json_key(j, "ticket_expires");
	us_json_time(j, us_ticket_expires(ticket));
}

/* --- start ------------------------------------------------------------------------------------ */

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
default_designation(const struct us_registry *reg, const struct us_collection *c,
    struct us_designated *found)
{
	const struct us_order *order = us_registry_order(reg);

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

static enum us_vault_next
find_collection(struct us_vault_request *r)
{
	return us_vault_decided(us_vault_decide_collection(r->vault, &r->who,
	    r->q.load_open_request.collection, &r->problem));
}

static enum us_vault_next
ask_order(struct us_vault_request *r)
{
	return us_vault_ask_order(r, r->q.load_open_request.purpose, 0);
}

/* Else records would come in that no rule of the order reaches. */
static enum us_vault_next
check_designation(struct us_vault_request *r)
{
	const struct us_registry *reg = us_vault_registry_of(r);
	const struct us_collection *c = us_registry_collection(reg, r->who.collection);
	struct us_vault_problem *p = &r->problem;
	struct us_designated found;

	if (default_designation(reg, c, &found) != US_ERR_NOT_FOUND)
		return US_VAULT_GO_ON;
	us_vault_problem_conflict(p);
	(void)snprintf(p->detail, sizeof p->detail,
	    "The order in force does not list the collection's designation \"%s\"", c->designation);
	us_vault_problem_cure(p, "A version of the order that lists it, or another collection");
	if (found.nearest.n > 0)
		(void)snprintf(p->cure, sizeof p->cure,
		    "A version of the order that lists it, or another collection; was \"%.*s\" "
		    "meant?",
		    (int)found.nearest.n, (const char *)found.nearest.p);
	return US_VAULT_FAIL;
}

static enum us_vault_next
refuse_another(struct us_vault_request *r)
{
	us_vault_problem_set(&r->problem, 429, "too-many", "You have many loads open",
	    US_REASON_OVER_LIMIT)
	    ->retry_after = 1;
	us_vault_problem_detail(&r->problem, "A person may have 16 loads open at a time");
	us_vault_problem_cure(&r->problem, "Finish one, or give it up (DELETE /v1/loads/{load})");
	return US_VAULT_FAIL;
}

static int
new_load(struct us_vault_request *r)
{
	const struct us_bytes purpose = r->q.load_open_request.purpose;
	struct us_vault_load_request *d = loading_new(r);
	struct us_vault_load_facts facts = { .collection = r->who.collection,
		.person = r->who.person,
		.flags = r->q.load_open_request.flags,
		.purpose_n = purpose.n };

	if (d == NULL)
		return US_ERR_NOMEM;
	if (purpose.n > 0)
		memcpy(facts.purpose, purpose.p, purpose.n);
	memcpy(facts.credential, r->who.credential, sizeof facts.credential);
	return us_vault_load_new(r->vault->loads, &facts, &d->load);
}

static enum us_vault_next
log_load(struct us_vault_request *r)
{
	struct us_vault_entry e = { .kind = US_KIND_INTENT,
		.action = US_ACTION_LOAD,
		.decision = US_DECISION_ALLOW,
		.purpose = r->purpose,
		.related = NO_ENTRY };
	size_t own, n = us_vault_loads_count(r->vault->loads, r->who.person, &own);

	if (own >= LOADS_OF_ONE)
		return refuse_another(r);
	if (n >= LOADS_MAX || new_load(r) != US_OK)
		return us_vault_fail(r, US_ERR_BUSY, US_REASON_ERROR, NO_ENTRY);
	e.load = us_vault_load_facts(r->own.loading->load)->id;
	return us_vault_log(r, &e);
}

/* What the sealer needs of the collection: its newest dictionary, and which designations there
 * are. */
static int
send_start(struct us_vault_request *r, const struct us_vault_load_facts *l)
{
	const struct us_registry *reg = us_vault_registry_of(r);
	const struct us_collection *c = us_registry_collection(reg, l->collection);
	const struct us_dictionary *d = us_registry_dictionary(reg, l->collection, 0);
	struct us_channel *sealer = us_vault_loads_sealer(r->vault->loads);
	struct us_msg_load_start start = { .load = l->id,
		.collection = l->collection,
		.flags = l->flags };
	struct us_buf dictionary, list;
	struct us_designated found;
	int err = default_designation(reg, c, &found);

	us_buf_init(&dictionary, 245760);
	us_buf_init(&list, US_ORDER_DESIGNATIONS * (US_ORDER_ID_MAX + 2));
	start.designation = found.name;
	if (err == US_OK)
		err = put_designations(us_registry_order(reg), &list);
	start.designations = (struct us_bytes){ list.data, list.len };
	if (err == US_OK && d != NULL) {
		struct us_store_key from = { l->collection, US_PAGE_DICTIONARY,
			PAGE_NUMBER(d->version, 0) };

		start.dictionary_version = d->version;
		err = us_store_scan(r->vault->reader, &from, PAGE_NUMBER(d->version, 0xffff),
		    append_page, &dictionary);
		start.dictionary = (struct us_bytes){ dictionary.data, dictionary.len };
	}
	if (err == US_OK)
		err = sealer == NULL ? US_ERR_BUSY : us_send_load_start(sealer, 0, &start);
	us_buf_free(&dictionary);
	us_buf_free(&list);
	return err;
}

static enum us_vault_next
start_load(struct us_vault_request *r)
{
	const struct us_msg_logged *m = r->heard.logged;
	struct us_vault_load_request *d = r->own.loading;
	struct us_vault_load *l = d->load;
	int err;

	if (m->ticket.n != sizeof d->ticket)
		return us_vault_fail(r, US_ERR_INTERNAL, US_REASON_ERROR, m->index);
	memcpy(d->ticket, m->ticket.p, sizeof d->ticket);
	r->entry = m->index;
	err = send_start(r, us_vault_load_facts(l));
	if (err != US_OK)
		return us_vault_fail(r, err, US_REASON_ERROR, m->index);
	d->load = NULL; /* the list's now */
	us_vault_load_list(r->vault->loads, l, m->index);
	us_vault_load_wait(l, &d->wait, r);
	return US_VAULT_WAIT;
}

static enum us_vault_next
put_started(struct us_vault_request *r)
{
	struct us_vault_load_request *d = r->own.loading;
	const struct us_vault_load_facts *l = d->wait.facts;
	struct us_json j;
	struct us_buf b;

	if (d->wait.err != US_OK)
		return us_vault_fail(r, d->wait.err, US_REASON_ERROR,
		    d->wait.err == US_ERR_CLOSED ? NO_ENTRY : r->entry);
	us_vault_json_begin(&j, &b, 4096);
	us_json_kv_uint(&j, "load", l->id);
	us_json_kv_bool(&j, "dry_run", (l->flags & US_LOAD_DRY_RUN) != 0);
	us_json_kv_bool(&j, "hold", (l->flags & US_LOAD_HOLD) != 0);
	us_json_kv_uint(&j, "order", us_registry_order(us_vault_registry_of(r))->version);
	us_json_kv_uint(&j, "entry", r->entry);
	put_ticket(&j, (struct us_bytes){ d->ticket, sizeof d->ticket });
	us_json_close(&j);
	return us_vault_answer_json(r, 201, r->entry, &j, &b);
}

const struct us_vault_step us_vault_load_open_request_steps[] = {
	{ .once = find_collection },
	{ .once = ask_order },
	{ .once = check_designation },
	{ .once = log_load },
	{ .once = start_load },
	{ .once = put_started },
	{ .once = NULL },
};

/* --- receipts --------------------------------------------------------------------------------- */

static enum us_vault_next
finish_receipt(struct us_vault_request *r, struct us_bytes proof)
{
	struct us_vault_load_request *d = r->own.loading;

	us_json_key(&d->j, "receipt");
	if (proof.n > 0)
		us_json_str(&d->j, proof);
	else
		us_json_null(&d->j);
	us_json_close(&d->j);
	return us_vault_answer_json(r, 200, r->entry, &d->j, &d->json);
}

static enum us_vault_next
put_receipt(struct us_vault_request *r)
{
	struct us_msg_entry_proof_reply m;
	enum us_vault_next next;
	struct us_buf proof;

	us_buf_init(&proof, 65536);
	if (r->heard.type == US_MSG_entry_proof_reply &&
	    us_msg_entry_proof_reply_decode(&m, r->heard.body.p, r->heard.body.n) == US_OK &&
	    m.err == US_OK)
		(void)us_vault_put_proof(m.index, m.proof, m.checkpoint, &proof);
	next = finish_receipt(r, (struct us_bytes){ proof.data, proof.len });
	us_buf_free(&proof);
	return next;
}

/* The receipt proves its last batch's entry; the others' proofs are at
 * /v1/log/entry-proof/<index>. m: NULL: it has not ended. */
static enum us_vault_next
begin_receipt(struct us_vault_request *r, const struct us_vault_load_facts *l,
    const struct us_msg_load_ended *m)
{
	static const struct us_vault_step steps[] = { { .once = put_receipt }, { .once = NULL } };
	const struct us_registry *reg = us_vault_registry_of(r);
	struct us_json *j = &r->own.loading->j;
	struct us_msg_entry_proof ask;
	uint32_t tag;

	r->entry = l->n_stored == 0 ? NO_ENTRY : l->stored[l->n_stored - 1].entry;
	us_json_begin(j, &r->own.loading->json);
	us_json_object(j);
	us_vault_receipt_put(reg, l, m, j);
	us_json_kv_uint(j, "order", us_registry_order(reg)->version);
	us_json_key(j, "entry");
	if (r->entry == NO_ENTRY) {
		us_json_null(j);
		return finish_receipt(r, (struct us_bytes){ NULL, 0 });
	}
	us_json_uint(j, r->entry);
	ask.index = r->entry;
	tag = us_vault_ask(r);
	if (us_vault_asked(r,
		tag == 0 ? US_ERR_BUSY :
			   us_send_entry_proof(us_vault_keeper_channel(r->vault->keeper), tag,
			       &ask)) != US_VAULT_WAIT)
		return finish_receipt(r, (struct us_bytes){ NULL, 0 });
	(void)us_vault_row(r, steps);
	return US_VAULT_WAIT;
}

/* --- end -------------------------------------------------------------------------------------- */

static enum us_vault_next
end_load(struct us_vault_request *r)
{
	const struct us_msg_load_end_request *q = &r->q.load_end_request;
	struct us_channel *sealer = us_vault_loads_sealer(r->vault->loads);
	const struct us_msg_load_end m = { .load = q->load, .how = q->how };
	struct us_vault_load *l = us_vault_load_find(r->vault->loads, q->load);
	const struct us_vault_load_facts *facts = l == NULL ? NULL : us_vault_load_facts(l);
	struct us_vault_load_request *d;
	int err;

	if (q->how > 2)
		return us_vault_fail(r, US_ERR_RANGE, US_REASON_MALFORMED, NO_ENTRY);
	/* to look, or to give up, is for the person; to have it admitted for the credential that
	 * the parts came with */
	if (l == NULL || facts->person != r->who.person ||
	    (q->how == 0 &&
		memcmp(facts->credential, r->who.credential, sizeof facts->credential) != 0))
		return us_vault_fail(r, US_ERR_NOT_FOUND, US_REASON_NOT_FOUND, NO_ENTRY);
	d = loading_new(r);
	if (d == NULL)
		return us_vault_fail(r, US_ERR_NOMEM, US_REASON_ERROR, NO_ENTRY);
	if (q->how == 2)
		return begin_receipt(r, facts, NULL);
	if (!us_vault_load_is_free(l) || sealer == NULL)
		return us_vault_fail(r, US_ERR_STATE, US_REASON_STATE, NO_ENTRY);
	err = us_send_load_end(sealer, 0, &m);
	if (err != US_OK)
		return us_vault_fail(r, err, US_REASON_ERROR, NO_ENTRY);
	us_vault_load_wait(l, &d->wait, r);
	return US_VAULT_WAIT;
}

/* A load that has ended otherwise than it was asked to. */
static enum us_vault_next
refuse_ended(struct us_vault_request *r, int err, const struct us_msg_load_ended *m)
{
	struct us_vault_problem *p = us_vault_problem_conflict(&r->problem);

	switch (err) {
	case US_ERR_INCOMPLETE:
		us_vault_problem_set(p, 409, "incomplete", "Parts of the load are missing",
		    US_REASON_STATE);
		(void)snprintf(p->detail, sizeof p->detail,
		    "Part %u never came, and some behind it did; what stands before it is "
		    "admitted, what stands behind it is not",
		    m->missing);
		us_vault_problem_cure(p, "Load the file again: what is there is not taken twice");
		return US_VAULT_FAIL;
	case US_ERR_FORMAT:
		us_vault_problem_detail(p,
		    "The load has stopped because of a refused record; nothing of its open "
		    "batch is admitted");
		return US_VAULT_FAIL;
	case US_ERR_DENIED:
		us_vault_problem_set(p, 403, "denied", "The load was stopped",
		    (enum us_reason)m->reason);
		us_vault_problem_detail(p,
		    "What opened it does not stand any more; nothing of its open batch is "
		    "admitted");
		return US_VAULT_FAIL;
	default:
		return us_vault_fail(r, err, US_REASON_ERROR, NO_ENTRY);
	}
}

static enum us_vault_next
put_ended(struct us_vault_request *r)
{
	const struct us_vault_load_wait *w = &r->own.loading->wait;

	return w->err == US_OK ? begin_receipt(r, w->facts, w->ended) :
				 refuse_ended(r, w->err, w->ended);
}

const struct us_vault_step us_vault_load_end_request_steps[] = {
	{ .once = end_load },
	{ .once = put_ended },
	{ .once = NULL },
};

/* --- another ticket --------------------------------------------------------------------------- */

/* The order is asked again, by the keeper too, and the log says so. */
static enum us_vault_next
log_ticket(struct us_vault_request *r)
{
	const struct us_vault_load *l = us_vault_load_find(r->vault->loads,
	    r->q.load_ticket_request.load);
	const struct us_vault_load_facts *facts = l == NULL ? NULL : us_vault_load_facts(l);
	struct us_vault_entry e = { .kind = US_KIND_INTENT,
		.action = US_ACTION_LOAD,
		.decision = US_DECISION_ALLOW };
	enum us_vault_next next;

	if (l == NULL || facts->person != r->who.person ||
	    memcmp(facts->credential, r->who.credential, sizeof facts->credential) != 0)
		return us_vault_fail(r, US_ERR_NOT_FOUND, US_REASON_NOT_FOUND, NO_ENTRY);
	r->who.collection = facts->collection;
	e.purpose = (struct us_bytes){ facts->purpose, facts->purpose_n };
	next = us_vault_ask_order(r, e.purpose, 0);
	if (next != US_VAULT_GO_ON)
		return next;
	e.related = facts->entry;
	e.load = facts->id;
	return us_vault_log(r, &e);
}

static enum us_vault_next
put_ticket_again(struct us_vault_request *r)
{
	const struct us_msg_logged *m = r->heard.logged;
	struct us_json j;
	struct us_buf b;

	if (m->ticket.n != US_TICKET_SIZE)
		return us_vault_fail(r, US_ERR_INTERNAL, US_REASON_ERROR, m->index);
	us_vault_json_begin(&j, &b, 4096);
	us_json_kv_uint(&j, "order", us_registry_order(us_vault_registry_of(r))->version);
	us_json_kv_uint(&j, "entry", m->index);
	put_ticket(&j, m->ticket);
	us_json_close(&j);
	return us_vault_answer_json(r, 200, m->index, &j, &b);
}

const struct us_vault_step us_vault_load_ticket_request_steps[] = {
	{ .once = log_ticket },
	{ .once = put_ticket_again },
	{ .once = NULL },
};
