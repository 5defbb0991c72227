#include "verify/prefix.h"

#include "base/err.h"

int
us_verify_prefixes_add(struct us_verify_prefixes *p, uint64_t size, size_t *place)
{
	struct us_verify_prefix *new = &p->at[p->n];

	for (*place = 0; *place < p->n; ++*place)
		if (p->at[*place].size == size)
			return US_OK;
	if (p->n == PREFIXES_MAX)
		return US_ERR_LIMIT;
	new->size = size;
	new->last_ns = -1;
	new->known = size == 0;
	us_merkle_empty(&new->root);
	p->n++;
	return US_OK;
}

void
us_verify_prefixes_pass(struct us_verify_prefixes *p, const struct us_merkle_stream *before,
    const struct us_verify_bundle *b)
{
	const uint64_t start = b->n * US_TILE_WIDTH;
	struct us_merkle_stream stream;
	struct us_digest root;

	for (struct us_verify_prefix *x = p->at; x < p->at + p->n; x++) {
		if (x->size <= start || x->size - start > b->width)
			continue;
		stream = *before;
		us_merkle_root(&root, b->leaves, (size_t)(x->size - start));
		us_merkle_stream_add(&stream, &root);
		us_merkle_stream_root(&stream, &x->root);
		if (!b->foreign)
			x->last_ns = b->entries[x->size - start - 1].view.time_ns;
		x->known = 1;
	}
}
