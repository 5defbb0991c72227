/*
 * Test suites for protective orders: statements of what an order must let people do and must not,
 * each with the paragraph that says so. The court and the parties read the statements; the machine
 * says whether the order keeps them. docs/ORDER.md section
 * 4 and schema/order-test.schema.json describe the file.
 *
 * A suite is evaluated as the vault evaluates a request (policy/evaluate.h), with facts from the
 * file: no clock, no vault, no key. What a rule's query finds is asked of made-up records with
 * evidence/query/match.h. Reads untrusted text as policy/yaml/yaml.h does, with the same
 * strictness; only client and tests run it. A struct us_suite does not change once bound: any
 * number of threads may run it.
 *
 * 	us_suite_parse(source, &suite, &findings);     what file is the order in?
 * 	us_order_compile(), us_order_decode()          the caller reads it
 * 	us_suite_bind(suite, order, &findings);        every name in the suite is one of the order's
 * 	us_suite_run(suite, each, ctx, &counts);
 * 	us_suite_free(suite);
 */
#ifndef US_POLICY_SUITE_SUITE_H
#define US_POLICY_SUITE_SUITE_H

#include "policy/evaluate.h"
#include "policy/yaml/yaml.h"

#define US_SUITE_PEOPLE 256
#define US_SUITE_RECORDS 256
#define US_SUITE_MESSAGES 64 /* of one record */
#define US_SUITE_STATEMENTS 4096

struct us_suite;

/* Takes the file apart as far as that is possible without its order. findings is reset. US_OK with
 * *out to free; US_ERR_FORMAT with the errors in findings; US_ERR_NOMEM. */
int us_suite_parse(struct us_bytes source, struct us_suite **out, struct us_findings *findings);
/* The name of the order's file, which lies beside the suite: no path, and not hidden. */
struct us_bytes us_suite_order_name(const struct us_suite *suite);
/* Reads people, records and statements, once. The order must outlive the suite. The same errors;
 * also what of the order cannot be asked (a compiled order whose query does not parse). findings is
 * reset. */
int
us_suite_bind(struct us_suite *suite, const struct us_order *order, struct us_findings *findings);
void us_suite_free(struct us_suite *suite); /* NULL is allowed */

/* One statement and what became of it. Texts are printable and valid during the call only. */
struct us_suite_result {
	unsigned line, column;
	int failed;
	const char *statement; /* "nadia may read letter" */
	const char *expected;  /* "allowed under 7(a)" */
	const char *found;     /* as expected, in the same words */
	/* a line for each rule: how it stands, and which of its conditions hold */
	const char *why;
};

struct us_suite_counts {
	size_t statements;
	size_t failed;
};

/* Runs every statement, in their order, of a suite that was bound without an error, and calls each
 * (which may be NULL). counts is reset. US_OK, whatever failed; US_ERR_NOMEM, US_ERR_LIMIT, and
 * then counts means nothing. */
int
us_suite_run(const struct us_suite *suite, void (*each)(void *ctx, const struct us_suite_result *r),
    void *ctx, struct us_suite_counts *counts);

#endif
