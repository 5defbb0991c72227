/* Any bytes as a roster: a sentence that begins with the line, or people who have names, capacities
 * and ascending parties and stand there once. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "client/case/roster.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
hold(const struct us_roster *roster)
{
	if (roster->n == 0)
		abort();
	for (size_t i = 0; i < roster->n; i++) {
		const struct us_roster_person *p = &roster->people[i];

		if (*p->name == '\0' || us_capacity_name(p->capacity) == NULL ||
		    p->n_parties > US_PERSON_PARTIES || p->line == 0 ||
		    (i > 0 && p->line <= roster->people[i - 1].line))
			abort();
		for (size_t k = 1; k < p->n_parties; k++)
			if (strcmp(p->parties[k - 1], p->parties[k]) >= 0)
				abort();
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1), why[US_ROSTER_WHY] = "";
	struct us_roster roster;

	if (text == NULL)
		abort();
	if (size > 0)
		memcpy(text, data, size);
	text[size] = '\0';
	if (us_roster_parse(&roster, text, size, why) == US_OK)
		hold(&roster);
	else if (strncmp(why, "line ", 5) != 0 || roster.people != NULL)
		abort();
	us_roster_free(&roster);
	free(text);
	return 0;
}
