#include "case/action.h"

#include <string.h>

#include "base/array.h"
#include "base/err.h"

struct us_case_name {
	unsigned number;
	const char *text;
};

#define X(name, number, text) { number, text },
static const struct us_case_name reasons[] = { US_REASON_LIST(X) };
static const struct us_case_name kinds[] = { US_KIND_LIST(X) };
static const struct us_case_name decisions[] = { US_DECISION_LIST(X) };
static const struct us_case_name classes[] = { US_CLASS_LIST(X) };
#undef X
#define X(name, number, text) _Static_assert((number) < US_REASONS_MAX, "a reason without a place");
US_REASON_LIST(X)
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

/* ---- actions ---- */

enum { N, Y }; /* the columns' letters */

static const struct us_action_row actions[] = {
#define X(name, number, text, class, evidence, log, frozen, records, index, full, done) \
	[number] = { text, US_ACTIONS_##class, US_ACTION_IS_##done, evidence, log, frozen, \
		records, index, full },
	US_ACTIONS(X)
#undef X
};

_Static_assert(US_COUNT(actions) <= US_ACTIONS_MAX, "compiled orders have a bit for each");

const struct us_action_row *
us_action_row(unsigned action)
{
	return &actions[us_action_name(action) == NULL ? US_ACTION_NONE : action];
}

const char *
us_action_name(unsigned action)
{
	return action < US_COUNT(actions) ? actions[action].text : NULL;
}

/* ---- the others ---- */

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
	for (unsigned a = 0; a < US_COUNT(actions); a++) {
		const char *text = actions[a].text;

		if (text != NULL && strlen(text) == n && memcmp(text, name, n) == 0) {
			*out = (enum us_action)a;
			return US_OK;
		}
	}
	return US_ERR_NOT_FOUND;
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
