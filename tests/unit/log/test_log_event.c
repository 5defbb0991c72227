/* What entries say: the bytes of each form, which form stands where, and that whatever is read is
 * written again as it was. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "log/event.h"
#include "base/array.h"
#include "base/err.h"
#include "crypto/crypto.h"

#define BYTES(s) \
	{ \
		(const uint8_t *)(s), sizeof(s) - 1 \
	}

/* Each form once, its bytes written by hand from docs/PROTOCOL.md. */
static const struct known {
	struct us_event_place place;
	struct us_event event;
	struct us_bytes bytes;
} known[] = {
	{ { US_KIND_INTENT, US_ACTION_COUNT, US_DECISION_ALLOW, 0 },
	    { .form = US_EVENT_APPROVAL, .approval = { 258 } }, BYTES("approval\0\0\1\2") },
	{ { US_KIND_DISCLOSURE, US_ACTION_AUDIT_KEYS, US_DECISION_DENY, 0 },
	    { .form = US_EVENT_BOX_KEYS, .box_keys = { .from = 5, .to = 0x1122334455667788 } },
	    BYTES("\0\0\0\0\0\0\0\5\x11\x22\x33\x44\x55\x66\x77\x88") },
	{ { US_KIND_EVENT, US_ACTION_AUDIT_WITNESS, US_DECISION_NONE, 0 },
	    { .form = US_EVENT_WITNESSES, .witnesses = { BYTES("keyAkeyB") } }, BYTES("keyAkeyB") },
	{ { US_KIND_EVENT, US_ACTION_AUDIT_WITNESS, US_DECISION_FAILED, 0 },
	    { .form = US_EVENT_UNWITNESSED, .unwitnessed = { BYTES("seal") } }, BYTES("seal") },
	{ { US_KIND_EVENT, US_ACTION_AUDIT_WITNESS, US_DECISION_ALLOW, 0 },
	    { .form = US_EVENT_COSIGNED,
		.cosigned = { .size = 7, .cosigners = BYTES("keyAatatime!") } },
	    BYTES("\0\0\0\0\0\0\0\7keyAatatime!") },
	{ { US_KIND_EVENT, US_ACTION_START, US_DECISION_NONE, 0 },
	    { .form = US_EVENT_START, .start = { 1 } }, BYTES("frozen") },
	{ { US_KIND_EVENT, US_ACTION_START, US_DECISION_NONE, 0 }, { .form = US_EVENT_START },
	    BYTES("") },
	{ { US_KIND_EVENT, US_ACTION_GAP, US_DECISION_NONE, 0 },
	    { .form = US_EVENT_GAP,
		.gap = { .from = 1700000000000000000, .to = -1, .cause = US_GAP_CLOCK } },
	    BYTES("\x17\x97\x9c\xfe\x36\x2a\x00\x00\xff\xff\xff\xff\xff\xff\xff\xff\4") },
	{ { US_KIND_EVENT, US_ACTION_CONFIGURE, US_DECISION_NONE, 0 },
	    { .form = US_EVENT_CONFIGURE, .configure = { BYTES("a: 1 -> 2\n") } },
	    BYTES("a: 1 -> 2\n") },
	{ { US_KIND_EVENT, US_ACTION_ROLE_RESTART, US_DECISION_NONE, 0 },
	    { .form = US_EVENT_ROLE_RESTART,
		.role_restart = { .role = 2, .index = 3, .signal = 1, .status = 11 } },
	    BYTES("\2\3\1\13") },
	{ { US_KIND_EVENT, US_ACTION_ORDER_IN_FORCE, US_DECISION_NONE, 0 },
	    { .form = US_EVENT_ORDER_IN_FORCE, .order_in_force = { 513 } }, BYTES("\0\0\2\1") },
	{ { US_KIND_EVENT, US_ACTION_HANDOVER, US_DECISION_NONE, 0 },
	    { .form = US_EVENT_HANDOVER, .handover = { BYTES("underseal/handed-over/1 …") } },
	    BYTES("underseal/handed-over/1 …") },
	{ { US_KIND_EVENT, US_ACTION_REFUSALS, US_DECISION_DENY, 0 },
	    { .form = US_EVENT_COUNTS, .counts = { BYTES("\12\0\0\0\3\377\1\2\3\4") } },
	    BYTES("\12\0\0\0\3\377\1\2\3\4") },
	{ { US_KIND_EVENT, US_ACTION_ANSWERED, US_DECISION_FAILED, 0 },
	    { .form = US_EVENT_ANSWERED, .answered = { .from = 3, .to = 256 } },
	    BYTES("\0\0\0\0\0\0\0\3\0\0\0\0\0\0\1\0") },
	{ { US_KIND_EVENT, US_ACTION_BACKUP, US_DECISION_NONE, 0 },
	    { .form = US_EVENT_BACKUP,
		.backup = { .number = 1, .generation = 2, .successor = 0xdeadbeef } },
	    BYTES("\0\0\0\1\0\0\0\0\0\0\0\2\xde\xad\xbe\xef") },
	{ { US_KIND_EVENT, US_ACTION_UNSEAL_SHARE, US_DECISION_ALLOW, 0 },
	    { .form = US_EVENT_SHARE, .share = { 4 } }, BYTES("\4") },
	{ { US_KIND_EVENT, US_ACTION_STATE_OPEN, US_DECISION_FAILED, 0 },
	    { .form = US_EVENT_STATE_REFUSED, .state_refused = { BYTES("it is older") } },
	    BYTES("it is older") },
	{ { US_KIND_INTENT, US_ACTION_SEAL, US_DECISION_ALLOW, 0 },
	    { .form = US_EVENT_SEAL, .seal = { BYTES("underseal/act/1\n…") } },
	    BYTES("underseal/act/1\n…") },
	{ { US_KIND_OUTCOME, US_ACTION_COPY, US_DECISION_ALLOW, 1 },
	    { .form = US_EVENT_ACT, .act = { BYTES("a committed act") } },
	    BYTES("a committed act") },
	/* no form of their own */
	{ { US_KIND_EVENT, US_ACTION_HEARTBEAT, US_DECISION_NONE, 0 }, { .form = US_EVENT_NONE },
	    BYTES("") },
	{ { US_KIND_INTENT, US_ACTION_SEARCH, US_DECISION_ALLOW, 0 },
	    { .form = US_EVENT_OTHER, .other = BYTES("what?") }, BYTES("what?") },
};

static void
same_bytes(struct us_bytes a, struct us_bytes b)
{
	assert_int_equal(a.n, b.n);
	if (a.n > 0)
		assert_memory_equal(a.p, b.p, a.n);
}

static void
written(const struct us_event_place *place, const struct us_event *e, struct us_bytes want)
{
	struct us_buf out;

	us_buf_init(&out, 4096);
	assert_int_equal(us_event_encode(&out, place, e), US_OK);
	same_bytes((struct us_bytes){ out.data, out.len }, want);
	assert_int_equal(us_event_size(e), want.n);
	us_buf_free(&out);
}

static void
each_form_has_its_bytes(void **state)
{
	struct us_event e, want;
	int seen[US_EVENT_ACT + 1] = { 0 };

	(void)state;
	for (size_t i = 0; i < US_COUNT(known); i++) {
		const struct known *k = &known[i];

		written(&k->place, &k->event, k->bytes);
		us_event_decode(&e, &k->place, k->bytes);
		assert_int_equal(e.form, k->event.form);
		seen[e.form] = 1;
		written(&k->place, &e, k->bytes);
		/* all but where a view points is the same */
		want = k->event;
		if (us_event_view(&e) != NULL) {
			same_bytes(*us_event_view(&e), *us_event_view(&want));
			us_event_view(&e)->p = us_event_view(&want)->p;
		}
		assert_memory_equal(&e.other, &want.other, sizeof e.other);
		assert_int_equal(e.gap.cause, want.gap.cause);
	}
	for (size_t i = 0; i < US_COUNT(seen); i++)
		assert_true(seen[i]);
}

/* A form is read where it belongs and nowhere else, and written nowhere else. */
static void
a_form_has_its_place(void **state)
{
	struct us_event e;
	struct us_buf out;

	(void)state;
	us_buf_init(&out, 4096);
	for (size_t i = 0; i < US_COUNT(known); i++) {
		struct us_event_place p = known[i].place;
		const enum us_event_form form = known[i].event.form;
		const int is_event = p.kind == US_KIND_EVENT;

		if (form == US_EVENT_NONE || form == US_EVENT_OTHER)
			continue;
		p.action = US_ACTION_STATUS;
		p.has_act = 0;
		us_buf_reset(&out);
		assert_int_equal(us_event_encode(&out, &p, &known[i].event), US_ERR_ARG);
		us_event_decode(&e, &p, known[i].bytes);
		assert_int_equal(e.form, known[i].bytes.n == 0 ? US_EVENT_NONE : US_EVENT_OTHER);
		p = known[i].place;
		p.kind = is_event ? US_KIND_INTENT : US_KIND_EVENT;
		us_event_decode(&e, &p, known[i].bytes);
		if (form == US_EVENT_APPROVAL || form == US_EVENT_ACT)
			assert_int_equal(e.form, form); /* of any kind */
		else
			assert_int_not_equal(e.form, form);
	}
	us_buf_free(&out);
}

/* One byte more or less is another form, or none. */
static void
lengths_are_exact(void **state)
{
	uint8_t longer[64] = { 0 };
	struct us_event e;

	(void)state;
	for (size_t i = 0; i < US_COUNT(known); i++) {
		const struct known *k = &known[i];
		struct us_event copy = k->event;

		if (k->event.form == US_EVENT_NONE ||
		    (us_event_view(&copy) != NULL && k->event.form != US_EVENT_COUNTS &&
			k->event.form != US_EVENT_COSIGNED && k->event.form != US_EVENT_WITNESSES))
			continue;
		memcpy(longer, k->bytes.p, k->bytes.n);
		us_event_decode(&e, &k->place, (struct us_bytes){ longer, k->bytes.n + 1 });
		assert_int_equal(e.form, US_EVENT_OTHER);
		if (k->bytes.n == 0)
			continue;
		us_event_decode(&e, &k->place, (struct us_bytes){ longer, k->bytes.n - 1 });
		assert_int_equal(e.form, k->bytes.n == 1 ? US_EVENT_NONE : US_EVENT_OTHER);
	}
}

static void
large_acts_are_said_by_their_digest(void **state)
{
	uint8_t act[US_EVENT_ACT_MAX + 1] = { 1 }, digest[32], want[32];
	struct us_event e;

	(void)state;
	assert_int_equal(us_event_of_act(&e, (struct us_bytes){ act, sizeof act - 1 }, digest),
	    US_OK);
	assert_int_equal(e.form, US_EVENT_ACT);
	assert_ptr_equal(e.act.act.p, act);
	assert_int_equal(e.act.act.n, US_EVENT_ACT_MAX);
	assert_int_equal(us_event_of_act(&e, (struct us_bytes){ act, sizeof act }, digest), US_OK);
	assert_int_equal(us_sha256(act, sizeof act, want), US_OK);
	assert_int_equal(e.form, US_EVENT_ACT);
	same_bytes(e.act.act, (struct us_bytes){ want, sizeof want });
}

static void
counts_are_taken(void **state)
{
	struct us_bytes left = BYTES("\12\0\0\0\3\377\1\2\3\4");
	uint8_t reason, cosigner[US_EVENT_COSIGNER_SIZE];
	uint32_t n;

	(void)state;
	assert_true(us_event_next_count(&left, &reason, &n) && reason == 10 && n == 3);
	assert_true(us_event_next_count(&left, &reason, &n) && reason == 255 && n == 0x01020304);
	assert_false(us_event_next_count(&left, &reason, &n));
	us_event_pack_cosigner(cosigner, 0x01020304, 5);
	assert_memory_equal(cosigner, "\1\2\3\4\0\0\0\0\0\0\0\5", sizeof cosigner);
	assert_string_equal(us_gap_name(US_GAP_STALLED), "stalled");
	assert_string_equal(us_gap_name(0), "");
	assert_string_equal(us_gap_name(6), "");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_form_has_its_bytes),
		cmocka_unit_test(a_form_has_its_place),
		cmocka_unit_test(lengths_are_exact),
		cmocka_unit_test(large_acts_are_said_by_their_digest),
		cmocka_unit_test(counts_are_taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
