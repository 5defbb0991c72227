/*
 * What a log entry can be about: closed sets with stable numbers. A number is never given again,
 * a name never changes: both stand in entries and in the JSON that scripts read. New members are
 * appended. The lists are macros so that enum, name table and parser cannot disagree.
 */
#ifndef US_AUDIT_ACTION_H
#define US_AUDIT_ACTION_H

#include <stddef.h>
#include <stdint.h>

/* X(CONSTANT, number, "name in JSON and in orders") */
#define US_ACTION_LIST(X) \
	X(NONE, 0, "none") \
	/* evidence */ \
	X(SEARCH, 1, "search") \
	X(COUNT, 2, "count") \
	X(READ, 3, "read") \
	X(COPY, 4, "copy") \
	X(COPY_LIST, 5, "copy-list") \
	X(COPY_RETURN, 6, "copy-return") \
	X(MATCH, 7, "match") \
	X(SAMPLE, 8, "sample") \
	X(TERMS, 9, "terms") \
	X(OPEN_COLLECTION, 10, "open-collection") \
	X(SWEEP, 11, "sweep") \
	X(ANALYSE, 12, "analyse") \
	X(NOTE, 13, "note") \
	/* loading */ \
	X(LOAD, 20, "load") \
	X(BATCH_OPEN, 21, "batch-open") \
	X(BATCH_CLOSE, 22, "batch-close") \
	X(BATCH_VOID, 23, "batch-void") \
	X(BATCH_LIST, 24, "batch-list") \
	X(BATCH_RELEASE, 25, "batch-release") \
	X(BATCH_WITHDRAW, 26, "batch-withdraw") \
	X(BATCH_HOLD, 27, "batch-hold") \
	X(MERGE_OPEN, 28, "merge-open") \
	X(MERGE_CLOSE, 29, "merge-close") \
	X(DICTIONARY, 30, "dictionary") \
	X(COLLECTION_CREATE, 31, "collection-create") \
	X(COLLECTION_LIST, 32, "collection-list") \
	X(COLLECTION_DESTROY, 33, "collection-destroy") \
	X(RECORD_DESTROY, 34, "record-destroy") \
	X(LEGAL_HOLD, 35, "legal-hold") \
	/* people and credentials */ \
	X(SESSION, 40, "session") \
	X(PERSON_ADD, 41, "person-add") \
	X(PERSON_SIGN, 42, "person-sign") \
	X(PERSON_LIST, 43, "person-list") \
	X(PERSON_SUSPEND, 44, "person-suspend") \
	X(PERSON_REINSTATE, 45, "person-reinstate") \
	X(PERSON_END, 46, "person-end") \
	X(CREDENTIAL_ISSUE, 47, "credential-issue") \
	X(CREDENTIAL_LIST, 48, "credential-list") \
	X(CREDENTIAL_REVOKE, 49, "credential-revoke") \
	X(ACKNOWLEDGE, 50, "acknowledge") \
	X(CLEARANCE, 51, "clearance") \
	/* the order and the docket */ \
	X(ORDER_SET, 60, "order-set") \
	X(ORDER_PROPOSE, 61, "order-propose") \
	X(ORDER_SIGN, 62, "order-sign") \
	X(ORDER_WITHDRAW, 63, "order-withdraw") \
	X(ORDER_SUSPEND, 64, "order-suspend") \
	X(ORDER_SHOW, 65, "order-show") \
	X(ORDER_EXPLAIN, 66, "order-explain") \
	X(DOCKET_LIST, 67, "docket-list") \
	X(DOCKET_SIGN, 68, "docket-sign") \
	X(DOCKET_OBJECT, 69, "docket-object") \
	X(DOCKET_RESOLVE, 70, "docket-resolve") \
	X(DOCKET_WITHDRAW, 71, "docket-withdraw") \
	X(CHALLENGE, 72, "challenge") \
	X(RELABEL, 73, "relabel") \
	X(CLAWBACK, 74, "clawback") \
	X(FREEZE, 75, "freeze") \
	X(UNFREEZE, 76, "unfreeze") \
	X(ORDER_DIFF, 77, "order-diff") \
	X(ORDER_WHO, 78, "order-who") \
	X(DOCKET_SERVE, 79, "docket-serve") \
	/* the log itself */ \
	X(AUDIT_LIST, 80, "audit-list") \
	X(AUDIT_KEYS, 81, "audit-keys") \
	X(AUDIT_EXPORT, 82, "audit-export") \
	X(AUDIT_TILE, 83, "audit-tile") \
	X(AUDIT_CHECKPOINT, 84, "audit-checkpoint") \
	X(AUDIT_WITNESS, 85, "audit-witness") \
	X(AUDIT_REPORT, 86, "audit-report") \
	/* the machine */ \
	X(INIT, 100, "init") \
	X(START, 101, "start") \
	X(STOP, 102, "stop") \
	X(UNSEAL_SHARE, 103, "unseal-share") \
	X(UNSEAL, 104, "unseal") \
	X(SEAL, 105, "seal") \
	X(STATE_OPEN, 106, "state-open") \
	X(HEARTBEAT, 107, "heartbeat") \
	X(HANDSHAKES, 108, "handshakes") \
	X(STATUS, 109, "status") \
	X(BACKUP, 110, "backup") \
	X(RESTORE, 111, "restore") \
	X(CLOCK, 112, "clock") \
	/* more of the order */ \
	X(DOCUMENT_ADD, 113, "document-add") \
	X(DOCUMENT_READ, 114, "document-read") \
	X(APPROVAL_REQUEST, 115, "approval-request") \
	X(MATTER_SET, 116, "matter-set") \
	X(ORDER_IN_FORCE, 117, "order-in-force") /* a version begins to hold by the clock */ \
	X(ACKNOWLEDGEMENT_LIST, 118, "acknowledgement-list") \
	X(CLAWBACK_REPORT, 119, "clawback-report") \
	X(ANSWERED, 120, "answered") /* how answers to earlier entries ended */ \
	/* more of the machine */ \
	X(CONFIGURE, 121, "configure") /* settings or version are not those of the start before */ \
	X(GAP, 122, "gap")             /* a time without entries */ \
	X(ROLE_RESTART, 123, "role-restart") \
	X(HANDOVER, 124, "handover") /* the log goes on under another key (log/succession.h) */ \
	X(REFUSALS, 125, "refusals") /* counted, where there was no room for an entry each */

enum us_action {
#define X(name, number, text) US_ACTION_##name = number,
	US_ACTION_LIST(X)
#undef X
};

/* Why the answer was what it was. NONE goes with an allowed action. */
#define US_REASON_LIST(X) \
	X(NONE, 0, "none") \
	X(NOT_IN_ORDER, 1, "not-in-order") /* no rule permits it: default deny */ \
	X(PROHIBITED, 2, "prohibited")     /* a rule forbids it */ \
	X(NO_SESSION, 3, "no-session") \
	X(SESSION_FORGED, 4, "session-forged") \
	X(REVOKED, 5, "revoked") \
	X(SUSPENDED, 6, "suspended") \
	X(ENDED, 7, "ended") \
	X(EXPIRED, 8, "expired") \
	X(NOT_YET_VALID, 9, "not-yet-valid") \
	X(SEALED, 10, "sealed") \
	X(QUOTA, 11, "quota") \
	X(PURPOSE_MISSING, 12, "purpose-missing") \
	X(NOT_VISIBLE, 13, "not-visible") \
	X(NOT_FOUND, 14, "not-found") \
	X(CAPACITY, 15, "capacity") \
	X(PENDING, 16, "pending") /* waits for others' signatures */ \
	X(HELD, 17, "held")       /* a batch that its producer has not released */ \
	X(FROZEN, 18, "frozen") \
	X(WITHDRAWN, 19, "withdrawn") \
	X(UNKNOWN_CREDENTIAL, 20, "unknown-credential") \
	X(FOREIGN_CA, 21, "foreign-ca") \
	X(WRONG_USAGE, 22, "wrong-usage") \
	X(NO_CERTIFICATE, 23, "no-certificate") \
	X(BAD_SIGNATURE, 24, "bad-signature") \
	X(REPLAY, 25, "replay") \
	X(CLOCK, 26, "clock") \
	X(MALFORMED, 27, "malformed") \
	X(DUPLICATE, 28, "duplicate") \
	X(WRONG_SHARE, 29, "wrong-share") \
	X(STATE, 30, "state") /* not possible in the present state */ \
	X(ERROR, 31, "error") /* ours: see the operator's log */ \
	X(NO_ACKNOWLEDGEMENT, 32, "no-acknowledgement") \
	X(HOURS, 33, "hours") \
	X(NETWORK, 34, "network") \
	X(APPROVAL, 35, "approval") \
	X(LEGAL_HOLD, 36, "legal-hold") \
	X(CLEARANCE, 37, "clearance") \
	X(MATTER, 38, "matter") \
	X(PERIOD, 39, "period") \
	X(CREDENTIAL, 40, "credential") \
	X(CLAWED_BACK, 41, "clawed-back") \
	X(MASKED, 42, "masked") /* asks about what is masked for this person */ \
	/* why an answer did not leave whole */ \
	X(CUT, 43, \
	    "cut") /* stopped: what allowed it was taken away, or the vault was sealed or ended */ \
	X(GONE, 44, "gone")           /* the client's connection ended */ \
	X(UNKNOWN, 45, "unknown")     /* the process that knew has ended */ \
	X(LOW_SPACE, 46, "low-space") /* the log's disk is nearly full */ \
	X(TIMEOUT, 47, \
	    "timeout") /* a handshake or request that did not come to its end in time */ \
	X(OVER_LIMIT, 48, "over-limit") /* more at a time than is taken on */ \
	X(TICKET, 49, "ticket")         /* a part of a load without a ticket that is good for it */

enum us_reason {
#define X(name, number, text) US_REASON_##name = number,
	US_REASON_LIST(X)
#undef X
};

/* What stage of an act an entry is. */
#define US_KIND_LIST(X) \
	X(INTENT, 1, "intent")         /* before anything is opened */ \
	X(DISCLOSURE, 2, "disclosure") /* what reached a person */ \
	X(OUTCOME, 3, "outcome")       /* how it ended */ \
	X(EVENT, 4, "event")           /* nobody asked: the machine itself */

enum us_kind {
#define X(name, number, text) US_KIND_##name = number,
	US_KIND_LIST(X)
#undef X
};

#define US_DECISION_LIST(X) \
	X(NONE, 0, "none") \
	X(ALLOW, 1, "allow") \
	X(DENY, 2, "deny") \
	X(FAILED, 3, "failed")

enum us_decision {
#define X(name, number, text) US_DECISION_##name = number,
	US_DECISION_LIST(X)
#undef X
};

/* The class of an entry: the only coarse hint in its open part (docs/PROTOCOL.md section 6). */
#define US_CLASS_LIST(X) \
	X(ACCESS, 1, "access") \
	X(STATE, 2, "state") \
	X(SYSTEM, 3, "system") \
	X(NOISE, 4, "noise")

enum us_entry_class {
#define X(name, number, text) US_CLASS_##name = number,
	US_CLASS_LIST(X)
#undef X
};

/* Static text of a member, or NULL for a number that is not one (which is how a decoder checks). */
const char *us_action_name(unsigned action);
/* Static text of a reason, or NULL for a number that is none. */
const char *us_reason_name(unsigned reason);
/* Static text of a kind of entry, or NULL for a number that is none. */
const char *us_kind_name(unsigned kind);
/* Static text of a decision, or NULL for a number that is none. */
const char *us_decision_name(unsigned decision);
/* Static text of a class of entries, or NULL for a number that is none. */
const char *us_entry_class_name(unsigned entry_class);
/* The action with that name (n characters); US_ERR_NOT_FOUND and *out untouched otherwise. */
int us_action_of(enum us_action *out, const char *name, size_t n);
/* The reason with that name; as us_action_of(). */
int us_reason_of(enum us_reason *out, const char *name, size_t n);

#endif
