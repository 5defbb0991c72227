/* What an act that was committed has come to, as its sender is told. */
#ifndef US_DAEMON_VAULT_ANSWERS_ACT_RESULT_H
#define US_DAEMON_VAULT_ANSWERS_ACT_RESULT_H

#include "base/json_out.h"
#include "registry/registry.h"

/* The number that the keeper gave what the act made; 0: it made nothing that has one. result: of
 * the committed act. */
uint64_t us_vault_act_number(struct us_bytes result);
/* What goes with the act's type, into an open object; reg: with the act folded. *pending becomes
 * 1 if it waits for others' signatures. */
void us_vault_act_put_result(const struct us_registry *reg, const struct us_act *act,
    struct us_bytes result, struct us_json *j, int *pending);

#endif
