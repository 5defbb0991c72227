#include "daemon/keeper/claim.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "daemon/keeper/answer.h"
#include "daemon/keeper/internal.h"
#include "daemon/keeper/session.h"
#include "daemon/keeper/refused.h"
#include "registry/act.h"

struct us_keeper_refused {
	int err;
	struct us_refusal refusal;
	char detail[512];
};

static int
finish_refused(struct us_keeper *k, struct us_pending *p)
{
	const struct us_keeper_refused *r = p->data;
	const struct us_msg_act_prepared m = { .err = (uint8_t)r->err,
		.reason = (uint8_t)r->refusal.reason,
		.rule = r->refusal.rule,
		.detail = us_bytes_of(r->detail),
		.entry = p->index };

	(void)k;
	return p->ch == NULL ? US_OK : us_send_act_prepared(p->ch, p->tag, &m);
}

/* What a refused copy asked for, beside its query box q. words: room for all its terms. */
static int
name_copy(const struct us_keeper *k, const struct us_act_copy *copy, struct us_buf *terms,
    struct us_entry_query *q, struct us_bytes words[US_ENTRY_REFUSED + 1])
{
	struct us_reader r;
	int err = us_refused_terms(k, copy->collection, copy->records, copy->n, terms);

	us_reader_init(&r, terms->data, terms->len);
	while (err == US_OK && r.err == US_OK && r.left > 0)
		words[q->n_terms++] = us_take_str16(&r, UINT16_MAX);
	q->terms = words;
	q->purpose = copy->purpose;
	return err;
}

int
us_keeper_claim_append(struct us_keeper *k, const struct us_keeper_claim *c,
    enum us_entry_class entry_class, const struct us_refusal *refusal, struct us_pending *p)
{
	struct us_entry_access a;
	struct us_entry_query q;
	struct us_entry_in e = { .entry_class = entry_class, .access = &a, .query = &q };
	struct us_bytes words[US_ENTRY_REFUSED + 1];
	struct us_buf terms;
	int err = US_OK;

	us_buf_init(&terms, US_REFUSED_MAX);
	us_entry_access_init(&a);
	us_entry_query_init(&q);
	a.kind = US_KIND_INTENT;
	a.action = c->action == US_ACTION_NONE ? US_ACTION_STATUS : c->action;
	a.decision = refusal == NULL ? US_DECISION_ALLOW : US_DECISION_DENY;
	if (refusal != NULL) {
		a.reason = refusal->reason == US_REASON_NONE ? US_REASON_STATE : refusal->reason;
		a.rule = refusal->rule;
		a.paragraph = us_bytes_of(refusal->paragraph);
	}
	us_keeper_fill_asker(k, &a, c->credential, c->session);
	if (c->seal.n > 0)
		a.event = (struct us_event){ .form = US_EVENT_SEAL, .seal = { c->seal } };
	q.address = c->peer;
	if (c->copy != NULL) {
		a.collection = us_registry_collection(k->registry, c->copy->collection) == NULL ?
		    0 :
		    c->copy->collection;
		err = name_copy(k, c->copy, &terms, &q, words);
	}
	if (err == US_OK)
		err = us_keeper_append(k, &e, &p->index, &p->time_ns);
	us_buf_free(&terms);
	return err;
}

int
us_keeper_claim_refuse(struct us_keeper *k, const struct us_keeper_claim *c, int err,
    const struct us_refusal *refusal, struct us_pending *p)
{
	struct us_keeper_refused *r = calloc(1, sizeof *r);

	if (r == NULL)
		return US_ERR_NOMEM;
	r->err = err;
	r->refusal = *refusal;
	(void)snprintf(r->detail, sizeof r->detail, "%s%s%s", refusal->text,
	    refusal->cure[0] == '\0' ? "" : ". ", refusal->cure);
	p->data = r;
	p->finish = finish_refused;
	err = us_keeper_claim_append(k, c, US_CLASS_ACCESS, refusal, p);
	if (err != US_OK) {
		free(r);
		return err;
	}
	return us_keeper_answer(k, p);
}

int
us_keeper_claim_err(enum us_reason reason)
{
	return reason == US_REASON_SEALED ? US_ERR_SEALED : US_ERR_DENIED;
}
