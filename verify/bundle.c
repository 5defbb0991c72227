#include "verify/bundle.h"

#include <string.h>

#include "crypto/crypto.h"

static unsigned long long
num(uint64_t n)
{
	return (unsigned long long)n;
}

void
us_verify_bundle_init(struct us_verify_bundle *b)
{
	memset(b, 0, sizeof *b);
	us_buf_init(&b->data, US_BUNDLE_MAX);
	us_buf_init(&b->tile, US_TILE_WIDTH * US_HASH_LEN + 1);
	for (size_t i = 0; i < US_TILE_WIDTH; i++)
		us_opened_init(&b->entries[i]);
}

void
us_verify_bundle_free(struct us_verify_bundle *b)
{
	us_buf_free(&b->data);
	us_buf_free(&b->tile);
	for (size_t i = 0; i < US_TILE_WIDTH; i++)
		us_opened_free(&b->entries[i]);
	us_wipe(b, sizeof *b);
}

/* --- files ------------------------------------------------------------------------------- */

/* A tile or bundle. A log may have dropped a partial one once the full one was there, so that is
 * looked for next; *partial tells which it is. */
static int
get_part(const struct us_log_source *source, struct us_tile tile, uint64_t index,
    struct us_buf *out, int *partial, struct us_verify_finding *finding)
{
	char path[US_TILE_PATH_MAX], full[US_TILE_PATH_MAX];
	int err = us_tile_path(&tile, path, sizeof path);

	us_buf_reset(out);
	*partial = tile.width < US_TILE_WIDTH;
	if (err == US_OK)
		err = source->get(source->arg, path, out);
	if (err == US_ERR_NOT_FOUND && *partial) {
		tile.width = US_TILE_WIDTH;
		*partial = 0;
		err = us_tile_path(&tile, full, sizeof full);
		if (err == US_OK)
			err = source->get(source->arg, full, out);
	}
	switch (err) {
	case US_OK:
	case US_ERR_NOMEM:
		return err;
	case US_ERR_NOT_FOUND:
		return us_verify_found(finding, US_VERDICT_INCOMPLETE, index, "%s is missing",
		    path);
	case US_ERR_LIMIT:
		return us_verify_found(finding, US_VERDICT_TAMPERED, index,
		    "%s is larger than it can be", path);
	default:
		return us_verify_found(finding, US_VERDICT_UNVERIFIABLE, index,
		    "%s cannot be read: %s", path, us_strerror(err));
	}
}

int
us_verify_tile_get(const struct us_log_source *source, const struct us_tile *tile,
    struct us_buf *out, struct us_verify_finding *finding)
{
	const unsigned shift = 8 * tile->level;
	const uint64_t index = (tile->n << 8) << shift;
	size_t want;
	int partial, err = get_part(source, *tile, index, out, &partial, finding);

	if (err != US_OK)
		return err;
	want = (partial ? tile->width : US_TILE_WIDTH) * (size_t)US_HASH_LEN;
	if (out->len < want)
		return us_verify_found(finding, US_VERDICT_INCOMPLETE,
		    index + ((uint64_t)(out->len / US_HASH_LEN) << shift),
		    "tile %llu of level %u is cut short", num(tile->n), tile->level);
	if (out->len > want)
		return us_verify_found(finding, US_VERDICT_TAMPERED, index,
		    "tile %llu of level %u has more than its hashes", num(tile->n), tile->level);
	return US_OK;
}

/* --- boxes ------------------------------------------------------------------------------- */

static int
open_box(struct us_verify_bundle *b, struct us_opened *e, enum us_box box, const struct us_key *key)
{
	static const char *const name[US_BOXES] = { "access", "disclosure", "query" };
	const int err = us_opened_next(e, box, key);

	b->opened[box]++;
	if (err == US_OK || err == US_ERR_NOMEM)
		return err;
	return us_verify_found(&b->finding, US_VERDICT_TAMPERED, e->view.index,
	    us_opened_has(e, box) ?
		"the %s box of entry %llu holds nothing that belongs there: %s" :
		"the %s box of entry %llu and the key disclosed for it: %s",
	    name[box], num(e->view.index), us_strerror(err));
}

/* --- entries ----------------------------------------------------------------------------- */

/* What an entry says of itself, and what its boxes say as far as their keys (NULL: none) are
 * here. */
static int
check_entry(struct us_verify_bundle *b, struct us_bytes entry, uint64_t index,
    const struct us_export_keys *keys, struct us_opened *e)
{
	int err = us_opened_begin(e, entry);

	if (err == US_ERR_NOMEM)
		return err;
	if (err != US_OK)
		return us_verify_found(&b->finding, US_VERDICT_TAMPERED, index,
		    "entry %llu is malformed: %s", num(index), us_strerror(err));
	if (e->view.index != index)
		return us_verify_found(&b->finding, US_VERDICT_TAMPERED, index,
		    "entry %llu says that it is entry %llu", num(index), num(e->view.index));
	for (unsigned box = 0; keys != NULL && err == US_OK && box < US_BOXES; box++)
		if (keys->present[box])
			err = open_box(b, e, (enum us_box)box, &keys->keys[box]);
	return err;
}

/* An entry that does not fit its bundle: cut off, or was its length changed? An entry of ours tells
 * its own length. */
static int
bad_bundle(struct us_verify_bundle *b, const struct us_reader *before, uint64_t index)
{
	struct us_entry_view view;
	int err = US_ERR_TRUNCATED;

	if (!b->foreign && before->left > 2)
		err = us_entry_decode(&view, before->p + 2,
		    before->left - 2 < US_ENTRY_MAX ? before->left - 2 : US_ENTRY_MAX);
	if (err == US_ERR_TRUNCATED)
		return us_verify_found(&b->finding, US_VERDICT_INCOMPLETE, index,
		    "the bundle of entry %llu is cut short", num(index));
	return us_verify_found(&b->finding, US_VERDICT_TAMPERED, index,
	    "entry %llu does not have the length it states", num(index));
}

/* The keys of that entry: keys stand in the order of their indexes, and *at moves along. */
static const struct us_export_keys *
keys_of(const struct us_verify_bundle *b, uint64_t index, size_t *at)
{
	return *at < b->n_keys && b->keys[*at].index == index ? &b->keys[(*at)++] : NULL;
}

static int
check_entries(struct us_verify_bundle *b, int partial)
{
	struct us_reader r, before;
	struct us_bytes entry;
	uint64_t index = b->n * US_TILE_WIDTH;
	size_t at = 0;
	int err;

	us_reader_init(&r, b->data.data, b->data.len);
	for (; b->done < b->width; b->done++, index++) {
		before = r;
		entry = us_bundle_take(&r);
		if (r.err != US_OK)
			return bad_bundle(b, &before, index);
		us_merkle_leaf(&b->leaves[b->done], entry.p, entry.n);
		if (memcmp(b->tile.data + b->done * US_HASH_LEN, b->leaves[b->done].b,
			US_HASH_LEN) != 0)
			return us_verify_found(&b->finding, US_VERDICT_TAMPERED, index,
			    "entry %llu and its hash in the tree differ", num(index));
		err = b->foreign ?
		    US_OK :
		    check_entry(b, entry, index, keys_of(b, index, &at), &b->entries[b->done]);
		if (err != US_OK)
			return err;
	}
	/* Behind the entries of this tree a full bundle may hold later ones, if it stands in for a
	 * partial one. */
	if (r.left != 0 && (partial || b->width == US_TILE_WIDTH))
		return us_verify_found(&b->finding, US_VERDICT_TAMPERED, index - 1,
		    "bytes are left over behind entry %llu", num(index - 1));
	us_merkle_root(&b->root, b->leaves, b->width);
	return US_OK;
}

int
us_verify_bundle_check(struct us_verify_bundle *b, const struct us_log_source *source)
{
	const struct us_tile entries = { 1, 0, b->n, b->width }, hashes = { 0, 0, b->n, b->width };
	int partial = 0;

	b->done = 0;
	memset(b->opened, 0, sizeof b->opened);
	b->result = get_part(source, entries, b->n * US_TILE_WIDTH, &b->data, &partial,
	    &b->finding);
	if (b->result == US_OK)
		b->result = us_verify_tile_get(source, &hashes, &b->tile, &b->finding);
	if (b->result == US_OK)
		b->result = check_entries(b, partial);
	return b->result;
}
