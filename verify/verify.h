/*
 * Verification of an exported log, offline: one pass over its directory, in memory of a few MiB a thread whatever its size. It
 * shares no code with the tree that wrote the log: leaf hashes come from the entries, the root from a stream of bundles.
 *
 * What is checked, in this order: the checkpoint's signature under the key, and its origin; then bundle after bundle its lines of
 * keys.jsonl (indexes rise), its entries against its level-0 tile, that each decodes and says its own index, that disclosed keys are
 * those it committed to, that their boxes open and hold what belongs there, the rules between entries (verify/rules.h), the tiles
 * of higher levels; at last the root. The verdict is about the first thing that is wrong in that order, whatever the number of
 * threads.
 */
#ifndef US_VERIFY_VERIFY_H
#define US_VERIFY_VERIFY_H

#include "audit/export.h"

#define VERIFY_THREADS_MAX 64

struct verification {
	struct us_verify_report report;
	const char *rule;  /* the rule between entries that is broken (static), or NULL */
	uint64_t withheld; /* entries whose access box was not opened: what rules say about them was not judged */
};

struct verify_options {
	const char *vkey;  /* the log's key as text; NULL: the log's own log.vkey */
	int foreign;       /* not 0: entries are not ours, only their hashes are looked at */
	unsigned threads;  /* 1 to VERIFY_THREADS_MAX */
	void (*on_progress)(void *arg, uint64_t done, uint64_t size); /* each bundle, one at a time; or NULL */
	void *arg;
};

/* *out is always filled. US_OK whenever there is a verdict; else US_ERR_NOMEM, US_ERR_CRYPTO. */
int verify_export(struct verification *out, const char *dir, const struct verify_options *options);

#endif
