/*
 * The journal: where an entry of the log becomes durable. Segments of a fixed size, written once
 * with zeros so that a commit changes no metadata of the file system, take one *group* a commit:
 *
 *   group    u32 "USJG" ‖ u32 length of the group ‖ u64 first index ‖ u32 count
 *            ‖ count × { u16 length ‖ entry } ‖ trailer
 *   trailer  u64 tree size ‖ root(32) ‖ u64 state sequence ‖ state digest(32) ‖ i64 time of the
 *            last entry ‖ str16 checkpoint (the signed note) ‖ str32 counters ‖ digest of the group
 *            before (32; zeros for the first) ‖ u32 length of the group ‖ SHA-256 of all before
 *   segment  file journal/<first index in 16 hex digits>: "USJSEG1\n" ‖ u64 first index ‖ digest of
 *            the group before (32) ‖ SHA-256 of these 48 bytes, then groups
 *
 * A group is one write and one fdatasync. Any failing write or sync ends the process: what the
 * kernel did with the pages cannot be known (Rebello et al., "Can applications recover from fsync
 * failures?", ATC 2020), so nothing is retried. At start the file's cached pages are given up and
 * read again for the same reason.
 *
 * The next segment is there before it is needed, as the file "next", with all of its blocks: a disk
 * that fills up takes nothing from what the two hold. Where it has no room for another one the
 * journal is *short*; commits go on until what is there is used up. Then the process ends
 * (US_EXIT_IO).
 *
 * Behind each commit the name of the segment must still be that of the file that was written, with
 * its size. Whoever removes, exchanges or cuts it ends the process: what is answered must stand
 * where the log is looked for.
 *
 * The last whole group wins. What stands behind it was never synced, hence never signed for
 * anybody: it is left alone, and the journal goes on in a fresh segment. Groups form a hash
 * chain across segments, so that a damaged group with others behind it is an error, not a tail.
 *
 * One owner, one thread. Paths are relative to the working directory.
 */
#ifndef US_LOG_DISK_JOURNAL_H
#define US_LOG_DISK_JOURNAL_H

#include <stddef.h>
#include <stdint.h>

#include "log/merkle.h"
#include "base/buf.h"

#define US_JOURNAL_SEGMENT (64u * 1024u * 1024u)
/* Most bytes of entries in one group, and of all a group may be. */
#define US_JOURNAL_ENTRIES_MAX (16u * 1024u * 1024u)
#define US_JOURNAL_COUNTERS_MAX (1024u * 1024u)

/* ALLOCATE: space for the next segment, asked by the worker's thread; FILE: a file beside the
 * journal (publish.c, klog_open.c). */
enum us_journal_op { US_JOURNAL_WRITE, US_JOURNAL_SYNC, US_JOURNAL_ALLOCATE, US_JOURNAL_FILE };

struct us_worker;

struct us_journal_options {
	const char *dir;          /* "journal"; kept, not copied */
	size_t segment_size;      /* 0: US_JOURNAL_SEGMENT */
	struct us_worker *worker; /* zeroes segments ahead; outlives the journal */
	/* Tests: asked before each operation; an errno instead of 0 makes it fail. May be NULL. */
	int (*fault)(void *arg, enum us_journal_op op);
	void *arg;
};

/* What the newest group says: the only source of these values at start. */
struct us_journal_tail {
	uint64_t size; /* of the tree */
	struct us_digest root;
	uint64_t state_sequence;
	uint8_t state_digest[32];
	int64_t time_ns;
	struct us_bytes checkpoint; /* views into the journal's memory until the next commit */
	struct us_bytes counters;
};

struct us_journal;

/* Opens the directory and finds the segments. Nothing is read yet. */
int us_journal_open(struct us_journal **out, const struct us_journal_options *options);
/* Closes its files and frees; NULL is allowed. */
void us_journal_close(struct us_journal *j);

typedef int us_journal_entry_fn(void *arg, uint64_t index, struct us_bytes entry);

/*
 * Reads everything there is. on_entry, which may be NULL, gets each entry in order, from the first
 * on, before it is known whether its group is the last; a non-zero return stops. tail is zeroed for
 * an empty journal. US_ERR_VERIFY: a damaged group that is no torn tail. US_ERR_IO, US_ERR_NOMEM.
 */
int us_journal_recover(struct us_journal *j, us_journal_entry_fn *on_entry, void *arg,
    struct us_journal_tail *tail);
/* Index of the first entry that the journal still holds (0 if it holds none). */
uint64_t us_journal_first(const struct us_journal *j);

/* One group. entries: count × { u16 length ‖ entry }, at most US_JOURNAL_ENTRIES_MAX bytes, the
 * first being entry tail->size - count. Returns when it is durable; does not return if that fails.
 * US_ERR_LIMIT and US_ERR_NOMEM leave the journal as it was. */
int us_journal_commit(struct us_journal *j, struct us_bytes entries, uint32_t count,
    const struct us_journal_tail *tail);
/* Has the next segment made ready, so that a commit need not wait for it; a disk that had no room
 * is asked again after a second. Call now and then. */
void us_journal_prepare(struct us_journal *j);
/* Deletes segments of which every entry is below `index`, never the newest. */
int us_journal_drop(struct us_journal *j, uint64_t index);
/* Bytes of groups that can be committed if the disk gives nothing more. */
uint64_t us_journal_room(const struct us_journal *j);
/* 1 if the disk had no room for the next segment when it was last asked. */
int us_journal_is_short(const struct us_journal *j);
/* Looks whether directory and segments are the ones that were opened, and ends the process if not.
 * Call now and then. */
void us_journal_watch(const struct us_journal *j);
/* What US_JOURNAL's file system has left for us, in bytes. */
int us_journal_space(const struct us_journal *j, uint64_t *bytes);

#endif
