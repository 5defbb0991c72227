/* The command "order test"; its line stands in the table of order.c. */
#ifndef US_CLIENT_CASE_ORDER_TEST_H
#define US_CLIENT_CASE_ORDER_TEST_H

#include "client/core/client.h"

#define US_ORDER_TEST_OPTIONS 1
extern const struct us_option us_order_test_options[US_ORDER_TEST_OPTIONS];

/* Runs the suite named by the operand, or every suite of a directory. DONE: every statement holds;
 * UNVERIFIED: some fail; OTHER: something could not be read, whatever the rest did. Statements and
 * their summary go to stdout, what is wrong with files to stderr. */
int us_order_test(struct us_client *client, const struct us_args *args);

#endif
