/*
 * Acts: everything that changes who may do what (docs/PROTOCOL.md section 4). Codecs only: whether
 * an act is allowed is said by registry/authority.h, what it does by registry/registry.h.
 *
 * Signed act:     "underseal/act/1\n" ‖ u8 type ‖ vault id(32) ‖ credential(32) ‖ nonce(16) ‖ i64
 *                 time ‖ str32 payload
 * Committed act:  u64 sequence ‖ i64 time ‖ u32 actor person ‖ str32 signed act ‖ str16 signature ‖
 *                 str32 result
 *
 * Acts of the vault itself (type >= 128) have credential and nonce zero, actor 0, and no signature.
 *
 * Payloads; every text is valid UTF-8 without control characters (us_text_ok) unless said, numbers
 * big-endian, nothing left over:
 *
 *   1 person-add         str16 name ‖ u8 capacity ‖ u8 n ‖ n × str16 party, strictly ascending
 *                        result: u32 person
 *   2 docket-sign        str16 docket id ("person-12") ‖ digest(32): the item's digest, so that
 *                        what was shown is what is signed
 *   3 person-suspend     u32 person ‖ str16 reason
 *   4 person-reinstate   u32 person ‖ str16 reason
 *   5 person-end         u32 person ‖ str16 reason
 *   6 credential-issue   u32 person ‖ u16 days ‖ str32 certificate request (DER)
 *                        result: str32 certificate (DER)
 *   7 credential-revoke  u8 by (1 fingerprint, 2 person) ‖ fingerprint(32) or u32 person ‖ str16
 *                        reason ‖ i64 lost since (0: not said)
 *   8 collection-create  str16 name ‖ str16 Bates prefix ‖ str16 designation (may be empty)
 *                        result: u32 collection
 *   9 batch-release      u32 collection ‖ u32 slot
 *  10 batch-withdraw     u32 collection ‖ u32 slot ‖ str16 reason
 *  11 copy               u32 collection ‖ str16 recipient ‖ str16 purpose (may be empty) ‖ u32 n
 *                        ‖ n × u64 record, strictly ascending
 *                        result: u64 copy
 *  12 copy-return        u64 copy ‖ u8 how (1 returned, 2 destroyed) ‖ str16 note (may be empty)
 *  13 seal               str16 reason
 *  14 document-add       digest(32): SHA-256 of the whole ‖ u64 size ‖ str16 name ‖ u32 part ‖
 *                        str32 bytes: parts of US_DOCUMENT_PART bytes, the last one shorter, in
 *                        their order
 *  15 order-propose      str32 source ‖ str32 compiled ‖ digest(32) instrument ‖ str16 authority ‖
 *                        i64 effective (0: at once)
 *  16 order-suspend      u32 version ‖ str16 authority
 *  17 docket-object      str16 docket id ‖ digest(32) grounds
 *  18 docket-resolve     str16 docket id ‖ u8 outcome (1 granted, 2 denied) ‖ str16 authority
 *  19 docket-withdraw    str16 docket id ‖ str16 reason
 *  20 docket-serve       str16 docket id ‖ str16 party ‖ i64 when
 *  21 acknowledge        u32 version ‖ digest(32) of the order's source ‖ digest(32) instrument ‖
 *                        str16 address ‖ str16 place ‖ digest(32) signed form
 *  22 clearance          str16 clearance of the order ‖ u32 person ‖ digest(32) statement
 *                        result: u32 number
 *  23 challenge          selection ‖ digest(32) basis
 *                        result: u32 number
 *  24 relabel            selection ‖ str16 designation ‖ str16 reason
 *  25 clawback           selection ‖ digest(32) notice ‖ i64 noticed
 *                        result: u32 number
 *  26 freeze             u8 scope (1 everything, 2 party, 3 person, 4 collection, 5 records)
 *                        ‖ nothing, str16 party, u32 person, u32 collection, or selection
 *                        ‖ str16 authority
 *                        result: u32 number
 *  27 unfreeze           u32 freeze ‖ str16 authority
 *  28 approval-request   u8 action ‖ u32 collection ‖ str16 purpose (may be empty) ‖ str16 query
 *                        (may be empty) ‖ u32 n ‖ n × u64 record, strictly ascending
 *                        result: u32 number
 *  29 matter-set         str16 state ‖ str16 authority
 * 128 init               see struct us_act_init
 * 129 batch-close        see struct us_act_batch_close
 * 130 batch-void         u32 collection ‖ u32 slot ‖ u64 first record ‖ u32 count ‖ str16 reason
 * 131 dictionary         u32 collection ‖ u32 version ‖ u32 slot ‖ salt(32)
 * 132 copy-digest        u64 copy ‖ digest(32): SHA-256 of the file that left
 *
 * selection = u32 collection ‖ u8 by (1 set, 2 batch) ‖ u32 n ‖ n × { varint gap ‖ varint length }
 * or u32 slot. A set is runs of record numbers, ascending and not touching: the gap to the end of
 * the run before (to 0 for the first), then how many. Digests name documents that were added
 * before; zeros name none where that is allowed: instrument, signed form, basis, notice, grounds,
 * statement. What the order wants of them is said by registry/acts/.
 *
 * Where no result is said it is empty. Decoded views point into the bytes that were decoded. Pure,
 * any thread.
 */
#ifndef US_REGISTRY_ACT_H
#define US_REGISTRY_ACT_H

#include "case/bates.h"
#include "case/limits.h"
#include "crypto/keytree.h" /* US_SLOT_MAX */
#include "policy/order.h"
#include "registry/acts.def"

#define US_ACT_MAGIC "underseal/act/1\n"
#define US_ACT_SIGNED_MAX 1048576
#define US_ACT_RESULT_MAX 32768
#define US_ACT_SIGNATURE_MAX 256
#define US_ACT_NONCE 16
#define US_ACT_DRIFT_NS (INT64_C(15) * 60 * 1000000000) /* of the actor's clock, either way */

#define US_REASON_TEXT_MAX 512
#define US_RECIPIENT_MAX 256
#define US_DOCKET_ID_MAX 32
#define US_CREDENTIAL_DAYS_MAX 825
#define US_COPY_RECORDS_MAX 65536
#define US_BATCH_PAGE_KINDS 8
#define US_ERA_SHIFT 20
#define US_INIT_PEOPLE 64
#define US_INIT_HOSTS 16
#define US_HOST_MAX 253
#define US_AUTHORITY_TEXT_MAX 256 /* "ECF No. 612, paragraph 3" */
#define US_DOCUMENT_PART 917504   /* bytes: a part fits one act */
#define US_DOCUMENT_MAX 16777216
#define US_DOCUMENT_NAME_MAX 128
#define US_ADDRESS_TEXT_MAX 512
#define US_SELECTION_RUNS 131072
#define US_SELECTION_BYTES 786432
#define US_APPROVAL_QUERY_MAX 8192

enum us_act_type {
#define X(name, number, ...) US_ACT_##name = number,
	US_ACTS(X)
#undef X
};

/* Who may do an act, by the class of their capacity (registry/acts.def). What follows from each:
 * registry/authority.h. */
enum us_act_authority {
	US_AUTHORITY_NEVER,  /* this capacity never does it */
	US_AUTHORITY_ALWAYS, /* by capacity; what it is about is checked still */
	US_AUTHORITY_SIGNER, /* as roster signer of whom it is about */
	US_AUTHORITY_ORDER,  /* if the order permits the action */
	US_AUTHORITY_OWN     /* as SIGNER, or about oneself */
};

/* Static text, or NULL for a number that is no type. */
const char *us_act_name(unsigned type);
/* The action under which the log files an act of this type; NONE for a number that is no type. */
enum us_action us_act_action(enum us_act_type type);
/* Where the front takes it, without /v1/: "freezes"; NULL for the vault's own and for a number that
 * is no type. */
const char *us_act_path(enum us_act_type type);
/* What the table says of this capacity and act: NEVER of numbers that are none, and of the vault's
 * own acts. */
enum us_act_authority us_authority_of(enum us_capacity capacity, enum us_act_type type);
/* 1 if it is the vault's own: type >= 128. */
static inline int
us_act_is_vaults(enum us_act_type type)
{
	return (unsigned)type >= 128;
}

/* ---- envelopes ---- */

struct us_signed_act {
	enum us_act_type type;
	uint8_t vault_id[32];
	uint8_t credential[32];
	uint8_t nonce[US_ACT_NONCE];
	int64_t time_ns;
	struct us_bytes payload; /* not looked into here */
};

/* Appends the bytes that are signed (with us_pkey_sign() over exactly these). US_ERR_LIMIT,
 * US_ERR_NOMEM. */
int us_signed_act_encode(struct us_buf *out, const struct us_signed_act *act);
/* US_ERR_TRUNCATED, US_ERR_TRAILING, US_ERR_FORMAT, US_ERR_LIMIT, US_ERR_RANGE (no such type). */
int us_signed_act_decode(struct us_signed_act *out, const void *p, size_t n);

struct us_committed_act {
	uint64_t sequence; /* counted from 1; 1 is init */
	int64_t time_ns;   /* the keeper's */
	uint32_t actor;    /* a person; 0: the vault */
	struct us_bytes signed_act;
	struct us_bytes signature; /* empty exactly for the vault's own */
	struct us_bytes result;
};

/* Appends the act. US_ERR_LIMIT if a part is too long, US_ERR_NOMEM: out is then as before. */
int us_committed_act_encode(struct us_buf *out, const struct us_committed_act *act);
/* Also decodes the envelope inside (out_act may be NULL) and checks that a signature is there
 * exactly if it must be. */
int us_committed_act_decode(struct us_committed_act *out, struct us_signed_act *out_act,
    const void *p, size_t n);
/* The number that an act gave back; 0 if its result is none. */
uint64_t us_act_number(struct us_bytes result);
/* next = SHA-256("underseal/state/1" ‖ digest ‖ committed act); next may be digest. */
int us_state_digest(const uint8_t digest[32], struct us_bytes committed, uint8_t next[32]);

/* ---- payloads ---- */

struct us_act_person_add {
	struct us_bytes name; /* at most US_ORDER_NAME_MAX */
	enum us_capacity capacity;
	size_t n_parties;
	struct us_bytes parties[US_PERSON_PARTIES];
};

struct us_act_sign {
	struct us_bytes docket_id;
	uint8_t digest[32];
};

struct us_act_person_change { /* suspend, reinstate, end */
	uint32_t person;
	struct us_bytes reason;
};

struct us_act_issue {
	uint32_t person;
	uint16_t days;       /* 1 .. US_CREDENTIAL_DAYS_MAX */
	struct us_bytes csr; /* DER */
};

struct us_act_revoke {
	int by_person;
	uint32_t person;         /* if by_person */
	uint8_t fingerprint[32]; /* if not */
	struct us_bytes reason;
	int64_t lost_since_ns;
};

struct us_act_collection {
	struct us_bytes name;   /* an identifier: us_id_ok() */
	struct us_bytes prefix; /* A-Z 0-9 - _, beginning with a letter, not ending in a digit */
	struct us_bytes designation;
};

struct us_act_batch { /* release, withdraw */
	uint32_t collection;
	uint32_t slot;
	struct us_bytes reason; /* withdraw only */
};

struct us_act_copy {
	uint32_t collection;
	struct us_bytes recipient;
	struct us_bytes purpose;
	uint32_t n;              /* 1 .. US_COPY_RECORDS_MAX */
	struct us_bytes records; /* n × u64, strictly ascending */
};

enum us_copy_end { US_COPY_RETURNED = 1, US_COPY_DESTROYED = 2 };

struct us_act_copy_return {
	uint64_t copy;
	enum us_copy_end how;
	struct us_bytes note;
};

struct us_act_seal {
	struct us_bytes reason;
};

/* A person of the first hour. They are active at once: init stands in the log's first entries. */
struct us_init_person {
	struct us_bytes name;
	enum us_capacity capacity;
	size_t n_parties;
	struct us_bytes parties[US_PERSON_PARTIES]; /* strictly ascending */
	struct us_bytes certificate; /* DER, issued by the vault's CA; empty: none (a keyholder) */
};

/*
 * init:  str32 CA certificate ‖ str32 order source ‖ str32 order compiled ‖ u8 n ‖ n × str16 host
 *        ‖ u8 n ‖ n × { str16 name ‖ u8 capacity ‖ u8 m ‖ m × str16 party ‖ str32 certificate }
 * People get the numbers 1, 2, … in this order. At least one administrator, at least one host. A
 * person of a party must be a roster signer that the order names. Only a keyholder may have no
 * certificate.
 */
struct us_act_init {
	struct us_bytes ca;
	struct us_bytes order_source;
	struct us_bytes order_compiled;
	size_t n_hosts;
	struct us_bytes hosts[US_INIT_HOSTS];
	size_t n_people;
	struct us_init_person people[US_INIT_PEOPLE];
};

struct us_batch_pages {
	uint8_t kind; /* enum us_page_kind; strictly ascending in the list */
	uint32_t pages;
	uint8_t root[32]; /* RFC 6962 tree head over the sealed pages; zeros if none was made */
};

/*
 * batch-close:  u32 collection ‖ u32 slot ‖ u64 load ‖ u32 loaded by (person) ‖ u64 first record ‖
 *               u32 count ‖ u32 era ‖ batch salt(32) ‖ u32 segment slot ‖ segment salt(32) ‖
 *               manifest root(32) ‖ u8 n ‖ n × { u8 kind ‖ u32 pages ‖ root(32) } ‖ u8 flags (1
 *               held) ‖ u32 dictionary version ‖ u64 raw bytes ‖ u64 duplicates ‖ u64 refused ‖
 *               parts
 *
 * parts: nothing (an act of before parts were bound), or u32 first part ‖ u32 n, at least 1 ‖
 * digest(32): the records came from these parts of the load, one behind the other, the first and
 * last perhaps not whole. digest = SHA-256("underseal/load-parts/1" ‖ u64 load ‖ u32 first part ‖
 * u32 n ‖ n × SHA-256 of the part's bytes as they stood in the producer's file).
 */
struct us_act_batch_close {
	uint32_t collection;
	uint32_t slot;
	uint64_t load;
	uint32_t loaded_by;
	uint64_t first;
	uint32_t count; /* 1 .. US_BATCH_RECORDS_MAX */
	uint32_t era;   /* first >> 20, and of the last record too */
	uint8_t salt[32];
	uint32_t segment_slot;
	uint8_t segment_salt[32];
	uint8_t manifest_root[32];
	size_t n_pages;
	struct us_batch_pages pages[US_BATCH_PAGE_KINDS];
	int held;
	uint32_t dictionary_version; /* 0: none */
	uint64_t raw_bytes;
	uint64_t duplicates; /* of the load, since its last batch */
	uint64_t refused;
	uint32_t first_part;
	uint32_t parts; /* 0: not bound */
	uint8_t parts_digest[32];
};

struct us_act_batch_void {
	uint32_t collection;
	uint32_t slot;
	uint64_t first;
	uint32_t count; /* may be 0: the slot alone */
	struct us_bytes reason;
};

struct us_act_dictionary {
	uint32_t collection;
	uint32_t version; /* at least 1 */
	uint32_t slot;
	uint8_t salt[32];
};

struct us_act_copy_digest {
	uint64_t copy;
	uint8_t digest[32];
};

/* ---- the order and its docket ---- */

/* Records of one collection: a set, or a whole batch. */
struct us_selection {
	uint32_t collection;
	int is_batch;
	uint32_t slot;        /* if is_batch */
	uint32_t n_runs;      /* if not: 1 .. US_SELECTION_RUNS */
	struct us_bytes runs; /* packed varints; walk them with us_selection_next() */
};
struct us_run {
	uint64_t first;
	uint64_t count; /* at least 1 */
};
/* Walks the runs of a decoded set: *at is 0 and *run {0, 0} at first. 1 with the next run, 0 behind
 * the last. */
int us_selection_next(const struct us_selection *s, size_t *at, struct us_run *run);
/* Appends the packed runs of n strictly ascending record numbers (what `runs` views), and counts
 * them. US_ERR_FORMAT if they do not ascend, US_ERR_LIMIT, US_ERR_NOMEM. */
int us_selection_pack(const uint64_t *records, size_t n, struct us_buf *out, uint32_t *n_runs);

struct us_act_document {
	uint8_t digest[32];
	uint64_t size; /* 1 .. US_DOCUMENT_MAX */
	struct us_bytes name;
	uint32_t part; /* counted from 0 */
	struct us_bytes bytes;
};

struct us_act_order_propose {
	struct us_bytes source;
	struct us_bytes compiled;
	uint8_t instrument[32];
	struct us_bytes authority;
	int64_t effective_ns; /* 0: once it is signed */
};

/* What signers of a version sign: SHA-256("underseal/docket/order/1" ‖ vault id ‖ u32 version ‖
 * SHA-256(source) ‖ SHA-256(compiled) ‖ instrument(32) ‖ i64 effective ‖ authority): everything
 * that they were shown, so that they can make it again themselves. */
int us_order_item_digest(const uint8_t vault_id[32], uint32_t version,
    const struct us_act_order_propose *proposal, uint8_t out[32]);

struct us_act_order_suspend {
	uint32_t version;
	struct us_bytes authority;
};

enum us_outcome { US_OUTCOME_GRANTED = 1, US_OUTCOME_DENIED = 2 };

struct us_act_docket { /* object, resolve, withdraw, serve */
	struct us_bytes docket_id;
	uint8_t grounds[32];     /* object */
	enum us_outcome outcome; /* resolve */
	struct us_bytes text;    /* resolve: authority; withdraw: reason */
	struct us_bytes party;   /* serve */
	int64_t at_ns;           /* serve */
};

struct us_act_acknowledge {
	uint32_t version;
	uint8_t source_digest[32];
	uint8_t instrument[32];
	struct us_bytes address;
	struct us_bytes place;
	uint8_t form[32];
};

struct us_act_clearance {
	struct us_bytes clearance; /* id in the order in force */
	uint32_t person;
	uint8_t statement[32];
};

struct us_act_records { /* challenge, relabel, clawback */
	struct us_selection selection;
	uint8_t document[32];        /* basis or notice */
	struct us_bytes designation; /* relabel */
	struct us_bytes reason;      /* relabel */
	int64_t noticed_ns;          /* clawback */
};

enum us_freeze_scope {
	US_FREEZE_EVERYTHING = 1,
	US_FREEZE_PARTY,
	US_FREEZE_PERSON,
	US_FREEZE_COLLECTION,
	US_FREEZE_RECORDS
};

struct us_act_freeze {
	enum us_freeze_scope scope;
	struct us_bytes party;
	uint32_t person;
	uint32_t collection;
	struct us_selection selection;
	struct us_bytes authority;
};

struct us_act_unfreeze {
	uint32_t freeze;
	struct us_bytes authority;
};

struct us_act_approval {
	enum us_action action; /* count, read or copy */
	uint32_t collection;
	struct us_bytes purpose;
	struct us_bytes query;   /* count only */
	uint32_t n;              /* read and copy: 1 .. US_COPY_RECORDS_MAX; count: 0 */
	struct us_bytes records; /* n × u64 */
};

struct us_act_matter {
	struct us_bytes state;
	struct us_bytes authority;
};

/* A decoded payload. About 20 KiB because of init: allocate it where stacks are small. */
struct us_act {
	enum us_act_type type;
	union {
		struct us_act_person_add person_add;
		struct us_act_sign sign;
		struct us_act_person_change change;
		struct us_act_issue issue;
		struct us_act_revoke revoke;
		struct us_act_collection collection;
		struct us_act_batch batch;
		struct us_act_copy copy;
		struct us_act_copy_return copy_return;
		struct us_act_seal seal;
		struct us_act_init init;
		struct us_act_batch_close batch_close;
		struct us_act_batch_void batch_void;
		struct us_act_dictionary dictionary;
		struct us_act_copy_digest copy_digest;
		struct us_act_document document;
		struct us_act_order_propose order_propose;
		struct us_act_order_suspend order_suspend;
		struct us_act_docket docket;
		struct us_act_acknowledge acknowledge;
		struct us_act_clearance clearance;
		struct us_act_records records;
		struct us_act_freeze freeze;
		struct us_act_unfreeze unfreeze;
		struct us_act_approval approval;
		struct us_act_matter matter;
	} u;
};

/* Appends the payload of act->type. Refuses what decode would refuse, with the same error. */
int us_act_encode(struct us_buf *out, const struct us_act *act);
/* US_ERR_TRUNCATED, US_ERR_TRAILING, US_ERR_FORMAT, US_ERR_LIMIT, US_ERR_RANGE, US_ERR_ENCODING.
 * The order inside init is not decoded here. */
int us_act_decode(struct us_act *out, enum us_act_type type, struct us_bytes payload);
/* The i-th record of a copy, i < n. */
uint64_t us_act_copy_record(const struct us_act_copy *copy, uint32_t i);

#endif
