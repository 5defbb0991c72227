/*
 * The ledger, written down now and then, so that unsealing folds only what the log has got since.
 * File "ledger", byte-exact:
 *
 *   "USL1" ‖ id(16), random ‖ n × { u32 length ‖ part }
 *
 * A part is Cobblestone-256 under the ledger key, context "underseal/ledger/1" ‖ vault id ‖ id ‖
 * u32 number of the part, from 0. Its text is 0 ‖ items (policy/usage_file.h), of the last part 1 ‖
 * u64 from ‖ u64 size ‖ root(32).
 *
 * It holds all of the log's first `from` entries, and perhaps some of those up to `size`; root is
 * the tree's head at that size. Whoever reads it folds from `from` on, if the log has that head
 * there; else from 0, as without it. So neither a copy of before nor one of another log is harmful.
 *
 * It is written as a task, from time to time and at an orderly end, and renamed into place by a
 * thread; nobody waits for it.
 */
#ifndef US_DAEMON_KEEPER_LEDGER_FILE_H
#define US_DAEMON_KEEPER_LEDGER_FILE_H

#include "base/buf.h"

struct us_keeper;
struct us_usage;

/* k->ledger_file: nothing was written or read. US_ERR_NOMEM. */
int us_ledger_file_new(struct us_keeper *k);
/* Waits for what is being written, and gives it back. */
void us_ledger_file_free(struct us_keeper *k);
/* Begins to write it if that is due; needs an open vault. */
void us_ledger_file_tick(struct us_keeper *k);
/* Writes it now, if it would save the next opening anything. Needs the ledger, and nothing that is
 * not durable. */
void us_ledger_file_end(struct us_keeper *k);

/* The file on its way in. */
struct us_ledger_reading {
	struct us_buf file, text;
	struct us_reader rest; /* of file */
	uint32_t number;       /* of the next part */
	uint64_t from, size;   /* once it was read */
};
/* Reads it, without a look inside. US_ERR_NOT_FOUND: there is none. US_ERR_FORMAT, US_ERR_LIMIT,
 * US_ERR_IO, US_ERR_NOMEM. Free with us_ledger_reading_free(), also after a failure. */
int us_ledger_reading_begin(struct us_ledger_reading *in);
/* Gives it back, wiped. */
void us_ledger_reading_free(struct us_ledger_reading *in);
/* Takes the next part into usage, which is not to be used unless all were. *more: 0: that was the
 * last, and in->from says where to go on. Errors of opening it; US_ERR_FORMAT; US_ERR_VERIFY: it is
 * not of this log; US_ERR_NOMEM. */
int us_ledger_reading_next(struct us_keeper *k, struct us_ledger_reading *in,
    struct us_usage *usage, int *more);

#endif
