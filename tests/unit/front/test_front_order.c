/* Goal: the order's own routes. Acts are taken where they belong and nowhere else, questions become
 * the message they stand for or are refused, and every route of the table is described in
 * schema/openapi.yaml, with what it needs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "daemon/front/request.h"
#include "registry/act.h"

#define DIGEST "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

static struct us_route route;
static struct us_buf arena;
static struct us_request request;
static struct us_problem problem;
static const struct us_who who = { { 7 }, { (const uint8_t *)"10.0.0.1:9", 10 } };

static int
ask(const char *line, const char *headers, struct us_bytes body)
{
	struct us_http_scan scan = { 0, 0 };
	struct us_http_head head;
	char text[2048];
	size_t end = 0;
	int n = snprintf(text, sizeof text, "%s HTTP/1.1\r\nHost: h\r\n%s\r\n", line, headers);
	int status;

	assert_int_equal(us_http_scan(&scan, (const uint8_t *)text, (size_t)n, &end), US_OK);
	status = us_request_head((const uint8_t *)text, end, &head, &route, &problem);
	return status != 0 ? status :
			     us_request_decode(&route, body, &who, &arena, &request, &problem);
}

static int
get(const char *target)
{
	char line[1024];

	(void)snprintf(line, sizeof line, "GET %s", target);
	return ask(line, "", (struct us_bytes){ NULL, 0 });
}

static int
post_act(const char *target, enum us_act_type type)
{
	struct us_signed_act act = { .type = type, .payload = { (const uint8_t *)"x", 1 } };
	struct us_buf signed_act, body;
	char line[256], headers[128];
	int status;

	us_buf_init(&signed_act, 4096);
	us_buf_init(&body, 8192);
	memcpy(act.credential, who.credential, 32);
	assert_int_equal(us_signed_act_encode(&signed_act, &act), US_OK);
	assert_int_equal(us_buf_put_str32(&body, signed_act.data, signed_act.len), US_OK);
	assert_int_equal(us_buf_put_str16(&body, "sig", 3), US_OK);
	(void)snprintf(line, sizeof line, "POST %s", target);
	(void)snprintf(headers, sizeof headers,
	    "Content-Type: application/octet-stream\r\nContent-Length: %zu\r\n", body.len);
	status = ask(line, headers, (struct us_bytes){ body.data, body.len });
	us_buf_free(&signed_act);
	us_buf_free(&body);
	return status;
}

/* Each act of the order at its own resource; at every other of them it is refused. */
static void
acts_at_their_resource(void **state)
{
	static const struct {
		enum us_act_type type;
		const char *at;
	} homes[] = {
		{ US_ACT_DOCUMENT_ADD, "/v1/documents" },
		{ US_ACT_ORDER_PROPOSE, "/v1/orders" },
		{ US_ACT_ORDER_SUSPEND, "/v1/orders" },
		{ US_ACT_DOCKET_SIGN, "/v1/docket" },
		{ US_ACT_DOCKET_OBJECT, "/v1/docket" },
		{ US_ACT_DOCKET_RESOLVE, "/v1/docket" },
		{ US_ACT_DOCKET_WITHDRAW, "/v1/docket" },
		{ US_ACT_DOCKET_SERVE, "/v1/docket" },
		{ US_ACT_ACKNOWLEDGE, "/v1/acknowledgements" },
		{ US_ACT_CLEARANCE, "/v1/clearances" },
		{ US_ACT_CHALLENGE, "/v1/challenges" },
		{ US_ACT_RELABEL, "/v1/designations" },
		{ US_ACT_CLAWBACK, "/v1/clawbacks" },
		{ US_ACT_FREEZE, "/v1/freezes" },
		{ US_ACT_UNFREEZE, "/v1/freezes" },
		{ US_ACT_APPROVAL_REQUEST, "/v1/approvals" },
		{ US_ACT_MATTER_SET, "/v1/matter" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof homes / sizeof homes[0]; i++) {
		assert_int_equal(post_act("/v1/acts", homes[i].type), 0);
		for (size_t k = 0; k < sizeof homes / sizeof homes[0]; k++) {
			int own = strcmp(homes[i].at, homes[k].at) == 0;

			if (post_act(homes[k].at, homes[i].type) != (own ? 0 : 400))
				fail_msg("%s at %s", us_act_name(homes[i].type), homes[k].at);
		}
	}
}

static void
lists(void **state)
{
	static const struct {
		const char *target;
		enum us_list_what what;
		const char *argument;
	} cases[] = {
		{ "/v1/order", US_LIST_ORDER, "" },
		{ "/v1/orders", US_LIST_ORDERS, "" },
		{ "/v1/orders/3", US_LIST_ORDERS, "3" },
		{ "/v1/filings", US_LIST_FILINGS, "" },
		{ "/v1/filings/freeze-1", US_LIST_FILINGS, "freeze-1" },
		{ "/v1/acknowledgements", US_LIST_ACKNOWLEDGEMENTS, "" },
		{ "/v1/documents", US_LIST_DOCUMENTS, "" },
		{ "/v1/designations", US_LIST_RELABELS, "" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		if (get(cases[i].target) != 0 || request.type != US_MSG_list_request)
			fail_msg("%s", cases[i].target);
		assert_int_equal(request.u.list_request.what, cases[i].what);
		assert_true(us_bytes_is(request.u.list_request.argument, cases[i].argument));
	}
}

static void
questions(void **state)
{
	const struct us_msg_question_request *m = &request.u.question_request;

	(void)state;
	assert_int_equal(get("/v1/orders/1/diff/12"), 0);
	assert_int_equal(request.type, US_MSG_question_request);
	assert_int_equal(m->what, US_QUESTION_DIFF);
	assert_int_equal(m->first, 1);
	assert_int_equal(m->second, 12);
	assert_memory_equal(m->credential, who.credential, 32);
	assert_true(us_bytes_is(m->peer, "10.0.0.1:9"));
	assert_int_equal(get("/v1/order/"
			     "explain?person=J%C3%B6rg%20M.&action=read&collection=demo&bates="
			     "DEMO000000001"
			     "&at=2026-03-03T10:00:00Z"),
	    0);
	assert_int_equal(m->what, US_QUESTION_EXPLAIN);
	assert_true(us_bytes_is(m->person, "J\xc3\xb6rg M."));
	assert_true(us_bytes_is(m->action, "read"));
	assert_true(us_bytes_is(m->collection, "demo"));
	assert_true(us_bytes_is(m->bates, "DEMO000000001"));
	assert_true(m->at == INT64_C(1772532000) * 1000000000);
	assert_int_equal(get("/v1/order/explain?action=load&person=4"), 0);
	assert_true(m->at == 0 && m->collection.n == 0 && m->bates.n == 0);
	assert_int_equal(get("/v1/order/"
			     "who?collection=demo&bates=D1&action=copy&at=2026-03-03T12:00:00.5%"
			     "2B02:00"),
	    0);
	assert_int_equal(m->what, US_QUESTION_WHO);
	assert_true(m->at == INT64_C(1772532000) * 1000000000 + 500000000);
	assert_int_equal(m->person.n, 0);
	assert_int_equal(get("/v1/clawbacks/3/report"), 0);
	assert_int_equal(m->what, US_QUESTION_CLAWBACK);
	assert_int_equal(m->first, 3);
	assert_int_equal(get("/v1/documents/" DIGEST), 0);
	assert_int_equal(m->what, US_QUESTION_DOCUMENT);
	assert_true(us_bytes_is(m->argument, DIGEST));
	assert_int_equal(get("/v1/log/acts"), 0);
	assert_int_equal(m->what, US_QUESTION_ACTS);
	assert_int_equal(m->first, 0);
	assert_int_equal(get("/v1/log/acts?after=4294967295"), 0);
	assert_int_equal(m->first, UINT32_MAX);
}

static void
questions_refused(void **state)
{
	static const char *const bad[] = {
		"/v1/orders/0/diff/1",
		"/v1/orders/1/diff/x",
		"/v1/orders/1/diff/4294967296",
		"/v1/orders/01/diff/2",
		"/v1/orders/1/diff/2?at=2026-03-03T10:00:00Z",
		"/v1/order/explain",
		"/v1/order/explain?person=a",
		"/v1/order/explain?action=read",
		"/v1/order/explain?person=a&action=",
		"/v1/order/explain?person=a&action=read&bates=D1",
		"/v1/order/explain?person=a&action=read&at=yesterday",
		"/v1/order/explain?person=a&action=read&at=",
		"/v1/order/explain?person=a&action=read&at=2026-03-03",
		"/v1/order/explain?person=a&action=read&at=1970-01-01T00:00:00Z",
		"/v1/order/explain?person=a&action=read&at=2026-03-03T10:00:00Zx",
		"/v1/order/explain?person=a&action=read&x=1",
		"/v1/order/explain?person=a&action=a23456789012345678901234567890123",
		"/v1/order/who?action=read&collection=demo",
		"/v1/order/who?action=read&bates=D1",
		"/v1/order/who?collection=demo&bates=D1",
		"/v1/order/who?collection=demo&bates=D1&action=read&person=a",
		"/v1/clawbacks/clawback-1/report",
		"/v1/clawbacks/0/report",
		"/v1/documents/abc",
		"/v1/documents/" DIGEST "0",
		"/v1/documents/g0112233445566778899aabbccddeeff00112233445566778899aabbccddeeff",
		"/v1/documents/A0112233445566778899aabbccddeeff00112233445566778899aabbccddeeff",
		"/v1/documents/" DIGEST "?a=b",
		"/v1/log/acts?after=4294967296",
		"/v1/log/acts?after=-1",
		"/v1/log/acts?from=1",
	};

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		if (get(bad[i]) != 400)
			fail_msg("taken: %s", bad[i]);
	assert_int_equal(get("/v1/clawbacks/1"), 404);
	assert_int_equal(get("/v1/orders/1/diff"), 404);
	assert_int_equal(get("/v1/freezes"), 405);
}

/* ---- the description ---- */

static char *
read_description(void)
{
	FILE *f = fopen(US_SOURCE_DIR "/schema/openapi.yaml", "r");
	char *text = calloc(1, 1u << 20);

	assert_non_null(f);
	assert_non_null(text);
	assert_true(fread(text, 1, (1u << 20) - 1, f) > 0);
	(void)fclose(f);
	return text;
}

/* 1 if the line is a path of the description ("  /v1/people/{name}:") that the pattern ("v1/people/
 * *") means. */
static int
path_is(const char *line, const char *pattern)
{
	if (strncmp(line, "  /", 3) != 0)
		return 0;
	for (line += 3; *pattern != '\0'; pattern++) {
		if (*pattern != '*') {
			if (*line++ != *pattern)
				return 0;
			continue;
		}
		if (*line != '{')
			return 0;
		line = strchr(line, '}') + 1;
		if (pattern[1] == '*') /* "**": its parameter may hold slashes */
			pattern++;
	}
	return line[0] == ':' && line[1] == '\n';
}

/* The line of the description at which that operation begins, NULL if it has none. */
static const char *
operation_of(const char *text, const struct us_route_info *r)
{
	static const char *const names[] = { [US_HTTP_GET] = "    get:\n",
		[US_HTTP_POST] = "    post:\n",
		[US_HTTP_DELETE] = "    delete:\n" };
	int here = 0;

	for (const char *line = strstr(text, "\npaths:\n") + 1; line != NULL && *line != '\0';) {
		if (line[0] == ' ' && line[1] == ' ' && line[2] == '/')
			here = path_is(line, r->pattern);
		else if (here && strncmp(line, names[r->method], strlen(names[r->method])) == 0)
			return line;
		line = strchr(line, '\n');
		line = line == NULL ? NULL : line + 1;
	}
	return NULL;
}

/* 1 if one line of the operation, before the next one, says what the route needs. */
static int
says_needs(const char *operation, enum us_needs needs)
{
	static const char key[] = "      x-underseal-authorisation: ";
	const char *name = us_needs_name(needs);
	int said = 0;

	for (const char *line = strchr(operation, '\n') + 1; strncmp(line, "      ", 6) == 0;
	     line = strchr(line, '\n') + 1) {
		if (strncmp(line, key, sizeof key - 1) != 0)
			continue;
		line += sizeof key - 1;
		if (said++ != 0 || strncmp(line, name, strlen(name)) != 0 ||
		    line[strlen(name)] != '\n')
			return 0;
	}
	return said;
}

static void
every_route_is_described(void **state)
{
	char *text = read_description();
	size_t n, wrong = 0;
	const struct us_route_info *table = us_route_table(&n);

	(void)state;
	for (size_t i = 0; i < n; i++) {
		const enum us_needs needs = us_request_table()[table[i].kind].needs;
		const char *operation = operation_of(text, &table[i]);

		if (operation == NULL)
			print_error("not described: %s\n", table[i].pattern);
		else if (!says_needs(operation, needs))
			print_error("described with another authorisation than %s: %s\n",
			    us_needs_name(needs), table[i].pattern);
		else
			continue;
		wrong++;
	}
	free(text);
	assert_int_equal(wrong, 0);
}

static unsigned
routes_that_take(enum us_act_type type, const char *pattern)
{
	size_t n;
	const struct us_route_info *table = us_route_table(&n);
	unsigned taken = 0;

	for (size_t i = 0; i < n; i++)
		taken += table[i].kind == US_REQUEST_act_request &&
		    us_route_takes(&table[i], type) &&
		    (pattern == NULL || strcmp(table[i].pattern, pattern) == 0);
	return taken;
}

/* An act of a person is taken at its path and at v1/acts, one of the vault's own nowhere. */
static void
every_act_has_its_route(void **state)
{
	static const enum us_act_type types[] = {
#define X(name, ...) US_ACT_##name,
		US_ACTS(X)
#undef X
	};
	char pattern[64];

	(void)state;
	for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
		const int own = us_act_is_vaults(types[i]);

		assert_int_equal(routes_that_take(types[i], NULL), own ? 0 : 2);
		assert_int_equal(routes_that_take(types[i], "v1/acts"), own ? 0 : 1);
		if (own)
			continue;
		(void)snprintf(pattern, sizeof pattern, "v1/%s", us_act_path(types[i]));
		assert_int_equal(routes_that_take(types[i], pattern), 1);
	}
	assert_int_equal(routes_that_take((enum us_act_type)0, NULL), 0);
	assert_int_equal(routes_that_take((enum us_act_type)127, NULL), 0);
}

/* Rows stand by their kinds, and what is no request has none. */
static void
every_request_has_a_row(void **state)
{
	const struct us_request_info *requests = us_request_table();

	(void)state;
	for (size_t i = 0; i < US_REQUEST_COUNT; i++) {
		assert_int_equal(requests[i].kind, i);
		assert_ptr_equal(us_request_info(requests[i].type), &requests[i]);
		assert_string_equal(us_msg_name(requests[i].type), requests[i].name);
		assert_string_not_equal(us_needs_name(requests[i].needs), "unknown");
	}
	assert_null(us_request_info(US_MSG_credit));
	assert_null(us_request_info(US_MSG_cancel));
	assert_null(us_request_info(US_MSG_handshakes));
	assert_null(us_request_info(US_MSG_log));
	assert_null(us_request_info(0));
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
		cmocka_unit_test(acts_at_their_resource),
		cmocka_unit_test(lists),
		cmocka_unit_test(questions),
		cmocka_unit_test(questions_refused),
		cmocka_unit_test(every_route_is_described),
		cmocka_unit_test(every_act_has_its_route),
		cmocka_unit_test(every_request_has_a_row),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
