/*
 * Verification of a whole log: one pass over its files, in memory of a few MiB a thread whatever
 * its size. It shares no code with the tree that wrote the log: leaf hashes come from the entries,
 * the root from a stream of bundles. The program underseal-verify and the client's commands that
 * verify are both made of it.
 *
 * What is checked, in this order: the checkpoint's signature under the key, and its origin; then
 * bundle after bundle its lines of keys.jsonl (indexes rise), its entries against its level-0 tile,
 * that each decodes and says its own index, that disclosed keys are those it committed to, that
 * their boxes open and hold what belongs there, the rules between entries (verify/rules.h), acts
 * that lie beside the log (verify/acts.h), the tiles of higher levels; the root. Cosignatures that
 * are wrong come right behind the checkpoint; earlier checkpoints (verify/witnessed.h,
 * verify/stamps.h) and whether there are witnesses and timestamps enough, last. The verdict is
 * about the first thing that is wrong in that order, whatever the number of threads.
 */
#ifndef US_VERIFY_VERIFY_H
#define US_VERIFY_VERIFY_H

#include "log/checkpoint.h"
#include "log/cosignature.h"
#include "log/entry.h"
#include "log/export.h"
#include "log/opened.h"
#include "log/succession.h"
#include "log/witness_policy.h"

#define US_VERIFY_THREADS_MAX 64
#define US_STAMPS_MAX 128 /* timestamps beside a log */
#define US_STAMP_NAME_MAX 63

struct us_authority;

enum us_verdict {
	US_VERDICT_OK,          /* exit status 0 */
	US_VERDICT_TAMPERED,    /* 5: something contradicts something else */
	US_VERDICT_INCOMPLETE,  /* 6: files are missing or cut short */
	US_VERDICT_UNVERIFIABLE /* 6: nothing can be said: no checkpoint, no key, I/O failed */
};

/* How far witnesses vouch for the log. Filled once the entries have been found right. */
struct us_verify_witnessed {
	int judged;    /* there was a policy */
	int met;       /* its quorum cosigned the entries before size */
	uint64_t size; /* if met: those behind it are not witnessed yet */
	/* if met: a quorum cosigned at this time or later; 0: the policy wants nobody */
	uint64_t as_of_s;
	/* witnesses of the policy: who cosigned that checkpoint; if not met, any of those here */
	uint8_t by[US_COSIGNERS_MAX];
};

/* One timestamp beside the log. */
struct us_verify_stamp {
	char name[US_STAMP_NAME_MAX + 1]; /* of its file, letters, digits, dots, - and _ */
	uint64_t size;                    /* entries that were there */
	int64_t time_s;                   /* then */
	/* who says so (the options'); NULL: none of the authorities that were given */
	const char *authority;
	/* they were of a tree whose end was lost when the log was handed over, as the hand-over
	 * admits: counts for nothing */
	int lost;
};

/* How far authorities vouch for when the log was there. Filled as above. */
struct us_verify_stamped {
	int judged; /* authorities were given */
	unsigned needed;
	uint64_t size; /* each of so many vouches for the entries before this one, or more */
};

/* One hand-over of the log to another key, as far as it concerns who reads a verdict. */
struct us_verify_handover {
	uint64_t entry; /* the first under the new key */
	/* entries that the old key is known to have signed: those from entry on are lost */
	uint64_t last;
	int64_t time_ns;
	enum us_handover_reason reason;
};

struct us_verify_report {
	enum us_verdict verdict;
	/* TAMPERED, INCOMPLETE: the first index that is wrong or missing, or US_ENTRY_NONE if it is
	 * not about an entry (the checkpoint's signature, say). */
	uint64_t index;
	const char *rule; /* the rule between entries that is broken (static), or NULL */
	char detail[320]; /* one sentence for a person, printable ASCII */
	int own_vkey;     /* the key came with the log itself: it proves no identity */
	struct us_checkpoint checkpoint; /* valid if its signature was; extensions is empty */
	uint64_t entries;                /* that were checked */
	/* entries whose access box was not opened: what rules say about them was not judged */
	uint64_t withheld;
	uint64_t opened[US_BOXES]; /* boxes whose keys were disclosed and right */
	/* that lie beside the log and are those it commits to: the first so many */
	uint64_t acts;
	int64_t first_ns; /* time of the first and last entry */
	int64_t last_ns;
	size_t n_handovers;
	/* the oldest first; valid once the checkpoint's signature was */
	struct us_verify_handover handovers[US_HANDOVERS_MAX];
	struct us_verify_witnessed witnessed;
	struct us_verify_stamped stamped;
	size_t n_stamps; /* without authorities, only their names are known */
	struct us_verify_stamp stamps[US_STAMPS_MAX];
	int receipt;            /* what was verified is one entry's receipt (verify/receipt.h), */
	uint64_t receipt_index; /* of this entry; first_ns is its time */
};

/* Where the log's files come from: a tlog-tiles directory, or anything that gives its files:
 * checkpoint, log.vkey, tile/..., tile/entries/...; and, if they are there, keys.jsonl, acts,
 * handovers, checkpoint.witnessed, checkpoint.witnessed.2 and so on. */
struct us_log_source {
	void *arg;
	/* Appends the file at that path (relative, as in us_tile_path()) to out, whose max is its
	 * limit: US_ERR_NOT_FOUND, US_ERR_LIMIT, US_ERR_IO. */
	int (*get)(void *arg, const char *path, struct us_buf *out);
	/* The next line of keys.jsonl, without its end, into US_EXPORT_KEYS_LINE_MAX bytes; *n is
	 * its length (0: an empty line). US_ERR_NOT_FOUND behind the last, or if there is no such
	 * file; US_ERR_LIMIT if it is too long. Lines stand in the order of their indexes. May be
	 * NULL. One caller at a time. */
	int (*next_keys)(void *arg, char line[US_EXPORT_KEYS_LINE_MAX], size_t *n);
	/* The names, without ".tsr" and in order, of the files timestamps/NAME.tsr, at most
	 * US_STAMPS_MAX. US_ERR_NOT_FOUND: there is no such folder; US_ERR_LIMIT, US_ERR_IO (one
	 * has a name that is none). May be NULL. */
	int (*stamps)(void *arg, char (*names)[US_STAMP_NAME_MAX + 1], size_t *n);
	/* Not 0: get may be called by several threads at once. Else all is done by the thread that
	 * verifies. */
	int shared;
};

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

/* Verifies; *report is always filled. options may be NULL. Returns US_OK whenever there is a
 * verdict; US_ERR_NOMEM, US_ERR_CRYPTO and what on_entry returned otherwise. */
int us_log_verify(struct us_verify_report *report, const struct us_log_source *source,
    const struct us_verify_options *options);
/* The same over a directory. Symbolic links inside it are not followed. */
int us_export_verify(struct us_verify_report *report, const char *dir,
    const struct us_verify_options *options);
/* How many threads this machine has processors for: 1 to US_VERIFY_THREADS_MAX. */
unsigned us_verify_processors(void);

/* "OK", "TAMPERED", "INCOMPLETE", "UNVERIFIABLE". */
const char *us_verdict_name(enum us_verdict v);
/* 0, 5, 6, 6. */
int us_verdict_exit(enum us_verdict v);

#endif
