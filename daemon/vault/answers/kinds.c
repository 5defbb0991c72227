#include "daemon/vault/answers/kinds.h"

#include "base/err.h"
#include "daemon/vault/answers/act.h"
#include "daemon/vault/answers/forward.h"
#include "daemon/vault/answers/list.h"
#include "daemon/vault/answers/load.h"
#include "daemon/vault/answers/log.h"
#include "daemon/vault/answers/question.h"
#include "daemon/vault/answers/read.h"
#include "daemon/vault/answers/search.h"

static enum us_vault_next
choose_question(struct us_vault_request *r)
{
	switch ((enum us_question)r->q.question.what) {
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

static const struct us_vault_step question_steps[] = {
	{ .once = choose_question },
	{ NULL, NULL },
};

/* A refusal without an action could not be logged: it is one of STATUS then. */
const struct us_vault_kind us_vault_kinds[US_VAULT_KINDS] = {
	[US_REQUEST_status_request] = { US_ACTION_STATUS, .steps = us_vault_status_steps },
	[US_REQUEST_challenge_request] = { US_ACTION_STATUS, .steps = us_vault_challenge_steps },
	[US_REQUEST_session_request] = { US_ACTION_STATUS, .forward = US_MSG_session_open,
	    .steps = us_vault_session_steps },
	[US_REQUEST_share_request] = { US_ACTION_STATUS, .forward = US_MSG_share,
	    .steps = us_vault_share_steps },
	[US_REQUEST_act_request] = { US_ACTION_STATUS, .steps = us_vault_act_steps },
	[US_REQUEST_list_request] = { US_ACTION_STATUS, .name = us_vault_list_name,
	    .steps = us_vault_list_steps },
	[US_REQUEST_question_request] = { US_ACTION_ORDER_EXPLAIN, .steps = question_steps },
	[US_REQUEST_search_request] = { US_ACTION_SEARCH, .steps = us_vault_search_steps },
	[US_REQUEST_read_request] = { US_ACTION_READ, .name = us_vault_read_name,
	    .steps = us_vault_read_steps },
	[US_REQUEST_load_open_request] = { US_ACTION_LOAD, .steps = us_vault_load_open_steps },
	[US_REQUEST_load_end_request] = { US_ACTION_LOAD, .steps = us_vault_load_end_steps },
	[US_REQUEST_load_ticket_request] = { US_ACTION_LOAD, .steps = us_vault_load_ticket_steps },
	[US_REQUEST_part] = { .steps = NULL }, /* goes to intakes */
	[US_REQUEST_log_request] = { US_ACTION_AUDIT_TILE, .steps = us_vault_log_steps },
	[US_REQUEST_cosign_request] = { US_ACTION_STATUS, .forward = US_MSG_cosign,
	    .steps = us_vault_cosign_steps },
	[US_REQUEST_log_keys_request] = { US_ACTION_AUDIT_KEYS, .steps = us_vault_log_keys_steps },
};
