/*
 * What the keeper says to a "log": the decision of the vault is checked against the order again,
 * with what only the keeper knows (the ledger, approvals), and against what is withheld. Logging
 * and keys: access.c.
 */
#ifndef US_DAEMON_KEEPER_DECIDE_H
#define US_DAEMON_KEEPER_DECIDE_H

#include "case/action.h"
#include "daemon/keeper/loads.h"
#include "daemon/process/messages.h"
#include "policy/evaluate.h"

struct us_copy;
struct us_keeper;

#define US_TERM_KEYS_MAX 524288u /* bytes of term keys in one answer */

/* What remains of a request until its entry is durable. */
struct us_log_answer {
	int err;
	enum us_reason reason;
	uint32_t rule;    /* that refused it; 0: none */
	const char *cure; /* static */
	struct us_remaining left;
	uint32_t approval; /* that it uses up; 0: none */
	uint32_t collection;
	int record_keys, term_keys;
	int opens;   /* the collection, for its page keys to be asked for */
	int granted; /* a person may have what was asked */
	/* that the entry opens, or asks another ticket for; NULL: none. In this allocation */
	struct us_load *load;
	size_t n_records, n_terms, terms_size;
	uint8_t lists[]; /* records packed, then terms packed */
};

/* Sets what keys the entry gives, or why it gives none. ruling is the order's, if it was asked. */
void us_log_decide(struct us_keeper *k, const struct us_msg_log *m, struct us_log_answer *a,
    struct us_ruling *ruling);
/* The copy that an entry with US_LOG_COPY names, or NULL: its note begins with the copy's
 * number. */
const struct us_copy *us_log_copy(const struct us_keeper *k, const struct us_msg_log *m);
/* How many eras a collection has: a word has a key in each. */
uint32_t us_log_eras(const struct us_keeper *k, uint32_t collection);

#endif
