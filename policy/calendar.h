/*
 * Time as an order means it: zones, calendars of working days and hours, terms counted in days, and
 * network prefixes. Pure functions without files or environment, any thread: a zone's rule stands
 * in the compiled order, so that keyed processes need no zone database (policy/yaml/zone.h reads it
 * when an order is compiled).
 *
 * Dates are days since 1970-01-01 in the proleptic Gregorian calendar. No leap seconds.
 */
#ifndef US_POLICY_CALENDAR_H
#define US_POLICY_CALENDAR_H

#include <stdint.h>

#include "base/buf.h"
#include "base/time.h" /* dates to days and back */
#include "policy/zone.h"

#define US_HOLIDAYS_MAX 512

/* Working days and hours of an order. Invariants: from < to <= 1440; holidays strictly
 * ascending. */
struct us_calendar {
	struct us_bytes id;
	struct us_bytes zone_name;  /* "America/New_York", for people */
	struct us_bytes zone_posix; /* what zone was parsed from */
	struct us_zone zone;
	uint8_t weekdays;     /* bit 0 Sunday .. bit 6 Saturday; at least one */
	uint16_t from_minute; /* of the local day, inside */
	uint16_t to_minute;   /* outside */
	size_t n_holidays;
	const int32_t *holidays; /* days since the epoch, local */
};

/* The local day, and the minute of that day. */
int32_t us_calendar_day(const struct us_calendar *c, int64_t now_ns, uint16_t *minute);
/* 1 if it is a working day. */
int us_calendar_is_working(const struct us_calendar *c, int32_t day);
/* 1 if that moment lies in working hours. */
int us_calendar_is_open(const struct us_calendar *c, int64_t now_ns);
/* The end of a term of days counted from a moment, as Federal Rule of Civil Procedure 6(a)(1)
 * counts: the day of the event is left out, every day is counted, and a term that would end on no
 * working day goes on to the next one. The result is the last nanosecond of that local day.
 * working_only: only working days are counted. days: 1 .. 3650 (else US_ERR_RANGE). A calendar
 * without a working day within 10 years is US_ERR_RANGE too. */
int us_calendar_due(const struct us_calendar *c, int64_t from_ns, uint32_t days, int working_only,
    int64_t *due_ns);

/* A network prefix; an IPv4 address is written as ::ffff:a.b.c.d, and its prefix length counts from
 * 96 on. */
struct us_network {
	uint8_t address[16]; /* bits behind the prefix are zero */
	uint8_t bits;        /* 0 .. 128 */
};
/* "10.0.0.0/8", "2001:db8::/32", a single address; host bits that are set are US_ERR_RANGE.
 * US_ERR_FORMAT. */
int us_network_parse(struct us_network *out, struct us_bytes text);
/* An address as the front reports it, with or without ":port" or "[…]:port". US_ERR_FORMAT. */
int us_address_parse(uint8_t out[16], struct us_bytes text);
/* 1 if the address, of 16 bytes (IPv4 as mapped), is in the network. */
int us_network_has(const struct us_network *network, const uint8_t address[16]);

#endif
