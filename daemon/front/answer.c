#include "daemon/front/answer.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/array.h"
#include "base/base64.h"

static const char *
reason_of(int status)
{
	switch (status) {
	case 200:
		return "OK";
	case 201:
		return "Created";
	case 202:
		return "Accepted";
	case 400:
		return "Bad Request";
	case 401:
		return "Unauthorized";
	case 403:
		return "Forbidden";
	case 404:
		return "Not Found";
	case 405:
		return "Method Not Allowed";
	case 408:
		return "Request Timeout";
	case 409:
		return "Conflict";
	case 411:
		return "Length Required";
	case 413:
		return "Content Too Large";
	case 414:
		return "URI Too Long";
	case 415:
		return "Unsupported Media Type";
	case 417:
		return "Expectation Failed";
	case 422:
		return "Unprocessable Content";
	case 429:
		return "Too Many Requests";
	case 431:
		return "Request Header Fields Too Large";
	case 500:
		return "Internal Server Error";
	case 502:
		return "Bad Gateway";
	case 503:
		return "Service Unavailable";
	case 505:
		return "HTTP Version Not Supported";
	case 507:
		return "Insufficient Storage";
	default:
		/* the phrase means nothing to a client (RFC 9112 section 4) */
		return "Status";
	}
}

static const char *
media_of(enum us_content_type type)
{
	switch (type) {
	case US_TYPE_JSON:
		return "application/json";
	case US_TYPE_JSON_LINES:
		return "application/jsonl";
	case US_TYPE_PROBLEM:
		return "application/problem+json";
	case US_TYPE_TEXT:
		return "text/plain; charset=utf-8";
	case US_TYPE_OCTETS:
		return "application/octet-stream";
	}
	return "application/octet-stream";
}

void
us_answer_date(int64_t unix_seconds, char out[US_ANSWER_DATE_MAX])
{
	static const char *const days[7] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" };
	static const char *const months[12] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul",
		"Aug", "Sep", "Oct", "Nov", "Dec" };
	time_t t = (time_t)unix_seconds;
	struct tm tm;

	/* not strftime(), which follows the locale */
	if (gmtime_r(&t, &tm) == NULL)
		memset(&tm, 0, sizeof tm);
	(void)snprintf(out, US_ANSWER_DATE_MAX, "%s, %02u %s %04u %02u:%02u:%02u GMT",
	    days[(unsigned)tm.tm_wday % 7], (unsigned)tm.tm_mday % 100,
	    months[(unsigned)tm.tm_mon % 12], (unsigned)(tm.tm_year + 1900) % 10000,
	    (unsigned)tm.tm_hour % 100, (unsigned)tm.tm_min % 100, (unsigned)tm.tm_sec % 100);
}

struct us_front_text {
	char *p;
	size_t n, max;
};

static void
put(struct us_front_text *t, const char *s)
{
	size_t n = strlen(s);

	if (n > t->max - t->n)
		n = t->max - t->n;
	memcpy(t->p + t->n, s, n);
	t->n += n;
}

static void
put_number(struct us_front_text *t, uint64_t v)
{
	char digits[24];
	size_t at = sizeof digits;

	digits[--at] = '\0';
	do
		digits[--at] = (char)('0' + v % 10);
	while ((v /= 10) != 0);
	put(t, digits + at);
}

static void
put_allow(struct us_front_text *t, unsigned allow)
{
	static const struct {
		enum us_http_method method;
		const char *name;
	} methods[] = { { US_HTTP_GET, "GET" }, { US_HTTP_POST, "POST" },
		{ US_HTTP_DELETE, "DELETE" } };
	const char *before = "\r\nAllow: ";

	for (size_t i = 0; i < US_COUNT(methods); i++) {
		if ((allow >> methods[i].method & 1) == 0)
			continue;
		put(t, before);
		put(t, methods[i].name);
		before = ", ";
	}
}

/* Where the request stands in the log, and the signed word of the log that it does. */
static void
put_entry(struct us_front_text *t, const struct us_answer *a)
{
	char text[US_BASE64_SIZE(US_ANSWER_CHECKPOINT_MAX) + 1];

	put(t, "\r\nUnderseal-Entry: ");
	put_number(t, a->entry);
	if (a->checkpoint.n == 0 || a->checkpoint.n > US_ANSWER_CHECKPOINT_MAX)
		return;
	us_base64_encode(a->checkpoint.p, a->checkpoint.n, text);
	put(t, "\r\nUnderseal-Checkpoint: ");
	put(t, text);
}

size_t
us_answer_head(const struct us_answer *a, char out[US_ANSWER_HEAD_MAX])
{
	struct us_front_text t = { out, 0, US_ANSWER_HEAD_MAX };
	int status = a->status >= 200 && a->status <= 599 ? a->status : 502;

	put(&t, "HTTP/1.1 ");
	put_number(&t, (uint64_t)status);
	put(&t, " ");
	put(&t, reason_of(status));
	put(&t, "\r\nDate: ");
	put(&t, a->date);
	put(&t, "\r\nContent-Type: ");
	put(&t, media_of(a->type));
	if (a->chunked)
		put(&t, "\r\nTransfer-Encoding: chunked");
	else {
		put(&t, "\r\nContent-Length: ");
		put_number(&t, a->length);
	}
	put(&t, "\r\nCache-Control: no-store\r\nX-Content-Type-Options: nosniff");
	if (a->entry != UINT64_MAX)
		put_entry(&t, a);
	if (a->retry_after != 0) {
		put(&t, "\r\nRetry-After: ");
		put_number(&t, a->retry_after);
	}
	if (status == 401) /* a session is to be opened: POST /v1/session */
		put(&t, "\r\nWWW-Authenticate: Underseal-Session");
	put_allow(&t, a->allow);
	put(&t, a->close ? "\r\nConnection: close\r\n\r\n" : "\r\n\r\n");
	return t.n;
}

size_t
us_answer_problem(const struct us_problem *p, char out[US_ANSWER_PROBLEM_MAX])
{
	struct us_front_text t = { out, 0, US_ANSWER_PROBLEM_MAX };

	/* all texts are ours, without quotes or backslashes but for those written here */
	put(&t, "{\"type\":\"urn:underseal:problem:");
	put(&t, p->type);
	put(&t, "\",\"title\":\"");
	put(&t, reason_of(p->status));
	put(&t, "\",\"status\":");
	put_number(&t, (uint64_t)p->status);
	put(&t, ",\"detail\":\"");
	put(&t, p->detail);
	if (p->member != NULL) {
		put(&t, "\",\"member\":\"");
		put(&t, p->member);
	}
	put(&t, "\"}\n");
	return t.n;
}
