/* The commands of this room, a table for each file of them (client/core/args.h). */
#ifndef US_CLIENT_CASE_COMMANDS_H
#define US_CLIENT_CASE_COMMANDS_H

#include "client/core/args.h"

/* status, unseal, seal, share */
extern const struct us_command us_commands_vault[];
/* person, credential */
extern const struct us_command us_commands_people[];
/* docket */
extern const struct us_command us_commands_docket[];
/* order check, test, list, show, diff, suspend; matter */
extern const struct us_command us_commands_order[];
/* order propose, sign, withdraw */
extern const struct us_command us_commands_order_propose[];
/* order explain, who */
extern const struct us_command us_commands_order_ask[];
/* acknowledge, order acknowledgements */
extern const struct us_command us_commands_acknowledge[];
/* clearance, challenge, relabel, clawback */
extern const struct us_command us_commands_withhold[];
/* freeze, unfreeze */
extern const struct us_command us_commands_freeze[];
/* approval */
extern const struct us_command us_commands_approval[];
/* document */
extern const struct us_command us_commands_document[];

#endif
