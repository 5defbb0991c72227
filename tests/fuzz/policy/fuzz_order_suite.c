/* Any text as a suite: findings, or a suite whose statements all get a ruling, and the same one
 * when they are asked again. */
#include <stdlib.h>
#include <string.h>

#include "policy/suite/suite.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char order_source[] =
    "order: {title: T, version: 1}\n"
    "default: {paragraph: \"1\", smallest_count: 5}\n"
    "parties:\n"
    "  - {id: a, name: A, roster_signers: [{person: P, capacity: outside-counsel}]}\n"
    "  - {id: b, name: B, roster_signers: [{person: Q, capacity: outside-counsel}]}\n"
    "periods: [{id: p, from: 2026-01-01T00:00:00Z, until: 2027-01-01T00:00:00Z}]\n"
    "calendars: [{id: c, time_zone: UTC, days: [monday, tuesday], hours: \"09:00-18:00\"}]\n"
    "purposes: [{code: x, text: X}]\n"
    "rules:\n"
    "  - id: r\n"
    "    paragraph: \"2\"\n"
    "    effect: permit\n"
    "    who: {party: a, capacity: [outside-counsel, expert]}\n"
    "    what: {query: 'word OR model:m OR date:2024 OR bates:A1..A9'}\n"
    "    actions: [count, search, read, copy]\n"
    "    conditions: {purpose: listed, period: p, hours: c, networks: 10.0.0.0/8, credential: "
    "{bits: 128, days: 9}}\n"
    "    limits: {records_per_request: 10}\n"
    "    masks: {identifiers: all, roles: user, fields: id}\n"
    "  - {id: f, paragraph: \"3\", effect: forbid, who: {party: any, capacity: any},\n"
    "     what: {query: '\"two words\" OR designation:D OR language:en OR role:tool'}, actions: "
    "[read, copy]}\n"
    "  - {id: l, paragraph: \"4\", effect: permit, who: {party: b, capacity: any}, actions: audit, "
    "boxes: access, log: self}\n";

static const struct us_order *
the_order(void)
{
	static struct us_order *order; /* made once, and reachable to the end */

	if (order == NULL) {
		struct us_findings *f = calloc(1, sizeof(*f));
		struct us_buf compiled;

		us_buf_init(&compiled, US_ORDER_COMPILED_MAX);
		if (f == NULL ||
		    us_order_compile(us_bytes_of(order_source), &compiled, f) != US_OK ||
		    us_order_decode(compiled.data, compiled.len, &order) != US_OK)
			abort();
		us_buf_free(&compiled);
		free(f);
	}
	return order;
}

static void
count_failed(void *ctx, const struct us_suite_result *r)
{
	size_t *failed = ctx;

	if (r->line == 0 || r->column == 0 || r->statement[0] == '\0' || r->expected[0] == '\0' ||
	    r->why[0] == '\0')
		abort();
	*failed += (size_t)r->failed;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct us_findings *f = calloc(1, sizeof(*f));
	struct us_suite_counts told, counts;
	struct us_suite *suite = NULL;
	size_t failed = 0;
	int err;

	if (f == NULL)
		abort();
	err = us_suite_parse((struct us_bytes){ data, size }, &suite, f);
	if ((err == US_OK) != (suite != NULL) || (err == US_OK) != (f->errors == 0))
		abort();
	if (err == US_OK)
		err = us_suite_bind(suite, the_order(), f);
	if (suite != NULL && (err == US_OK) != (f->errors == 0))
		abort();
	if (err == US_OK &&
	    (us_suite_run(suite, count_failed, &failed, &told) != US_OK ||
		us_suite_run(suite, NULL, NULL, &counts) != US_OK || told.failed != failed ||
		counts.failed != failed || counts.statements == 0 ||
		counts.statements != told.statements))
		abort();
	us_suite_free(suite);
	free(f);
	return 0;
}
