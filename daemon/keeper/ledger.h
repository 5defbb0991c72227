/*
 * The keeper's ledger: who has had which records, folded from the log's own disclosure entries (policy/usage.h). It is rebuilt
 * when the vault is unsealed and then follows every entry that is appended, so it never says anything that the log does not.
 *
 * An entry counts if it is an allowed disclosure of evidence: records that were read, copied, or shown as snippets. A copy has
 * meters of its own, all else is viewing. The day of an entry is that of its time in the home calendar of the version of the
 * order that the entry names.
 *
 * Limits are decided when an entry is appended, before it is durable; requests of one commit group see each other.
 */
#ifndef US_DAEMON_KEEPER_LEDGER_H
#define US_DAEMON_KEEPER_LEDGER_H

#include "audit/entry.h"
#include "daemon/keeper/internal.h"

/* Folds the whole committed log into a new k->usage. Needs the root keys and the registry. Any error: the ledger is not to be
 * trusted, and k->usage is NULL. Says in the operator's log what went wrong, or how long it took if that was more than a second. */
int us_ledger_rebuild(struct us_keeper *k);
/* Counts an entry just appended under a version of the order, if it is one that counts. Any error (US_ERR_NOMEM, US_ERR_ARG, US_ERR_LIMIT,
 * US_ERR_VERIFY): the keeper must end. */
int us_ledger_take(struct us_keeper *k, const struct us_entry_access *access,
    const struct us_entry_disclosure *disclosure, uint32_t order_version, int64_t time_ns);

/* Who asks for what. */
struct us_ledger_question {
	const struct us_person *person;
	enum us_action action;
	uint32_t collection;     /* 0: none */
	struct us_bytes records; /* packed u64, in any order; empty: nothing is disclosed yet */
};
/* Fills all meters and the corpus of a context whose now_ns is set. What cannot be found out reads its maximum. */
void us_ledger_fill(const struct us_keeper *k, const struct us_ledger_question *q, struct us_context *context);
/* us_order_evaluate() with everything the ledger knows, which is asked only if a permit that fits has a limit over time. */
void us_ledger_evaluate(const struct us_keeper *k, const struct us_ledger_question *q, struct us_context *context,
    struct us_ruling *ruling);

#endif
