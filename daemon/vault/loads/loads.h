/*
 * Loads: a person opens one, intakes and the sealer do the work, the vault stores the sealed pages
 * of each batch and commits it. What is in a page it does not know.
 *
 * A load stands here from its entry in the log until the sealer says that it has ended, or goes.
 */
#ifndef US_DAEMON_VAULT_LOADS_LOADS_H
#define US_DAEMON_VAULT_LOADS_LOADS_H

#include "daemon/process/channel.h"
#include "daemon/vault/state/acts.h"
#include "daemon/vault/state/rooms.h"
#include "registry/act.h"

struct us_vault_load;
struct us_vault_loads;
struct us_vault_request;

/* committed: the act that closed the batch; before: the state's digest before it. With them whoever
 * loads can check by the log what the act says, above all which parts the batch was made of. */
struct us_vault_load_batch {
	uint32_t slot;
	uint64_t entry;
	uint8_t before[32];
	struct us_buf committed;
};

struct us_vault_load_facts {
	uint64_t id; /* exact in every JSON reader; never 0 */
	uint32_t collection;
	uint32_t person;
	uint8_t credential[32];
	uint8_t flags;
	uint64_t entry; /* that opened it */
	size_t purpose_n;
	uint8_t purpose[US_PURPOSE_MAX];    /* as it was opened for */
	struct us_vault_load_batch *stored; /* as they were committed */
	size_t n_stored;
};

/* A request that waits for what the sealer says of a load; in what the request owns. */
struct us_vault_load_wait {
	struct us_vault_load *load; /* NULL: it does not wait */
	struct us_vault_request *r;
	/* in its next step: */
	int err;                               /* of starting it, or how it ended */
	const struct us_msg_load_ended *ended; /* if it has ended */
	const struct us_vault_load_facts *facts;
};

/* v is kept, not owned. US_ERR_NOMEM. */
int us_vault_loads_new(struct us_vault_loads **out, struct us_vault *v);
/* NULL is allowed. */
void us_vault_loads_free(struct us_vault_loads *s);
/* NULL: it is gone; then all loads end, and who waits for them is told. */
void us_vault_loads_connect(struct us_vault_loads *s, struct us_channel *sealer);
/* NULL: there is none. */
struct us_channel *us_vault_loads_sealer(const struct us_vault_loads *s);
/* Takes a US_MSG_load_started. US_ERR_MALFORMED. */
int us_vault_loads_started(struct us_vault_loads *s, struct us_bytes body);
/* Takes a US_MSG_load_ended; the load is gone. US_ERR_MALFORMED. */
int us_vault_loads_ended(struct us_vault_loads *s, struct us_bytes body);

/* How many there are, with those whose entry is being written; *own: of that person. */
size_t us_vault_loads_count(const struct us_vault_loads *s, uint32_t person, size_t *own);
/* A load with a new id, of which the sealer knows nothing; it counts from now on. facts:
 * without id, entry and batches. US_ERR_NOMEM, US_ERR_CRYPTO. */
int us_vault_load_new(struct us_vault_loads *s, const struct us_vault_load_facts *facts,
    struct us_vault_load **out);
/* NULL is allowed. One that the sealer does not know, or not any more. */
void us_vault_load_free(struct us_vault_loads *s, struct us_vault_load *l);
/* It has been logged, and is the list's from now on. */
void us_vault_load_list(struct us_vault_loads *s, struct us_vault_load *l, uint64_t entry);
/* One that is listed; NULL if there is none. */
struct us_vault_load *us_vault_load_find(struct us_vault_loads *s, uint64_t id);
/* Valid while the load is. */
const struct us_vault_load_facts *us_vault_load_facts(const struct us_vault_load *l);
/* A batch of it has been committed. US_ERR_NOMEM: its receipt will lack the batch. */
int us_vault_load_note_batch(struct us_vault_load *l, uint32_t slot,
    const struct us_vault_act_result *result);
/* 1 if the sealer has it, and nobody waits for it: somebody may. */
int us_vault_load_is_free(const struct us_vault_load *l);
/* The next step of r is made when the sealer says that it has started, or ended. */
void us_vault_load_wait(struct us_vault_load *l, struct us_vault_load_wait *w,
    struct us_vault_request *r);
/* r ends. */
void us_vault_load_wait_end(struct us_vault_load_wait *w);

#endif
