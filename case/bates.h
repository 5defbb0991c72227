/*
 * Bates numbers: what people call a record by. A collection's prefix, which does not end in a
 * digit, then nine digits that count its records from 1: record 0 of DEMO is DEMO000000001.
 */
#ifndef US_CASE_BATES_H
#define US_CASE_BATES_H

#include "base/buf.h"

#define US_BATES_PREFIX_MAX 16 /* bytes */
#define US_BATES_DIGITS 9
#define US_BATES_MAX (US_BATES_PREFIX_MAX + US_BATES_DIGITS) /* bytes of a number */
#define US_BATES_RECORDS UINT64_C(999999999)                 /* of one collection, at most */

/* Writes the number of a record and NUL to out, which has room for US_BATES_MAX + 1.
 * US_ERR_RANGE: there is no such record, or the prefix is longer than one may be; *out is then
 * untouched. */
int us_bates_format(const char *prefix, uint64_t record, char *out);

/* Appends the number of a record to b. Neither prefix nor record is bounded: what a query or a log
 * names need not exist; a number beyond nine digits has more. Errors of us_buf_put(). */
int us_bates_put(struct us_buf *b, struct us_bytes prefix, uint64_t record);

/* The record that text names in the collection with that prefix; it need not exist.
 * US_ERR_FORMAT: not exactly the prefix and nine digits, from 1 on. */
int us_bates_parse(const char *prefix, struct us_bytes text, uint64_t *record);

/* The same where the collection is to be found by the prefix: its length goes to *prefix_n. */
int us_bates_split(struct us_bytes text, size_t *prefix_n, uint64_t *record);

/* A number as queries and test suites write it: the digits at the end, with or without zeros in
 * front, count from 1 to last; all before them is the prefix, which may be empty. *prefix views
 * text. US_ERR_FORMAT: no digits; US_ERR_RANGE: 0, or beyond last. */
int us_bates_read(struct us_bytes text, uint64_t last, struct us_bytes *prefix, uint64_t *record);

#endif
