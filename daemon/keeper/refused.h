/* What a refusal names: records that were asked for, as terms of the query box (log/entry.h). */
#ifndef US_DAEMON_KEEPER_REFUSED_H
#define US_DAEMON_KEEPER_REFUSED_H

#include "base/buf.h"

#define US_REFUSED_MAX 65536u

struct us_keeper;

/* Appends the terms, packed str16, of a refusal of these records (packed u64), which are the first
 * of all. US_ERR_LIMIT, US_ERR_NOMEM. */
int us_refused_terms(const struct us_keeper *k, uint32_t collection, struct us_bytes records,
    uint64_t all, struct us_buf *terms);

#endif
