/* The commands of this room, a table for each file of them (client/core/args.h). */
#ifndef US_CLIENT_EVIDENCE_COMMANDS_H
#define US_CLIENT_EVIDENCE_COMMANDS_H

#include "client/core/args.h"

/* collection, batch */
extern const struct us_command us_commands_collection[];
/* load */
extern const struct us_command us_commands_load[];
/* search */
extern const struct us_command us_commands_search[];
/* read */
extern const struct us_command us_commands_read[];
/* copy */
extern const struct us_command us_commands_copy[];

#endif
