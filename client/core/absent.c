#include "client/core/absent.h"

#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "base/err.h"
#include "base/guess.h"
#include "client/core/show.h"

#define NAME_MAX_BYTES 512

/* What can be named in a path, where all of its kind are listed, and how people see that list. */
struct us_client_listed {
	const char *prefix, *list, *member;
	const char *before; /* what an id begins with that the path leaves out */
	const char *command;
};

static const struct us_client_listed kinds[] = {
	{ "/v1/people/", "/v1/people", "name", "", "person list" },
	{ "/v1/collections/", "/v1/collections", "name", "", "collection list" },
	{ "/v1/docket/", "/v1/docket", "id", "", "docket list" },
	{ "/v1/filings/", "/v1/filings", "id", "", "docket list" },
	{ "/v1/clawbacks/", "/v1/filings", "id", "clawback-", "docket list" },
	{ "/v1/orders/", "/v1/orders", "version", "", "order versions" },
	{ "/v1/copies/", "/v1/copies", "copy", "", "copies" },
};

static int
digit_of(char c)
{
	const char *digits = "0123456789abcdef", *at = strchr(digits, c | 0x20);

	return c == '\0' || at == NULL ? -1 : (int)(at - digits);
}

/* The segment at text, without its percent-encoding. */
static void
decode(const char *text, const char *before, char out[NAME_MAX_BYTES])
{
	size_t n = (size_t)snprintf(out, NAME_MAX_BYTES, "%s", before);

	for (; *text != '\0' && *text != '/' && *text != '?' && n + 1 < NAME_MAX_BYTES; text++) {
		const int high = text[0] == '%' ? digit_of(text[1]) : -1,
			  low = high < 0 ? -1 : digit_of(text[2]);

		out[n++] = low < 0 ? *text : (char)(high * 16 + low);
		text += low < 0 ? 0 : 2;
	}
	out[n] = '\0';
}

/* What an item is called; numbers are written into number. */
static const char *
name_of(const cJSON *item, const char *member, char number[32])
{
	const cJSON *value = cJSON_GetObjectItemCaseSensitive(item, member);

	if (!cJSON_IsNumber(value))
		return us_json_text(item, member);
	(void)snprintf(number, 32, "%.0f", value->valuedouble);
	return number;
}

static void
say_nearest(const struct us_client_listed *kind, const cJSON *items, const char *wanted)
{
	struct us_guess g = us_guess_of(us_bytes_of(wanted));
	const cJSON *item;
	char number[32], last[32] = "";

	cJSON_ArrayForEach(item, items) {
		const char *name = name_of(item, kind->member, number);

		if (strcmp(name, wanted) == 0)
			return;
		if (name == number)
			memcpy(last, number, sizeof last);
		else
			us_guess_consider(&g, name, strlen(name));
	}
	/* "Ada" is far from "Ada Attorney" by its letters */
	cJSON_ArrayForEach(item, items) {
		const char *name = name_of(item, kind->member, number);

		if (name != number && !us_guess_is_near(&g) && *wanted != '\0' &&
		    strcasestr(name, wanted) != NULL) {
			us_say("did you mean '%s'?", name);
			return;
		}
	}
	if (us_guess_is_near(&g))
		us_say("did you mean '%.*s'?", (int)g.best_n, g.best);
	else if (last[0] != '\0')
		us_say("the last that you may see is %s: 'underseal %s'", last, kind->command);
	else
		us_say("'underseal %s' shows what there is", kind->command);
}

static const struct us_client_listed *
kind_of(const char *path)
{
	for (size_t i = 0; i < US_COUNT(kinds); i++)
		if (strncmp(path, kinds[i].prefix, strlen(kinds[i].prefix)) == 0)
			return &kinds[i];
	return NULL;
}

const char *
us_absent_list(const char *path)
{
	const struct us_client_listed *kind = kind_of(path);

	return kind == NULL ? NULL : kind->list;
}

void
us_absent_say(const char *path, const cJSON *list)
{
	const struct us_client_listed *kind = kind_of(path);
	char wanted[NAME_MAX_BYTES];

	if (kind == NULL || list == NULL)
		return;
	decode(path + strlen(kind->prefix), kind->before, wanted);
	say_nearest(kind, cJSON_GetObjectItemCaseSensitive(list, "items"), wanted);
}
