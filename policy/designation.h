/*
 * What a designation that comes from outside stands for in an order's list. A rule reaches a record
 * by the record's designation, so one that no entry of the list equals would be out of the reach of
 * every rule: whoever takes a designation (a collection, a load, each of its records, a relabel, an
 * order's own rules, a suite) resolves it here, and refuses what does not resolve.
 *
 * Two designations are the same if they are the same folded (us_value_fold(): case, compatibility
 * forms, white space at the ends, characters that are not seen), which is how records are indexed
 * and queries compare them. A curly apostrophe does not fold to a straight one, so they are two.
 *
 * An order without a list takes every designation as it is given.
 */
#ifndef US_POLICY_DESIGNATION_H
#define US_POLICY_DESIGNATION_H

#include "policy/order.h"
#include "evidence/query/query.h"

/* A list ready to be compared with. About 9 KiB; holds no memory of its own. */
struct us_designations {
	size_t n;
	struct us_designation_entry {
		struct us_bytes name; /* the caller's, who keeps it */
		uint8_t folded[US_WORD_MAX];
		size_t folded_n; /* 0: equals nothing */
	} list[US_ORDER_DESIGNATIONS];
};

/* nearest: of what is not found, the entry that was probably meant, as the list spells it; else
 * empty. */
struct us_designated {
	size_t at;            /* counted from 1 (1: the strictest); 0: no list, or not found */
	struct us_bytes name; /* as the list spells it; without one as given; not found: empty */
	struct us_bytes nearest;
	uint8_t folded[US_WORD_MAX];
	size_t folded_n;
};

/* The order's list. US_ERR_NOMEM. */
int us_designations_of(struct us_designations *out, const struct us_order *order);
/* One more entry. US_ERR_LIMIT: US_ORDER_DESIGNATIONS are there; US_ERR_NOMEM. */
int us_designations_add(struct us_designations *d, struct us_bytes name);
/* US_OK if each entry can be told from the others; US_ERR_EXISTS: two are the same folded;
 * US_ERR_FORMAT: one folds to nothing. */
int us_designations_distinct(const struct us_designations *d);
/* What text stands for. US_OK; US_ERR_NOT_FOUND: not in the list, or nothing is left of it folded;
 * US_ERR_NOMEM. *out is filled in any case; its views are of the list, or of text. */
int us_designations_find(const struct us_designations *d, struct us_bytes text,
    struct us_designated *out);
/* The first part of the query that names a designation which is not in the list; NULL: there is
 * none, or no list. */
const struct us_query_node *
us_designations_outside(const struct us_designations *d, const struct us_query *query);

/* us_designations_find() in the order's list. */
int
us_order_designation(const struct us_order *order, struct us_bytes text, struct us_designated *out);
/* US_OK if later has every designation of earlier, or earlier has no list; US_ERR_NOT_FOUND:
 * *dropped, as earlier spells it, is missing; US_ERR_NOMEM. */
int us_order_keeps_designations(const struct us_order *earlier, const struct us_order *later,
    struct us_bytes *dropped);

#endif
