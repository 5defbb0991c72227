/*
 * Versions of the order. Which one is in force at a moment is a function of that moment and of the
 * acts before it: of the signed ones whose time has come and that are not suspended, the one whose
 * time came last. So a suspension puts its predecessor in force again, and any past moment can be
 * asked about.
 *
 *   PROPOSED --quorum "amend"--> SIGNED --its time--> IN_FORCE --a later one's time--> REPLACED
 *      `--withdraw--> WITHDRAWN          SIGNED, IN_FORCE, REPLACED --order-suspend--> SUSPENDED
 *
 * Version numbers rise. The first order stands in init and is in force from then on; it cannot be
 * suspended: nothing would be left.
 */
#ifndef US_REGISTRY_VERSIONS_H
#define US_REGISTRY_VERSIONS_H

#include "registry/registry.h"

enum us_version_status {
	US_VERSION_PROPOSED = 1,
	US_VERSION_SIGNED,
	US_VERSION_IN_FORCE,
	US_VERSION_REPLACED,
	US_VERSION_SUSPENDED,
	US_VERSION_WITHDRAWN
};
/* Static text of a status. */
const char *us_version_status_name(enum us_version_status status);

struct us_order_version {
	uint32_t version;
	const struct us_order *order;
	struct us_bytes source;
	uint8_t instrument[32]; /* a document; zeros: none */
	char authority[US_AUTHORITY_TEXT_MAX + 1];
	uint32_t proposed_by; /* 0: init */
	int64_t proposed_ns;
	int64_t effective_ns; /* as proposed; 0: once signed */
	int64_t signed_ns;    /* when the quorum was complete; INT64_MAX: not yet */
	int64_t suspended_ns; /* INT64_MAX: not */
	uint32_t suspended_by;
	char suspended_authority[US_AUTHORITY_TEXT_MAX + 1];
	int withdrawn;
};

/* How many versions of the order there are. */
size_t us_registry_versions(const struct us_registry *reg);
/* ascending by version */
const struct us_order_version *us_registry_version(const struct us_registry *reg, size_t i);
/* The version with that number, or NULL. */
const struct us_order_version *
us_registry_version_of(const struct us_registry *reg, uint32_t version);
enum us_version_status us_registry_version_status(const struct us_registry *reg,
    const struct us_order_version *v, int64_t now_ns);
/* When it takes or took effect; INT64_MAX: not signed. */
int64_t us_order_version_starts(const struct us_order_version *v);
/* In force at that moment; before init, and for moments before it, the first. NULL only before
 * init. */
const struct us_order_version *
us_registry_version_at(const struct us_registry *reg, int64_t now_ns);

/*
 * Makes the order in force at that moment the one that us_registry_order() and everything that
 * counts on it (parties of people, freezes) mean from here on. Cheap if nothing changed. Applying
 * an act does the same for the act's time; whoever decides by the clock calls it first. Returns 1
 * if another version is in force than before, 0 if not.
 */
int us_registry_at(struct us_registry *reg, int64_t now_ns);

/* Rises whenever something may have been taken from somebody: what was decided under another number
 * must be asked again. */
uint64_t us_registry_generation(const struct us_registry *reg);

#endif
