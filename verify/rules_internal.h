/* What the rules remember, for who judges and for who keeps it. */
#ifndef US_VERIFY_RULES_INTERNAL_H
#define US_VERIFY_RULES_INTERNAL_H

#include "verify/key_set.h"
#include "verify/open_intents.h"
#include "verify/rules.h"

/*
 *           START, STOP, SEAL, a state that is refused
 *    any ----------------------------------------------------> CLOSED
 *    CLOSED ---- UNSEAL ----> REPLAYING ---- STATE_OPEN ----> OPEN
 *    any ---- an entry of the system whose access box is withheld ----> UNKNOWN, which every move
 *    may follow
 */
enum us_verify_vault { VAULT_UNKNOWN, VAULT_CLOSED, VAULT_REPLAYING, VAULT_OPEN };

/* Of which request an entry is, and which part of it. */
struct us_verify_part {
	int is_known; /* its disclosure or its query is open */
	uint32_t part, parts;
	int has_access; /* its access box is open: */
	enum us_entry_class entry_class;
	enum us_kind kind;
	enum us_action action;
	enum us_decision decision;
	uint32_t person;
	uint8_t session[16];
};

struct us_verify_rules {
	enum us_verify_vault vault;
	uint64_t acts;  /* entries of class STATE so far */
	uint32_t order; /* the version announced last; 0: none since the vault was opened */
	int order_known;
	int64_t withheld_ns; /* time of the newest entry whose access box is withheld; -1: none */
	int64_t last_ns;     /* time of the entry before; 0: there is none */
	struct us_verify_part before;      /* that entry */
	struct us_verify_key_set sessions; /* opened since the vault was */
	/* used; the key is the number, zeros behind it */
	struct us_verify_key_set approvals;
	uint64_t settled; /* where the newest mark ends */
	int settled_known;
	uint64_t answerable; /* the first entry that an outcome may still answer */
	struct us_verify_intents answered;
};

#endif
