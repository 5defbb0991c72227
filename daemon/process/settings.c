#include "daemon/process/settings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/err.h"
#include "base/guess.h"
#include "base/log.h"
#include "base/number.h"
#include "daemon/process/hooks.h"

#define SETTINGS_MAX 128

struct us_settings {
	char *text;
	struct {
		const char *name, *value;
	} item[SETTINGS_MAX];
	size_t count;
};

struct us_settings *
us_settings_parse(const char *text, size_t n)
{
	struct us_settings *s = calloc(1, sizeof *s);
	char *line, *end, *equals;

	if (s == NULL || (s->text = n == 0 ? strdup("") : strndup(text, n)) == NULL) {
		free(s);
		return NULL;
	}
	for (line = s->text; line != NULL && *line != '\0' && s->count < SETTINGS_MAX; line = end) {
		end = strchr(line, '\n');
		if (end != NULL)
			*end++ = '\0';
		equals = strchr(line, '=');
		if (*line == '#' || equals == NULL)
			continue;
		*equals = '\0';
		s->item[s->count].name = line;
		s->item[s->count++].value = equals + 1;
	}
	return s;
}

void
us_settings_free(struct us_settings *s)
{
	if (s == NULL)
		return;
	free(s->text);
	free(s);
}

const char *
us_setting(const struct us_settings *s, const char *name, const char *fallback)
{
	/* the last one wins, so that a file can be overridden by what follows it */
	for (size_t i = s->count; i > 0; i--)
		if (strcmp(s->item[i - 1].name, name) == 0)
			return s->item[i - 1].value;
	return fallback;
}

int
us_setting_at(const struct us_settings *s, size_t i, const char **name, const char **value)
{
	for (size_t at = 0; at < s->count; at++) {
		/* one that a later line replaces is not in effect */
		if (us_setting(s, s->item[at].name, NULL) != s->item[at].value || i-- > 0)
			continue;
		*name = s->item[at].name;
		*value = s->item[at].value;
		return 1;
	}
	return 0;
}

/* --- what may be set ------------------------------------------------------------------- */

enum us_setting_kind { TEXT, NUMBER, WORD };

static const struct us_setting_row {
	const char *name;
	enum us_setting_kind kind;
	int64_t min, max;
	const char *words;
} rows[] = {
#define US_SETTING(name, kind, min, max, words) { name, kind, min, max, words },
#include "daemon/process/settings.def"
#undef US_SETTING
#define SHARE(name, sort, limit, refill, owner, text) \
	{ "limit." #name, NUMBER, 0, INT64_C(1) << 50, "" },
#include "daemon/process/shares.def"
#undef SHARE
};

const char *
us_setting_name(size_t i)
{
	return i < US_COUNT(rows) ? rows[i].name : NULL;
}

static const struct us_setting_row *
row_of(const char *name)
{
	for (size_t i = 0; i < US_COUNT(rows); i++)
		if (strcmp(rows[i].name, name) == 0)
			return &rows[i];
	return NULL;
}

static int
unknown(const char *name, char why[US_SETTING_WHY])
{
	struct us_guess guess = us_guess_of(us_bytes_of(name));

	for (size_t i = 0; i < US_COUNT(rows); i++)
		us_guess_consider(&guess, rows[i].name, strlen(rows[i].name));
	(void)snprintf(why, US_SETTING_WHY, "there is no setting \"%.60s\"%s%s%s", name,
	    us_guess_is_near(&guess) ? ": did you mean \"" : "",
	    us_guess_is_near(&guess) ? guess.best : "", us_guess_is_near(&guess) ? "\"?" : "");
	return US_ERR_NOT_FOUND;
}

/* Whether value is one of the words, between which blanks stand. */
static int
is_word(const char *words, const char *value)
{
	const size_t n = strlen(value);
	const char *at = words;

	while (*at != '\0') {
		const size_t m = strcspn(at, " ");

		if (n == m && memcmp(at, value, n) == 0)
			return 1;
		at += m + (at[m] == ' ');
	}
	return 0;
}

int
us_setting_check(const char *name, const char *value, char why[US_SETTING_WHY])
{
	const struct us_setting_row *row = row_of(name);
	int64_t v;

	if (row == NULL)
		return us_hooks_know(name) ? US_OK : unknown(name, why);
	if (row->kind == NUMBER && us_number_text(value, row->min, row->max, &v) != US_OK) {
		(void)snprintf(why, US_SETTING_WHY, "setting %s must be a number from %lld to %lld",
		    name, (long long)row->min, (long long)row->max);
		return US_ERR_RANGE;
	}
	if (row->kind == WORD && !is_word(row->words, value)) {
		(void)snprintf(why, US_SETTING_WHY, "setting %s must be one of: %s", name,
		    row->words);
		return US_ERR_RANGE;
	}
	return US_OK;
}

int64_t
us_setting_number(const struct us_settings *s, const char *name, int64_t fallback)
{
	const char *text = us_setting(s, name, NULL);
	const struct us_setting_row *row = row_of(name);
	char why[US_SETTING_WHY];
	int64_t v;

	if (text == NULL)
		return fallback;
	if (us_setting_check(name, text, why) != US_OK)
		us_fatal("%s", why);
	return row != NULL && us_number_text(text, row->min, row->max, &v) == US_OK ? v : fallback;
}
