#include "tests/unit/vault/stage.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"

#define LOGS TEXT("logs")
#define NONE TEXT("none")
#define UNKNOWN TEXT("unknown")
#define FIRST TEXT("LOGS000000001")
#define ALL TEXT("*")
#define BAD TEXT("(((")
#define ALICE TEXT("Alice Attorney")
#define READ TEXT("read")
#define DOCUMENT /* the digest of small_document() */ \
	TEXT("2558087f4c2b84d917c78c050dee27f6" \
	     "2d1b5445340cdaa5e1d51a79cfaa8e53")

static const struct us_msg_search_request searches[] = {
	{ .collection = NONE, .query = ALL },
	{ .collection = NONE, .query = TEXT("harbour") },
	{ .collection = NONE, .query = ALL, .flags = US_SEARCH_COUNT },
	{ .collection = NONE, .query = ALL, .cursor = TEXT("not a cursor") },
	{ .collection = LOGS, .query = ALL },
	{ .collection = LOGS, .query = TEXT("harbour") },
	{ .collection = LOGS, .query = BAD },
	{ .collection = UNKNOWN, .query = ALL },
};

static const struct us_msg_read_request reads[] = {
	{ .collection = LOGS, .bates = TEXT("\0\015LOGS000000001\0\015LOGS000000002") },
	{ .collection = LOGS, .bates = TEXT("\0\015LOGS000000999") },
	{ .collection = LOGS, .bates = TEXT("\0\003abc") },
	{ .collection = LOGS, .bates = TEXT("\0\015LOGS000000001"), .match = BAD },
	{ .collection = LOGS },
	{ .collection = UNKNOWN, .bates = TEXT("\0\015LOGS000000001") },
};

static const struct us_msg_list_request lists[] = {
	{ .what = US_LIST_PEOPLE },
	{ .what = US_LIST_CREDENTIALS },
	{ .what = US_LIST_COLLECTIONS },
	{ .what = US_LIST_BATCHES, .collection = LOGS },
	{ .what = US_LIST_BATCHES, .collection = UNKNOWN },
	{ .what = US_LIST_DOCKET },
	{ .what = US_LIST_COPIES },
	{ .what = US_LIST_ORDER },
	{ .what = US_LIST_ORDERS },
	{ .what = US_LIST_FILINGS },
	{ .what = US_LIST_ACKNOWLEDGEMENTS },
	{ .what = US_LIST_DOCUMENTS },
	{ .what = US_LIST_RELABELS },
	{ .what = 99 },
	{ .what = US_LIST_PEOPLE, .after = 2, .limit = 2 },
	{ .what = US_LIST_PEOPLE, .argument = TEXT("Ada Auditor") },
	{ .what = US_LIST_PEOPLE, .argument = TEXT("3") },
	{ .what = US_LIST_PEOPLE, .argument = UNKNOWN },
	{ .what = US_LIST_CREDENTIALS, .limit = 1 },
	{ .what = US_LIST_COLLECTIONS, .argument = TEXT("none") },
	{ .what = US_LIST_BATCHES, .collection = LOGS, .after = 1, .limit = 1 },
	{ .what = US_LIST_DOCKET, .argument = TEXT("order-2") },
	{ .what = US_LIST_FILINGS, .argument = TEXT("order-2") },
	{ .what = US_LIST_FILINGS, .after = 1, .limit = 3 },
	{ .what = US_LIST_ORDERS, .argument = TEXT("2") },
	{ .what = US_LIST_DOCUMENTS, .argument = DOCUMENT },
};

static const struct us_msg_question_request questions[] = {
	{ .what = US_QUESTION_DIFF, .first = 1, .second = 2 },
	{ .what = US_QUESTION_DIFF, .first = 1, .second = 9 },
	{ .what = US_QUESTION_EXPLAIN, .person = ALICE, .action = READ },
	{ .what = US_QUESTION_EXPLAIN,
	    .person = ALICE,
	    .action = READ,
	    .collection = LOGS,
	    .bates = FIRST },
	{ .what = US_QUESTION_EXPLAIN, .person = UNKNOWN, .action = READ },
	{ .what = US_QUESTION_WHO, .action = READ, .collection = LOGS, .bates = FIRST },
	{ .what = US_QUESTION_WHO, .action = READ, .collection = UNKNOWN },
	{ .what = US_QUESTION_CLAWBACK, .first = 1 },
	{ .what = US_QUESTION_DOCUMENT, .argument = TEXT("not hex") },
	{ .what = US_QUESTION_ACTS },
	{ .what = 99 },
	{ .what = US_QUESTION_DIFF, .first = 2, .second = 1 },
	{ .what = US_QUESTION_EXPLAIN,
	    .person = ALICE,
	    .action = TEXT("copy"),
	    .collection = LOGS,
	    .bates = FIRST },
	{ .what = US_QUESTION_EXPLAIN, .person = ALICE, .action = UNKNOWN },
	{ .what = US_QUESTION_WHO, .action = READ, .collection = LOGS },
	{ .what = US_QUESTION_WHO, .action = TEXT("clawback"), .collection = LOGS },
	{ .what = US_QUESTION_CLAWBACK, .first = 9 },
	{ .what = US_QUESTION_DOCUMENT, .argument = DOCUMENT },
	{ .what = US_QUESTION_ACTS, .first = 3, .second = 5 },
};

static const struct us_bytes paths[] = {
	TEXT("checkpoint"),
	TEXT("tile/0/000"),
	TEXT("entry-proof/5"),
	TEXT("entry-proof/x"),
};

static void
put_act(struct us_buf *b, const struct scene *s, const struct actor *who, const struct us_act *act)
{
	struct us_msg_act_request m = { .peer = PEER };
	uint8_t signature[US_SIGNATURE_MAX];
	struct us_buf bytes;
	size_t n;

	us_buf_init(&bytes, US_ACT_SIGNED_MAX);
	world_sign(s->world, who, act, &bytes, signature, &n);
	memcpy(m.credential, who->fingerprint, 32);
	m.act = (struct us_bytes){ bytes.data, bytes.len };
	m.signature = (struct us_bytes){ signature, n };
	assert_int_equal(us_msg_act_request_encode(b, &m), US_OK);
	us_buf_free(&bytes);
}

/* Copies, one of them of a record that is not there, and an act of another kind. */
static int
put_acts(struct us_buf *b, const struct scene *s, const struct asking *a)
{
	static const uint8_t there[16] = { [15] = 1 }, beyond[16] = { [14] = 9 };
	static const struct {
		uint32_t collection;
		const uint8_t *records;
	} copies[] = { { 1, there }, { 1, beyond }, { 9, there } };
	const size_t n = sizeof copies / sizeof copies[0];
	struct us_act *act = calloc(1, sizeof *act);

	assert_non_null(act);
	if (a->variant < n) {
		act->type = US_ACT_COPY;
		act->u.copy = (struct us_act_copy){ .collection = copies[a->variant].collection,
			.recipient = TEXT("court"),
			.purpose = TEXT("test"),
			.n = 2,
			.records = { copies[a->variant].records, sizeof there } };
	} else {
		act->type = US_ACT_PERSON_SUSPEND;
		act->u.change.person = 2;
		act->u.change.reason = (struct us_bytes)TEXT("test");
	}
	put_act(b, s, a->who, act);
	free(act);
	return a->variant <= n;
}

#define PUT(name, ...) \
	do { \
		struct us_msg_##name m = __VA_ARGS__; \
		m.peer = (struct us_bytes)PEER; \
		memcpy(m.credential, a->who->fingerprint, 32); \
		assert_int_equal(us_msg_##name##_encode(b, &m), US_OK); \
		return 1; \
	} while (0)
#define PUT_OF(name, table) \
	do { \
		if (a->variant < sizeof(table) / sizeof((table)[0])) \
			PUT(name, (table)[a->variant]); \
		return 0; \
	} while (0)

static int
put_only(struct us_buf *b, const struct asking *a)
{
	switch (a->type) {
	case US_MSG_status_request:
		PUT(status_request, { .peer = { NULL, 0 } });
	case US_MSG_challenge_request:
		PUT(challenge_request, { .peer = { NULL, 0 } });
	case US_MSG_session_request:
		PUT(session_request, { .statement = TEXT("x") });
	case US_MSG_share_request:
		PUT(share_request, { .sealed = TEXT("x") });
	case US_MSG_load_open_request:
		PUT(load_open_request, { .collection = LOGS });
	case US_MSG_load_end_request:
		PUT(load_end_request, { .load = 3 });
	case US_MSG_load_ticket_request:
		PUT(load_ticket_request, { .load = 3 });
	case US_MSG_log_keys_request:
		PUT(log_keys_request, { .to = 9 });
	case US_MSG_cosign_request:
		PUT(cosign_request, { .note = TEXT("x") });
	default:
		return 0;
	}
}

int
put_request(struct us_buf *b, const struct scene *s, const struct asking *a)
{
	switch (a->type) {
	case US_MSG_search_request:
		PUT_OF(search_request, searches);
	case US_MSG_read_request:
		PUT_OF(read_request, reads);
	case US_MSG_list_request:
		PUT_OF(list_request, lists);
	case US_MSG_question_request:
		PUT_OF(question_request, questions);
	case US_MSG_log_request:
		if (a->variant < sizeof paths / sizeof paths[0])
			PUT(log_request, { .path = paths[a->variant] });
		return 0;
	case US_MSG_act_request:
		return put_acts(b, s, a);
	default:
		return a->variant == 0 && put_only(b, a);
	}
}
