/*
 * An entry with its boxes open, as far as there are keys: the one place that opens boxes and reads
 * what they hold. The keeper's ledger, the verifier, and by way of it the client's lists and
 * reports, all see entries in this shape.
 *
 * Begin one, open boxes in any order, look, begin the next in the same struct, free it. Functions
 * are safe in threads; a struct has one owner.
 */
#ifndef US_LOG_OPENED_H
#define US_LOG_OPENED_H

#include "base/buf.h"
#include "crypto/key.h"
#include "log/entry.h"
#include "log/export.h"

/* Texts, lists and the event's view point into plain, or are the struct's own: they hold until the
 * next begin or free. view points into the entry's bytes, which are the caller's. */
struct us_opened {
	struct us_entry_view view;
	unsigned open; /* 1 << enum us_box, of those that were opened */
	/* Of a box that is not open, or holds nothing: zeros, but related and sequence NONE and
	 * parts 1. */
	struct us_entry_access access;
	struct us_entry_disclosure disclosure;
	struct us_entry_query query;
	struct us_buf plain;
};

void us_opened_init(struct us_opened *e);
/* Wipes what was opened. NULL-safe for what init or a failed begin left. */
void us_opened_free(struct us_opened *e);

/* Takes the bytes of an entry, all boxes shut. Errors of us_entry_decode(), US_ERR_NOMEM; nothing
 * can be opened then. */
int us_opened_begin(struct us_opened *e, struct us_bytes entry);

/* Opens a box that is shut. If it does not open, with the errors of us_entry_open(), it is not in
 * e->open; if it opens and what it holds is nothing that belongs there, with those of the decoders,
 * it is. After an error what boxes hold must not be looked at. */
int us_opened_box(struct us_opened *e, enum us_box box, const struct us_key *key);
/* The same for who opens many: the key stays in this thread's cipher until us_gcm_forget(). */
int us_opened_next(struct us_opened *e, enum us_box box, const struct us_key *key);
/* Opens those that keys has (NULL: none), and leaves no key behind. */
int us_opened_boxes(struct us_opened *e, const struct us_export_keys *keys);

/* 1 if that box is open. */
static inline int
us_opened_has(const struct us_opened *e, enum us_box box)
{
	return (e->open >> box & 1) != 0;
}

#endif
