/* What somebody is told instead of what they asked for (RFC 9457), as a value and as JSON. */
#ifndef US_DAEMON_VAULT_DECIDE_PROBLEM_H
#define US_DAEMON_VAULT_DECIDE_PROBLEM_H

#include "base/buf.h"
#include "base/json_out.h"
#include "case/action.h"
#include "daemon/vault/state/state.h"

#define US_VAULT_DETAIL_MAX 512u
#define US_VAULT_CURE_MAX 256u

struct us_vault_problem {
	uint16_t status;
	const char *type;                     /* static: last part of urn:underseal:problem:… */
	const char *title;                    /* static */
	char detail[US_VAULT_DETAIL_MAX + 1]; /* "": none */
	enum us_reason reason;
	uint32_t rule;
	struct us_bytes rule_id, paragraph; /* belong to the order */
	char cure[US_VAULT_CURE_MAX + 1];   /* "": none */
	uint64_t entry;                     /* NO_ENTRY: none */
	int64_t position;                   /* of an error in a query; -1: none */
	const struct us_remaining *left;    /* NULL: not known */
	uint16_t retry_after;
};

/* With no entry, position, detail or cure. type and title are static. Returns p. */
struct us_vault_problem *us_vault_problem_set(struct us_vault_problem *p, uint16_t status,
    const char *type, const char *title, enum us_reason reason);
/* 409, "Not possible in the present state". Returns p. */
struct us_vault_problem *us_vault_problem_conflict(struct us_vault_problem *p);
/* Copies what fits. */
void us_vault_problem_detail(struct us_vault_problem *p, const char *text);
/* Copies what fits; NULL is none. */
void us_vault_problem_cure(struct us_vault_problem *p, const char *text);
/* Cites rule number `rule` of the order (counted from 1), if there is such a one. */
void us_vault_problem_cite(struct us_vault_problem *p, const struct us_order *order, uint32_t rule);
/* What an error of ours or of the keeper amounts to. */
void us_vault_problem_of(struct us_vault_problem *p, const struct us_vault_state *s, int err,
    enum us_reason reason, uint64_t entry);
/* Under which reason the keeper counts it, if it is refused without an entry of its own. */
enum us_reason us_vault_problem_counted_as(const struct us_vault_problem *p);
/* Appends it as JSON. Errors of writing. */
int us_vault_problem_write(struct us_buf *out, const struct us_vault_problem *p);
/* What is left of the limits, as a value: an object with null where there is no limit. */
void us_vault_put_quota(struct us_json *j, const struct us_remaining *left);

#endif
