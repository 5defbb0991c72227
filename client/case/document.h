/* Documents that acts name by their SHA-256: instruments, signed forms, statements, notices. */
#ifndef US_CLIENT_CASE_DOCUMENT_H
#define US_CLIENT_CASE_DOCUMENT_H

#include "client/core/client.h"

/* Sends the file part by part, those that the vault has already left out; out gets its SHA-256.
 * Exit status, having said what is wrong; what the file cannot be (empty, too large, not there)
 * ends the program. */
int us_document_send(struct us_client *client, const char *path, uint8_t out[32]);
/* Fetches the document with that SHA-256 (64 hex digits, else a usage error) and writes it to a
 * file that is made for it, or to standard output if path is "-"; another one is not written.
 * Exit status, having said what is wrong; the program ends if it cannot be written. */
int us_document_fetch(struct us_client *client, const char *digest, const char *path);

#endif
