/*
 * Finds identifiers in text: strings that single out a person, a machine or an account. What an
 * order masks on reading (evidence/mask/mask.h). It is a scanner, not an understanding: names and
 * places of people are not among the classes, and every class errs to the side of masking too much.
 * Pure, any thread, one pass a class, no backtracking; time is linear in the text.
 *
 * Digits of all scripts, full-width forms, the many hyphens and spaces count as their ASCII forms;
 * characters without a width (joiners, soft hyphens) do not interrupt an identifier. What the
 * classes take beyond their definition in policy/mask.h: any scheme before "://" is a URL; phone
 * numbers of other countries are taken if they begin with 0, hold a part in parentheses or are
 * grouped 3-4-4, and with their extension; an SSN may have spaces or dots. What they leave: a
 * mailbox without a dot in its domain, and one that was spelled out (john at example dot com);
 * "v1.2.3.4"; a decimal number with commas.
 */
#ifndef US_EVIDENCE_MASK_IDENTIFIERS_H
#define US_EVIDENCE_MASK_IDENTIFIERS_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "policy/mask.h"

struct us_identifier_span {
	size_t start, end; /* bytes of the text; at character borders */
	enum us_identifier identifier;
};
/* All spans of the wanted classes (bits), ascending, disjoint: of two that overlap the one that
 * begins first, then the longer, then the lower class stays; what of the other sticks out behind it
 * remains as a span of its class. text: UTF-8 (bytes that are not count as separators). *spans is
 * malloc'ed (NULL if n is 0). US_ERR_NOMEM, US_ERR_LIMIT (512 MB). */
int us_identifiers_find(struct us_bytes text, uint32_t wanted, struct us_identifier_span **spans,
    size_t *n);

#endif
