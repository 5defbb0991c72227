/* First byte: a type, or 0 for a committed act. What decodes must encode to the same bytes, and
 * have the form that the log's side wants. */
#include <stdlib.h>
#include <string.h>

#include "log/state.h"
#include "registry/act.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
same(const struct us_buf *b, const uint8_t *data, size_t size)
{
	if (b->len != size || (size > 0 && memcmp(b->data, data, size) != 0))
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct us_committed_act c;
	struct us_signed_act env;
	struct us_buf b;

	if (size == 0)
		return 0;
	us_buf_init(&b, US_ACT_COMMITTED_MAX);
	if (data[0] == 0) {
		struct us_state state;
		int taken;

		us_state_init(&state);
		taken = us_state_take(&state, (struct us_bytes){ data + 1, size - 1 });
		if (us_committed_act_decode(&c, &env, data + 1, size - 1) == US_OK) {
			if (us_committed_act_encode(&b, &c) != US_OK)
				abort();
			same(&b, data + 1, size - 1);
			us_buf_reset(&b);
			if (us_signed_act_encode(&b, &env) != US_OK)
				abort();
			same(&b, c.signed_act.p, c.signed_act.n);
			if (c.sequence == 1 && taken != US_OK && env.type != US_ACT_BATCH_CLOSE)
				abort();
		}
	} else {
		struct us_act *act = malloc(sizeof(*act));
		if (act == NULL)
			abort();
		if (us_act_decode(act, (enum us_act_type)data[0],
			(struct us_bytes){ data + 1, size - 1 }) == US_OK) {
			if (us_act_encode(&b, act) != US_OK)
				abort();
			same(&b, data + 1, size - 1);
		}
		free(act);
	}
	us_buf_free(&b);
	return 0;
}
