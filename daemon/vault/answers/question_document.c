/* Documents, gathered from the acts that brought them; and the report on a clawback, whose numbers
 * are the keeper's. */
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "crypto/crypto.h"
#include "base/time.h"
#include "daemon/vault/answers/question.h"

/* --- documents -------------------------------------------------------------------------------- */

struct us_vault_gathering {
	struct us_document document; /* a copy: the registry may grow meanwhile */
	struct us_act *act;          /* scratch */
	struct us_buf bytes;
	uint32_t parts; /* gathered so far */
};

static void
gathering_free(void *state)
{
	struct us_vault_gathering *g = state;

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

static void
document_logged(struct us_vault_request *r, const struct us_msg_logged *m)
{
	struct us_vault_gathering *g = r->state;
	struct us_vault_problem p = { .status = 409,
		.type = "conflict",
		.title = "The document is not what it was said to be",
		.detail = "Its parts do not have the digest under which it was added; nothing of "
			  "it is given out",
		.reason = US_REASON_STATE,
		.entry = m->index,
		.position = -1 };
	int err = gather(r->vault, g);

	if (err == US_ERR_VERIFY) {
		us_vault_reply_problem(r, &p);
		return;
	}
	if (err != US_OK) {
		us_vault_reply_error(r, err, US_REASON_ERROR, m->index);
		return;
	}
	r->entry = m->index;
	us_vault_reply_bytes(r, 200, US_TYPE_OCTETS,
	    (struct us_bytes){ g->bytes.data, g->bytes.len });
}

void
us_vault_question_document(struct us_vault_request *r, const struct us_msg_question_request *q)
{
	const struct us_document *d = NULL;
	struct us_vault_gathering *g;
	uint8_t digest[32];

	if (us_hex_decode((const char *)q->argument.p, q->argument.n, digest, sizeof digest) !=
	    US_OK) {
		us_vault_reply_error(r, US_ERR_FORMAT, US_REASON_MALFORMED, NO_ENTRY);
		return;
	}
	if (us_vault_access_rule(r, US_ACTION_DOCUMENT_READ, (struct us_bytes){ NULL, 0 }, 0) !=
	    US_OK)
		return;
	d = us_registry_document_of(r->vault->registry, digest, 1);
	/* what is not for one's eyes is answered like what is not there */
	if (d == NULL || !us_vault_sight_document(r, d)) {
		us_vault_question_not_found(r, US_ACTION_DOCUMENT_READ,
		    "There is no such document, or it is not for you");
		return;
	}
	g = calloc(1, sizeof *g);
	if (g != NULL)
		g->act = malloc(sizeof *g->act);
	if (g == NULL || g->act == NULL) {
		free(g);
		us_vault_reply_error(r, US_ERR_NOMEM, US_REASON_ERROR, NO_ENTRY);
		return;
	}
	g->document = *d;
	us_buf_init(&g->bytes, US_DOCUMENT_MAX);
	r->state = g;
	r->free_state = gathering_free;
	us_vault_question_log(r, US_ACTION_DOCUMENT_READ, q->argument, document_logged);
}

/* --- clawbacks -------------------------------------------------------------------------------- */

struct us_vault_reporting {
	char id[US_DOCKET_ID_MAX + 1];
	uint32_t number;
	uint64_t entry;
};

static void
put_report(struct us_vault_request *r, const struct us_filing *f,
    const struct us_msg_disclosed_reply *m, struct us_json *j)
{
	const struct us_registry *reg = r->vault->registry;

	us_json_object(j);
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
	us_vault_docket_put_services(f, j);
	us_json_kv_uint(j, "entry", ((const struct us_vault_reporting *)r->state)->entry);
	us_json_close(j);
}

static void
counted(struct us_vault *v, void *ctx, uint16_t type, struct us_bytes body)
{
	struct us_vault_request *r = ctx;
	const struct us_vault_reporting *p = r->state;
	const struct us_filing *f = us_registry_filing_named(v->registry, us_bytes_of(p->id));
	struct us_msg_disclosed_reply m;
	struct us_json j;
	struct us_buf b;

	r->call = 0;
	if (type != US_MSG_disclosed_reply ||
	    us_msg_disclosed_reply_decode(&m, body.p, body.n) != US_OK || f == NULL) {
		us_vault_reply_error(r, US_ERR_INTERNAL, US_REASON_ERROR, p->entry);
		return;
	}
	if (m.err != US_OK) {
		us_vault_reply_error(r, m.err, (enum us_reason)m.reason, p->entry);
		return;
	}
	us_buf_init(&b, 1u << 20);
	us_json_begin(&j, &b);
	put_report(r, f, &m, &j);
	if (us_json_end(&j) == US_OK)
		us_vault_reply_json(r, 200, p->entry, &b);
	else
		us_vault_reply_error(r, US_ERR_INTERNAL, US_REASON_ERROR, p->entry);
	us_buf_free(&b);
}

static void
report_logged(struct us_vault_request *r, const struct us_msg_logged *m)
{
	struct us_vault_reporting *p = r->state;
	struct us_msg_disclosed ask = { .clawback = p->number };
	int err;

	p->entry = m->index;
	memcpy(ask.credential, r->credential, sizeof ask.credential);
	memcpy(ask.session, r->session, sizeof ask.session);
	r->call = us_vault_keeper_call_new(r->vault, counted, r);
	err = r->call == 0 ? US_ERR_BUSY :
			     us_vault_keeper_call_sent(r->vault, &r->call,
				 us_send_disclosed(r->vault->keeper, r->call, &ask));
	if (err != US_OK)
		us_vault_reply_error(r, err, US_REASON_ERROR, m->index);
}

void
us_vault_question_clawback(struct us_vault_request *r, const struct us_msg_question_request *q)
{
	struct us_vault_reporting *p = calloc(1, sizeof *p);
	const struct us_filing *f;

	if (p == NULL) {
		us_vault_reply_error(r, US_ERR_NOMEM, US_REASON_ERROR, NO_ENTRY);
		return;
	}
	r->state = p;
	r->free_state = free;
	p->number = q->first;
	(void)snprintf(p->id, sizeof p->id, "clawback-%u", q->first);
	f = us_registry_filing_named(r->vault->registry, us_bytes_of(p->id));
	if (f != NULL && f->set != NULL)
		r->collection = f->set->collection;
	if (us_vault_access_rule(r, US_ACTION_CLAWBACK_REPORT, (struct us_bytes){ NULL, 0 }, 0) !=
	    US_OK)
		return;
	/* the numbers are for who took the records back, and for the court: not for those who are
	 * counted */
	if (f == NULL || f->set == NULL ||
	    (!us_vault_sight_is_full(r) && !us_vault_sight_shares_party(r, f->filed_by))) {
		us_vault_question_not_found(r, US_ACTION_CLAWBACK_REPORT,
		    "There is no such clawback, or its report is not for you");
		return;
	}
	us_vault_question_log(r, US_ACTION_CLAWBACK_REPORT, us_bytes_of(p->id), report_logged);
}
