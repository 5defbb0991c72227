/*
 * What the log granted, decided again: the registry is folded from the acts along the log, and each
 * grant is put to the order in force then, with the facts that its entry names. So a report need
 * not believe the decisions that entries give.
 *
 * What was disclosed before, approvals, and whether a rule's query finds a record are not asked:
 * the first two are the keeper's to count, and the last needs the evidence.
 */
#ifndef US_CLIENT_REPORT_REDECISION_H
#define US_CLIENT_REPORT_REDECISION_H

#include "client/report/report.h"

struct us_redecision;

/* US_ERR_NOT_FOUND: the trail does not have all acts. US_ERR_NOMEM. */
int us_redecision_new(struct us_redecision **out, const struct us_trail *t);
void us_redecision_free(struct us_redecision *a); /* NULL-safe */
/* Every entry of the trail in its order; folds its act, if it is of one. *why: what speaks against
 * what it granted; US_REASON_NONE: nothing, or it granted nothing. Errors of us_registry_apply():
 * the acts do not follow from one another. */
int
us_redecision_next(struct us_redecision *a, const struct us_trail_entry *e, enum us_reason *why);
/* How many grants have been put to the order so far. */
uint64_t us_redecision_count(const struct us_redecision *a);

#endif
