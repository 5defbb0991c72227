/*
 * Hand-overs of the log to other keys (docs/PROTOCOL.md, section 9): the file "handovers" leads
 * from the key that is given to the one that signed the checkpoint; the tree was at each hand-over
 * the one that was handed over; and the entries that say so stand where they must.
 */
#ifndef US_VERIFY_SUCCESSION_H
#define US_VERIFY_SUCCESSION_H

#include "log/succession.h"
#include "verify/bundle.h"
#include "verify/prefix.h"

struct us_verify_succession {
	int here; /* the file is there */
	struct us_buf text;
	struct us_handovers *chain; /* no items without the file */
	size_t prefix[US_HANDOVERS_MAX];
	uint8_t digest[US_HANDOVERS_MAX][32]; /* of each hand-over's bytes */
};

/* Reads the file. key: the one given becomes the newest of the chain, which it must stand in.
 * Nothing is read for a log that is not ours. US_OK, FOUND, US_ERR_NOMEM, US_ERR_CRYPTO. Free with
 * us_verify_succession_free() in any case. */
int us_verify_succession_open(struct us_verify_succession *h, const struct us_log_source *source,
    int foreign, struct us_note_key *key, struct us_verify_finding *finding);
void us_verify_succession_free(struct us_verify_succession *h);
/* Once the size is known, before the pass; fills the report's list. US_OK, FOUND. */
int us_verify_succession_begin(struct us_verify_succession *h, struct us_verify_prefixes *prefixes,
    struct us_verify_report *report, struct us_verify_finding *finding);
/* The rule "handover", for each entry in order. US_OK, FOUND. */
int us_verify_succession_next(const struct us_verify_succession *h, const struct us_opened *e,
    struct us_verify_finding *finding);
/* When the pass went by and the root is right. US_OK, FOUND. */
int us_verify_succession_conclude(const struct us_verify_succession *h,
    const struct us_verify_prefixes *prefixes, struct us_verify_finding *finding);

#endif
