/*
 * Records that an act names as clawed back, frozen or relabelled: the sets, and what follows from
 * them for one record or a range. The sets are exact, so that keeper and vault decide the same
 * without opening anything: what a person selects by a query is resolved by a search of theirs
 * first. Records that are loaded later are in no set.
 */
#ifndef US_REGISTRY_WITHHELD_H
#define US_REGISTRY_WITHHELD_H

#include "registry/record_set.h"

struct us_registry;
struct us_filing;

/* Why a record is withheld. */
#define US_WITHHELD_CLAWBACK 1u
#define US_WITHHELD_FREEZE 2u

/* The reason that a filing withholds its set's records for now; 0: none. */
unsigned us_filing_withholds(const struct us_filing *f);
/* US_WITHHELD_* of one record now. */
unsigned us_registry_withheld(const struct us_registry *reg, uint32_t collection, uint64_t record);
/* 1 if some clawback or freeze touches the collection at all (a quick answer for the many that none
 * does). */
int us_registry_withholds(const struct us_registry *reg, uint32_t collection, unsigned why);
/* Calls run for every run of records in [first, first + count) that is withheld for one of the
 * reasons in why; runs of several sets may overlap and come in any order. */
void us_registry_withheld_runs(const struct us_registry *reg, uint32_t collection, uint64_t first,
    uint64_t count, unsigned why, void (*run)(void *ctx, struct us_run run), void *ctx);

struct us_relabel {
	struct us_record_set *set;
	char designation[US_DESIGNATION_MAX + 1];
	char reason[US_REASON_TEXT_MAX + 1];
	uint32_t by;
	int64_t time_ns;
	uint64_t sequence;
};
/* How many copies hold a record of a set, by what has become of them. */
struct us_copies_of {
	uint64_t out, returned, destroyed;
};
/* Counts them over all copies ever made; *count is overwritten. */
void us_registry_copies_of(const struct us_registry *reg, const struct us_record_set *set,
    struct us_copies_of *count);
/* How many acts have relabelled records. */
size_t us_registry_relabels(const struct us_registry *reg);
/* in their order */
const struct us_relabel *us_registry_relabel(const struct us_registry *reg, size_t i);
/* The designation that a record was given last by a relabel; NULL: it has that of its load. */
const char *
us_registry_designation(const struct us_registry *reg, uint32_t collection, uint64_t record);

#endif
