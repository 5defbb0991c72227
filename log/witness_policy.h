/*
 * Which cosignatures make a checkpoint good: policy files of c2sp.org/tlog-policy. Lines of octets,
 * words parted by blanks and tabs, "#" begins a comment line:
 *
 *   log VKEY [URL]                         signs the checkpoint (Ed25519, type 1)
 *   witness NAME VKEY [URL]                cosigns it (cosignature/v1, type 4); URL: where
 *                                          log/cosignature.h is asked for
 *   group NAME all|any|K NAME...           so many of those, each defined above and in no other
 *                                          group
 *   quorum NAME|none                       exactly once, of a witness or a group defined above
 *
 * A file that is not understood to its last line is no policy. Stricter than the text where it
 * leaves room: every line has its end (a file cut short is refused), no key is a witness's and a
 * log's, keys of unknown types are refused.
 *
 * A policy is immutable once parsed; safe in threads.
 */
#ifndef US_LOG_WITNESS_POLICY_H
#define US_LOG_WITNESS_POLICY_H

#include "log/cosignature.h"

#define US_TLOG_POLICY_MAX (256 * 1024)
#define US_TLOG_LOGS_MAX 64
#define US_TLOG_GROUPS_MAX 64
#define US_TLOG_NAME_MAX 255
#define US_TLOG_URL_MAX 1024

struct us_tlog_policy;

/* Where a file is wrong. what: a static text. */
struct us_tlog_policy_error {
	unsigned line; /* from 1; 0: the file as a whole */
	const char *what;
};

/* Parses a whole file. US_ERR_FORMAT, US_ERR_LIMIT, US_ERR_EXISTS (a name or key twice),
 * US_ERR_NOT_FOUND (a name that was not defined above), US_ERR_NOMEM; error may be NULL. Free with
 * us_tlog_policy_free(), NULL allowed. */
int us_tlog_policy_parse(struct us_tlog_policy **out, const void *text, size_t n,
    struct us_tlog_policy_error *error);
/* NULL is allowed. */
void us_tlog_policy_free(struct us_tlog_policy *p);

/* The *n keys of logs in the order of the file; valid as long as the policy. */
const struct us_note_key *us_tlog_policy_logs(const struct us_tlog_policy *p, size_t *n);
/* The same for the witnesses. */
const struct us_note_key *us_tlog_policy_witnesses(const struct us_tlog_policy *p, size_t *n);
/* The URL of witness i, NULL if it has none. */
const char *us_tlog_policy_witness_url(const struct us_tlog_policy *p, size_t i);
/* The name of a witness in the file, which is not the one in its key. */
const char *us_tlog_policy_witness_name(const struct us_tlog_policy *p, size_t i);

/* Whether these witnesses are a quorum. by: an element each, not 0 if it cosigned. */
int us_tlog_policy_met(const struct us_tlog_policy *p, const uint8_t by[US_COSIGNERS_MAX]);

struct us_tlog_verdict {
	struct us_checkpoint checkpoint; /* extensions point into the note */
	struct us_cosigned who;          /* of the policy's witnesses */
	uint64_t as_of_s; /* a quorum cosigned at this time or later; 0: "quorum none" */
};

/*
 * Whether a checkpoint with its cosignatures is good: signed by a log of the policy whose name is
 * its origin, and cosigned by a quorum. log: the one log that is meant, or NULL for any; if the
 * policy names logs, it must be among them.
 *
 * US_OK; US_ERR_INCOMPLETE (not cosigned by a quorum: *out says who did); US_ERR_NOT_FOUND (not
 * signed by such a log, or log is not in the policy); US_ERR_SIGNATURE (a line names a known key
 * and is not its signature: nothing is believed then); US_ERR_ARG (no log is known); errors of
 * us_checkpoint_open(). out is filled on US_OK and US_ERR_INCOMPLETE.
 */
int us_tlog_policy_check(const struct us_tlog_policy *p, const struct us_note_key *log,
    struct us_bytes note, struct us_tlog_verdict *out);

#endif
