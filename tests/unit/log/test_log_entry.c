/* Entries: bytes, sizes, round trips, and that nothing of them can be changed unnoticed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "log/entry.h"
#include "crypto/crypto.h"
#include "base/err.h"

static uint64_t seed = 88172645463325252u;

static uint64_t
below(uint64_t n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed % n;
}

static uint8_t noise[70000];
static uint8_t vault_id[32];
static struct us_key secret;
static uint64_t records[US_ENTRY_RECORDS];
static struct us_bytes terms[64];

static int
setup(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(noise); i++)
		noise[i] = (uint8_t)below(256);
	for (i = 0; i < 32; i++) {
		vault_id[i] = (uint8_t)below(256);
		secret.b[i] = (uint8_t)below(256);
	}
	return 0;
}

static struct us_bytes
some(size_t max)
{
	size_t n = (size_t)below(max + 1);

	return (struct us_bytes){ n > 0 ? noise + below(sizeof(noise) - n) : NULL, n };
}

struct all {
	struct us_entry_in in;
	struct us_entry_access access;
	struct us_entry_disclosure disclosure;
	struct us_entry_query query;
};

static void
draw(struct all *a)
{
	size_t i;

	memset(a, 0, sizeof(*a));
	us_entry_access_init(&a->access);
	us_entry_disclosure_init(&a->disclosure);
	us_entry_query_init(&a->query);
	a->in.entry_class = (enum us_entry_class)(1 + below(4));
	a->in.order_version = (uint32_t)below(1u << 31);
	a->in.index = below(INT64_MAX);
	a->in.time_ns = (int64_t)below(INT64_MAX);
	a->in.vault_id = vault_id;
	a->in.secret = &secret;
	memcpy(a->in.salt, noise + below(100), US_ENTRY_SALT);
	a->access.kind = (enum us_kind)(1 + below(4));
	a->access.action = US_ACTION_READ;
	a->access.decision = (enum us_decision)below(4);
	a->access.reason = (enum us_reason)below(30);
	a->access.person = (uint32_t)below(1000);
	a->access.paragraph = some(20);
	a->access.n_parties = (size_t)below(US_ENTRY_PARTIES + 1);
	for (i = 0; i < a->access.n_parties; i++)
		a->access.parties[i] = some(12);
	a->access.event = (struct us_event){ .form = US_EVENT_OTHER, .other = some(300) };
	a->disclosure.collection = (uint32_t)below(UINT32_MAX);
	a->disclosure.total = below(UINT64_MAX);
	a->disclosure.parts = 3;
	a->disclosure.part = (uint32_t)below(3);
	a->disclosure.n_records = (size_t)below(50);
	for (i = 0; i < a->disclosure.n_records; i++)
		records[i] = below(3) ? below(2000) : below((uint64_t)INT64_MAX + 1);
	a->disclosure.records = records;
	a->disclosure.has_copy = (int)below(2);
	a->disclosure.copy_id = below(UINT64_MAX) * (unsigned)a->disclosure.has_copy;
	if (a->disclosure.has_copy)
		a->disclosure.recipient = some(30);
	a->disclosure.has_batch = (int)below(2);
	if (a->disclosure.has_batch) {
		a->disclosure.slot = 5;
		a->disclosure.first = below(UINT64_MAX);
		a->disclosure.count = 65536;
		memcpy(a->disclosure.manifest_root.b, noise, 32);
	}
	a->query.purpose = some(100);
	a->query.address = some(40);
	a->query.query = some(2000);
	a->query.n_terms = (size_t)below(64);
	for (i = 0; i < a->query.n_terms; i++)
		terms[i] = some(20);
	a->query.terms = terms;
	a->in.access = below(8) ? &a->access : NULL;
	a->in.disclosure = below(4) ? &a->disclosure : NULL;
	a->in.query = below(4) ? &a->query : NULL;
	if (below(4) == 0)
		a->in.sealed = (struct us_bytes){ noise, 104 };
}

static void
same(struct us_bytes a, struct us_bytes b)
{
	assert_int_equal(a.n, b.n);
	if (a.n > 0)
		assert_memory_equal(a.p, b.p, a.n);
}

static void
check_access(const struct all *a, const struct us_buf *content)
{
	struct us_entry_access got;
	size_t i;
	int err = us_entry_access_decode(&got, content->data, content->len);

	assert_int_equal(err, a->in.access != NULL ? US_OK : US_ERR_NOT_FOUND);
	if (err != US_OK)
		return;
	assert_int_equal(got.kind, a->access.kind);
	assert_int_equal(got.decision, a->access.decision);
	assert_int_equal(got.reason, a->access.reason);
	assert_int_equal(got.person, a->access.person);
	same(got.paragraph, a->access.paragraph);
	assert_int_equal(got.n_parties, a->access.n_parties);
	for (i = 0; i < got.n_parties; i++)
		same(got.parties[i], a->access.parties[i]);
	assert_true(got.related == US_ENTRY_NONE && got.sequence == US_ENTRY_NONE);
	same(got.event.other, a->access.event.other);
}

static void
check_disclosure(const struct all *a, const struct us_buf *content)
{
	struct us_entry_disclosure got;
	int err = us_entry_disclosure_decode(&got, content->data, content->len);

	assert_int_equal(err, a->in.disclosure != NULL ? US_OK : US_ERR_NOT_FOUND);
	if (err != US_OK)
		return;
	assert_int_equal(got.collection, a->disclosure.collection);
	assert_int_equal(got.total, a->disclosure.total);
	assert_int_equal(got.part, a->disclosure.part);
	assert_int_equal(got.n_records, a->disclosure.n_records);
	if (got.n_records > 0)
		assert_memory_equal(got.records, records, got.n_records * sizeof(*records));
	assert_int_equal(got.has_copy, a->disclosure.has_copy);
	assert_int_equal(got.copy_id, a->disclosure.copy_id);
	same(got.recipient, a->disclosure.recipient);
	assert_int_equal(got.has_batch, a->disclosure.has_batch);
	assert_int_equal(got.first, a->disclosure.first);
	assert_memory_equal(&got.manifest_root, &a->disclosure.manifest_root, 32);
	us_entry_disclosure_free(&got);
}

static void
check_query(const struct all *a, const struct us_buf *content)
{
	struct us_entry_query got;
	size_t i;
	int err = us_entry_query_decode(&got, content->data, content->len);

	assert_int_equal(err, a->in.query != NULL ? US_OK : US_ERR_NOT_FOUND);
	if (err != US_OK)
		return;
	same(got.purpose, a->query.purpose);
	same(got.address, a->query.address);
	same(got.query, a->query.query);
	assert_int_equal(got.n_terms, a->query.n_terms);
	for (i = 0; i < got.n_terms; i++)
		same(got.terms[i], terms[i]);
	us_entry_query_free(&got);
}

static void
test_round_trips(void **state)
{
	struct us_buf out, content;
	struct us_entry_view v;
	struct us_key keys[US_BOXES];
	struct all a;
	unsigned k, box;

	(void)state;
	us_buf_init(&out, US_ENTRY_MAX + 10);
	us_buf_init(&content, US_ENTRY_CONTENT_MAX);
	for (k = 0; k < 2000; k++) {
		draw(&a);
		us_buf_reset(&out);
		assert_int_equal(us_entry_encode(&out, &a.in), US_OK);
		assert_int_equal(us_entry_decode(&v, out.data, out.len), US_OK);
		assert_int_equal(v.entry_class, a.in.entry_class);
		assert_int_equal(v.index, a.in.index);
		assert_true(v.time_ns == a.in.time_ns);
		assert_int_equal(v.order_version, a.in.order_version);
		assert_int_equal(v.boot, a.in.sealed.n > 0);
		same(v.sealed, a.in.sealed);
		if (v.state != NULL) {
			uint8_t want[32];

			assert_int_equal(us_entry_state_commitment(want, a.in.state_digest,
					     a.in.manifest_root),
			    US_OK);
			assert_memory_equal(v.state, want, 32);
		}
		assert_int_equal(us_entry_box_keys(keys, &secret, vault_id, v.index, v.salt),
		    US_OK);
		for (box = 0; box < US_BOXES; box++) {
			us_buf_reset(&content);
			assert_int_equal(us_entry_open(&v, (enum us_box)box, &keys[(box + 1) % 3],
					     &content),
			    US_ERR_COMMITMENT);
			assert_int_equal(us_entry_open(&v, (enum us_box)box, &keys[box], &content),
			    US_OK);
			if (box == US_BOX_ACCESS)
				check_access(&a, &content);
			else if (box == US_BOX_DISCLOSURE)
				check_disclosure(&a, &content);
			else
				check_query(&a, &content);
		}
	}
	us_buf_free(&out);
	us_buf_free(&content);
}

/* Every byte matters: after any flip, the entry does not decode, or a box does not open, or the
 * flip is in the open part that the boxes' additional data covers. */
static void
test_every_byte_is_bound(void **state)
{
	struct us_buf out, content;
	struct us_entry_view v;
	struct us_key keys[US_BOXES];
	struct all a;
	size_t i, box;
	unsigned k;

	(void)state;
	us_buf_init(&out, US_ENTRY_MAX);
	us_buf_init(&content, US_ENTRY_CONTENT_MAX);
	for (k = 0; k < 4; k++) {
		draw(&a);
		us_buf_reset(&out);
		assert_int_equal(us_entry_encode(&out, &a.in), US_OK);
		assert_int_equal(us_entry_box_keys(keys, &secret, vault_id, a.in.index, a.in.salt),
		    US_OK);
		for (i = 0; i < out.len; i++) {
			int good = 0;

			out.data[i] ^= (uint8_t)(1u << below(8));
			if (us_entry_decode(&v, out.data, out.len) == US_OK) {
				for (box = 0; box < US_BOXES; box++) {
					us_buf_reset(&content);
					good += us_entry_open(&v, (enum us_box)box, &keys[box],
						    &content) == US_OK;
				}
				assert_true(good < US_BOXES);
			}
			us_buf_reset(&out);
			assert_int_equal(us_entry_encode(&out, &a.in), US_OK);
		}
		for (i = 0; i < out.len; i++)
			assert_int_not_equal(us_entry_decode(&v, out.data, i), US_OK);
		assert_int_equal(us_buf_put_u8(&out, 0), US_OK);
		assert_int_equal(us_entry_decode(&v, out.data, out.len), US_ERR_TRAILING);
	}
	us_buf_free(&out);
	us_buf_free(&content);
}

static void
test_sizes(void **state)
{
	struct us_buf out;
	struct all a;
	size_t i, n, other;

	(void)state;
	assert_int_equal(us_entry_padded(0), 128);
	assert_int_equal(us_entry_padded(126), 128);
	assert_int_equal(us_entry_padded(127), 256);
	assert_int_equal(us_entry_padded(4094), 4096);
	assert_int_equal(us_entry_padded(4095), us_padme(4097));
	for (n = 0; n < 20000; n += 7)
		assert_int_equal(us_entry_padded(us_entry_padded(n) - 2), us_entry_padded(n));
	us_buf_init(&out, US_ENTRY_MAX);
	/* The largest parts that the header promises to fit do fit. */
	draw(&a);
	a.in.access = &a.access;
	a.in.disclosure = &a.disclosure;
	a.in.query = &a.query;
	a.in.entry_class = US_CLASS_STATE;
	for (i = 0; i < US_ENTRY_RECORDS; i++)
		records[i] = i % 2 ? 0 : INT64_MAX;
	a.disclosure.n_records = US_ENTRY_RECORDS;
	a.access.n_parties = 0;
	a.access.paragraph.n = 0;
	a.access.event.other = (struct us_bytes){ noise, US_ENTRY_ACCESS_MAX - 90 };
	a.query.n_terms = 0;
	a.query.purpose.n = 0;
	a.query.address.n = 0;
	a.query.query = (struct us_bytes){ noise, US_ENTRY_QUERY_MAX - 24 };
	assert_int_equal(us_entry_encode(&out, &a.in), US_OK);
	other = out.len;
	/* Too much is refused and leaves nothing behind. */
	a.query.query.n = 40000;
	assert_int_equal(us_entry_encode(&out, &a.in), US_ERR_LIMIT);
	assert_int_equal(out.len, other);
	/* A denial and an answer of one record have the same length. */
	draw(&a);
	us_entry_access_init(&a.access);
	a.in.entry_class = US_CLASS_ACCESS;
	a.in.sealed.n = 0;
	a.in.query = NULL;
	a.in.access = &a.access;
	a.in.disclosure = NULL;
	us_buf_reset(&out);
	assert_int_equal(us_entry_encode(&out, &a.in), US_OK);
	other = out.len;
	a.disclosure.n_records = 1;
	a.disclosure.has_copy = a.disclosure.has_batch = 0;
	a.in.disclosure = &a.disclosure;
	us_buf_reset(&out);
	assert_int_equal(us_entry_encode(&out, &a.in), US_OK);
	assert_int_equal(out.len, other);
	us_buf_free(&out);
}

static void
test_names(void **state)
{
	enum us_action action;
	enum us_reason reason;
	unsigned i;

	(void)state;
	for (i = 0; i < 256; i++) {
		const char *name = us_action_name(i);

		if (name != NULL) {
			assert_int_equal(us_action_of(&action, name, strlen(name)), US_OK);
			assert_int_equal(action, i);
		}
		name = us_reason_name(i);
		if (name != NULL) {
			assert_int_equal(us_reason_of(&reason, name, strlen(name)), US_OK);
			assert_int_equal(reason, i);
		}
	}
	assert_int_equal(us_action_of(&action, "reads", 5), US_ERR_NOT_FOUND);
	assert_null(us_action_name(255));
	assert_null(us_kind_name(0));
	assert_null(us_entry_class_name(0));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trips),
		cmocka_unit_test(test_every_byte_is_bound),
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
