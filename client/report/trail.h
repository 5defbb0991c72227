/*
 * The log as it goes by a report: each entry that the verifier has passed, with the boxes that
 * could be opened, and what is known so far: the act that it is of, the names that acts and the
 * vault's lists give. Nothing else of an entry is kept once the next one comes.
 *
 * An index (client/report/index.h) alone keeps entries: us_trail_add().
 */
#ifndef US_CLIENT_REPORT_TRAIL_H
#define US_CLIENT_REPORT_TRAIL_H

#include "client/report/names.h"
#include "log/export.h"
#include "log/opened.h"
#include "log/state.h"
#include "registry/registry.h"
#include "verify/verify.h"

/* An entry with what was opened of it. A box that was not opened, or is empty, has the values of
 * "nothing". */
struct us_trail_entry {
	uint64_t index;
	int64_t time_ns;
	uint32_t order_version;
	enum us_entry_class entry_class;
	uint8_t opened; /* 1 << enum us_box */
	enum us_kind kind;
	enum us_action action;
	enum us_decision decision;
	enum us_reason reason;
	uint32_t person, collection, rule;
	int told; /* that it was this person is the vault's word alone */
	uint8_t credential[32];
	uint64_t related, sequence;
	const char *paragraph;
	const char *party; /* "plaintiffs", or several joined by ", "; "" for none */
	struct us_event event;
	uint64_t snapshot, total;
	int fewer; /* the person was told "fewer than total" */
	uint32_t part, parts;
	size_t n_records;
	const uint64_t *records; /* in the order of disclosure */
	int has_copy;
	uint64_t copy_id;
	const char *recipient, *purpose, *address, *query;
	/* of a refusal: terms of the query box, the Bates numbers of records that were asked for */
	size_t n_asked;
	const char *const *asked;
};

#define US_TRAIL_RECENT 256

struct us_trail {
	struct us_names names;
	/* The acts as they were committed (str32 after str32), as far as there are any: views of
	 * the caller's. Each is checked against the commitment of its entry when that goes by. */
	struct us_bytes committed;
	size_t taken;    /* bytes of them that are the log's */
	uint64_t n_acts; /* entries of class STATE so far */
	uint64_t passed; /* entries so far */
	struct us_state state;
	struct us_bytes act;           /* of the newest entry of class STATE; empty: not there */
	int acts_err;                  /* why `committed` are not the log's acts, or US_OK */
	struct us_act *room;           /* of us_trail_act() */
	struct us_trail_chunk *chunks; /* what entries point at */
	struct us_trail_entry entry;   /* of us_trail_next() */
	struct us_verify_report verified;
	int offline;
	/* of us_trail_add() alone: entries in the order in which they were added, and of the texts
	 * they point at some that came shortly before, by hash */
	struct us_trail_entry *entries;
	size_t n, cap;
	const char *recent[US_TRAIL_RECENT];
};

/* An empty trail. */
void us_trail_init(struct us_trail *t);
/* Wipes and frees what it holds. */
void us_trail_free(struct us_trail *t);
/* Before the first entry: the acts beside the log (str32 after str32), which must stay. */
void us_trail_set_acts(struct us_trail *t, struct us_bytes committed);
/* Of an export, before the first entry: the names that those acts give, so that a question can be
 * put in them. What they are worth, us_trail_end_acts() says. US_ERR_NOMEM. */
int us_trail_names_ahead(struct us_trail *t);
/* The next entry: what is looked at is copied, its act checked, the names taken that it gives. *e
 * is valid until the next call. US_ERR_NOMEM. */
int
us_trail_next(struct us_trail *t, const struct us_opened *opened, const struct us_trail_entry **e);
/* The same, and the entry is kept, as t->entries[t->n - 1]. Only one of the two is used. */
int us_trail_add(struct us_trail *t, const struct us_opened *opened);
/* A copy of an entry in one piece, without what it says and what was asked for: to be freed. NULL
 * without memory. */
struct us_trail_entry *us_trail_entry_copy(const struct us_trail_entry *e);
/* Once all entries have gone by: US_OK if the acts that were given are the first of the log, or
 * all. US_ERR_VERIFY: one is not the log's, or an export has more than it; US_ERR_FORMAT and the
 * like: they are no acts. */
int us_trail_end_acts(const struct us_trail *t);
/* 1 if every act so far was there. */
int us_trail_has_acts(const struct us_trail *t);
/* 1 once the whole log has gone by with every act: what no act made is not there. */
int us_trail_is_whole(const struct us_trail *t);
/* The registry as it was at that moment, folded from the acts. US_ERR_NOT_FOUND: acts up to then
 * are not all there; errors of us_registry_apply(). Free with us_registry_free(). */
int us_trail_registry(const struct us_trail *t, int64_t at_ns, struct us_registry **out);

/* A committed act as its entry holds it. */
struct us_trail_act {
	struct us_committed_act committed;
	struct us_signed_act signed_act;
	const struct us_act *act; /* until the next call */
};
/* 1 if the entry, the newest, is of an act and the act is there whole: in the entry, or, of larger
 * ones, among those of us_trail_set_acts(). */
int
us_trail_act(const struct us_trail *t, const struct us_trail_entry *e, struct us_trail_act *out);

/* How an answer ended that did not leave whole. */
int us_trail_is_outcome(const struct us_trail_entry *e);
/* That answers before it have ended. */
int us_trail_is_mark(const struct us_trail_entry *e);
/* Which entries' answers a mark is about: from .. to - 1. */
void us_trail_mark(const struct us_trail_entry *e, uint64_t *from, uint64_t *to);

#endif
