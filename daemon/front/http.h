/*
 * The head of an HTTP/1.1 request (RFC 9112), read strictly. llhttp in strict mode parses; around
 * it stand our own rules: only CRLF ends a line, no folded lines, printable ASCII only, at most
 * 16 KiB and 64 headers, exactly one Host, HTTP/1.1 only, no Transfer-Encoding at all (a body has
 * a Content-Length, else 411), no Upgrade.
 *
 * Pure functions; views point into the caller's bytes.
 */
#ifndef US_DAEMON_FRONT_HTTP_H
#define US_DAEMON_FRONT_HTTP_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

#define US_HTTP_HEAD_MAX 16384
#define US_HTTP_HEADERS_MAX 64

/* OTHER: a method that no route has. */
enum us_http_method { US_HTTP_OTHER = 0, US_HTTP_GET = 1, US_HTTP_POST = 2, US_HTTP_DELETE = 3 };

/* Where the search for the end of a head stands, so that a head that comes byte by byte is
 * looked at once. Zeros at the start of a head. */
struct us_http_scan {
	size_t at;
	uint8_t state;
};

/* Looks on in p[0..n), a head from its first byte. US_OK: *end is the head's length with its
 * empty line; US_ERR_TRUNCATED: more is needed; US_ERR_FORMAT: a byte that may not be there;
 * US_ERR_LIMIT: longer than US_HTTP_HEAD_MAX. */
int us_http_scan(struct us_http_scan *scan, const uint8_t *p, size_t n, size_t *end);

struct us_http_head {
	enum us_http_method method;
	struct us_bytes target;
	uint64_t content_length;
	int has_length;
	int close; /* Connection: close */
	int expect_continue;
	struct us_bytes content_type; /* each empty if absent */
	struct us_bytes content_encoding;
	struct us_bytes purpose;    /* Underseal-Purpose, percent-encoded */
	struct us_bytes first_line; /* Underseal-First-Line */
	struct us_bytes digest;     /* Underseal-Digest */
	struct us_bytes ticket;     /* Underseal-Ticket */
};

/* Parses a whole head as us_http_scan found it. Returns 0, or the HTTP status to refuse with (400,
 * 411, 414, 417, 431, 505), and a static text in *why. */
int us_http_parse(const uint8_t *p, size_t n, struct us_http_head *head, const char **why);

#endif
