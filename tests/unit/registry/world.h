/* A vault's beginnings for tests: CA, the demonstration's order, an administrator and roster
 * signers, and a short way to make people act. Failures end the test. */
#ifndef US_TESTS_UNIT_REGISTRY_WORLD_H
#define US_TESTS_UNIT_REGISTRY_WORLD_H

#include "crypto/cert.h"
#include "registry/docket.h"
#include "registry/registry.h"
#include "registry/versions.h"

#define WORLD_ACTS 1024
#define WORLD_T0 (INT64_C(1700000000) * 1000000000)
#define WORLD_SECOND INT64_C(1000000000)

struct actor {
	char name[65];
	struct us_pkey *key;
	struct us_buf cert;
	uint8_t fingerprint[32];
	uint32_t person;
};

struct world {
	struct us_registry *reg;
	struct us_pkey *ca_key;
	struct us_buf ca;
	uint8_t vault_id[32];
	int64_t now;
	uint64_t nonce;
	struct actor admin, attorney, producer, auditor;
	/* every act applied, to fold again */
	struct us_buf acts[WORLD_ACTS];
	size_t n_acts;
	struct us_refusal refusal; /* of the last act */
};

/* All that an act could change, to compare: the bytes of every item, and what counts them. */
struct world_facts {
	uint8_t digest[32];
	uint64_t sequence;
	uint64_t generation;
	const struct us_order *order;
	uint64_t contents;
};
struct world_facts world_state(const struct us_registry *reg);

/* With init applied: people 1 admin, 2 attorney, 3 producer, 4 auditor, all active. */
void world_open(struct world *w);
/* With another order, whose parties and roster signers are those of the demonstration, or more. */
void world_open_with(struct world *w, const char *path);
void world_close(struct world *w);
/* Makes a key; no certificate yet. */
void actor_new(struct actor *a, const char *name);
void actor_free(struct actor *a);
/* Signs, prepares and applies, a second after the act before. The error of prepare; apply must then
 * agree: of a refused act too, and the registry must be as before (world_state()). */
int world_act(struct world *w, const struct actor *by, struct us_act *act);
int world_own(struct world *w, const struct us_act *act);
/* Signed bytes and signature of an act, with the next nonce. */
void world_sign(struct world *w, const struct actor *by, const struct us_act *act,
    struct us_buf *bytes, uint8_t sig[US_SIGNATURE_MAX], size_t *sig_n);
/* Everyday acts. */
int world_add(struct world *w, const struct actor *by, struct actor *who, enum us_capacity capacity,
    const char *party, const char *party2);
int world_issue(struct world *w, const struct actor *by, struct actor *who);
int world_docket_sign(struct world *w, const struct actor *by, const char *id);
int world_collection(struct world *w, const struct actor *by, const char *name, const char *prefix);
int world_batch(struct world *w, uint32_t collection, uint32_t slot, uint64_t first, uint32_t count,
    int held);

#endif
