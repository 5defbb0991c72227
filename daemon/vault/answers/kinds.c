#include "daemon/vault/answers/kinds.h"

#include "base/err.h"
#include "daemon/vault/answers/question.h"

static enum us_vault_next
choose_question(struct us_vault_request *r)
{
	switch ((enum us_question)r->q.question_request.what) {
	case US_QUESTION_DIFF:
		return us_vault_row(r, us_vault_diff_steps);
	case US_QUESTION_EXPLAIN:
		return us_vault_row(r, us_vault_explain_steps);
	case US_QUESTION_WHO:
		return us_vault_row(r, us_vault_who_steps);
	case US_QUESTION_CLAWBACK:
		return us_vault_row(r, us_vault_clawback_steps);
	case US_QUESTION_DOCUMENT:
		return us_vault_row(r, us_vault_document_steps);
	case US_QUESTION_ACTS:
		return us_vault_row(r, us_vault_all_acts_steps);
	}
	return us_vault_fail(r, US_ERR_FORMAT, US_REASON_MALFORMED, NO_ENTRY);
}

const struct us_vault_step us_vault_question_request_steps[] = {
	{ .once = choose_question },
	{ .once = NULL },
};

const struct us_vault_step *const us_vault_kinds[US_REQUEST_COUNT] = {
#define X(message, to, action, sealed, needs) [US_REQUEST_##message] = us_vault_##message##_steps,
	US_VAULT_REQUESTS(X)
#undef X
};
