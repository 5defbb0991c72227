/* A vault's rooms, for tests: the test is the front, the keeper and the sealer. */
#ifndef US_TESTS_UNIT_VAULT_ROOMS_H
#define US_TESTS_UNIT_VAULT_ROOMS_H

#include "daemon/vault/answers/kinds.h"
#include "daemon/vault/decide/sessions.h"
#include "daemon/vault/evidence/visible.h"
#include "daemon/vault/loads/sealer.h"
#include "daemon/vault/request/ask.h"
#include "daemon/vault/request/engine.h"
#include "daemon/vault/request/shares.h"
#include "daemon/vault/request/take.h"
#include "daemon/vault/state/acts.h"
#include "daemon/vault/state/keeper.h"
#include "daemon/vault/state/rooms.h"
#include "daemon/vault/state/state.h"

struct rooms {
	struct us_vault vault;
	struct us_vault_front *front;
	struct us_vault_sealer *sealer;
	int left; /* leave() was called: the status it was given */
};

/* reg: kept, not owned; with it the vault is open; NULL: it is sealed. reader, writer: kept; may be
 * NULL. Nobody is connected. */
struct rooms *rooms_open(struct event_base *base, struct us_registry *reg,
    struct us_store_reader *reader, struct us_writer *writer);
/* No request may be left. */
void rooms_close(struct rooms *r);

#endif
