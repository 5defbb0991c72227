/*
 * What the order and the registry say to a request. Everything here returns a decision and leaves
 * why in *p; nothing is logged, answered or freed: that is the engine's (daemon/vault/request/).
 */
#ifndef US_DAEMON_VAULT_DECIDE_DECIDE_H
#define US_DAEMON_VAULT_DECIDE_DECIDE_H

#include "daemon/process/requests.h"
#include "daemon/vault/decide/problem.h"
#include "daemon/vault/state/rooms.h"
#include "evidence/query/query.h"
#include "policy/evaluate.h"

/* Who asks, as far as it is known: credential and peer from the message, the rest from what was
 * decided before. */
struct us_vault_asker {
	uint8_t credential[32];
	char peer[64];
	size_t peer_n;
	uint8_t session[16];
	uint32_t person; /* 0: not known */
	struct us_subject subject;
	uint64_t generation; /* of the registry, when subject and ruling were made */
	uint32_t collection; /* that is asked about; 0: none */
	struct us_ruling ruling;
	struct us_remaining left; /* as the keeper said with the newest entry */
	int counts_only;          /* no rule lets this person read here */
	int shows_text;           /* a read would be allowed now, as far as the vault knows */
	uint32_t text_max;        /* of how many records; 0: any number */
	uint32_t smallest_count;  /* smaller numbers are "fewer than" it; 0: none */
};

enum us_vault_decision {
	US_VAULT_ALLOWED,
	US_VAULT_REFUSED,     /* *p says why; the log says so first */
	US_VAULT_TURNED_AWAY, /* *p says why; there is nothing that could be logged */
};

/* What its kind needs (daemon/process/requests.def); for a session person, subject and session are
 * in who afterwards. The first decision about any request. */
enum us_vault_decision us_vault_decide_access(const struct us_vault *v, struct us_vault_asker *who,
    enum us_needs needs, struct us_vault_problem *p);
/* The collection by name into who. A name that is none is refused. */
enum us_vault_decision us_vault_decide_collection(const struct us_vault *v,
    struct us_vault_asker *who, struct us_bytes name, struct us_vault_problem *p);
/* The order's ruling on an action, into who. records: how many are asked for; 0: none. */
enum us_vault_decision us_vault_decide_action(const struct us_vault *v, struct us_vault_asker *who,
    enum us_action action, struct us_bytes purpose, uint64_t records, struct us_vault_problem *p);
/* Behind the ruling on a search or count: takes the masks of reading into it, and refuses a query
 * about what must not be told. */
enum us_vault_decision us_vault_decide_query(const struct us_vault *v, struct us_vault_asker *who,
    struct us_bytes purpose, const struct us_query *query, struct us_vault_problem *p);

/* For answers that take their time: was anything taken from anybody since who was decided about?
 * Then it is decided again. */
enum us_vault_change {
	US_VAULT_SAME,
	US_VAULT_CHANGED,  /* still allowed; subject and ruling are new */
	US_VAULT_NO_LONGER /* *p says why */
};
/* entry: the answer's, for *p. */
enum us_vault_change
us_vault_decide_again(const struct us_vault *v, struct us_vault_asker *who, enum us_action action,
    struct us_bytes purpose, uint64_t records, uint64_t entry, struct us_vault_problem *p);

/* The ruling alone. */
void us_vault_ruling(const struct us_vault *v, const struct us_vault_asker *who,
    enum us_action action, struct us_bytes purpose, uint64_t records, struct us_ruling *out);
/* The keeper has refused by the order, of which it knows more (what was disclosed before). */
void us_vault_ruled_out(const struct us_vault *v, const struct us_vault_asker *who,
    const struct us_msg_logged *m, struct us_vault_problem *p);

#endif
