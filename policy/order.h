/*
 * A protective order, compiled: what keyed processes read. It is made from the YAML form by
 * policy/yaml/yaml.h, in a process without keys, and is strictly decoded wherever it is used.
 *
 * Compiled form, canonical (integers big-endian; a reader refuses left-over bytes, unknown versions,
 * numbers, bits, empty lists and duplicates; decode followed by encode gives the same bytes):
 *
 *   "USO1" ‖ SHA-256 of the source(32) ‖ u32 version ‖ str16 title ‖ str16 docket
 *   ‖ str16 default paragraph
 *   ‖ u16 n ‖ n × party   { str16 id ‖ str16 name ‖ u8 m ‖ m × signer { str16 person ‖ u8 capacity } }
 *   ‖ u16 n ‖ n × purpose { str16 code ‖ str16 text }
 *   ‖ u16 n ‖ n × rule    { str16 id ‖ str16 paragraph ‖ u8 effect ‖ u8 flags ‖ u64 parties
 *                           ‖ u32 capacities ‖ u64 actions low ‖ u64 actions high
 *                           ‖ u8 purpose ‖ u8 boxes ‖ u32 records per request
 *                           ‖ u8 m ‖ m × str16 collection ‖ str32 what }
 *
 * flags: 1 any party, 2 any collection, 4 what is a query (else it is everything, and empty).
 * Bit i of parties is party i of the list; bit c of capacities is capacity c; bit a of the 128 bits of
 * actions is enum us_action a. An order without any party and rule permits nothing: it is what a vault
 * has that was made without one.
 *
 * Texts are views into one block that the order owns, valid UTF-8 without control characters, and
 * NUL-terminated behind the view. A struct us_order does not change once made: any number of threads may read.
 */
#ifndef US_POLICY_ORDER_H
#define US_POLICY_ORDER_H

#include <stdint.h>

#include "audit/action.h"
#include "common/buf.h"
#include "policy/capacity.h"

#define US_ORDER_SOURCE_MAX 393216   /* bytes of YAML: source and compiled form fit one act */
#define US_ORDER_COMPILED_MAX 524288
#define US_ORDER_PARTIES 64
#define US_ORDER_SIGNERS 8 /* of one party */
#define US_ORDER_PURPOSES 256
#define US_ORDER_RULES 512
#define US_ORDER_COLLECTIONS 64 /* named by one rule */
#define US_ORDER_ID_MAX 64      /* bytes: ids of parties, rules; codes of purposes */
#define US_ORDER_NAME_MAX 64    /* names of people, as in certificates */
#define US_ORDER_TEXT_MAX 512   /* titles, names of parties, texts of purposes */
#define US_ORDER_PARAGRAPH_MAX 64
#define US_ORDER_WHAT_MAX 8192  /* a query */

enum us_effect { US_PERMIT = 1, US_FORBID = 2 };
enum us_purpose_need { US_PURPOSE_FREE = 0, US_PURPOSE_REQUIRED = 1, US_PURPOSE_LISTED = 2 };

/* Boxes of a log entry that an audit permit opens: bit 1 << enum us_box (audit/entry.h). */
#define US_BOXES_ACCESS 1
#define US_BOXES_DISCLOSURE 2
#define US_BOXES_QUERY 4
#define US_BOXES_ALL 7

#define US_RECORDS_UNLIMITED UINT32_MAX

/* Who may sign people of a party into the roster. */
struct us_signer {
	struct us_bytes person; /* the name of a person of the registry */
	enum us_capacity capacity;
};

struct us_party {
	struct us_bytes id; /* "plaintiffs" */
	struct us_bytes name;
	size_t n_signers; /* 1 .. US_ORDER_SIGNERS */
	struct us_signer signers[US_ORDER_SIGNERS];
};

struct us_purpose {
	struct us_bytes code;
	struct us_bytes text;
};

struct us_rule {
	struct us_bytes id;
	struct us_bytes paragraph; /* "7.3(a)" */
	enum us_effect effect;
	int any_party;      /* 1: parties is 0 */
	uint64_t parties;   /* bit i: party i */
	uint32_t capacities;
	uint64_t actions[2];
	int any_collection; /* 1: n_collections is 0 */
	size_t n_collections;
	struct us_bytes *collections;
	int is_query;         /* 0: every record, and what is empty */
	struct us_bytes what; /* a query, in the language of query/query.h */
	/* permits only; a forbid has FREE, 0, US_RECORDS_UNLIMITED */
	enum us_purpose_need purpose;
	uint8_t boxes; /* not 0 exactly if it permits an action that opens the log */
	uint32_t records_per_request; /* at least 1, or US_RECORDS_UNLIMITED */
};

struct us_order {
	uint8_t source_digest[32];
	uint8_t compiled_digest[32]; /* SHA-256 of the compiled form */
	uint32_t version;            /* at least 1 */
	struct us_bytes title;
	struct us_bytes docket;            /* of the court; may be empty */
	struct us_bytes default_paragraph; /* cited when no rule permits; may be empty */
	size_t n_parties;
	struct us_party *parties;
	size_t n_purposes;
	struct us_purpose *purposes;
	size_t n_rules;
	struct us_rule *rules;
	struct us_buf texts; /* owns every view above */
};

/* Decodes and checks everything that can be checked without parsing queries. n <= US_ORDER_COMPILED_MAX.
 * US_ERR_TRUNCATED, US_ERR_TRAILING, US_ERR_FORMAT, US_ERR_LIMIT, US_ERR_RANGE, US_ERR_ENCODING,
 * US_ERR_EXISTS (two of one id), US_ERR_NOMEM, US_ERR_DENIED (gives an administrator or keyholder evidence). */
int us_order_decode(const void *compiled, size_t n, struct us_order **out);
/* Appends the compiled form. Fields may have been filled by hand: views anywhere, digests unused but
 * source_digest. The result is decoded once to check it: same errors. */
int us_order_encode(const struct us_order *order, struct us_buf *out);
/* The order that has no party, no rule, and permits nothing: appends its source text (a comment) and its
 * compiled form. */
int us_order_none(struct us_buf *source, struct us_buf *compiled);
void us_order_free(struct us_order *order); /* NULL is allowed */

/* Index of the party with that id; US_ERR_NOT_FOUND. */
int us_order_party(const struct us_order *order, struct us_bytes id, size_t *out);
/* 1 if the order names this person, in this capacity, as a roster signer of party (an index). */
int us_order_is_signer(const struct us_order *order, size_t party, struct us_bytes person,
    enum us_capacity capacity);

/* How an action is decided. */
enum us_action_class {
	US_ACTIONS_ORDERED,        /* only if a rule permits it: evidence, loading, opening the log */
	US_ACTIONS_OPEN,           /* anybody with a live credential, unless a rule forbids it. Lists of people,
	                            * credentials and the docket: to administrator, court, special-master and
	                            * auditor in full, to others what concerns their own parties */
	US_ACTIONS_ADMINISTRATIVE, /* capacity and signatures: registry/authority.h. No rule may name it yet */
	US_ACTIONS_INTERNAL        /* the machine's own; nobody may ask for it */
};
enum us_action_class us_action_class_of(enum us_action action);
/* 1 if the action shows, counts or takes out evidence: never an administrator's or keyholder's. */
int us_action_is_evidence(enum us_action action);
/* 1 if the action opens boxes of the log: a permit of it names the boxes. */
int us_action_opens_log(enum us_action action);

static inline int us_actions_has(const uint64_t actions[2], enum us_action a)
{
	return (unsigned)a < 128 && (actions[(unsigned)a >> 6] >> ((unsigned)a & 63) & 1) != 0;
}

/* 1 if the text is valid UTF-8 of 1 .. max bytes without control characters, bidirectional
 * overrides, or white space at its ends. What acts and orders are allowed to contain. */
int us_text_ok(struct us_bytes text, size_t max);
/* 1 if it is an identifier: a-z 0-9 . _ -, beginning with a letter or digit, 1 .. max bytes. */
int us_id_ok(struct us_bytes text, size_t max);

#endif
