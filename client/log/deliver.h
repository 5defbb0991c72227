/* Policies of witnesses, and bringing cosignatures to the log. */
#ifndef US_CLIENT_LOG_DELIVER_H
#define US_CLIENT_LOG_DELIVER_H

#include "log/witness_policy.h"
#include "client/core/client.h"

/* Gives a checkpoint with cosignatures to the log. Exit status; *count: how many the log has of it
 * now. */
int us_log_deliver(struct us_client *client, struct us_bytes note, unsigned *count);

/* The policy in that file, to be freed. Ends the program with that status if it is none. */
struct us_tlog_policy *us_policy_read(const char *file, int status);

/* Writes a cosigned checkpoint to a file that is replaced whole, or to stdout if path is "-".
 * US_ERR_IO. */
int us_cosigned_write(const char *path, const struct us_buf *note);

#endif
