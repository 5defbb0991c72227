/* The text made plain, the scanners of each class run over it, and their spans put in one row. */
#include "evidence/mask/identifiers.h"

#include <stdlib.h>
#include <string.h>

#include <utf8proc.h>

#include "base/array.h"
#include "base/err.h"
#include "base/utf8.h"
#include "evidence/mask/identifiers_internal.h"

/* ---- the text made plain ---- */

/* Han, kana, hangul, Thai, Lao, Khmer and what stands among them: Unicode 15 Blocks.txt. */
static int
in_run_blocks(uint32_t c)
{
	return (c >= 0x0e00 && c <= 0x0eff) || (c >= 0x1100 && c <= 0x11ff) ||
	    (c >= 0x1780 && c <= 0x17ff) || (c >= 0x19e0 && c <= 0x19ff) ||
	    (c >= 0x2e80 && c <= 0x9fff) || (c >= 0xa960 && c <= 0xa97f) ||
	    (c >= 0xac00 && c <= 0xd7ff) || (c >= 0xf900 && c <= 0xfaff) ||
	    (c >= 0xff66 && c <= 0xffdc) || (c >= 0x1b000 && c <= 0x1b16f) ||
	    (c >= 0x20000 && c <= 0x3ffff);
}

/* The value of a decimal digit (Nd) of any script. Those of a script stand in a row of ten from 0
 * on, so the distance to the first that is a digit says it; the mathematical ones are five such
 * rows (U+1D7CE). */
static uint8_t
digit_of(uint32_t c)
{
	uint32_t first = c;

	if (c >= 0x1d7ce && c <= 0x1d7ff)
		return (uint8_t)('0' + (c - 0x1d7ce) % 10);
	while (c - first < 9 &&
	    utf8proc_category((utf8proc_int32_t)(first - 1)) == UTF8PROC_CATEGORY_ND)
		first--;
	return (uint8_t)('0' + (c - first) % 10);
}

/* 0: ignored, as if it were not there. */
static uint8_t
plain(uint32_t c)
{
	int category;

	if (c < 0x80)
		return c == 0 ? US_SCAN_OTHER : (uint8_t)c;
	if (c >= 0xff01 && c <= 0xff5e)
		return (uint8_t)(c - 0xff01 + '!'); /* full width */
	switch (c) {
	case 0x2010:
	case 0x2011:
	case 0x2012:
	case 0x2013:
	case 0x2014:
	case 0x2015: /* hyphens and dashes */
	case 0x2043:
	case 0x2212:
	case 0xfe58:
	case 0xfe63:
		return '-';
	case 0x2024:
	case 0xfe52:
	case 0xff61:
		return '.';
	case 0xfe6b:
		return '@';
	case 0x207a:
	case 0xfe62:
		return '+';
	case 0x2018:
	case 0x2019:
	case 0x02bc:
		return '\'';
	default:
		break;
	}
	category = (int)utf8proc_category((utf8proc_int32_t)c);
	if (category == UTF8PROC_CATEGORY_ND)
		return digit_of(c);
	if (category == UTF8PROC_CATEGORY_ZS)
		return ' ';
	if (category == UTF8PROC_CATEGORY_CF || (c >= 0xfe00 && c <= 0xfe0f))
		return 0; /* joiners, marks of direction, soft hyphens, variation selectors */
	if (category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_NO)
		return in_run_blocks(c) ? US_SCAN_RUN : US_SCAN_LETTER;
	return US_SCAN_OTHER;
}

static int
make_plain(struct us_bytes text, struct us_scan_text *t)
{
	size_t len;
	uint32_t c;
	uint8_t p;

	if (text.n >= UINT32_MAX / 8)
		return US_ERR_LIMIT;
	*t = (struct us_scan_text){ .c = malloc(text.n + 1),
		.at = malloc((text.n + 1) * sizeof *t->at) };
	if (t->c == NULL || t->at == NULL)
		return US_ERR_NOMEM;
	for (size_t i = 0; i < text.n; i += len) {
		len = 1;
		if (text.p[i] >= 0x80) {
			len = us_utf8_next(text.p + i, text.n - i, &c);
			p = len == 0 ? US_SCAN_OTHER : plain(c);
			if (len == 0)
				len = 1;
		} else {
			p = plain(text.p[i]);
		}
		if (p == 0)
			continue;
		t->c[t->n] = p;
		t->at[t->n++] = (uint32_t)i;
	}
	t->c[t->n] = 0;
	t->at[t->n] = (uint32_t)text.n;
	return US_OK;
}

static void
free_plain(struct us_scan_text *t, size_t n)
{
	if (t->c != NULL)
		us_wipe(t->c, n + 1);
	free(t->c);
	free(t->at);
}

/* ---- spans ---- */

int
us_scan_add(struct us_scan *s, size_t start, size_t end)
{
	if (us_grow(&s->spans, s->n, &s->cap, sizeof *s->spans) != US_OK)
		return US_ERR_NOMEM;
	s->spans[s->n++] = (struct us_identifier_span){ start, end, s->identifier };
	return US_OK;
}

/* Begins first, then the longer, then the lower class. */
static int
by_rank(const void *a, const void *b)
{
	const struct us_identifier_span *x = a, *y = b;

	if (x->start != y->start)
		return x->start < y->start ? -1 : 1;
	if (x->end != y->end)
		return x->end > y->end ? -1 : 1;
	return (x->identifier > y->identifier) - (x->identifier < y->identifier);
}

/* Makes them disjoint; of one that loses, what sticks out behind the winner stays: nothing that a
 * class found may show. */
static size_t
settle(struct us_identifier_span *s, size_t n)
{
	size_t kept = 0, end = 0;

	if (n != 0)
		qsort(s, n, sizeof *s, by_rank);
	for (size_t i = 0; i < n; i++) {
		struct us_identifier_span span = s[i];

		if (span.end <= end)
			continue;
		if (span.start < end)
			span.start = end;
		s[kept++] = span;
		end = span.end;
	}
	return kept;
}

/* Characters to bytes. An end is behind the last character, but before what is ignored behind
 * it. */
static void
to_bytes(const struct us_scan_text *t, struct us_bytes text, struct us_identifier_span *span)
{
	size_t last = t->at[span->end - 1], len;
	uint32_t c;

	len = us_utf8_next(text.p + last, text.n - last, &c);
	span->start = t->at[span->start];
	span->end = last + (len == 0 ? 1 : len);
}

int
us_identifiers_find(struct us_bytes text, uint32_t wanted, struct us_identifier_span **spans,
    size_t *n)
{
	static us_scan_fn *const SCANNERS[US_IDENTIFIERS] = {
		[US_IDENTIFIER_EMAIL] = us_scan_email,
		[US_IDENTIFIER_PHONE] = us_scan_phone,
		[US_IDENTIFIER_URL] = us_scan_url,
		[US_IDENTIFIER_IP] = us_scan_ip,
		[US_IDENTIFIER_CARD] = us_scan_card,
		[US_IDENTIFIER_IBAN] = us_scan_iban,
		[US_IDENTIFIER_SSN] = us_scan_ssn,
		[US_IDENTIFIER_NUMBER] = us_scan_number,
	};
	struct us_scan_text t = { .n = 0 };
	struct us_scan s = { .text = &t };
	int err = US_OK;

	*spans = NULL;
	*n = 0;
	if (text.n == 0 || (wanted & US_IDENTIFIERS_ALL) == 0)
		return US_OK;
	err = make_plain(text, &t);
	for (unsigned i = 0; err == US_OK && i < US_IDENTIFIERS; i++) {
		if ((wanted & US_IDENTIFIER_BIT(i)) == 0)
			continue;
		s.identifier = (enum us_identifier)i;
		err = SCANNERS[i](&s);
	}
	if (err == US_OK && s.n != 0) {
		s.n = settle(s.spans, s.n);
		for (size_t i = 0; i < s.n; i++)
			to_bytes(&t, text, &s.spans[i]);
		*spans = s.spans;
		*n = s.n;
		s.spans = NULL; /* transferred */
	}
	free(s.spans);
	free_plain(&t, text.n);
	return err;
}
