/*
 * Rules between entries (docs/PROTOCOL.md, "What a verifier checks"). Each entry is judged by what
 * came before it; what depends on a box that was withheld is not judged. One owner, one thread,
 * entries in order.
 */
#ifndef US_VERIFY_RULES_H
#define US_VERIFY_RULES_H

#include "verify/bundle.h"

struct us_verify_rules;

/* US_ERR_NOMEM, US_ERR_CRYPTO. */
int us_verify_rules_new(struct us_verify_rules **out);
void us_verify_rules_free(struct us_verify_rules *r); /* NULL-safe */
/* Judges the next entry. US_OK, FOUND (finding->rule names the rule), US_ERR_NOMEM. */
int us_verify_rules_next(struct us_verify_rules *r, const struct us_opened *e,
    struct us_verify_finding *finding);
/* What they remember, as bytes of this build (verify/saved.h). Errors of the buffer. */
int us_verify_rules_save(const struct us_verify_rules *r, struct us_buf *out);
/* The reverse, into new ones, which are only to be freed after an error: US_ERR_TRUNCATED,
 * US_ERR_NOMEM. */
int us_verify_rules_load(struct us_verify_rules *r, struct us_reader *in);

#endif
