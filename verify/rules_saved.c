/* What the rules remember, as bytes, and back. */
#include <string.h>

#include "base/err.h"
#include "verify/rules_internal.h"

static int
save_set(struct us_buf *out, const struct us_verify_key_set *s)
{
	const struct us_verify_key_set_item *item;
	const void *key;
	int err = us_buf_put_u64(out, s->map.n);

	for (size_t at = 0; err == US_OK && (item = us_map_next(&s->map, &at, &key)) != NULL;) {
		err = us_buf_put(out, key, 16);
		if (err == US_OK)
			err = us_buf_put(out, item, sizeof *item);
	}
	return err;
}

static int
load_set(struct us_reader *r, struct us_verify_key_set *s)
{
	const uint64_t n = us_take_u64(r);
	struct us_verify_key_set_item item;
	int err = r->err;

	for (uint64_t i = 0; err == US_OK && i < n; i++) {
		const struct us_bytes key = us_take(r, 16);

		us_take_into(r, &item, sizeof item);
		err = r->err;
		if (err == US_OK)
			err = us_verify_key_set_add(s, key.p, &item, INT64_MIN);
	}
	return err;
}

int
us_verify_rules_save(const struct us_verify_rules *r, struct us_buf *out)
{
	struct us_verify_rules plain = *r;
	int err;

	memset(&plain.sessions, 0, sizeof plain.sessions);
	memset(&plain.approvals, 0, sizeof plain.approvals);
	memset(&plain.answered, 0, sizeof plain.answered);
	err = us_buf_put(out, &plain, sizeof plain);
	if (err == US_OK)
		err = save_set(out, &r->sessions);
	if (err == US_OK)
		err = save_set(out, &r->approvals);
	if (err == US_OK)
		err = us_buf_put_u64(out, r->answered.n - r->answered.from);
	for (size_t i = r->answered.from; err == US_OK && i < r->answered.n; i++)
		err = us_buf_put(out, &r->answered.items[i], sizeof *r->answered.items);
	return err;
}

int
us_verify_rules_load(struct us_verify_rules *r, struct us_reader *in)
{
	const struct us_verify_rules fresh = *r;
	struct us_verify_intent item;
	uint64_t n;
	int err;

	us_take_into(in, r, sizeof *r);
	err = in->err;
	r->sessions = fresh.sessions;
	r->approvals = fresh.approvals;
	r->answered = fresh.answered;
	if (err == US_OK)
		err = load_set(in, &r->sessions);
	if (err == US_OK)
		err = load_set(in, &r->approvals);
	n = us_take_u64(in);
	for (uint64_t i = 0; err == US_OK && i < n; i++) {
		us_take_into(in, &item, sizeof item);
		err = in->err;
		if (err == US_OK)
			err = us_verify_intents_add(&r->answered, &item);
	}
	return err == US_OK ? in->err : err;
}
