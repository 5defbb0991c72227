/* Documents that acts name by their SHA-256: instruments, signed forms, statements, notices. */
#ifndef US_CLIENT_CASE_DOCUMENT_H
#define US_CLIENT_CASE_DOCUMENT_H

#include "client/core/client.h"

/* Sends the file part by part, those that the vault has already left out; out gets its SHA-256.
 * Exit status, having said what is wrong; what the file cannot be (empty, too large, not there)
 * ends the program. */
int us_document_send(struct us_client *client, const char *path, uint8_t out[32]);

#endif
