/* Questions about the order and its docket: the request, and who may ask what. */
#include "base/array.h"
#include "daemon/vault/question.h"

void
us_vault_question_refuse(struct us_vault_request *r, enum us_action action, const char *detail)
{
	const struct us_vault_problem p = { .status = 403,
		.type = "denied",
		.title = "Refused",
		.detail = detail,
		.reason = US_REASON_CAPACITY,
		.cure = "ask the court, or a roster signer of your party",
		.entry = NO_ENTRY,
		.position = -1 };

	us_vault_access_refuse(r, action, (struct us_bytes){ NULL, 0 }, &p);
}

void
us_vault_question_not_found(struct us_vault_request *r, enum us_action action, const char *detail)
{
	const struct us_vault_problem p = { .status = 404,
		.type = "not-found",
		.title = "Not found or not visible",
		.detail = detail,
		.reason = US_REASON_NOT_FOUND,
		.entry = NO_ENTRY,
		.position = -1 };

	us_vault_access_refuse(r, action, (struct us_bytes){ NULL, 0 }, &p);
}

static int
is_signer(const struct us_vault_request *r)
{
	const struct us_registry *reg = r->vault->registry;
	const struct us_order *order = us_registry_order(reg);
	const struct us_person *me = us_registry_person(reg, r->person);

	for (size_t p = 0; me != NULL && p < order->n_parties; p++)
		if ((r->subject.parties >> p & 1) != 0 &&
		    us_order_is_signer(order, p, us_bytes_of(me->name), me->capacity))
			return 1;
	return 0;
}

int
us_vault_question_for_all(struct us_vault_request *r, enum us_action action)
{
	if (us_vault_sight_is_full(r) || is_signer(r))
		return US_OK;
	us_vault_question_refuse(r, action,
	    "This is answered to the court, auditors, administrators and roster signers");
	return US_ERR_DENIED;
}

void
us_vault_question_log(struct us_vault_request *r, enum us_action action, struct us_bytes text,
    void (*answer)(struct us_vault_request *r, const struct us_msg_logged *m))
{
	const struct us_msg_log e = { .kind = US_KIND_INTENT,
		.action = (uint8_t)action,
		.decision = US_DECISION_ALLOW,
		.query = text,
		.related = NO_ENTRY };

	us_vault_access_log(r, &e, answer);
}

void
us_vault_question_open(struct us_vault_request *r, void (*next)(struct us_vault_request *r))
{
	static const enum us_action any[] = { US_ACTION_SEARCH, US_ACTION_COUNT, US_ACTION_READ,
		US_ACTION_COPY };
	struct us_ruling ruling;

	for (size_t i = 0;
	     i < US_COUNT(any) && !us_vault_evidence_complete(r->vault, r->collection); i++) {
		us_vault_access_ruling(r, any[i], (struct us_bytes){ NULL, 0 }, 0, &ruling);
		if (ruling.decision == US_DECISION_ALLOW ||
		    ruling.reason == US_REASON_PURPOSE_MISSING) {
			us_vault_access_open(r, (struct us_bytes){ NULL, 0 }, next);
			return;
		}
	}
	next(r);
}

void
us_vault_handle_question(struct us_vault_request *r)
{
	struct us_msg_question_request q;

	if (us_msg_question_request_decode(&q, r->body.data, r->body.len) != US_OK) {
		us_vault_reply_error(r, US_ERR_FORMAT, US_REASON_MALFORMED, NO_ENTRY);
		return;
	}
	switch ((enum us_question)q.what) {
	case US_QUESTION_DIFF:
		us_vault_question_diff(r, &q);
		return;
	case US_QUESTION_EXPLAIN:
		us_vault_question_explain(r, &q);
		return;
	case US_QUESTION_WHO:
		us_vault_question_who(r, &q);
		return;
	case US_QUESTION_CLAWBACK:
		us_vault_question_clawback(r, &q);
		return;
	case US_QUESTION_DOCUMENT:
		us_vault_question_document(r, &q);
		return;
	case US_QUESTION_ACTS:
		us_vault_question_acts(r, &q);
		return;
	}
	us_vault_reply_error(r, US_ERR_FORMAT, US_REASON_MALFORMED, NO_ENTRY);
}
