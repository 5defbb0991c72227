/* "order diff": what each person gains and loses from one version to another. */
#include "daemon/vault/question.h"

void
question_diff(struct request *r, const struct us_msg_question_request *q)
{
	(void)q;
	question_not_found(r, US_ACTION_ORDER_DIFF, "There is no such version");
}
