/*
 * Timestamps beside a log (docs/PROTOCOL.md, section 14): timestamps/NAME.tsr is an authority's
 * word that timestamps/NAME.checkpoint was there at some time. That is an earlier checkpoint of the
 * log, so it must be of a tree that the log has grown out of; and nothing in that tree can be later
 * than the word about it.
 */
#ifndef US_VERIFY_STAMPS_H
#define US_VERIFY_STAMPS_H

#include "log/succession.h"
#include "verify/finding.h"
#include "verify/options.h"
#include "verify/succession.h"
#include "verify/prefix.h"
#include "verify/token.h"

/* A clock of the vault that goes fast by less than this is not held against it: sessions are given
 * as much (crypto/session.h). */
#define STAMP_TOLERANCE_S 120

struct us_verify_stamps {
	struct us_digest root[US_STAMPS_MAX]; /* of report->stamps[i].size, as stamped */
	size_t prefix[US_STAMPS_MAX];
	/* which of the options', or as many as there are: none of them */
	size_t authority[US_STAMPS_MAX];
};

/* By which keys what was stamped may be signed: the log's, and those that it had before (chain: no
 * items if none). */
struct us_verify_stamp_keys {
	const struct us_note_key *log;
	const struct us_handovers *chain;
};

/* Before the pass: reads and verifies them into report->stamps. Without authorities they are
 * counted only. US_OK, FOUND, US_ERR_NOMEM. */
int us_verify_stamps_open(struct us_verify_stamps *s, struct us_verify_report *report,
    const struct us_log_source *source, const struct us_verify_stamp_keys *keys,
    const struct us_verify_options *options, struct us_verify_prefixes *prefixes,
    struct us_verify_finding *finding);
/* After it: that each is of a tree that the log has grown out of, which holds nothing later. US_OK,
 * FOUND. */
int us_verify_stamps_compare(const struct us_verify_stamps *s,
    const struct us_verify_report *report, const struct us_verify_options *options,
    const struct us_verify_prefixes *prefixes, struct us_verify_finding *finding);
/* Then whether authorities enough have spoken; fills report->stamped. US_OK, FOUND. */
int us_verify_stamps_judge(const struct us_verify_stamps *s, struct us_verify_report *report,
    const struct us_verify_options *options, struct us_verify_finding *finding);

#endif
