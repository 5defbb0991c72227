/*
 * Finds identifiers in text: strings that single out a person, a machine or an account. What an order masks on reading
 * (mask/mask.h). It is a scanner, not an understanding: names and places of people are not among the classes, and every class errs
 * to the side of masking too much. Pure, any thread, one pass a class, no backtracking; time is linear in the text.
 */
#ifndef US_MASK_IDENTIFIERS_H
#define US_MASK_IDENTIFIERS_H

#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "policy/mask.h"

struct us_identifier_span {
	size_t start, end; /* bytes of the text; at character borders */
	enum us_identifier identifier;
};
/* All spans of the wanted classes (bits), ascending, disjoint: of two that overlap the one that begins first, then the longer,
 * then the lower class stays. text: UTF-8. *spans is malloc'ed (NULL if n is 0). US_ERR_NOMEM. */
int us_identifiers_find(struct us_bytes text, uint32_t wanted, struct us_identifier_span **spans, size_t *n);

#endif
