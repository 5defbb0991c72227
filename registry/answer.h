/*
 * What the person is told whose act is done, beside what every answer says: members of a JSON
 * object, those of the act's family.
 */
#ifndef US_REGISTRY_ANSWER_H
#define US_REGISTRY_ANSWER_H

#include "base/json_out.h"
#include "registry/registry.h"

/* Adds the members for an act that was folded last, and its result as it was committed. *pending
 * becomes 1 if others must sign before it has its effect, else it is left. */
void us_act_answer(const struct us_registry *reg, const struct us_act *act, struct us_bytes result,
    struct us_json *j, int *pending);

#endif
