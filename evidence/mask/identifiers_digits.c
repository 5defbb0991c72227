/*
 * What is made of digits. A run is a row of groups of digits; between two groups stands what people
 * put there. Each class says what may stand there, so each goes over the text by itself; windows
 * over groups are bounded by the digits a class may have.
 */
#include <string.h>

#include "base/err.h"
#include "evidence/mask/identifiers_internal.h"

#define CARD_MIN 13
#define CARD_MAX 19
#define PHONE_MIN 7
#define PHONE_MAX 15 /* ITU-T E.164 6.1 */
#define IBAN_MIN 15
#define IBAN_MAX 34 /* ISO 13616-1 */
#define NUMBER_MIN 8
#define GROUPS_MAX 24

struct us_mask_group {
	size_t start, end;
};

static int
in(uint8_t c, const char *set)
{
	return c != 0 && c < 0x80 && strchr(set, c) != NULL;
}

static size_t
digits_end(const uint8_t *c, size_t i)
{
	while (us_is_digit(c[i]))
		i++;
	return i;
}

/* ---- number ---- */

int
us_scan_number(struct us_scan *s)
{
	const uint8_t *c = s->text->c;
	size_t n = s->text->n, end, digits;
	int err = US_OK;

	for (size_t i = 0; err == US_OK && i < n; i++) {
		if (!us_is_digit(c[i]))
			continue;
		end = digits_end(c, i);
		digits = end - i;
		while (in(c[end], " .-") && us_is_digit(c[end + 1])) {
			size_t from = end + 1;

			end = digits_end(c, from);
			digits += end - from;
		}
		if (digits >= NUMBER_MIN)
			err = us_scan_add(s, i, end);
		i = end - 1;
	}
	return err;
}

/* ---- ssn ---- */

static int
ssn_at(const uint8_t *c, size_t i)
{
	static const char FORM[] = "ddd-dd-dddd";
	uint8_t separator = c[i] == 0 || c[i + 1] == 0 || c[i + 2] == 0 ? 0 : c[i + 3];

	if (!in(separator, "- ."))
		return 0;
	for (size_t k = 0; k < sizeof FORM - 1; k++)
		if (FORM[k] == 'd' ? !us_is_digit(c[i + k]) : c[i + k] != separator)
			return 0;
	/* never given: areas 000, 666 and 9xx, groups 00, serial numbers 0000 (Social Security
	 * Administration, RM 10201.035) */
	return memcmp(c + i, "000", 3) != 0 && memcmp(c + i, "666", 3) != 0 && c[i] != '9' &&
	    memcmp(c + i + 4, "00", 2) != 0 && memcmp(c + i + 7, "0000", 4) != 0;
}

int
us_scan_ssn(struct us_scan *s)
{
	const uint8_t *c = s->text->c;
	size_t n = s->text->n;
	int err = US_OK;

	for (size_t i = 0; err == US_OK && i + 11 <= n; i++) {
		if (!us_is_digit(c[i]) || (i != 0 && us_is_digit(c[i - 1])) || !ssn_at(c, i) ||
		    us_is_digit(c[i + 11]))
			continue;
		err = us_scan_add(s, i, i + 11);
		i += 10;
	}
	return err;
}

/* ---- card ---- */

/* Groups from i on with one space or hyphen between; the end of the last. */
static size_t
card_groups(const uint8_t *c, size_t i, struct us_mask_group *g, size_t *n)
{
	size_t end;

	*n = 0;
	for (;;) {
		end = digits_end(c, i);
		g[(*n)++] = (struct us_mask_group){ i, end };
		if (*n == GROUPS_MAX || !in(c[end], " -") || !us_is_digit(c[end + 1]))
			return end;
		i = end + 1;
	}
}

/* ISO/IEC 7812-1 annex B over the digits of [start, end). */
static int
luhn(const uint8_t *c, size_t start, size_t end)
{
	unsigned sum = 0, twice = 0, v;

	for (size_t i = end; i > start; i--) {
		if (!us_is_digit(c[i - 1]))
			continue;
		v = (unsigned)(c[i - 1] - '0') << twice;
		sum += v > 9 ? v - 9 : v;
		twice ^= 1;
	}
	return sum % 10 == 0;
}

/* The longest window of whole groups from g[0] on that is a card's number: its groups, or 0. */
static size_t
card_window(const uint8_t *c, const struct us_mask_group *g, size_t n)
{
	size_t digits = 0, best = 0;

	for (size_t i = 0; i < n && digits <= CARD_MAX; i++) {
		digits += g[i].end - g[i].start;
		if (digits >= CARD_MIN && digits <= CARD_MAX && luhn(c, g[0].start, g[i].end))
			best = i + 1;
	}
	return best;
}

int
us_scan_card(struct us_scan *s)
{
	const uint8_t *c = s->text->c;
	struct us_mask_group g[GROUPS_MAX];
	size_t n = s->text->n, groups, taken;
	int err = US_OK;

	for (size_t i = 0; err == US_OK && i < n; i++) {
		if (!us_is_digit(c[i]))
			continue;
		(void)card_groups(c, i, g, &groups);
		taken = card_window(c, g, groups);
		if (taken != 0)
			err = us_scan_add(s, g[0].start, g[taken - 1].end);
		i = g[taken == 0 ? 0 : taken - 1].end; /* the next group begins behind this place */
	}
	return err;
}

/* ---- iban ---- */

/* A digit or letter behind a remainder mod 97, as ISO 7064 has it: letters are 10 to 35. */
static unsigned
mod97(unsigned r, uint8_t c)
{
	return us_is_digit(c) ? (r * 10 + (unsigned)(c - '0')) % 97 :
				(r * 100 + (unsigned)((c | 0x20) - 'a') + 10) % 97;
}

/* Behind the longest IBAN at i, or i. Groups with one space or hyphen between. */
static size_t
iban_end(const uint8_t *c, size_t i)
{
	size_t at, n = 4, best = i, head = i + 4;
	unsigned r = 0, whole;

	if (!us_is_alpha(c[i]) || !us_is_alpha(c[i + 1]))
		return i;
	if (in(c[i + 2], " -"))
		return i;
	if (!us_is_digit(c[i + 2]) || !us_is_digit(c[i + 3]))
		return i;
	for (at = head; n <= IBAN_MAX; at++) {
		if (us_is_alnum(c[at])) {
			if (++n > IBAN_MAX)
				break;
			r = mod97(r, c[at]);
			if (n >= IBAN_MIN && !us_is_alnum(c[at + 1])) {
				whole = r;
				for (size_t k = i; k < head; k++)
					whole = mod97(whole, c[k]);
				best = whole == 1 ? at + 1 : best;
			}
		} else if (!in(c[at], " -") || !us_is_alnum(c[at + 1])) {
			break;
		}
	}
	return best;
}

int
us_scan_iban(struct us_scan *s)
{
	const uint8_t *c = s->text->c;
	size_t n = s->text->n, end;
	int err = US_OK;

	for (size_t i = 0; err == US_OK && i + IBAN_MIN <= n; i++) {
		if (i != 0 && us_is_alnum(c[i - 1]))
			continue;
		end = iban_end(c, i);
		if (end == i)
			continue;
		err = us_scan_add(s, i, end);
		i = end - 1;
	}
	return err;
}

/* ---- phone ---- */

/* What may stand between two groups: at most three characters, spaces, hyphens, dots, slashes and
 * parentheses. The next group, or i. */
static size_t
phone_gap(const uint8_t *c, size_t i)
{
	size_t k = i;

	while (k - i < 3 && in(c[k], " .-/()"))
		k++;
	return us_is_digit(c[k]) ? k : i;
}

/* Groups from i on while there are at most PHONE_MAX digits; how many digits. A group that would
 * make it more ends them. */
static size_t
phone_groups(const uint8_t *c, size_t i, struct us_mask_group *g, size_t *n)
{
	size_t digits = 0, end, next;

	*n = 0;
	for (;;) {
		end = digits_end(c, i);
		if (*n == GROUPS_MAX || end - i > PHONE_MAX - digits)
			return digits;
		g[(*n)++] = (struct us_mask_group){ i, end };
		digits += end - i;
		next = phone_gap(c, end);
		if (next == end)
			return digits;
		i = next;
	}
}

static size_t
size_of(const struct us_mask_group *g)
{
	return g->end - g->start;
}

/* Years and days: 2024-01-31, 31.01.2024, 01/31/24 and what may follow them. */
static int
is_date(const uint8_t *c, const struct us_mask_group *g, size_t n)
{
	if (n < 3 || c[g[0].end] == ' ' || c[g[0].end] != c[g[1].end])
		return 0;
	return (size_of(&g[0]) == 4 && size_of(&g[1]) <= 2 && size_of(&g[2]) <= 2) ||
	    (size_of(&g[0]) <= 2 && size_of(&g[1]) <= 2 &&
		(size_of(&g[2]) == 4 || size_of(&g[2]) == 2));
}

/* Groups that a number in North American form takes: 1-555-123-4567, (555) 123-4567, 555.123.4567,
 * 555-1234; else 0. */
static size_t
north_american(const uint8_t *c, const struct us_mask_group *g, size_t n)
{
	size_t k = n > 0 && size_of(&g[0]) == 1 && c[g[0].start] == '1' ? 1 : 0;

	if (n >= k + 3 && size_of(&g[k]) == 3 && size_of(&g[k + 1]) == 3 && size_of(&g[k + 2]) == 4)
		return k + 3;
	if (n >= k + 2 && size_of(&g[k]) == 3 && size_of(&g[k + 1]) == 7)
		return k + 2;
	if (n >= 2 && size_of(&g[0]) == 3 && size_of(&g[1]) == 4 && in(c[g[0].end], "-.") &&
	    g[1].start == g[0].end + 1)
		return 2;
	return 0;
}

/* A number as other countries write it: a trunk prefix 0 or a part in parentheses. All groups, or
 * 0. */
static size_t
national(const uint8_t *c, const struct us_mask_group *g, size_t n, size_t digits, int parenthesis)
{
	if (digits < PHONE_MIN || is_date(c, g, n))
		return 0;
	if (n == 1 || (!parenthesis && c[g[0].start] != '0'))
		return 0;
	return digits >= 9 || parenthesis ? n : 0;
}

/* Digits with nothing between: ten or more behind a trunk prefix 0, or a mobile number as China
 * writes it (1, 3 to 9, nine more). */
static int
is_bare(const uint8_t *c, const struct us_mask_group *g)
{
	return (c[g->start] == '0' && size_of(g) >= 10 && size_of(g) <= 14) ||
	    (c[g->start] == '1' && size_of(g) == 11 && c[g->start + 1] >= '3');
}

/* " x123", " ext. 123" behind a number. */
static size_t
extension_end(const uint8_t *c, size_t end)
{
	size_t i = end, from;

	while (i - end < 2 && in(c[i], " ,"))
		i++;
	if ((c[i] | 0x20) == 'e' && (c[i + 1] | 0x20) == 'x' && (c[i + 2] | 0x20) == 't')
		i += 3;
	else if ((c[i] | 0x20) == 'x')
		i++;
	else
		return end;
	for (from = i; i - from < 2 && in(c[i], ". :#"); i++)
		;
	for (from = i; us_is_digit(c[i]); i++)
		;
	return i != from && i - from <= 7 ? i : end;
}

/* How many of the groups are a phone number. */
static size_t
phone_at(const uint8_t *c, const struct us_mask_group *g, size_t n, size_t digits, int plus,
    int parenthesis)
{
	size_t k;

	if (plus ||
	    (n > 1 && size_of(&g[0]) >= 2 && c[g[0].start] == '0' && c[g[0].start + 1] == '0' &&
		digits > 8))
		return digits >= PHONE_MIN ? n : 0;
	k = n >= 3 && size_of(&g[0]) == 3 && size_of(&g[1]) == 4 && size_of(&g[2]) == 4 ? 3 : 0;
	if (k == 0)
		k = north_american(c, g, n);
	if (k == 0)
		k = national(c, g, n, digits, parenthesis);
	if (k == 0 && n > 0 && is_bare(c, &g[0]))
		k = 1;
	return k;
}

int
us_scan_phone(struct us_scan *s)
{
	const uint8_t *c = s->text->c;
	struct us_mask_group g[GROUPS_MAX];
	size_t n = s->text->n, low = 0, start, end, groups, digits, taken;
	int err = US_OK, plus, parenthesis;

	for (size_t i = 0; err == US_OK && i < n; i++) {
		if (!us_is_digit(c[i]))
			continue;
		start = i;
		parenthesis = start > low && c[start - 1] == '(';
		start -= parenthesis ? 1 : 0;
		for (end = start; end > low && start - end < 2 && c[end - 1] == ' '; end--)
			;
		plus = end > low && c[end - 1] == '+' &&
		    (parenthesis || end == start || start - end == 1);
		start = plus ? end - 1 : start;
		digits = phone_groups(c, i, g, &groups);
		for (size_t k = 0; k + 1 < groups; k++)
			parenthesis |= memchr(c + g[k].end, '(', g[k + 1].start - g[k].end) != NULL;
		taken = phone_at(c, g, groups, digits, plus, parenthesis);
		if (taken == 0) {
			i = digits_end(c, i) - 1;
			continue;
		}
		end = extension_end(c, g[taken - 1].end);
		err = us_scan_add(s, start, end);
		low = end;
		i = end - 1;
	}
	return err;
}
