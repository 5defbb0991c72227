#include "daemon/vault/answers/question.h"

#include "base/array.h"
#include "base/err.h"
#include "daemon/vault/answers/answer.h"
#include "daemon/vault/decide/sight.h"
#include "daemon/vault/evidence/evidence.h"

enum us_vault_next
us_vault_question_refuse(struct us_vault_request *r, const char *detail)
{
	us_vault_problem_set(&r->problem, 403, "denied", "Refused", US_REASON_CAPACITY);
	us_vault_problem_detail(&r->problem, detail);
	us_vault_problem_cure(&r->problem, "ask the court, or a roster signer of your party");
	return US_VAULT_REFUSE;
}

enum us_vault_next
us_vault_question_not_found(struct us_vault_request *r, const char *detail)
{
	us_vault_problem_set(&r->problem, 404, "not-found", "Not found or not visible",
	    US_REASON_NOT_FOUND);
	us_vault_problem_detail(&r->problem, detail);
	return US_VAULT_REFUSE;
}

static int
is_signer(const struct us_vault_request *r)
{
	const struct us_registry *reg = us_vault_registry_of(r);
	const struct us_order *order = us_registry_order(reg);
	const struct us_person *me = us_registry_person(reg, r->who.person);

	for (size_t p = 0; me != NULL && p < order->n_parties; p++)
		if ((r->who.subject.parties >> p & 1) != 0 &&
		    us_order_is_signer(order, p, us_bytes_of(me->name), me->capacity))
			return 1;
	return 0;
}

enum us_vault_next
us_vault_question_for_all(struct us_vault_request *r)
{
	return us_vault_sight_is_full(&r->who) || is_signer(r) ?
	    US_VAULT_GO_ON :
	    us_vault_question_refuse(r,
		"This is answered to the court, auditors, administrators and roster signers");
}

enum us_vault_next
us_vault_question_ask_order(struct us_vault_request *r)
{
	return us_vault_ask_order(r, (struct us_bytes){ NULL, 0 }, 0);
}

enum us_vault_next
us_vault_question_log(struct us_vault_request *r, struct us_bytes text)
{
	const struct us_vault_entry e = { .kind = US_KIND_INTENT,
		.action = r->action,
		.decision = US_DECISION_ALLOW,
		.query = text,
		.related = NO_ENTRY };

	return us_vault_log(r, &e);
}

enum us_vault_next
us_vault_question_open(struct us_vault_request *r)
{
	struct us_vault_lacking lacking;
	const int open = !us_vault_evidence_lacks(r->vault->evidence, r->who.collection, &lacking);
	struct us_ruling ruling;

	for (unsigned any = 1; any < US_ACTIONS_MAX && !open; any++) {
		const struct us_action_row *action = us_action_row(any);

		if (!action->opens_index || action->done != US_ACTION_IS_PERFORMED)
			continue;
		us_vault_ruling(r->vault, &r->who, (enum us_action)any,
		    (struct us_bytes){ NULL, 0 }, 0, &ruling);
		if (ruling.decision == US_DECISION_ALLOW ||
		    ruling.reason == US_REASON_PURPOSE_MISSING)
			return us_vault_open_collection(r);
	}
	return US_VAULT_GO_ON;
}
