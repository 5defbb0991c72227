/* What the text of a query is made of: marks, operators and text between them. */
#ifndef US_EVIDENCE_QUERY_TOKEN_H
#define US_EVIDENCE_QUERY_TOKEN_H

#include "evidence/query/query_internal.h"

enum us_query_token {
	TOKEN_END,
	TOKEN_OPEN,
	TOKEN_CLOSE,
	TOKEN_QUOTE,
	TOKEN_AND,
	TOKEN_OR,
	TOKEN_NOT,
	TOKEN_TEXT
};

enum us_query_mark { MARK_NONE, MARK_SPACE, MARK_OPEN, MARK_CLOSE, MARK_QUOTE, MARK_CURLY };

/* What the character at i means for the grammar, and its length in bytes. The text is valid UTF-8
 * and goes on at i. */
enum us_query_mark us_query_mark_at(const struct us_parser *p, size_t i, size_t *len);
/* Moves behind blanks. */
void us_query_skip_space(struct us_parser *p);
/* The end of the text that begins at i: the next mark, or the end of all. */
size_t us_query_text_end(const struct us_parser *p, size_t i);
/* Moves behind blanks and says what stands there, without taking it. */
enum us_query_token us_query_peek(struct us_parser *p);

#endif
