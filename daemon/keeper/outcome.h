/*
 * How answers end. Most leave whole: every few seconds one entry, a mark, says so of all up to an
 * index. One that did not has an entry of its own, an outcome, before the mark that passes it. What
 * a process leaves behind when it ends is marked as not known.
 *
 *   settled <= ended <= committed entries; every mark begins where the one before it ended.
 */
#ifndef US_DAEMON_KEEPER_OUTCOME_H
#define US_DAEMON_KEEPER_OUTCOME_H

#include "base/buf.h"
#include "case/action.h"

struct us_keeper;

/* k->answers, of a log that is not open yet. US_ERR_NOMEM. */
int us_answers_new(struct us_keeper *k);
/* Gives it back; what is known stands in the log and its journal. */
void us_answers_free(struct us_keeper *k);
/* Once the log is open and the start of this process, entry `start`, appended: marks what the one
 * before left behind. */
void us_answers_begin(struct us_keeper *k, uint64_t start);
/* That entry gives the vault something, so its answer will have an end. */
void us_answers_granted(struct us_keeper *k, uint64_t index);
/* 1 if the vault has not said yet of all of them that they have ended. */
int us_answers_open(const struct us_keeper *k);
/* The process is about to end, and its vault to say how answers ended. */
void us_answers_await(struct us_keeper *k);
/* 1 if that is so. */
int us_answers_are_awaited(const struct us_keeper *k);
/* A mark, if one is due. */
void us_answers_tick(struct us_keeper *k);
/* The process, or its vault, ends: marks what has ended, and says of the rest that it ended for
 * that reason. */
void us_answers_end(struct us_keeper *k, enum us_reason reason);

#endif
