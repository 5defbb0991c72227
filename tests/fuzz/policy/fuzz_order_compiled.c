/* Any bytes: refused, or an order that encodes to the same bytes and never lets an administrator
 * read. */
#include <stdlib.h>
#include <string.h>

#include "policy/evaluate.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct us_order *order;
	struct us_buf again;

	if (us_order_decode(data, size, &order) != US_OK)
		return 0;
	us_buf_init(&again, US_ORDER_COMPILED_MAX);
	if (us_order_encode(order, &again) != US_OK || again.len != size ||
	    memcmp(again.data, data, size) != 0)
		abort();
	for (unsigned c = 0; c <= US_CAPACITY_LAST + 1; c++)
		for (unsigned a = 0; a < 128; a++) {
			struct us_subject s = { .person = 1,
				.capacity = (enum us_capacity)c,
				.parties = ~UINT64_C(0) };
			struct us_context context = { .purpose = us_bytes_of("p"), .records = 1 };
			struct us_ruling r;
			us_order_evaluate(order, &s, (enum us_action)a, &context, &r);
			if (r.decision == US_DECISION_ALLOW &&
			    (us_capacity_name(c) == NULL ||
				(us_action_row(a)->is_evidence && c == US_CAPACITY_ADMINISTRATOR)))
				abort();
		}
	us_order_free(order);
	us_buf_free(&again);
	return 0;
}
