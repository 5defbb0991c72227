#include "daemon/front/request_internal.h"

#include <strings.h>

#include "base/base64.h"
#include "base/err.h"
#include "base/number.h"

/* A media type without its parameters. */
static int
media_is(struct us_bytes v, const char *media)
{
	size_t n = strlen(media);

	return v.n >= n && strncasecmp((const char *)v.p, media, n) == 0 &&
	    (v.n == n || v.p[n] == ';' || v.p[n] == ' ');
}

static int
check_media(const struct us_http_head *head, const struct us_route_info *info, struct us_problem *p)
{
	int right = 1;

	switch (info->media) {
	case US_MEDIA_NONE:
		break;
	case US_MEDIA_JSON:
		right = media_is(head->content_type, "application/json");
		break;
	case US_MEDIA_OCTETS:
		right = media_is(head->content_type, "application/octet-stream");
		break;
	}
	if (!right)
		return us_decode_refuse(p, 415, "media-type",
		    "the body's Content-Type is not this route's", NULL);
	if (head->content_encoding.n != 0 && info->kind != US_REQUEST_part)
		return us_decode_refuse(p, 415, "media-type", "the body may not be encoded", NULL);
	return 0;
}

static int
take_part_headers(const struct us_http_head *head, struct us_route *route, struct us_problem *p)
{
	struct us_bytes encoding = head->content_encoding;
	size_t ticket_n = 0;

	/* whether it is good is the sealer's to say, who knows the load */
	if (head->ticket.n != US_TICKET_TEXT ||
	    us_base64_decode((const char *)head->ticket.p, head->ticket.n, route->ticket,
		sizeof route->ticket, &ticket_n) != US_OK ||
	    ticket_n != sizeof route->ticket)
		return us_decode_refuse(p, 401, "ticket",
		    "a part carries the ticket that its load was opened with", "Underseal-Ticket");
	if (us_number_parse(head->first_line.p, head->first_line.n, INT64_MAX,
		&route->first_line) != US_OK)
		return us_decode_bad(p, "a part names its first line", "Underseal-First-Line");
	if (us_hex_decode((const char *)head->digest.p, head->digest.n, route->digest, 32) != US_OK)
		return us_decode_bad(p, "a part names the SHA-256 of its bytes",
		    "Underseal-Digest");
	if (encoding.n == 0 || us_bytes_is(encoding, "identity"))
		route->encoding = 0;
	else if (us_bytes_is(encoding, "zstd"))
		route->encoding = 1;
	else
		return us_decode_refuse(p, 415, "media-type",
		    "a part is encoded as zstd or identity", NULL);
	if (route->body_n == 0)
		return us_decode_bad(p, "a part is not empty", NULL);
	return 0;
}

static const char *
type_of(int status)
{
	switch (status) {
	case 411:
		return "length-required";
	case 414:
	case 431:
		return "too-large";
	case 417:
		return "expectation";
	case 505:
		return "http-version";
	default:
		return "bad-request";
	}
}

int
us_request_head(const uint8_t *p, size_t n, struct us_http_head *head, struct us_route *route,
    struct us_problem *problem)
{
	const char *why;
	size_t purpose_n;
	unsigned allow;
	int status, err;

	status = us_http_parse(p, n, head, &why);
	if (status != 0)
		return us_decode_refuse(problem, status, type_of(status), why, NULL);
	err = us_target_parse(&route->target, head->target);
	if (err == US_ERR_LIMIT)
		return us_decode_refuse(problem, 414, "too-large", "the request target is too long",
		    NULL);
	if (err != US_OK)
		return us_decode_bad(problem, "the request target is not a path in its plain form",
		    NULL);
	route->info = us_route_find(&route->target, head->method, &allow);
	if (route->info == NULL && allow == 0)
		return us_decode_refuse(problem, 404, "not-found", "there is no such resource",
		    NULL);
	if (route->info == NULL) {
		(void)us_decode_refuse(problem, 405, "method-not-allowed",
		    head->method == US_HTTP_OTHER ? "only GET, POST and DELETE are known" :
						    "not with this method",
		    NULL);
		problem->allow = allow;
		return problem->status;
	}
	if (head->content_length > route->info->body_max)
		return us_decode_refuse(problem, 413, "too-large",
		    "the body is larger than this route takes", NULL);
	route->body_n = (uint32_t)head->content_length;
	status = check_media(head, route->info, problem);
	if (status != 0)
		return status;
	if (us_percent_decode(head->purpose, route->purpose_text, sizeof route->purpose_text,
		&purpose_n) != US_OK)
		return us_decode_bad(problem,
		    "a purpose is percent-encoded UTF-8 of at most 1,024 bytes",
		    "Underseal-Purpose");
	route->purpose = (struct us_bytes){ purpose_n == 0 ? NULL : route->purpose_text,
		purpose_n };
	return route->info->kind == US_REQUEST_part ? take_part_headers(head, route, problem) : 0;
}
