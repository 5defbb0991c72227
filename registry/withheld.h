/*
 * Records that an act names as clawed back, frozen or relabelled: the sets, and what follows from
 * them for one record or a range. The sets are exact, so that keeper and vault decide the same
 * without opening anything: what a person selects by a query is resolved by a search of theirs
 * first. Records that are loaded later are in no set.
 */
#ifndef US_REGISTRY_WITHHELD_H
#define US_REGISTRY_WITHHELD_H

#include "registry/act.h"

struct us_registry;

/* Runs of record numbers (0 .. 2^52 - 1) of one collection: ascending, not touching, at least one,
 * none empty. Does not change once made: any number of threads may read. */
struct us_record_set {
	uint32_t collection;
	uint64_t records; /* in all runs together */
	size_t n;
	struct us_run runs[];
};

/* Makes *out (free with free()) from a decoded selection. A selection by batch says no record
 * numbers: batch is the range of that batch, and is looked at only then. US_ERR_NOMEM;
 * US_ERR_FORMAT if the runs or the batch break what is said of the struct. */
int us_record_set_new(const struct us_selection *s, const struct us_run *batch,
    struct us_record_set **out);
/* 1 if it holds the record of that collection. */
int us_record_set_has(const struct us_record_set *set, uint32_t collection, uint64_t record);
/* Index of the first run that holds record or begins behind it; n if none does. Binary search. */
size_t us_record_set_from(const struct us_record_set *set, uint64_t record);
/* Calls run for every run cut to the records first .. first + count - 1, ascending; for none if
 * none is among them. */
void us_record_set_each(const struct us_record_set *set, uint64_t first, uint64_t count,
    void (*run)(void *ctx, struct us_run run), void *ctx);

/* Why a record is withheld. */
#define US_WITHHELD_CLAWBACK 1u
#define US_WITHHELD_FREEZE 2u

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
/* How many acts have relabelled records. */
size_t us_registry_relabels(const struct us_registry *reg);
/* in their order */
const struct us_relabel *us_registry_relabel(const struct us_registry *reg, size_t i);
/* The designation that a record was given last by a relabel; NULL: it has that of its load. */
const char *
us_registry_designation(const struct us_registry *reg, uint32_t collection, uint64_t record);

#endif
