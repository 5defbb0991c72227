/*
 * A ledger (usage.h) written down and read again, an item at a time. Byte-exact:
 *
 *   item      = 1 ‖ u32 person ‖ str16 party ‖ u32 collection ‖ u8 kind ‖ set ‖ u32 n ‖ n × day
 *             | 2 ‖ u32 n ‖ n × { u32 approval ‖ u64 index }, approvals ascending
 *   day       = u32 day, two's complement ‖ set, days ascending
 *   set       = u32 length ‖ a Roaring bitmap in its portable form
 *
 * Person is 0 exactly if party is not empty. While it is written the ledger may go on: what is
 * folded meanwhile is in the items or is not. Sets only grow, so whoever folds again from where
 * the writing began comes to the same.
 */
#ifndef US_POLICY_USAGE_FILE_H
#define US_POLICY_USAGE_FILE_H

#include "base/buf.h"

struct us_usage;
struct us_usage_writer;

/* Of the meters that u, which must outlive it, has now. US_ERR_NOMEM. */
int us_usage_writer_new(struct us_usage_writer **out, const struct us_usage *u);
/* NULL is allowed. */
void us_usage_writer_free(struct us_usage_writer *w);
/* Appends the next item. US_ERR_NOT_FOUND: there was one no more. US_ERR_NOMEM, US_ERR_LIMIT. */
int us_usage_writer_next(struct us_usage_writer *w, struct us_buf *out);

/* Takes an item from r into u, which holds nothing of it. US_ERR_FORMAT, US_ERR_NOMEM. */
int us_usage_take(struct us_usage *u, struct us_reader *r);

#endif
