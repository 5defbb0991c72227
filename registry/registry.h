/*
 * The registry: people, credentials, collections, batches, docket, copies; the fold of all
 * committed acts. Keeper and vault each keep one, fold the same acts and must come to the same
 * digest. The keeper's decides.
 *
 * us_registry_apply() trusts nobody: it decodes strictly, verifies the actor's signature, checks
 * authority and every precondition. us_registry_replay() does the same for acts of history, but for
 * the preconditions that a later release may have added: what was committed stays true. An act that
 * fails changes nothing.
 *
 * Threads: one owner applies. Lookups are const; any number of threads may look up while nobody
 * applies. What a lookup returns is valid until the next apply. Memory: about 700 bytes a batch, 2
 * KiB a person or credential, 8 bytes a copied record, 80 bytes an act of a person (its nonce).
 */
#ifndef US_REGISTRY_REGISTRY_H
#define US_REGISTRY_REGISTRY_H

#include "policy/evaluate.h"
#include "registry/act.h"

struct us_registry;

/* An empty registry, before init. US_ERR_NOMEM. Free with us_registry_free(). */
int us_registry_new(struct us_registry **out);
void us_registry_free(struct us_registry *reg); /* NULL is allowed */

/* ---- refusals ---- */

/* Why an act is refused, for the person and for the log. */
struct us_refusal {
	enum us_reason reason;
	uint32_t rule;                              /* of the order, counted from 1; 0: none */
	char text[256];                             /* a sentence without its full stop */
	char cure[160];                             /* what would help; may be "" */
	char paragraph[US_ORDER_PARAGRAPH_MAX + 1]; /* of the order; may be "" */
};

/* ---- folding ---- */

/* Folds the next committed act; the first must be init. refusal may be NULL; it is filled when a
 * rule says no. Errors: those of decoding; US_ERR_SIGNATURE; US_ERR_DENIED, US_ERR_EXISTS,
 * US_ERR_NOT_FOUND, US_ERR_STATE, US_ERR_REVOKED, … as the rule is; US_ERR_VERIFY: sequence, actor
 * or result are not what they must be; US_ERR_NOMEM. After any error the registry is as before. */
int
us_registry_apply(struct us_registry *reg, struct us_bytes committed, struct us_refusal *refusal);
/* The same for an act that was committed before: read back from a store or an export, whose digests
 * say that it is one. */
int
us_registry_replay(struct us_registry *reg, struct us_bytes committed, struct us_refusal *refusal);
/* Sequence of the last act folded; 0 at first. */
uint64_t us_registry_sequence(const struct us_registry *reg);
/* Sequence of the act that has the nonce of this one, of the same credential; 0: there is none. */
uint64_t us_registry_done(const struct us_registry *reg, const struct us_signed_act *act);
/* d(n): zeros at first. */
const uint8_t *us_registry_digest(const struct us_registry *reg);

/* ---- preparing (the keeper) ---- */

/* Checks a person's act without changing anything: envelope, vault, clock, nonce, credential,
 * signature, authority, preconditions. On success *actor is the person; act (not NULL) holds the
 * payload. US_OK, or as apply, with refusal filled. */
int us_registry_check(const struct us_registry *reg, struct us_bytes signed_act,
    struct us_bytes signature, int64_t now_ns, struct us_act *act, uint32_t *actor,
    struct us_refusal *refusal);
/* Checks again and appends the committed act with its result. certificate: what the keeper issued
 * for a credential-issue (DER), else empty. Nothing is folded: apply it once it is durable. */
int us_registry_prepare(const struct us_registry *reg, struct us_bytes signed_act,
    struct us_bytes signature, struct us_bytes certificate, int64_t now_ns,
    struct us_buf *committed, struct us_refusal *refusal);
/* The same for the vault's own acts (type >= 128). vault_id is needed for init, else may be
 * NULL. */
int us_registry_prepare_own(const struct us_registry *reg, const struct us_act *act,
    const uint8_t vault_id[32], int64_t now_ns, struct us_buf *committed,
    struct us_refusal *refusal);

/* The collection that an act is about which was folded last: what its entry in the log names; 0:
 * none. */
uint32_t us_act_collection(const struct us_registry *reg, const struct us_act *act);

/* ---- the vault itself ---- */

/* in force; NULL before init */
const struct us_order *us_registry_order(const struct us_registry *reg);
/* The text of the order in force, {NULL, 0} if there is none; lives as long as its version. */
struct us_bytes us_registry_order_source(const struct us_registry *reg);

/* ---- people ---- */

enum us_person_status {
	US_PERSON_PENDING = 1, /* waits for roster signers */
	US_PERSON_ACTIVE,
	US_PERSON_SUSPENDED,
	US_PERSON_ENDED /* for good */
};
/* Static text of a status. */
const char *us_person_status_name(enum us_person_status status);

struct us_person {
	uint32_t id;
	char name[US_ORDER_NAME_MAX + 1];
	enum us_capacity capacity;
	enum us_person_status status;
	int signed_in; /* 1 once every signature was there: what reinstating goes back to */
	size_t n_parties;
	char parties[US_PERSON_PARTIES][US_ORDER_ID_MAX + 1];
	uint64_t party_bits; /* in the order in force */
	/* bit i: a roster signer of the i-th of these parties has signed */
	uint16_t signed_parties;
	uint32_t added_by; /* person; 0: init */
	int64_t added_ns;
	int64_t changed_ns;    /* of the last change of status */
	uint32_t suspended_by; /* person, while suspended */
	int suspended_by_signer;
	char reason[US_REASON_TEXT_MAX + 1]; /* of the last suspension or end */
};

/* NULL if there is none. */
const struct us_person *us_registry_person(const struct us_registry *reg, uint32_t id);
/* The person with exactly that name, or NULL. */
const struct us_person *
us_registry_person_named(const struct us_registry *reg, struct us_bytes name);
/* People have the ids 1 .. this. */
uint32_t us_registry_people(const struct us_registry *reg);
/* What us_order_evaluate() wants to know of the person, under the order in force: parties,
 * acknowledgement, clearances. */
struct us_subject
us_registry_subject(const struct us_registry *reg, const struct us_person *person, int64_t now_ns);
/* The same under another of its versions. */
struct us_subject us_registry_subject_under(const struct us_registry *reg,
    const struct us_person *person, const struct us_order *order, int64_t now_ns);

/* ---- credentials ---- */

struct us_credential {
	uint8_t fingerprint[32];
	uint32_t person;
	int64_t from_ns;
	int64_t to_ns;
	int64_t issued_ns;
	uint32_t issued_by; /* person; 0: init */
	int approved;       /* 0: waits for the roster signer */
	int revoked;
	int64_t revoked_ns;
	int64_t lost_since_ns; /* 0: not said */
	char reason[US_REASON_TEXT_MAX + 1];
	struct us_bytes certificate; /* DER */
};

/* Where a credential stands by acts alone: its own dates, and its person's status, come beside. */
enum us_credential_status {
	US_CREDENTIAL_PENDING = 1, /* waits for the roster signer */
	US_CREDENTIAL_LIVE,
	US_CREDENTIAL_REVOKED /* for good */
};
enum us_credential_status us_credential_status(const struct us_credential *c);
/* Static text; "unknown" for a number that is none. */
const char *us_credential_status_name(enum us_credential_status status);

/* May this credential act now? Called for every request: one hash lookup. US_REASON_NONE: yes. Else
 * UNKNOWN_CREDENTIAL, REVOKED, ENDED, SUSPENDED, PENDING, NOT_YET_VALID, EXPIRED: the first that
 * holds, in this order. person and credential (may be NULL) are set to what was found, else to
 * NULL. */
enum us_reason us_registry_standing(const struct us_registry *reg, const uint8_t fingerprint[32],
    int64_t now_ns, const struct us_person **person, const struct us_credential **credential);
/* A context with what is known of a request beside what it asks for: time, address of the peer (as
 * the front reports it), the credential's strength and how long it was issued for (credential may
 * be NULL: then neither), freezes in force (views into the registry), state of the matter. What was
 * disclosed before is not known here, so every meter reads its maximum: a limit over time refuses,
 * it does not pass. */
void us_registry_context(const struct us_registry *reg, const struct us_credential *credential,
    struct us_bytes peer, int64_t now_ns, struct us_context *out);
/* The matter's state; "" if none was ever set: then it is the first of the order's list. */
const char *us_registry_matter(const struct us_registry *reg);
/* All credentials, in the order of issue; i < count. */
size_t us_registry_credentials(const struct us_registry *reg);
/* The i-th credential, NULL beyond the last. */
const struct us_credential *us_registry_credential(const struct us_registry *reg, size_t i);

/* ---- collections and batches ---- */

struct us_collection {
	uint32_t id;
	char name[US_COLLECTION_NAME_MAX + 1];
	char prefix[US_BATES_PREFIX_MAX + 1];
	char designation[US_DESIGNATION_MAX + 1];
	uint32_t created_by;
	int64_t created_ns;
	uint64_t next_record; /* behind the last range closed or void */
	/* behind the last slot used or void; each kind of leaf counts its own (docs/PROTOCOL.md
	 * section 2) */
	uint32_t next_slot;
	uint32_t next_segment_slot;
	uint32_t next_dictionary_slot;
	uint64_t admitted; /* records in closed batches that are not withdrawn */
	uint64_t raw_bytes;
};

enum us_batch_status { US_BATCH_LIVE = 1, US_BATCH_HELD, US_BATCH_WITHDRAWN, US_BATCH_VOID };
/* Static text of a status. */
const char *us_batch_status_name(enum us_batch_status status);

struct us_batch {
	enum us_batch_status status;
	struct us_act_batch_close facts; /* of a void range: collection, slot, first, count only */
	int64_t closed_ns;
	uint64_t sequence; /* of the act that closed it */
	/* d(sequence): with the manifest root, what the closing entry commits to */
	uint8_t state[32];
	int64_t changed_ns;  /* released or withdrawn */
	uint32_t changed_by; /* person */
	char reason[128];    /* of withdrawal or void, cut */
};

/* The collection with that id, counted from 1, or NULL. */
const struct us_collection *us_registry_collection(const struct us_registry *reg, uint32_t id);
/* The collection with exactly that name, or NULL. */
const struct us_collection *
us_registry_collection_named(const struct us_registry *reg, struct us_bytes name);
/* How many there are; their ids are 1 to that. */
uint32_t us_registry_collections(const struct us_registry *reg);
/* Batches and void ranges of a collection, ascending by first record; i < count. */
size_t us_registry_batches(const struct us_registry *reg, uint32_t collection);
/* The i-th of them, NULL beyond the last or if there is no such collection. */
const struct us_batch *
us_registry_batch(const struct us_registry *reg, uint32_t collection, size_t i);
/* The batch (not a void range) that holds the record, or NULL. Binary search. */
const struct us_batch *
us_registry_batch_of(const struct us_registry *reg, uint32_t collection, uint64_t record);
/* The first batch or void range with that slot, or NULL. */
const struct us_batch *
us_registry_batch_slot(const struct us_registry *reg, uint32_t collection, uint32_t slot);

struct us_dictionary {
	uint32_t version; /* 1, 2, … */
	uint32_t slot;
	uint8_t salt[32];
};
/* NULL if there is none. version 0: the newest. */
const struct us_dictionary *
us_registry_dictionary(const struct us_registry *reg, uint32_t collection, uint32_t version);

/* ---- docket: people who wait; all else that waits is in registry/docket.h ---- */

struct us_docket_item {
	char id[US_DOCKET_ID_MAX + 1]; /* "person-12" */
	uint32_t person;               /* about whom */
	int is_new_person;  /* 1: the person waits; 0: active, but with credentials that wait */
	uint64_t waits_for; /* bit i: a roster signer of party i; 0: any roster signer */
	/* 1: a roster signer of the court in their place (who waits is a signer) */
	int waits_for_court;
	size_t n_credentials; /* of the person that the signature approves */
	int64_t served_ns;    /* when it began to wait */
	uint8_t digest[32];   /* what docket-sign must name */
};

/* Items that wait, by person; appends from the person after `after` (0 at first); returns how many
 * were written. */
size_t us_registry_docket(const struct us_registry *reg, uint32_t after,
    struct us_docket_item *items, size_t room);
/* US_ERR_NOT_FOUND: nothing waits under that id. */
int us_registry_docket_item(const struct us_registry *reg, struct us_bytes id,
    struct us_docket_item *out);
/* 1 if this person's signature is among those it waits for. */
int us_registry_waits_for(const struct us_registry *reg, const struct us_docket_item *item,
    const struct us_person *who);

/* ---- copies: the disclosure ledger ---- */

enum us_copy_status { US_COPY_OUT = 1, US_COPY_GIVEN_BACK, US_COPY_GONE };
/* Static text of a status. */
const char *us_copy_status_name(enum us_copy_status status);

struct us_copy {
	uint64_t id; /* counted from 1 */
	uint32_t collection;
	uint32_t person;
	int64_t time_ns;
	char recipient[US_RECIPIENT_MAX + 1];
	struct us_bytes purpose;
	uint32_t n;
	const uint64_t *records; /* ascending */
	int has_digest;
	uint8_t digest[32];
	enum us_copy_status status;
	int64_t ended_ns;
};

/* How many there are; their ids are 1 to that. */
uint64_t us_registry_copies(const struct us_registry *reg);
/* The copy with that id, or NULL. */
const struct us_copy *us_registry_copy(const struct us_registry *reg, uint64_t id);

#endif
