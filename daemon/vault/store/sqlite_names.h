/*
 * How SQLite names its files. By itself it turns every name into an absolute one, and then needs
 * the right to pass each directory above the file, which a role does not have where its vault lies
 * in somebody's home. Through this layer a bare name stays what it is, and counts from the
 * directory that the process is in (which must not change meanwhile), and so do those of the files
 * beside it.
 */
#ifndef US_DAEMON_VAULT_STORE_SQLITE_NAMES_H
#define US_DAEMON_VAULT_STORE_SQLITE_NAMES_H

struct us_sqlite_names;

/* Registers the layer over SQLite's own files, under a name that nobody else has. US_ERR_NOMEM,
 * US_ERR_IO (SQLite has no files of its own or takes no layer). */
int us_sqlite_names_new(struct us_sqlite_names **out);
/* After every connection through it is closed. NULL is allowed. */
void us_sqlite_names_free(struct us_sqlite_names *n);
/* For sqlite3_open_v2(); lives as long as the layer. */
const char *us_sqlite_names_vfs(const struct us_sqlite_names *n);

#endif
