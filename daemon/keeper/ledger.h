/*
 * The keeper's ledger: who has had which records, folded from the log's own disclosure entries
 * (policy/usage.h). It is rebuilt when the vault is unsealed and then follows every entry that is
 * appended, so it never says anything that the log does not. While it is being made (a task, see
 * tasks.h) there is none, and nothing is decided.
 *
 * An entry counts if it is an allowed disclosure of evidence: records that were read, copied, or
 * shown as snippets. A copy has meters of its own, all else is viewing. The day of an entry is that
 * of its time in the home calendar of the version of the order that the entry names.
 *
 * Limits are decided when an entry is appended, before it is durable; requests of one commit group
 * see each other.
 */
#ifndef US_DAEMON_KEEPER_LEDGER_H
#define US_DAEMON_KEEPER_LEDGER_H

#include "log/entry.h"
#include "base/buf.h"
#include "case/action.h"

struct us_channel;
struct us_context;
struct us_keeper;
struct us_person;
struct us_ruling;

/* How a rebuild ended. err: the ledger is not to be trusted, and k->usage is NULL. */
typedef void (*us_ledger_fn)(struct us_keeper *k, struct us_channel *ch, uint32_t tag, int err);
/* Begins to fold the whole log into a new k->usage, as a task of ch. Needs the root keys and the
 * registry, neither of which may change until done() is called; it is not if the task is dropped.
 * Says in the operator's log what went wrong, or how long it took if that was more than a second.
 * US_ERR_NOMEM. */
int us_ledger_rebuild(struct us_keeper *k, struct us_channel *ch, uint32_t tag, us_ledger_fn done);

/* An entry, and what was in its boxes. */
struct us_ledger_fact {
	const struct us_entry_access *access;
	const struct us_entry_disclosure *disclosure;
	uint32_t order_version;
	int64_t time_ns;
};
/* Counts an entry just appended, if it is one that counts. Any error (US_ERR_NOMEM, US_ERR_ARG,
 * US_ERR_LIMIT, US_ERR_VERIFY, or US_ERR_STATE, as there is no ledger): the keeper must end. */
int us_ledger_take(struct us_keeper *k, const struct us_ledger_fact *fact);

/* Who asks for what. */
struct us_ledger_question {
	const struct us_person *person;
	enum us_action action;
	uint32_t collection;     /* 0: none */
	struct us_bytes records; /* packed u64, in any order; empty: nothing is disclosed yet */
};
/* Fills all meters and the corpus of a context whose now_ns is set. What cannot be found out reads
 * its maximum. */
void us_ledger_fill(const struct us_keeper *k, const struct us_ledger_question *q,
    struct us_context *context);
/* us_order_evaluate() with everything the ledger knows, which is asked only if a permit that fits
 * has a limit over time. */
void us_ledger_evaluate(const struct us_keeper *k, const struct us_ledger_question *q,
    struct us_context *context, struct us_ruling *ruling);

#endif
