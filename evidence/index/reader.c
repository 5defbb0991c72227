#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "evidence/index/doc.h"
#include "evidence/index/pack.h"
#include "evidence/index/reader_internal.h"

int
us_segment_read(struct us_segment *s, const struct us_section *section, uint64_t at, uint8_t *out,
    size_t n)
{
	const uint8_t *page;
	size_t in_page, now;
	int err;

	if (at > section->bytes || n > section->bytes - at)
		return US_ERR_TRUNCATED;
	while (n != 0) {
		err = s->source.get(s->source.ctx, section->first + (uint32_t)(at / US_PAGE_PLAIN),
		    &page);
		if (err != US_OK)
			return err;
		in_page = (size_t)(at % US_PAGE_PLAIN);
		now = n < US_PAGE_PLAIN - in_page ? n : US_PAGE_PLAIN - in_page;
		memcpy(out, page + in_page, now);
		out += now;
		at += now;
		n -= now;
	}
	return US_OK;
}

/* ---- opening ---- */

static int
find_trailer(struct us_segment *s)
{
	const uint8_t *page;
	struct us_reader r;
	struct us_section t;
	uint32_t pages;
	int err;

	if (s->source.pages == 0)
		return US_ERR_TRUNCATED;
	err = s->source.get(s->source.ctx, s->source.pages - 1, &page);
	if (err != US_OK)
		return err;
	us_reader_init(&r, page + US_PAGE_PLAIN - US_SEGMENT_TAIL, US_SEGMENT_TAIL);
	if (!us_bytes_is(us_take(&r, 8), US_SEGMENT_MAGIC) ||
	    us_take_u16(&r) != US_SEGMENT_VERSION || us_take_u16(&r) != 0)
		return US_ERR_FORMAT;
	pages = us_take_u32(&r);
	t.first = us_take_u32(&r);
	t.bytes = us_take_u32(&r);
	if (us_take_u64(&r) != 0 || pages != s->source.pages || t.first >= pages)
		return US_ERR_FORMAT;
	t.pages = pages - t.first;
	if (t.pages != (t.bytes + US_SEGMENT_TAIL + US_PAGE_PLAIN - 1) / US_PAGE_PLAIN)
		return US_ERR_FORMAT;
	s->trailer = t;
	return US_OK;
}

static int
compare(struct us_bytes a, struct us_bytes b)
{
	int c = memcmp(a.p, b.p, a.n < b.n ? a.n : b.n);

	return c != 0 ? c : (a.n > b.n) - (a.n < b.n);
}

static int
take_origins(struct us_segment *s, struct us_reader *r)
{
	uint32_t n = us_take_u16(r), next = 0;

	if (r->err != US_OK || n == 0 || n > US_SEGMENT_SOURCES_MAX)
		return US_ERR_FORMAT;
	s->origins = calloc(n, sizeof *s->origins);
	if (s->origins == NULL)
		return US_ERR_NOMEM;
	for (uint32_t i = 0; i < n; i++) {
		struct us_origin *o = &s->origins[i];

		o->base = us_take_u32(r);
		o->docs = us_take_u32(r);
		us_take_into(r, o->salt, sizeof o->salt);
		if (r->err != US_OK || o->base != next || o->docs == 0 || o->docs > s->docs - next)
			return US_ERR_FORMAT;
		next += o->docs;
	}
	s->n_origins = n;
	return next == s->docs ? US_OK : US_ERR_FORMAT;
}

static int
take_fences(struct us_segment *s, struct us_reader *r)
{
	s->fences = calloc((size_t)s->dictionary.pages + 1, sizeof *s->fences);
	if (s->fences == NULL)
		return US_ERR_NOMEM;
	for (uint32_t i = 0; i < s->dictionary.pages; i++) {
		s->fences[i] = us_take(r, us_take_u8(r) + (size_t)1);
		if (r->err != US_OK || (i != 0 && compare(s->fences[i - 1], s->fences[i]) >= 0))
			return US_ERR_FORMAT;
	}
	return us_reader_end(r);
}

static int
fits(const struct us_section *x)
{
	return x->bytes <= (uint64_t)x->pages * US_PAGE_PLAIN;
}

static int
take_trailer(struct us_segment *s)
{
	uint32_t positions, dictionary, columns, dict_pages;
	struct us_reader r;
	int err;

	us_reader_init(&r, s->trailer_bytes, (size_t)s->trailer.bytes);
	s->docs = us_take_u32(&r);
	positions = us_take_u32(&r);
	dictionary = us_take_u32(&r);
	columns = us_take_u32(&r);
	s->documents.bytes = us_take_u64(&r);
	s->positions.bytes = us_take_u64(&r);
	dict_pages = us_take_u32(&r);
	s->column_section.bytes = us_take_u64(&r);
	s->terms = us_take_u32(&r);
	if (r.err != US_OK || s->docs == 0 || s->docs > US_SEGMENT_DOCS_MAX ||
	    positions > dictionary || dictionary > columns || columns > s->trailer.first ||
	    dict_pages != columns - dictionary)
		return US_ERR_FORMAT;
	s->documents.pages = positions;
	s->positions.first = positions;
	s->positions.pages = dictionary - positions;
	s->dictionary = (struct us_section){ dictionary, dict_pages,
		(uint64_t)dict_pages * US_PAGE_PLAIN };
	s->column_section.first = columns;
	s->column_section.pages = s->trailer.first - columns;
	if (!fits(&s->documents) || !fits(&s->positions) || !fits(&s->column_section))
		return US_ERR_FORMAT;
	err = take_origins(s, &r);
	return err != US_OK ? err : take_fences(s, &r);
}

int
us_segment_open(const struct us_segment_source *source, struct us_segment **out)
{
	struct us_segment *s = calloc(1, sizeof *s);
	int err;

	*out = NULL;
	if (s == NULL)
		return US_ERR_NOMEM;
	s->source = *source;
	err = find_trailer(s);
	if (err == US_OK) {
		s->trailer_bytes = malloc((size_t)s->trailer.bytes + 1);
		err = s->trailer_bytes == NULL ?
		    US_ERR_NOMEM :
		    us_segment_read(s, &s->trailer, 0, s->trailer_bytes, (size_t)s->trailer.bytes);
	}
	if (err == US_OK)
		err = take_trailer(s);
	if (err != US_OK) {
		us_segment_close(s);
		return err;
	}
	*out = s;
	return US_OK;
}

void
us_segment_close(struct us_segment *s)
{
	if (s == NULL)
		return;
	for (size_t i = 0; i < US_COLUMNS; i++)
		free(s->columns[i].table);
	if (s->column_bytes != NULL)
		us_wipe(s->column_bytes, (size_t)s->column_section.bytes);
	if (s->trailer_bytes != NULL)
		us_wipe(s->trailer_bytes, (size_t)s->trailer.bytes);
	free(s->column_bytes);
	free(s->fences);
	free(s->origins);
	free(s->trailer_bytes);
	free(s);
}

uint32_t
us_segment_docs(const struct us_segment *s)
{
	return s->docs;
}

/* ---- columns ---- */

static int
take_table(struct us_column_view *v, struct us_reader *r)
{
	uint32_t n = us_take_u32(r);

	if (r->err != US_OK || n > r->left)
		return US_ERR_FORMAT;
	v->table = calloc((size_t)n + 1, sizeof *v->table);
	if (v->table == NULL)
		return US_ERR_NOMEM;
	for (uint32_t i = 0; i < n; i++)
		v->table[i] = us_take(r, us_take_u8(r));
	v->n_table = n;
	return r->err;
}

static int
take_column(struct us_segment *s, enum us_column c, struct us_reader *r)
{
	struct us_column_view *v = &s->columns[c];
	struct us_bytes bits;
	int err = US_OK;

	v->width = us_take_u8(r);
	v->base = (int64_t)us_take_u64(r);
	if (r->err != US_OK || v->width > 64)
		return US_ERR_FORMAT;
	bits = us_take(r, ((size_t)s->docs * v->width + 7) / 8);
	v->bits = bits.p;
	v->size = bits.n;
	if (r->err == US_OK && c >= US_COLUMN_MODEL)
		err = take_table(v, r);
	return err != US_OK ? err : r->err;
}

int
us_columns_load(struct us_segment *s)
{
	struct us_reader r;
	size_t n = (size_t)s->column_section.bytes;
	uint8_t *bytes;
	int err;

	if (s->column_bytes != NULL)
		return US_OK;
	bytes = malloc(n + 1);
	if (bytes == NULL)
		return US_ERR_NOMEM;
	err = us_segment_read(s, &s->column_section, 0, bytes, n);
	us_reader_init(&r, bytes, n);
	for (enum us_column c = US_COLUMN_CREATED; err == US_OK && c < US_COLUMNS; c++)
		err = take_column(s, c, &r);
	if (err == US_OK)
		err = us_reader_end(&r);
	if (err != US_OK) {
		for (size_t i = 0; i < US_COLUMNS; i++) {
			free(s->columns[i].table);
			s->columns[i] = (struct us_column_view){ .width = 0 };
		}
		free(bytes);
		return err;
	}
	s->column_bytes = bytes;
	return US_OK;
}

uint64_t
us_column_get(const struct us_segment *s, enum us_column c, uint32_t doc)
{
	const struct us_column_view *v = &s->columns[c];

	return us_bits_get(v->bits, v->size, (uint64_t)doc * v->width, v->width);
}

static int
table_value(const struct us_segment *s, enum us_column c, uint32_t doc, struct us_bytes *out)
{
	uint64_t id = us_column_get(s, c, doc);

	if (id > s->columns[c].n_table)
		return US_ERR_FORMAT;
	*out = id == 0 ? (struct us_bytes){ NULL, 0 } : s->columns[c].table[id - 1];
	return US_OK;
}

int
us_segment_doc(struct us_segment *s, uint32_t doc, struct us_segment_doc *out)
{
	struct us_segment_doc d = { .created_s = US_DOC_NO_TIME };
	uint64_t stored;
	int err;

	if (doc >= s->docs)
		return US_ERR_RANGE;
	err = us_columns_load(s);
	if (err != US_OK)
		return err;
	stored = us_column_get(s, US_COLUMN_CREATED, doc);
	if (stored != 0)
		d.created_s = (int64_t)((uint64_t)s->columns[US_COLUMN_CREATED].base + stored - 1);
	d.length = (uint32_t)us_column_get(s, US_COLUMN_LENGTH, doc);
	d.messages = (uint32_t)us_column_get(s, US_COLUMN_MESSAGES, doc);
	d.roles = (uint8_t)us_column_get(s, US_COLUMN_ROLES, doc);
	err = table_value(s, US_COLUMN_MODEL, doc, &d.model);
	if (err == US_OK)
		err = table_value(s, US_COLUMN_LANGUAGE, doc, &d.language);
	if (err == US_OK)
		err = table_value(s, US_COLUMN_DESIGNATION, doc, &d.designation);
	if (err == US_OK)
		*out = d;
	return err;
}
