/* The commands of this room, a table for each file of them (client/core/args.h). */
#ifndef US_CLIENT_LOG_COMMANDS_H
#define US_CLIENT_LOG_COMMANDS_H

#include "client/core/args.h"

/* audit verify */
extern const struct us_command us_commands_audit_verify[];
/* audit export */
extern const struct us_command us_commands_audit_export[];
/* audit receipt */
extern const struct us_command us_commands_inclusion[];
/* audit witness, audit submit */
extern const struct us_command us_commands_witness[];
/* audit disclose, audit accept */
extern const struct us_command us_commands_disclose[];
/* audit timestamp, audit timestamp-request */
extern const struct us_command us_commands_timestamp[];

#endif
