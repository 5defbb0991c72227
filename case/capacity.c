#include "case/capacity.h"

#include <string.h>

#include "base/array.h"

static const struct {
	enum us_capacity capacity;
	const char *name;
} capacities[] = {
#define X(name, number, text) { US_CAPACITY_##name, text },
	US_CAPACITY_LIST(X)
#undef X
};

const char *
us_capacity_name(unsigned capacity)
{
	for (size_t i = 0; i < US_COUNT(capacities); i++)
		if ((unsigned)capacities[i].capacity == capacity)
			return capacities[i].name;
	return NULL;
}

int
us_capacity_of(enum us_capacity *out, const char *name, size_t n)
{
	for (size_t i = 0; i < US_COUNT(capacities); i++) {
		if (strlen(capacities[i].name) == n && memcmp(capacities[i].name, name, n) == 0) {
			*out = capacities[i].capacity;
			return US_OK;
		}
	}
	return US_ERR_NOT_FOUND;
}
