/*
 * The archive of a backup: a POSIX pax tar without compression (what is in it is encrypted).
 * Members are regular files of these names and no others, each at most once; the first is
 * US_BACKUP_LABEL:
 *
 *   underseal-backup        "underseal/backup/1\n", then lines "vault=HEX", "number=N", "entry=M",
 *                           "keyring=GENERATION"
 *   undersealed.conf
 *   keeper/FILE             vault.conf boot.keys root.wrapped init.act succession checkpoint, and
 *                           if they are there handovers cosignatures cosignatures.N keyring.copies
 *   keeper/journal/HEX16    without the zeros that fill it
 *   keeper/tile/...         full tiles and bundles, at their C2SP paths
 *   vault/store.db, vault/store.db-wal
 *
 * Never the keyring, nor the log's key: boot.keys holds a successor's (daemon/keeper/handover.h).
 *
 * What is read is not trusted: names are checked against the list, other kinds of members and sizes
 * over the limits are refused, nothing is replaced, and no key is used before all has been
 * unpacked.
 */
#ifndef US_DAEMON_OFFLINE_ARCHIVE_H
#define US_DAEMON_OFFLINE_ARCHIVE_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

#define US_BACKUP_LABEL "underseal-backup"
#define US_BACKUP_LABEL_MAX 512

/* The most bytes that a member of that name may have; 0: no member is named so. */
uint64_t us_backup_member_max(const char *name);

struct us_backup_label {
	uint8_t vault_id[32];
	uint32_t number;     /* of the backup, and of the keyring's copy that was made with it */
	uint64_t entry;      /* the log goes on here */
	uint64_t generation; /* of the keyring */
};
/* Appends a label's lines. Errors of the buffer. */
int us_backup_label_put(struct us_buf *out, const struct us_backup_label *label);
/* US_ERR_FORMAT. */
int us_backup_label_parse(struct us_backup_label *out, struct us_bytes text);

/* The keyring's copy: "underseal/keyring-copy/1\n", the label's four lines, an empty line, the file
 * "keyring". US_ERR_FORMAT. */
#define US_KEYRING_COPY_MAX (4u * 1024u * 1024u)
/* Appends a keyring's copy. Errors of the buffer. */
int us_keyring_copy_put(struct us_buf *out, const struct us_backup_label *label,
    struct us_bytes keyring);
/* Takes one apart; *keyring is a view of the text. US_ERR_FORMAT. */
int us_keyring_copy_parse(struct us_backup_label *label, struct us_bytes *keyring,
    struct us_bytes file);
/* The generation that the bytes of a file "keyring" name. US_ERR_FORMAT. */
int us_keyring_generation_of(uint64_t *generation, struct us_bytes keyring);

/* ---- writing ---- */

struct us_archive;
/* Called with bytes done and to do; for progress. May be NULL. */
typedef void (*us_archive_progress_fn)(void *arg, uint64_t done);
/* Begins an archive on fd, which stays the caller's. arg is handed to progress. US_ERR_NOMEM,
 * US_ERR_IO. */
int us_archive_new(struct us_archive **out, int fd, us_archive_progress_fn progress, void *arg);
/* Adds a member from memory, or from a file below directory (of at most limit bytes, if limit is
 * not 0: what is behind is left out). US_ERR_IO, US_ERR_NOSPACE, US_ERR_ARG (no name of a member).
 * What failed has been said. */
int us_archive_put(struct us_archive *a, const char *name, struct us_bytes data);
/* The member from a file, path being relative to the open directory. */
int us_archive_put_file(struct us_archive *a, const char *name, int directory, const char *path,
    uint64_t limit);
/* Ends the archive. The descriptor stays open, and is not synced. */
int us_archive_end(struct us_archive *a);
/* Frees it, ended or not; NULL is allowed. */
void us_archive_free(struct us_archive *a);

/* ---- reading ---- */

/* Unpacks everything into the directory, with its subdirectories, synced, mode 0600. label gets the
 * first member, which is not written. detail (256 bytes) gets a sentence. US_ERR_FORMAT (not such
 * an archive), US_ERR_LIMIT, US_ERR_EXISTS (a member twice), US_ERR_INCOMPLETE (cut short, or
 * members lack), US_ERR_IO, US_ERR_NOSPACE. */
int us_archive_unpack(int fd, int directory, struct us_backup_label *label,
    us_archive_progress_fn progress, void *arg, char *detail);

#endif
