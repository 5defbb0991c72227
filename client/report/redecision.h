/*
 * What the log granted, decided again: the registry is folded from the acts as the log goes by, and
 * each grant is put to the order in force then, with the facts that its entry names. So a report
 * need not believe the decisions that entries give.
 *
 * What was disclosed before, approvals, and whether a rule's query finds a record are not asked:
 * the first two are the keeper's to count, and the last needs the evidence.
 */
#ifndef US_CLIENT_REPORT_REDECISION_H
#define US_CLIENT_REPORT_REDECISION_H

#include "client/report/trail.h"

struct us_redecision;

/* US_ERR_NOMEM. */
int us_redecision_new(struct us_redecision **out);
/* Frees it; NULL is nothing. */
void us_redecision_free(struct us_redecision *a);
/* 1 if the entry is the first of a request whose grant is decided again. Then its number of records
 * counts, and those of the further parts, which stand right behind it. */
int us_redecision_asks(const struct us_trail_entry *e);
/* Every entry of the log in its order. act: of one of class STATE, which is folded; records: how
 * many the whole request names, where us_redecision_asks(). *why: what speaks against what it
 * granted; US_REASON_NONE: nothing, or it granted nothing. Errors of us_registry_apply(): the acts
 * do not follow from one another. */
int us_redecision_next(struct us_redecision *a, const struct us_trail_entry *e, struct us_bytes act,
    uint64_t records, enum us_reason *why);
/* How many grants have been put to the order so far. */
uint64_t us_redecision_count(const struct us_redecision *a);

#endif
