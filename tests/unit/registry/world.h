/* A vault's beginnings for tests: CA, the demonstration's order, an administrator and roster signers, and a short
 * way to make people act. Failures end the test. */
#ifndef US_TESTS_REGISTRY_WORLD_H
#define US_TESTS_REGISTRY_WORLD_H

#include "common/cert.h"
#include "registry/registry.h"

#define WORLD_ACTS 256
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

/* With init applied: people 1 admin, 2 attorney, 3 producer, 4 auditor, all active. */
void world_open(struct world *w);
void world_close(struct world *w);
/* Makes a key; no certificate yet. */
void actor_new(struct actor *a, const char *name);
void actor_free(struct actor *a);
/* Signs, prepares and applies. The error of prepare; apply must then agree. */
int world_act(struct world *w, const struct actor *by, struct us_act *act);
int world_own(struct world *w, const struct us_act *act);
/* Signed bytes and signature of an act, with the next nonce. */
void world_sign(struct world *w, const struct actor *by, const struct us_act *act, struct us_buf *bytes,
    uint8_t sig[US_SIGNATURE_MAX], size_t *sig_n);
/* Everyday acts. */
int world_add(struct world *w, const struct actor *by, struct actor *who, enum us_capacity capacity,
    const char *party, const char *party2);
int world_issue(struct world *w, const struct actor *by, struct actor *who);
int world_docket_sign(struct world *w, const struct actor *by, const char *id);
int world_collection(struct world *w, const struct actor *by, const char *name, const char *prefix);
int world_batch(struct world *w, uint32_t collection, uint32_t slot, uint64_t first, uint32_t count, int held);

#endif
