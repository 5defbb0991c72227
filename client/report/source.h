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
};

/* Fills the trail, names included, and t->verified. An index that is missing or of another
 * checkpoint is made; one that is good is used: then *indexed is 1, the trail holds the entries
 * that it found alone, and *withheld is how many are in the whole log. Returns an exit status: DONE
 * whatever the verdict. */
int us_report_gather(struct us_client *client, const struct us_report_from *from,
    struct us_trail *t, int *indexed, uint64_t *withheld);

#endif
