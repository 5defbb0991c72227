/* A version with what it owns, for who adds versions and changes them. */
#ifndef US_REGISTRY_VERSIONS_INTERNAL_H
#define US_REGISTRY_VERSIONS_INTERNAL_H

#include "registry/internal.h"
#include "registry/versions.h"

struct us_version_full {
	struct us_order_version shown; /* views of what follows */
	struct us_order *order;
	struct us_buf source;
};

/* Adds a version as the last one; takes over order. US_ERR_NOMEM. */
int us_version_add(struct us_registry *reg, struct us_order *order, struct us_bytes source,
    struct us_version_full **out);
/* As us_registry_version_at(), for deciding: never before the latest act. */
const struct us_order_version *us_version_now(const struct us_registry *reg, int64_t now_ns);

#endif
