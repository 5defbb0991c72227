/* A front, as requests have it: its channel, and which of its requests are under way, by their
 * tags. */
#ifndef US_DAEMON_VAULT_REQUEST_FRONT_H
#define US_DAEMON_VAULT_REQUEST_FRONT_H

#include <stddef.h>
#include <stdint.h>

#include "daemon/process/channel.h"

struct us_vault_front;
struct us_vault_request;

/* Without a channel. US_ERR_NOMEM. */
int us_vault_front_new(struct us_vault_front **out);
/* No request may be left; the channel is its maker's. NULL is allowed. */
void us_vault_front_free(struct us_vault_front *f);
/* channel: NULL: it is gone. No request may be left. */
void us_vault_front_connect(struct us_vault_front *f, struct us_channel *channel);
/* NULL: there is none. */
struct us_channel *us_vault_front_channel(const struct us_vault_front *f);

/* Puts in a request that begins, by r->tag, which no other one has. */
void us_vault_front_link(struct us_vault_front *f, struct us_vault_request *r);
/* Takes out one that ends. */
void us_vault_front_unlink(struct us_vault_front *f, struct us_vault_request *r);
/* The request with that tag; NULL if there is none. */
struct us_vault_request *us_vault_front_find(struct us_vault_front *f, uint32_t tag);
/* Any of its requests; NULL if there is none. */
struct us_vault_request *us_vault_front_any(struct us_vault_front *f);
/* How many there are. */
size_t us_vault_front_requests(const struct us_vault_front *f);
/* The front has taken most of what it was sent: what waited for that goes on. */
void us_vault_front_drained(struct us_vault_front *f);

#endif
