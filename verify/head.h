/* What a log begins with for who verifies it: its key, and the checkpoint that the key signed. */
#ifndef US_VERIFY_HEAD_H
#define US_VERIFY_HEAD_H

#include "verify/finding.h"
#include "verify/options.h"
#include "verify/succession.h"

/* Gets the key (options->vkey or the log's own), follows hand-overs from it, and opens the
 * checkpoint with the key that they lead to, into report->own_vkey and report->checkpoint; note
 * gets its bytes. US_OK, FOUND, US_ERR_NOMEM. */
int us_verify_head_open(struct us_verify_report *report, struct us_note_key *key,
    struct us_verify_succession *handed, struct us_buf *note, const struct us_log_source *source,
    const struct us_verify_options *options, struct us_verify_finding *finding);
/* A log's key from its text, which may end in a newline. US_OK, FOUND. */
int
us_verify_head_key(struct us_note_key *key, const char *text, struct us_verify_finding *finding);
/* Opens a checkpoint that must be signed by that key. US_OK, FOUND, US_ERR_NOMEM. */
int us_verify_head_checkpoint(struct us_checkpoint *c, const struct us_note_key *key,
    struct us_bytes note, struct us_verify_finding *finding);

#endif
