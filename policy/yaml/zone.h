/*
 * Time zones by name, from the machine's zone database: only where an order is compiled, never in a
 * process with keys.
 *
 * A compiled order carries a zone as one rule (policy/calendar.h), the footer of the zone's file,
 * which holds after the last change of the file's table. A zone is taken only if that rule gives
 * the same offset as the table at each change of 2026 and later, in the second before it, and once
 * a day between: a zone whose changes are announced years ahead and follow no rule (those that go
 * by the moon) is refused, and not wrong by an hour on some days.
 */
#ifndef US_POLICY_YAML_ZONE_H
#define US_POLICY_YAML_ZONE_H

#include "base/buf.h"
#include "base/err.h"

/* Appends the POSIX form of an IANA name, from /usr/share/zoneinfo/NAME (RFC 8536). "UTC" needs no
 * database. US_ERR_NOT_FOUND: no such zone, no database, or one of the database's folders and links
 * that are no names of zones (right/, posix/, localtime, posixrules); else as
 * us_zone_posix_in(). */
int us_zone_posix_of(const char *name, size_t n, struct us_buf *out);
/* The same of the bytes of a file. US_ERR_FORMAT: not one of version 2 or later, or it counts leap
 * seconds, or has no rule; US_ERR_RANGE: its table and its rule disagree, as said above;
 * US_ERR_LIMIT, US_ERR_NOMEM. */
int us_zone_posix_in(const uint8_t *bytes, size_t n, struct us_buf *out);

#endif
