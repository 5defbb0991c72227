#include "base/guess.h"

#define FAR 99

static size_t
distance(const char *a, size_t an, const char *b, size_t bn)
{
	size_t row[80];

	/* Levenshtein's distance, one row at a time */
	if (an >= 79 || bn >= 79)
		return FAR;
	for (size_t j = 0; j <= bn; j++)
		row[j] = j;
	for (size_t i = 1; i <= an; i++) {
		size_t diagonal = row[0];
		row[0] = i;
		for (size_t j = 1; j <= bn; j++) {
			size_t best = diagonal + (a[i - 1] != b[j - 1]);
			diagonal = row[j];
			if (row[j] + 1 < best)
				best = row[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			row[j] = best;
		}
	}
	return row[bn];
}

struct us_guess
us_guess_of(struct us_bytes wanted)
{
	struct us_guess g = { .wanted = wanted, .distance = FAR };

	return g;
}

void
us_guess_consider(struct us_guess *g, const char *name, size_t n)
{
	size_t d = distance((const char *)g->wanted.p, g->wanted.n, name, n);

	if (d < g->distance) {
		g->distance = d;
		g->best = name;
		g->best_n = n;
	}
}

int
us_guess_is_near(const struct us_guess *g)
{
	return g->best != NULL && g->distance * 2 <= g->wanted.n;
}
