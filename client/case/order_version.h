/* A version of the order as somebody must have seen it before they sign it: fetched, compiled here
 * too, and compared with the one in force. */
#ifndef US_CLIENT_CASE_ORDER_VERSION_H
#define US_CLIENT_CASE_ORDER_VERSION_H

#include "client/case/order_source.h"

/* Fetches the version, compiles its source here and compares; digest is what a signature of all
 * that was shown names, made here; *diff (unless NULL) gets what it changes against the order in
 * force. UNVERIFIED, having said so, if the compiled form is not what the source means. */
int us_order_check_version(struct us_client *client, uint32_t version, uint8_t digest[32],
    cJSON **diff);
/* The source of a version on stdout, for people who are about to sign it. */
void us_order_show_source(const struct us_buf *source);
/* Of the commands that sign an order. */
#define US_ORDER_SIGN_OPTIONS 1
extern const struct us_option us_order_sign_options[US_ORDER_SIGN_OPTIONS];
/* What changes, on stdout. verbose: each of the people by name. */
void us_order_show_diff(const cJSON *diff, int verbose);

#endif
