/* Goal: what is in plain form becomes the typed request it stands for; what can be read in two
 * ways, or is larger than said, is refused with the right status. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "daemon/front/json.h"
#include "daemon/front/request.h"
#include "registry/act.h"

static struct us_route route;
static struct us_buf arena;
static struct us_request request;
static struct us_problem problem;
static const struct us_who who = { { 7 }, { (const uint8_t *)"10.0.0.1:9", 10 } };

static int
head_of(const char *text)
{
	struct us_http_scan scan = { 0, 0 };
	struct us_http_head head;
	size_t end = 0, n = strlen(text);
	int err = us_http_scan(&scan, (const uint8_t *)text, n, &end);

	if (err == US_ERR_LIMIT)
		return 431;
	if (err != US_OK)
		return err == US_ERR_TRUNCATED ? -1 : 400;
	assert_true(end <= n);
	return us_request_head((const uint8_t *)text, end, &head, &route, &problem);
}

/* Status of the head, then of the body. */
static int
whole(const char *line, const char *headers, const void *body, size_t body_n)
{
	char text[40000];
	int status;

	if (body != NULL)
		(void)snprintf(text, sizeof text,
		    "%s HTTP/1.1\r\nHost: h\r\nContent-Length: %zu\r\n%s\r\n", line, body_n,
		    headers);
	else
		(void)snprintf(text, sizeof text, "%s HTTP/1.1\r\nHost: h\r\n%s\r\n", line,
		    headers);
	status = head_of(text);
	if (status != 0)
		return status;
	return us_request_decode(&route, (struct us_bytes){ body, body_n }, &who, &arena, &request,
	    &problem);
}

static int
get(const char *target)
{
	char line[6000];

	(void)snprintf(line, sizeof line, "GET %s", target);
	return whole(line, "", NULL, 0);
}

static int
post(const char *target, const char *json)
{
	char line[1000];

	(void)snprintf(line, sizeof line, "POST %s", target);
	return whole(line, "Content-Type: application/json\r\n", json, strlen(json));
}

static void
heads(void **state)
{
	static const struct {
		int status;
		const char *text;
	} cases[] = {
		{ 0, "GET /v1/status HTTP/1.1\r\nHost: a\r\n\r\n" },
		{ 0, "GET /v1/status HTTP/1.1\r\nhost:a:8443\r\nConnection: close\r\n\r\n" },
		{ -1, "GET /v1/status HTTP/1.1\r\nHost: a\r\n" },
		{ 400, "GET /v1/status HTTP/1.1\r\n\r\n" },
		{ 400, "GET /v1/status HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n" },
		{ 400, "GET /v1/status HTTP/1.1\r\nHost:\r\n\r\n" },
		{ 400, "GET /v1/status HTTP/1.1\r\nHost: a/b\r\n\r\n" },
		{ 505, "GET /v1/status HTTP/1.0\r\nHost: a\r\n\r\n" },
		{ 505, "GET /v1/status\r\n\r\n" },
		{ 400, "\r\nGET /v1/status HTTP/1.1\r\nHost: a\r\n\r\n" },
		{ 400, "GET /v1/status HTTP/1.1\nHost: a\n\n" },
		{ 400, "GET /v1/status HTTP/1.1\r\nHost: a\r\n b\r\n\r\n" },
		{ 400, "GET /v1/status HTTP/1.1\r\nHost: a\r\nX : b\r\n\r\n" },
		{ 400, "GET /v1/status HTTP/1.1\r\nHost: a\r\nX: \x01\r\n\r\n" },
		{ 400, "GET /v1/status HTTP/1.1\r\nHost: a\r\nX: \xc3\xa9\r\n\r\n" },
		{ 400, "GET  /v1/status HTTP/1.1\r\nHost: a\r\n\r\n" },
		{ 400, "GET http://a/v1/status HTTP/1.1\r\nHost: a\r\n\r\n" },
		{ 400, "GET * HTTP/1.1\r\nHost: a\r\n\r\n" },
		{ 405, "PUT /v1/status HTTP/1.1\r\nHost: a\r\n\r\n" },
		{ 405, "HEAD /v1/status HTTP/1.1\r\nHost: a\r\n\r\n" },
		{ 404, "PUT /v1/nosuch HTTP/1.1\r\nHost: a\r\n\r\n" },
		{ 405, "DELETE /v1/status HTTP/1.1\r\nHost: a\r\n\r\n" },
		{ 400, "CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n" },
		{ 411, "POST /v1/unseal HTTP/1.1\r\nHost: a\r\n\r\n" },
		{ 411,
		    "POST /v1/unseal HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" },
		{ 400,
		    "POST /v1/unseal HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: "
		    "1\r\n\r\n" },
		{ 400, "POST /v1/unseal HTTP/1.1\r\nHost: a\r\nContent-Length: +1\r\n\r\n" },
		{ 400, "POST /v1/unseal HTTP/1.1\r\nHost: a\r\nContent-Length: 1,1\r\n\r\n" },
		{ 400, "POST /v1/unseal HTTP/1.1\r\nHost: a\r\nContent-Length: \r\n\r\n" },
		{ 400,
		    "POST /v1/unseal HTTP/1.1\r\nHost: a\r\nContent-Length: "
		    "99999999999999999999\r\n\r\n" },
		{ 413, "POST /v1/unseal HTTP/1.1\r\nHost: a\r\nContent-Length: 8193\r\n\r\n" },
		{ 413, "GET /v1/status HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n" },
		{ 415, "POST /v1/unseal HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n" },
		{ 417, "GET /v1/status HTTP/1.1\r\nHost: a\r\nExpect: tea\r\n\r\n" },
		{ 400, "GET /v1/status HTTP/1.1\r\nHost: a\r\nUpgrade: h2c\r\n\r\n" },
		{ 400, "GET /v1/status HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\n\r\n" },
		{ 404, "GET /v2/status HTTP/1.1\r\nHost: a\r\n\r\n" },
		{ 404, "GET /v1/status/x HTTP/1.1\r\nHost: a\r\n\r\n" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		if (head_of(cases[i].text) != cases[i].status)
			fail_msg("case %zu: %d, not %d: %s", i, head_of(cases[i].text),
			    cases[i].status, cases[i].text);
}

static void
limits(void **state)
{
	char text[40000];
	size_t n;

	(void)state;
	n = (size_t)snprintf(text, sizeof text, "GET /v1/status HTTP/1.1\r\nHost: a\r\n");
	for (unsigned i = 0; i < US_HTTP_HEADERS_MAX - 1; i++)
		n += (size_t)snprintf(text + n, sizeof text - n, "X%u: y\r\n", i);
	memcpy(text + n, "\r\n", 3);
	assert_int_equal(head_of(text), 0);
	memcpy(text + n, "Z: y\r\n\r\n", 9);
	assert_int_equal(head_of(text), 431);
	n = (size_t)snprintf(text, sizeof text, "GET /v1/status HTTP/1.1\r\nHost: a\r\nX: ");
	memset(text + n, 'a', US_HTTP_HEAD_MAX);
	memcpy(text + n + US_HTTP_HEAD_MAX, "\r\n\r\n", 5);
	assert_int_equal(head_of(text), 431);
	n = (size_t)snprintf(text, sizeof text, "GET /v1/");
	memset(text + n, 'a', US_TARGET_MAX);
	strcpy(text + n + US_TARGET_MAX, " HTTP/1.1\r\nHost: a\r\n\r\n");
	assert_int_equal(head_of(text), 414);
}

/* However a head is cut, the scan finds the same end. */
static void
scan_in_pieces(void **state)
{
	static const char text[] = "GET /v1/status HTTP/1.1\r\nHost: a\r\nX: y z\r\n\r\nGET";
	struct us_http_scan scan = { 0, 0 };
	size_t end = 0;
	int err = US_ERR_TRUNCATED;

	(void)state;
	for (size_t n = 1; err == US_ERR_TRUNCATED; n++)
		err = us_http_scan(&scan, (const uint8_t *)text, n, &end);
	assert_int_equal(err, US_OK);
	assert_int_equal(end, sizeof text - 1 - 3);
}

static void
targets(void **state)
{
	static const char *const refused[] = {
		"/v1/people/a%2fb",
		"/v1/people/..",
		"/v1/people/%2e%2e",
		"/v1/people/.",
		"/v1//people",
		"/v1/people/",
		"/v1/people/%00",
		"/v1/people/%0a",
		"/v1/people/%zz",
		"/v1/people/%4",
		"/v1/people/%",
		"/v1/people/%ff",
		"/v1/people/%c2%85",
		"/v1/people/a#b",
		"/v1/people?",
		"/v1/people?after",
		"/v1/people?after=1&after=2",
		"/v1/people?=1",
		"/v1/people?after=01",
		"/v1/people?after=-1",
		"/v1/people?after=1&",
		"/v1/people?limit=1001",
		"/v1/people?limit=0",
		"/v1/people?x=1",
		"/v1/people?after=99999999999999999999",
		"/v1/people/a\"b",
		"/v1/people/a?argument=b",
	};

	(void)state;
	for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++)
		if (get(refused[i]) != 400)
			fail_msg("taken: %s", refused[i]);
	assert_int_equal(get("/v1/people/J%C3%B6rg%20M.?after=7&limit=9"), 0);
	assert_int_equal(request.type, US_MSG_list_request);
	assert_int_equal(request.u.list_request.what, US_LIST_PEOPLE);
	assert_int_equal(request.u.list_request.after, 7);
	assert_int_equal(request.u.list_request.limit, 9);
	assert_true(us_bytes_is(request.u.list_request.argument, "J\xc3\xb6rg M."));
	assert_int_equal(get("/v1/collections/a%252fb"), 0); /* decoded once */
	assert_true(us_bytes_is(request.u.list_request.argument, "a%2fb"));
	assert_int_equal(get("/v1/collections/demo/batches/3"), 0);
	assert_int_equal(request.u.list_request.what, US_LIST_BATCHES);
	assert_true(us_bytes_is(request.u.list_request.collection, "demo"));
	assert_true(us_bytes_is(request.u.list_request.argument, "3"));
}

static void
reads(void **state)
{
	const struct us_msg_read_request *m = &request.u.read_request;
	char json[200];

	(void)state;
	assert_int_equal(whole("GET /v1/collections/demo/records/DEMO000000001?snapshot=0",
			     "Underseal-Purpose: trial%20%C3%A9\r\n", NULL, 0),
	    0);
	assert_int_equal(request.type, US_MSG_read_request);
	assert_int_equal(m->snapshot, 1);
	assert_true(us_bytes_is(m->purpose, "trial \xc3\xa9"));
	assert_int_equal(m->bates.n, 15);
	assert_memory_equal(m->bates.p,
	    "\0\x0d"
	    "DEMO000000001",
	    15);
	assert_memory_equal(m->credential, who.credential, 32);
	assert_true(us_bytes_is(m->peer, "10.0.0.1:9"));
	assert_int_equal(whole("GET /v1/collections/demo/records/D?purpose=a",
			     "Underseal-Purpose: b\r\n", NULL, 0),
	    400);
	assert_int_equal(whole("GET /v1/collections/demo/records/D", "Underseal-Purpose: %ff\r\n",
			     NULL, 0),
	    400);
	assert_int_equal(post("/v1/collections/demo/read",
			     "{\"bates\":[\"A1\",\"B\\u00e9\"],\"purpose\":\"p\",\"snapshot\":41}"),
	    0);
	assert_int_equal(m->snapshot, 42);
	assert_int_equal(m->bates.n, 9);
	assert_memory_equal(m->bates.p, "\0\2A1\0\3B\xc3\xa9", 9);
	assert_int_equal(post("/v1/collections/demo/read", "{\"bates\":[]}"), 400);
	assert_int_equal(post("/v1/collections/demo/read", "{\"bates\":[1]}"), 400);
	assert_int_equal(post("/v1/collections/demo/read", "{\"bates\":[\"\"]}"), 400);
	assert_int_equal(post("/v1/collections/demo/read", "{}"), 400);
	assert_string_equal(problem.member, "bates");
	(void)snprintf(json, sizeof json, "{\"bates\":[\"%0150d\"]}", 1);
	assert_int_equal(post("/v1/collections/demo/read", json), 400);
}

static void
searches(void **state)
{
	const struct us_msg_search_request *m = &request.u.search_request;

	(void)state;
	assert_int_equal(post("/v1/collections/demo/search", "{\"query\":\"cat AND dog\"}"), 0);
	assert_int_equal(m->limit, 20);
	assert_int_equal(m->snapshot, 0);
	assert_int_equal(m->flags, 0);
	assert_int_equal(post("/v1/collections/demo/search",
			     "{\"query\":\"x\",\"limit\":3,\"after\":\"c\",\"snapshot\":0,"
			     "\"count\":true,"
			     "\"snippets\":false,\"purpose\":null}"),
	    0);
	assert_int_equal(m->snapshot, 1);
	assert_int_equal(m->flags, US_SEARCH_COUNT | US_SEARCH_NO_SNIPPETS);
	assert_true(us_bytes_is(m->cursor, "c"));
	assert_int_equal(post("/v1/collections/demo/search", "{\"query\":\"\"}"), 400);
	assert_int_equal(post("/v1/collections/demo/search", "{\"query\":\"x\",\"limit\":-1}"),
	    400);
	assert_int_equal(post("/v1/collections/demo/search", "{\"query\":\"x\",\"limit\":0}"), 400);
	assert_int_equal(post("/v1/collections/demo/search", "{\"query\":\"x\",\"limit\":1.5}"),
	    400);
	assert_int_equal(post("/v1/collections/demo/search", "{\"query\":\"x\",\"limit\":1e9}"),
	    400);
	assert_int_equal(post("/v1/collections/demo/search", "{\"query\":\"x\",\"nope\":1}"), 400);
	assert_int_equal(post("/v1/collections/demo/search?a=b", "{\"query\":\"x\"}"), 400);
}

static void
json_is_strict(void **state)
{
	static const char *const refused[] = {
		"",
		" ",
		"{",
		"{}x",
		"{\"query\":\"x\",}",
		"{\"query\":\"x\",\"query\":\"x\"}",
		"{'query':\"x\"}",
		"{\"query\":\"a\\u0000b\"}",
		"{\"query\":\"a\nb\"}",
		"{\"query\":\"\xff\"}",
		"[]",
		"\"x\"",
		"null",
		"{\"query\":\"x\",\"limit\":01}",
		"{\"query\":\"x\",\"limit\":+1}",
		"{\"query\":\"x\",\"limit\":NaN}",
		"{\"query\":\"x\",\"limit\":1.}",
		"\xef\xbb\xbf{\"query\":\"x\"}",
		"{\"query\":\"\\x\"}",
		"{\"query\":\"\\ud800\"}",
		"{\"query\":null}",
		"{\"Query\":\"x\"}",
		"{\"query\":\"x\"/**/}",
		"[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]",
	};
	uint8_t deep[5000];

	(void)state;
	for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++)
		if (post("/v1/collections/demo/search", refused[i]) != 400)
			fail_msg("taken: %s", refused[i]);
	memset(deep, '[', sizeof deep);
	assert_int_equal(us_json_check((struct us_bytes){ deep, sizeof deep }), US_ERR_LIMIT);
	assert_int_equal(us_json_check(us_bytes_of(" [1, -0.5e+3, {\"a\": [true, null]}] \n")),
	    US_OK);
}

static void
sessions_and_shares(void **state)
{
	(void)state;
	assert_int_equal(get("/v1/session"), 0);
	assert_int_equal(request.type, US_MSG_challenge_request);
	assert_int_equal(post("/v1/session",
			     "{\"statement\":\"YQ==\",\"signature\":\"YmI=\",\"certificate\":"
			     "\"Y2Nj\"}"),
	    0);
	assert_true(us_bytes_is(request.u.session_request.statement, "a"));
	assert_true(us_bytes_is(request.u.session_request.signature, "bb"));
	assert_int_equal(post("/v1/session", "{\"statement\":\"YQ==\",\"signature\":\"YmI=\"}"), 0);
	assert_int_equal(post("/v1/session",
			     "{\"statement\":\"YQ\",\"signature\":\"YmI=\",\"certificate\":"
			     "\"Y2Nj\"}"),
	    400);
	assert_int_equal(post("/v1/unseal", "{\"share\":\"YQ==\"}"), 0);
	assert_true(us_bytes_is(request.u.share_request.sealed, "a"));
	assert_int_equal(post("/v1/unseal", "{\"share\":\"\"}"), 400);
}

static void
acts(void **state)
{
	struct us_signed_act act = { .type = US_ACT_SEAL,
		.payload = { (const uint8_t *)"\0\0", 2 } };
	struct us_buf signed_act, body;

	(void)state;
	us_buf_init(&signed_act, 4096);
	us_buf_init(&body, 8192);
	memcpy(act.credential, who.credential, 32);
	assert_int_equal(us_signed_act_encode(&signed_act, &act), US_OK);
	assert_int_equal(us_buf_put_str32(&body, signed_act.data, signed_act.len), US_OK);
	assert_int_equal(us_buf_put_str16(&body, "sig", 3), US_OK);
#define TYPE "Content-Type: application/octet-stream\r\n"
	assert_int_equal(whole("POST /v1/acts", TYPE, body.data, body.len), 0);
	assert_true(us_bytes_is(request.u.act_request.signature, "sig"));
	assert_int_equal(whole("POST /v1/seal", TYPE, body.data, body.len), 0);
	assert_int_equal(whole("POST /v1/people", TYPE, body.data, body.len), 400);
	assert_int_equal(whole("POST /v1/acts", TYPE, body.data, body.len - 1), 400);
	assert_int_equal(whole("POST /v1/acts", "", body.data, body.len), 415);
	body.data[4 + 16] = 129; /* an act of the vault's own */
	assert_int_equal(whole("POST /v1/acts", TYPE, body.data, body.len), 400);
	body.data[4 + 16] = US_ACT_SEAL;
	body.data[4 + 17 + 32] ^= 1;
	assert_int_equal(whole("POST /v1/acts", TYPE, body.data, body.len), 403);
	us_buf_free(&signed_act);
	us_buf_free(&body);
}

/* Bytes 0, 1, ... 84. */
#define TICKET \
	"Underseal-Ticket: AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKi" \
	"ssLS4vMDEyMzQ1Njc4OTo7PD0+P0BBQkNERUZHSElKS0xNTk9QUVJTVA==\r\n"

static void
loads(void **state)
{
	static const char zeros[65] =
	    "0000000000000000000000000000000000000000000000000000000000000000";
	const struct us_msg_part *m = &request.u.part;
	char headers[800], without[400];

	(void)state;
	assert_int_equal(post("/v1/collections/demo/loads",
			     "{\"hold\":true,\"on_defect\":\"skip\"}"),
	    0);
	assert_int_equal(request.u.load_open_request.flags, US_LOAD_HOLD | US_LOAD_SKIP_DEFECTS);
	assert_int_equal(post("/v1/collections/demo/loads", "{\"on_defect\":\"ignore\"}"), 400);
	(void)snprintf(without, sizeof without,
	    TYPE "Underseal-First-Line: 12\r\nUnderseal-Digest: %s\r\n"
		 "Content-Encoding: zstd\r\n",
	    zeros);
	(void)snprintf(headers, sizeof headers, "%s" TICKET, without);
	assert_int_equal(whole("POST /v1/loads/18446744073709551615/parts/3?dry_run=1", headers,
			     "x", 1),
	    0);
	assert_int_equal(request.type, US_MSG_part);
	assert_int_equal(m->part, 3);
	assert_true(m->load == UINT64_MAX);
	assert_int_equal(m->first_line, 12);
	assert_int_equal(m->encoding, 1);
	assert_int_equal(m->flags, US_LOAD_DRY_RUN);
	assert_memory_equal(m->credential, who.credential, 32);
	assert_int_equal(m->ticket.n, 85);
	for (uint8_t i = 0; i < 85; i++)
		assert_int_equal(m->ticket.p[i], i);
	/* none, or what cannot be one: refused here; whether one is good the sealer says */
	assert_int_equal(whole("POST /v1/loads/1/parts/3", without, "x", 1), 401);
	(void)snprintf(headers, sizeof headers, "%sUnderseal-Ticket: AAAA\r\n", without);
	assert_int_equal(whole("POST /v1/loads/1/parts/3", headers, "x", 1), 401);
	(void)snprintf(headers, sizeof headers, "%s" TICKET TICKET, without);
	assert_int_equal(whole("POST /v1/loads/1/parts/3", headers, "x", 1), 400);
	assert_int_equal(whole("POST /v1/loads/1/parts/3", TYPE TICKET, "x", 1), 400);
	(void)snprintf(headers, sizeof headers, "%s" TICKET, without);
	assert_int_equal(whole("POST /v1/loads/1/parts/4294967296", headers, "x", 1), 400);
	assert_int_equal(whole("POST /v1/loads/1/parts/3", headers, "", 0), 400);
	assert_int_equal(whole("POST /v1/loads/1/finish", "", "", 0), 0);
	assert_int_equal(request.u.load_end_request.how, 0);
	assert_int_equal(whole("POST /v1/loads/1/finish", "", "{}", 2), 0);
	assert_int_equal(whole("POST /v1/loads/1/finish", "", "{\"a\":1}", 7), 400);
	assert_int_equal(whole("DELETE /v1/loads/1", "", NULL, 0), 0);
	assert_int_equal(request.u.load_end_request.how, 1);
	assert_int_equal(get("/v1/loads/1"), 0);
	assert_int_equal(request.u.load_end_request.how, 2);
	assert_int_equal(get("/v1/loads/x"), 400);
	assert_int_equal(whole("POST /v1/loads/7/ticket", "", "", 0), 0);
	assert_int_equal(request.type, US_MSG_load_ticket_request);
	assert_true(request.u.load_ticket_request.load == 7);
	assert_int_equal(whole("POST /v1/loads/7/ticket", "", "{\"a\":1}", 7), 400);
	assert_int_equal(whole("POST /v1/loads/7/ticket?x=1", "", "", 0), 400);
}

static void
logs(void **state)
{
	(void)state;
	assert_int_equal(get("/v1/log/tile/0/x001/067.p/3"), 0);
	assert_true(us_bytes_is(request.u.log_request.path, "tile/0/x001/067.p/3"));
	assert_int_equal(get("/v1/log/checkpoint"), 0);
	assert_true(us_bytes_is(request.u.log_request.path, "checkpoint"));
	assert_int_equal(get("/v1/log/entry-proof/9"), 0);
	assert_int_equal(get("/v1/log/tile"), 404);
	assert_int_equal(get("/v1/log/keys?from=3&to=9"), 0);
	assert_int_equal(request.u.log_keys_request.to, 9);
	assert_int_equal(get("/v1/log/keys?from=9&to=3"), 400);
}

static int
set_up(void **state)
{
	(void)state;
	us_buf_init(&arena, US_REQUEST_ARENA);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	us_buf_free(&arena);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(heads),
		cmocka_unit_test(limits),
		cmocka_unit_test(scan_in_pieces),
		cmocka_unit_test(targets),
		cmocka_unit_test(reads),
		cmocka_unit_test(searches),
		cmocka_unit_test(json_is_strict),
		cmocka_unit_test(sessions_and_shares),
		cmocka_unit_test(acts),
		cmocka_unit_test(loads),
		cmocka_unit_test(logs),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
