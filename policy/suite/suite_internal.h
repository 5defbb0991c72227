/* A suite as it was read; for the files of this directory alone. */
#ifndef US_POLICY_SUITE_SUITE_INTERNAL_H
#define US_POLICY_SUITE_SUITE_INTERNAL_H

#include "policy/suite/suite.h"
#include "policy/yaml/read.h"
#include "evidence/query/match.h"

/* People and records begin with their ids: us_yaml_reference(). */
struct us_suite_person {
	struct us_bytes id;
	struct us_subject subject; /* person: position in the list, counted from 1 */
};

struct us_suite_record {
	struct us_bytes id;
	struct us_match_document document;
	struct us_match_message *messages; /* what document->messages points at */
};

/* What a statement takes from defaults unless it says otherwise. */
struct us_suite_facts {
	struct us_bytes collection;
	struct us_bytes purpose;
	int has_at;
	int64_t at_ns;
	int has_address;
	uint8_t address[16];
	uint16_t credential_bits, credential_days;
	uint8_t matter;
	uint64_t corpus;
};

/* The limits of struct us_remaining, in its order. */
enum us_suite_limit {
	US_SUITE_REQUEST,
	US_SUITE_CONSECUTIVE,
	US_SUITE_DAY,
	US_SUITE_LIFE,
	US_SUITE_SHARE
};
#define US_SUITE_LIMITS 5

/* What a ruling says, as far as statements can speak of it. says: which members count. */
#define US_SAYS_PARAGRAPH 1u
#define US_SAYS_REASON 2u
#define US_SAYS_MASKS 4u
#define US_SAYS_BOXES 8u
#define US_SAYS_LOG 16u
#define US_SAYS_FEWER 32u
#define US_SAYS_LEFT(limit) (64u << (unsigned)(limit))
struct us_suite_said {
	unsigned says;
	enum us_decision decision; /* always */
	struct us_bytes paragraph;
	enum us_reason reason;
	struct us_mask mask;
	uint8_t boxes;
	enum us_log_scope log_scope;
	uint32_t fewer_than; /* 0: exact numbers */
	uint32_t left[US_SUITE_LIMITS];
};

struct us_suite_statement {
	unsigned line, column;
	size_t person; /* index */
	size_t record; /* counted from 1; 0: none */
	enum us_action action;
	struct us_suite_facts facts;
	uint64_t records;
	uint64_t run; /* of them: how many follow on one another, and on the run that there is */
	struct us_meter person_used, party_used; /* before the request */
	size_t n_approvers;
	struct us_approver *approvers;
	size_t n_freezes; /* 0 or 1 */
	struct us_freeze_on freeze;
	struct us_suite_said expected;
};

struct us_suite {
	struct us_yaml_node *root; /* owns every text */
	struct us_bytes order_name;
	const struct us_order *order;
	struct us_query **queries; /* one a rule of the order; NULL: every record */
	size_t n_queries;
	size_t n_people;
	struct us_suite_person *people;
	size_t n_records;
	struct us_suite_record *records;
	size_t n_statements;
	struct us_suite_statement *statements;
};

/* statement.c. What is wrong becomes a finding. */

/* Facts of a statement or the defaults, over those that are there. */
void us_suite_read_facts(struct us_findings *f, const struct us_yaml_node *node,
    const struct us_order *order, struct us_suite_facts *facts);
/* The next of the suite's statements, for which there must be room. */
void us_suite_read_statement(struct us_findings *f, const struct us_yaml_node *node,
    struct us_suite *suite, const struct us_suite_facts *defaults);

/* expect.c: what a statement expects, in and out. */
extern const struct us_yaml_key us_suite_expect_keys[];
/* What node expects, added to what expected says. What is wrong becomes a finding. */
void us_suite_read_expected(struct us_findings *f, const struct us_yaml_node *node,
    struct us_suite_said *expected);
/* 1 if found says all that expected says. */
int us_suite_agrees(const struct us_suite_said *expected, const struct us_suite_said *found);
/* Appends it in words, as far as says goes. */
int us_suite_put_said(struct us_buf *b, const struct us_suite_said *said, unsigned says);

/* values.c */
/* A whole number from 0 to max; *out is untouched if node is NULL or wrong. */
void
us_suite_count(struct us_findings *f, const struct us_yaml_node *node, uint64_t max, uint64_t *out);
/* A word of its own (unquoted), so that "none" can be a purpose. */
int us_suite_is_word(const struct us_yaml_node *node, const char *word);
/* Position, counted from 1; 0 with its complaint. */
size_t us_suite_person_named(struct us_findings *f, const struct us_yaml_node *node,
    const struct us_suite *suite);
/* A name out of a closed set: name_of gives the name of each number 0 .. last, or NULL. The number;
 * 0 with its complaint. */
unsigned us_suite_named(struct us_findings *f, const struct us_yaml_node *node, const char *what,
    const char *(*name_of)(unsigned), unsigned last);

#endif
