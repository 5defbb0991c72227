#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "evidence/index/pack.h"
#include "evidence/index/reader_internal.h"

/* A list, or a piece of it, decrypted. Allocated; a byte more than n so that n may be 0. */
static int
read_list(struct us_segment *s, const struct us_chunk *c, const struct us_key *key, uint8_t **out)
{
	uint8_t *p = malloc((size_t)c->docs_n + 1);
	int err;

	if (p == NULL)
		return US_ERR_NOMEM;
	err = us_segment_read(s, &s->documents, c->docs_at, p, (size_t)c->docs_n);
	if (err == US_OK && key != NULL)
		err = us_chunk_crypt(key, US_LIST_DOCS, 0, p, (size_t)c->docs_n);
	if (err != US_OK) {
		free(p);
		return err;
	}
	*out = p;
	return US_OK;
}

static int
take_bitmap(struct us_reader *r, uint32_t n_docs, struct us_docs *d)
{
	struct us_bytes bits = us_take(r, (n_docs + 7) / 8);
	uint32_t n = 0, doc;
	unsigned byte;

	for (size_t i = 0; i < bits.n; i++) {
		for (byte = bits.p[i]; byte != 0; byte &= byte - 1) {
			doc = (uint32_t)(i * 8) + (uint32_t)__builtin_ctz(byte);
			if (n == d->n || doc >= n_docs)
				return US_ERR_FORMAT;
			d->docs[n++] = doc;
		}
	}
	if (r->err != US_OK)
		return r->err;
	return n == d->n ? US_OK : US_ERR_FORMAT;
}

static int
take_distances(struct us_reader *r, uint32_t n_docs, struct us_docs *d)
{
	uint64_t doc = 0;
	int err = us_pack_take(r, d->n, d->docs);

	for (uint32_t i = 0; err == US_OK && i < d->n; i++) {
		doc += d->docs[i];
		if (doc >= n_docs)
			return US_ERR_FORMAT;
		d->docs[i] = (uint32_t)doc++;
	}
	return err;
}

int
us_docs_read(struct us_segment *s, const struct us_chunk *c, const struct us_key *key,
    struct us_docs *out)
{
	const struct us_origin *o = &s->origins[c->origin];
	struct us_docs d = { .n = c->df };
	struct us_reader r;
	uint8_t *list = NULL;
	int err = read_list(s, c, key, &list);

	if (err != US_OK)
		return err;
	us_reader_init(&r, list, (size_t)c->docs_n);
	d.docs = malloc(d.n * sizeof *d.docs);
	d.counts = key == NULL ? NULL : malloc(d.n * sizeof *d.counts);
	if (d.docs == NULL || (key != NULL && d.counts == NULL))
		err = US_ERR_NOMEM;
	else if (us_is_dense(c->df, o->docs))
		err = take_bitmap(&r, o->docs, &d);
	else
		err = take_distances(&r, o->docs, &d);
	if (err == US_OK && key != NULL)
		err = us_pack_take(&r, d.n, d.counts);
	if (err == US_OK)
		err = us_reader_end(&r);
	us_wipe(list, (size_t)c->docs_n);
	free(list);
	for (uint32_t i = 0; err == US_OK && i < d.n; i++) {
		d.docs[i] += o->base;
		if (d.counts != NULL && ++d.counts[i] == 0)
			err = US_ERR_FORMAT;
	}
	if (err != US_OK) {
		us_docs_free(&d);
		return err;
	}
	*out = d;
	return US_OK;
}

void
us_docs_free(struct us_docs *d)
{
	free(d->docs);
	free(d->counts);
	*d = (struct us_docs){ .n = 0 };
}

static int
read_places(struct us_places *p, uint64_t at, uint8_t *out, size_t n)
{
	int err;

	if (at > p->chunk->positions_n || n > p->chunk->positions_n - at)
		return US_ERR_FORMAT;
	err = us_segment_read(p->s, &p->s->positions, p->chunk->positions_at + at, out, n);
	return err != US_OK ? err : us_chunk_crypt(p->key, US_LIST_POSITIONS, at, out, n);
}

static size_t
in_group(const struct us_places *p, uint64_t group)
{
	uint64_t left = p->n - group * US_PACK_GROUP;

	return left < US_PACK_GROUP ? (size_t)left : US_PACK_GROUP;
}

int
us_places_open(struct us_segment *s, const struct us_chunk *c, const struct us_key *key,
    const struct us_docs *docs, struct us_places *p)
{
	uint64_t groups, at;
	int err;

	*p = (struct us_places){ .s = s, .chunk = c, .key = key, .group = UINT64_MAX };
	for (uint32_t i = 0; i < docs->n; i++)
		p->n += docs->counts[i];
	groups = p->n / US_PACK_GROUP + (p->n % US_PACK_GROUP != 0);
	if (groups > c->positions_n)
		return US_ERR_FORMAT;
	p->widths = malloc((size_t)groups + 1);
	p->starts = malloc(((size_t)groups + 1) * sizeof *p->starts);
	err = p->widths == NULL || p->starts == NULL ? US_ERR_NOMEM :
						       read_places(p, 0, p->widths, (size_t)groups);
	at = groups;
	for (uint64_t g = 0; err == US_OK && g < groups; g++) {
		if (p->widths[g] > 32)
			err = US_ERR_FORMAT;
		p->starts[g] = at;
		at += us_pack_bytes(in_group(p, g), p->widths[g]);
	}
	if (err == US_OK && at != c->positions_n)
		err = US_ERR_FORMAT;
	if (err != US_OK)
		us_places_close(p);
	return err;
}

int
us_places_get(struct us_places *p, uint64_t i, uint32_t *value)
{
	uint8_t packed[US_PACK_GROUP * 4];
	uint64_t group = i / US_PACK_GROUP;
	size_t n, bytes;
	int err;

	if (i >= p->n)
		return US_ERR_FORMAT;
	if (group != p->group) {
		n = in_group(p, group);
		bytes = us_pack_bytes(n, p->widths[group]);
		err = read_places(p, p->starts[group], packed, bytes);
		if (err != US_OK)
			return err;
		us_unpack(packed, n, p->widths[group], p->values);
		p->group = group;
	}
	*value = p->values[i % US_PACK_GROUP];
	return US_OK;
}

void
us_places_close(struct us_places *p)
{
	free(p->widths);
	free(p->starts);
	p->widths = NULL;
	p->starts = NULL;
}
