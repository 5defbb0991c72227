/*
 * Rules between entries (docs/PROTOCOL.md, "What a verifier checks"). Each entry is judged by what came before it; what depends on
 * a box that was withheld is not judged. One owner, one thread, entries in order.
 */
#ifndef US_VERIFY_RULES_H
#define US_VERIFY_RULES_H

#include "verify/bundle.h"

struct rules;

/* US_ERR_NOMEM, US_ERR_CRYPTO. */
int rules_new(struct rules **out);
void rules_free(struct rules *r); /* NULL-safe */
/* Judges the next entry. US_OK, FOUND (finding->rule names the rule), US_ERR_NOMEM. */
int rules_next(struct rules *r, const struct facts *f, struct finding *finding);

#endif
