/* An act that is asked for, in the entry of its refusal and, of a seal, in its own. */
#ifndef US_DAEMON_KEEPER_CLAIM_H
#define US_DAEMON_KEEPER_CLAIM_H

#include "base/buf.h"
#include "case/action.h"
#include "log/entry.h"

struct us_act_copy;
struct us_keeper;
struct us_pending;
struct us_refusal;

/* Who asked for what, as claimed. */
struct us_keeper_claim {
	const uint8_t *credential;
	const uint8_t *session;
	struct us_bytes peer;
	enum us_action action;
	struct us_bytes seal;           /* the signed act of a seal that was granted; empty: none */
	const struct us_act_copy *copy; /* of a refused copy, or NULL */
};

/* Appends the entry, whose index and time are then p's; refusal: why not, or NULL. Errors of
 * us_keeper_append() and of naming records. */
int us_keeper_claim_append(struct us_keeper *k, const struct us_keeper_claim *c,
    enum us_entry_class entry_class, const struct us_refusal *refusal, struct us_pending *p);
/* Appends the entry of a refusal, and answers with err and what the refusal says. */
int us_keeper_claim_refuse(struct us_keeper *k, const struct us_keeper_claim *c, int err,
    const struct us_refusal *refusal, struct us_pending *p);
/* What a session that is not live means to who shows it: US_ERR_SEALED, US_ERR_DENIED. */
int us_keeper_claim_err(enum us_reason reason);

#endif
