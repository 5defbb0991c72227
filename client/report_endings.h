/* What left of an answer: the entry that names the records says what was released, an outcome that
 * less was sent. */
#ifndef US_CLIENT_REPORT_ENDINGS_H
#define US_CLIENT_REPORT_ENDINGS_H

#include "client/report.h"

#define US_ENDING_TEXT 64

struct us_endings;

/* From the trail's outcomes and marks, which may stand in any order. Ends the program without
 * memory. */
struct us_endings *us_endings_of(const struct us_trail *t);
void us_endings_free(struct us_endings *l);
/* "whole"; "312 of 1000, cut"; "unknown": the process that knew has ended; "unknown, cut": the
 * vault was sealed or ended; "not settled": no mark that is open here has passed it yet. */
void us_ending_text(const struct us_endings *l, const struct us_trail_entry *e,
    char out[US_ENDING_TEXT]);
/* The same of record `at` of the entry's: "yes", "no, cut", "not whole, cut" (a part of it may have
 * left), "unknown" … */
void us_ending_record_text(const struct us_endings *l, const struct us_trail_entry *e, size_t at,
    char out[US_ENDING_TEXT]);

#endif
