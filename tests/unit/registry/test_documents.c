/* Documents: parts in their order, nothing twice, limits; and acts that name one want it whole. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "crypto/crypto.h"
#include "tests/unit/registry/docket_acts.h"

static struct us_bytes
bytes(const uint8_t *p, size_t n)
{
	return (struct us_bytes){ p, n };
}

/* The digest of so many bytes of zeros. */
static void
digest_of_zeros(size_t n, uint8_t out[32])
{
	uint8_t *p = calloc(1, n);

	assert_int_equal(us_sha256(p, n, out), US_OK);
	free(p);
}

static void
test_one_part(void **state)
{
	struct world *w = *state;
	const uint8_t text[] = "another document", zeros[32] = { 0 };
	const struct us_document *d;
	uint8_t digest[32];

	assert_int_equal(us_sha256(text, sizeof(text), digest), US_OK);
	assert_int_equal(document(w, &w->attorney, no_document, sizeof(text), 0,
			     bytes(text, sizeof(text))),
	    US_ERR_VERIFY);
	assert_int_equal(document(w, &w->attorney, zeros, sizeof(text), 0,
			     bytes(text, sizeof(text))),
	    US_ERR_FORMAT);
	assert_int_equal(document(w, &w->attorney, small_document(), sizeof(text), 0,
			     bytes(text, sizeof(text))),
	    US_ERR_EXISTS);
	assert_int_equal(us_registry_documents(w->reg), 1);
	assert_int_equal(document(w, &w->attorney, digest, sizeof(text), 0,
			     bytes(text, sizeof(text))),
	    US_OK);
	assert_int_equal(document(w, &w->producer, digest, sizeof(text), 0,
			     bytes(text, sizeof(text))),
	    US_ERR_EXISTS);
	d = us_registry_document_of(w->reg, digest, 1);
	assert_non_null(d);
	assert_ptr_equal(d, us_registry_document(w->reg, 1));
	assert_null(us_registry_document(w->reg, 2));
	assert_string_equal(d->name, "letter.pdf");
	assert_int_equal(d->size, sizeof(text));
	assert_int_equal(d->parts, 1);
	assert_int_equal(d->parts_all, 1);
	assert_int_equal(d->added_by, w->attorney.person);
	assert_int_equal(d->sequences[0], us_registry_sequence(w->reg));
	assert_null(us_registry_document_of(w->reg, no_document, 0));
}

static void
test_parts(void **state)
{
	struct world *w = *state;
	const uint64_t size = 2 * (uint64_t)US_DOCUMENT_PART + 10;
	uint8_t *p = calloc(1, US_DOCUMENT_PART);
	const struct us_bytes part = bytes(p, US_DOCUMENT_PART), last = bytes(p, 10);
	struct us_registry *again;
	uint8_t digest[32], other[10] = { 1 };

	digest_of_zeros(size, digest);
	/* not the first */
	assert_int_equal(document(w, &w->attorney, digest, size, 1, part), US_ERR_STATE);
	assert_int_equal(document(w, &w->attorney, digest, size, 0, part), US_OK);
	assert_int_equal(document(w, &w->attorney, digest, size, 0, part), US_ERR_STATE);
	assert_int_equal(document(w, &w->attorney, digest, size, 2, last), US_ERR_STATE);
	/* somebody else's: their own begins anew */
	assert_int_equal(document(w, &w->producer, digest, size, 1, part), US_ERR_STATE);
	assert_int_equal(document(w, &w->producer, digest, size, 0, bytes(p, US_DOCUMENT_PART)),
	    US_OK);
	assert_int_equal(document(w, &w->attorney, digest, size + 1, 1, part), US_ERR_STATE);
	assert_null(us_registry_document_of(w->reg, digest, 1));
	assert_non_null(us_registry_document_of(w->reg, digest, 0));
	assert_int_equal(document(w, &w->attorney, digest, size, 1, part), US_OK);
	assert_null(us_registry_document_of(w->reg, digest, 1));
	/* not these bytes */
	assert_int_equal(document(w, &w->attorney, digest, size, 2, bytes(other, 10)),
	    US_ERR_VERIFY);
	assert_null(us_registry_document_of(w->reg, digest, 1));
	assert_int_equal(document(w, &w->attorney, digest, size, 2, last), US_OK);
	/* it is whole: theirs is not needed */
	assert_int_equal(document(w, &w->producer, digest, size, 1, part), US_ERR_EXISTS);
	assert_non_null(us_registry_document_of(w->reg, digest, 1));
	assert_int_equal(document(w, &w->attorney, digest, size, 0, part), US_ERR_EXISTS);
	assert_int_equal(us_registry_document_of(w->reg, digest, 1)->sequences[2],
	    us_registry_sequence(w->reg));
	/* folded without its last part it is not whole */
	assert_int_equal(us_registry_new(&again), US_OK);
	for (size_t i = 0; i + 1 < w->n_acts; i++)
		assert_int_equal(us_registry_apply(again, bytes(w->acts[i].data, w->acts[i].len),
				     NULL),
		    US_OK);
	assert_int_equal(us_registry_document_of(again, digest, 0)->parts, 2);
	assert_null(us_registry_document_of(again, digest, 1));
	us_registry_free(again);
	free(p);
}

/* The codec bounds the parts: a document of all its parts fits the list of them. */
static void
test_codec(void **state)
{
	struct us_act *act = calloc(1, sizeof(*act));
	uint8_t *p = calloc(1, US_DOCUMENT_PART + 1);
	struct us_document *d = NULL;
	struct us_act_document *a = &act->u.document;
	struct us_buf out;
	static const struct {
		uint64_t size;
		uint32_t part;
		size_t n;
		int want;
	} cases[] = {
		{ 0, 0, 0, US_ERR_LIMIT },
		{ 1, 0, 1, US_OK },
		{ 1, 0, 2, US_ERR_RANGE },
		{ 2, 0, 1, US_ERR_RANGE },
		{ 1, 1, 1, US_ERR_RANGE },
		{ US_DOCUMENT_PART, 0, US_DOCUMENT_PART, US_OK },
		{ US_DOCUMENT_PART, 1, 1, US_ERR_RANGE },
		{ US_DOCUMENT_PART + 1, 1, 1, US_OK },
		{ US_DOCUMENT_MAX, US_DOCUMENT_MAX / US_DOCUMENT_PART,
		    US_DOCUMENT_MAX % US_DOCUMENT_PART, US_OK },
		{ US_DOCUMENT_MAX, US_DOCUMENT_MAX / US_DOCUMENT_PART + 1, 1, US_ERR_RANGE },
		{ US_DOCUMENT_MAX, UINT32_MAX, 1, US_ERR_RANGE },
		{ US_DOCUMENT_MAX + 1, 0, US_DOCUMENT_PART, US_ERR_LIMIT },
		{ UINT64_MAX, 0, US_DOCUMENT_PART, US_ERR_LIMIT },
	};

	(void)state;
	act->type = US_ACT_DOCUMENT_ADD;
	a->name = us_bytes_of("letter.pdf");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		us_buf_init(&out, US_ACT_SIGNED_MAX);
		a->size = cases[i].size;
		a->part = cases[i].part;
		a->bytes = bytes(p, cases[i].n);
		const int err = us_act_encode(&out, act);
		if (err != cases[i].want)
			fail_msg("case %zu: %s, wanted %s", i, us_strerror(err),
			    us_strerror(cases[i].want));
		us_buf_free(&out);
	}
	assert_true(
	    sizeof(d->sequences) / sizeof(d->sequences[0]) > US_DOCUMENT_MAX / US_DOCUMENT_PART);
	free(p);
	free(act);
}

static void
test_room(void **state)
{
	struct world *w = *state;
	const struct actor *everybody[] = { &w->admin, &w->attorney, &w->producer, &w->auditor };
	uint8_t *p = calloc(1, US_DOCUMENT_PART);
	uint8_t digest[32] = { 0 };

	/* of each person a few may be begun; what they say counts, not what is there: the rest may
	 * still come */
	for (unsigned i = 0; i < 4 * 4; i++) {
		digest[0] = (uint8_t)(i + 1);
		assert_int_equal(document(w, everybody[i / 4], digest, US_DOCUMENT_MAX, 0,
				     bytes(p, US_DOCUMENT_PART)),
		    US_OK);
		digest[0] = 0xff;
		if (i % 4 == 3)
			assert_int_equal(document(w, everybody[i / 4], digest, 2 * US_DOCUMENT_PART,
					     0, bytes(p, US_DOCUMENT_PART)),
			    US_ERR_LIMIT);
	}
	digest[0] = 1; /* of one that was begun more may come */
	assert_int_equal(document(w, &w->admin, digest, US_DOCUMENT_MAX, 1,
			     bytes(p, US_DOCUMENT_PART)),
	    US_OK);
	free(p);
}

/* Every act that names a document, with half of one, and then with all of it. */
static void
test_whole(void **state)
{
	struct world *w = *state;
	const uint64_t size = (uint64_t)US_DOCUMENT_PART + 1;
	uint8_t *p = calloc(1, US_DOCUMENT_PART);
	uint8_t digest[32];
	struct us_act *acts = calloc(5, sizeof(*acts));
	const struct actor *by[5] = { &w->attorney, &w->attorney, &w->attorney, &w->producer,
		&w->producer };
	const struct us_selection first = { .collection = 1, .is_batch = 1, .slot = 0 };
	struct actor expert;

	digest_of_zeros(size, digest);
	join(w, &expert, "Erika Expert", US_CAPACITY_EXPERT, "plaintiffs", &w->attorney);
	assert_int_equal(clearance(w, &w->attorney, "tool", &expert), US_OK);
	assert_int_equal(serve(w, &w->attorney, "clearance-1", "defendant", w->now), US_OK);
	acts[0].type = US_ACT_ACKNOWLEDGE;
	acts[0].u.acknowledge = (struct us_act_acknowledge){ .version = 1,
		.address = us_bytes_of("a"),
		.place = us_bytes_of("b") };
	memcpy(acts[0].u.acknowledge.source_digest, us_registry_order(w->reg)->source_digest, 32);
	memcpy(acts[0].u.acknowledge.form, digest, 32);
	acts[1].type = US_ACT_CLEARANCE;
	acts[1].u.clearance = (struct us_act_clearance){ .clearance = us_bytes_of("expert"),
		.person = expert.person };
	memcpy(acts[1].u.clearance.statement, digest, 32);
	acts[2].type = US_ACT_CHALLENGE;
	acts[3].type = US_ACT_CLAWBACK;
	for (int i = 2; i < 4; i++) {
		acts[i].u.records.selection = first;
		memcpy(acts[i].u.records.document, digest, 32);
	}
	acts[4].type = US_ACT_DOCKET_OBJECT;
	acts[4].u.docket.docket_id = us_bytes_of("clearance-1");
	memcpy(acts[4].u.docket.grounds, digest, 32);
	for (int i = 0; i < 5; i++)
		assert_int_equal(world_act(w, by[i], &acts[i]), US_ERR_NOT_FOUND);
	assert_int_equal(document(w, &w->attorney, digest, size, 0, bytes(p, US_DOCUMENT_PART)),
	    US_OK);
	for (int i = 0; i < 5; i++)
		assert_int_equal(world_act(w, by[i], &acts[i]), US_ERR_NOT_FOUND);
	assert_int_equal(document(w, &w->attorney, digest, size, 1, bytes(p, 1)), US_OK);
	for (int i = 0; i < 5; i++)
		assert_int_equal(world_act(w, by[i], &acts[i]), US_OK);
	actor_free(&expert);
	free(acts);
	free(p);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, docket_setup, docket_teardown)
	const struct CMUnitTest tests[] = {
		T(test_one_part),
		T(test_parts),
		cmocka_unit_test(test_codec),
		T(test_room),
		T(test_whole),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
