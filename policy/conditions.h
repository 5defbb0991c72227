/* The conditions of one permit, for the evaluator and its explanation. Pure. */
#ifndef US_POLICY_CONDITIONS_H
#define US_POLICY_CONDITIONS_H

#include "policy/evaluate.h"

/* 1 if the rule sets that condition and its facts are known. */
int us_condition_asked(const struct us_rule *rule, enum us_condition condition, unsigned unknown);
/* 1 if it holds; only if it is asked. listed: the purpose is a code of the order's list. */
int us_condition_holds(const struct us_order *order, const struct us_rule *rule,
    enum us_condition condition, const struct us_subject *subject, const struct us_context *context,
    int listed);
/* A share in millionths as a number of records, rounded down. */
uint64_t us_share_of(uint32_t share, uint64_t corpus);

#endif
