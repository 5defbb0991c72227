/* Goal: a batch passes for one of this load only if the log's state commits to its act, and the act
 * binds the very parts that were sent. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "client/evidence/sent_parts.h"
#include "crypto/crypto.h"
#include "base/err.h"
#include "registry/act.h"

static const uint8_t root[32] = { 5 }, before[32] = { 6 };

/* The digest again, in other words than the code's: label, load, first, how many, and the digests
 * one behind the other. */
static void
parts_digest(uint64_t load, uint32_t first, uint32_t n, const uint8_t digests[][32],
    uint8_t out[32])
{
	struct us_buf b;

	us_buf_init(&b, 4096);
	assert_int_equal(us_buf_putf(&b, "underseal/load-parts/1"), US_OK);
	assert_int_equal(us_buf_put_u64(&b, load), US_OK);
	assert_int_equal(us_buf_put_u32(&b, first), US_OK);
	assert_int_equal(us_buf_put_u32(&b, n), US_OK);
	for (uint32_t i = 0; i < n; i++)
		assert_int_equal(us_buf_put(&b, digests[first + i], 32), US_OK);
	assert_int_equal(us_sha256(b.data, b.len, out), US_OK);
	us_buf_free(&b);
}

struct world {
	struct us_sent_parts sent;
	struct us_act act;
	struct us_buf committed;
	uint8_t state[32];
	struct us_batch_claim claim;
};

static void
commit(struct world *w)
{
	static const uint8_t zeros[32];
	struct us_signed_act s = { .type = US_ACT_BATCH_CLOSE };
	struct us_committed_act c = { .sequence = 12 };
	struct us_buf payload, bytes;

	us_buf_init(&payload, 4096);
	us_buf_init(&bytes, 4096);
	us_buf_reset(&w->committed);
	memcpy(s.credential, zeros, 32);
	assert_int_equal(us_act_encode(&payload, &w->act), US_OK);
	s.payload = (struct us_bytes){ payload.data, payload.len };
	assert_int_equal(us_signed_act_encode(&bytes, &s), US_OK);
	c.signed_act = (struct us_bytes){ bytes.data, bytes.len };
	assert_int_equal(us_committed_act_encode(&w->committed, &c), US_OK);
	w->claim.committed = (struct us_bytes){ w->committed.data, w->committed.len };
	assert_int_equal(us_state_digest(before, w->claim.committed, w->state), US_OK);
	us_buf_free(&payload);
	us_buf_free(&bytes);
}

static void
begin(struct world *w)
{
	memset(w, 0, sizeof *w);
	us_buf_init(&w->committed, 65536);
	for (uint8_t i = 0; i < 5; i++)
		assert_int_equal(us_sent_parts_add(&w->sent, (const uint8_t[32]){ i, 1 }), US_OK);
	w->act.type = US_ACT_BATCH_CLOSE;
	w->act.u.batch_close = (struct us_act_batch_close){ .collection = 1,
		.slot = 3,
		.load = 77,
		.loaded_by = 4,
		.count = 10,
		.first_part = 1,
		.parts = 3 };
	memcpy(w->act.u.batch_close.manifest_root, root, 32);
	parts_digest(77, 1, 3, (const uint8_t(*)[32])w->sent.digests,
	    w->act.u.batch_close.parts_digest);
	w->claim = (struct us_batch_claim){ .load = 77,
		.collection = 1,
		.slot = 3,
		.root = root,
		.state = w->state,
		.before = before };
	commit(w);
}

static void
end(struct world *w)
{
	us_sent_parts_free(&w->sent);
	us_buf_free(&w->committed);
}

static int
says(struct world *w, uint64_t *records)
{
	*records = 0;
	return us_sent_parts_check(&w->sent, &w->claim, records);
}

static void
good(void **state)
{
	uint64_t records;
	struct world w;

	(void)state;
	begin(&w);
	assert_int_equal(says(&w, &records), US_OK);
	assert_int_equal(records, 10);
	end(&w);
}

#define WRONG(how) \
	do { \
		begin(&w); \
		how; \
		assert_int_equal(says(&w, &records), US_ERR_VERIFY); \
		end(&w); \
	} while (0)

static void
bad(void **state)
{
	struct us_act_batch_close *a;
	uint64_t records;
	struct world w;

	(void)state;
	a = &w.act.u.batch_close;
	WRONG(w.sent.digests[2][0] ^= 1); /* another part than was sent */
	WRONG(w.sent.n = 3);              /* one more than was sent */
	WRONG((a->parts = 2, commit(&w)));
	WRONG((a->parts = 0, commit(&w))); /* bound to none */
	WRONG((a->first_part = 5, commit(&w)));
	WRONG((a->load = 78, commit(&w)));
	WRONG((a->slot = 4, commit(&w)));
	WRONG((a->collection = 2, commit(&w)));
	WRONG((a->manifest_root[0] ^= 1, commit(&w)));
	/* not the act that the log commits to */
	WRONG((a->count = 11, commit(&w), w.state[0] ^= 1));
	WRONG(w.committed.data[9] ^= 1);
	WRONG(w.claim.before = root);
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(good), cmocka_unit_test(bad) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
