/* Where reports get the log from: the vault, an export, or an index of an export. */
#ifndef US_CLIENT_REPORT_SOURCE_H
#define US_CLIENT_REPORT_SOURCE_H

#include "client/report/report.h"

struct us_report_from {
	const char *dir; /* an export; NULL: the vault of the profile */
	/* file with the log's key; NULL: the profile's, else the export's own */
	const char *vkey;
	const char *index;  /* file; NULL: none. Only for reports about one record */
	const char *record; /* with index: COLLECTION/BATES */
	int no_mirror;      /* of the vault: fetch all, keep nothing */
};

struct us_report_source;

/* Fetches or opens what is needed before the first entry: names, keys, acts. Returns an exit
 * status; *out is to be closed in any case. */
int us_report_source_open(struct us_report_source **out, struct us_client *client,
    const struct us_report_from *from);
/* Verifies the whole log and gives its entries to the report as one pass; trail is initialised
 * here, and freed by the caller. An index that is missing or of another checkpoint is made; of one
 * that is good the entries that it found are given alone. Returns an exit status: DONE whatever the
 * verdict, which is trail->verified's. May be called again. */
int us_report_source_read(struct us_report_source *s, struct us_report *r, struct us_trail *trail);
/* 1 if the last pass was answered from an index: *withheld is how many are in the whole log. */
int us_report_source_indexed(const struct us_report_source *s, uint64_t *withheld);
/* Frees it; NULL is nothing. */
void us_report_source_close(struct us_report_source *s);

#endif
