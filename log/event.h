/*
 * What an entry says beside who did what: the summary in its access box. Each form is one struct
 * and one row of US_EVENT_LIST, both here; the codec (event.c) goes by the rows, and
 * docs/PROTOCOL.md, section 6, "Summaries", is held against them by a test. A new form needs its
 * struct, its list of fields, its row and a line of that table, and nothing else in this folder.
 *
 * Which form a summary has follows from kind, action and decision of its entry: it is that of the
 * first row that fits them and whose fields take the bytes up to the last one. So what was written
 * is read again as it was, and there is one way to write it.
 *
 * Pure functions. What is decoded points into the bytes that it came from.
 */
#ifndef US_LOG_EVENT_H
#define US_LOG_EVENT_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "case/action.h"

#define US_EVENT_ANY (-1)
#define US_EVENT_ACTIONS 3        /* that one row can name */
#define US_EVENT_COUNT_SIZE 5     /* bytes of one item of counts */
#define US_EVENT_COSIGNER_SIZE 12 /* of cosigners */
#define US_EVENT_KEY_SIZE 4       /* of keys */
#define US_EVENT_CONFIGURE_MAX 2048
#define US_EVENT_ACT_MAX 2048 /* a larger act is said by its digest */

/* Types of fields. Whole numbers are big-endian. The last four take what is left of the summary.
 * X(type, how docs/PROTOCOL.md writes it, with the field's name for %s) */
#define US_EVENT_TYPES(X) \
	X(U8, "u8 %s") \
	X(U32, "u32 %s") \
	X(U64, "u64 %s") \
	X(I64, "i64 %s") \
	X(WORD, "\"%s\"") /* always there */ \
	X(FLAG, "\"%s\" or nothing") \
	X(BYTES, "%s") \
	X(COUNTS, "{ u8 reason ‖ u32 count }") \
	X(COSIGNERS, "{ u32 key ‖ u64 time }") \
	X(KEYS, "{ u32 key }")

/* A field's member of struct us_event. */
#define US_EVENT_MEMBER(type, member, field) US_EVENT_MEMBER_##type(field)
#define US_EVENT_MEMBER_U8(field) uint8_t field;
#define US_EVENT_MEMBER_U32(field) uint32_t field;
#define US_EVENT_MEMBER_U64(field) uint64_t field;
#define US_EVENT_MEMBER_I64(field) int64_t field;
#define US_EVENT_MEMBER_WORD(field)            /* none */
#define US_EVENT_MEMBER_FLAG(field) int field; /* 1 or 0 */
#define US_EVENT_MEMBER_BYTES(field) struct us_bytes field;
#define US_EVENT_MEMBER_COUNTS(field) struct us_bytes field;
#define US_EVENT_MEMBER_COSIGNERS(field) struct us_bytes field;
#define US_EVENT_MEMBER_KEYS(field) struct us_bytes field;

/* Each event's fields, in the order of their bytes: F(type, member of struct us_event, field). Who
 * makes an event names them: members of one type would change places unseen. */

/* The approval by others that this read, copy or count has used up. */
#define US_EVENT_FIELDS_approval(F) F(WORD, approval, approval) F(U32, approval, number)

/* Keys of the log's boxes, of entries from <= index < to. */
#define US_EVENT_FIELDS_box_keys(F) F(U64, box_keys, from) F(U64, box_keys, to)

/* At a start: the keys of the witnesses that are configured. */
#define US_EVENT_FIELDS_witnesses(F) F(KEYS, witnesses, witnesses)

/* Nobody has cosigned the log for too long: what was done about it, "warn" or "seal". */
#define US_EVENT_FIELDS_unwitnessed(F) F(BYTES, unwitnessed, done)

/* Cosignatures of the tree of that size that were new: whose, and of which second. */
#define US_EVENT_FIELDS_cosigned(F) F(U64, cosigned, size) F(COSIGNERS, cosigned, cosigners)

/* frozen: nothing is given until the next start. */
#define US_EVENT_FIELDS_start(F) F(FLAG, start, frozen)

/* A closed set that stands in entries: numbers are never given again. */
#define US_GAP_LIST(X) \
	X(STOPPED, 1, "stopped") /* since an orderly stop */ \
	X(SEALED, 2, "sealed")   /* since a seal, which starts the processes anew */ \
	/* the last run did not end in order: killed, failed, or the power went */ \
	X(CRASHED, 3, "crashed") \
	/* the clock went on more than the machine did: it was suspended, or the clock was set */ \
	X(CLOCK, 4, "clock") \
	X(STALLED, 5, "stalled") /* the process did not run */

enum us_gap {
#define X(name, number, text) US_GAP_##name = number,
	US_GAP_LIST(X)
#undef X
};

/* No entry was written between the two times (nanoseconds since 1970), and could not be. cause:
 * enum us_gap. */
#define US_EVENT_FIELDS_gap(F) F(I64, gap, from) F(I64, gap, to) F(U8, gap, cause)

/* UTF-8. Lines "name: old -> new", "-" for what was or is not set; if that is more than
 * US_EVENT_CONFIGURE_MAX bytes, "sha256 " and the digest of all settings in hex, then the names
 * that changed, as many as there is room for. */
#define US_EVENT_FIELDS_configure(F) F(BYTES, configure, changes)

/* Which process (role: order in daemon/process/messages.h). signal 1: a signal ended it, which is
 * in status; else that is the exit status. */
#define US_EVENT_FIELDS_role_restart(F) \
	F(U8, role_restart, role) \
	F(U8, role_restart, index) F(U8, role_restart, signal) F(U8, role_restart, status)

#define US_EVENT_FIELDS_order_in_force(F) F(U32, order_in_force, version)

/* handover: log/succession.h. */
#define US_EVENT_FIELDS_handover(F) F(BYTES, handover, handover)

/* What was refused without an entry of its own: see us_event_next_count(). */
#define US_EVENT_FIELDS_counts(F) F(COUNTS, counts, count)

/* Answers to entries from <= index < to have ended. */
#define US_EVENT_FIELDS_answered(F) F(U64, answered, from) F(U64, answered, to)

/* generation: of the keyring; successor: id of the key that its restoring signs with. */
#define US_EVENT_FIELDS_backup(F) \
	F(U32, backup, number) F(U64, backup, generation) F(U32, backup, successor)

/* number: as the share says, counted from 1; 0: it could not be read. */
#define US_EVENT_FIELDS_share(F) F(U8, share, number)

/* why: a sentence. */
#define US_EVENT_FIELDS_state_refused(F) F(BYTES, state_refused, why)

#define US_EVENT_FIELDS_seal(F) F(BYTES, seal, signed_act)

/* The committed act, or its digest: see us_event_of_act(). */
#define US_EVENT_FIELDS_act(F) F(BYTES, act, act)

/* X(FORM, member of struct us_event, kind, decision, actions…); US_EVENT_ANY: whichever. */
#define US_EVENT_LIST(X) \
	X(APPROVAL, approval, US_EVENT_ANY, US_EVENT_ANY, US_ACTION_READ, US_ACTION_COPY, \
	    US_ACTION_COUNT) \
	X(BOX_KEYS, box_keys, US_KIND_DISCLOSURE, US_EVENT_ANY, US_ACTION_AUDIT_KEYS) \
	X(WITNESSES, witnesses, US_KIND_EVENT, US_DECISION_NONE, US_ACTION_AUDIT_WITNESS) \
	X(UNWITNESSED, unwitnessed, US_KIND_EVENT, US_DECISION_FAILED, US_ACTION_AUDIT_WITNESS) \
	X(COSIGNED, cosigned, US_KIND_EVENT, US_EVENT_ANY, US_ACTION_AUDIT_WITNESS) \
	X(START, start, US_KIND_EVENT, US_EVENT_ANY, US_ACTION_START) \
	X(GAP, gap, US_KIND_EVENT, US_EVENT_ANY, US_ACTION_GAP) \
	X(CONFIGURE, configure, US_KIND_EVENT, US_EVENT_ANY, US_ACTION_CONFIGURE) \
	X(ROLE_RESTART, role_restart, US_KIND_EVENT, US_EVENT_ANY, US_ACTION_ROLE_RESTART) \
	X(ORDER_IN_FORCE, order_in_force, US_KIND_EVENT, US_EVENT_ANY, US_ACTION_ORDER_IN_FORCE) \
	X(HANDOVER, handover, US_KIND_EVENT, US_EVENT_ANY, US_ACTION_HANDOVER) \
	X(COUNTS, counts, US_KIND_EVENT, US_EVENT_ANY, US_ACTION_HANDSHAKES, US_ACTION_REFUSALS) \
	X(ANSWERED, answered, US_KIND_EVENT, US_EVENT_ANY, US_ACTION_ANSWERED) \
	X(BACKUP, backup, US_KIND_EVENT, US_EVENT_ANY, US_ACTION_BACKUP) \
	X(SHARE, share, US_KIND_EVENT, US_EVENT_ANY, US_ACTION_UNSEAL_SHARE) \
	X(STATE_REFUSED, state_refused, US_KIND_EVENT, US_DECISION_FAILED, US_ACTION_STATE_OPEN) \
	X(SEAL, seal, US_KIND_INTENT, US_EVENT_ANY, US_ACTION_SEAL) \
	/* of every entry that names an act */ \
	X(ACT, act, US_EVENT_ANY, US_EVENT_ANY, US_EVENT_ANY)

enum us_event_form {
	US_EVENT_NONE,  /* an empty summary */
	US_EVENT_OTHER, /* bytes that have no form here; nothing of ours writes them */
#define X(name, ...) US_EVENT_##name,
	US_EVENT_LIST(X)
#undef X
};

/* Start from zeros, which are a US_EVENT_NONE. */
struct us_event {
	enum us_event_form form;
	union {
		struct us_bytes other;
#define X(name, member, ...) \
	struct { \
		US_EVENT_FIELDS_##member(US_EVENT_MEMBER) \
	} member;
		US_EVENT_LIST(X)
#undef X
	};
};

/* What the entry says of itself by which a form is found. */
struct us_event_place {
	enum us_kind kind;
	enum us_action action;
	enum us_decision decision;
	int has_act; /* 1: it names an act */
};

/* Reads a summary. What fits no row is a US_EVENT_OTHER, so this does not fail. */
void
us_event_decode(struct us_event *out, const struct us_event_place *place, struct us_bytes summary);
/* How many bytes its summary has. */
size_t us_event_size(const struct us_event *e);
/* Appends them. US_ERR_ARG: no entry of that place says such a thing; US_ERR_LIMIT, US_ERR_NOMEM.
 * After an error out may have some of them. */
int
us_event_encode(struct us_buf *out, const struct us_event_place *place, const struct us_event *e);

/* The one view in it, for who keeps an event longer than the bytes that it came from and lets it
 * point elsewhere; NULL: there is none. */
struct us_bytes *us_event_view(struct us_event *e);

/* What the entry of a committed act says: the act, or, of one larger than US_EVENT_ACT_MAX, its
 * SHA-256, which goes to digest. Points into either. US_ERR_CRYPTO. */
int us_event_of_act(struct us_event *out, struct us_bytes committed, uint8_t digest[32]);

/* Takes the first item off counts: 1, or 0 if there is none. daemon/process/counts.h packs them. */
int us_event_next_count(struct us_bytes *counts, uint8_t *reason, uint32_t *n);
/* Writes one item of cosigners. time_s: seconds since 1970. */
void us_event_pack_cosigner(uint8_t out[US_EVENT_COSIGNER_SIZE], uint32_t key, uint64_t time_s);

/* "stopped", …; "" for a number that is none. */
const char *us_gap_name(unsigned cause);

#endif
