#include "case/capacity.h"

#include <string.h>

#include "base/array.h"

static const struct {
	const char *text;
	enum us_capacity_class class;
	enum us_sight sight;
} capacities[] = { [0] = { NULL, US_CAPACITIES_PERSON, US_SIGHT_OWN },
#define X(name, number, text, class, sight) \
	[number] = { text, US_CAPACITIES_##class, US_SIGHT_##sight },
	US_CAPACITIES(X)
#undef X
};

_Static_assert(US_COUNT(capacities) == US_CAPACITY_LAST + 1, "a capacity's number leaves a gap");

const char *
us_capacity_name(unsigned capacity)
{
	return capacity < US_COUNT(capacities) ? capacities[capacity].text : NULL;
}

int
us_capacity_of(enum us_capacity *out, const char *name, size_t n)
{
	for (unsigned c = 1; c < US_COUNT(capacities); c++) {
		if (strlen(capacities[c].text) == n && memcmp(capacities[c].text, name, n) == 0) {
			*out = (enum us_capacity)c;
			return US_OK;
		}
	}
	return US_ERR_NOT_FOUND;
}

enum us_capacity_class
us_capacity_class_of(unsigned capacity)
{
	return capacities[capacity < US_COUNT(capacities) ? capacity : 0].class;
}

enum us_sight
us_capacity_sight(unsigned capacity)
{
	return capacities[capacity < US_COUNT(capacities) ? capacity : 0].sight;
}

int
us_capacity_runs_machine(unsigned capacity)
{
	const enum us_capacity_class class = us_capacity_class_of(capacity);

	return class == US_CAPACITIES_ADMINISTRATOR || class == US_CAPACITIES_KEYHOLDER;
}

uint32_t
us_capacities_of_machine(void)
{
	uint32_t bits = 0;

	for (unsigned c = 1; c <= US_CAPACITY_LAST; c++)
		if (us_capacity_runs_machine(c))
			bits |= US_CAPACITY_BIT(c);
	return bits;
}
