/* What parse.c, fields.c and query.c share. */
#ifndef US_EVIDENCE_QUERY_QUERY_INTERNAL_H
#define US_EVIDENCE_QUERY_QUERY_INTERNAL_H

#include "evidence/query/query.h"

/* Memory of one tree: blocks that are wiped and freed together. */
struct us_arena_block;

struct us_query_owner {
	struct us_query pub; /* first: us_query_free() casts back */
	struct us_arena_block *blocks;
};

struct us_parser {
	const uint8_t *text;
	size_t n;
	size_t at;
	unsigned depth;
	size_t nodes;
	int words_like_operators; /* and, or, not may be words without quotation marks */
	struct us_query_owner *q;
	struct us_query_error *error; /* never NULL */
};

/* Zeroed memory of the tree, aligned for anything. NULL if there is none. */
void *us_query_alloc(struct us_query_owner *q, size_t n);
/* Fills p->error and returns err. */
int us_query_fail(struct us_parser *p, int err, size_t at, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* A node at byte position `at`, counted against the limit; n more count with it. */
int us_query_node(struct us_parser *p, enum us_query_op op, size_t at, size_t n,
    struct us_query_node **out);

/* A field and its value: views of the text (value perhaps with its doubled quotes undone) and their
 * byte positions. */
struct us_field_text {
	struct us_bytes name;
	size_t at;
	struct us_bytes value;
	size_t value_at;
};
/* The value of a field into a node of the tree. US_ERR_FORMAT, US_ERR_LIMIT, with p->error filled;
 * US_ERR_NOMEM. */
int
us_query_field_node(struct us_parser *p, const struct us_field_text *f, struct us_query_node **out);

/* refuse.c: text outside of quotation marks, [start, end) of p's, that is not supported. US_OK, or
 * US_ERR_FORMAT with p->error filled. */
int us_query_refuse_text(struct us_parser *p, size_t start, size_t end);
/* Text that came to nothing but the word of an operator, in whatever letters and with whatever
 * beside it. As above. */
int us_query_refuse_word(struct us_parser *p, const struct us_query_node *node);
/* "AND", "OR", "NOT" if the word is that operator in lower case; else NULL. */
const char *us_query_operator_like(struct us_bytes word);
/* Root into q->canonical; words into q->words. */
int us_query_finish(struct us_query_owner *q);

#endif
