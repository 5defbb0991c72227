/* What left of an answer: the entry that names the records says what was released, an outcome that
 * less was sent. Both kinds of entries are taken as the log goes by, and asked at its end. */
#ifndef US_CLIENT_REPORT_ENDINGS_H
#define US_CLIENT_REPORT_ENDINGS_H

#include "client/report/trail.h"

#define US_ENDING_TEXT 64

struct us_client_outcome;
struct us_client_unknown;

struct us_endings {
	struct us_client_outcome *outcomes;
	size_t n_outcomes;
	struct us_client_unknown *unknown; /* of these it is not known how they ended */
	size_t n_unknown;
	uint64_t settled; /* where the newest mark ends that is open here */
	int sorted;
};

/* An answer, as far as its ending is asked for. */
struct us_ending_key {
	uint64_t last;  /* the entry of its last part: outcomes are of that */
	uint64_t all;   /* records in all its parts */
	uint64_t first; /* the place in it of the entry's first record */
};
/* The answer that the entry is a part of. */
struct us_ending_key us_ending_key(const struct us_trail_entry *e);

/* Takes the entry, if it is an outcome or a mark; in any order. Ends the program without memory. */
void us_endings_take(struct us_endings *l, const struct us_trail_entry *e);
/* Frees the lists; a zeroed one may be freed. */
void us_endings_free(struct us_endings *l);
/* "whole"; "312 of 1000, cut"; "unknown": the process that knew has ended; "unknown, cut": the
 * vault was sealed or ended; "not settled": no mark that is open here has passed it yet. */
void
us_ending_text(struct us_endings *l, const struct us_ending_key *answer, char out[US_ENDING_TEXT]);
/* The same of record `at` of the entry's: "yes", "no, cut", "not whole, cut" (a part of it may have
 * left), "unknown" … */
void us_ending_record_text(struct us_endings *l, const struct us_ending_key *answer, size_t at,
    char out[US_ENDING_TEXT]);

#endif
