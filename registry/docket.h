/*
 * The docket: everything that waits for somebody. People who wait for their roster signers are
 * computed from the registry (waiting.c); the rest are filings: something that a person has put
 * before others.
 *
 *   kind       opened by         id           signed by (docket-sign) what closes it
 *   order      order-propose     order-2      quorum "amend" of the   signed: in force from its
 *                                             order                   time; withdrawn by who
 *                                                                     proposed it
 *   clearance  clearance         clearance-1  quorum "confirm", once  granted by the quorum, or by
 *                                             every party is served   resolve; an objection of a
 *                                             and its term has run    party served leaves it to
 *                                             without objection       resolve alone; denied,
 *                                                                     withdrawn
 *   challenge  challenge         challenge-1  nobody                  resolve: granted means that
 *                                                                     the designation must be
 *                                                                     changed (relabel)
 *   clawback   clawback          clawback-1   nobody                  resolve: granted, it stays
 *                                                                     clawed back; denied or
 *                                                                     withdrawn, it is seen again
 *   freeze     freeze            freeze-1     quorum "lift"           lifted by the quorum
 *                                             (unfreeze)
 *   approval   approval-request  approval-1   whom the order's rule   used once, or out of date
 *                                             names                   (policy/conditions.c);
 *                                                                     withdrawn
 *
 * Nothing ends by time: terms are shown, people decide.  Status:
 *
 *   WAITS            --object (a party served)-->    OBJECTED    clearance alone; of others an
 *                                                                objection is noted, and changes
 *                                                                nothing
 *   WAITS, OBJECTED  --resolve granted | quorum-->   GRANTED
 *                    --resolve denied-->             DENIED
 *                    --withdraw-->                   WITHDRAWN
 *
 * A signature names the item's digest: of an order us_order_item_digest(), of all else
 * SHA-256("underseal/docket/filing/1" ‖ vault id ‖ str16 id ‖ SHA-256(the committed act that opened
 * it)), so that what was shown is what is signed. Who may do what: registry/authority.h.
 */
#ifndef US_REGISTRY_DOCKET_H
#define US_REGISTRY_DOCKET_H

#include "registry/record_set.h"
#include "registry/registry.h"

#define US_FILING_SERVICES 16
#define US_FILING_SIGNATURES 16

enum us_filing_kind {
	US_FILING_ORDER = 1,
	US_FILING_CLEARANCE,
	US_FILING_CHALLENGE,
	US_FILING_CLAWBACK,
	US_FILING_FREEZE,
	US_FILING_APPROVAL
};
enum us_filing_status {
	US_FILING_WAITS = 1,
	US_FILING_OBJECTED,
	US_FILING_GRANTED,
	US_FILING_DENIED,
	US_FILING_WITHDRAWN
};
const char *us_filing_kind_name(enum us_filing_kind kind);       /* "clearance" */
const char *us_filing_status_name(enum us_filing_status status); /* "waits" */

/* That a party has it. due: when its term to object or answer ends; 0: it has none. */
struct us_service {
	char party[US_ORDER_ID_MAX + 1];
	int64_t served_ns;
	uint32_t served_by; /* person; one of the party: it has received it */
	int received;       /* a roster signer of the party has said so */
	int64_t received_ns;
	int64_t due_ns;
	int64_t confer_ns; /* challenge: by then they must have conferred; 0: no such term */
};

struct us_filing_signature {
	uint32_t person;
	enum us_capacity capacity;
	int64_t at_ns;
	/* bit i: signed for the i-th of the person's parties, as its roster signer */
	uint16_t parties;
};

struct us_filing {
	enum us_filing_kind kind;
	uint32_t number; /* of its kind, counted from 1; of an order: its version */
	char id[US_DOCKET_ID_MAX + 1];
	enum us_filing_status status;
	uint32_t filed_by;
	int64_t filed_ns;
	uint64_t sequence; /* of the act that opened it */
	uint8_t digest[32];
	size_t n_services;
	struct us_service services[US_FILING_SERVICES];
	uint32_t objected_by; /* 0: nobody */
	int64_t objected_ns;
	uint8_t grounds[32];
	size_t n_signatures;
	struct us_filing_signature signatures[US_FILING_SIGNATURES];
	int64_t closed_ns;
	uint32_t closed_by;
	char closed_text[US_REASON_TEXT_MAX + 1]; /* authority, or reason of withdrawal */
	uint8_t document[32]; /* instrument, statement, basis, notice; zeros: none */
	/* authority of an order or freeze; id of a clearance */
	char text[US_AUTHORITY_TEXT_MAX + 1];
	uint32_t person;                 /* clearance: whose; freeze of a person */
	struct us_record_set *set;       /* challenge, clawback, freeze of records; else NULL */
	int64_t noticed_ns;              /* clawback */
	enum us_freeze_scope scope;      /* freeze */
	char party[US_ORDER_ID_MAX + 1]; /* freeze of a party */
	uint32_t collection;             /* freeze of a collection; approval */
	enum us_action action;           /* approval */
	struct us_buf request;           /* approval: payload of its act, for showing */
	uint8_t request_digest[32];
};

/* The kind of filing that an act of this type opens, whose number is its result; 0: none. */
enum us_filing_kind us_act_opens(enum us_act_type type);
/* All filings in the order in which they were opened, i < count. */
size_t us_registry_filings(const struct us_registry *reg);
/* The i-th of them, NULL beyond the last. */
const struct us_filing *us_registry_filing(const struct us_registry *reg, size_t i);
/* "clearance-3"; NULL if there is none. */
const struct us_filing *us_registry_filing_named(const struct us_registry *reg, struct us_bytes id);
/* 1 if it still waits for something: a freeze that is in force does, an approval that can still be
 * used too. */
int us_filing_is_open(const struct us_filing *f);
/* The parties whose roster signers have signed and are active still, as bits of this order. */
uint64_t us_filing_signed(const struct us_registry *reg, const struct us_filing *f,
    const struct us_order *order);
/* 1 if this person could do something about it now: sign, object, resolve or receive it. */
int us_filing_waits_for(const struct us_registry *reg, const struct us_filing *f,
    const struct us_person *who, int64_t now_ns);

/* ---- people who wait ---- */

/* What waits about a person, as a signer is shown it. */
struct us_person_item {
	struct us_bytes id; /* "person-12" */
	int is_new;         /* 1: the person waits; 0: active, with credentials that wait */
	struct us_bytes name;
	enum us_capacity capacity;
	size_t n_parties;
	struct us_bytes parties[US_PERSON_PARTIES];
	struct us_bytes fingerprints; /* of the credentials that wait, 32 bytes each */
};
/* What signers of it sign: SHA-256("underseal/docket/1" ‖ vault id ‖ str16 id ‖ u8 new ‖ str16 name
 * ‖ u8 capacity ‖ u8 n ‖ n × str16 party ‖ u32 n ‖ n × fingerprint): everything that the signature
 * lets in, so that they can make it again themselves. */
int us_person_item_digest(const uint8_t vault_id[32], const struct us_person_item *item,
    uint8_t out[32]);

/* ---- approvals ---- */

/* What an approval is bound to: SHA-256("underseal/request/1" ‖ vault id ‖ u32 person ‖ u8 action ‖
 * u32 collection ‖ str16 purpose ‖ str16 query ‖ u32 n ‖ n × u64 record, strictly ascending).
 * records: packed u64. */
int us_request_digest(const struct us_registry *reg, uint32_t person,
    const struct us_act_approval *request, uint8_t out[32]);
/* The newest open approval for that request, or NULL; approvers gets those who signed it (room for
 * US_APPROVERS_MAX). Whether they are enough and still in time is said by the evaluator; whether it
 * was used, by the keeper's ledger. */
const struct us_filing *us_registry_approval(const struct us_registry *reg,
    const uint8_t request_digest[32], struct us_approver *approvers, size_t *n);

/* ---- the register of acknowledgements (Exhibit A) ---- */

struct us_acknowledgement {
	uint32_t person;
	uint32_t version;
	int64_t time_ns;
	uint8_t credential[32]; /* whose key signed */
	uint8_t instrument[32];
	uint8_t form[32];
	char address[US_ADDRESS_TEXT_MAX + 1];
	char place[US_ADDRESS_TEXT_MAX + 1];
};
/* How many there are. */
size_t us_registry_acknowledgements(const struct us_registry *reg);
/* The i-th in the order of the acts, NULL beyond the last. */
const struct us_acknowledgement *
us_registry_acknowledgement(const struct us_registry *reg, size_t i);

/* ---- documents ---- */

struct us_document {
	uint8_t digest[32];
	uint64_t size;
	char name[US_DOCUMENT_NAME_MAX + 1];
	uint32_t added_by;
	int64_t added_ns;
	uint32_t parts; /* there so far */
	uint32_t parts_all;
	/* of the acts that hold the parts */
	uint64_t sequences[US_DOCUMENT_MAX / US_DOCUMENT_PART + 1];
};
/* How many there are, whole or not. */
size_t us_registry_documents(const struct us_registry *reg);
/* The i-th in the order of the acts, NULL beyond the last. */
const struct us_document *us_registry_document(const struct us_registry *reg, size_t i);
/* NULL: none, or not whole yet (if whole is not 0). */
const struct us_document *
us_registry_document_of(const struct us_registry *reg, const uint8_t digest[32], int whole);

#endif
