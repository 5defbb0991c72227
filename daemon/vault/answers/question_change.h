/*
 * A comparison of two versions of the order, shared by question_diff.c (the request, step
 * by step) and question_change.c (what changes for whom). Conditions, limits and masks are not
 * compared: only which records the rules let be counted, searched, read and copied.
 *
 * For every active person, collection and action there is a case. Cases whose rules are the same on
 * both sides share a change, which is counted once, batch after batch.
 */
#ifndef US_DAEMON_VAULT_ANSWERS_QUESTION_CHANGE_H
#define US_DAEMON_VAULT_ANSWERS_QUESTION_CHANGE_H

#include "base/json_out.h"
#include "daemon/vault/answers/question_rules.h"
#include "registry/registry.h"

#define DIFF_SAMPLES 5u

enum us_vault_diff_side { DIFF_FROM = 0, DIFF_TO = 1 };

/* What the rules of one version say: two empty sets if nothing is permitted. */
struct us_vault_diff_stance {
	uint64_t permits[US_RULE_WORDS];
	uint64_t forbids[US_RULE_WORDS];
	int prohibited; /* by a forbid without a query: rule */
	uint32_t rule;  /* from 0, if prohibited */
};

/* Records won or lost, and the rule that did it. */
struct us_vault_diff_count {
	uint64_t records;
	size_t n;
	uint64_t samples[DIFF_SAMPLES];
	struct us_bytes rule, paragraph; /* belong to a version */
};

struct us_vault_diff_change {
	uint32_t collection;
	enum us_capacity capacity;
	uint64_t party_bits;
	struct us_vault_diff_stance stance[2];
	struct us_vault_diff_count gains, loses;
};

struct us_vault_diff_case {
	uint32_t person;
	enum us_action action;
	size_t change;
};

struct us_vault_diff {
	const struct us_order *order[2];
	struct us_vault_diff_change *changes; /* ascending by collection */
	size_t n_changes, cap_changes;
	struct us_vault_diff_case *cases;
	size_t n_cases, cap_cases;
};

/* Fills changes and cases. US_ERR_NOMEM. */
int us_vault_diff_prepare(const struct us_registry *reg, struct us_vault_diff *d, int64_t now_ns);
/* What it holds; it may be prepared anew. */
void us_vault_diff_free(struct us_vault_diff *d);
/* 1 if a change of the collection depends on a query: then its index is needed. */
int us_vault_diff_needs_index(const struct us_vault_diff *d, uint32_t collection);
/* 1 if there is anything to count in the collection. */
int us_vault_diff_concerns(const struct us_vault_diff *d, uint32_t collection);
/* Counts one batch into all changes of its collection; rules: of both sides. Errors of
 * us_vault_question_rules_set(). */
int us_vault_diff_count_batch(const struct us_registry *reg, struct us_vault_diff *d,
    struct us_vault_question_rules rules[2], uint32_t collection, const struct us_batch *batch);
/* "people", "total_gains", "total_loses" into an open object. */
void us_vault_diff_put(const struct us_registry *reg, const struct us_vault_diff *d,
    int with_samples, struct us_json *j);

#endif
