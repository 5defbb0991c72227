/* The inside of the registry, for its own files alone. */
#ifndef US_REGISTRY_INTERNAL_H
#define US_REGISTRY_INTERNAL_H

#include "base/array.h"
#include "base/map.h"
#include "crypto/crypto.h"
#include "registry/docket.h"
#include "registry/registry.h"

struct us_order_version;
struct us_relabel;
struct us_version_full;

/* Numbers, counted from 1, by keys of 32 bytes; empty if zeroed. */
struct us_table {
	struct us_map map;
};
/* The key's number; 0: it is not there. */
uint32_t us_table_get(const struct us_table *t, const uint8_t key[32]);
/* Room for one more key. Errors of us_map_put(). */
int us_table_reserve(struct us_table *t);
/* After us_table_reserve(): cannot fail. Another number of the same key is overwritten. */
void us_table_put(struct us_table *t, const uint8_t key[32], uint32_t value);
/* Frees what the table holds; it is then empty. */
void us_table_free(struct us_table *t);

/* A set of slots, by bit; empty if zeroed. free(bits) frees it. */
struct us_slots {
	uint64_t *bits;
	size_t words;
};
/* 1 if the slot is in the set, else 0. */
int us_slots_has(const struct us_slots *s, uint32_t slot);
/* Room for the slot. US_ERR_NOMEM. */
int us_slots_reserve(struct us_slots *s, uint32_t slot);
/* Adds the slot, for which there is room. */
void us_slots_put(struct us_slots *s, uint32_t slot);

struct us_credential_full {
	struct us_credential shown;
	uint8_t key_digest[32];
	/* bit i: a signer of the i-th of the person's parties has approved it */
	uint16_t approved_parties;
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

struct us_document_full {
	struct us_document shown;
	struct us_hash *hash; /* of the parts so far */
};

#define US_FREEZES_ON 256 /* in force at a time; the next is refused */

/* Invariants: sequence 0 <=> order NULL, everything empty; credential i has value i + 1 in
 * by_fingerprint. */
struct us_registry {
	uint64_t sequence;
	uint8_t digest[32];
	uint8_t vault_id[32];
	struct us_buf init_bytes; /* payload of init: what init's views point into */
	struct us_act_init init;
	const struct us_order *order;      /* in force; one of versions' */
	struct us_version_full **versions; /* ascending */
	size_t n_versions, cap_versions;
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
	struct us_filing **filings;
	size_t n_filings, cap_filings;
	struct us_acknowledgement **acknowledgements;
	size_t n_acknowledgements, cap_acknowledgements;
	struct us_document_full **documents;
	size_t n_documents, cap_documents;
	struct us_relabel **relabels;
	size_t n_relabels, cap_relabels;
	char matter[US_ORDER_ID_MAX + 1]; /* "" at first */
	/* of the order in force: computed, as party_bits are */
	struct us_freeze_on freezes[US_FREEZES_ON];
	size_t n_freezes;
	uint64_t generation;
	/* the latest time of an act: what has begun to hold does not end because a clock was set
	 * back */
	int64_t last_ns;
};

/* state.c: as us_registry_new() made it. */
void us_registry_empty(struct us_registry *reg);

/* Fills refusal (may be NULL) and returns err. */
int us_refuse(struct us_refusal *refusal, int err, enum us_reason reason, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
void us_refuse_cure(struct us_refusal *refusal, const char *cure);

/* An act whose envelope is settled: what preconditions and fold look at. */
struct us_settled {
	const struct us_act *act;
	const struct us_person *actor; /* NULL: the vault's own */
	int64_t time_ns;
	/* the state digest after the act; NULL while it is only checked */
	const uint8_t *next;
	/* credential-issue, at apply and prepare; may be empty at check */
	struct us_bytes certificate;
	struct us_order *order;    /* init, order-propose: decoded; fold takes it */
	const uint8_t *credential; /* of the actor; NULL: the vault's own */
	struct us_bytes committed; /* at apply; empty while it is only checked */
	int is_past; /* of history: committed when the rules that came with a later release were not
	                asked */
	/* collection-create, relabel: as the order's list spells it; of history, else as it was
	 * given */
	struct us_bytes designation;
};

struct us_act_codec;
struct us_json;

/*
 * What an act consists of; the functions are those of its file in registry/acts/. code, check and
 * fold are always there (tests/walls/test_tables.py). What else is NULL is not there: no
 * collection, nothing that capacity does not decide, no result.
 */
struct us_act_ops {
	enum us_act_type type;
	enum us_filing_kind opens; /* 0: none */
	/* Its payload, read or written (codec.h). */
	void (*code)(struct us_act_codec *c, struct us_act *act);
	/* The collection that it is about, once it is folded. */
	uint32_t (*collection)(const struct us_registry *reg, const struct us_act *act);
	/* Of an act that the order permits: what it is asked, in context, and about which
	 * collection. Else it is asked about the collection alone. */
	int (*asks)(const struct us_registry *reg, const struct us_act *act,
	    struct us_context *context, uint32_t *collection, struct us_refusal *refusal);
	/* Whom it is about lets this actor do it. Else whose authority is SIGNER must be a roster
	 * signer. */
	int (*may)(const struct us_registry *reg, const struct us_person *actor,
	    const struct us_act *act, enum us_act_authority authority, struct us_refusal *refusal);
	/* What must be true of the registry before it. order-propose gets its order decoded into
	 * s->order. */
	int (*check)(const struct us_registry *reg, struct us_settled *s,
	    struct us_refusal *refusal);
	/* What it changes, once it passed all that. US_ERR_NOMEM, US_ERR_CRYPTO: nothing has
	 * changed. */
	int (*fold)(struct us_registry *reg, struct us_settled *s);
	/* What it gives back. Else the number of the filing it opens, or nothing. */
	int (*result)(const struct us_registry *reg, const struct us_settled *settled,
	    struct us_buf *out);
	/* What its actor is told (answer.h). Else the filing it opens, or nothing. */
	void (*answer)(const struct us_registry *reg, const struct us_act *act,
	    struct us_bytes result, struct us_json *j, int *pending);
};
/* Of a type of registry/acts.def; NULL: it is none. */
const struct us_act_ops *us_act_ops(enum us_act_type type);
/* The tables of registry/acts/, us_acts_people and so on; type 0 behind the last of each. */
#define X(name, number, text, action, path, ...) extern const struct us_act_ops us_acts_##path[];
US_ACTS(X)
#undef X

/* acts/vault.c: the first act, which finds the registry empty; payload is kept. */
int us_rules_init(const struct us_settled *s, struct us_refusal *refusal);
int us_fold_init(struct us_registry *reg, struct us_settled *s, const uint8_t vault_id[32],
    struct us_bytes payload);

/* Fills refusal: there is no such what. US_ERR_NOT_FOUND. */
int us_not_found(struct us_refusal *refusal, const char *what);
/* rules_designation.c: resolves a designation that the act gives against the order in force, into
 * s->designation. US_ERR_NOT_FOUND. */
int us_rules_designation(const struct us_registry *reg, struct us_settled *s, struct us_bytes given,
    struct us_refusal *refusal);
/* A version that is proposed or signed: its rules' queries are read and name designations of its
 * own list alone, and it drops none that records may bear. effective_ns: as proposed, 0 once
 * signed. Of history nothing is asked. */
int us_rules_version(const struct us_registry *reg, const struct us_settled *s,
    const struct us_order *order, int64_t effective_ns, struct us_refusal *refusal);
/* acts/credentials.c: the certificate the keeper made for a credential-issue is what was asked
 * for. */
int us_rules_certificate(const struct us_registry *reg, const struct us_settled *s,
    struct us_refusal *refusal);

/* versions.c: computes anew what depends on the order in force: parties of people, freezes. */
void us_registry_rebind(struct us_registry *reg);
/* filings.c: US_ERR_NOMEM; on success the filing has kind, number, id and is the last one. */
int us_filing_new(struct us_registry *reg, enum us_filing_kind kind, uint32_t number,
    struct us_filing **out);
struct us_filing *us_filing_of(const struct us_registry *reg, struct us_bytes id);
uint32_t us_filings_next(const struct us_registry *reg, enum us_filing_kind kind);
void us_filing_free(struct us_filing *f);
/* Tells of a filing that was just opened (answer.h): pending while it waits for signatures. */
void us_filing_answer(const struct us_registry *reg, enum us_filing_kind kind, uint64_t number,
    struct us_json *j, int *pending);
/* Whose signatures are enough under the order in force. */
const struct us_quorum *us_filing_quorum(const struct us_registry *reg, const struct us_filing *f);
/* May this person sign now, as far as the quorum goes: US_OK; US_ERR_DENIED: not of it;
 * US_ERR_EXISTS: adds no party that has not signed; US_ERR_LIMIT: no room. */
int us_filing_signable(const struct us_registry *reg, const struct us_filing *f,
    const struct us_person *who);
/* A clearance: every party that must be served is, and its term has run. */
int
us_filing_term_has_run(const struct us_registry *reg, const struct us_filing *f, int64_t now_ns);
/* 1 if some rule counts this person's approval of that request. */
int us_approval_wants(const struct us_registry *reg, const struct us_filing *f,
    const struct us_person *who);
/* The whole one, else what this person has begun, so that a digest cannot be occupied by bytes that
 * are not its; NULL: neither. */
struct us_document_full *
us_document_full(const struct us_registry *reg, const uint8_t digest[32], uint32_t person);
/* The hash of a document with this part added: what the whole must come to with its last part. The
 * caller frees *out. */
int us_document_hash(const struct us_document_full *d, const struct us_act_document *a,
    struct us_hash **out);
struct us_service *us_filing_service(const struct us_filing *f, struct us_bytes party);
struct us_collection_full *us_collection_full(const struct us_registry *reg, uint32_t id);
struct us_person *us_person_of(const struct us_registry *reg, uint32_t id);
/* Where the range would be put; US_ERR_EXISTS if it overlaps another. */
int us_batch_place(const struct us_collection_full *c, uint64_t first, uint32_t count, size_t *at);
int us_names_equal(const char *a, struct us_bytes b);

#endif
