/* The reading half of the SQLite driver; all it does is in store.h, but how it is opened. */
#ifndef US_DAEMON_VAULT_STORE_SQLITE_READER_H
#define US_DAEMON_VAULT_STORE_SQLITE_READER_H

#include "daemon/vault/store/store.h"

/* A connection of its own to the database at path, through that layer of files (sqlite_names.h),
 * which must outlive it. US_ERR_NOMEM, US_ERR_IO, US_ERR_FORMAT. The caller closes it. */
int us_sqlite_reader_open(struct us_store_reader **out, const char *path, const char *vfs);

#endif
