#include "case/action.h"

#include <string.h>

#include "base/array.h"
#include "base/err.h"

struct us_case_name {
	unsigned number;
	const char *text;
};

#define X(name, number, text) { number, text },
static const struct us_case_name actions[] = { US_ACTION_LIST(X) };
static const struct us_case_name reasons[] = { US_REASON_LIST(X) };
static const struct us_case_name kinds[] = { US_KIND_LIST(X) };
static const struct us_case_name decisions[] = { US_DECISION_LIST(X) };
static const struct us_case_name classes[] = { US_CLASS_LIST(X) };
#undef X

static const char *
text_of(const struct us_case_name *names, size_t n, unsigned number)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (names[i].number == number)
			return names[i].text;
	return NULL;
}

static const struct us_case_name *
by_text(const struct us_case_name *names, size_t n, const char *text, size_t len)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (strlen(names[i].text) == len && memcmp(names[i].text, text, len) == 0)
			return &names[i];
	return NULL;
}

const char *
us_action_name(unsigned action)
{
	return text_of(actions, US_COUNT(actions), action);
}

const char *
us_reason_name(unsigned reason)
{
	return text_of(reasons, US_COUNT(reasons), reason);
}

const char *
us_kind_name(unsigned kind)
{
	return text_of(kinds, US_COUNT(kinds), kind);
}

const char *
us_decision_name(unsigned decision)
{
	return text_of(decisions, US_COUNT(decisions), decision);
}

const char *
us_entry_class_name(unsigned entry_class)
{
	return text_of(classes, US_COUNT(classes), entry_class);
}

int
us_action_of(enum us_action *out, const char *name, size_t n)
{
	const struct us_case_name *found = by_text(actions, US_COUNT(actions), name, n);

	if (found == NULL)
		return US_ERR_NOT_FOUND;
	*out = (enum us_action)found->number;
	return US_OK;
}

int
us_reason_of(enum us_reason *out, const char *name, size_t n)
{
	const struct us_case_name *found = by_text(reasons, US_COUNT(reasons), name, n);

	if (found == NULL)
		return US_ERR_NOT_FOUND;
	*out = (enum us_reason)found->number;
	return US_OK;
}
