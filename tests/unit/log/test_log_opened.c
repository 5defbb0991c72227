/* Entries with their boxes open: what was written is what is read, of as many boxes as there are
 * keys, and nothing is taken for open that did not open. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "log/opened.h"
#include "base/array.h"
#include "base/err.h"
#include "crypto/crypto.h"

static const uint8_t vault_id[32] = { 9 };
static const struct us_key secret = { { 3 } };
static const uint64_t records[] = { 7, 8, 3 };

struct written {
	struct us_entry_access access;
	struct us_entry_disclosure disclosure;
	struct us_entry_query query;
	struct us_bytes terms[2];
	struct us_entry_in in;
	struct us_buf bytes;
	struct us_key keys[US_BOXES];
};

static void
write_entry(struct written *w, uint64_t index)
{
	memset(w, 0, sizeof *w);
	us_entry_access_init(&w->access);
	us_entry_disclosure_init(&w->disclosure);
	us_entry_query_init(&w->query);
	w->access.kind = US_KIND_DISCLOSURE;
	w->access.action = US_ACTION_READ;
	w->access.decision = US_DECISION_ALLOW;
	w->access.paragraph = us_bytes_of("4(b)");
	w->access.event = (struct us_event){ .form = US_EVENT_APPROVAL, .approval = { 5 } };
	w->disclosure.n_records = US_COUNT(records);
	w->disclosure.records = records;
	w->disclosure.part = 1;
	w->disclosure.parts = 2;
	w->terms[0] = us_bytes_of("harbour");
	w->terms[1] = us_bytes_of("paywall");
	w->query.purpose = us_bytes_of("trial");
	w->query.terms = w->terms;
	w->query.n_terms = US_COUNT(w->terms);
	w->in = (struct us_entry_in){ .entry_class = US_CLASS_ACCESS,
		.index = index,
		.time_ns = 77,
		.vault_id = vault_id,
		.secret = &secret,
		.access = &w->access,
		.disclosure = &w->disclosure,
		.query = &w->query };
	us_buf_init(&w->bytes, US_ENTRY_MAX);
}

static struct us_bytes
seal(struct written *w)
{
	us_buf_reset(&w->bytes);
	assert_int_equal(us_entry_encode(&w->bytes, &w->in), US_OK);
	assert_int_equal(us_entry_box_keys(w->keys, &secret, vault_id, w->in.index, w->in.salt),
	    US_OK);
	return (struct us_bytes){ w->bytes.data, w->bytes.len };
}

static void
is_shut(const struct us_opened *e, enum us_box box)
{
	assert_false(us_opened_has(e, box));
	if (box == US_BOX_ACCESS) {
		assert_int_equal(e->access.kind, 0);
		assert_int_equal(e->access.action, US_ACTION_NONE);
		assert_int_equal(e->access.event.form, US_EVENT_NONE);
		assert_true(
		    e->access.related == US_ENTRY_NONE && e->access.sequence == US_ENTRY_NONE);
	} else if (box == US_BOX_DISCLOSURE) {
		assert_int_equal(e->disclosure.n_records, 0);
		assert_true(e->disclosure.part == 0 && e->disclosure.parts == 1);
	} else {
		assert_int_equal(e->query.n_terms, 0);
		assert_true(e->query.part == 0 && e->query.parts == 1);
	}
}

static void
as_many_boxes_as_keys(void **state)
{
	struct us_opened e;
	struct written w;

	(void)state;
	us_opened_init(&e);
	for (unsigned which = 0; which < 1u << US_BOXES; which++) {
		struct us_export_keys keys = { .index = which };
		struct us_bytes bytes;

		write_entry(&w, which);
		bytes = seal(&w);
		for (unsigned box = 0; box < US_BOXES; box++) {
			keys.present[box] = which >> box & 1;
			keys.keys[box] = w.keys[box];
		}
		assert_int_equal(us_opened_begin(&e, bytes), US_OK);
		assert_int_equal(us_opened_boxes(&e, &keys), US_OK);
		assert_int_equal(e.open, which);
		assert_int_equal(e.view.index, which);
		if (!us_opened_has(&e, US_BOX_ACCESS)) {
			is_shut(&e, US_BOX_ACCESS);
		} else {
			assert_int_equal(e.access.action, US_ACTION_READ);
			assert_true(us_bytes_is(e.access.paragraph, "4(b)"));
			assert_int_equal(e.access.event.form, US_EVENT_APPROVAL);
			assert_int_equal(e.access.event.approval.number, 5);
		}
		if (!us_opened_has(&e, US_BOX_DISCLOSURE)) {
			is_shut(&e, US_BOX_DISCLOSURE);
		} else {
			assert_int_equal(e.disclosure.n_records, US_COUNT(records));
			assert_memory_equal(e.disclosure.records, records, sizeof records);
			assert_int_equal(e.disclosure.part, 1);
		}
		if (!us_opened_has(&e, US_BOX_QUERY)) {
			is_shut(&e, US_BOX_QUERY);
		} else {
			assert_true(us_bytes_is(e.query.purpose, "trial"));
			assert_true(us_bytes_is(e.query.terms[1], "paywall"));
		}
		us_buf_free(&w.bytes);
	}
	us_opened_free(&e);
}

static void
boxes_open_in_any_order_and_once(void **state)
{
	struct us_opened e;
	struct written w;
	struct us_bytes bytes;

	(void)state;
	write_entry(&w, 4);
	bytes = seal(&w);
	us_opened_init(&e);
	assert_int_equal(us_opened_begin(&e, bytes), US_OK);
	for (unsigned box = US_BOXES; box-- > 0;)
		assert_int_equal(us_opened_box(&e, (enum us_box)box, &w.keys[box]), US_OK);
	/* what was opened first stays where it is */
	assert_true(us_bytes_is(e.query.terms[0], "harbour"));
	assert_true(us_bytes_is(e.access.paragraph, "4(b)"));
	assert_int_equal(us_opened_box(&e, US_BOX_QUERY, &w.keys[US_BOX_QUERY]), US_ERR_STATE);
	assert_int_equal(us_opened_begin(&e, bytes), US_OK);
	for (unsigned box = 0; box < US_BOXES; box++)
		is_shut(&e, (enum us_box)box);
	us_opened_free(&e);
	us_buf_free(&w.bytes);
}

static void
a_wrong_key_opens_nothing(void **state)
{
	struct us_export_keys keys = { .present = { 1, 1, 1 } };
	struct us_opened e;
	struct written w;

	(void)state;
	write_entry(&w, 4);
	us_opened_init(&e);
	assert_int_equal(us_opened_begin(&e, seal(&w)), US_OK);
	memcpy(keys.keys, w.keys, sizeof keys.keys);
	keys.keys[US_BOX_DISCLOSURE] = w.keys[US_BOX_QUERY];
	assert_int_equal(us_opened_boxes(&e, &keys), US_ERR_COMMITMENT);
	is_shut(&e, US_BOX_DISCLOSURE);
	is_shut(&e, US_BOX_QUERY);
	us_opened_free(&e);
	us_buf_free(&w.bytes);
}

/* An empty box opens, and says nothing. */
static void
empty_boxes_are_open(void **state)
{
	struct us_opened e;
	struct written w;

	(void)state;
	write_entry(&w, 4);
	w.in.access = NULL;
	w.in.disclosure = NULL;
	w.in.query = NULL;
	us_opened_init(&e);
	assert_int_equal(us_opened_begin(&e, seal(&w)), US_OK);
	for (unsigned box = 0; box < US_BOXES; box++)
		assert_int_equal(us_opened_box(&e, (enum us_box)box, &w.keys[box]), US_OK);
	assert_int_equal(e.open, (1u << US_BOXES) - 1);
	e.open = 0;
	for (unsigned box = 0; box < US_BOXES; box++)
		is_shut(&e, (enum us_box)box);
	us_opened_free(&e);
	us_buf_free(&w.bytes);
}

/* Bytes that were changed open nothing; bytes that are no entry are none. */
static void
changed_bytes_open_nothing(void **state)
{
	struct us_opened e;
	struct written w;

	(void)state;
	write_entry(&w, 4);
	us_opened_init(&e);
	assert_int_equal(us_opened_begin(&e, seal(&w)), US_OK);
	w.bytes.data[w.bytes.len - 1] ^= 1; /* of the last tag */
	assert_int_equal(us_opened_box(&e, US_BOX_QUERY, &w.keys[US_BOX_QUERY]), US_ERR_AUTH);
	assert_false(us_opened_has(&e, US_BOX_QUERY));
	/* an entry that is cut is none */
	assert_int_equal(us_opened_begin(&e, (struct us_bytes){ w.bytes.data, w.bytes.len - 1 }),
	    US_ERR_TRUNCATED);
	us_opened_free(&e);
	us_buf_free(&w.bytes);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(as_many_boxes_as_keys),
		cmocka_unit_test(boxes_open_in_any_order_and_once),
		cmocka_unit_test(a_wrong_key_opens_nothing),
		cmocka_unit_test(empty_boxes_are_open),
		cmocka_unit_test(changed_bytes_open_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
