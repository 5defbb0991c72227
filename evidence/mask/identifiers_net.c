/* Mailboxes, URLs and IP addresses. */
#include <string.h>

#include "base/err.h"
#include "base/number.h"
#include "evidence/mask/identifiers_internal.h"

#define QUOTED_MAX 66 /* RFC 5321 4.5.3.1.1: 64, and quotes */
#define SCHEME_MAX 16
#define IP6_MAX 45 /* eight groups, the last two as a dotted quad */

/* ---- email ---- */

/* RFC 5322 atext and the dot; letters of other scripts as of RFC 6531. */
static int
is_local(uint8_t c, int runs)
{
	return us_is_alnum(c) || c == US_SCAN_LETTER || (runs && c == US_SCAN_RUN) ||
	    (c != 0 && c < 0x80 && strchr(".!#$%&'*+/=?^_`{|}~-", c) != NULL);
}

static int
is_domain(uint8_t c, int runs)
{
	return us_is_alnum(c) || c == '-' || c == '.' || c == US_SCAN_LETTER ||
	    (runs && c == US_SCAN_RUN);
}

/* Where the local part before the @ at `at` begins; `at` if there is none. low: what the scan may
 * not go below. */
static size_t
local_start(const uint8_t *c, size_t low, size_t at)
{
	size_t i = at;

	if (at > low && c[at - 1] == '"') {
		for (i = at - 1; i > low && at - i < QUOTED_MAX; i--)
			if (c[i - 1] == '"' && i != at - 1)
				return i - 1;
		return at;
	}
	while (i > low && is_local(c[i - 1], 0))
		i--;
	if (i == at)
		while (i > low && is_local(c[i - 1], 1))
			i--;
	/* marks that stand around a mailbox more often than in it */
	while (i < at && strchr("'`*/=?!#$&{|}^~.", c[i]) != NULL)
		i++;
	return i;
}

/* 1 if [start, end) has a dot and behind it a label that begins like a top-level domain. */
static int
has_top(const uint8_t *c, size_t start, size_t end)
{
	size_t label = end;

	while (label > start && c[label - 1] != '.')
		label--;
	return label > start + 1 && end - label >= 2 && !us_is_digit(c[label]) && c[label] != '-' &&
	    (!us_is_digit(c[label + 1]) && c[label + 1] != '-');
}

static size_t
domain_end_of(const uint8_t *c, size_t at, int runs)
{
	size_t start = at + 1, end = start;

	while (is_domain(c[end], runs) && !(c[end] == '.' && (end == start || c[end - 1] == '.')))
		end++;
	for (;;) {
		while (end > start && (c[end - 1] == '.' || c[end - 1] == '-'))
			end--;
		if (end == start || has_top(c, start, end))
			return end;
		while (end > start && c[end - 1] != '.')
			end--; /* john@example.com.2024 */
	}
}

/* Behind the domain of the @ at `at`, or `at`. */
static size_t
domain_end(const uint8_t *c, size_t at)
{
	size_t end;

	if (c[at + 1] == '[') {
		for (end = at + 2; us_is_alnum(c[end]) || c[end] == '.' || c[end] == ':'; end++)
			;
		return c[end] == ']' && end > at + 2 ? end + 1 : at;
	}
	end = domain_end_of(c, at, 0);
	if (end == at + 1)
		end = domain_end_of(c, at, 1);
	return end == at + 1 ? at : end;
}

int
us_scan_email(struct us_scan *s)
{
	const uint8_t *c = s->text->c;
	size_t low = 0, start, end;
	int err = US_OK;

	for (size_t i = 0; err == US_OK && i < s->text->n; i++) {
		if (c[i] != '@')
			continue;
		start = local_start(c, low, i);
		end = start == i ? i : domain_end(c, i);
		low = i + 1;
		if (end == i)
			continue;
		err = us_scan_add(s, start, end);
		low = end;
		i = end - 1;
	}
	return err;
}

/* ---- url ---- */

static int
ends_url(uint8_t c)
{
	return c <= ' ' || c == '"' || c == '<' || c == '>' || c == '`' || c == 0x7f ||
	    c == US_SCAN_OTHER;
}

/* Behind a URL whose host begins at `host`; `host` if there is none. */
static size_t
url_end(const uint8_t *c, size_t host)
{
	int path = c[host] == US_SCAN_RUN, open = 0; /* parentheses opened and not closed */
	size_t end = host;

	for (; !ends_url(c[end]); end++) {
		if (c[end] == '/' || c[end] == '?' || c[end] == '#')
			path = 1;
		else if (c[end] == US_SCAN_RUN && !path)
			break; /* a sentence goes on behind the host */
		open += (c[end] == '(') - (c[end] == ')');
	}
	/* not what closes the sentence around it, nor a parenthesis that was opened before it */
	while (end > host) {
		if (c[end - 1] == ')' && open >= 0)
			break;
		open += c[end - 1] == ')';
		if (c[end - 1] >= 0x80 || strchr(".,;:!?'*_)]}|", c[end - 1]) == NULL)
			break;
		end--;
	}
	return end;
}

int
us_scan_url(struct us_scan *s)
{
	const uint8_t *c = s->text->c;
	size_t n = s->text->n, low = 0, start, host, end;
	int err = US_OK;

	for (size_t i = 0; err == US_OK && i + 4 < n; i++) {
		start = i;
		host = i;
		if (c[i] == ':' && c[i + 1] == '/' && c[i + 2] == '/') {
			while (start > low && i - start < SCHEME_MAX &&
			    (us_is_alnum(c[start - 1]) ||
				(start < i && (c[start - 1] == '+' || c[start - 1] == '-'))))
				start--;
			while (start < i && !us_is_alpha(c[start]))
				start++;
			host = i - start >= 2 ? i + 3 : i;
		} else if ((c[i] | 0x20) == 'w' && (c[i + 1] | 0x20) == 'w' &&
		    (c[i + 2] | 0x20) == 'w' && c[i + 3] == '.' &&
		    (i == 0 || !us_is_alnum(c[i - 1]))) {
			host = i + 4;
		}
		if (host == i)
			continue;
		end = url_end(c, host);
		if (end == host)
			continue;
		err = us_scan_add(s, start, end);
		low = end;
		i = end - 1;
	}
	return err;
}

/* ---- ip ---- */

/* Behind four groups of one to three digits up to 255 at i, or i. */
static size_t
quad_end(const uint8_t *c, size_t i)
{
	size_t at = i;
	uint64_t v;

	for (unsigned group = 0; group < 4; group++) {
		if (group != 0 && c[at++] != '.')
			return i;
		const size_t n = us_number_span(c + at, 4); /* what is no digit ends the text */
		if (n > 3 || us_number_digits(c + at, n, 255, &v) != US_OK)
			return i;
		at += n;
	}
	return at;
}

static size_t
ip4_end(const uint8_t *c, size_t i)
{
	size_t end;

	if (i != 0 &&
	    (us_is_digit(c[i - 1]) || (c[i - 1] == '.' && i > 1 && us_is_digit(c[i - 2]))))
		return i;
	if (i != 0 && (c[i - 1] | 0x20) == 'v' && (i == 1 || !us_is_alnum(c[i - 2])))
		return i; /* v1.2.3.4 */
	end = quad_end(c, i);
	return end != i && c[end] == '.' && us_is_digit(c[end + 1]) ? i : end;
}

static int
is_hex(uint8_t c)
{
	return us_is_digit(c) || (uint8_t)((c | 0x20) - 'a') < 6;
}

/* 1 if [i, end) is an IPv6 address in the text form of RFC 4291 section 2.2 that is no mere pair of
 * short words (a::b of C++). */
static int
is_ip6(const uint8_t *c, size_t i, size_t end)
{
	unsigned groups = 0;
	int shortened = 0, telling = 0;
	size_t from;

	if (end - i < 3 || (c[i] == ':' && c[i + 1] != ':'))
		return 0;
	while (i < end) {
		if (c[i] == ':') {
			if (i + 1 == end || c[i + 1] != ':' || shortened)
				return 0;
			shortened = 1;
			i += 2;
			if (i < end && c[i] == ':')
				return 0;
			continue;
		}
		for (from = i; i < end && is_hex(c[i]); i++)
			telling |= us_is_digit(c[i]);
		if (i == from || i - from > 4) {
			return 0;
		} else if (i < end && c[i] == '.') {
			if (quad_end(c, from) != end)
				return 0;
			groups += 2;
			i = end;
			break;
		}
		telling |= i - from > 2;
		groups++;
		if (i < end && c[i] == ':' && !(i + 1 < end && c[i + 1] == ':')) {
			if (++i == end)
				return 0;
		}
	}
	return shortened ? groups > 0 && groups < 8 && telling : groups == 8;
}

static int
is_ip6_char(uint8_t c)
{
	return is_hex(c) || c == ':' || c == '.';
}

/* The run of hexadecimal digits, colons and dots at i: its end, and that of the address it is, or
 * i. */
static size_t
ip6_end(const uint8_t *c, size_t i, size_t *run_end)
{
	size_t end = i, k;
	int colons = 0;

	for (; is_ip6_char(c[end]); end++)
		colons += c[end] == ':';
	*run_end = end;
	while (end > i &&
	    (c[end - 1] == '.' || (c[end - 1] == ':' && !(end - i > 2 && c[end - 2] == ':'))))
		end--;
	if (colons < 2 || end - i > IP6_MAX ||
	    (i != 0 && (us_is_alnum(c[i - 1]) || c[i - 1] == '_')) || us_is_alnum(c[end]) ||
	    c[end] == '_' || !is_ip6(c, i, end))
		return i;
	if (c[end] == '%') {
		for (k = end + 1; us_is_alnum(c[k]); k++)
			;
		end = k > end + 1 ? k : end;
	}
	return end;
}

int
us_scan_ip(struct us_scan *s)
{
	const uint8_t *c = s->text->c;
	size_t n = s->text->n, i = 0, run = 0, end;
	int err = US_OK;

	while (err == US_OK && i < n) {
		end = i;
		if (i >= run && is_ip6_char(c[i])) {
			end = ip6_end(c, i, &run);
			/* an address behind a word and its colon: "address:2001:db8::1" */
			if (end == i && c[i] == ':' && c[i + 1] != ':')
				run = i + 1;
		}
		if (end == i && us_is_digit(c[i]))
			end = ip4_end(c, i);
		if (end == i) {
			i++;
			continue;
		}
		err = us_scan_add(s, i, end);
		i = end;
	}
	return err;
}
