/* What somebody is to give back, as status and a new session say it. */
#ifndef US_DAEMON_VAULT_ANSWERS_RECALLS_H
#define US_DAEMON_VAULT_ANSWERS_RECALLS_H

#include "base/json_out.h"
#include "registry/registry.h"

/* "recalls", the first 32 of them, and "recalled", how many there are, into an open object; neither
 * if there are none (registry/recalls.h). */
void
us_vault_put_recalls(const struct us_registry *reg, const struct us_person *who, struct us_json *j);

#endif
