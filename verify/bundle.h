/*
 * One bundle of at most 256 entries, checked on its own: its hashes against its tile of level 0,
 * the form of every entry, and the boxes whose keys were disclosed. Bundles share nothing, so any
 * number of threads checks one each; what spans entries is judged afterwards, in order, from the
 * opened entries (verify/rules.h).
 */
#ifndef US_VERIFY_BUNDLE_H
#define US_VERIFY_BUNDLE_H

#include "log/merkle.h"
#include "log/opened.h"
#include "log/tiles.h"
#include "verify/finding.h"

struct us_verify_bundle {
	/* given */
	uint64_t n;     /* which */
	unsigned width; /* how many entries the tree has of it */
	int foreign;    /* entries are not ours: only hashes are looked at */
	size_t n_keys;  /* of its entries, in their order, each index once */
	struct us_export_keys keys[US_TILE_WIDTH];
	uint64_t keys_at[US_TILE_WIDTH]; /* where their lines begin */
	/* found */
	/* entries that are right by themselves; so many are open (but for foreign ones), as long as
	 * the bundle is about them */
	unsigned done;
	struct us_opened entries[US_TILE_WIDTH];
	uint64_t opened[US_BOXES];
	struct us_digest root; /* of all its hashes; filled if nothing was found */
	struct us_verify_finding finding;
	int result; /* of us_verify_bundle_check() */
	int ready;  /* the caller's: it is to be settled */
	/* its own */
	struct us_digest leaves[US_TILE_WIDTH];
	struct us_buf data, tile;
};

void us_verify_bundle_init(struct us_verify_bundle *b);
void us_verify_bundle_free(struct us_verify_bundle *b); /* wipes the keys, and what was opened */
/* Fills what is to be found. The key of the last box stays in this thread's cipher
 * (us_gcm_forget()). Result also in b->result: US_OK, FOUND (entries before b->done are right),
 * US_ERR_NOMEM. */
int us_verify_bundle_check(struct us_verify_bundle *b, const struct us_log_source *source);

/* A hash tile of exactly that many hashes into out (or a full one in its stead). US_OK, FOUND,
 * US_ERR_NOMEM. */
int us_verify_tile_get(const struct us_log_source *source, const struct us_tile *tile,
    struct us_buf *out, struct us_verify_finding *finding);

#endif
