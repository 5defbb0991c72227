/* The commands of this room, a table for each file of them (client/core/args.h). */
#ifndef US_CLIENT_REPORT_COMMANDS_H
#define US_CLIENT_REPORT_COMMANDS_H

#include "client/core/args.h"

/* audit list, report, checkpoint */
extern const struct us_command us_commands_audit[];
/* certify */
extern const struct us_command us_commands_certify[];

#endif
