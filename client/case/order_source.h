/* A version of the order as the vault shows it, and what the compiler says of its source. */
#ifndef US_CLIENT_CASE_ORDER_SOURCE_H
#define US_CLIENT_CASE_ORDER_SOURCE_H

#include "client/core/client.h"
#include "policy/yaml/yaml.h"

/* 1 if that is the SHA-256 of the bytes, in hex. */
int us_order_has_digest(const struct us_buf *bytes, const char *hex);
/* Fetches a version, 0 for the one in force. Its source must have the digest that is shown with it,
 * else UNVERIFIED; source is initialised here. */
int us_order_fetch(struct us_client *client, uint32_t version, cJSON **out, struct us_buf *source);
/* What the compiler found in a source, a line each on stderr. source: what it is called. */
void us_order_say_findings(const char *source, const struct us_findings *findings);

#endif
