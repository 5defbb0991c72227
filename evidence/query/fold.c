#include <stdlib.h>
#include <string.h>

#include <utf8proc.h>

#include "base/array.h"
#include "crypto/crypto.h"
#include "base/err.h"
#include "base/utf8.h"
#include "evidence/query/words_internal.h"

#define CUT_PREFIX 190
#define MARKS_MAX 30u
#define FOLD_OPTIONS \
	(UTF8PROC_STABLE | UTF8PROC_COMPOSE | UTF8PROC_COMPAT | UTF8PROC_CASEFOLD | UTF8PROC_IGNORE)

struct us_query_range {
	uint32_t first;
	uint32_t last;
};

/* Blocks of the scripts that words.h names (Unicode 15, Blocks.txt). Rising, for binary search.
 * What is no letter or mark in them is sorted out by its category before. */
static const struct us_query_range RUN_BLOCKS[] = {
	{ 0x0e00, 0x0eff },                     /* Thai, Lao */
	{ 0x1100, 0x11ff },                     /* Hangul Jamo */
	{ 0x1780, 0x17ff },                     /* Khmer */
	{ 0x3005, 0x3007 },                     /* ideographic iteration mark, closing mark, zero */
	{ 0x3021, 0x3029 },                     /* Hangzhou numerals */
	{ 0x3031, 0x3035 },                     /* kana repeat marks */
	{ 0x3038, 0x303c }, { 0x3040, 0x30ff }, /* Hiragana, Katakana */
	{ 0x3130, 0x318f },                     /* Hangul Compatibility Jamo */
	{ 0x31f0, 0x31ff },                     /* Katakana Phonetic Extensions */
	{ 0x3400, 0x4dbf },                     /* Han, extension A */
	{ 0x4e00, 0x9fff },                     /* Han */
	{ 0xa960, 0xa97f },                     /* Hangul Jamo Extended-A */
	{ 0xac00, 0xd7ff },                     /* Hangul syllables, Jamo Extended-B */
	{ 0xf900, 0xfaff },                     /* Han, compatibility */
	{ 0xff66, 0xffdc },                     /* halfwidth Katakana and Hangul */
	{ 0x1aff0, 0x1b16f },                   /* kana extensions */
	{ 0x20000, 0x3ffff },                   /* Han, further extensions */
};

static int
in_run_blocks(uint32_t c)
{
	size_t low = 0, high = US_COUNT(RUN_BLOCKS), middle;

	while (low < high) {
		middle = (low + high) / 2;
		if (c > RUN_BLOCKS[middle].last)
			low = middle + 1;
		else if (c < RUN_BLOCKS[middle].first)
			high = middle;
		else
			return 1;
	}
	return 0;
}

enum us_char_class
us_char_class(uint32_t c)
{
	int category;

	if ((c >= 0x4e00 && c <= 0x9fff) || (c >= 0xac00 && c <= 0xd7a3))
		return US_CHAR_RUN;
	category = (int)utf8proc_category((utf8proc_int32_t)c);
	if (category < UTF8PROC_CATEGORY_LU || category > UTF8PROC_CATEGORY_NO)
		return US_CHAR_SEPARATOR;
	if (c < 0x0e00 || category == UTF8PROC_CATEGORY_ND || category == UTF8PROC_CATEGORY_NO)
		return US_CHAR_WORD;
	return in_run_blocks(c) ? US_CHAR_RUN : US_CHAR_WORD;
}

int
us_char_extends(uint32_t c)
{
	int category;

	if (c < 0x300 || us_char_is_stable(c))
		return 0;
	if ((c >= 0x1100 && c <= 0x11ff) || (c >= 0x3131 && c <= 0x318e) ||
	    (c >= 0xd7b0 && c <= 0xd7ff) || (c >= 0xff9e && c <= 0xffdc))
		return 1;
	category = (int)utf8proc_category((utf8proc_int32_t)c);
	return category == UTF8PROC_CATEGORY_MN || category == UTF8PROC_CATEGORY_MC ||
	    category == UTF8PROC_CATEGORY_ME;
}

int
us_char_is_stable(uint32_t c)
{
	return (c >= 0x4e00 && c <= 0x9fff) || (c >= 0x3041 && c <= 0x3096) ||
	    (c >= 0x30a1 && c <= 0x30fa) || c == 0x30fc || (c >= 0xac00 && c <= 0xd7a3);
}

/* Folds all of it at once: sorting a run of marks takes the square of its length. */
static int
fold_piece(const uint8_t *p, size_t n, int32_t *small, size_t small_n, int32_t **out, size_t *out_n)
{
	utf8proc_ssize_t need, got;
	int32_t *points = small;
	size_t room = small_n;
	uint32_t c;

	/* one above the length is asked for by utf8proc_reencode() alone; kept free all the same */
	need = utf8proc_decompose(p, (utf8proc_ssize_t)n, points, (utf8proc_ssize_t)(room - 1),
	    FOLD_OPTIONS);
	if (need < 0)
		return need == UTF8PROC_ERROR_NOMEM ? US_ERR_NOMEM : US_ERR_ENCODING;
	if ((size_t)need > room - 1) {
		room = (size_t)need + 1;
		points = calloc(room, sizeof *points);
		if (points == NULL)
			return US_ERR_NOMEM;
		got = utf8proc_decompose(p, (utf8proc_ssize_t)n, points, need, FOLD_OPTIONS);
		if (got != need) {
			free(points);
			return US_ERR_ENCODING;
		}
	}
	need = utf8proc_normalize_utf32(points, need, FOLD_OPTIONS);
	if (need < 0) {
		if (points != small)
			free(points);
		return US_ERR_ENCODING;
	}
	for (size_t i = 0; i < (size_t)need; i++) {
		c = (uint32_t)points[i];
		if (c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
			points[i] = 0xfffd;
	}
	*out = points;
	*out_n = (size_t)need;
	return US_OK;
}

/* The length of what can be folded at once: up to the MARKS_MAX-th mark of a run of them, as in the
 * Stream-Safe Text Format (Unicode Standard Annex 15, section 13), where something else would stand
 * between these and the next. No word has so many. */
static size_t
piece_length(const uint8_t *p, size_t n)
{
	size_t at = 0, marks = 0, len;
	uint32_t c;

	if (n <= 2 * MARKS_MAX) /* a mark has two bytes at least */
		return n;
	while (at < n) {
		len = us_utf8_next(p + at, n - at, &c);
		if (len == 0)
			return n; /* that is found, and said, where it is folded */
		if (c < 0x300 || utf8proc_get_property((utf8proc_int32_t)c)->combining_class == 0)
			marks = 0;
		else if (++marks > MARKS_MAX)
			return at;
		at += len;
	}
	return n;
}

/* Piece by piece, one behind the other. */
static int
fold_pieces(const uint8_t *p, size_t n, int32_t **out, size_t *out_n)
{
	int32_t small[64], *piece, *all = NULL;
	size_t at = 0, len, piece_n, room = 0, all_n = 0;
	int err = US_OK;

	while (at < n && err == US_OK) {
		len = piece_length(p + at, n - at);
		err = fold_piece(p + at, len, small, 64, &piece, &piece_n);
		if (err != US_OK)
			break;
		err = us_grow_to(&all, all_n + piece_n, &room, sizeof *all);
		if (err == US_OK && piece_n > 0)
			memcpy(all + all_n, piece, piece_n * sizeof *all);
		all_n += piece_n;
		at += len;
		if (piece != small)
			free(piece);
	}
	if (err != US_OK) {
		free(all);
		return err;
	}
	*out = all;
	*out_n = all_n;
	return US_OK;
}

int
us_fold_points(const uint8_t *p, size_t n, int32_t *small, size_t small_n, int32_t **out,
    size_t *out_n)
{
	return piece_length(p, n) == n ? fold_piece(p, n, small, small_n, out, out_n) :
					 fold_pieces(p, n, out, out_n);
}

int
us_word_cut(const uint8_t *p, size_t n, size_t max, uint8_t out[US_WORD_MAX], size_t *out_n)
{
	static const char HEX[] = "0123456789abcdef";
	uint8_t digest[US_DIGEST_SIZE];
	size_t at = CUT_PREFIX;
	int err;

	if (n <= max) {
		memmove(out, p, n);
		*out_n = n;
		return US_OK;
	}
	err = us_sha256(p, n, digest);
	if (err != US_OK)
		return err;
	while (at > 0 && (p[at] & 0xc0) == 0x80)
		at--;
	memmove(out, p, at);
	for (size_t i = 0; i < sizeof digest; i++) {
		out[at++] = (uint8_t)HEX[digest[i] >> 4];
		out[at++] = (uint8_t)HEX[digest[i] & 15];
	}
	*out_n = at;
	return US_OK;
}

/* A copy with U+FFFD for each byte that belongs to no character. */
static int
put_valid(struct us_buf *b, const uint8_t *p, size_t n)
{
	size_t i = 0, len;
	uint32_t c;
	int err = US_OK;

	while (i < n && err == US_OK) {
		len = us_utf8_next(p + i, n - i, &c);
		err = len != 0 ? us_buf_put(b, p + i, len) : us_buf_put(b, "\xef\xbf\xbd", 3);
		i += len != 0 ? len : 1;
	}
	return err;
}

static int
is_white(uint8_t c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

int
us_value_fold(const void *text, size_t n, uint8_t out[US_WORD_MAX], size_t *out_n)
{
	struct us_buf valid, folded;
	int32_t small[256], *points = small;
	size_t n_points, first = 0, last, len;
	uint8_t utf8[4];
	int err;

	us_buf_init(&valid, SIZE_MAX / 2);
	us_buf_init(&folded, SIZE_MAX / 2);
	err = put_valid(&valid, text, n);
	if (err == US_OK)
		err = us_fold_points(valid.data, valid.len, small, 256, &points, &n_points);
	for (size_t i = 0; err == US_OK && i < n_points; i++) {
		len = us_utf8_encode((uint32_t)points[i], utf8);
		err = us_buf_put(&folded, utf8, len);
	}
	if (err == US_OK) {
		last = folded.len;
		while (first < last && is_white(folded.data[first]))
			first++;
		while (last > first && is_white(folded.data[last - 1]))
			last--;
		if (first == last)
			*out_n = 0;
		else
			err = us_word_cut(folded.data + first, last - first, US_VALUE_MAX, out,
			    out_n);
	}
	if (points != small)
		free(points);
	us_buf_free(&folded);
	us_buf_free(&valid);
	return err;
}
