/* A log entry about a request, on its way to the keeper. */
#ifndef US_DAEMON_VAULT_REQUEST_ENTRY_H
#define US_DAEMON_VAULT_REQUEST_ENTRY_H

#include "daemon/vault/decide/decide.h"

struct us_vault_entry {
	enum us_kind kind;
	enum us_action action;
	enum us_decision decision;
	enum us_reason reason;
	struct us_bytes records, query, purpose, terms, note;
	uint64_t related, snapshot, total, load;
	uint8_t flags;
};
#define ENTRY_FLAG_COPY 1
#define ENTRY_FLAG_FEWER 2

/* Fills the message about it, in the name of who asks; views stay the caller's. */
void us_vault_entry_message(const struct us_vault_entry *e, const struct us_vault_asker *who,
    struct us_msg_log *m);

#endif
