/* The acts in the store, opened again: what the registry does not keep, and what it was before. */
#ifndef US_DAEMON_VAULT_STATE_HISTORY_H
#define US_DAEMON_VAULT_STATE_HISTORY_H

#include "base/buf.h"
#include "registry/registry.h"

struct us_vault;

/* Calls fn with committed acts in their order, those for which wants(ctx, sequence) is 1 (NULL:
 * all). Anything but US_OK ends it and is returned, but US_ERR_CLOSED ends it as if that was
 * all. */
int us_vault_history_acts(struct us_vault *v, int (*wants)(void *ctx, uint64_t sequence),
    int (*fn)(void *ctx, uint64_t sequence, struct us_bytes committed), void *ctx);
/* The same of those from that sequence on, without reading what is before. */
int us_vault_history_from(struct us_vault *v, uint64_t from,
    int (*fn)(void *ctx, uint64_t sequence, struct us_bytes committed), void *ctx);
/* The registry as it was then, the caller's to free; the order in force then is us_registry_order()
 * of it. Takes as long as folding all acts. US_ERR_STATE: there was none. */
int us_vault_history_registry(struct us_vault *v, int64_t at_ns, struct us_registry **out);

#endif
