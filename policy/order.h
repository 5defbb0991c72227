/*
 * A protective order, compiled: what keyed processes read. It is made from the YAML form by
 * policy/yaml/yaml.h, in a process without keys, and is strictly decoded wherever it is used. What
 * each part means is said in docs/ORDER.md.
 *
 * Compiled form, canonical (integers big-endian; a reader refuses left-over bytes, unknown
 * versions, numbers, bits, empty lists and duplicates; decode followed by encode gives the same
 * bytes):
 *
 *   order      = "USO2" ‖ SHA-256 of the source(32) ‖ u32 version ‖ str16 title ‖ str16 docket
 *                ‖ str16 default paragraph ‖ u32 smallest count ‖ u8 home calendar
 *                ‖ u16 n ‖ n × party ‖ u8 n ‖ n × designation ‖ u8 n ‖ n × calendar ‖ u8 n ‖ n ×
 *                period ‖ u16 n ‖ n × purpose ‖ u8 n ‖ n × str16 matter state ‖ u8 n ‖ n ×
 *                clearance ‖ workflows ‖ u16 n ‖ n × rule
 *   party      = str16 id ‖ str16 name ‖ u8 m ‖ m × signer { str16 person ‖ u8 capacity }
 *   designation= str16 name
 *   calendar   = str16 id ‖ str16 zone name ‖ str16 zone (POSIX form) ‖ u8 weekdays
 *                ‖ u16 from ‖ u16 to minute ‖ u16 m ‖ m × i32 day, strictly ascending
 *   period     = str16 id ‖ i64 from ‖ i64 until
 *   purpose    = str16 code ‖ str16 text
 *   quorum     = u8 m ‖ m × u64 parties
 *   clearance  = str16 id ‖ str16 paragraph ‖ u64 serve ‖ u16 days ‖ u8 working only ‖ quorum
 *   workflows  = str16 paragraph of acknowledgement ‖ u8 carries over ‖ i64 renew by
 *                ‖ quorum to amend ‖ u64 may suspend ‖ u64 may freeze ‖ quorum to lift a freeze
 *                ‖ u32 capacities that see what was clawed back ‖ u64 may resolve ‖ u16 confer days
 *                ‖ u16 move days
 *   rule       = str16 id ‖ str16 paragraph ‖ u8 effect ‖ u8 flags ‖ u64 parties
 *                ‖ u32 capacities ‖ u64 actions low ‖ u64 actions high ‖ u8 m ‖ m × str16
 *                collection ‖ str32 what [permit: conditions ‖ limits ‖ mask ‖ u8 boxes ‖ u8 log
 *                scope]
 *   conditions = u8 purpose ‖ u8 flags (1 acknowledgement) ‖ u8 clearance ‖ u8 calendar
 *                ‖ u8 period ‖ u16 matter states ‖ u16 credential bits
 *                ‖ u16 credential days ‖ u8 approvals [ ‖ u8 flags (1 any party) ‖ u64 parties
 *                ‖ u32 capacities ‖ u16 hours ] ‖ u8 m ‖ m × { u8 bits ‖ address(16) }
 *   limits     = u8 per ‖ u32 records per request ‖ u32 consecutive ‖ u32 per day
 *                ‖ u32 life ‖ u32 share in millionths
 *   mask       = u8 identifiers ‖ u8 roles ‖ u8 fields ‖ u8 except match
 *
 * Rule flags: 1 any party, 2 any collection, 4 what is a query (else it is everything, and empty).
 * Bit i of parties is party i of the list; bit c of capacities is capacity c; bit a of the 128 bits
 * of actions is enum us_action a. References to lists (clearance, calendar, period) count from 1, 0
 * is none. An order without any party and rule permits nothing: it is what a vault has that was
 * made without one.
 *
 * Texts are views into one block that the order owns, valid UTF-8 without control characters, and
 * NUL-terminated behind the view. A struct us_order does not change once made: any number of
 * threads may read.
 */
#ifndef US_POLICY_ORDER_H
#define US_POLICY_ORDER_H

#include <stdint.h>

#include "case/action.h"
#include "base/buf.h"
#include "policy/calendar.h"
#include "case/capacity.h"
#include "policy/mask.h"

#define US_ORDER_SOURCE_MAX 393216 /* bytes of YAML: source and compiled form fit one act */
#define US_ORDER_COMPILED_MAX 524288
#define US_ORDER_PARTIES 64
#define US_ORDER_SIGNERS 8 /* of one party */
#define US_ORDER_DESIGNATIONS 32
#define US_ORDER_CALENDARS 16
#define US_ORDER_PERIODS 32
#define US_ORDER_PURPOSES 256
#define US_ORDER_MATTER_STATES 16
#define US_ORDER_CLEARANCES 32
#define US_ORDER_QUORUM 8 /* alternatives */
#define US_ORDER_RULES 512
#define US_ORDER_COLLECTIONS 64 /* named by one rule */
#define US_ORDER_NETWORKS 32    /* of one rule */
#define US_ORDER_APPROVALS 8    /* that one rule can want */
#define US_ORDER_ID_MAX 64      /* bytes: ids of parties, rules; codes of purposes */
#define US_ORDER_NAME_MAX 64    /* names of people, as in certificates */
#define US_ORDER_TEXT_MAX 512   /* titles, names of parties, texts of purposes */
#define US_ORDER_PARAGRAPH_MAX 64
#define US_ORDER_WHAT_MAX 8192 /* a query */

enum us_effect { US_PERMIT = 1, US_FORBID = 2 };
enum us_purpose_need { US_PURPOSE_FREE = 0, US_PURPOSE_REQUIRED = 1, US_PURPOSE_LISTED = 2 };
enum us_quota_per { US_PER_PERSON = 1, US_PER_PARTY = 2 };

/* Boxes of a log entry that an audit permit opens: bit 1 << enum us_box (log/entry.h). */
#define US_BOXES_ACCESS 1
#define US_BOXES_DISCLOSURE 2
#define US_BOXES_QUERY 4
#define US_BOXES_ALL 7
/* Of whose entries. */
/* Whose entries a permit opens. Of two the narrower holds: all, own records, own party, self. */
enum us_log_scope {
	US_LOG_OF_ALL = 1,       /* everybody's */
	US_LOG_OF_OWN_PARTY = 2, /* of people who share a party with the reader */
	US_LOG_OF_SELF = 3,
	/* own party's; and of what others did, disclosure boxes that name no records but those the
	 * own party loaded */
	US_LOG_OF_OWN_RECORDS = 4
};
#define US_LOG_SCOPE_MAX US_LOG_OF_OWN_RECORDS
/* 1 if a is narrower than b. */
int us_log_scope_is_narrower(enum us_log_scope a, enum us_log_scope b);

#define US_UNLIMITED UINT32_MAX
#define US_RECORDS_UNLIMITED US_UNLIMITED
#define US_MILLION 1000000u

/* Who may sign people of a party into the roster, and sign for the party. */
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

/* Designations, the strictest first; what is loaded without one gets the first. */
struct us_designation {
	struct us_bytes name; /* as it stands on records: "ATTORNEYS' EYES ONLY" */
};

struct us_period {
	struct us_bytes id;
	int64_t from_ns;  /* inside; INT64_MIN: open */
	int64_t until_ns; /* outside; INT64_MAX: open */
};

struct us_purpose {
	struct us_bytes code;
	struct us_bytes text;
};

/* Whose signatures are enough: every party of one alternative, each by one of its signers. n = 0:
 * nobody's. */
struct us_quorum {
	size_t n;
	uint64_t alternatives[US_ORDER_QUORUM]; /* parties; never 0 */
};

/* A clearance: disclosed in advance to the parties served, who may object within a term. */
struct us_clearance {
	struct us_bytes id;
	struct us_bytes paragraph;
	uint64_t serve; /* parties; at least one */
	uint16_t days;  /* from service, in the home calendar */
	int working_only;
	struct us_quorum confirm; /* who clears once the term has run without objection */
};

struct us_workflows {
	/* Exhibit A */
	struct us_bytes acknowledgement_paragraph;
	int carries_over;    /* acknowledgements of the version before hold for this one … */
	int64_t renew_by_ns; /* … until then; INT64_MAX: for good */
	/* versions */
	struct us_quorum amend;
	uint64_t may_suspend; /* parties, one signer of any */
	/* freezes */
	uint64_t may_freeze;
	struct us_quorum lift;
	/* clawback: who may still see what was clawed back, if a rule permits them (usually the
	 * court) */
	uint32_t clawback_visible; /* capacities */
	/* who decides clearances with an objection, challenges, clawbacks: one signer of any */
	uint64_t may_resolve;
	/* challenges: terms from service, in the home calendar; 0: none */
	uint16_t confer_days;
	uint16_t move_days;
};

struct us_approval_need {
	uint8_t count; /* 0: none */
	int any_party;
	uint64_t parties;
	uint32_t capacities;
	uint16_t hours; /* an approval holds so long after it is complete */
};

struct us_conditions {
	enum us_purpose_need purpose;
	int acknowledgement;
	uint8_t clearance; /* counted from 1; 0: none */
	uint8_t calendar;  /* working hours of it; 0: at any time */
	uint8_t period;
	uint16_t matter_states;   /* bit i: state i; 0: any */
	uint16_t credential_bits; /* at least so strong (NIST SP 800-57 part 1, table 2); 0: any */
	uint16_t credential_days; /* issued for at most so long; 0: any */
	struct us_approval_need approval;
	size_t n_networks; /* 0: from anywhere */
	struct us_network *networks;
};

struct us_limits {
	enum us_quota_per per; /* whose disclosures per_day, life, consecutive and share count */
	uint32_t records_per_request; /* each at least 1, or US_UNLIMITED */
	uint32_t consecutive;
	uint32_t per_day; /* a day of the home calendar, else of UTC */
	uint32_t life;
	uint32_t share; /* of the collection's records, in millionths */
};

struct us_rule {
	struct us_bytes id;
	struct us_bytes paragraph; /* "7.3(a)" */
	enum us_effect effect;
	int any_party;    /* 1: parties is 0 */
	uint64_t parties; /* bit i: party i */
	uint32_t capacities;
	uint64_t actions[2];
	int any_collection; /* 1: n_collections is 0 */
	size_t n_collections;
	struct us_bytes *collections;
	int is_query;         /* 0: every record, and what is empty */
	struct us_bytes what; /* a query, in the language of evidence/query/query.h */
	/* permits only; in a forbid all zero, limits US_UNLIMITED and per PERSON */
	struct us_conditions conditions;
	struct us_limits limits;
	struct us_mask mask;
	uint8_t boxes;               /* not 0 exactly if it permits an action that opens the log */
	enum us_log_scope log_scope; /* 0 exactly if boxes is 0 */
};

struct us_order {
	uint8_t source_digest[32];
	uint8_t compiled_digest[32]; /* SHA-256 of the compiled form */
	uint32_t version;            /* at least 1 */
	struct us_bytes title;
	struct us_bytes docket;            /* of the court; may be empty */
	struct us_bytes default_paragraph; /* cited when no rule permits; may be empty */
	/* to people who may count but not read, smaller numbers are "fewer than" it; 0: none */
	uint32_t smallest_count;
	/* counted from 1: whose days and zone quotas and terms use; 0: UTC, every day */
	uint8_t home_calendar;
	size_t n_parties;
	struct us_party *parties;
	size_t n_designations;
	struct us_designation *designations;
	size_t n_calendars;
	struct us_calendar *calendars; /* owns their holidays */
	size_t n_periods;
	struct us_period *periods;
	size_t n_purposes;
	struct us_purpose *purposes;
	/* the first is the one a matter begins in; 0: the order knows none */
	size_t n_matter_states;
	struct us_bytes *matter_states;
	size_t n_clearances;
	struct us_clearance *clearances;
	struct us_workflows workflows;
	size_t n_rules;
	struct us_rule *rules;
	struct us_buf texts; /* owns every view above */
};

/* Decodes and checks everything that can be checked without parsing queries. n <=
 * US_ORDER_COMPILED_MAX. US_ERR_TRUNCATED, US_ERR_TRAILING, US_ERR_FORMAT, US_ERR_LIMIT,
 * US_ERR_RANGE, US_ERR_ENCODING, US_ERR_EXISTS (two of one id), US_ERR_NOMEM, US_ERR_DENIED (gives
 * an administrator or keyholder evidence). */
int us_order_decode(const void *compiled, size_t n, struct us_order **out);
/* Appends the compiled form. Fields may have been filled by hand: views anywhere, digests unused
 * but source_digest. The result is decoded once to check it: same errors. */
int us_order_encode(const struct us_order *order, struct us_buf *out);
/* The order that has no party, no rule, and permits nothing: appends its source text (a comment)
 * and its compiled form. */
int us_order_none(struct us_buf *source, struct us_buf *compiled);
void us_order_free(struct us_order *order); /* NULL is allowed */

/* Index of the party with that id; US_ERR_NOT_FOUND. */
int us_order_party(const struct us_order *order, struct us_bytes id, size_t *out);
/* No limit at all. */
struct us_limits us_limits_none(void);
/* 1 if the signed parties are enough. A quorum without alternatives never is. */
int us_quorum_met(const struct us_quorum *quorum, uint64_t signed_parties);
/* The calendar whose days and terms count: the home calendar, or one of UTC where every day is a
 * working day. */
const struct us_calendar *us_order_calendar(const struct us_order *order);
/* 1 if the order names this person, in this capacity, as a roster signer of party (an index). */
int us_order_is_signer(const struct us_order *order, size_t party, struct us_bytes person,
    enum us_capacity capacity);

static inline int
us_actions_has(const uint64_t actions[2], enum us_action a)
{
	return (unsigned)a < US_ACTIONS_MAX &&
	    (actions[(unsigned)a >> 6] >> ((unsigned)a & 63) & 1) != 0;
}

/* 1 if the text is valid UTF-8 of 1 .. max bytes without control characters, bidirectional
 * overrides, or white space at its ends. What acts and orders are allowed to contain. */
int us_text_ok(struct us_bytes text, size_t max);
/* 1 if it is an identifier: a-z 0-9 . _ -, beginning with a letter or digit, 1 .. max bytes. */
int us_id_ok(struct us_bytes text, size_t max);

#endif
