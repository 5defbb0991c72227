#include "daemon/vault/decide/problem.h"

#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "base/err.h"
#include "base/log.h"
#include "daemon/vault/state/rooms.h"
#include "policy/evaluate.h"

struct us_vault_problem *
us_vault_problem_set(struct us_vault_problem *p, uint16_t status, const char *type,
    const char *title, enum us_reason reason)
{
	*p = (struct us_vault_problem){ .status = status,
		.type = type,
		.title = title,
		.reason = reason,
		.entry = NO_ENTRY,
		.position = -1 };
	return p;
}

struct us_vault_problem *
us_vault_problem_conflict(struct us_vault_problem *p)
{
	return us_vault_problem_set(p, 409, "conflict", "Not possible in the present state",
	    US_REASON_STATE);
}

void
us_vault_problem_detail(struct us_vault_problem *p, const char *text)
{
	(void)snprintf(p->detail, sizeof p->detail, "%s", text);
}

void
us_vault_problem_cure(struct us_vault_problem *p, const char *text)
{
	(void)snprintf(p->cure, sizeof p->cure, "%s", text == NULL ? "" : text);
}

void
us_vault_problem_cite(struct us_vault_problem *p, const struct us_order *order, uint32_t rule)
{
	p->rule = rule;
	if (rule == 0 || rule > order->n_rules)
		return;
	p->rule_id = order->rules[rule - 1].id;
	p->paragraph = order->rules[rule - 1].paragraph;
}

static const char *
why_sealed(const struct us_vault_state *s)
{
	switch (us_vault_phase(s)) {
	case US_VAULT_REFUSING:
		return us_vault_why_refusing(s);
	case US_VAULT_SEALED:
		return "It waits for its keyholders' shares";
	case US_VAULT_REPLAYING:
	case US_VAULT_OPEN:
		break;
	}
	return "It has been unsealed and checks its state; try again in a moment";
}

/* What errors of ours and of the keeper amount to; those that are not here are our failure. */
static const struct {
	enum us_err err;
	uint16_t status, retry_after;
	const char *type, *title;
} errors[] = {
	{ US_ERR_DENIED, 403, 0, "denied", "Refused" },
	{ US_ERR_REVOKED, 403, 0, "denied", "Refused" },
	{ US_ERR_SUSPENDED, 403, 0, "denied", "Refused" },
	{ US_ERR_EXPIRED, 403, 0, "denied", "Refused" },
	{ US_ERR_NOT_YET, 403, 0, "denied", "Refused" },
	{ US_ERR_SIGNATURE, 403, 0, "denied", "Refused" },
	{ US_ERR_NOT_FOUND, 404, 0, "not-found", "Not found" },
	{ US_ERR_FORMAT, 400, 0, "malformed", "The request is malformed" },
	{ US_ERR_TRUNCATED, 400, 0, "malformed", "The request is malformed" },
	{ US_ERR_TRAILING, 400, 0, "malformed", "The request is malformed" },
	{ US_ERR_RANGE, 400, 0, "malformed", "The request is malformed" },
	{ US_ERR_ENCODING, 400, 0, "malformed", "The request is malformed" },
	{ US_ERR_ARG, 400, 0, "malformed", "The request is malformed" },
	{ US_ERR_MALFORMED, 400, 0, "malformed", "The request is malformed" },
	{ US_ERR_LIMIT, 413, 0, "too-large", "The request is too large" },
	{ US_ERR_EXISTS, 409, 0, "conflict", "Not possible in the present state" },
	{ US_ERR_STATE, 409, 0, "conflict", "Not possible in the present state" },
	{ US_ERR_NOSPACE, 507, 0, "no-space", "The vault's disk is full" },
	{ US_ERR_SEALED, 503, 0, "sealed", "The vault is sealed" },
	{ US_ERR_FULL, 503, 1, "busy", "The vault cannot serve this now" },
	{ US_ERR_NOMEM, 503, 1, "busy", "The vault cannot serve this now" },
	{ US_ERR_BUSY, 503, 1, "busy", "The vault cannot serve this now" },
	{ US_ERR_IO, 503, 1, "busy", "The vault cannot serve this now" },
	{ US_ERR_CLOSED, 503, 1, "busy", "The vault cannot serve this now" },
};

/* What the table does not say: it depends on the reason, or on the vault. */
static void
put_particulars(struct us_vault_problem *p, const struct us_vault_state *s, int err)
{
	if (err == US_ERR_SEALED) {
		us_vault_problem_detail(p, why_sealed(s));
		p->retry_after = us_vault_phase(s) == US_VAULT_SEALED ||
			us_vault_phase(s) == US_VAULT_REFUSING ?
		    0 :
		    1;
	} else if (p->status == 403 && p->reason == US_REASON_NO_SESSION) {
		p->status = 401;
		p->type = "session";
		p->title = "No session: sign one first";
	} else if (err == US_ERR_NOSPACE && p->reason == US_REASON_LOW_SPACE) {
		p->status = 503;
		p->type = "low-space";
		p->title = "The log's disk is nearly full: nothing is released until there is room "
			   "again";
		p->retry_after = 60;
		us_vault_problem_cure(p,
		    "The administrator makes room on the file system of keeper/; sealing, "
		    "revoking and freezing go on meanwhile");
	} else if (err == US_ERR_NOSPACE) {
		us_vault_problem_cure(p,
		    "The administrator frees space; what was acknowledged is safe");
	} else if (err == US_ERR_FULL) {
		us_vault_problem_detail(p, "Too much is under way inside the vault; try again");
	}
}

void
us_vault_problem_of(struct us_vault_problem *p, const struct us_vault_state *s, int err,
    enum us_reason reason, uint64_t entry)
{
	size_t i = 0;

	us_vault_problem_set(p, 500, "internal", "The vault failed", reason)->entry = entry;
	while (i < US_COUNT(errors) && (int)errors[i].err != err)
		i++;
	if (i == US_COUNT(errors)) {
		us_log_err(err, "a request failed");
	} else {
		p->status = errors[i].status;
		p->type = errors[i].type;
		p->title = errors[i].title;
		p->retry_after = errors[i].retry_after;
		put_particulars(p, s, err);
	}
	if (p->detail[0] == '\0')
		us_vault_problem_detail(p, us_strerror(err));
}

enum us_reason
us_vault_problem_counted_as(const struct us_vault_problem *p)
{
	return p->reason != US_REASON_NONE && p->reason != US_REASON_ERROR ? p->reason :
	    p->status == 404                                               ? US_REASON_NOT_FOUND :
	    p->status == 409                                               ? US_REASON_STATE :
	    p->status < 500                                                ? US_REASON_MALFORMED :
	    p->status == 503                                               ? US_REASON_OVER_LIMIT :
									     US_REASON_ERROR;
}

int
us_vault_problem_write(struct us_buf *out, const struct us_vault_problem *p)
{
	char type[96] = "urn:underseal:problem:";
	struct us_json j;

	strncat(type, p->type, sizeof type - strlen(type) - 1);
	us_json_begin(&j, out);
	us_json_object(&j);
	us_json_kv_cstr(&j, "type", type);
	us_json_kv_cstr(&j, "title", p->title);
	us_json_kv_uint(&j, "status", p->status);
	if (p->detail[0] != '\0')
		us_json_kv_cstr(&j, "detail", p->detail);
	if (p->reason != US_REASON_NONE)
		us_json_kv_cstr(&j, "reason", us_reason_name(p->reason));
	if (p->rule != 0)
		us_json_kv_uint(&j, "rule_number", p->rule);
	if (p->rule_id.n > 0)
		us_json_kv_str(&j, "rule", p->rule_id);
	if (p->paragraph.n > 0)
		us_json_kv_str(&j, "paragraph", p->paragraph);
	if (p->cure[0] != '\0')
		us_json_kv_cstr(&j, "cure", p->cure);
	if (p->left != NULL) {
		us_json_key(&j, "quota");
		us_vault_put_quota(&j, p->left);
	}
	if (p->position >= 0)
		us_json_kv_int(&j, "position", p->position);
	if (p->entry != NO_ENTRY)
		us_json_kv_uint(&j, "entry", p->entry);
	us_json_close(&j);
	return us_json_end(&j);
}

void
us_vault_put_quota(struct us_json *j, const struct us_remaining *left)
{
	const struct {
		const char *name;
		uint32_t left;
	} limits[] = {
		{ "records_per_request", left->records_per_request },
		{ "consecutive", left->consecutive },
		{ "per_day", left->per_day },
		{ "life", left->life },
		{ "share", left->share },
	};

	us_json_object(j);
	for (size_t i = 0; i < US_COUNT(limits); i++) {
		us_json_key(j, limits[i].name);
		if (limits[i].left == US_UNLIMITED)
			us_json_null(j);
		else
			us_json_uint(j, limits[i].left);
	}
	us_json_close(j);
}
