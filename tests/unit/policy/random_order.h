/* Orders that say a little of everything, and requests that aim at what one of their rules says and
 * at the edges of it. */
#ifndef US_TESTS_UNIT_POLICY_RANDOM_ORDER_H
#define US_TESTS_UNIT_POLICY_RANDOM_ORDER_H

#include "policy/evaluate.h"

#define APPROVERS 5
#define FREEZES 3

struct request {
	struct us_subject subject;
	enum us_action action;
	struct us_context context;
	struct us_approver approvers[APPROVERS];
	struct us_freeze_on freezes[FREEZES];
};

/* The next of a series that is the same each run. Belongs to the caller. */
struct us_order *random_order(void);
/* The context points into the request itself. */
void random_request(const struct us_order *o, struct request *q);

#endif
