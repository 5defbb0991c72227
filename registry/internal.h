/* The inside of the registry, for its own files alone. */
#ifndef US_REGISTRY_INTERNAL_H
#define US_REGISTRY_INTERNAL_H

#include "registry/authority.h"
#include "registry/registry.h"

/* A hash table from 32-byte keys to numbers; grows, never shrinks. */
struct us_table {
	struct us_table_slot *slots;
	size_t n;
	size_t cap; /* a power of two, or 0 */
};
struct us_table_slot {
	uint8_t key[32];
	uint32_t value; /* counted from 1; 0: free */
};
uint32_t us_table_get(const struct us_table *t, const uint8_t key[32]); /* 0: not there */
int us_table_reserve(struct us_table *t);                              /* room for one more */
void us_table_put(struct us_table *t, const uint8_t key[32], uint32_t value); /* after reserve */
void us_table_free(struct us_table *t);

/* A set of slots, by bit. */
struct us_slots {
	uint64_t *bits;
	size_t words;
};
int us_slots_has(const struct us_slots *s, uint32_t slot);
int us_slots_reserve(struct us_slots *s, uint32_t slot);
void us_slots_put(struct us_slots *s, uint32_t slot); /* after reserve */

struct us_credential_full {
	struct us_credential shown;
	uint8_t key_digest[32];
	uint64_t approved_bits; /* parties whose signer has approved it */
	struct us_buf der;
};

struct us_collection_full {
	struct us_collection shown;
	struct us_batch **batches; /* ascending by facts.first, ranges disjoint */
	size_t n_batches, cap_batches;
	struct us_slots slots, segment_slots, dictionary_slots;
	struct us_dictionary *dictionaries; /* version i + 1 */
	size_t n_dictionaries, cap_dictionaries;
};

struct us_copy_full {
	struct us_copy shown;
	struct us_buf purpose;
	uint64_t *records;
};

/* Invariants: sequence 0 <=> order NULL, everything empty; credential i has value i + 1 in by_fingerprint. */
struct us_registry {
	uint64_t sequence;
	uint8_t digest[32];
	uint8_t vault_id[32];
	struct us_buf init_bytes; /* payload of init: what init's views point into */
	struct us_act_init init;
	struct us_order *order;
	struct us_person **people;
	size_t n_people, cap_people;
	struct us_credential_full **credentials;
	size_t n_credentials, cap_credentials;
	struct us_table by_fingerprint;
	struct us_table nonces;
	struct us_collection_full **collections;
	size_t n_collections, cap_collections;
	struct us_copy_full **copies;
	size_t n_copies, cap_copies;
};

/* Room for one more in an array of items of size bytes. US_ERR_NOMEM. */
int us_grow(void *array, size_t n, size_t *cap, size_t size);

/* Fills refusal (may be NULL) and returns err. */
int us_refuse(struct us_refusal *refusal, int err, enum us_reason reason, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
void us_refuse_cure(struct us_refusal *refusal, const char *cure);

/* An act whose envelope is settled: what preconditions and fold look at. */
struct us_settled {
	const struct us_act *act;
	const struct us_person *actor; /* NULL: the vault's own */
	int64_t time_ns;
	const uint8_t *next;           /* the state digest after the act; NULL while it is only checked */
	struct us_bytes certificate;   /* credential-issue, at apply and prepare; may be empty at check */
	struct us_order *order;        /* init: decoded; fold takes it */
};

/* Preconditions of a person's act beyond authority; of the vault's own acts. Change nothing. */
int us_rules_person(const struct us_registry *reg, const struct us_settled *s, struct us_refusal *refusal);
int us_rules_own(const struct us_registry *reg, const struct us_settled *s, struct us_refusal *refusal);
int us_rules_init(const struct us_settled *s, struct us_refusal *refusal);
/* The certificate the keeper made for a credential-issue is what was asked for. */
int us_rules_certificate(const struct us_registry *reg, const struct us_settled *s, struct us_refusal *refusal);

/* Changes the registry by an act that passed the rules. US_ERR_NOMEM, US_ERR_CRYPTO: nothing changed. */
int us_fold(struct us_registry *reg, const struct us_settled *s);
int us_fold_init(struct us_registry *reg, struct us_settled *s, const uint8_t vault_id[32], struct us_bytes payload);

struct us_collection_full *us_collection_full(const struct us_registry *reg, uint32_t id);
struct us_person *us_person_of(const struct us_registry *reg, uint32_t id);
/* Where the range would be put; US_ERR_EXISTS if it overlaps another. */
int us_batch_place(const struct us_collection_full *c, uint64_t first, uint32_t count, size_t *at);
int us_names_equal(const char *a, struct us_bytes b);

#endif
