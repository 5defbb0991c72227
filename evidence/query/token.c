#include "evidence/query/token.h"

#include <utf8proc.h>

#include "base/utf8.h"

enum us_query_mark
us_query_mark_at(const struct us_parser *p, size_t i, size_t *len)
{
	uint32_t c = 0;
	int category;

	*len = us_utf8_next(p->text + i, p->n - i, &c);
	if (c < 0x80) {
		if (c <= ' ' || c == 0x7f)
			return MARK_SPACE;
		return c == '(' ? MARK_OPEN :
		    c == ')'    ? MARK_CLOSE :
		    c == '"'    ? MARK_QUOTE :
				  MARK_NONE;
	}
	if (c == 0x201c || c == 0x201d || c == 0x201e)
		return MARK_CURLY;
	if (c == 0xff08 || c == 0xff09) /* fullwidth parentheses, as input methods give them */
		return c == 0xff08 ? MARK_OPEN : MARK_CLOSE;
	category = (int)utf8proc_category((utf8proc_int32_t)c);
	return category >= UTF8PROC_CATEGORY_ZS && category <= UTF8PROC_CATEGORY_ZP ? MARK_SPACE :
										      MARK_NONE;
}

void
us_query_skip_space(struct us_parser *p)
{
	size_t len;

	while (p->at < p->n && us_query_mark_at(p, p->at, &len) == MARK_SPACE)
		p->at += len;
}

size_t
us_query_text_end(const struct us_parser *p, size_t i)
{
	size_t len;

	while (i < p->n && us_query_mark_at(p, i, &len) == MARK_NONE)
		i += len;
	return i;
}

enum us_query_token
us_query_peek(struct us_parser *p)
{
	struct us_bytes text;
	size_t len;

	us_query_skip_space(p);
	if (p->at == p->n)
		return TOKEN_END;
	switch (us_query_mark_at(p, p->at, &len)) {
	case MARK_OPEN:
		return TOKEN_OPEN;
	case MARK_CLOSE:
		return TOKEN_CLOSE;
	case MARK_QUOTE:
	case MARK_CURLY:
		return TOKEN_QUOTE;
	case MARK_NONE:
	case MARK_SPACE:
		break;
	}
	text = (struct us_bytes){ p->text + p->at, us_query_text_end(p, p->at) - p->at };
	if (us_bytes_is(text, "AND"))
		return TOKEN_AND;
	if (us_bytes_is(text, "OR"))
		return TOKEN_OR;
	return us_bytes_is(text, "NOT") ? TOKEN_NOT : TOKEN_TEXT;
}
