/* What a verification is asked: whose key, witnesses and timestamps count; who hears of entries. */
#ifndef US_VERIFY_OPTIONS_H
#define US_VERIFY_OPTIONS_H

#include "log/export.h"
#include "log/opened.h"
#include "log/witness_policy.h"

struct us_authority;

/* An entry that was found right by itself and judged by the rules. Valid during the call. */
struct us_verified_entry {
	const struct us_opened *opened; /* with the keys below */
	const struct us_digest *leaf;
	/* of its boxes, each of which they open; NULL: no line of keys names it */
	const struct us_export_keys *keys;
	uint64_t keys_at; /* where that line begins in keys.jsonl */
};

struct us_verify_options {
	/* the log's key as text, or one that it had before; NULL: the log's own log.vkey */
	const char *vkey;
	/* which witnesses are enough (the policy must name the log's key, if it names any), or
	 * NULL: cosignatures are not judged. With a policy that names it, the log's own log.vkey is
	 * as good as one that was given. */
	const struct us_tlog_policy *policy;
	/* whose timestamps count (verify/token.h), and of how many of them each entry must have one
	 * (0: one); none: timestamps are not judged */
	struct us_authority *const *authorities;
	size_t n_authorities;
	unsigned stamps_needed;
	int foreign;      /* not 0: entries are not ours, only their hashes are looked at */
	unsigned threads; /* at most so many; 0: one */
	/* Called for each entry in order, one at a time (from any of the threads), before the root
	 * is known: believe nothing until the verdict. May be NULL; not called for foreign entries.
	 * A non-zero return stops the verification, which then returns it. */
	int (*on_entry)(void *arg, const struct us_verified_entry *entry);
	/* Where an earlier verification of this log stood (of on_full), or empty: entries before it
	 * are neither read nor shown, and only what follows is judged. The caller vouches for their
	 * hashes. Not gone on from: a log whose acts, hand-overs, cosigned checkpoints or
	 * timestamps ask about earlier entries. */
	struct us_bytes saved;
	/* How many entries that left out; may be NULL. */
	uint64_t *passed_over;
	/* Called behind the last full bundle with where the verification stands; worth something if
	 * the verdict is OK. May be NULL. */
	int (*on_full)(void *arg, struct us_bytes standing);
	/* each bundle, one at a time; or NULL */
	void (*on_progress)(void *arg, uint64_t done, uint64_t size);
	void *arg;
};

#endif
