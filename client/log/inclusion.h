/* Receipts of log entries as files that verify offline, years later, with nothing but the log's key
 * (docs/PROTOCOL.md, section 12). */
#ifndef US_CLIENT_LOG_INCLUSION_H
#define US_CLIENT_LOG_INCLUSION_H

#include "client/core/client.h"

/* Fetches the entry and its proof from the log, verifies both, and writes the receipt to a new
 * file. policy: a file (C2SP tlog-policy) whose quorum must have cosigned the checkpoint in the
 * receipt, or NULL: the newest. Returns an exit status, having said what is wrong: INCOMPLETE if
 * the entry is not witnessed yet. */
int
us_inclusion_keep(struct us_client *client, uint64_t entry, const char *policy, const char *path);

#endif
