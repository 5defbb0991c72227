/*
 * The query language: text in, tree out. The same language is used by people who search and by the
 * rules of a protective order.
 *
 *   query    = or
 *   or       = and { "OR" and }
 *   and      = not { ["AND"] not }         words side by side: all of them
 *   not      = { "NOT" } primary
 *   primary  = "(" or ")" | "*" | field | phrase | text
 *   phrase   = '"' ... '"'                 typographic quotes work too
 *   field    = name ":" (text | phrase)    no space around the colon
 *
 * Operators are upper case and stand alone. In any other spelling (or, Or, OR,) they are an error
 * at their place, since whoever writes "a or b" wants either and would get records that hold all
 * three words: the word itself is written in quotation marks. NOT binds closer than AND, AND closer
 * than OR. NOT is exact: all records but those. "*" is every record.
 *
 * Text up to the next space, quote or parenthesis is split into words as words.h says; if it holds
 * several (don't, e-mail, 3.14, and/or, a run of Chinese) they must stand side by side, as in a
 * phrase.
 *
 * Fields: model: language: designation: role: compare the whole value, folded (us_value_fold);
 * quotes for values with spaces. role: is one of system user assistant tool and finds records with
 * a message of that role. date: and created: (the same) take YYYY, YYYY-MM, YYYY-MM-DD or an RFC
 * 3339 time, or a range A..B of these whose ends are both inside (2023..2023-06-30 ends with that
 * day's last second), an end may be left out; date:* is every record whose date is known. bates:
 * takes a Bates number or a range; a prefix has ASCII letters, digits and - _ . / in it. A record
 * without a date is in no range.
 *
 * What is not supported yet (w/5, pre/5, wildcards, ~ stemming, % fuzzy) is an error at its
 * character, never silently another query.
 *
 * A parsed query is immutable: any number of threads may read it.
 */
#ifndef US_EVIDENCE_QUERY_QUERY_H
#define US_EVIDENCE_QUERY_QUERY_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "evidence/query/words.h"

#define US_QUERY_MAX (64u * 1024) /* bytes of text */
#define US_QUERY_DEPTH_MAX 64     /* nesting, parentheses and NOT */
#define US_QUERY_NODES_MAX 1000   /* nodes and the terms of phrases together */

enum us_query_op {
	US_QUERY_ALL,    /* every record */
	US_QUERY_WORD,   /* terms[0] */
	US_QUERY_PHRASE, /* terms[0 .. n_terms) */
	US_QUERY_META,   /* field, value */
	US_QUERY_DATE,   /* date */
	US_QUERY_BATES,  /* bates */
	US_QUERY_AND,    /* children, at least two */
	US_QUERY_OR,     /* children, at least two */
	US_QUERY_NOT,    /* children[0] */
};

enum us_query_field {
	US_FIELD_MODEL,
	US_FIELD_LANGUAGE,
	US_FIELD_DESIGNATION,
	US_FIELD_ROLE,
};

struct us_query_term {
	struct us_bytes word;
	enum us_word_kind kind; /* US_WORD_PAIR: only a filter, has no positions in the index */
	uint32_t offset;        /* relative to the phrase's first position; the smallest is 0 */
};

struct us_query_node {
	enum us_query_op op;
	size_t at; /* byte position in the query's text */
	/* AND, OR, NOT */
	struct us_query_node **children;
	size_t n_children;
	/* WORD, PHRASE; a phrase has at least two terms that are no pairs, by rising offset */
	struct us_query_term *terms;
	size_t n_terms;
	/* META: the value folded by us_value_fold() */
	enum us_query_field field;
	struct us_bytes value;
	/* DATE: seconds since the epoch, from <= t < to; open ends are INT64_MIN + 1 and
	 * INT64_MAX */
	int64_t from_s;
	int64_t to_s;
	/* BATES: record numbers, both ends inside; the prefix in upper case, empty if none was
	 * written (then it fits every collection); open ends are 0 and UINT64_MAX */
	struct us_bytes prefix;
	uint64_t first;
	uint64_t last;
};

struct us_query {
	const struct us_query_node *root;
	/* Content words, each once, sorted by bytes: what the log entry names and term keys are
	 * asked for. Without any the query is about metadata only. */
	const struct us_bytes *words;
	size_t n_words;
	/* One text for all spellings of the same tree; parses to an equal tree, whoever wrote
	 * it. */
	struct us_bytes canonical;
};

struct us_query_error {
	size_t at; /* byte position, 0 .. n */
	/* what is wrong and what would be right; printable, holds no more than a short piece of the
	 * query. Work product: do not log it */
	char message[200];
};

/*
 * Parses n bytes. On success *out is owned by the caller and freed with us_query_free(). *error
 * (may be NULL) is filled for US_ERR_FORMAT (syntax, unsupported operators), US_ERR_LIMIT (a limit
 * above) and US_ERR_ENCODING (not UTF-8). US_ERR_NOMEM. An empty query is US_ERR_FORMAT.
 */
int us_query_parse(const void *text, size_t n, struct us_query **out, struct us_query_error *error);
/* The same for the query of a compiled order, which its signers have read as it was read when it
 * was compiled: and, or, not that are no operators are words in it. What somebody writes now goes
 * through us_query_parse(), an order's source too. */
int us_query_parse_compiled(const void *text, size_t n, struct us_query **out,
    struct us_query_error *error);
/* Wipes (a query is work product) and frees; NULL is allowed. */
void us_query_free(struct us_query *q);
/* "model", "language" ... */
const char *us_query_field_name(enum us_query_field field);

#endif
