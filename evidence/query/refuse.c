/* What looks like another query language than ours, or like an operator and is none: refused, never
 * searched for as something else. */
#include "base/array.h"
#include "base/err.h"
#include "evidence/query/query_internal.h"

static int
is_alnum(uint8_t c)
{
	return (c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z');
}

/* w/5, pre/5, /5, near/5 ... as other tools write it */
static int
is_proximity(struct us_bytes t)
{
	static const char *const NAMES[] = { "", "w", "pre", "p", "n", "nw", "near", "onear",
		"within", "s" };
	size_t slash = 0, i;

	while (slash < t.n && t.p[slash] != '/')
		slash++;
	if (slash == t.n || slash > 6)
		return 0;
	for (i = slash + 1; i < t.n && t.p[i] >= '0' && t.p[i] <= '9'; i++)
		;
	if (i != t.n || i == slash + 1)
		return 0;
	for (size_t k = 0; k < US_COUNT(NAMES); k++) {
		for (i = 0; i < slash && NAMES[k][i] != '\0' && (t.p[i] | 32) == NAMES[k][i]; i++)
			;
		if (i == slash && NAMES[k][i] == '\0')
			return 1;
	}
	return 0;
}

int
us_query_refuse_text(struct us_parser *p, size_t start, size_t end)
{
	struct us_bytes t = { p->text + start, end - start };

	if (is_proximity(t))
		return us_query_fail(p, US_ERR_FORMAT, start,
		    "proximity is not supported yet; supported: AND OR NOT, ( ), \"phrases\", "
		    "fields");
	if (us_bytes_is(t, "&") || us_bytes_is(t, "&&"))
		return us_query_fail(p, US_ERR_FORMAT, start, "write AND");
	if (us_bytes_is(t, "|") || us_bytes_is(t, "||"))
		return us_query_fail(p, US_ERR_FORMAT, start, "write OR");
	if (t.n > 1 && (t.p[0] == '-' || t.p[0] == '+' || t.p[0] == '!') &&
	    (is_alnum(t.p[1]) || t.p[1] >= 0x80))
		return us_query_fail(p, US_ERR_FORMAT, start,
		    "a leading %c is no operator; write %s, or put the text in quotation marks",
		    t.p[0], t.p[0] == '+' ? "AND" : "NOT");
	for (size_t i = 0; i < t.n; i++) {
		if (t.p[i] == '*' || t.p[i] == '?' || (t.p[i] == '!' && i + 1 == t.n && i > 0))
			return us_query_fail(p, US_ERR_FORMAT, start + i,
			    "wildcards (* ? !) are not supported yet; for the character itself use "
			    "quotation marks");
		if (t.p[i] == '~' || t.p[i] == '%')
			return us_query_fail(p, US_ERR_FORMAT, start + i,
			    "%s is not supported yet; for the character itself use quotation marks",
			    t.p[i] == '~' ? "stemming or nearness (~)" : "fuzzy search (%)");
	}
	return US_OK;
}

int
us_query_refuse_word(struct us_parser *p, const struct us_query_node *node)
{
	const char *name = node->op == US_QUERY_WORD ? us_query_operator_like(node->terms[0].word) :
						       NULL;
	const char *does;

	if (name == NULL || p->words_like_operators)
		return US_OK;
	does = *name == 'A' ? "both must be there" :
	    *name == 'O'    ? "either will do" :
			      "without what follows";
	return us_query_fail(p, US_ERR_FORMAT, node->at,
	    "\"%.*s\" would be looked for as a word here: write %s, in capitals and alone (%s), or "
	    "\"%.*s\" in quotation marks (the word)",
	    (int)node->terms[0].word.n, (const char *)node->terms[0].word.p, name, does,
	    (int)node->terms[0].word.n, (const char *)node->terms[0].word.p);
}
