#include "daemon/process/settings.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/log.h"
#include "base/number.h"

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

int64_t
us_setting_number(const struct us_settings *s, const char *name, int64_t fallback, int64_t min,
    int64_t max)
{
	const char *text = us_setting(s, name, NULL);
	int64_t v;

	if (text == NULL)
		return fallback;
	if (us_number_text(text, min, max, &v) != US_OK)
		us_fatal("setting %s must be a number from %lld to %lld", name, (long long)min,
		    (long long)max);
	return v;
}
