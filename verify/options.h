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
	/* each bundle, one at a time; or NULL */
	void (*on_progress)(void *arg, uint64_t done, uint64_t size);
	void *arg;
};

#endif
