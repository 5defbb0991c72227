/* Where the receipt of a load goes: the file of --receipt, standard output, and what a person is
 * told of it. */
#ifndef US_CLIENT_EVIDENCE_RECEIPT_FILE_H
#define US_CLIENT_EVIDENCE_RECEIPT_FILE_H

#include <stdio.h>

#include "client/core/client.h"
#include "client/evidence/receipt.h"

/* The file of --receipt under the name that it has until it is whole; NULL if none is asked for.
 * Before anything is sent, so that a name that cannot be written costs nothing: then the program
 * ends. us_receipt_file_close() closes it. */
FILE *us_receipt_file_open(const struct us_args *args);
/* The file, which may be NULL, gets its name if the load has ended well, or goes. status: the
 * load's. */
void us_receipt_file_close(const struct us_args *args, FILE *file, int status);
/* Writes the receipt that the vault gave to file, which may be NULL, and shows it: with --json
 * whole, else in a few lines. An exit status; what is wrong has been said. */
int us_receipt_put(const struct us_client *client, const struct us_args *args, FILE *file,
    struct us_receipt *receipt, const cJSON *given);
/* Says why a load that ended well has left nothing behind, which must not pass for one that did:
 * somebody would go home. */
void us_receipt_say_nothing_came(const struct us_args *args, const cJSON *given);

#endif
