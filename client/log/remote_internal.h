/* What remote.c and remote_keys.c share. */
#ifndef US_CLIENT_LOG_REMOTE_INTERNAL_H
#define US_CLIENT_LOG_REMOTE_INTERNAL_H

#include "client/log/remote.h"

/* next_keys of a struct us_log_source whose arg is the struct us_log_remote. */
int us_log_remote_next_keys(void *arg, char line[US_EXPORT_KEYS_LINE_MAX], size_t *n);
/* Wipes and frees what is known of keys. */
void us_log_remote_keys_close(struct us_log_remote *remote);

#endif
