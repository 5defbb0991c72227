/* How the bytes of a segment become its pages; for the files of this directory alone. */
#ifndef US_EVIDENCE_INDEX_PAGE_OUT_H
#define US_EVIDENCE_INDEX_PAGE_OUT_H

#include "evidence/index/segment.h"

/* Cuts a stream of bytes into pages. */
struct us_index_page_out {
	us_page_emit_fn *emit;
	void *ctx;
	uint32_t number; /* pages given out */
	size_t fill;
	uint64_t section; /* bytes since the last us_page_out_end() */
	uint8_t page[US_PAGE_PLAIN];
};

/* Appends n bytes; emits each page that they fill, and returns what that gives. */
int us_page_out_put(struct us_index_page_out *o, const uint8_t *p, size_t n);
/* Ends a section: fills its last page with zeros and emits it. */
int us_page_out_end(struct us_index_page_out *o);

/* Keeps what must stand behind what is still being written. */
struct us_index_spool {
	struct us_index_spool_block *first;
	struct us_index_spool_block *last;
};

/* Appends n bytes. US_ERR_NOMEM. */
int us_spool_put(struct us_index_spool *s, const uint8_t *p, size_t n);
/* Appends all of it to out, unless that is NULL, wipes and frees; errors of us_page_out_put(). */
int us_spool_drain(struct us_index_spool *s, struct us_index_page_out *out);

#endif
