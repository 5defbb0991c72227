/*
 * Hand-overs of the log to other keys (docs/PROTOCOL.md, section 9): the file "handovers" leads from the key that is given to the one that
 * signed the checkpoint; the tree was at each hand-over the one that was handed over; and the entries that say so stand where they must.
 */
#ifndef US_VERIFY_HANDED_H
#define US_VERIFY_HANDED_H

#include "log/succession.h"
#include "verify/bundle.h"
#include "verify/prefix.h"

struct handed {
	int here;                     /* the file is there */
	struct us_buf text;
	struct us_handovers *chain;   /* no items without the file */
	size_t prefix[US_HANDOVERS_MAX];
	uint8_t digest[US_HANDOVERS_MAX][32]; /* of each hand-over's bytes */
};

/* Reads the file. key: the one given becomes the newest of the chain, which it must stand in. Nothing is read for a log that is not
 * ours. US_OK, FOUND, US_ERR_NOMEM, US_ERR_CRYPTO. Free with handed_free() in any case. */
int handed_open(struct handed *h, const struct us_log_source *source, int foreign, struct us_note_key *key, struct finding *finding);
void handed_free(struct handed *h);
/* Once the size is known, before the pass; fills the report's list. US_OK, FOUND. */
int handed_begin(struct handed *h, struct prefixes *prefixes, struct us_verify_report *report, struct finding *finding);
/* The rule "handover", for each entry in order. US_OK, FOUND. */
int handed_next(const struct handed *h, const struct facts *f, struct finding *finding);
/* When the pass went by and the root is right. US_OK, FOUND. */
int handed_conclude(const struct handed *h, const struct prefixes *prefixes, struct finding *finding);

#endif
