/*
 * Where somebody stands with what was disclosed to them, as limits over time measure it. Nothing keeps such an account yet: who decides
 * fills in maxima, so that a limit over time refuses (registry/registry.h, us_registry_context()).
 */
#ifndef US_POLICY_USAGE_H
#define US_POLICY_USAGE_H

#include <stdint.h>

struct us_meter {
	uint64_t day;  /* distinct records disclosed on that day of the order's home calendar */
	uint64_t life; /* ever */
	uint64_t run;  /* length of the longest run of consecutive record numbers that holds one of the records asked about */
};

#endif
