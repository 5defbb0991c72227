/*
 * Verification of a whole log, offline: a tlog-tiles directory (or anything that gives its files),
 * in one pass and in memory of a few hundred KiB whatever its size. It shares no code with the tree
 * that wrote the log: leaf hashes come from the entries, the root from a stream of leaves.
 *
 * What is checked: the checkpoint's signature under the vkey, and its origin; every entry's hash
 * against its level-0 tile; every tile of higher levels against the one below; the root; that
 * entry n says index n; that times never go back; that every entry decodes; for each line of
 * keys.jsonl, that the keys are those the entry committed to, and that their boxes open.
 *
 * Files: checkpoint, log.vkey, tile/..., tile/entries/..., keys.jsonl (optional): one JSON object a
 * line, {"index": n, "access": base64, "disclosure": base64, "query": base64}, each key optional.
 */
#ifndef US_AUDIT_EXPORT_H
#define US_AUDIT_EXPORT_H

#include <stddef.h>
#include <stdint.h>

#include "audit/checkpoint.h"
#include "audit/entry.h"

enum us_verdict {
	US_VERDICT_OK,           /* exit status 0 */
	US_VERDICT_TAMPERED,     /* 5: something contradicts something else */
	US_VERDICT_INCOMPLETE,   /* 6: files are missing or cut short */
	US_VERDICT_UNVERIFIABLE  /* 6: nothing can be said: no checkpoint, no key, I/O failed */
};

struct us_verify_report {
	enum us_verdict verdict;
	/* TAMPERED, INCOMPLETE: the first index that is wrong or missing, or US_ENTRY_NONE if it is
	 * not about an entry (the checkpoint's signature, say). */
	uint64_t index;
	char detail[320];  /* one sentence for a person, printable ASCII */
	int own_vkey;      /* the key came with the log itself: it proves no identity */
	struct us_checkpoint checkpoint; /* valid if its signature was; extensions is empty */
	uint64_t entries;  /* that were checked */
	uint64_t opened[US_BOXES]; /* boxes whose keys were disclosed and right */
	int64_t first_ns;  /* time of the first and last entry */
	int64_t last_ns;
};

/* Where the log's files come from. get appends the file at that path (relative, as in
 * us_tile_path()) to out, whose max is its limit: US_ERR_NOT_FOUND, US_ERR_LIMIT, US_ERR_IO. */
struct us_log_source {
	void *arg;
	int (*get)(void *arg, const char *path, struct us_buf *out);
	/* The next line of keys.jsonl, without its end, into cap bytes; *n is its length (0: an
	 * empty line). US_ERR_NOT_FOUND behind the last, or if there is no such file;
	 * US_ERR_LIMIT if it is too long. Lines stand in the order of their indexes. May be NULL. */
	int (*next_keys)(void *arg, char *line, size_t cap, size_t *n);
};

struct us_verify_options {
	const char *vkey; /* the log's key as text; NULL: the log's own log.vkey */
	int foreign; /* not 0: entries are not ours; their form, index and time are not looked at */
	/* Called for each entry whose hash stood in its tile, in order, before the root is known:
	 * believe nothing until the verdict. May be NULL. A non-zero return stops the
	 * verification, which then returns it. */
	int (*on_entry)(void *arg, const struct us_entry_view *view, const struct us_digest *leaf);
	void (*on_progress)(void *arg, uint64_t done, uint64_t size); /* each bundle; or NULL */
	void *arg;
};

/* Verifies; *report is always filled. Returns US_OK whenever there is a verdict; US_ERR_NOMEM and
 * what on_entry returned otherwise. */
int us_log_verify(struct us_verify_report *report, const struct us_log_source *source,
    const struct us_verify_options *options);
/* The same over a directory. Symbolic links inside it are not followed. */
int us_export_verify(struct us_verify_report *report, const char *dir,
    const struct us_verify_options *options);

/* "OK", "TAMPERED", "INCOMPLETE", "UNVERIFIABLE". */
const char *us_verdict_name(enum us_verdict v);
/* 0, 5, 6, 6. */
int us_verdict_exit(enum us_verdict v);

/* Appends one line of keys.jsonl; a NULL key is left out. */
int us_export_keys_line(struct us_buf *out, uint64_t index, const struct us_key *access,
    const struct us_key *disclosure, const struct us_key *query);
/* Parses one line without its end. present[box] tells which keys stand in it. US_ERR_FORMAT. */
struct us_export_keys {
	uint64_t index;
	int present[US_BOXES];
	struct us_key keys[US_BOXES];
};
int us_export_keys_parse(struct us_export_keys *out, const char *line, size_t n);

#endif
