/* Acts: each type goes there and back, canonically; cuts, left-over bytes and out-of-range values
 * are refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "registry/act.h"

static const uint8_t records[16] = { 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 0 };

static const uint8_t runs[] = { 5, 3, 1, 0x80, 0x01 }; /* 5 .. 7, 9 .. 136 */

static void
order_sample(struct us_act *a)
{
	const struct us_selection set = { .collection = 1,
		.n_runs = 2,
		.runs = { runs, sizeof(runs) } };

	switch ((unsigned)a->type) {
	case US_ACT_DOCUMENT_ADD:
		a->u.document.size = 5;
		a->u.document.name = us_bytes_of("order.pdf");
		a->u.document.bytes = us_bytes_of("%PDF-");
		break;
	case US_ACT_ORDER_PROPOSE:
		a->u.order_propose.source = a->u.order_propose.compiled = us_bytes_of("x");
		a->u.order_propose.authority = us_bytes_of("ECF No. 12");
		a->u.order_propose.effective_ns = 7;
		break;
	case US_ACT_ORDER_SUSPEND:
		a->u.order_suspend = (struct us_act_order_suspend){ 2, us_bytes_of("ECF No. 13") };
		break;
	case US_ACT_DOCKET_OBJECT:
	case US_ACT_DOCKET_RESOLVE:
	case US_ACT_DOCKET_WITHDRAW:
	case US_ACT_DOCKET_SERVE:
		a->u.docket.docket_id = us_bytes_of("clearance-1");
		a->u.docket.outcome = US_OUTCOME_DENIED;
		a->u.docket.text = us_bytes_of("ECF No. 14");
		a->u.docket.party = us_bytes_of("defendant");
		a->u.docket.at_ns = 9;
		break;
	case US_ACT_ACKNOWLEDGE:
		a->u.acknowledge.version = 1;
		a->u.acknowledge.address = us_bytes_of("1 Main Street");
		a->u.acknowledge.place = us_bytes_of("New York");
		break;
	case US_ACT_CLEARANCE:
		a->u.clearance.clearance = us_bytes_of("expert");
		a->u.clearance.person = 4;
		break;
	case US_ACT_CHALLENGE:
	case US_ACT_RELABEL:
	case US_ACT_CLAWBACK:
		a->u.records.selection = set;
		a->u.records.designation = us_bytes_of("CONFIDENTIAL");
		a->u.records.reason = us_bytes_of("ECF No. 15");
		a->u.records.noticed_ns = 11;
		break;
	case US_ACT_FREEZE:
		a->u.freeze.scope = US_FREEZE_RECORDS;
		a->u.freeze.selection = set;
		a->u.freeze.authority = us_bytes_of("ECF No. 16");
		break;
	case US_ACT_UNFREEZE:
		a->u.unfreeze = (struct us_act_unfreeze){ 1, us_bytes_of("ECF No. 17") };
		break;
	case US_ACT_APPROVAL_REQUEST:
		a->u.approval.action = US_ACTION_READ;
		a->u.approval.collection = 1;
		a->u.approval.n = 2;
		a->u.approval.records = (struct us_bytes){ records, sizeof(records) };
		break;
	case US_ACT_MATTER_SET:
		a->u.matter = (struct us_act_matter){ us_bytes_of("appeal"),
			us_bytes_of("ECF No. 18") };
		break;
	default:
		fail_msg("no sample of act %s", us_act_name((unsigned)a->type));
	}
}

/* A good act of the i-th type; 0 when there is none. */
static int
sample(struct us_act *a, size_t i)
{
	static const enum us_act_type types[] = {
#define X(name, ...) US_ACT_##name,
		US_ACTS(X)
#undef X
	};

	memset(a, 0, sizeof(*a));
	if (i >= sizeof(types) / sizeof(types[0]))
		return 0;
	a->type = types[i];
	switch ((unsigned)a->type) {
	case US_ACT_PERSON_ADD:
		a->u.person_add.name = us_bytes_of("Jos\xc3\xa9 Reader");
		a->u.person_add.capacity = US_CAPACITY_EXPERT;
		a->u.person_add.n_parties = 2;
		a->u.person_add.parties[0] = us_bytes_of("defendant");
		a->u.person_add.parties[1] = us_bytes_of("plaintiffs");
		break;
	case US_ACT_DOCKET_SIGN:
		a->u.sign.docket_id = us_bytes_of("person-12");
		break;
	case US_ACT_PERSON_SUSPEND:
	case US_ACT_PERSON_REINSTATE:
	case US_ACT_PERSON_END:
		a->u.change.person = 3;
		a->u.change.reason = us_bytes_of("left the firm");
		break;
	case US_ACT_CREDENTIAL_ISSUE:
		a->u.issue = (struct us_act_issue){ 3, 365, us_bytes_of("der") };
		break;
	case US_ACT_CREDENTIAL_REVOKE:
		a->u.revoke.by_person = 1;
		a->u.revoke.person = 3;
		a->u.revoke.reason = us_bytes_of("laptop lost");
		a->u.revoke.lost_since_ns = 5;
		break;
	case US_ACT_COLLECTION_CREATE:
		a->u.collection.name = us_bytes_of("demo");
		a->u.collection.prefix = us_bytes_of("DEMO");
		a->u.collection.designation = us_bytes_of("CONFIDENTIAL");
		break;
	case US_ACT_BATCH_RELEASE:
		a->u.batch.collection = 1;
		break;
	case US_ACT_BATCH_WITHDRAW:
		a->u.batch.collection = 1;
		a->u.batch.slot = US_SLOT_MAX;
		a->u.batch.reason = us_bytes_of("produced by mistake");
		break;
	case US_ACT_COPY:
		a->u.copy = (struct us_act_copy){ 1, us_bytes_of("Expert E"), us_bytes_of("report"),
			2, { records, sizeof(records) } };
		break;
	case US_ACT_COPY_RETURN:
		a->u.copy_return.copy = 1;
		a->u.copy_return.how = US_COPY_DESTROYED;
		break;
	case US_ACT_SEAL:
		a->u.seal.reason = us_bytes_of("night");
		break;
	case US_ACT_INIT:
		a->u.init.ca = a->u.init.order_source = a->u.init.order_compiled = us_bytes_of("x");
		a->u.init.n_hosts = 1;
		a->u.init.hosts[0] = us_bytes_of("localhost");
		a->u.init.n_people = 1;
		a->u.init.people[0].name = us_bytes_of("A");
		a->u.init.people[0].capacity = US_CAPACITY_ADMINISTRATOR;
		break;
	case US_ACT_BATCH_CLOSE:
		a->u.batch_close.collection = 1;
		a->u.batch_close.loaded_by = 3;
		a->u.batch_close.first = (UINT64_C(1) << 20) - 10;
		a->u.batch_close.count = 10;
		a->u.batch_close.n_pages = 2;
		a->u.batch_close.pages[1].kind = 1;
		a->u.batch_close.first_part = 7;
		a->u.batch_close.parts = 2;
		memset(a->u.batch_close.parts_digest, 9, 32);
		break;
	case US_ACT_BATCH_VOID:
		a->u.batch_void.collection = 1;
		a->u.batch_void.reason = us_bytes_of("interrupted");
		break;
	case US_ACT_DICTIONARY:
		a->u.dictionary.collection = a->u.dictionary.version = 1;
		break;
	case US_ACT_COPY_DIGEST:
		a->u.copy_digest.copy = 1;
		break;
	default:
		order_sample(a);
		break;
	}
	return 1;
}

static void
test_round(void **state)
{
	struct us_act *a = malloc(sizeof(*a)), *b = malloc(sizeof(*b));

	(void)state;
	for (size_t i = 0; sample(a, i); i++) {
		struct us_buf one, two;
		us_buf_init(&one, US_ACT_SIGNED_MAX);
		us_buf_init(&two, US_ACT_SIGNED_MAX);
		assert_int_equal(us_act_encode(&one, a), US_OK);
		assert_int_equal(us_act_decode(b, a->type, (struct us_bytes){ one.data, one.len }),
		    US_OK);
		assert_int_equal(us_act_encode(&two, b), US_OK);
		assert_int_equal(one.len, two.len);
		assert_memory_equal(one.data, two.data, one.len);
		for (size_t n = 0; n < one.len; n++) {
			uint8_t *cut = malloc(n == 0 ? 1 : n);
			memcpy(cut, one.data, n);
			/* without the parts at its end it is one of before parts were bound */
			assert_true(
			    (us_act_decode(b, a->type, (struct us_bytes){ cut, n }) == US_OK) ==
			    (a->type == US_ACT_BATCH_CLOSE && n == one.len - 40));
			free(cut);
		}
		assert_int_equal(us_buf_put_u8(&one, 0), US_OK);
		assert_int_equal(us_act_decode(b, a->type, (struct us_bytes){ one.data, one.len }),
		    US_ERR_TRAILING);
		us_buf_free(&one);
		us_buf_free(&two);
	}
	free(a);
	free(b);
}

/* Sets of records: packed and walked again; what is not canonical is refused. */
static void
test_selection(void **state)
{
	static const uint64_t numbers[] = { 0, 1, 2, 7, 9, 10, 1000000 };
	static const uint8_t bad[][6] = {
		{ 2, 5, 1, 0, 1 },    /* touching */
		{ 1, 5, 0 },          /* empty run */
		{ 1, 0x85, 0x00, 1 }, /* not the shortest form */
	};
	static const size_t bad_n[] = { 5, 3, 4 };
	struct us_selection s = { .collection = 1 };
	struct us_run run = { 0, 0 };
	struct us_buf b;
	size_t at = 0, i = 0;

	(void)state;
	us_buf_init(&b, 1000);
	assert_int_equal(us_selection_pack(numbers, 7, &b, &s.n_runs), US_OK);
	assert_int_equal(s.n_runs, 4);
	s.runs = (struct us_bytes){ b.data, b.len };
	while (us_selection_next(&s, &at, &run))
		for (uint64_t k = 0; k < run.count; k++)
			assert_int_equal(numbers[i++], run.first + k);
	assert_int_equal(i, 7);
	us_buf_reset(&b);
	assert_int_equal(us_selection_pack((const uint64_t[]){ 3, 3 }, 2, &b, &s.n_runs),
	    US_ERR_FORMAT);
	us_buf_reset(&b);
	assert_int_equal(us_selection_pack((const uint64_t[]){ 0, 0 }, 2, &b, &s.n_runs),
	    US_ERR_FORMAT);
	us_buf_reset(&b);
	assert_int_equal(us_selection_pack((const uint64_t[]){ UINT64_C(1) << 52 }, 1, &b,
			     &s.n_runs),
	    US_ERR_FORMAT);
	for (i = 0; i < 3; i++) {
		struct us_act *a = calloc(1, sizeof(*a));
		us_buf_reset(&b);
		assert_int_equal(us_buf_put_u32(&b, 1), US_OK);
		assert_int_equal(us_buf_put_u8(&b, 1), US_OK);
		assert_int_equal(us_buf_put_u32(&b, bad[i][0]), US_OK);
		assert_int_equal(us_buf_put(&b, bad[i] + 1, bad_n[i] - 1), US_OK);
		assert_int_equal(us_buf_put(&b, (const uint8_t[32]){ 0 }, 32), US_OK);
		assert_int_equal(us_act_decode(a, US_ACT_CHALLENGE,
				     (struct us_bytes){ b.data, b.len }),
		    US_ERR_FORMAT);
		free(a);
	}
	us_buf_free(&b);
}

static int
encodes(const struct us_act *a)
{
	struct us_buf b;
	us_buf_init(&b, US_ACT_SIGNED_MAX);
	int err = us_act_encode(&b, a);
	us_buf_free(&b);
	return err;
}

static size_t
index_of(enum us_act_type type)
{
	struct us_act *a = malloc(sizeof(*a));
	size_t i = 0;
	while (sample(a, i) && a->type != type)
		i++;
	free(a);
	return i;
}

#define REFUSES(type, change, err) \
	do { \
		(void)sample(a, index_of(type)); \
		change; \
		assert_int_equal(encodes(a), err); \
	} while (0)

static void
test_refusals(void **state)
{
	struct us_act *a = malloc(sizeof(*a));

	(void)state;
	REFUSES(US_ACT_PERSON_ADD, a->u.person_add.name = us_bytes_of(""), US_ERR_ENCODING);
	REFUSES(US_ACT_PERSON_ADD, a->u.person_add.name = us_bytes_of("a\x1b[2J"), US_ERR_ENCODING);
	REFUSES(US_ACT_PERSON_ADD, a->u.person_add.capacity = (enum us_capacity)0, US_ERR_RANGE);
	REFUSES(US_ACT_PERSON_ADD, a->u.person_add.capacity = (enum us_capacity)14, US_ERR_RANGE);
	REFUSES(US_ACT_PERSON_ADD, a->u.person_add.parties[1] = us_bytes_of("defendant"),
	    US_ERR_FORMAT);
	REFUSES(US_ACT_PERSON_ADD, a->u.person_add.n_parties = 17, US_ERR_LIMIT);
	REFUSES(US_ACT_CREDENTIAL_ISSUE, a->u.issue.days = 0, US_ERR_RANGE);
	REFUSES(US_ACT_CREDENTIAL_ISSUE, a->u.issue.days = 826, US_ERR_RANGE);
	REFUSES(US_ACT_CREDENTIAL_ISSUE, a->u.issue.csr.n = 0, US_ERR_FORMAT);
	REFUSES(US_ACT_CREDENTIAL_REVOKE, a->u.revoke.person = 0, US_ERR_RANGE);
	REFUSES(US_ACT_CREDENTIAL_REVOKE, a->u.revoke.reason.n = 0, US_ERR_ENCODING);
	REFUSES(US_ACT_COLLECTION_CREATE, a->u.collection.prefix = us_bytes_of("demo"),
	    US_ERR_ENCODING);
	REFUSES(US_ACT_COLLECTION_CREATE, a->u.collection.prefix = us_bytes_of("D1"),
	    US_ERR_ENCODING);
	REFUSES(US_ACT_COLLECTION_CREATE, a->u.collection.name = us_bytes_of("Demo"),
	    US_ERR_ENCODING);
	REFUSES(US_ACT_BATCH_WITHDRAW, a->u.batch.slot = US_SLOT_MAX + 1, US_ERR_RANGE);
	REFUSES(US_ACT_COPY, a->u.copy.n = 0, US_ERR_LIMIT);
	REFUSES(US_ACT_COPY, a->u.copy.n = 3, US_ERR_LIMIT);
	REFUSES(US_ACT_COPY, a->u.copy.records.p = (const uint8_t *)"aaaaaaaaaaaaaaaa",
	    US_ERR_FORMAT);
	REFUSES(US_ACT_COPY_RETURN, a->u.copy_return.how = (enum us_copy_end)3, US_ERR_RANGE);
	REFUSES(US_ACT_BATCH_CLOSE, a->u.batch_close.count = 11, US_ERR_RANGE); /* crosses an era */
	REFUSES(US_ACT_BATCH_CLOSE, a->u.batch_close.era = 1, US_ERR_RANGE);
	REFUSES(US_ACT_BATCH_CLOSE, a->u.batch_close.count = 0, US_ERR_LIMIT);
	REFUSES(US_ACT_BATCH_CLOSE, a->u.batch_close.first_part = UINT32_MAX, US_ERR_RANGE);
	REFUSES(US_ACT_BATCH_CLOSE, a->u.batch_close.pages[1].kind = 0, US_ERR_FORMAT);
	REFUSES(US_ACT_INIT, a->u.init.n_people = 0, US_ERR_LIMIT);
	REFUSES(US_ACT_INIT, a->u.init.n_hosts = 0, US_ERR_LIMIT);
	REFUSES(US_ACT_INIT, a->type = (enum us_act_type)99, US_ERR_RANGE);
	free(a);
}

static void
test_envelope(void **state)
{
	struct us_signed_act env = { .type = US_ACT_SEAL,
		.time_ns = 5,
		.payload = us_bytes_of("pay") },
			     back;
	struct us_committed_act committed = { .sequence = 2, .time_ns = 6, .actor = 1 }, again;
	struct us_buf s, c;

	(void)state;
	memset(env.vault_id, 1, 32);
	memset(env.credential, 2, 32);
	memset(env.nonce, 3, 16);
	us_buf_init(&s, US_ACT_SIGNED_MAX);
	us_buf_init(&c, US_ACT_COMMITTED_MAX);
	assert_int_equal(us_signed_act_encode(&s, &env), US_OK);
	/* docs/PROTOCOL.md section 4, byte by byte */
	assert_int_equal(s.len, 16 + 1 + 32 + 32 + 16 + 8 + 4 + 3);
	assert_memory_equal(s.data, "underseal/act/1\n\x0d", 17);
	assert_memory_equal(s.data + 97, "\0\0\0\0\0\0\0\5\0\0\0\3pay", 15);
	assert_int_equal(us_signed_act_decode(&back, s.data, s.len), US_OK);
	committed.signed_act = (struct us_bytes){ s.data, s.len };
	committed.signature = us_bytes_of("sig");
	assert_int_equal(us_committed_act_encode(&c, &committed), US_OK);
	assert_int_equal(us_committed_act_decode(&again, &back, c.data, c.len), US_OK);
	assert_int_equal(again.sequence, 2);
	assert_true(us_bytes_is(back.payload, "pay"));
	/* a person's act without signature, the vault's with one */
	us_buf_reset(&c);
	committed.signature.n = 0;
	assert_int_equal(us_committed_act_encode(&c, &committed), US_OK);
	assert_int_equal(us_committed_act_decode(&again, NULL, c.data, c.len), US_ERR_FORMAT);
	us_buf_reset(&s);
	env.type = US_ACT_BATCH_VOID;
	assert_int_equal(us_signed_act_encode(&s, &env), US_OK);
	assert_int_equal(us_signed_act_decode(&back, s.data, s.len), US_ERR_FORMAT);
	for (size_t n = 0; n < c.len; n++) {
		uint8_t *cut = malloc(n == 0 ? 1 : n);
		memcpy(cut, c.data, n);
		assert_int_not_equal(us_committed_act_decode(&again, NULL, cut, n), US_OK);
		free(cut);
	}
	us_buf_free(&s);
	us_buf_free(&c);
}

/* A text that may be left out is held to the same as any other once it is there. */
static void
test_texts(void **state)
{
	struct us_act *act = calloc(1, sizeof(*act));
	struct us_buf b;

	(void)state;
	us_buf_init(&b, US_ACT_SIGNED_MAX);
	act->type = US_ACT_COLLECTION_CREATE;
	act->u.collection.name = us_bytes_of("logs");
	act->u.collection.prefix = us_bytes_of("LOG");
	assert_int_equal(us_act_encode(&b, act), US_OK);
	act->u.collection.designation = us_bytes_of("SECRET");
	assert_int_equal(us_act_encode(&b, act), US_OK);
	act->u.collection.designation = us_bytes_of("SE\nCRET");
	assert_int_equal(us_act_encode(&b, act), US_ERR_ENCODING);
	act->u.collection.designation = us_bytes_of("SECRET ");
	assert_int_equal(us_act_encode(&b, act), US_ERR_ENCODING);
	us_buf_free(&b);
	free(act);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_texts),
		cmocka_unit_test(test_round),
		cmocka_unit_test(test_selection),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_envelope),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
