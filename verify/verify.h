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

#include "verify/options.h"
#include "verify/source.h"
#include "verify/verdict.h"

/* Verifies; *report is always filled. options may be NULL. Returns US_OK whenever there is a
 * verdict; US_ERR_NOMEM, US_ERR_CRYPTO and what on_entry returned otherwise. */
int us_log_verify(struct us_verify_report *report, const struct us_log_source *source,
    const struct us_verify_options *options);
/* The same over a directory. Symbolic links inside it are not followed. */
int us_export_verify(struct us_verify_report *report, const char *dir,
    const struct us_verify_options *options);

#define US_VERIFY_THREADS_MAX 64
/* How many threads this machine has processors for: 1 to US_VERIFY_THREADS_MAX. */
unsigned us_verify_processors(void);

#endif
