/* Calendars and periods. */
#include <stdlib.h>
#include <string.h>

#include "base/number.h"
#include "policy/yaml/read.h"
#include "policy/yaml/zone.h"

static void
one_day(struct us_findings *f, const struct us_yaml_node *node, void *arg)
{
	static const char *const days[] = { "sunday", "monday", "tuesday", "wednesday", "thursday",
		"friday", "saturday" };
	struct us_calendar *c = arg;

	for (unsigned i = 0; i < 7; i++) {
		if (us_bytes_is(node->text, days[i])) {
			c->weekdays |= (uint8_t)(1u << i);
			return;
		}
	}
	us_yaml_error(f, node,
	    "days are: monday tuesday wednesday thursday friday saturday sunday");
}

/* A date's midnight in UTC, as days since the epoch. */
static int
date_of(struct us_bytes text, int32_t *day)
{
	int64_t ns;

	if (text.n != 10 || us_time_parse_date((const char *)text.p, text.n, &ns) != US_OK)
		return US_ERR_FORMAT;
	*day = (int32_t)(ns / (INT64_C(86400) * 1000000000));
	return US_OK;
}

struct us_yaml_holidays {
	int32_t *days;
	size_t n;
};

static void
one_holiday(struct us_findings *f, const struct us_yaml_node *node, void *arg)
{
	struct us_yaml_holidays *h = arg;
	int32_t day;

	if (date_of(node->text, &day) != US_OK)
		us_yaml_error(f, node, "a date is wanted here: 2026-12-25");
	else if (h->n > 0 && day <= h->days[h->n - 1])
		us_yaml_error(f, node, "holidays stand in their order, each once");
	else if (h->n == US_HOLIDAYS_MAX)
		us_yaml_error(f, node, "too many holidays");
	else
		h->days[h->n++] = day;
}

static int
clock_of(const uint8_t *p, uint16_t *minute)
{
	uint64_t hours, minutes;

	if (p[2] != ':' || us_number_digits(p, 2, 99, &hours) != US_OK ||
	    us_number_digits(p + 3, 2, 99, &minutes) != US_OK)
		return US_ERR_FORMAT;
	if (minutes > 59 || hours * 60 + minutes > 1440)
		return US_ERR_RANGE;
	*minute = (uint16_t)(hours * 60 + minutes);
	return US_OK;
}

static void
read_hours(struct us_findings *f, const struct us_yaml_node *node, struct us_calendar *c)
{
	c->to_minute = 1440;
	if (node == NULL)
		return;
	if (node->kind != US_YAML_SCALAR || node->text.n != 11 || node->text.p[5] != '-' ||
	    clock_of(node->text.p, &c->from_minute) != US_OK ||
	    clock_of(node->text.p + 6, &c->to_minute) != US_OK || c->from_minute >= c->to_minute)
		us_yaml_error(f, node, "hours of one day are wanted here: \"09:00-18:00\"");
}

/* The zone's rule goes into the order's own block: it does not stand in the file. */
static void
read_zone(struct us_findings *f, const struct us_yaml_node *node, struct us_order *order,
    struct us_calendar *c)
{
	const size_t at = order->texts.len;
	int err = US_ERR_NOT_FOUND;

	if (node == NULL)
		return;
	c->zone_name = node->text;
	if (node->kind == US_YAML_SCALAR && node->text.n > 0 && node->text.n <= US_ZONE_MAX)
		err = us_zone_posix_of((const char *)node->text.p, node->text.n, &order->texts);
	if (err == US_ERR_RANGE)
		us_yaml_error(f, node,
		    "the coming clock changes of this zone follow no rule that an order could "
		    "carry: use another zone, or UTC");
	else if (err != US_OK ||
	    us_zone_parse(&c->zone,
		(struct us_bytes){ order->texts.data + at, order->texts.len - at }) != US_OK)
		us_yaml_error(f, node,
		    "no time zone of this name is known here: \"America/New_York\" (is tzdata "
		    "installed?)");
	c->zone_posix = (struct us_bytes){ order->texts.data + at, order->texts.len - at };
}

void
us_yaml_calendar(struct us_findings *f, const struct us_yaml_node *node, struct us_order *order)
{
	static const struct us_yaml_key keys[] = { { "id", 1 }, { "time_zone", 1 }, { "days", 1 },
		{ "hours", 0 }, { "holidays", 0 }, { NULL, 0 } };
	struct us_calendar *c = &order->calendars[order->n_calendars];
	const struct us_yaml_node *v[US_YAML_KEYS];

	if (us_yaml_map(f, node, "a calendar", keys, v) != US_OK)
		return;
	c->id = us_yaml_id(f, v[0]);
	if (us_yaml_position(c->id, order->calendars, order->n_calendars, sizeof *c) != 0)
		us_yaml_error(f, v[0], "another calendar has this id");
	read_zone(f, v[1], order, c);
	us_yaml_each(f, v[2], one_day, c);
	read_hours(f, v[3], c);
	if (v[4] != NULL) {
		struct us_yaml_holidays h = { calloc(US_HOLIDAYS_MAX, sizeof(int32_t)), 0 };
		if (h.days != NULL)
			us_yaml_each(f, v[4], one_holiday, &h);
		else
			us_yaml_error(f, v[4], "out of memory");
		c->holidays = h.days;
		c->n_holidays = h.n;
	}
	order->n_calendars++;
}

int64_t
us_yaml_time(struct us_findings *f, const struct us_yaml_node *node, int64_t absent)
{
	int64_t ns = absent;

	if (node != NULL &&
	    (node->kind != US_YAML_SCALAR ||
		us_time_parse((const char *)node->text.p, node->text.n, &ns) != US_OK))
		us_yaml_error(f, node, "a time in UTC is wanted here: 2026-01-05T00:00:00Z");
	return ns;
}

void
us_yaml_period(struct us_findings *f, const struct us_yaml_node *node, struct us_order *order)
{
	static const struct us_yaml_key keys[] = { { "id", 1 }, { "from", 0 }, { "until", 0 },
		{ NULL, 0 } };
	struct us_period *p = &order->periods[order->n_periods];
	const struct us_yaml_node *v[US_YAML_KEYS];

	if (us_yaml_map(f, node, "a period", keys, v) != US_OK)
		return;
	p->id = us_yaml_id(f, v[0]);
	if (us_yaml_position(p->id, order->periods, order->n_periods, sizeof *p) != 0)
		us_yaml_error(f, v[0], "another period has this id");
	p->from_ns = us_yaml_time(f, v[1], INT64_MIN);
	p->until_ns = us_yaml_time(f, v[2], INT64_MAX);
	if (p->from_ns >= p->until_ns)
		us_yaml_error(f, node,
		    "a period ends after it begins: nothing could fall into this one");
	order->n_periods++;
}

uint8_t
us_yaml_calendar_named(struct us_findings *f, const struct us_yaml_node *node,
    const struct us_order *order)
{
	return (uint8_t)us_yaml_reference(f, node, "calendar", order->calendars, order->n_calendars,
	    sizeof *order->calendars);
}
