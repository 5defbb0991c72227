/*
 * The log as its keeper writes it: entries in clear go in, a group of them is sealed, hashed into
 * the tree, made durable by one sync and covered by one signed checkpoint. Nothing that depends on
 * an entry may leave the process before us_klog_commit() has returned.
 *
 * At start everything is rebuilt from the journal; the root of the rebuilt tree must be the one
 * that the newest group names, and the newest checkpoint ever written beside it (file "checkpoint")
 * must be a prefix: a journal that is shorter stops the start.
 *
 * One owner, one thread. Paths are relative to the working directory.
 */
#ifndef US_LOG_DISK_KLOG_H
#define US_LOG_DISK_KLOG_H

#include "log/checkpoint.h"
#include "log/entry.h"
#include "log/tree.h"
#include "crypto/key.h"
#include "log/disk/journal.h"

struct us_klog;

/* A key that signed this log before it was handed over, and how far. */
struct us_klog_former {
	struct us_note_key key;
	uint64_t size;
};

struct us_klog_options {
	const char *origin;        /* name of the log and of its key */
	const uint8_t *vault_id;   /* 32 bytes; must outlive the log */
	const uint8_t *box_public; /* X25519: the log box public key; copied */
	const struct us_key *seed; /* Ed25519 seed of the log's key; copied */
	/* Keys of before: a checkpoint beside the journal that one of them signed passes if it is
	 * not larger than that. May be NULL. Until the log has been opened. */
	const struct us_klog_former *former;
	size_t n_former;
	struct us_bytes handovers; /* the file "handovers", to be served; empty: none. Copied */
	size_t segment_size;       /* 0: default */
	int (*fault)(void *arg, enum us_journal_op op); /* see journal.h */
	void *arg;
};

/* Opens and recovers. US_ERR_VERIFY: damaged, or shorter than what was signed; the operator's log
 * says what. */
int us_klog_open(struct us_klog **out, const struct us_klog_options *options);
/* Notes the newest checkpoint if that is due, waits for the files under way, frees; NULL is
 * allowed. */
void us_klog_close(struct us_klog *log);

/* B, from unsealing on: entries before it are boot entries. The key must outlive the log; NULL
 * again when it does not. */
void us_klog_set_box_key(struct us_klog *log, const struct us_key *b);

/* Adds an entry to the group. What the log knows itself need not be filled in: index, time, salt,
 * vault id, secret. One of class STATE has an access box that names its act. *index: its place.
 * US_ERR_ARG, US_ERR_LIMIT (too large), US_ERR_CRYPTO, US_ERR_NOMEM: nothing was added. May commit
 * what is there when the group is full. */
int
us_klog_append(struct us_klog *log, const struct us_entry_in *e, uint64_t *index, int64_t *time_ns);
/* Makes the group durable. Nothing to do: US_OK. Does not return if the disk fails. Any error that
 * it does return leaves entries that are neither durable nor forgotten: the process must end. */
int us_klog_commit(struct us_klog *log);
/* Entries appended and not committed. */
uint32_t us_klog_open_group(const struct us_klog *log);

/* The committed log. */
uint64_t us_klog_size(const struct us_klog *log);
/* The newest checkpoint, a signed note, until the next commit. */
struct us_bytes us_klog_checkpoint(const struct us_klog *log);
/* The verifier key of its checkpoints, as text. */
const char *us_klog_vkey(const struct us_klog *log);
/* Signs msg under the key that signs checkpoints. US_ERR_CRYPTO. */
int us_klog_sign(const struct us_klog *log, struct us_bytes msg, uint8_t out[64]);
/* Inclusion of an entry in the newest checkpoint. */
int
us_klog_proof(struct us_klog *log, uint64_t index, struct us_digest proof[US_PROOF_MAX], size_t *n);
/* Appends the bytes of an entry. */
int us_klog_entry_bytes(struct us_klog *log, uint64_t index, struct us_buf *out);
/* Appends the first width entries of bundle n, as in its file. US_ERR_NOT_FOUND: there are
 * fewer. */
int us_klog_bundle(struct us_klog *log, uint64_t n, unsigned width, struct us_buf *out);
/* The box keys of an entry that is already in the log; needs B (private: X25519 key of boot
 * entries). */
int us_klog_box_keys(struct us_klog *log, struct us_bytes entry, const struct us_key *box_private,
    struct us_key keys[US_BOXES]);
/* The root of the first size entries; US_ERR_RANGE if the log has fewer. */
int us_klog_root_at(struct us_klog *log, uint64_t size, struct us_digest *root);
/* Appends the file at that path: "checkpoint", "vkey", "handovers", "tile/…", full or partial of
 * any size that the log has had, "consistency/OLD/NEW" (lines of base64 hashes). US_ERR_NOT_FOUND,
 * US_ERR_FORMAT (no such path). */
int us_klog_serve(struct us_klog *log, struct us_bytes path, struct us_buf *out);

/* The newest committed act, from the journal. */
uint64_t us_klog_state_sequence(const struct us_klog *log);
/* The digest of the state after that act, 32 bytes. */
const uint8_t *us_klog_state_digest(const struct us_klog *log);
/* Opaque bytes that stand in every group from the next one on: the keeper's counters. */
int us_klog_set_counters(struct us_klog *log, struct us_bytes counters);
/* The counters of the newest group, until they change. */
struct us_bytes us_klog_counters(const struct us_klog *log);
/* 1 if the clock was set back by more than a second since the last call (times do not go back). */
int us_klog_clock_went_back(struct us_klog *log);
/* The newest time that an entry got, in nanoseconds since the epoch. */
int64_t us_klog_last_time(const struct us_klog *log);
/* Looks after the background work: files, syncs, the next segment. 1: there is more to come. */
int us_klog_tick(struct us_klog *log);
/* Looks whether the log's files are what was written: the journal's, the checkpoint, and of the
 * tiles and bundles the next one, so that all have their turn; ends the process (US_EXIT_IO) and
 * names the file if not. About once a second. */
void us_klog_watch(struct us_klog *log);
/* 1 if the disk had no room for a file of the log when it was last asked. What is committed
 *   meanwhile stands in the
 * journal's reserve. */
int us_klog_is_short(const struct us_klog *log);
/* Bytes that the journal can still take if the disk gives nothing more. */
uint64_t us_klog_room(const struct us_klog *log);
/* Bytes free on the log's file system. */
int us_klog_space(const struct us_klog *log, uint64_t *bytes);

#endif
