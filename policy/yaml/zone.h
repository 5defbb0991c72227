/* Time zones by name, from the machine's zone database: only where an order is compiled, never in a process with keys. */
#ifndef US_POLICY_YAML_ZONE_H
#define US_POLICY_YAML_ZONE_H

#include "common/buf.h"
#include "common/err.h"

/* Appends the POSIX form (policy/calendar.h) of an IANA name: the footer of /usr/share/zoneinfo/NAME (RFC 8536, section 3.3). "UTC" needs no
 * database. US_ERR_NOT_FOUND: no such zone, or no database; US_ERR_FORMAT: not a file of version 2 or later; US_ERR_LIMIT, US_ERR_NOMEM. */
int us_zone_posix_of(const char *name, size_t n, struct us_buf *out);

#endif
