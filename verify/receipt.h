/*
 * Receipts: one entry's place in the log, as a file of c2sp.org/tlog-proof@v1 that verifies offline
 * with nothing but the log's key. Its extra line, if it has one, is the entry, byte for byte
 * (docs/PROTOCOL.md, section 12): nobody signs that line, but the proof is about exactly those
 * bytes.
 */
#ifndef US_VERIFY_RECEIPT_H
#define US_VERIFY_RECEIPT_H

#include "verify/options.h"
#include "verify/verdict.h"

#define US_RECEIPT_MAX (2u * 1024u * 1024u)

/* Verifies; *report is always filled: receipt and receipt_index say which entry it is about. entry:
 * its bytes from elsewhere, or p == NULL for those in the receipt. Of the options vkey, policy and
 * foreign count; without a vkey the policy must name the log. Returns US_OK whenever there is a
 * verdict, else US_ERR_NOMEM. */
int us_entry_receipt_verify(struct us_verify_report *report, struct us_bytes receipt,
    struct us_bytes entry, const struct us_verify_options *options);

#endif
