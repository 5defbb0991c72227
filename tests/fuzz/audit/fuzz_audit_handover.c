/* A log's hand-overs. What opens is, item by item, exactly the input; and each item opens by
 * itself. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "log/succession.h"
#include "base/err.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(int ok)
{
	if (!ok)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct us_handovers all, one;
	const struct us_bytes text = { data, size };
	struct us_succession s;
	size_t at = 0, place;

	(void)us_succession_open(&s, text);
	if (us_handovers_open(&all, text) != US_OK)
		return 0;
	check(all.n > 0);
	for (size_t i = 0; i < all.n; i++) {
		const struct us_handover *h = &all.item[i];

		check(h->text.p == data + at);
		at += h->text.n;
		check(us_handovers_open(&one, h->text) == US_OK && one.n == 1);
		check(us_handovers_place(&place, &all, &h->succession.old_key) == US_OK &&
		    place == i);
		check(us_handover_judge(h, h->succession.size, &h->succession.root) ==
		    US_HANDOVER_KEPT);
		check(us_handover_judge(h, h->last_size, &h->last_root) ==
		    (h->last_size > h->succession.size ? US_HANDOVER_LOST : US_HANDOVER_KEPT));
	}
	check(at == size);
	check(us_handovers_place(&place, &all, &all.item[all.n - 1].succession.new_key) == US_OK &&
	    place == all.n);
	return 0;
}
