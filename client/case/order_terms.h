/* What one version of the order changes against another: records that people gain and lose, by the
 * vault's count; limits, conditions and masks, compared here. */
#ifndef US_CLIENT_CASE_ORDER_TERMS_H
#define US_CLIENT_CASE_ORDER_TERMS_H

#include "client/core/client.h"

/* The vault's comparison of two versions, and in "terms" what the client finds between their
 * compiled forms, with the people whom it concerns. *out is freed by the caller. Exit status,
 * having said what is wrong. */
int us_order_diff(struct us_client *client, uint32_t from, uint32_t to, cJSON **out);
/* The same of two files, without a vault and so without people and records. The program ends if
 * one of them does not compile. */
cJSON *us_order_diff_files(const char *from, const char *to);
/* "terms" on stdout, for people. verbose: each of the people by name. */
void us_order_show_terms(const cJSON *diff, int verbose);

#endif
