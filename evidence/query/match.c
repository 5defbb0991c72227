/*
 * One pass over the text. Words are looked up among the query's; phrases are followed with one bit
 * for each of their positions, all phrases of a query side by side in one row of bits (Shift-And:
 * R. Baeza-Yates, G. Gonnet, "A new approach to text searching", 1992). A phrase may leave a
 * position out (words.h), where any word will do: such a bit is set in the mask of every word.
 * Pairs are not followed: two characters that stand side by side in the query's positions do so in
 * the text, and then their pair stands there too.
 */
#include "evidence/query/match.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/err.h"

#define FILTER_BITS 4096u

struct us_query_follow {
	const struct us_query *query;
	/* of words that may be the query's; most words of a text end here */
	uint64_t filter[FILTER_BITS / 64];
	uint8_t *seen;   /* for each of query->words: 1 */
	uint8_t *single; /* for spans: 1 for a word that is wanted by itself */
	/* the row: `row` words of 64 bits for each array */
	size_t row, bits;
	uint64_t *masks; /* (n_words + 1) rows; the last is that of any other word */
	uint64_t *state, *starts, *ends, *found;
	int skip_not;
	/* the text at hand */
	uint32_t next; /* the position that the state has not seen yet */
	/* spans only */
	size_t *lengths; /* for each bit that ends a phrase: its positions */
	size_t *offsets; /* ring: where the word at a position begins */
	size_t ring;     /* its size; 0: no spans are wanted */
	struct us_match_span *spans;
	size_t n_spans, cap_spans;
};

/* ---- the query, made ready ---- */

/* Positions a phrase takes, holes included. */
static size_t
phrase_length(const struct us_query_node *node)
{
	uint32_t last = 0;

	for (size_t i = 0; i < node->n_terms; i++)
		if (node->terms[i].kind != US_WORD_PAIR && node->terms[i].offset > last)
			last = node->terms[i].offset;
	return (size_t)last + 1;
}

static size_t
count_bits(const struct us_query_node *node, int skip_not, size_t *longest)
{
	size_t n = 0, length;

	if (node->op == US_QUERY_NOT && skip_not)
		return 0;
	if (node->op == US_QUERY_PHRASE) {
		length = phrase_length(node);
		if (length > *longest)
			*longest = length;
		return length;
	}
	for (size_t i = 0; i < node->n_children; i++)
		n += count_bits(node->children[i], skip_not, longest);
	return n;
}

static uint64_t
word_filter(const uint8_t *p, size_t n)
{
	return (p[0] * 31u + p[n - 1] * 131u + p[n / 2] * 17u + n * 523u) % FILTER_BITS;
}

/* The number of a word among the query's, or n_words. */
static size_t
word_number(const struct us_query_follow *f, const uint8_t *p, size_t n)
{
	size_t low = 0, high = f->query->n_words, middle;
	uint64_t bit = word_filter(p, n);
	int c;

	if ((f->filter[bit / 64] >> (bit % 64) & 1) == 0)
		return f->query->n_words;
	while (low < high) {
		const struct us_bytes *w;

		middle = low + (high - low) / 2;
		w = &f->query->words[middle];
		c = memcmp(w->p, p, w->n < n ? w->n : n);
		if (c == 0)
			c = (w->n > n) - (w->n < n);
		if (c == 0)
			return middle;
		if (c < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return f->query->n_words;
}

static void
set_bit(uint64_t *row, size_t bit)
{
	row[bit / 64] |= UINT64_C(1) << (bit % 64);
}

static void
add_phrase(struct us_query_follow *f, const struct us_query_node *node)
{
	size_t length = phrase_length(node), first = f->bits;
	const struct us_query_term *t;
	uint32_t before = 0;

	set_bit(f->starts, first);
	set_bit(f->ends, first + length - 1);
	if (f->lengths != NULL)
		f->lengths[first + length - 1] = length;
	for (size_t i = 0; i < node->n_terms; i++) {
		t = &node->terms[i];
		if (t->kind == US_WORD_PAIR)
			continue;
		for (uint32_t hole = before + 1; hole < t->offset; hole++)
			for (size_t w = 0; w <= f->query->n_words; w++)
				set_bit(f->masks + w * f->row, first + hole);
		set_bit(f->masks + word_number(f, t->word.p, t->word.n) * f->row,
		    first + t->offset);
		before = t->offset;
	}
	f->bits += length;
}

static void
add_node(struct us_query_follow *f, const struct us_query_node *node)
{
	if (node->op == US_QUERY_NOT && f->skip_not)
		return;
	if (node->op == US_QUERY_PHRASE)
		add_phrase(f, node);
	else if (node->op == US_QUERY_WORD)
		f->single[word_number(f, node->terms[0].word.p, node->terms[0].word.n)] = 1;
	for (size_t i = 0; i < node->n_children; i++)
		add_node(f, node->children[i]);
}

static void
follow_free(struct us_query_follow *f)
{
	us_wipe(f->spans, f->cap_spans * sizeof *f->spans);
	free(f->spans);
	free(f->offsets);
	free(f->lengths);
	free(f->masks);
	free(f->state);
	free(f->seen);
	free(f->single);
}

static int
follow_new(struct us_query_follow *f, const struct us_query *query, int spans)
{
	size_t longest = 1, bits = count_bits(query->root, spans, &longest);

	*f = (struct us_query_follow){ .query = query, .row = bits / 64 + 1, .skip_not = spans };
	f->seen = calloc(query->n_words + 1, 1);
	f->single = calloc(query->n_words + 1, 1);
	f->masks = calloc((query->n_words + 1) * f->row, sizeof *f->masks);
	f->state = calloc(4 * f->row, sizeof *f->state);
	if (spans) {
		f->ring = longest;
		f->lengths = calloc(bits + 1, sizeof *f->lengths);
		f->offsets = calloc(longest, sizeof *f->offsets);
	}
	if (f->seen == NULL || f->single == NULL || f->masks == NULL || f->state == NULL ||
	    (spans && (f->lengths == NULL || f->offsets == NULL))) {
		follow_free(f);
		return US_ERR_NOMEM;
	}
	f->starts = f->state + f->row;
	f->ends = f->starts + f->row;
	f->found = f->ends + f->row;
	for (size_t i = 0; i < query->n_words; i++)
		set_bit(f->filter, word_filter(query->words[i].p, query->words[i].n));
	add_node(f, query->root);
	return US_OK;
}

/* ---- the text ---- */

/* The next position holds word `number` (n_words: another, or none). */
static void
step(struct us_query_follow *f, size_t number)
{
	const uint64_t *mask = f->masks + number * f->row;
	uint64_t carry = 0, v;

	for (size_t i = 0; i < f->row; i++) {
		v = f->state[i];
		f->state[i] = ((v << 1 | carry) | f->starts[i]) & mask[i];
		carry = v >> 63;
		f->found[i] |= f->state[i] & f->ends[i];
	}
}

static int
add_span(struct us_query_follow *f, size_t start, size_t end)
{
	struct us_match_span *last = f->n_spans == 0 ? NULL : &f->spans[f->n_spans - 1];

	/* most of what overlaps does so with the one before; the rest is joined at the end */
	if (last != NULL && start >= last->start && start <= last->end) {
		if (end > last->end)
			last->end = end;
		return US_OK;
	}
	if (us_grow(&f->spans, f->n_spans, &f->cap_spans, sizeof *f->spans) != US_OK)
		return US_ERR_NOMEM;
	f->spans[f->n_spans++] = (struct us_match_span){ start, end };
	return US_OK;
}

/* Phrases that ended with the word at hand. */
static int
phrase_spans(struct us_query_follow *f, const struct us_word *w)
{
	uint64_t hits;
	size_t bit;
	int err = US_OK;

	for (size_t i = 0; i < f->row; i++) {
		for (hits = f->state[i] & f->ends[i]; err == US_OK && hits != 0; hits &= hits - 1) {
			bit = i * 64 + (size_t)__builtin_ctzll(hits);
			err = add_span(f, f->offsets[(w->position + 1 - f->lengths[bit]) % f->ring],
			    w->offset + w->length);
		}
	}
	return err;
}

static int
take_word(void *ctx, const struct us_word *w)
{
	struct us_query_follow *f = ctx;
	size_t number = word_number(f, w->p, w->n);
	int err = US_OK;

	f->seen[number] = 1;
	if (f->ring != 0 && number != f->query->n_words && f->single[number])
		err = add_span(f, w->offset, w->offset + w->length);
	if (w->kind == US_WORD_PAIR || f->bits == 0)
		return err;
	for (; f->next < w->position; f->next++)
		step(f, f->query->n_words); /* left out between two runs */
	step(f, number);
	f->next = w->position + 1;
	if (f->ring != 0 && err == US_OK) {
		f->offsets[w->position % f->ring] = w->offset;
		err = phrase_spans(f, w);
	}
	return err;
}

static int
scan(struct us_query_follow *f, struct us_bytes text)
{
	uint32_t position = 0;

	/* a message is a text of its own: no phrase reaches from one into the next
	 * (evidence/index/doc.h, US_DOC_GAP) */
	memset(f->state, 0, f->row * sizeof *f->state);
	f->next = 0;
	return us_words_scan(text.p, text.n, &position, take_word, f);
}

/* ---- the document ---- */

struct us_query_eval {
	const struct us_query_follow *f;
	const struct us_match_document *d;
	uint8_t roles;
	uint8_t value[3][US_WORD_MAX]; /* model, language, designation; folded */
	size_t value_n[3];
	size_t bit; /* of the next phrase: nodes are visited in the order of add_node() */
};

static int
eval_meta(const struct us_query_eval *e, const struct us_query_node *node)
{
	static const char *const ROLES[] = { NULL, "system", "user", "assistant", "tool" };
	size_t i = 0;

	switch (node->field) {
	case US_FIELD_ROLE:
		for (unsigned r = 1; r <= 4; r++)
			if (us_bytes_is(node->value, ROLES[r]))
				return e->roles >> r & 1;
		return 0;
	case US_FIELD_MODEL:
		i = 0;
		break;
	case US_FIELD_LANGUAGE:
		i = 1;
		break;
	case US_FIELD_DESIGNATION:
		i = 2;
		break;
	}
	return e->value_n[i] != 0 && e->value_n[i] == node->value.n &&
	    memcmp(e->value[i], node->value.p, node->value.n) == 0;
}

static int
eval_bates(const struct us_query_eval *e, const struct us_query_node *node)
{
	struct us_bytes prefix = e->d->bates_prefix;
	uint8_t c;

	if (node->prefix.n != 0 && node->prefix.n != prefix.n)
		return 0;
	for (size_t i = 0; i < node->prefix.n; i++) {
		c = prefix.p[i] >= 'a' && prefix.p[i] <= 'z' ? (uint8_t)(prefix.p[i] - 32) :
							       prefix.p[i];
		if (c != node->prefix.p[i])
			return 0;
	}
	return e->d->record >= node->first && e->d->record <= node->last;
}

static int
eval_date(const struct us_query_eval *e, const struct us_query_node *node)
{
	int64_t t = e->d->created_s;

	return t != INT64_MIN && t >= node->from_s && t < node->to_s;
}

static int
eval_phrase(struct us_query_eval *e, const struct us_query_node *node)
{
	size_t end;

	e->bit += phrase_length(node);
	end = e->bit - 1;
	return (int)(e->f->found[end / 64] >> (end % 64) & 1);
}

/* Goes through the whole tree, so that e->bit keeps step. */
static int
eval_node(struct us_query_eval *e, const struct us_query_node *node)
{
	int yes;

	switch (node->op) {
	case US_QUERY_ALL:
		return 1;
	case US_QUERY_WORD:
		return e->f->seen[word_number(e->f, node->terms[0].word.p, node->terms[0].word.n)];
	case US_QUERY_PHRASE:
		return eval_phrase(e, node);
	case US_QUERY_META:
		return eval_meta(e, node);
	case US_QUERY_DATE:
		return eval_date(e, node);
	case US_QUERY_BATES:
		return eval_bates(e, node);
	case US_QUERY_AND:
		yes = 1;
		for (size_t i = 0; i < node->n_children; i++)
			yes &= eval_node(e, node->children[i]);
		return yes;
	case US_QUERY_OR:
		yes = 0;
		for (size_t i = 0; i < node->n_children; i++)
			yes |= eval_node(e, node->children[i]);
		return yes;
	case US_QUERY_NOT:
		return !eval_node(e, node->children[0]);
	}
	return 0;
}

int
us_match(const struct us_query *query, const struct us_match_document *document, int *out)
{
	const struct us_bytes values[3] = { document->model, document->language,
		document->designation };
	struct us_query_eval e = { .d = document, .roles = document->roles };
	struct us_query_follow f;
	int err = follow_new(&f, query, 0);

	if (err != US_OK)
		return err;
	e.f = &f;
	for (size_t i = 0; err == US_OK && i < 3; i++)
		err = us_value_fold(values[i].p, values[i].n, e.value[i], &e.value_n[i]);
	for (size_t i = 0; err == US_OK && i < document->n_messages; i++) {
		if (document->roles == 0 && document->messages[i].role <= 4)
			e.roles |= (uint8_t)(1u << document->messages[i].role);
		if (query->n_words != 0)
			err = scan(&f, document->messages[i].text);
	}
	if (err == US_OK)
		*out = eval_node(&e, query->root);
	follow_free(&f);
	us_wipe(&e, sizeof e);
	return err;
}

/* ---- spans ---- */

static int
by_start(const void *a, const void *b)
{
	const struct us_match_span *x = a, *y = b;

	if (x->start != y->start)
		return x->start < y->start ? -1 : 1;
	return (x->end > y->end) - (x->end < y->end);
}

static size_t
join(struct us_match_span *s, size_t n)
{
	size_t kept = 0;

	if (n != 0)
		qsort(s, n, sizeof *s, by_start);
	for (size_t i = 0; i < n; i++) {
		if (kept == 0 || s[i].start > s[kept - 1].end)
			s[kept++] = s[i];
		else if (s[i].end > s[kept - 1].end)
			s[kept - 1].end = s[i].end;
	}
	return kept;
}

int
us_match_spans(const struct us_query *query, struct us_bytes text, struct us_match_span **spans,
    size_t *n)
{
	struct us_query_follow f;
	int err;

	*spans = NULL;
	*n = 0;
	err = follow_new(&f, query, 1);
	if (err != US_OK)
		return err;
	if (query->n_words != 0)
		err = scan(&f, text);
	if (err == US_OK && f.n_spans != 0) {
		*n = join(f.spans, f.n_spans);
		*spans = f.spans;
		f.spans = NULL; /* transferred */
		f.cap_spans = 0;
	}
	follow_free(&f);
	return err;
}
