#include "daemon/front/http.h"

#include <string.h>
#include <strings.h>

#include <llhttp.h>

#include "base/array.h"
#include "base/err.h"
#include "base/number.h"
#include "daemon/front/target.h"

/* --- the end of the head --------------------------------------------------------------- */

enum { AT_START, IN_LINE, AFTER_CR, AT_LINE, AFTER_LAST_CR };

int
us_http_scan(struct us_http_scan *scan, const uint8_t *p, size_t n, size_t *end)
{
	size_t limit = n < US_HTTP_HEAD_MAX ? n : US_HTTP_HEAD_MAX;
	uint8_t state = scan->state;
	size_t i;
	uint8_t c;

	for (i = scan->at; i < limit; i++) {
		c = p[i];
		if (state == IN_LINE) {
			if (c == '\r')
				state = AFTER_CR;
			else if ((c < 0x20 && c != '\t') || c > 0x7e)
				return US_ERR_FORMAT;
			continue;
		}
		if (state == AFTER_CR || state == AFTER_LAST_CR) {
			if (c != '\n')
				return US_ERR_FORMAT;
			if (state == AFTER_LAST_CR) {
				*end = i + 1;
				return US_OK;
			}
			state = AT_LINE;
			continue;
		}
		/* the first character of a line: no white space, which would fold it */
		if (state == AT_LINE && c == '\r')
			state = AFTER_LAST_CR;
		else if (c <= 0x20 || c > 0x7e)
			return US_ERR_FORMAT;
		else
			state = IN_LINE;
	}
	scan->at = i;
	scan->state = state;
	return n >= US_HTTP_HEAD_MAX ? US_ERR_LIMIT : US_ERR_TRUNCATED;
}

/* --- the head -------------------------------------------------------------------------- */

struct us_front_parse {
	struct us_http_head *head;
	struct us_bytes name;
	struct us_bytes value;
	size_t header_n;
	unsigned host_n;
	unsigned length_n;
	unsigned connection_n;
	unsigned seen; /* a bit for each of the headers that may stand once */
	int complete;
	int status;
	const char *why;
};

static int
refuse(struct us_front_parse *s, int status, const char *why)
{
	if (s->status == 0) {
		s->status = status;
		s->why = why;
	}
	return HPE_USER;
}

static int
name_is(struct us_bytes name, const char *lower)
{
	return name.n == strlen(lower) && strncasecmp((const char *)name.p, lower, name.n) == 0;
}

static struct us_bytes
trim(struct us_bytes v)
{
	while (v.n > 0 && (v.p[v.n - 1] == ' ' || v.p[v.n - 1] == '\t'))
		v.n--;
	while (v.n > 0 && (v.p[0] == ' ' || v.p[0] == '\t')) {
		v.p++;
		v.n--;
	}
	return v;
}

static int
take_length(struct us_front_parse *s, struct us_bytes v)
{
	uint64_t n;

	if (s->length_n++ != 0 || v.n > 12 || us_number_digits(v.p, v.n, UINT64_MAX, &n) != US_OK)
		return refuse(s, 400, "Content-Length is not one number");
	s->head->content_length = n;
	s->head->has_length = 1;
	return 0;
}

/* "close" or "keep-alive"; anything else would ask for what we do not do. */
static int
take_connection(struct us_front_parse *s, struct us_bytes v)
{
	if (s->connection_n++ != 0)
		return refuse(s, 400, "more than one Connection");
	if (name_is(v, "close"))
		s->head->close = 1;
	else if (!name_is(v, "keep-alive"))
		return refuse(s, 400, "Connection is neither close nor keep-alive");
	return 0;
}

static int
take_host(struct us_front_parse *s, struct us_bytes v)
{
	if (s->host_n++ != 0 || v.n == 0 || v.n > 255)
		return refuse(s, 400, "there must be one Host");
	for (size_t i = 0; i < v.n; i++)
		if (v.p[i] <= 0x20 || strchr("/\\?#@,\"<>", v.p[i]) != NULL)
			return refuse(s, 400, "Host is not a host");
	return 0;
}

/* Headers whose value is kept; each may stand once. */
static int
take_kept(struct us_front_parse *s, struct us_bytes v)
{
	struct us_http_head *h = s->head;
	struct {
		const char *name;
		struct us_bytes *to;
	} kept[] = {
		{ "content-type", &h->content_type },
		{ "content-encoding", &h->content_encoding },
		{ "underseal-purpose", &h->purpose },
		{ "underseal-first-line", &h->first_line },
		{ "underseal-digest", &h->digest },
		{ "underseal-ticket", &h->ticket },
	};

	for (unsigned i = 0; i < US_COUNT(kept); i++) {
		if (!name_is(s->name, kept[i].name))
			continue;
		if (s->seen & 1u << i)
			return refuse(s, 400, "a header stands twice");
		s->seen |= 1u << i;
		*kept[i].to = v;
		return 0;
	}
	return 0;
}

static int
on_target(llhttp_t *parser, const char *at, size_t n)
{
	struct us_front_parse *s = parser->data;

	if (n > US_TARGET_MAX)
		return refuse(s, 414, "the request target is too long");
	s->head->target = (struct us_bytes){ (const uint8_t *)at, n };
	return 0;
}

static int
on_name(llhttp_t *parser, const char *at, size_t n)
{
	struct us_front_parse *s = parser->data;

	s->name = (struct us_bytes){ (const uint8_t *)at, n };
	s->value = (struct us_bytes){ NULL, 0 };
	return 0;
}

static int
on_value(llhttp_t *parser, const char *at, size_t n)
{
	struct us_front_parse *s = parser->data;

	s->value = (struct us_bytes){ (const uint8_t *)at, n };
	return 0;
}

/* A token of RFC 9110 section 5.6.2; llhttp takes more than these. */
static int
is_token(struct us_bytes name)
{
	for (size_t i = 0; i < name.n; i++) {
		uint8_t c = name.p[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
			strchr("!#$%&'*+-.^_`|~", c) != NULL))
			return 0;
	}
	return name.n != 0;
}

static int
on_header(llhttp_t *parser)
{
	struct us_front_parse *s = parser->data;
	struct us_bytes v = trim(s->value);
	int rc = 0;

	if (!is_token(s->name))
		rc = refuse(s, 400, "a header's name is not a token");
	else if (++s->header_n > US_HTTP_HEADERS_MAX)
		rc = refuse(s, 431, "too many headers");
	else if (name_is(s->name, "host"))
		rc = take_host(s, v);
	else if (name_is(s->name, "content-length"))
		rc = take_length(s, v);
	else if (name_is(s->name, "connection"))
		rc = take_connection(s, v);
	else if (name_is(s->name, "transfer-encoding"))
		rc = refuse(s, 411, "a body needs a Content-Length");
	else if (name_is(s->name, "upgrade"))
		rc = refuse(s, 400, "there is nothing to upgrade to");
	else if (name_is(s->name, "expect")) {
		if (s->head->expect_continue || !name_is(v, "100-continue"))
			rc = refuse(s, 417, "only 100-continue can be expected");
		s->head->expect_continue = 1;
	} else
		rc = take_kept(s, v);
	return rc == 0 ? 0 : -1;
}

static int
on_complete(llhttp_t *parser)
{
	struct us_front_parse *s = parser->data;

	s->complete = 1;
	return HPE_PAUSED;
}

/* llhttp takes several spaces and forms of other protocols. What it saw is METHOD SP target, and
 * p is a whole head, so that a CRLF is behind the target. */
static int
is_request_line(const struct us_http_head *h, const uint8_t *p, size_t n, size_t method_n)
{
	static const char rest[] = " HTTP/1.1\r\n";
	const uint8_t *end = memchr(p, '\r', n);

	return h->target.n != 0 && h->target.p == p + method_n + 1 && p[method_n] == ' ' &&
	    end != NULL && (size_t)(end + 2 - (h->target.p + h->target.n)) == sizeof rest - 1 &&
	    memcmp(h->target.p + h->target.n, rest, sizeof rest - 1) == 0;
}

static int
check_head(struct us_front_parse *s, const llhttp_t *parser, const uint8_t *p, size_t n)
{
	struct us_http_head *h = s->head;
	const uint8_t *space = memchr(p, ' ', n);

	if (parser->http_major != 1 || parser->http_minor != 1)
		return refuse(s, 505, "only HTTP/1.1 is spoken here");
	if (s->host_n != 1)
		return refuse(s, 400, "there must be one Host");
	switch (parser->method) {
	case HTTP_GET:
		h->method = US_HTTP_GET;
		break;
	case HTTP_POST:
		h->method = US_HTTP_POST;
		break;
	case HTTP_DELETE:
		h->method = US_HTTP_DELETE;
		break;
	default:
		h->method = US_HTTP_OTHER;
		/* the body of its answer is read by nobody, and would be taken for the next one */
		h->close |= parser->method == HTTP_HEAD;
		break;
	}
	if (space == NULL || !is_request_line(h, p, n, (size_t)(space - p)))
		return refuse(s, 400, "the request line is not in its plain form");
	if (h->method == US_HTTP_POST && !h->has_length)
		return refuse(s, 411, "a body needs a Content-Length");
	return 0;
}

int
us_http_parse(const uint8_t *p, size_t n, struct us_http_head *head, const char **why)
{
	static const llhttp_settings_t settings = {
		.on_url = on_target,
		.on_header_field = on_name,
		.on_header_value = on_value,
		.on_header_value_complete = on_header,
		.on_headers_complete = on_complete,
	};
	struct us_front_parse s = { .head = head };
	llhttp_t parser;

	memset(head, 0, sizeof *head);
	llhttp_init(&parser, HTTP_REQUEST, &settings);
	parser.data = &s;
	(void)llhttp_execute(&parser, (const char *)p, n);
	if (s.status == 0) {
		if (!s.complete)
			(void)refuse(&s, 400, "not an HTTP/1.1 request");
		else
			(void)check_head(&s, &parser, p, n);
	}
	*why = s.why;
	return s.status;
}
