/* What was probably meant by a name that is none: of several candidates the one that is nearest. */
#ifndef US_BASE_GUESS_H
#define US_BASE_GUESS_H

#include "base/buf.h"

struct us_guess {
	struct us_bytes wanted;
	const char *best; /* a view of what was considered; NULL: nothing yet */
	size_t best_n;
	size_t distance; /* of best: letters changed, added or left out */
};

struct us_guess us_guess_of(struct us_bytes wanted);
/* Names of more than 78 bytes are near to nothing. */
void us_guess_consider(struct us_guess *g, const char *name, size_t n);
/* 1 if best is close enough to be worth saying: half of the letters are wrong at most, as in two
 * swapped of four. */
int us_guess_is_near(const struct us_guess *g);

#endif
