/*
 * The acts beside a log (file "acts", docs/PROTOCOL.md section 10), each against the state that its
 * entry commits to. No key is needed for it. One owner, entries in order.
 */
#ifndef US_VERIFY_ACTS_H
#define US_VERIFY_ACTS_H

#include "log/state.h"
#include "verify/finding.h"

struct us_verify_acts {
	struct us_buf file;
	struct us_reader left;
	struct us_state state; /* state.n: acts that were right */
	uint64_t missing;      /* the first entry of an act that is not there, or US_ENTRY_NONE */
	int there;             /* the file is */
	int wanted;            /* where every box is open */
};

/* Reads the file; a log without one has no acts to check. US_OK, FOUND, US_ERR_NOMEM. */
int us_verify_acts_open(struct us_verify_acts *a, const struct us_log_source *source,
    struct us_verify_finding *finding);
/* Frees what open made. */
void us_verify_acts_close(struct us_verify_acts *a);
/* The next entry of class STATE, which commits to that: its act, if there are any left. US_OK,
 * FOUND, US_ERR_CRYPTO. */
int us_verify_acts_next(struct us_verify_acts *a, uint64_t index, const uint8_t commitment[32],
    struct us_verify_finding *finding);
/* Behind the last entry, with the boxes that were opened in the report: acts that are left over are
 * none of this log's, and none may be missing if there are any, or if every box was opened. US_OK,
 * FOUND. */
int us_verify_acts_end(const struct us_verify_acts *a, const struct us_verify_report *report,
    struct us_verify_finding *finding);

#endif
