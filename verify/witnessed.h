/*
 * What witnesses say of the log (docs/PROTOCOL.md, sections 6 and 8): cosignatures of its
 * checkpoint, and of earlier ones that lie beside it as checkpoint.witnessed and, with at least K
 * cosignatures, checkpoint.witnessed.K. Which witnesses are enough is a policy's to say. An earlier
 * checkpoint is the log's own word in any case, so it must be of a tree that the log has grown out
 * of.
 */
#ifndef US_VERIFY_WITNESSED_H
#define US_VERIFY_WITNESSED_H

#include "log/witness_policy.h"
#include "verify/finding.h"
#include "verify/prefix.h"

#define WITNESSED_FILES US_COSIGNERS_MAX
#define WITNESSED_PATH_MAX 32

struct us_verify_witnessed_note {
	char path[WITNESSED_PATH_MAX];
	uint64_t size;
	struct us_digest root;
	size_t prefix; /* its place */
	int met;       /* the policy's quorum cosigned it */
	uint64_t as_of_s;
	struct us_cosigned who;
};

struct us_verify_witnessing {
	size_t n; /* the first is the checkpoint itself */
	struct us_verify_witnessed_note note[1 + WITNESSED_FILES];
};

/* Before the pass: takes the log's checkpoint. The policy (NULL: none) is one for this log, and no
 * line of a witness of it is wrong. US_OK, FOUND, US_ERR_NOMEM. */
int us_verify_witnessed_begin(struct us_verify_witnessing *w, const struct us_note_key *log,
    const struct us_tlog_policy *policy, struct us_bytes checkpoint,
    struct us_verify_finding *finding);
/* Then those beside it, which are signed by the log, too, and whose lines are right. */
int us_verify_witnessed_beside(struct us_verify_witnessing *w, const struct us_log_source *source,
    const struct us_note_key *log, const struct us_tlog_policy *policy,
    struct us_verify_prefixes *prefixes, struct us_verify_finding *finding);
/* After it, if the log is right: that each is of a tree that the log has grown out of. US_OK,
 * FOUND. */
int us_verify_witnessed_compare(const struct us_verify_witnessing *w,
    const struct us_verify_prefixes *prefixes, struct us_verify_finding *finding);
/* Then whether the quorum is there; fills report->witnessed. US_OK, FOUND. */
int
us_verify_witnessed_judge(const struct us_verify_witnessing *w, const struct us_tlog_policy *policy,
    struct us_verify_report *report, struct us_verify_finding *finding);

#endif
