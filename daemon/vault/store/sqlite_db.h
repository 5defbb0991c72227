/* What the store's connections have in common: errors, statements, and how a page is numbered. */
#ifndef US_DAEMON_VAULT_STORE_SQLITE_DB_H
#define US_DAEMON_VAULT_STORE_SQLITE_DB_H

#include <sqlite3.h>

#include "daemon/vault/store/store.h"

/* The error that SQLite's rc stands for, said in the operator's log with what was being done (no
 * line for US_OK). db may be NULL: no connection came about. US_ERR_NOSPACE, US_ERR_NOMEM,
 * US_ERR_BUSY, US_ERR_FORMAT, US_ERR_LIMIT, US_ERR_IO. */
int us_sqlite_error(sqlite3 *db, int rc, const char *what);
/* Runs statements that give no rows. Errors as above. */
int us_sqlite_exec(sqlite3 *db, const char *sql);
/* Prepares n statements to be kept, into st, which was zeroed. After an error some are there. */
int us_sqlite_prepare(sqlite3 *db, const char *const *sql, int n, sqlite3_stmt **st);
/* Frees n statements; those that are NULL are passed over. */
void us_sqlite_finalize(sqlite3_stmt **st, int n);
/* The rowid of a page. US_ERR_RANGE: a part of the key is out of its bounds. */
int us_sqlite_id_of(const struct us_store_key *key, sqlite3_int64 *id);
/* The key of the page with that rowid. */
void us_sqlite_key_of(sqlite3_int64 id, struct us_store_key *key);

#endif
