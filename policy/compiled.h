/* What decoder and encoder of the compiled order share; for the files of this directory alone. */
#ifndef US_POLICY_COMPILED_H
#define US_POLICY_COMPILED_H

#include "policy/order.h"

#define US_ORDER_MAGIC "USO2"
#define US_RULE_FLAG_ANY_PARTY 1
#define US_RULE_FLAG_ANY_COLLECTION 2
#define US_RULE_FLAG_QUERY 4
/* a larger limit of neighbours is none (policy/usage.h looks no further) */
#define US_RUN_LIMIT 65536u

enum us_order_form { FORM_ID, FORM_TEXT, FORM_TEXT_OR_EMPTY };

/* Pieces of a compiled order, for its decoder. What is wrong with one fails the reader, and what is
 * returned then can be used, but means nothing. */

/* Moves a text that was taken into the order's own block, NUL behind it. The block was reserved
 * whole: each text and its NUL are shorter than it was with its length, so that the block never
 * moves. US_ERR_INTERNAL: there is no room. */
struct us_bytes
us_order_keep_text(struct us_order *order, struct us_reader *r, struct us_bytes text);
/* A text of at most max bytes (US_ERR_ENCODING: not of that form), kept as above. */
struct us_bytes us_order_take_text(struct us_order *order, struct us_reader *r,
    enum us_order_form form, size_t max);
/* A count in one byte. US_ERR_LIMIT above max; then 0. */
size_t us_order_take_small_count(struct us_reader *r, size_t max);
/* A count of items that take at least least bytes each, so that no length makes us allocate more
 * than the input could fill. US_ERR_LIMIT, US_ERR_TRUNCATED; then 0. */
size_t us_order_take_count(struct us_reader *r, size_t max, size_t least);
/* A reference to a list of n, counted from 1; 0: none. US_ERR_RANGE; then 0. */
uint8_t us_order_take_reference(struct us_reader *r, size_t n);
/* 0 or 1. US_ERR_RANGE. */
int us_order_take_flag(struct us_reader *r);
/* Bits of parties that the order has. US_ERR_RANGE. */
uint64_t us_order_take_parties(const struct us_order *order, struct us_reader *r);
/* US_ERR_RANGE. */
enum us_capacity us_order_take_capacity(struct us_reader *r);

#endif
