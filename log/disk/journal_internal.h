/* What journal.c (writing) and journal_read.c (opening, recovery) share. */
#ifndef US_LOG_DISK_JOURNAL_INTERNAL_H
#define US_LOG_DISK_JOURNAL_INTERNAL_H

#include <sys/stat.h>

#include "log/disk/journal.h"
#include "log/disk/worker.h"

#define US_GROUP_MAGIC 0x55534a47u /* "USJG" */
#define US_GROUP_HEADER 20u
/* Of a trailer, what has always the same length: with the digest behind the group. */
#define US_GROUP_FIXED (8u + 32u + 8u + 32u + 8u + 2u + 4u + 32u + 4u + 32u)
#define US_SEGMENT_HEADER 80u
#define US_SEGMENT_MAGIC "USJSEG1\n"

struct us_journal_segment {
	char name[17];
	uint64_t first;
	dev_t dev; /* which file it is, and of what size */
	ino_t ino;
	off_t size;
};

/* Invariants: segments ascend strictly by first; fd, if not -1, is the last of them, whose groups
 * end at `at`, and whose size is `limit`; chain is the digest of the last group. */
struct us_journal {
	struct us_journal_options options;
	size_t segment_size;
	int dir;
	int fd;
	uint64_t at;
	uint64_t limit;
	struct us_journal_segment *segments;
	size_t n_segments;
	uint8_t chain[32];
	struct us_buf group;
	struct us_buf tail_group; /* holds what the tail of a recovery points into */
	int spare_fd;             /* -1: none is on its way */
	struct us_job spare_job;  /* of the worker, while spare_fd is not -1 and it is not done */
	int spare_full;           /* the worker's likewise: no room for it */
	int is_short;
	int64_t asked_mono; /* the disk, when it was short */
};

#endif
