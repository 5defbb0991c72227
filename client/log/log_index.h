/*
 * The index beside the mirror: of each full bundle, where what is asked about most stands (a
 * record, a person, a party, a credential, refusals), and where the verification stood behind them.
 * So a list or report verifies what is new, and reads what it is about.
 *
 * It is derived from entries that were verified as a whole with their boxes open, for who may open
 * all of them; who may not, has none, and reads the whole mirror. It finds candidates and no more:
 * each is read from its bundle, which is held against the checkpoint again, opened with its keys,
 * and looked at as if it had been found without an index. That none is missing rests on the index,
 * which is sealed as keys are (client/log/key_store.h): one that was changed does not open, one
 * that is not of this log or of another build is not used, and is made anew.
 *
 * PROFILE/mirror/index/state, and index/N of 64 bundles each.
 */
#ifndef US_CLIENT_LOG_LOG_INDEX_H
#define US_CLIENT_LOG_LOG_INDEX_H

#include "client/log/postings.h"
#include "client/log/remote.h"
#include "log/opened.h"

struct us_log_index;

/* What is looked for. */
struct us_log_look_for {
	enum us_log_look look;
	uint32_t a;
	uint64_t first, last; /* both of them too */
};

/* Which entries to look at, in order: those that one of so many looks finds (none: all), of indexes
 * from <= index < to. */
struct us_log_range {
	const struct us_log_look_for *look;
	size_t n;
	uint64_t from, to;
};

/* Verifies the log that remote is of, from where the index ends, and brings the index up to date.
 * remote has a mirror, and its keys have been asked for. *out is NULL if there can be no index, or
 * the verdict is not OK: then all that happened is that report is filled. Errors of
 * us_log_verify(). */
int us_log_index_open(struct us_log_index **out, struct us_log_remote *remote,
    struct us_verify_report *report);
/* The next one is made from all of the log again. */
void us_log_index_forget(const struct us_log_remote *remote);
/* Frees it; NULL is nothing. */
void us_log_index_close(struct us_log_index *x);

/* us_log_remote_keys(), which does not look again at keys of entries that the index has. */
int us_log_index_keys(struct us_log_remote *remote);

/* Calls on for each entry of the range, boxes open; what it returns, if not US_OK, ends it. */
int us_log_index_each(struct us_log_index *x, const struct us_log_range *range,
    int (*on)(void *arg, const struct us_opened *o), void *arg);
/* Indexes from and to of a range, such that all entries of these times are in it; 0: no bound. */
void us_log_index_times(const struct us_log_index *x, int64_t since_ns, int64_t until_ns,
    struct us_log_range *range);
/* The i-th party that somebody was of, in the order in which the log names them; NULL behind the
 * last. */
const char *us_log_index_party(const struct us_log_index *x, size_t i);
/* By what a party is looked for. */
uint64_t us_log_look_text(struct us_bytes text);

#endif
