#include "client/core/named.h"

#include <stdlib.h>
#include <string.h>

#include "client/core/run.h"
#include "client/core/show.h"

struct us_named {
	struct us_named *next;
	enum us_named_what what;
	uint32_t number;
	char text[];
};

void
us_named_add(struct us_client *client, enum us_named_what what, uint32_t number, const char *text)
{
	const size_t n = strlen(text);
	struct us_named *one;

	if (n == 0)
		return;
	for (one = client->named; one != NULL; one = one->next) {
		const int same = strcmp(one->text, text) == 0;

		if (one->what != what || (one->number != number && !same))
			continue;
		if (one->number == number && same)
			return;
		us_give_up(US_EXIT_UNVERIFIED,
		    "VERIFICATION FAILED: what was asked about %s and %s is answered for one "
		    "another; nothing was signed",
		    one->text, text);
	}
	one = malloc(sizeof *one + n + 1);
	if (one == NULL)
		us_give_up(US_EXIT_OTHER, "out of memory");
	one->next = client->named;
	one->what = what;
	one->number = number;
	memcpy(one->text, text, n + 1);
	client->named = one;
}

uint32_t
us_named_collection(struct us_client *client, const cJSON *collection)
{
	const uint32_t number = (uint32_t)us_json_number(collection, "collection", 0);

	us_named_add(client, US_NAMED_COLLECTION, number, us_json_text(collection, "name"));
	us_named_add(client, US_NAMED_PREFIX, number, us_json_text(collection, "bates_prefix"));
	return number;
}

const char *
us_named_text(const struct us_client *client, enum us_named_what what, uint32_t number)
{
	for (const struct us_named *one = client->named; one != NULL; one = one->next)
		if (one->what == what && one->number == number)
			return one->text;
	return NULL;
}

void
us_named_free(struct us_client *client)
{
	struct us_named *next;

	for (struct us_named *one = client->named; one != NULL; one = next) {
		next = one->next;
		free(one);
	}
	client->named = NULL;
}
