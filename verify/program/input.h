/* Files that the user names. Each function says on stderr what is wrong with one. */
#ifndef US_VERIFY_PROGRAM_INPUT_H
#define US_VERIFY_PROGRAM_INPUT_H

#include "log/witness_policy.h"
#include "base/buf.h"
#include "verify/token.h"

/* The whole file ("-": standard input) into out, whose max is its limit. US_ERR_IO, US_ERR_LIMIT,
 * US_ERR_NOMEM. */
int us_program_input_read(const char *path, const char *what, struct us_buf *out);
/* A key file as one string, into out. US_ERR_FORMAT if it is empty, else as
 * us_program_input_read(). */
int us_program_input_vkey(const char *path, struct us_buf *out);
/* A policy of witnesses; free with us_tlog_policy_free(). Errors of us_program_input_read() and
 * us_tlog_policy_parse(). */
int us_program_input_policy(const char *path, struct us_tlog_policy **out);
/* Certificates of an authority, under the file's name; free with us_authority_free(). Errors of
 * us_program_input_read() and us_authority_new(). */
int us_program_input_authority(const char *path, struct us_authority **out);

#endif
