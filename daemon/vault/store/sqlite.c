/*
 * The SQLite driver of store.h. One table of pages whose rowid is collection ‖ kind ‖ number in
 * 63 bits, so that the only index is the table itself; one table of acts.
 *
 * Write-ahead log with synchronous=FULL: a commit is one sync of the log. The automatic checkpoint
 * is off, the owner calls us_store_checkpoint(). A commit that fails other than for want of room
 * says nothing about what is on the disk (the kernel may have dropped the dirty pages), hence
 * US_ERR_IO, after which the process ends; see https://www.sqlite.org/lockingv3.html and Rebello
 * et al., "Can Applications Recover from fsync Failures?", USENIX ATC 2020.
 */
#include "daemon/vault/store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/log.h"
#include "daemon/vault/store/sqlite_db.h"
#include "daemon/vault/store/sqlite_names.h"
#include "daemon/vault/store/sqlite_reader.h"
#include "store_schema.h"

#define APPLICATION_ID 0x55534c31 /* "USL1" */
#define SCHEMA_VERSION 1
#define PAGE_SIZE 16384
#define WRITER_CACHE_KIB 8192

enum us_store_statement {
	ST_BEGIN,
	ST_COMMIT,
	ST_ROLLBACK,
	ST_PUT,
	ST_DELETE,
	ST_PUT_ACT,
	ST_SETTLE_ACT,
	ST_DROP_ACTS,
	ST_WRITER_COUNT
};
static const char *const writer_sql[ST_WRITER_COUNT] = {
	[ST_BEGIN] = "BEGIN IMMEDIATE",
	[ST_COMMIT] = "COMMIT",
	[ST_ROLLBACK] = "ROLLBACK",
	[ST_PUT] = "INSERT OR REPLACE INTO pages(id, page) VALUES(?1, ?2)",
	[ST_DELETE] = "DELETE FROM pages WHERE id IN "
		      "(SELECT id FROM pages WHERE id BETWEEN ?1 AND ?2 ORDER BY id LIMIT ?3)",
	[ST_PUT_ACT] = "INSERT INTO acts(sequence, prepared, sealed) VALUES(?1, ?2, ?3)",
	[ST_SETTLE_ACT] = "UPDATE acts SET prepared = 0, entry = ?2 WHERE sequence = ?1",
	[ST_DROP_ACTS] = "DELETE FROM acts WHERE sequence >= ?1",
};

/* Invariant: in_transaction tells whether SQLite has one open. pending is set by SQLite's hook in
 * commits of this connection and by us_store_checkpoint(). */
struct us_store {
	sqlite3 *db;
	sqlite3_stmt *st[ST_WRITER_COUNT];
	struct us_sqlite_names *names; /* readers use it, too */
	char *path;
	int lock_fd;
	int in_transaction;
	uint64_t pending;
};

static int
pragma_number(sqlite3 *db, const char *sql, int64_t *value)
{
	sqlite3_stmt *st = NULL;
	int rc = sqlite3_prepare_v2(db, sql, -1, &st, NULL);

	if (rc == SQLITE_OK && (rc = sqlite3_step(st)) == SQLITE_ROW)
		*value = sqlite3_column_int64(st, 0);
	sqlite3_finalize(st);
	return rc == SQLITE_ROW ? US_OK : us_sqlite_error(db, rc, sql);
}

/* --- opening ------------------------------------------------------------------------------ */

/* The lock is a file of its own: closing any descriptor of the database file would drop the
 * locks that SQLite holds on it (fcntl locks belong to the process). */
static int
take_lock(struct us_store *s)
{
	char name[4096];

	if ((size_t)snprintf(name, sizeof name, "%s.lock", s->path) >= sizeof name)
		return US_ERR_LIMIT;
	s->lock_fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (s->lock_fd < 0) {
		us_log(US_LOG_ERROR, "store: cannot open %s: %s", name, strerror(errno));
		return errno == ENOSPC ? US_ERR_NOSPACE : US_ERR_IO;
	}
	if (flock(s->lock_fd, LOCK_EX | LOCK_NB) < 0) {
		us_log(US_LOG_ERROR, "store: another process uses %s: stop it first", s->path);
		return US_ERR_BUSY;
	}
	return US_OK;
}

static int
on_wal(void *ctx, sqlite3 *db, const char *name, int pages)
{
	struct us_store *s = ctx;

	(void)db;
	(void)name;
	s->pending = (uint64_t)pages * PAGE_SIZE;
	return SQLITE_OK;
}

static int
make_schema(struct us_store *s)
{
	char sql[128];
	int err = us_sqlite_exec(s->db, "BEGIN EXCLUSIVE");

	if (err == US_OK)
		err = us_sqlite_exec(s->db, store_schema_1);
	if (err == US_OK) {
		(void)snprintf(sql, sizeof sql,
		    "PRAGMA application_id = %d; PRAGMA user_version = %d", APPLICATION_ID,
		    SCHEMA_VERSION);
		err = us_sqlite_exec(s->db, sql);
	}
	if (err == US_OK)
		err = us_sqlite_exec(s->db, "COMMIT");
	if (err != US_OK)
		(void)sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
	return err;
}

static int
check_schema(struct us_store *s)
{
	int64_t application = 0, version = 0, tables = 0, page_size = 0;
	int err = pragma_number(s->db, "PRAGMA application_id", &application);

	if (err == US_OK)
		err = pragma_number(s->db, "PRAGMA user_version", &version);
	if (err == US_OK)
		err = pragma_number(s->db, "SELECT count(*) FROM sqlite_schema", &tables);
	if (err != US_OK)
		return err;
	if (application == 0 && version == 0 && tables == 0)
		return make_schema(s);
	if (application != APPLICATION_ID) {
		us_log(US_LOG_ERROR, "store: %s is not a store of this program", s->path);
		return US_ERR_FORMAT;
	}
	if (version != SCHEMA_VERSION) {
		us_log(US_LOG_ERROR,
		    "store: %s has version %" PRId64
		    ", this program knows up to %d: use the newer program",
		    s->path, version, SCHEMA_VERSION);
		return US_ERR_RANGE;
	}
	err = pragma_number(s->db, "PRAGMA page_size", &page_size);
	if (err == US_OK && page_size != PAGE_SIZE) {
		us_log(US_LOG_ERROR, "store: %s has a page size of %" PRId64, s->path, page_size);
		err = US_ERR_FORMAT;
	}
	return err;
}

static int
set_up_writer(struct us_store *s, const struct us_store_options *options)
{
	int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW;
	char sql[512];
	int err, rc;

	if (access(s->path, F_OK) != 0 && !options->create)
		return US_ERR_NOT_FOUND;
	if (options->create)
		flags |= SQLITE_OPEN_CREATE;
	rc = sqlite3_open_v2(s->path, &s->db, flags, us_sqlite_names_vfs(s->names));
	if (rc != SQLITE_OK)
		return us_sqlite_error(s->db, rc, "open");
	(void)sqlite3_extended_result_codes(s->db, 1);
	/* page_size counts for a new file only; check_schema looks at what is there. */
	(void)snprintf(sql, sizeof sql,
	    "PRAGMA page_size = %d; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
	    "PRAGMA secure_delete = ON; PRAGMA wal_autocheckpoint = 0; PRAGMA temp_store = MEMORY;"
	    "PRAGMA journal_size_limit = 67108864;"
	    "PRAGMA trusted_schema = OFF; PRAGMA cache_size = -%d;",
	    PAGE_SIZE, WRITER_CACHE_KIB);
	err = us_sqlite_exec(s->db, sql);
	if (err == US_OK)
		err = check_schema(s);
	if (err == US_OK)
		err = us_sqlite_prepare(s->db, writer_sql, ST_WRITER_COUNT, s->st);
	if (err == US_OK) {
		(void)sqlite3_wal_hook(s->db, on_wal, s);
		/* What a killed process left behind goes to its place before the first reader
		 * comes. */
		err = us_store_checkpoint(s);
	}
	return err;
}

int
us_store_open(struct us_store **out, const struct us_store_options *options)
{
	struct us_store *s = calloc(1, sizeof *s);
	int err = US_OK;

	*out = NULL;
	if (s == NULL)
		return US_ERR_NOMEM;
	s->lock_fd = -1;
	s->path = strdup(options->path);
	if (s->path == NULL)
		err = US_ERR_NOMEM;
	if (err == US_OK)
		err = us_sqlite_names_new(&s->names);
	if (err == US_OK)
		err = take_lock(s);
	if (err == US_OK)
		err = set_up_writer(s, options);
	if (err != US_OK) {
		us_store_close(s);
		return err;
	}
	*out = s;
	return US_OK;
}

void
us_store_close(struct us_store *s)
{
	if (s == NULL)
		return;
	us_sqlite_finalize(s->st, ST_WRITER_COUNT);
	(void)sqlite3_close(s->db);
	us_sqlite_names_free(s->names);
	if (s->lock_fd >= 0)
		(void)close(s->lock_fd);
	free(s->path);
	free(s);
}

/* --- writing ------------------------------------------------------------------------------ */

static void
abandon(struct us_store *s)
{
	if (s->in_transaction && !sqlite3_get_autocommit(s->db)) {
		(void)sqlite3_step(s->st[ST_ROLLBACK]);
		(void)sqlite3_reset(s->st[ST_ROLLBACK]);
	}
	s->in_transaction = 0;
}

/* Runs a statement that gives no rows. */
static int
run(struct us_store *s, enum us_store_statement which)
{
	int rc = sqlite3_step(s->st[which]);
	int err = rc == SQLITE_DONE ? US_OK : us_sqlite_error(s->db, rc, writer_sql[which]);

	(void)sqlite3_reset(s->st[which]);
	(void)sqlite3_clear_bindings(s->st[which]);
	/* A store that is damaged under us is no less a reason to stop than a failed write. */
	if (err == US_ERR_FORMAT || err == US_ERR_BUSY)
		err = US_ERR_IO;
	if (err == US_ERR_NOSPACE || err == US_ERR_IO || err == US_ERR_NOMEM)
		abandon(s);
	return err;
}

int
us_store_begin(struct us_store *s)
{
	int err;

	if (s->in_transaction)
		return US_ERR_STATE;
	err = run(s, ST_BEGIN);
	s->in_transaction = err == US_OK;
	return err;
}

int
us_store_commit(struct us_store *s)
{
	int err;

	if (!s->in_transaction)
		return US_ERR_STATE;
	err = run(s, ST_COMMIT);
	if (err == US_OK)
		s->in_transaction = 0;
	return err;
}

void
us_store_rollback(struct us_store *s)
{
	abandon(s);
}

int
us_store_put(struct us_store *s, const struct us_store_key *key, struct us_bytes page)
{
	sqlite3_int64 id;
	int err = us_sqlite_id_of(key, &id);

	if (err != US_OK)
		return err;
	if (!s->in_transaction)
		return US_ERR_STATE;
	if (page.n == 0 || page.n > US_STORE_PAGE_MAX)
		return US_ERR_LIMIT;
	if (sqlite3_bind_int64(s->st[ST_PUT], 1, id) != SQLITE_OK ||
	    sqlite3_bind_blob64(s->st[ST_PUT], 2, page.p, page.n, SQLITE_STATIC) != SQLITE_OK)
		return US_ERR_NOMEM;
	return run(s, ST_PUT);
}

int
us_store_delete(struct us_store *s, const struct us_store_key *from, uint64_t to, size_t limit,
    size_t *deleted)
{
	struct us_store_key last = *from;
	sqlite3_int64 id, last_id;
	int err;

	last.number = to;
	if ((err = us_sqlite_id_of(from, &id)) != US_OK ||
	    (err = us_sqlite_id_of(&last, &last_id)) != US_OK)
		return err;
	if (!s->in_transaction)
		return US_ERR_STATE;
	if (sqlite3_bind_int64(s->st[ST_DELETE], 1, id) != SQLITE_OK ||
	    sqlite3_bind_int64(s->st[ST_DELETE], 2, last_id) != SQLITE_OK ||
	    sqlite3_bind_int64(s->st[ST_DELETE], 3,
		limit > INT64_MAX ? INT64_MAX : (sqlite3_int64)limit) != SQLITE_OK)
		return US_ERR_NOMEM;
	err = run(s, ST_DELETE);
	if (err == US_OK && deleted != NULL)
		*deleted = (size_t)sqlite3_changes(s->db);
	return err;
}

int
us_store_put_act(struct us_store *s, uint64_t sequence, int prepared, struct us_bytes sealed)
{
	sqlite3_stmt *st = s->st[ST_PUT_ACT];
	int rc, err;

	if (!s->in_transaction)
		return US_ERR_STATE;
	if (sequence == 0 || sequence > INT64_MAX || sealed.n == 0)
		return US_ERR_RANGE;
	if (sqlite3_bind_int64(st, 1, (sqlite3_int64)sequence) != SQLITE_OK ||
	    sqlite3_bind_int(st, 2, prepared != 0) != SQLITE_OK ||
	    sqlite3_bind_blob64(st, 3, sealed.p, sealed.n, SQLITE_STATIC) != SQLITE_OK)
		return US_ERR_NOMEM;
	rc = sqlite3_step(st);
	if ((rc & 0xff) == SQLITE_CONSTRAINT) {
		(void)sqlite3_reset(st);
		(void)sqlite3_clear_bindings(st);
		return US_ERR_EXISTS;
	}
	err = rc == SQLITE_DONE ? US_OK : us_sqlite_error(s->db, rc, "put act");
	(void)sqlite3_reset(st);
	(void)sqlite3_clear_bindings(st);
	if (err != US_OK)
		abandon(s);
	return err;
}

static int
run_on_act(struct us_store *s, enum us_store_statement which, uint64_t sequence)
{
	if (!s->in_transaction)
		return US_ERR_STATE;
	if (sequence > INT64_MAX)
		return US_ERR_RANGE;
	if (sqlite3_bind_int64(s->st[which], 1, (sqlite3_int64)sequence) != SQLITE_OK)
		return US_ERR_NOMEM;
	return run(s, which);
}

int
us_store_settle_act(struct us_store *s, uint64_t sequence, uint64_t entry)
{
	int err;

	if (entry > INT64_MAX)
		return US_ERR_RANGE;
	if (sqlite3_bind_int64(s->st[ST_SETTLE_ACT], 2, (sqlite3_int64)entry) != SQLITE_OK)
		return US_ERR_NOMEM;
	err = run_on_act(s, ST_SETTLE_ACT, sequence);
	return err == US_OK && sqlite3_changes(s->db) == 0 ? US_ERR_NOT_FOUND : err;
}

int
us_store_drop_acts(struct us_store *s, uint64_t from)
{
	return run_on_act(s, ST_DROP_ACTS, from);
}

uint64_t
us_store_pending(const struct us_store *s)
{
	return s->pending;
}

int
us_store_checkpoint(struct us_store *s)
{
	int frames = 0, moved = 0;
	int rc;

	if (s->in_transaction)
		return US_ERR_STATE;
	rc = sqlite3_wal_checkpoint_v2(s->db, NULL, SQLITE_CHECKPOINT_PASSIVE, &frames, &moved);
	if (rc == SQLITE_BUSY)
		return US_OK;
	if (rc != SQLITE_OK) {
		int err = us_sqlite_error(s->db, rc, "checkpoint");

		/* No room to grow the main file loses nothing: the log keeps all of it. */
		return err == US_ERR_NOSPACE || err == US_ERR_NOMEM ? err : US_ERR_IO;
	}
	s->pending = frames > moved ? (uint64_t)(frames - moved) * PAGE_SIZE : 0;
	return US_OK;
}

int
us_store_reader_open(struct us_store_reader **out, const struct us_store *s)
{
	return us_sqlite_reader_open(out, s->path, us_sqlite_names_vfs(s->names));
}
