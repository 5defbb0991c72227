/* Documents, gathered from the acts that brought them; and the report on a clawback, whose numbers
 * are the keeper's. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "registry/withheld.h"
#include "base/base64.h"
#include "crypto/crypto.h"
#include "base/err.h"
#include "base/time.h"
#include "daemon/vault/answers/answer.h"
#include "daemon/vault/answers/listing.h"
#include "daemon/vault/answers/question.h"
#include "daemon/vault/decide/sight.h"
#include "daemon/vault/state/history.h"
#include "daemon/vault/state/keeper.h"

/* --- documents -------------------------------------------------------------------------------- */

struct us_vault_gathering {
	struct us_document document; /* a copy: the registry may grow meanwhile */
	struct us_act *act;          /* scratch */
	struct us_buf bytes;
	uint32_t parts; /* gathered so far */
};

static void
gathering_free(struct us_vault_request *r)
{
	struct us_vault_gathering *g = r->own.gathering;

	us_buf_free(&g->bytes);
	free(g->act);
	free(g);
}

static int
is_part(void *ctx, uint64_t sequence)
{
	const struct us_vault_gathering *g = ctx;

	return g->parts < g->document.parts_all && sequence == g->document.sequences[g->parts];
}

static int
take_part(void *ctx, uint64_t sequence, struct us_bytes committed)
{
	struct us_vault_gathering *g = ctx;
	struct us_committed_act act;
	struct us_signed_act envelope;
	int err = us_committed_act_decode(&act, &envelope, committed.p, committed.n);

	(void)sequence;
	if (err == US_OK && envelope.type != US_ACT_DOCUMENT_ADD)
		err = US_ERR_VERIFY;
	if (err == US_OK)
		err = us_act_decode(g->act, envelope.type, envelope.payload);
	if (err == US_OK &&
	    (g->act->u.document.part != g->parts ||
		memcmp(g->act->u.document.digest, g->document.digest, 32) != 0))
		err = US_ERR_VERIFY;
	if (err == US_OK)
		err = us_buf_put(&g->bytes, g->act->u.document.bytes.p, g->act->u.document.bytes.n);
	if (err == US_OK && ++g->parts == g->document.parts_all)
		return US_ERR_CLOSED; /* that was the last one */
	return err;
}

/* Parts larger than one act are not compared with the digest when they come in: here they are, as a
 * whole. */
static int
gather(struct us_vault *v, struct us_vault_gathering *g)
{
	uint8_t digest[32];
	int err = us_vault_history_acts(v, is_part, take_part, g);

	if (err == US_OK && (g->parts != g->document.parts_all || g->bytes.len != g->document.size))
		err = US_ERR_VERIFY;
	if (err == US_OK)
		err = us_sha256(g->bytes.data, g->bytes.len, digest);
	if (err == US_OK && memcmp(digest, g->document.digest, sizeof digest) != 0)
		err = US_ERR_VERIFY;
	return err;
}

static enum us_vault_next
ask_for_document(struct us_vault_request *r)
{
	const struct us_bytes hex = r->q.question_request.argument;
	const struct us_registry *reg = us_vault_registry_of(r);
	const struct us_document *d;
	struct us_vault_gathering *g;
	enum us_vault_next next;
	uint8_t digest[32];

	r->action = US_ACTION_DOCUMENT_READ;
	if (us_hex_decode((const char *)hex.p, hex.n, digest, sizeof digest) != US_OK)
		return us_vault_fail(r, US_ERR_FORMAT, US_REASON_MALFORMED, NO_ENTRY);
	next = us_vault_question_ask_order(r);
	if (next != US_VAULT_GO_ON)
		return next;
	d = us_registry_document_of(reg, digest, 1);
	/* what is not for one's eyes is answered like what is not there */
	if (d == NULL || !us_vault_sight_document(reg, &r->who, d))
		return us_vault_question_not_found(r,
		    "There is no such document, or it is not for you");
	g = calloc(1, sizeof *g);
	if (g != NULL)
		g->act = malloc(sizeof *g->act);
	if (g == NULL || g->act == NULL) {
		free(g);
		return us_vault_fail(r, US_ERR_NOMEM, US_REASON_ERROR, NO_ENTRY);
	}
	g->document = *d;
	us_buf_init(&g->bytes, US_DOCUMENT_MAX);
	r->own.gathering = g;
	r->own_free = gathering_free;
	return us_vault_question_log(r, hex);
}

static enum us_vault_next
put_document(struct us_vault_request *r)
{
	struct us_vault_gathering *g = r->own.gathering;
	const uint64_t entry = r->heard.logged->index;
	const int err = gather(r->vault, g);

	if (err == US_ERR_VERIFY) {
		us_vault_problem_set(&r->problem, 409, "conflict",
		    "The document is not what it was said to be", US_REASON_STATE)
		    ->entry = entry;
		us_vault_problem_detail(&r->problem,
		    "Its parts do not have the digest under which it was added; nothing of "
		    "it is given out");
		return US_VAULT_FAIL;
	}
	return err != US_OK ? us_vault_fail(r, err, US_REASON_ERROR, entry) :
			      us_vault_answer_bytes(r, 200, US_TYPE_OCTETS, entry,
				  (struct us_bytes){ g->bytes.data, g->bytes.len });
}

const struct us_vault_step us_vault_document_steps[] = {
	{ .once = ask_for_document },
	{ .once = put_document },
	{ .once = NULL },
};

/* --- clawbacks -------------------------------------------------------------------------------- */

struct us_vault_reporting {
	char id[US_DOCKET_ID_MAX + 1];
	uint64_t entry;
};

/* Copies that hold some of it: all, and by what has become of them, each by its own name. */
static void
put_copies(const struct us_registry *reg, const struct us_filing *f, struct us_json *j)
{
	struct us_copies_of count;

	us_registry_copies_of(reg, f->set, &count);
	us_json_key(j, "copies_by_status");
	us_json_object(j);
	us_json_kv_uint(j, us_copy_status_name(US_COPY_OUT), count.out);
	us_json_kv_uint(j, us_copy_status_name(US_COPY_GIVEN_BACK), count.returned);
	us_json_kv_uint(j, us_copy_status_name(US_COPY_GONE), count.destroyed);
	us_json_close(j);
}

static void
put_report(struct us_vault_request *r, const struct us_filing *f,
    const struct us_msg_disclosed_reply *m, struct us_json *j)
{
	const struct us_registry *reg = us_vault_registry_of(r);

	us_json_kv_cstr(j, "id", f->id);
	us_json_key(j, "name");
	us_vault_docket_put_name(reg, f, j);
	us_json_kv_cstr(j, "status", us_filing_status_name(f->status));
	us_json_kv_cstr(j, "filed_by", us_vault_list_person_name(reg, f->filed_by));
	us_json_kv_time(j, "filed", f->filed_ns);
	us_vault_list_put_time(j, "noticed", f->noticed_ns);
	us_json_kv_cstr(j, "collection", us_vault_list_collection_name(reg, f->collection));
	us_json_kv_uint(j, "clawed_back", f->set->records);
	us_json_kv_uint(j, "people", m->people);
	us_json_key(j, "records");
	if (m->records == UINT64_MAX)
		us_json_null(j);
	else
		us_json_uint(j, m->records);
	us_json_kv_uint(j, "views", m->views);
	us_json_kv_uint(j, "copies", m->copies);
	put_copies(reg, f, j);
	us_vault_docket_put_services(f, j);
	us_json_kv_uint(j, "entry", r->own.reporting->entry);
	us_json_close(j);
}

static void
reporting_free(struct us_vault_request *r)
{
	free(r->own.reporting);
}

static enum us_vault_next
ask_for_report(struct us_vault_request *r)
{
	const struct us_registry *reg = us_vault_registry_of(r);
	struct us_vault_reporting *p = calloc(1, sizeof *p);
	const struct us_filing *f;
	enum us_vault_next next;

	if (p == NULL)
		return us_vault_fail(r, US_ERR_NOMEM, US_REASON_ERROR, NO_ENTRY);
	r->own.reporting = p;
	r->own_free = reporting_free;
	r->action = US_ACTION_CLAWBACK_REPORT;
	(void)snprintf(p->id, sizeof p->id, "clawback-%u", r->q.question_request.first);
	f = us_registry_filing_named(reg, us_bytes_of(p->id));
	if (f != NULL && f->set != NULL)
		r->who.collection = f->set->collection;
	next = us_vault_question_ask_order(r);
	if (next != US_VAULT_GO_ON)
		return next;
	/* the numbers are for who took the records back, and for the court: not for those who are
	 * counted */
	if (f == NULL || f->set == NULL ||
	    (!us_vault_sight_is_full(&r->who) &&
		!us_vault_sight_shares_party(reg, &r->who, f->filed_by)))
		return us_vault_question_not_found(r,
		    "There is no such clawback, or its report is not for you");
	return us_vault_question_log(r, us_bytes_of(p->id));
}

static enum us_vault_next
ask_for_count(struct us_vault_request *r)
{
	struct us_msg_disclosed ask = { .clawback = r->q.question_request.first };
	const uint32_t tag = us_vault_ask(r);

	r->entry = r->own.reporting->entry = r->heard.logged->index;
	memcpy(ask.credential, r->who.credential, sizeof ask.credential);
	memcpy(ask.session, r->who.session, sizeof ask.session);
	return us_vault_asked(r,
	    tag == 0 ? US_ERR_BUSY :
		       us_send_disclosed(us_vault_keeper_channel(r->vault->keeper), tag, &ask));
}

static enum us_vault_next
answer_report(struct us_vault_request *r)
{
	const struct us_vault_reporting *p = r->own.reporting;
	const struct us_filing *f = us_registry_filing_named(us_vault_registry_of(r),
	    us_bytes_of(p->id));
	struct us_msg_disclosed_reply m;
	struct us_json j;
	struct us_buf b;

	if (r->heard.type != US_MSG_disclosed_reply ||
	    us_msg_disclosed_reply_decode(&m, r->heard.body.p, r->heard.body.n) != US_OK ||
	    f == NULL)
		return us_vault_fail(r, US_ERR_INTERNAL, US_REASON_ERROR, p->entry);
	if (m.err != US_OK)
		return us_vault_fail(r, m.err, (enum us_reason)m.reason, p->entry);
	us_vault_json_begin(&j, &b, 1u << 20);
	put_report(r, f, &m, &j);
	return us_vault_answer_json(r, 200, p->entry, &j, &b);
}

const struct us_vault_step us_vault_clawback_steps[] = {
	{ .once = ask_for_report },
	{ .once = ask_for_count },
	{ .once = answer_report },
	{ .once = NULL },
};
