/* What somebody who signs a version of the order must have seen first; docket.c asks for it too. */
#ifndef US_CLIENT_CASE_ORDER_PROPOSE_H
#define US_CLIENT_CASE_ORDER_PROPOSE_H

#include "client/core/client.h"

/* Fetches the version, compiles its source here and compares; digest is what a signature of all
 * that was shown names, made here; *diff (unless NULL) gets what it changes against the order in
 * force. UNVERIFIED, having said so, if the compiled form is not what the source means. */
int us_order_check_version(struct us_client *client, uint32_t version, uint8_t digest[32],
    cJSON **diff);
/* Fetches a version, 0 for the one in force. Its source must have the digest that is shown with it,
 * else UNVERIFIED; source is initialised here. */
int us_order_fetch(struct us_client *client, uint32_t version, cJSON **out, struct us_buf *source);
/* Of the commands that sign an order. */
#define US_ORDER_SIGN_OPTIONS 1
extern const struct us_option us_order_sign_options[US_ORDER_SIGN_OPTIONS];
/* What people gain and lose. */
void us_order_show_diff(const cJSON *diff);

#endif
