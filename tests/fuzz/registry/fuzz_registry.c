/* A history: u32 length and committed act, repeated. Each is applied; one that is refused must
 * leave the registry as it was, and what was folded must fold again to the same digest, as new and
 * as history. */
#include <stdlib.h>
#include <string.h>

#include "registry/registry.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* history: what reg has taken; NULL: it is not asked. */
static void
fold(struct us_registry *reg, struct us_registry *history, const uint8_t *data, size_t size)
{
	struct us_reader r;

	us_reader_init(&r, data, size);
	while (r.err == US_OK && r.left > 0) {
		struct us_bytes act = us_take_str32(&r, US_ACT_COMMITTED_MAX);
		struct us_refusal refusal;
		uint64_t before = us_registry_sequence(reg);
		uint8_t digest[32];
		memcpy(digest, us_registry_digest(reg), 32);
		if (r.err != US_OK)
			break;
		int err = us_registry_apply(reg, act, &refusal);
		if (us_registry_sequence(reg) != before + (err == US_OK) ||
		    (err == US_OK) == (memcmp(digest, us_registry_digest(reg), 32) == 0))
			abort();
		if (err == US_OK && history != NULL &&
		    us_registry_replay(history, act, &refusal) != US_OK)
			abort();
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct us_registry *one, *two, *history;
	struct us_docket_item items[8];

	if (us_registry_new(&one) != US_OK || us_registry_new(&two) != US_OK ||
	    us_registry_new(&history) != US_OK)
		abort();
	fold(one, history, data, size);
	fold(two, NULL, data, size);
	if (memcmp(us_registry_digest(one), us_registry_digest(two), 32) != 0 ||
	    memcmp(us_registry_digest(one), us_registry_digest(history), 32) != 0)
		abort();
	if (us_registry_sequence(one) > 0)
		(void)us_registry_docket(one, 0, items, 8);
	us_registry_free(one);
	us_registry_free(two);
	us_registry_free(history);
	return 0;
}
