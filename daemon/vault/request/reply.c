/* What steps say of how their request goes on. */
#include "base/err.h"
#include "daemon/vault/request/request.h"

enum us_vault_next
us_vault_row(struct us_vault_request *r, const struct us_vault_step *steps)
{
	r->step = steps;
	return US_VAULT_GO_ON;
}

enum us_vault_next
us_vault_fail(struct us_vault_request *r, int err, enum us_reason reason, uint64_t entry)
{
	us_vault_problem_of(&r->problem, r->vault->state, err, reason, entry);
	return US_VAULT_FAIL;
}

enum us_step
us_vault_unit_failed(struct us_vault_request *r, int err, enum us_reason reason, uint64_t entry)
{
	us_vault_problem_of(&r->problem, r->vault->state, err, reason, entry);
	return US_STEP_FAILED;
}

enum us_vault_next
us_vault_decided(enum us_vault_decision decision)
{
	switch (decision) {
	case US_VAULT_ALLOWED:
		return US_VAULT_GO_ON;
	case US_VAULT_REFUSED:
		return US_VAULT_REFUSE;
	case US_VAULT_TURNED_AWAY:
		break;
	}
	return US_VAULT_FAIL;
}

enum us_vault_next
us_vault_answer_bytes(struct us_vault_request *r, uint16_t status, uint8_t content, uint64_t entry,
    struct us_bytes body)
{
	r->status = status;
	r->content = content;
	r->entry = entry;
	us_work_clear(&r->work);
	if (us_buf_put(&r->work.out, body.p, body.n) != US_OK) {
		r->status = 503;
		r->content = US_TYPE_PROBLEM;
	}
	return US_VAULT_ANSWER;
}

enum us_vault_next
us_vault_answer_json(struct us_vault_request *r, uint16_t status, uint64_t entry, struct us_json *j,
    struct us_buf *json)
{
	const int err = us_json_end(j);
	const enum us_vault_next next = err != US_OK ?
	    us_vault_fail(r, US_ERR_INTERNAL, US_REASON_ERROR, entry) :
	    us_vault_answer_bytes(r, status, US_TYPE_JSON, entry,
		(struct us_bytes){ json->data, json->len });

	us_buf_free(json);
	return next;
}
