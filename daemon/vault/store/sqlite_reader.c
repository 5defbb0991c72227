/* Reading the store's pages and acts. */
#include "daemon/vault/store/sqlite_reader.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/err.h"
#include "daemon/vault/store/sqlite_db.h"

#define READER_CACHE_KIB 2048
#define MMAP_BYTES (INT64_C(1) << 36)

enum us_store_reader_statement { RS_BEGIN, RS_END, RS_GET, RS_SCAN, RS_ACTS, RS_COUNT };
static const char *const reader_sql[RS_COUNT] = {
	[RS_BEGIN] = "BEGIN",
	[RS_END] = "COMMIT",
	[RS_GET] = "SELECT page FROM pages WHERE id = ?1",
	[RS_SCAN] = "SELECT id, page FROM pages WHERE id BETWEEN ?1 AND ?2 ORDER BY id",
	[RS_ACTS] = "SELECT sequence, prepared, entry, sealed FROM acts WHERE sequence >= ?1 "
		    "ORDER BY sequence",
};

struct us_store_reader {
	sqlite3 *db;
	sqlite3_stmt *st[RS_COUNT];
};

int
us_sqlite_reader_open(struct us_store_reader **out, const char *path, const char *vfs)
{
	struct us_store_reader *r = calloc(1, sizeof *r);
	char sql[256];
	int err, rc;

	*out = NULL;
	if (r == NULL)
		return US_ERR_NOMEM;
	rc = sqlite3_open_v2(path, &r->db,
	    SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW, vfs);
	if (rc != SQLITE_OK) {
		err = us_sqlite_error(r->db, rc, "open a reader");
		goto fail;
	}
	(void)sqlite3_extended_result_codes(r->db, 1);
	(void)sqlite3_busy_timeout(r->db, 1000);
	(void)snprintf(sql, sizeof sql,
	    "PRAGMA query_only = ON; PRAGMA wal_autocheckpoint = 0;"
	    "PRAGMA mmap_size = %" PRId64 "; PRAGMA cache_size = -%d; PRAGMA trusted_schema = OFF;",
	    MMAP_BYTES, READER_CACHE_KIB);
	err = us_sqlite_exec(r->db, sql);
	if (err == US_OK)
		err = us_sqlite_prepare(r->db, reader_sql, RS_COUNT, r->st);
	if (err == US_OK) {
		*out = r;
		return US_OK;
	}
fail:
	us_store_reader_close(r);
	return err;
}

void
us_store_reader_close(struct us_store_reader *r)
{
	if (r == NULL)
		return;
	us_sqlite_finalize(r->st, RS_COUNT);
	(void)sqlite3_close(r->db);
	free(r);
}

static int
step_once(struct us_store_reader *r, enum us_store_reader_statement which)
{
	int rc = sqlite3_step(r->st[which]);

	(void)sqlite3_reset(r->st[which]);
	return rc == SQLITE_DONE ? US_OK : us_sqlite_error(r->db, rc, reader_sql[which]);
}

/* Calls fn with the page of one key; the row is held while fn runs. */
static int
get_one(struct us_store_reader *r, const struct us_store_key *key, us_store_page_fn fn, void *ctx)
{
	sqlite3_stmt *st = r->st[RS_GET];
	struct us_bytes page = { NULL, 0 };
	sqlite3_int64 id;
	int err = us_sqlite_id_of(key, &id);
	int rc;

	if (err != US_OK)
		return err;
	if (sqlite3_bind_int64(st, 1, id) != SQLITE_OK)
		return US_ERR_NOMEM;
	rc = sqlite3_step(st);
	if (rc == SQLITE_ROW) {
		page.p = sqlite3_column_blob(st, 0);
		page.n = (size_t)sqlite3_column_bytes(st, 0);
		if (page.p == NULL)
			page.n = 0;
	}
	if (rc == SQLITE_ROW || rc == SQLITE_DONE)
		err = fn(ctx, key, page);
	else
		err = us_sqlite_error(r->db, rc, "get");
	(void)sqlite3_reset(st);
	return err;
}

static int
append_page(void *ctx, const struct us_store_key *key, struct us_bytes page)
{
	(void)key;
	return page.p == NULL ? US_ERR_NOT_FOUND : us_buf_put(ctx, page.p, page.n);
}

int
us_store_get(struct us_store_reader *r, const struct us_store_key *key, struct us_buf *out)
{
	return get_one(r, key, append_page, out);
}

int
us_store_get_many(struct us_store_reader *r, const struct us_store_key *keys, size_t n,
    us_store_page_fn fn, void *ctx)
{
	int end, err;
	size_t i;

	if (n == 1)
		return get_one(r, keys, fn, ctx);
	err = step_once(r, RS_BEGIN);
	for (i = 0; i < n && err == US_OK; i++)
		err = get_one(r, &keys[i], fn, ctx);
	end = sqlite3_get_autocommit(r->db) ? US_OK : step_once(r, RS_END);
	return err != US_OK ? err : end;
}

int
us_store_scan(struct us_store_reader *r, const struct us_store_key *from, uint64_t to,
    us_store_page_fn fn, void *ctx)
{
	sqlite3_stmt *st = r->st[RS_SCAN];
	struct us_store_key key = *from;
	sqlite3_int64 id, last;
	int err, rc = SQLITE_DONE;

	key.number = to;
	if ((err = us_sqlite_id_of(from, &id)) != US_OK ||
	    (err = us_sqlite_id_of(&key, &last)) != US_OK)
		return err;
	if (sqlite3_bind_int64(st, 1, id) != SQLITE_OK ||
	    sqlite3_bind_int64(st, 2, last) != SQLITE_OK)
		return US_ERR_NOMEM;
	while (err == US_OK && (rc = sqlite3_step(st)) == SQLITE_ROW) {
		struct us_bytes page;

		us_sqlite_key_of(sqlite3_column_int64(st, 0), &key);
		page.p = sqlite3_column_blob(st, 1);
		page.n = (size_t)sqlite3_column_bytes(st, 1);
		err = page.p == NULL ? US_ERR_NOMEM : fn(ctx, &key, page);
	}
	if (err == US_OK && rc != SQLITE_DONE)
		err = us_sqlite_error(r->db, rc, "scan");
	(void)sqlite3_reset(st);
	return err;
}

int
us_store_scan_acts(struct us_store_reader *r, uint64_t from, us_store_act_fn fn, void *ctx)
{
	sqlite3_stmt *st = r->st[RS_ACTS];
	int err = US_OK, rc = SQLITE_DONE;

	if (from > INT64_MAX)
		return US_OK; /* there is none */
	rc = sqlite3_bind_int64(st, 1, (sqlite3_int64)from);
	if (rc != SQLITE_OK)
		return us_sqlite_error(r->db, rc, "scan acts");
	while (err == US_OK && (rc = sqlite3_step(st)) == SQLITE_ROW) {
		struct us_store_act act;

		act.sequence = (uint64_t)sqlite3_column_int64(st, 0);
		act.prepared = sqlite3_column_int(st, 1);
		act.entry = sqlite3_column_type(st, 2) == SQLITE_NULL ?
		    UINT64_MAX :
		    (uint64_t)sqlite3_column_int64(st, 2);
		act.sealed.p = sqlite3_column_blob(st, 3);
		act.sealed.n = (size_t)sqlite3_column_bytes(st, 3);
		err = act.sealed.p == NULL ? US_ERR_NOMEM : fn(ctx, &act);
	}
	if (err == US_OK && rc != SQLITE_DONE)
		err = us_sqlite_error(r->db, rc, "scan acts");
	(void)sqlite3_reset(st);
	return err;
}
