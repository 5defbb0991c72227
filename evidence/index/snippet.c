#include "evidence/index/snippet.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/err.h"

#define WORDS_MAX 64 /* bits of a set; further words of a query do not count */

struct us_index_hit {
	size_t offset, length;
	unsigned word;
};

struct us_index_search {
	struct us_bytes words[WORDS_MAX];
	size_t n_words;
	struct us_index_hit *hits; /* of the message at hand */
	size_t n, cap;
};

static void
gather(struct us_index_search *s, const struct us_query_node *node)
{
	if (node->op == US_QUERY_NOT)
		return;
	for (size_t i = 0; i < node->n_terms && s->n_words < WORDS_MAX; i++)
		s->words[s->n_words++] = node->terms[i].word;
	for (size_t i = 0; i < node->n_children; i++)
		gather(s, node->children[i]);
}

static int
take_word(void *ctx, const struct us_word *w)
{
	struct us_index_search *s = ctx;
	for (unsigned i = 0; i < s->n_words; i++) {
		if (s->words[i].n != w->n || memcmp(s->words[i].p, w->p, w->n) != 0)
			continue;
		if (us_grow(&s->hits, s->n, &s->cap, sizeof *s->hits) != US_OK)
			return US_ERR_NOMEM;
		s->hits[s->n++] = (struct us_index_hit){ w->offset, w->length, i };
		break; /* the same word twice in the query is one word */
	}
	return US_OK;
}

/* The run of hits within `bytes` that has most distinct words, the first of these. */
static unsigned
best_run(const struct us_index_search *s, size_t bytes, size_t *first)
{
	unsigned best = 0, distinct;
	uint64_t seen;

	for (size_t i = 0; i < s->n; i++) {
		seen = 0;
		for (size_t k = i;
		     k < s->n && s->hits[k].offset + s->hits[k].length <= s->hits[i].offset + bytes;
		     k++)
			seen |= UINT64_C(1) << s->hits[k].word;
		if (seen == 0)
			seen = UINT64_C(1) << s->hits[i].word; /* longer than the window */
		distinct = (unsigned)__builtin_popcountll(seen);
		if (distinct > best) {
			best = distinct;
			*first = i;
		}
	}
	return best;
}

static int
is_boundary(const uint8_t *p, size_t n, size_t i)
{
	return i == 0 || i >= n || (p[i] & 0xc0) != 0x80;
}

/* A window of at most `bytes` bytes around [from, to), moved outward to spaces where one is
 * near. */
static void
set_window(struct us_bytes m, size_t from, size_t to, size_t bytes, struct us_snippet *out)
{
	size_t before, start, end, limit;

	if (to - from > bytes)
		to = from + bytes;
	before = (bytes - (to - from)) / 3;
	start = from > before ? from - before : 0;
	for (limit = start; limit < from && start != 0 && m.p[limit - 1] != ' '; limit++)
		;
	if (limit < from && limit - start < 24)
		start = limit;
	while (!is_boundary(m.p, m.n, start))
		start++;
	end = m.n - start > bytes ? start + bytes : m.n;
	if (end < m.n) {
		for (limit = end; limit > to && end - limit < 24 && m.p[limit] != ' '; limit--)
			;
		if (limit > to && m.p[limit] == ' ')
			end = limit;
	}
	while (end > start && !is_boundary(m.p, m.n, end))
		end--;
	out->text = (struct us_bytes){ m.p + start, end - start };
	out->cut_before = start != 0;
	out->cut_after = end != m.n;
}

static void
set_marks(const struct us_index_search *s, struct us_bytes m, struct us_snippet *out)
{
	size_t start = (size_t)(out->text.p - m.p), end = start + out->text.n, from, to;
	struct us_snippet_mark *last;

	out->n_marks = 0;
	for (size_t i = 0; i < s->n; i++) {
		from = s->hits[i].offset;
		to = from + s->hits[i].length;
		if (from < start || to > end)
			continue;
		last = out->n_marks == 0 ? NULL : &out->marks[out->n_marks - 1];
		if (last != NULL && from - start <= last->end) {
			/* touching or overlapping: one mark */
			if (to - start > last->end)
				last->end = (uint32_t)(to - start);
			continue;
		}
		if (out->n_marks == US_SNIPPET_MARKS_MAX)
			break;
		out->marks[out->n_marks++] = (struct us_snippet_mark){ (uint32_t)(from - start),
			(uint32_t)(to - start) };
	}
}

static int
scan_message(struct us_index_search *s, struct us_bytes m)
{
	uint32_t position = 0;

	s->n = 0;
	return us_words_scan(m.p, m.n, &position, take_word, s);
}

int
us_snippet_pick(const struct us_bytes *messages, size_t n_messages, const struct us_query *query,
    size_t bytes, struct us_snippet *out)
{
	struct us_snippet snippet = { .message = 0 };
	struct us_index_search s = { .n_words = 0 };
	unsigned best = 0, distinct;
	size_t first = 0, k;
	int err = US_OK;

	gather(&s, query->root);
	for (size_t i = 0;
	     err == US_OK && i < n_messages && (s.n_words != 0 || snippet.text.n == 0); i++) {
		if (messages[i].n == 0)
			continue;
		if (snippet.text.n == 0) {
			snippet.message = i;
			set_window(messages[i], 0, 0, bytes, &snippet);
		}
		err = scan_message(&s, messages[i]);
		distinct = err == US_OK ? best_run(&s, bytes * 2 / 3, &first) : 0;
		if (distinct <= best)
			continue;
		best = distinct;
		for (k = first; k + 1 < s.n &&
		     s.hits[k + 1].offset + s.hits[k + 1].length <=
			 s.hits[first].offset + bytes * 2 / 3;
		     k++)
			;
		snippet.message = i;
		set_window(messages[i], s.hits[first].offset, s.hits[k].offset + s.hits[k].length,
		    bytes, &snippet);
		set_marks(&s, messages[i], &snippet);
	}
	us_wipe(s.hits, s.cap * sizeof *s.hits);
	free(s.hits);
	if (err == US_OK)
		*out = snippet;
	return err;
}
