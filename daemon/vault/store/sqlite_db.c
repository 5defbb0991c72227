#include "daemon/vault/store/sqlite_db.h"

#include <errno.h>

#include "base/err.h"
#include "base/log.h"

static int
error_of(int rc)
{
	switch (rc & 0xff) {
	case SQLITE_OK:
	case SQLITE_ROW:
	case SQLITE_DONE:
		return US_OK;
	case SQLITE_FULL:
		return US_ERR_NOSPACE;
	case SQLITE_NOMEM:
		return US_ERR_NOMEM;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return US_ERR_BUSY;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return US_ERR_FORMAT;
	case SQLITE_TOOBIG:
		return US_ERR_LIMIT;
	default:
		return US_ERR_IO;
	}
}

int
us_sqlite_error(sqlite3 *db, int rc, const char *what)
{
	int err = error_of(rc);

	/* A full disk may show as a failed write: the errno behind it tells. */
	if (err == US_ERR_IO && db != NULL) {
		int e = sqlite3_system_errno(db);

		if (e == ENOSPC || e == EDQUOT)
			err = US_ERR_NOSPACE;
	}
	if (err != US_OK)
		us_log_err(err, "store: %s: %s (%d)", what,
		    db != NULL ? sqlite3_errmsg(db) : sqlite3_errstr(rc),
		    db != NULL ? sqlite3_extended_errcode(db) : rc);
	return err;
}

int
us_sqlite_id_of(const struct us_store_key *key, sqlite3_int64 *id)
{
	if (key->collection == 0 || key->collection > US_STORE_COLLECTION_MAX ||
	    key->number > US_STORE_NUMBER_MAX)
		return US_ERR_RANGE;
	*id = (sqlite3_int64)((uint64_t)key->collection << 48 | (uint64_t)key->kind << 40 |
	    key->number);
	return US_OK;
}

void
us_sqlite_key_of(sqlite3_int64 id, struct us_store_key *key)
{
	uint64_t v = (uint64_t)id;

	key->collection = (uint32_t)(v >> 48);
	key->kind = (uint8_t)(v >> 40);
	key->number = v & US_STORE_NUMBER_MAX;
}

int
us_sqlite_exec(sqlite3 *db, const char *sql)
{
	int rc = sqlite3_exec(db, sql, NULL, NULL, NULL);

	return rc == SQLITE_OK ? US_OK : us_sqlite_error(db, rc, sql);
}

int
us_sqlite_prepare(sqlite3 *db, const char *const *sql, int n, sqlite3_stmt **st)
{
	int i, rc;

	for (i = 0; i < n; i++) {
		rc = sqlite3_prepare_v3(db, sql[i], -1, SQLITE_PREPARE_PERSISTENT, &st[i], NULL);
		if (rc != SQLITE_OK)
			return us_sqlite_error(db, rc, sql[i]);
	}
	return US_OK;
}

void
us_sqlite_finalize(sqlite3_stmt **st, int n)
{
	int i;

	for (i = 0; i < n; i++)
		sqlite3_finalize(st[i]);
}
