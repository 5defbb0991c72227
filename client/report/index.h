/*
 * An index of an export for `audit report who-saw`: which entries disclosed which record. It is
 * made from a log that has just been verified as a whole, and is good for the checkpoint that it
 * names alone: origin, size and root.
 *
 * It is a finding aid, not evidence. Each entry that it finds is proved again to stand in the log
 * under that checkpoint, whose signature is checked, and opened with its key; so a wrong index can
 * add nothing to an answer. That nothing is missing rests on the file: it belongs to who made it,
 * nobody else can read or write it, and its digests tell a damaged one.
 *
 * The file, integers big-endian:
 *   "underseal/report-index/2\n" ‖ u64 size ‖ root(32) ‖ i64 first time ‖ i64 last time ‖ u64
 *   withheld ‖ u64 n ‖ str16 origin ‖ SHA-256 of each block ‖ SHA-256 of all before ‖ n postings in
 *   blocks of 2,048, the last one shorter posting: u32 collection ‖ u32 place of the entry in its
 *   bundle ‖ u64 record ‖ u64 entry ‖ u64 offset of its line in
 *            keys.jsonl (all ones: none)
 * Postings ascend. Those of collection 0 are the acts that give names and batches.
 */
#ifndef US_CLIENT_REPORT_INDEX_H
#define US_CLIENT_REPORT_INDEX_H

#include "client/report/report.h"

struct us_report_index;

/* Where an entry and its keys stand in the files of an export. */
struct us_report_place {
	uint64_t line;   /* offset of its line in keys.jsonl; all ones: none */
	uint32_t bundle; /* offset of its length in its bundle */
};

/* Writes the index of a trail whose verdict is OK, mode 0600. places: of each entry. US_ERR_IO,
 * US_ERR_NOMEM. */
int us_report_index_make(const char *file, const struct us_trail *t,
    const struct us_report_place *places);
/* Opens the index and the export, whose checkpoint must be signed by vkey. Sets t->verified.
 * US_ERR_NOT_FOUND: there is no index, or it is another checkpoint's; US_ERR_FORMAT, US_ERR_VERIFY:
 * it is damaged, or the export is. */
int us_report_index_open(struct us_report_index **out, const char *file, const char *dir,
    const char *vkey, struct us_trail *t);
/* Adds to the trail the entries that disclosed these records, or, with NULL, the acts of names and
 * batches: in the order of the log, each proved and opened. */
int us_report_index_load(struct us_report_index *x, const struct us_report_records *records,
    struct us_trail *t);
/* Entries without a key for access or disclosure, in the whole log. */
uint64_t us_report_index_withheld(const struct us_report_index *x);
/* Unmaps the index and frees it; NULL is allowed. */
void us_report_index_close(struct us_report_index *x);

#endif
