/*
 * Every table of commands (args.h), by what a person does, in the order in which help shows them:
 * X(group, name), for a us_commands_NAME[] in a file of one of the rooms, ended by a row without a
 * name. A command is a row of such a table; a new table is a row here.
 */
#ifndef US_CLIENT_CORE_COMMANDS_H
#define US_CLIENT_CORE_COMMANDS_H

#include "client/core/args.h"

/* Groups of commands, and what help calls them. */
#define US_COMMAND_GROUPS(X) \
	X(VAULT, "Run the vault") \
	X(PEOPLE, "People and credentials") \
	X(EVIDENCE, "Evidence") \
	X(ORDER, "The order") \
	X(LOG, "The log")

#define US_COMMANDS(X) \
	X(VAULT, vault)         /* status, unseal, seal, share */ \
	X(PEOPLE, people)       /* person */ \
	X(PEOPLE, credentials)  /* credential */ \
	X(EVIDENCE, collection) /* collection, batch */ \
	X(EVIDENCE, load)       /* load */ \
	X(EVIDENCE, search)     /* search */ \
	X(EVIDENCE, read)       /* read */ \
	X(EVIDENCE, copy)       /* copy */ \
	X(ORDER, docket)        /* docket */ \
	X(ORDER, order)         /* order check, test, list, show, diff, suspend; matter */ \
	X(ORDER, order_propose) /* order propose, sign, withdraw */ \
	X(ORDER, order_ask)     /* order explain, who */ \
	X(ORDER, acknowledge)   /* acknowledge, order acknowledgements */ \
	X(ORDER, withhold)      /* clearance, challenge, relabel, clawback */ \
	X(ORDER, freeze)        /* freeze, unfreeze */ \
	X(ORDER, approval)      /* approval */ \
	X(ORDER, document)      /* document */ \
	X(LOG, audit)           /* audit list, report, checkpoint */ \
	X(LOG, audit_verify)    /* audit verify */ \
	X(LOG, audit_mirror)    /* audit mirror */ \
	X(LOG, audit_export)    /* audit export */ \
	X(LOG, inclusion)       /* audit receipt */ \
	X(LOG, certify)         /* certify */ \
	X(LOG, disclose)        /* audit disclose, audit accept */ \
	X(LOG, timestamp)       /* audit timestamp, audit timestamp-request */ \
	X(LOG, witness)         /* audit witness, audit submit */

#define X(group, name) extern const struct us_command us_commands_##name[];
US_COMMANDS(X)
#undef X

#endif
