#include "evidence/query/query.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/time.h"
#include "case/bates.h"
#include "evidence/query/query_internal.h"

#define BLOCK_SIZE 4096
#define ALIGN 16

struct us_arena_block {
	struct us_arena_block *next;
	size_t used;
	size_t size;
	size_t pad; /* data is aligned to 16 */
	uint8_t data[];
};

void *
us_query_alloc(struct us_query_owner *q, size_t n)
{
	struct us_arena_block *b = q->blocks;
	size_t size;
	void *p;

	if (n > SIZE_MAX / 4)
		return NULL;
	n = (n + ALIGN - 1) / ALIGN * ALIGN;
	if (n == 0)
		n = ALIGN;
	if (b == NULL || n > b->size - b->used) {
		size = n > BLOCK_SIZE ? n : BLOCK_SIZE;
		b = calloc(1, sizeof *b + size);
		if (b == NULL)
			return NULL;
		b->size = size;
		b->next = q->blocks;
		q->blocks = b;
	}
	p = b->data + b->used;
	b->used += n;
	return p;
}

void
us_query_free(struct us_query *pub)
{
	struct us_arena_block *b, *next;

	if (pub == NULL)
		return;
	/* the owner itself stands in the last block of the list */
	for (b = ((struct us_query_owner *)pub)->blocks; b != NULL; b = next) {
		next = b->next;
		us_wipe(b->data, b->used);
		free(b);
	}
}

int
us_query_fail(struct us_parser *p, int err, size_t at, const char *format, ...)
{
	va_list ap;

	p->error->at = at;
	va_start(ap, format);
	(void)vsnprintf(p->error->message, sizeof p->error->message, format, ap);
	va_end(ap);
	return err;
}

int
us_query_node(struct us_parser *p, enum us_query_op op, size_t at, size_t n,
    struct us_query_node **out)
{
	struct us_query_node *node;

	if (n + 1 > US_QUERY_NODES_MAX - p->nodes)
		return us_query_fail(p, US_ERR_LIMIT, at, "more than %d words and operators",
		    US_QUERY_NODES_MAX);
	p->nodes += n + 1;
	node = us_query_alloc(p->q, sizeof *node);
	if (node == NULL)
		return US_ERR_NOMEM;
	node->op = op;
	node->at = at;
	*out = node;
	return US_OK;
}

/* ---- canonical text ---- */

static int write_node(struct us_buf *b, const struct us_query_node *node, enum us_query_op parent);

const char *
us_query_operator_like(struct us_bytes word)
{
	if (us_bytes_is(word, "and"))
		return "AND";
	if (us_bytes_is(word, "or"))
		return "OR";
	return us_bytes_is(word, "not") ? "NOT" : NULL;
}

static int
write_terms(struct us_buf *b, const struct us_query_node *node)
{
	const struct us_query_term *t, *before = NULL;
	int err;

	if (node->op == US_QUERY_WORD && us_query_operator_like(node->terms[0].word) == NULL)
		return us_buf_put(b, node->terms[0].word.p, node->terms[0].word.n);
	err = us_buf_put_u8(b, '"');
	for (size_t i = 0; err == US_OK && i < node->n_terms; i++) {
		t = &node->terms[i];
		if (t->kind == US_WORD_PAIR)
			continue;
		if (before != NULL &&
		    (before->kind == US_WORD_PLAIN || t->kind == US_WORD_PLAIN ||
			t->offset != before->offset + 1))
			err = us_buf_put_u8(b, ' ');
		if (err == US_OK)
			err = us_buf_put(b, t->word.p, t->word.n);
		before = t;
	}
	return err != US_OK ? err : us_buf_put_u8(b, '"');
}

static int
write_meta(struct us_buf *b, const struct us_query_node *node)
{
	int err = us_buf_putf(b, "%s:\"", us_query_field_name(node->field));

	for (size_t i = 0; err == US_OK && i < node->value.n; i++) {
		if (node->value.p[i] == '"')
			err = us_buf_put_u8(b, '"');
		if (err == US_OK)
			err = us_buf_put_u8(b, node->value.p[i]);
	}
	return err != US_OK ? err : us_buf_put_u8(b, '"');
}

/* A day where the second is a day's first (or, for an end, its last), else the second. */
static int
write_time(struct us_buf *b, int64_t s, int end)
{
	char text[US_TIME_TEXT_SIZE];

	if ((s + end) % 86400 == 0)
		return us_buf_putf(b, "%s", us_time_format_date(s * US_NS_PER_SECOND, text));
	return us_buf_putf(b, "%s", us_time_format_s(s * US_NS_PER_SECOND, text));
}

static int
write_date(struct us_buf *b, const struct us_query_node *node)
{
	int open_from = node->from_s == INT64_MIN + 1, open_to = node->to_s == INT64_MAX;
	int err;

	if (open_from && open_to)
		return us_buf_putf(b, "date:*");
	err = us_buf_putf(b, "date:");
	if (err == US_OK && !open_from)
		err = write_time(b, node->from_s, 0);
	if (err == US_OK)
		err = us_buf_putf(b, "..");
	if (err == US_OK && !open_to)
		err = write_time(b, node->to_s - 1, 1);
	return err;
}

static int
write_bates(struct us_buf *b, const struct us_query_node *node)
{
	int err = us_buf_putf(b, "bates:");

	if (err == US_OK)
		err = us_bates_put(b, node->prefix, node->first);
	if (err == US_OK)
		err = us_buf_putf(b, "..");
	if (err == US_OK && node->last != UINT64_MAX)
		err = us_bates_put(b, node->prefix, node->last);
	return err;
}

static int
write_children(struct us_buf *b, const struct us_query_node *node, enum us_query_op parent)
{
	/* OR inside AND, and either inside NOT; AND inside OR needs none */
	int wrap = (parent == US_QUERY_NOT && node->op != US_QUERY_NOT) ||
	    (parent == US_QUERY_AND && node->op == US_QUERY_OR);
	int err = wrap ? us_buf_put_u8(b, '(') : US_OK;

	if (err == US_OK && node->op == US_QUERY_NOT)
		err = us_buf_putf(b, "NOT ");
	for (size_t i = 0; err == US_OK && i < node->n_children; i++) {
		if (i != 0)
			err = us_buf_putf(b, node->op == US_QUERY_AND ? " AND " : " OR ");
		if (err == US_OK)
			err = write_node(b, node->children[i], node->op);
	}
	return err != US_OK || !wrap ? err : us_buf_put_u8(b, ')');
}

static int
write_node(struct us_buf *b, const struct us_query_node *node, enum us_query_op parent)
{
	switch (node->op) {
	case US_QUERY_ALL:
		return us_buf_put_u8(b, '*');
	case US_QUERY_WORD:
	case US_QUERY_PHRASE:
		return write_terms(b, node);
	case US_QUERY_META:
		return write_meta(b, node);
	case US_QUERY_DATE:
		return write_date(b, node);
	case US_QUERY_BATES:
		return write_bates(b, node);
	case US_QUERY_AND:
	case US_QUERY_OR:
	case US_QUERY_NOT:
		return write_children(b, node, parent);
	}
	return US_ERR_INTERNAL;
}

/* ---- words ---- */

static int
compare_bytes(const void *a, const void *b)
{
	const struct us_bytes *x = a, *y = b;
	int c = memcmp(x->p, y->p, x->n < y->n ? x->n : y->n);

	return c != 0 ? c : (x->n > y->n) - (x->n < y->n);
}

static void
gather(const struct us_query_node *node, struct us_bytes *words, size_t *n)
{
	for (size_t i = 0; i < node->n_terms; i++) {
		if (words != NULL)
			words[*n] = node->terms[i].word;
		(*n)++;
	}
	for (size_t i = 0; i < node->n_children; i++)
		gather(node->children[i], words, n);
}

static int
set_words(struct us_query_owner *q)
{
	struct us_bytes *words;
	size_t n = 0, kept = 0;

	gather(q->pub.root, NULL, &n);
	if (n == 0)
		return US_OK;
	words = us_query_alloc(q, n * sizeof *words);
	if (words == NULL)
		return US_ERR_NOMEM;
	n = 0;
	gather(q->pub.root, words, &n);
	qsort(words, n, sizeof *words, compare_bytes);
	for (size_t i = 0; i < n; i++)
		if (kept == 0 || compare_bytes(&words[kept - 1], &words[i]) != 0)
			words[kept++] = words[i];
	q->pub.words = words;
	q->pub.n_words = kept;
	return US_OK;
}

int
us_query_finish(struct us_query_owner *q)
{
	struct us_buf b;
	uint8_t *copy;
	int err = set_words(q);

	/* folding may make text longer, and each operator may have been one space */
	us_buf_init(&b, (size_t)32 * US_QUERY_MAX);
	if (err == US_OK)
		err = write_node(&b, q->pub.root, US_QUERY_ALL);
	if (err == US_OK) {
		copy = us_query_alloc(q, b.len);
		if (copy == NULL) {
			err = US_ERR_NOMEM;
		} else {
			memcpy(copy, b.data, b.len);
			q->pub.canonical = (struct us_bytes){ copy, b.len };
		}
	}
	us_buf_free(&b);
	return err;
}
