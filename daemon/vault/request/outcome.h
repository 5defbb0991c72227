/*
 * How answers end, for the log. A request that was given something, by an entry, is on a list until
 * its answer has ended; the keeper is told up to which entry all have, and of those that did not
 * leave whole, how and after how many records.
 */
#ifndef US_DAEMON_VAULT_REQUEST_OUTCOME_H
#define US_DAEMON_VAULT_REQUEST_OUTCOME_H

#include "base/buf.h"
#include "case/action.h"

struct event_base;
struct us_vault_keeper;
struct us_vault_late;
struct us_vault_outcomes;
struct us_vault_request;
struct us_vault_state;

/* What a request has been given, and how its answer ends. */
struct us_vault_ending {
	enum us_reason reason; /* why its answer does not leave whole; NONE: it has */
	uint64_t newest;       /* the newest entry that gave something */
	uint64_t records;      /* of that entry, whose last byte, a newline, is in the answer */
	uint64_t first;        /* the first one; NO_ENTRY: none, and it is on no list */
	struct us_vault_ending *before, *next; /* by first */
	struct us_vault_late *late; /* of the question under way, if its answer may be late */
};

/* state and keeper are kept, not owned. US_ERR_NOMEM. */
int us_vault_outcomes_new(struct us_vault_outcomes **out, struct event_base *base,
    const struct us_vault_state *state, struct us_vault_keeper *keeper);
/* NULL is allowed. */
void us_vault_outcomes_free(struct us_vault_outcomes *o);
/* The vault has opened: what the log holds by now is nobody's answer here. */
void us_vault_outcomes_open(struct us_vault_outcomes *o);
/* Tells the keeper now what it has not been told. */
void us_vault_outcomes_tell(struct us_vault_outcomes *o);
/* 1 if there is nothing to tell. */
int us_vault_outcomes_told(const struct us_vault_outcomes *o);

/* The keeper has answered about that entry; NO_ENTRY: about none. */
void us_vault_outcome_answered(struct us_vault_outcomes *o, uint64_t entry);
/* 1 if, with that err of a "logged" or of keys of the log, the entry gives something: it stands
 * also where its keys could not be made, or were kept back since the order was asked again. */
int us_vault_outcome_is_given(int err);

/* Of a request that was given nothing yet. */
void us_vault_outcome_begin(struct us_vault_ending *e);
/* That entry gives it something: its answer will have an end. */
void
us_vault_outcome_granted(struct us_vault_outcomes *o, struct us_vault_ending *e, uint64_t entry);
/* What it was given up to now was for the vault itself, and is here. */
void us_vault_outcome_whole(struct us_vault_outcomes *o, struct us_vault_ending *e);
/* The request is about to be gone, for e->reason. unsent: what of its answer has not left. */
void us_vault_outcome_end(struct us_vault_outcomes *o, struct us_vault_ending *e,
    struct us_bytes unsent);
/* It is gone while the keeper writes its entry: the answer to that question (tag) is heard here. */
void us_vault_outcome_orphan(struct us_vault_outcomes *o, uint32_t tag, enum us_reason reason);

/* For a question about to be asked for r, whose answer may come behind answers to later entries:
 * until it is here nothing is said to have ended from now on. e: r's. NULL if memory is out. */
struct us_vault_late *us_vault_outcome_late(struct us_vault_outcomes *o, struct us_vault_ending *e,
    struct us_vault_request *r);
/* It was not asked after all, or its answer is here: late is gone. Returns the request, NULL if it
 * has ended: then, if the entry gave something, its outcome has been noted. entry: NO_ENTRY if
 * there is none. */
struct us_vault_request *
us_vault_outcome_not_late(struct us_vault_late *late, uint64_t entry, int given);

#endif
