/*
 * One pass over the text. Stretches of ASCII letters and digits between ASCII separators, nearly
 * all there is in most text, are lowered and given out at once. All else goes cluster by cluster (a
 * character and what combines with it) through folding into take_point(), which assembles words and
 * runs.
 */
#include "evidence/query/words.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/utf8.h"
#include "evidence/query/words_internal.h"

#define POSITION_MAX (UINT32_C(1) << 31)

struct us_query_span {
	size_t offset;
	size_t length;
};

enum us_query_last_unit { UNIT_NONE, UNIT_WORD, UNIT_RUN };

struct us_query_scan {
	us_word_fn *fn;
	void *ctx;
	uint32_t position; /* of the next word */
	enum us_query_last_unit last;
	/* the word being assembled, folded */
	struct us_buf word;
	struct us_query_span word_span;
	/* the last character of the run being assembled; prev_n 0: none */
	uint8_t prev[4];
	size_t prev_n;
	struct us_query_span prev_span;
};

/* 0 separator or not ASCII, else the lower-case form */
static const uint8_t LOWER[256] = {
	['0'] = '0',
	['1'] = '1',
	['2'] = '2',
	['3'] = '3',
	['4'] = '4',
	['5'] = '5',
	['6'] = '6',
	['7'] = '7',
	['8'] = '8',
	['9'] = '9',
	['A'] = 'a',
	['B'] = 'b',
	['C'] = 'c',
	['D'] = 'd',
	['E'] = 'e',
	['F'] = 'f',
	['G'] = 'g',
	['H'] = 'h',
	['I'] = 'i',
	['J'] = 'j',
	['K'] = 'k',
	['L'] = 'l',
	['M'] = 'm',
	['N'] = 'n',
	['O'] = 'o',
	['P'] = 'p',
	['Q'] = 'q',
	['R'] = 'r',
	['S'] = 's',
	['T'] = 't',
	['U'] = 'u',
	['V'] = 'v',
	['W'] = 'w',
	['X'] = 'x',
	['Y'] = 'y',
	['Z'] = 'z',
	['a'] = 'a',
	['b'] = 'b',
	['c'] = 'c',
	['d'] = 'd',
	['e'] = 'e',
	['f'] = 'f',
	['g'] = 'g',
	['h'] = 'h',
	['i'] = 'i',
	['j'] = 'j',
	['k'] = 'k',
	['l'] = 'l',
	['m'] = 'm',
	['n'] = 'n',
	['o'] = 'o',
	['p'] = 'p',
	['q'] = 'q',
	['r'] = 'r',
	['s'] = 's',
	['t'] = 't',
	['u'] = 'u',
	['v'] = 'v',
	['w'] = 'w',
	['x'] = 'x',
	['y'] = 'y',
	['z'] = 'z',
};

static int
give_word(struct us_query_scan *s, const uint8_t *p, size_t n, struct us_query_span span)
{
	struct us_word w = { .p = p,
		.n = n,
		.kind = US_WORD_PLAIN,
		.position = s->position,
		.offset = span.offset,
		.length = span.length };

	if (s->position >= POSITION_MAX)
		return US_ERR_LIMIT;
	s->position++;
	s->last = UNIT_WORD;
	return s->fn(s->ctx, &w);
}

static int
flush_word(struct us_query_scan *s)
{
	uint8_t cut[US_WORD_MAX];
	size_t n;
	int err;

	if (s->word.len == 0)
		return US_OK;
	if (s->word.len <= US_WORD_MAX) {
		err = give_word(s, s->word.data, s->word.len, s->word_span);
	} else {
		err = us_word_cut(s->word.data, s->word.len, US_WORD_MAX, cut, &n);
		if (err == US_OK)
			err = give_word(s, cut, n, s->word_span);
	}
	/* not reset: wiping every word costs more than it is worth here; freed wiped */
	s->word.len = 0;
	return err;
}

/* Gives out the held character of a run; next (may be NULL) is the one that follows it. */
static int
give_char(struct us_query_scan *s, const uint8_t *next, size_t next_n,
    struct us_query_span next_span)
{
	uint8_t pair[8];
	struct us_word w = { .position = s->position, .offset = s->prev_span.offset };
	int err = US_OK;

	if (s->position >= POSITION_MAX)
		return US_ERR_LIMIT;
	if (next != NULL) {
		memcpy(pair, s->prev, s->prev_n);
		memcpy(pair + s->prev_n, next, next_n);
		w.p = pair;
		w.n = s->prev_n + next_n;
		w.kind = US_WORD_PAIR;
		w.length = next_span.offset + next_span.length - w.offset;
		err = s->fn(s->ctx, &w);
	}
	if (err != US_OK)
		return err;
	w.p = s->prev;
	w.n = s->prev_n;
	w.kind = US_WORD_CHAR;
	w.length = s->prev_span.length;
	s->position++;
	s->last = UNIT_RUN;
	return s->fn(s->ctx, &w);
}

static int
flush_run(struct us_query_scan *s)
{
	int err;

	if (s->prev_n == 0)
		return US_OK;
	err = give_char(s, NULL, 0, s->prev_span);
	s->prev_n = 0;
	return err;
}

static int
flush(struct us_query_scan *s)
{
	int err = flush_word(s);

	return err != US_OK ? err : flush_run(s);
}

static int
take_run_char(struct us_query_scan *s, const uint8_t *p, size_t n, struct us_query_span span)
{
	int err = flush_word(s);

	if (err != US_OK)
		return err;
	if (s->prev_n != 0)
		err = give_char(s, p, n, span);
	else if (s->last == UNIT_RUN)
		s->position++; /* something separates two runs */
	memcpy(s->prev, p, n);
	s->prev_n = n;
	s->prev_span = span;
	return err;
}

/* One folded character. */
static int
take_point(struct us_query_scan *s, uint32_t c, struct us_query_span span)
{
	uint8_t utf8[4];
	size_t n = us_utf8_encode(c, utf8);
	int err = US_OK;

	switch (us_char_class(c)) {
	case US_CHAR_SEPARATOR:
		return flush(s);
	case US_CHAR_RUN:
		return take_run_char(s, utf8, n, span);
	case US_CHAR_WORD:
		err = flush_run(s);
		break;
	}
	if (err != US_OK)
		return err;
	if (s->word.len == 0)
		s->word_span = span;
	s->word_span.length = span.offset + span.length - s->word_span.offset;
	return us_buf_put(&s->word, utf8, n);
}

static int
take_cluster(struct us_query_scan *s, const uint8_t *text, struct us_query_span span)
{
	int32_t small[64], *points = small;
	size_t n;
	int err;

	err = us_fold_points(text + span.offset, span.length, small, 64, &points, &n);
	for (size_t i = 0; err == US_OK && i < n; i++)
		err = take_point(s, (uint32_t)points[i], span);
	if (points != small)
		free(points);
	return err;
}

/* The length of the cluster that begins at i with a character of first_n bytes. */
static size_t
cluster_length(const uint8_t *text, size_t n, size_t i, size_t first_n)
{
	size_t at = i + first_n, len;
	uint32_t c;

	while (at < n && text[at] >= 0x80) {
		len = us_utf8_next(text + at, n - at, &c);
		if (len == 0 || !us_char_extends(c))
			break;
		at += len;
	}
	return at - i;
}

/* From i on to the first separator; *end is behind what was taken. */
static int
take_mixed(struct us_query_scan *s, const uint8_t *text, size_t n, size_t i, size_t *end)
{
	struct us_query_span span;
	size_t len;
	uint32_t c;
	int err = US_OK;

	while (i < n && err == US_OK) {
		len = us_utf8_next(text + i, n - i, &c);
		if (len == 0 || (len == 1 ? LOWER[c] == 0 : us_char_class(c) == US_CHAR_SEPARATOR))
			break;
		span = (struct us_query_span){ i, cluster_length(text, n, i, len) };
		if (span.length == len && len == 1)
			err = take_point(s, LOWER[c], span);
		else if (span.length == len && us_char_is_stable(c))
			err = take_run_char(s, text + i, len, span);
		else
			err = take_cluster(s, text, span);
		i += span.length;
	}
	*end = i;
	return err != US_OK ? err : flush(s);
}

/* 1 if something that separates, or nothing, stands at i. */
static int
ends_word(const uint8_t *text, size_t n, size_t i)
{
	size_t len;
	uint32_t c;

	if (i == n)
		return 1;
	if (text[i] < 0x80)
		return LOWER[text[i]] == 0;
	len = us_utf8_next(text + i, n - i, &c);
	return len == 0 || us_char_class(c) == US_CHAR_SEPARATOR;
}

static int
scan_text(struct us_query_scan *s, const uint8_t *text, size_t n)
{
	uint8_t word[US_WORD_MAX];
	size_t i = 0, k, len;
	uint32_t c;
	int err = US_OK;

	while (i < n && err == US_OK) {
		for (k = 0; k < sizeof word && i + k < n && LOWER[text[i + k]] != 0; k++)
			word[k] = LOWER[text[i + k]];
		if (k != 0 && ends_word(text, n, i + k)) {
			err = give_word(s, word, k, (struct us_query_span){ i, k });
			i += k;
		} else if (k != 0) {
			err = take_mixed(s, text, n, i, &i);
		} else if (text[i] < 0x80) {
			i++;
		} else {
			len = us_utf8_next(text + i, n - i, &c);
			if (len == 0)
				i++;
			else if (us_char_class(c) == US_CHAR_SEPARATOR)
				i += len;
			else
				err = take_mixed(s, text, n, i, &i);
		}
	}
	us_wipe(word, sizeof word);
	return err;
}

int
us_words_scan(const void *text, size_t n, uint32_t *position, us_word_fn *fn, void *ctx)
{
	struct us_query_scan s = { .fn = fn, .ctx = ctx, .position = *position };
	int err;

	us_buf_init(&s.word, SIZE_MAX / 2);
	err = scan_text(&s, text, n);
	s.word.len = s.word.cap; /* wipe all that words left */
	us_buf_free(&s.word);
	if (err == US_OK)
		*position = s.position;
	return err;
}
