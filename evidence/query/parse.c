#include <string.h>

#include "base/err.h"
#include "base/utf8.h"
#include "evidence/query/query_internal.h"
#include "evidence/query/token.h"

struct us_query_list {
	struct us_query_node **p;
	size_t n;
	size_t cap;
};

static int parse_or(struct us_parser *p, struct us_query_node **out);

static int
enter(struct us_parser *p)
{
	if (++p->depth > US_QUERY_DEPTH_MAX)
		return us_query_fail(p, US_ERR_LIMIT, p->at, "nested deeper than %d levels",
		    US_QUERY_DEPTH_MAX);
	return US_OK;
}

static int
list_add(struct us_parser *p, struct us_query_list *l, struct us_query_node *node)
{
	struct us_query_node **grown;
	size_t cap;

	if (l->n == l->cap) {
		cap = l->cap == 0 ? 4 : l->cap * 2;
		grown = us_query_alloc(p->q, cap * sizeof(struct us_query_node *));
		if (grown == NULL)
			return US_ERR_NOMEM;
		if (l->n != 0)
			memcpy(grown, l->p, l->n * sizeof(struct us_query_node *));
		l->p = grown;
		l->cap = cap;
	}
	l->p[l->n++] = node;
	return US_OK;
}

/* ---- words and phrases ---- */

struct us_query_collect {
	struct us_parser *p;
	size_t at;
	struct us_query_term *terms;
	size_t n;
	size_t cap;
	size_t plain, chars;
	uint32_t first;
};

static int
collect_word(void *ctx, const struct us_word *w)
{
	struct us_query_collect *c = ctx;
	struct us_query_term *grown;
	uint8_t *copy;
	size_t cap;

	if (c->n + c->p->nodes >= US_QUERY_NODES_MAX)
		return us_query_fail(c->p, US_ERR_LIMIT, c->at, "more than %d words and operators",
		    US_QUERY_NODES_MAX);
	if (c->n == c->cap) {
		cap = c->cap == 0 ? 4 : c->cap * 2;
		grown = us_query_alloc(c->p->q, cap * sizeof *grown);
		if (grown == NULL)
			return US_ERR_NOMEM;
		if (c->n != 0)
			memcpy(grown, c->terms, c->n * sizeof *grown);
		c->terms = grown;
		c->cap = cap;
	}
	copy = us_query_alloc(c->p->q, w->n);
	if (copy == NULL)
		return US_ERR_NOMEM;
	memcpy(copy, w->p, w->n);
	if (c->n == 0)
		c->first = w->position;
	c->terms[c->n++] = (struct us_query_term){ { copy, w->n }, w->kind,
		w->position - c->first };
	c->plain += w->kind == US_WORD_PLAIN;
	c->chars += w->kind == US_WORD_CHAR;
	return US_OK;
}

static int
words_node(struct us_parser *p, size_t start, size_t end, struct us_query_node **out)
{
	struct us_query_collect c = { .p = p, .at = start };
	struct us_query_node *node;
	uint32_t position = 0;
	int err;

	err = us_words_scan(p->text + start, end - start, &position, collect_word, &c);
	if (err != US_OK)
		return err;
	if (c.n == 0)
		return us_query_fail(p, US_ERR_FORMAT, start,
		    "no letter or digit here: there is nothing to search for");
	if (c.n == 3 && c.chars == 2 && c.terms[0].kind == US_WORD_PAIR)
		c.n = 1; /* two characters side by side: the pair says it all */
	err = us_query_node(p, c.n == 1 ? US_QUERY_WORD : US_QUERY_PHRASE, start, c.n - 1, &node);
	if (err != US_OK)
		return err;
	node->terms = c.terms;
	node->n_terms = c.n;
	*out = node;
	return US_OK;
}

/* The text inside the quotes at p->at; moves behind the closing one. With `doubled`, "" stands for
 * one quote and the caller undoes it. */
static int
quoted(struct us_parser *p, int doubled, size_t *start, size_t *end)
{
	size_t open = p->at, len, i;
	enum us_query_mark opened = us_query_mark_at(p, open, &len), m;

	for (i = open + len; i < p->n; i += len) {
		m = us_query_mark_at(p, i, &len);
		if (m != MARK_QUOTE && (m != MARK_CURLY || opened == MARK_QUOTE))
			continue;
		if (doubled && m == MARK_QUOTE && i + 1 < p->n && p->text[i + 1] == '"') {
			len = 2;
			continue;
		}
		us_query_mark_at(p, open, start);
		*start += open;
		*end = i;
		p->at = i + len;
		return US_OK;
	}
	return us_query_fail(p, US_ERR_FORMAT, open, "this quotation mark is not closed");
}

static int
parse_phrase(struct us_parser *p, struct us_query_node **out)
{
	size_t start, end;
	const uint8_t *star;
	int err = quoted(p, 0, &start, &end);

	if (err != US_OK)
		return err;
	star = end == start ? NULL : memchr(p->text + start, '*', end - start);
	if (star != NULL)
		return us_query_fail(p, US_ERR_FORMAT, (size_t)(star - p->text),
		    "wildcards are not supported yet, also not inside a phrase");
	return words_node(p, start, end, out);
}

/* ---- plain text ---- */

/* The length of a field's name at p->at, 0 if there is none. */
static size_t
field_name(const struct us_parser *p, size_t end)
{
	size_t i = p->at;

	while (i < end &&
	    (((p->text[i] | 32) >= 'a' && (p->text[i] | 32) <= 'z') || p->text[i] == '_'))
		i++;
	return i < end && i > p->at && p->text[i] == ':' ? i - p->at : 0;
}

static int
parse_field(struct us_parser *p, size_t name_n, size_t end, struct us_query_node **out)
{
	struct us_field_text f = { .name = { p->text + p->at, name_n }, .at = p->at };
	size_t start, stop, len, n = 0;
	uint8_t *value;
	enum us_query_mark next;
	int err;

	f.value_at = p->at + name_n + 1;
	p->at = end;
	next = end < p->n ? us_query_mark_at(p, end, &len) : MARK_NONE;
	if (end == f.value_at && (next == MARK_QUOTE || next == MARK_CURLY)) {
		err = quoted(p, 1, &start, &stop);
		if (err != US_OK)
			return err;
		value = us_query_alloc(p->q, stop - start + 1);
		if (value == NULL)
			return US_ERR_NOMEM;
		for (size_t i = start; i < stop; i++) {
			value[n++] = p->text[i];
			if (p->text[i] == '"' && i + 1 < stop && p->text[i + 1] == '"')
				i++;
		}
		f.value = (struct us_bytes){ value, n };
		f.value_at = start;
	} else if (end == f.value_at && next == MARK_OPEN) {
		return us_query_fail(p, US_ERR_FORMAT, end,
		    "a field takes one value; write (field:a OR field:b)");
	} else {
		f.value = (struct us_bytes){ p->text + f.value_at, end - f.value_at };
	}
	return us_query_field_node(p, &f, out);
}

static int
parse_text(struct us_parser *p, struct us_query_node **out)
{
	size_t start = p->at, end = us_query_text_end(p, p->at), name_n;
	int err;

	if (end - start == 1 && p->text[start] == '*') {
		p->at = end;
		return us_query_node(p, US_QUERY_ALL, start, 0, out);
	}
	name_n = field_name(p, end);
	if (name_n != 0)
		return parse_field(p, name_n, end, out);
	err = us_query_refuse_text(p, start, end);
	if (err != US_OK)
		return err;
	p->at = end;
	err = words_node(p, start, end, out);
	return err != US_OK ? err : us_query_refuse_word(p, *out);
}

/* ---- operators ---- */

static int
parse_primary(struct us_parser *p, struct us_query_node **out)
{
	size_t open, len;
	int err;

	switch (us_query_peek(p)) {
	case TOKEN_TEXT:
		return parse_text(p, out);
	case TOKEN_QUOTE:
		return parse_phrase(p, out);
	case TOKEN_OPEN:
		open = p->at;
		us_query_mark_at(p, open, &len);
		p->at += len;
		err = enter(p);
		if (err == US_OK)
			err = parse_or(p, out);
		if (err != US_OK)
			return err;
		p->depth--;
		if (us_query_peek(p) != TOKEN_CLOSE)
			return us_query_fail(p, US_ERR_FORMAT, open,
			    "this parenthesis is not closed");
		us_query_mark_at(p, p->at, &len);
		p->at += len;
		return US_OK;
	case TOKEN_AND:
	case TOKEN_OR:
		return us_query_fail(p, US_ERR_FORMAT, p->at,
		    "this operator has nothing on its left; for the word itself use quotation "
		    "marks");
	case TOKEN_CLOSE:
		return us_query_fail(p, US_ERR_FORMAT, p->at,
		    "a word, phrase or field must stand here");
	case TOKEN_END:
		return us_query_fail(p, US_ERR_FORMAT, p->n,
		    "the query ends where a word, phrase or field must stand");
	case TOKEN_NOT:
		break;
	}
	return US_ERR_INTERNAL; /* parse_not() has taken it */
}

static int
parse_not(struct us_parser *p, struct us_query_node **out)
{
	struct us_query_node *node, *child;
	size_t at;
	int err;

	if (us_query_peek(p) != TOKEN_NOT)
		return parse_primary(p, out);
	at = p->at;
	p->at += 3;
	err = enter(p);
	if (err == US_OK)
		err = parse_not(p, &child);
	if (err == US_OK)
		err = us_query_node(p, US_QUERY_NOT, at, 0, &node);
	if (err != US_OK)
		return err;
	p->depth--;
	node->children = us_query_alloc(p->q, sizeof(struct us_query_node *));
	if (node->children == NULL)
		return US_ERR_NOMEM;
	node->children[0] = child;
	node->n_children = 1;
	*out = node;
	return US_OK;
}

/* One child stands for itself. A child of the same kind (from parentheses) is taken apart, so that
 * one tree has one form. */
static int
join(struct us_parser *p, enum us_query_op op, struct us_query_list *l, struct us_query_node **out)
{
	struct us_query_list flat = { NULL, 0, 0 };
	struct us_query_node *node;
	int err;

	if (l->n == 1) {
		*out = l->p[0];
		return US_OK;
	}
	for (size_t i = 0; i < l->n; i++) {
		node = l->p[i];
		if (node->op != op) {
			err = list_add(p, &flat, node);
			if (err != US_OK)
				return err;
			continue;
		}
		for (size_t k = 0; k < node->n_children; k++) {
			err = list_add(p, &flat, node->children[k]);
			if (err != US_OK)
				return err;
		}
	}
	err = us_query_node(p, op, l->p[0]->at, 0, &node);
	if (err != US_OK)
		return err;
	node->children = flat.p;
	node->n_children = flat.n;
	*out = node;
	return US_OK;
}

static int
parse_and(struct us_parser *p, struct us_query_node **out)
{
	struct us_query_list l = { NULL, 0, 0 };
	struct us_query_node *child;
	enum us_query_token t;
	int err;

	for (;;) {
		err = parse_not(p, &child);
		if (err == US_OK)
			err = list_add(p, &l, child);
		if (err != US_OK)
			return err;
		t = us_query_peek(p);
		if (t == TOKEN_AND)
			p->at += 3;
		else if (t == TOKEN_END || t == TOKEN_CLOSE || t == TOKEN_OR)
			return join(p, US_QUERY_AND, &l, out);
	}
}

static int
parse_or(struct us_parser *p, struct us_query_node **out)
{
	struct us_query_list l = { NULL, 0, 0 };
	struct us_query_node *child;
	int err;

	for (;;) {
		err = parse_and(p, &child);
		if (err == US_OK)
			err = list_add(p, &l, child);
		if (err != US_OK)
			return err;
		if (us_query_peek(p) != TOKEN_OR)
			return join(p, US_QUERY_OR, &l, out);
		p->at += 2;
	}
}

static int
parse_all(struct us_parser *p)
{
	struct us_query_node *root;
	size_t valid;
	int err;

	if (p->n > US_QUERY_MAX)
		return us_query_fail(p, US_ERR_LIMIT, US_QUERY_MAX, "a query has at most %u bytes",
		    US_QUERY_MAX);
	valid = p->n == 0 ? 0 : us_utf8_valid_prefix(p->text, p->n);
	if (valid != p->n)
		return us_query_fail(p, US_ERR_ENCODING, valid, "not UTF-8");
	if (us_query_peek(p) == TOKEN_END)
		return us_query_fail(p, US_ERR_FORMAT, p->n,
		    "the query is empty; * finds every record");
	err = parse_or(p, &root);
	if (err != US_OK)
		return err;
	if (us_query_peek(p) != TOKEN_END)
		return us_query_fail(p, US_ERR_FORMAT, p->at, "this parenthesis closes nothing");
	p->q->pub.root = root;
	return us_query_finish(p->q);
}

static int
parse(struct us_parser *p, struct us_query **out, struct us_query_error *error)
{
	static const struct us_query_owner EMPTY;
	struct us_query_error unused;
	struct us_query_owner *q, first = EMPTY;
	int err;

	*out = NULL;
	q = us_query_alloc(&first, sizeof *q);
	if (q == NULL)
		return US_ERR_NOMEM;
	q->blocks = first.blocks;
	p->q = q;
	p->error = error != NULL ? error : &unused;
	*p->error = (struct us_query_error){ .at = 0 };
	err = parse_all(p);
	if (err != US_OK) {
		us_query_free(&q->pub);
		return err;
	}
	*out = &q->pub;
	return US_OK;
}

int
us_query_parse(const void *text, size_t n, struct us_query **out, struct us_query_error *error)
{
	struct us_parser p = { .text = text, .n = n };

	return parse(&p, out, error);
}

int
us_query_parse_compiled(const void *text, size_t n, struct us_query **out,
    struct us_query_error *error)
{
	struct us_parser p = { .text = text, .n = n, .words_like_operators = 1 };

	return parse(&p, out, error);
}
