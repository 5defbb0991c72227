/* Entries of the committed log, one after another: each bundle is read once, however many of its
 * entries are wanted. */
#ifndef US_DAEMON_KEEPER_WALK_H
#define US_DAEMON_KEEPER_WALK_H

#include "base/buf.h"
#include "log/disk/klog.h"

struct us_walk {
	uint64_t index; /* of the entry that comes next */
	struct us_buf bundle;
	/* of bundle, from that entry on; empty: another bundle is to be read */
	struct us_reader rest;
};

/* Stands before the entry at that index. Free with us_walk_free(). */
void us_walk_init(struct us_walk *w, uint64_t from);
/* Gives back what it has read. */
void us_walk_free(struct us_walk *w);
/* 1 if the next entry is at hand, so that taking it costs next to nothing. */
int us_walk_has_next(const struct us_walk *w);
/* The entry at w->index, which moves on; its bytes are w's until the next call. US_ERR_NOT_FOUND:
 * the log ends there. Errors of reading the log (US_ERR_IO, US_ERR_FORMAT, US_ERR_VERIFY,
 * US_ERR_NOMEM). */
int us_walk_next(struct us_walk *w, struct us_klog *log, struct us_bytes *entry);

#endif
