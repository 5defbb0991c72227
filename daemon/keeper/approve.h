/*
 * Approvals by others (registry/docket.h), as the keeper asks for them: found for exactly this
 * request, and used up by it. What was used stands in the log (US_EVENT_APPROVAL), from which the
 * ledger is rebuilt.
 */
#ifndef US_DAEMON_KEEPER_APPROVE_H
#define US_DAEMON_KEEPER_APPROVE_H

#include "log/entry.h"
#include "daemon/keeper/internal.h"

struct us_approved {
	uint32_t number; /* 0: there is none that can still be used */
	size_t n;
	struct us_approver approvers[US_APPROVERS_MAX];
};

/* The approvals for a read, copy or count of this person. records: packed u64 in any order.
 * US_ERR_NOMEM, US_ERR_CRYPTO. */
int us_approval_find(const struct us_keeper *k, const struct us_person *person,
    const struct us_act_approval *request, struct us_approved *out);
/* Marks in usage what that entry has used, if any. A further part of the same entry changes
 * nothing. US_ERR_NOMEM. */
int us_approval_take(struct us_usage *usage, const struct us_entry_access *access, uint64_t index);

#endif
