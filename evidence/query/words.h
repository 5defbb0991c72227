/*
 * What a word is. Intake, query parser, snippets and fingerprints all use this and nothing else.
 *
 * A word is a longest run of letters, combining marks and digits (Unicode general categories L*,
 * M*, N*); everything else separates, apostrophe, hyphen, underscore and bytes that are not UTF-8
 * included. It is folded with NFKC_Casefold (Unicode 15, utf8proc; UAX #44), which also drops
 * characters that are ignorable by default. Folding works on a base character and what combines
 * with it; should it bring out a separator (U+FDFA is a ligature of four words), the word is
 * split there.
 *
 * Han, Hiragana, Katakana, Thai, Lao, Khmer and Hangul put no spaces between words. A run of their
 * characters gives for each character a term of its own (US_WORD_CHAR, one position) and for each
 * adjacent pair a term (US_WORD_PAIR, at the position of its first character). So a query of
 * one character is one term, of two characters one term, and of n characters the n - 1 pairs as a
 * filter and the n characters adjacent by position. If something separates two such runs, one
 * position is left out between them: a query's characters are found where they stand side by side,
 * and not across a comma or line end. Pairs are stored without positions (the characters' are
 * enough), which makes such text a third smaller in the index.
 *
 * A word of more than US_WORD_MAX folded bytes is cut to its first 190 bytes or a little less (at
 * a character) and 64 hexadecimal digits of the SHA-256 of its whole folded form: still one term,
 * found by the same long word and by nothing else.
 *
 * Thread safe: no state outside the arguments.
 */
#ifndef US_EVIDENCE_QUERY_WORDS_H
#define US_EVIDENCE_QUERY_WORDS_H

#include <stddef.h>
#include <stdint.h>

#define US_WORD_MAX 255
#define US_VALUE_MAX 254 /* of a metadata value */

enum us_word_kind {
	US_WORD_PLAIN, /* a word of a script with spaces */
	US_WORD_CHAR,  /* one character of a script without; has a position of its own */
	US_WORD_PAIR,  /* two adjacent ones; a filter without positions */
};

struct us_word {
	const uint8_t *p; /* folded, UTF-8, no NUL behind; valid during the call only */
	size_t n;         /* 1 .. US_WORD_MAX */
	enum us_word_kind kind;
	uint32_t position; /* counted in words; a pair has that of its first character */
	size_t offset;     /* where the word stands in the source, in bytes; both ends are at */
	size_t length;     /* character boundaries of the source */
};

/* Called for each word in order of position (a pair before the character it begins with). A return
 * other than US_OK ends the scan, which returns it. */
typedef int us_word_fn(void *ctx, const struct us_word *w);

/*
 * Scans n bytes (UTF-8). *position is the position of the first word; on return it is one more
 * than the last position used, or unchanged if there was no word. Positions stop at 2^31:
 * US_ERR_LIMIT. US_ERR_NOMEM, or what fn returned.
 */
int us_words_scan(const void *text, size_t n, uint32_t *position, us_word_fn *fn, void *ctx);

/*
 * Folds a metadata value (a model's name, a language, a designation) to the form that is compared:
 * NFKC_Casefold of the whole, ASCII white space trimmed at both ends; cut like a word, to at most
 * US_VALUE_MAX bytes. *out_n may be 0. Bytes that are not UTF-8 become U+FFFD.
 * US_ERR_NOMEM.
 */
int us_value_fold(const void *text, size_t n, uint8_t out[US_WORD_MAX], size_t *out_n);

#endif
