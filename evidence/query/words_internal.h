/* Character classes and folding shared by words.c and fold.c. */
#ifndef US_EVIDENCE_QUERY_WORDS_INTERNAL_H
#define US_EVIDENCE_QUERY_WORDS_INTERNAL_H

#include <stddef.h>
#include <stdint.h>

#include "evidence/query/words.h"

enum us_char_class { US_CHAR_SEPARATOR, US_CHAR_WORD, US_CHAR_RUN };

/* RUN: a letter or mark of a script without spaces between words. */
enum us_char_class us_char_class(uint32_t c);
/* 1 if c may combine with the character before it when folded: marks, Hangul jamo, halfwidth
 * voicing. */
int us_char_extends(uint32_t c);
/* 1 if c stands for itself in NFKC_Casefold unless something that extends follows it. */
int us_char_is_stable(uint32_t c);

/* NFKC_Casefold of n valid bytes as code points; *out is owned by the caller (free), or is `small`
 * if it was big enough. US_ERR_NOMEM, US_ERR_ENCODING. */
int us_fold_points(const uint8_t *p, size_t n, int32_t *small, size_t small_n, int32_t **out,
    size_t *out_n);
/* Cuts a folded word of more than max (at most US_WORD_MAX) bytes as words.h says. */
int us_word_cut(const uint8_t *p, size_t n, size_t max, uint8_t out[US_WORD_MAX], size_t *out_n);

#endif
