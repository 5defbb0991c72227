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
 * The same masked texts are what a masked person's search sees: us_mask_message() gives the text of
 * a message under the mask (placeholders are left out of it, so that nobody finds them by searching
 * for "masked"; a gap no phrase can bridge stands in their place).
 */
#ifndef US_MASK_MASK_H
#define US_MASK_MASK_H

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

/* Appends the masked text of one message for searching; '\n' in place of what is masked, between
 * two paragraphs no phrase bridges: us_match() must be given the pieces between as messages of
 * their own, so cuts says where: pieces are [0, cuts[0]), [cuts[0], cuts[1]), … The last cut is the
 * end of what was appended (cuts count from its start), so there are *n_cuts pieces. *cuts is
 * malloc'ed (NULL if *n_cuts is 0). content: UTF-8. A message of a masked role gives nothing.
 * except_match has no part in it. US_ERR_NOMEM, US_ERR_LIMIT; out is then as before. */
int us_mask_message(const struct us_mask *mask, unsigned role, struct us_bytes content,
    struct us_buf *out, size_t **cuts, size_t *n_cuts);
/* Appends the JSON of the masked record. query: for except_match, else NULL (with except_match and
 * no query nothing is shown of any content). Identifiers are masked in the id too, and all but
 * "number" in model and language. With except_match the matches are looked for between identifiers;
 * what is hidden anyway is not counted in "identifiers". All members of "masked" are always there.
 * US_ERR_FORMAT (container), US_ERR_ENCODING (a fact is not UTF-8), US_ERR_NOMEM, US_ERR_LIMIT; out
 * is then as before. */
int us_mask_render(const struct us_mask *mask, const struct us_container *container,
    const struct us_mask_facts *facts, const struct us_query *query, struct us_buf *out);

#endif
