/*
 * What a log entry can be about: closed sets with stable numbers. A number is never given again,
 * a name never changes: both stand in entries and in the JSON that scripts read. New members are
 * appended. The lists are macros so that enum, name table and parser cannot disagree; that of
 * actions, which says more of each, is a file of its own.
 */
#ifndef US_CASE_ACTION_H
#define US_CASE_ACTION_H

#include <stddef.h>
#include <stdint.h>

#include "case/actions.def"

enum us_action {
#define X(name, number, text, class, evidence, log, frozen, records, index, full, done) \
	US_ACTION_##name = number,
	US_ACTIONS(X)
#undef X
};

/* How an action is decided. */
enum us_action_class {
	/* only if a rule permits it: evidence, loading, opening the log */
	US_ACTIONS_ORDERED,
	/* anybody with a live credential, unless a rule forbids it. Lists of people, credentials
	 * and the docket: in full to capacities of full sight (case/capacities.def), to others
	 * what concerns their own parties. What a version changes, and who may do something with a
	 * record: to these and to roster signers */
	US_ACTIONS_OPEN,
	/* capacity and signatures decide first (registry/acts.def); rules can forbid it, and a
	 * permit that fits adds its conditions, but none makes it wider */
	US_ACTIONS_ADMINISTRATIVE,
	US_ACTIONS_INTERNAL /* the machine's own; nobody may ask for it */
};

enum us_action_done { US_ACTION_IS_PERFORMED, US_ACTION_IS_PLANNED, US_ACTION_IS_UNUSED };

/* A row of case/actions.def, which says what the members mean. */
struct us_action_row {
	const char *text;
	enum us_action_class class;
	enum us_action_done done;
	uint8_t is_evidence;
	uint8_t opens_log;
	uint8_t is_frozen;
	uint8_t shows_records;
	uint8_t opens_index;
	uint8_t goes_on_when_full;
};

#define US_ACTIONS_MAX 128 /* behind the last number that there can be: bits of compiled orders */

/* What the table says of an action; never NULL. Of a number that is none: what it says of NONE,
 * which is the machine's own and does nothing. */
const struct us_action_row *us_action_row(unsigned action);

/* Behind the last number of a reason that there can be: the counts of all fit the messages that
 * carry them (daemon/process/messages.def, handshakes and noise: five bytes each of 512). */
#define US_REASONS_MAX 100

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
