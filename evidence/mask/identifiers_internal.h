/*
 * What the scanners of mask/ share: a text as one byte a character, in which the many spellings of
 * a digit, a hyphen or a space are one.
 */
#ifndef US_EVIDENCE_MASK_IDENTIFIERS_INTERNAL_H
#define US_EVIDENCE_MASK_IDENTIFIERS_INTERNAL_H

#include "evidence/mask/identifiers.h"

/* Characters above ASCII that have no ASCII form. */
#define US_SCAN_LETTER 0x80 /* a letter or mark of a script with spaces between words */
/* one of a script without (evidence/query/words.h): it may stand against an identifier without
 * being part of it */
#define US_SCAN_RUN 0x81
#define US_SCAN_OTHER 0x82

struct us_scan_text {
	uint8_t *c;   /* n characters and a 0 behind them */
	uint32_t *at; /* where each begins in the source; n + 1 of them */
	size_t n;
};

struct us_scan {
	const struct us_scan_text *text;
	enum us_identifier identifier;
	/* in characters until all are found; for one class they rise and are disjoint */
	struct us_identifier_span *spans;
	size_t n, cap;
};

/* [start, end) in characters. US_ERR_NOMEM. */
int us_scan_add(struct us_scan *s, size_t start, size_t end);

typedef int us_scan_fn(struct us_scan *s);
/* identifiers_net.c */
us_scan_fn us_scan_email, us_scan_url, us_scan_ip;
/* identifiers_digits.c */
us_scan_fn us_scan_phone, us_scan_card, us_scan_iban, us_scan_ssn, us_scan_number;

static inline int
us_is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}
static inline int
us_is_alpha(uint8_t c)
{
	return (uint8_t)((c | 0x20) - 'a') < 26;
}
static inline int
us_is_alnum(uint8_t c)
{
	return us_is_digit(c) || us_is_alpha(c);
}

#endif
