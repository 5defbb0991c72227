/*
 * A record as a masked reader gets it. Where a rule of the order masks something, the source bytes
 * never reach the reader: a new JSON object is built from what is known about the record, so that a
 * field nobody thought of cannot carry what was masked:
 *
 *   {"id": …, "created": "…"|null, "model": …, "language": …, "messages": [{"role", "content"}, …],
 *   "masked": {…}}
 *
 * A mask is visible: "[masked: email]" stands for each identifier, "[masked: message of system]"
 * for a message's content, "[masked]" for the value of a field, and "masked" counts them:
 * {"identifiers": {"email": 2}, "messages": 1, "fields": ["model"], "outside_match": true}. Text
 * between spans that match is "[…]" (US_MASK_EXCEPT_MATCH). Times of messages and fields that the
 * vault does not know are never part of a masked record.
 *
 * A search does not see what is masked: whoever reads text under a mask may not search it
 * (daemon/vault/query_limits.c).
 */
#ifndef US_EVIDENCE_MASK_MASK_H
#define US_EVIDENCE_MASK_MASK_H

#include "evidence/batch/record.h"
#include "base/buf.h"
#include "evidence/mask/identifiers.h"
#include "evidence/query/match.h"

/* What is known of the record beside its messages. Empty views and INT64_MIN: not known (JSON
 * null). */
struct us_mask_facts {
	struct us_bytes id;
	int64_t created_s; /* seconds since the epoch */
	struct us_bytes model;
	struct us_bytes language;
};

/* Appends the JSON of the masked record. query: for except_match, else NULL (with except_match and
 * no query nothing is shown of any content). Identifiers are masked in the id too, and all but
 * "number" in model and language. With except_match the matches are looked for between identifiers;
 * what is hidden anyway is not counted in "identifiers". All members of "masked" are always there.
 * US_ERR_FORMAT (container), US_ERR_ENCODING (a fact is not UTF-8), US_ERR_NOMEM, US_ERR_LIMIT; out
 * is then as before. */
int us_mask_render(const struct us_mask *mask, const struct us_container *container,
    const struct us_mask_facts *facts, const struct us_query *query, struct us_buf *out);

#endif
