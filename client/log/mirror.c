#include "client/log/mirror_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "client/log/mirror_files.h"

#define PATIENCE_SECONDS 60u
#define PUT_OFF 429
#define NOT_NOW 503

/* ---- what bundles say ---- */

/* The leaves of a bundle of so many entries. */
static int
leaves_of(struct us_bytes bundle, unsigned width, struct us_digest leaf[US_TILE_WIDTH])
{
	struct us_reader r;

	us_reader_init(&r, bundle.p, bundle.n);
	for (unsigned i = 0; i < width; i++) {
		const struct us_bytes entry = us_bundle_take(&r);

		if (r.err != US_OK)
			return r.err;
		us_merkle_leaf(&leaf[i], entry.p, entry.n);
	}
	return us_reader_end(&r);
}

/* Whether it is full bundle n of the tree. leaf gets its leaves. */
static int
is_bundle(const struct us_mirror *m, uint64_t n, struct us_bytes bundle,
    struct us_digest leaf[US_TILE_WIDTH])
{
	struct us_digest root;

	if (leaves_of(bundle, US_TILE_WIDTH, leaf) != US_OK)
		return 0;
	us_merkle_root(&root, leaf, US_TILE_WIDTH);
	return memcmp(root.b, m->root[n].b, US_HASH_LEN) == 0;
}

static void
keep_leaves(struct us_mirror *m, uint64_t n, const struct us_digest leaf[US_TILE_WIDTH])
{
	struct us_mirror_leaves *at = &m->kept[n % LEAVES_KEPT];

	(void)pthread_mutex_lock(&m->lock);
	at->n = n;
	memcpy(at->leaf, leaf, sizeof at->leaf);
	(void)pthread_mutex_unlock(&m->lock);
}

int
us_mirror_path(uint64_t n, char path[US_TILE_PATH_MAX])
{
	const struct us_tile tile = { .entries = 1, .n = n, .width = US_TILE_WIDTH };

	return us_tile_path(&tile, path, US_TILE_PATH_MAX);
}

/* ---- opening ---- */

static int
fetch_counted(struct us_mirror *m, const char *path, struct us_buf *out)
{
	const size_t before = out->len;
	const int err = us_log_fetch(m->log, path, out);

	m->counts.bytes += out->len - before;
	return err;
}

/* A tile of level 1: kept if it is full, unless anew. */
static int
read_hashes(struct us_mirror *m, uint64_t n, int anew)
{
	const struct us_tile tile = { .level = 1, .n = n, .width = us_tile_width(m->size, 1, n) };
	const size_t want = (size_t)tile.width * US_HASH_LEN;
	const int full = tile.width == US_TILE_WIDTH;
	char path[US_TILE_PATH_MAX];
	struct us_buf bytes;
	int err = us_tile_path(&tile, path, sizeof path);

	us_buf_init(&bytes, US_TILE_WIDTH * US_HASH_LEN);
	if (err == US_OK)
		err = full && !anew ? us_mirror_file_read(m->profile, path, &bytes) :
				      US_ERR_NOT_FOUND;
	if (err != US_OK || bytes.len != want) {
		us_buf_reset(&bytes);
		err = fetch_counted(m, path, &bytes);
		if (err == US_OK && bytes.len == want && full &&
		    us_mirror_file_write(m->profile, path,
			(struct us_bytes){ bytes.data, bytes.len }) != US_OK)
			m->counts.unwritable = errno;
	}
	if (err == US_OK && bytes.len != want)
		err = US_ERR_VERIFY;
	if (err == US_OK)
		memcpy(m->root[n * US_TILE_WIDTH].b, bytes.data, want);
	us_buf_free(&bytes);
	return err;
}

/* Whether hashes and tail give the root that was signed. */
static int
gives_root(const struct us_mirror *m, const struct us_checkpoint *at)
{
	struct us_digest leaf[US_TILE_WIDTH], root;
	const unsigned width = (unsigned)(m->size % US_TILE_WIDTH);
	struct us_merkle_stream stream;

	us_merkle_stream_init(&stream);
	for (uint64_t i = 0; i < m->n; i++)
		us_merkle_stream_add(&stream, &m->root[i]);
	if (width > 0) {
		if (leaves_of((struct us_bytes){ m->tail.data, m->tail.len }, width, leaf) != US_OK)
			return 0;
		us_merkle_root(&root, leaf, width);
		us_merkle_stream_add(&stream, &root);
	}
	us_merkle_stream_root(&stream, &root);
	return memcmp(root.b, at->root.b, US_HASH_LEN) == 0;
}

static int
read_tail(struct us_mirror *m)
{
	const struct us_tile tile = { .entries = 1,
		.n = m->n,
		.width = (unsigned)(m->size % US_TILE_WIDTH) };
	char path[US_TILE_PATH_MAX];
	int err = US_OK;

	if (tile.width > 0)
		err = us_tile_path(&tile, path, sizeof path);
	if (tile.width > 0 && err == US_OK)
		err = fetch_counted(m, path, &m->tail);
	return err;
}

static int
read_level(struct us_mirror *m, const struct us_checkpoint *at)
{
	int err = read_tail(m), good = 0;

	for (int anew = 0; err == US_OK && !good && anew < 2; anew++) {
		for (uint64_t i = 0; err == US_OK && i * US_TILE_WIDTH < m->n; i++)
			err = read_hashes(m, i, anew);
		good = err == US_OK && gives_root(m, at);
	}
	return err == US_OK && !good ? US_ERR_VERIFY : err;
}

int
us_mirror_open(struct us_mirror **out, struct us_log_fetcher *log, const struct us_checkpoint *at)
{
	struct us_mirror *m = calloc(1, sizeof *m);
	int err;

	*out = NULL;
	if (m == NULL)
		return US_ERR_NOMEM;
	m->profile = us_client_profile(log->client)->directory;
	m->log = log;
	m->size = at->size;
	m->n = at->size / US_TILE_WIDTH;
	m->counts.bundles = m->n;
	(void)pthread_mutex_init(&m->lock, NULL);
	(void)pthread_mutex_init(&m->asking, NULL);
	us_buf_init(&m->tail, US_BUNDLE_MAX);
	for (size_t i = 0; i < LEAVES_KEPT; i++)
		m->kept[i].n = UINT64_MAX;
	m->root = calloc((size_t)m->n + US_TILE_WIDTH, sizeof *m->root);
	err = m->root == NULL ? US_ERR_NOMEM : read_level(m, at);
	if (err != US_OK) {
		us_mirror_close(m);
		return err;
	}
	*out = m;
	return US_OK;
}

void
us_mirror_close(struct us_mirror *m)
{
	if (m == NULL)
		return;
	us_buf_free(&m->tail);
	(void)pthread_mutex_destroy(&m->lock);
	(void)pthread_mutex_destroy(&m->asking);
	free(m->root);
	free(m);
}

void
us_mirror_root(const struct us_mirror *m, uint64_t bundles, struct us_digest *root)
{
	struct us_merkle_stream stream;

	us_merkle_stream_init(&stream);
	for (uint64_t i = 0; i < bundles && i < m->n; i++)
		us_merkle_stream_add(&stream, &m->root[i]);
	us_merkle_stream_root(&stream, root);
}

void
us_mirror_hold(struct us_mirror *m)
{
	(void)pthread_mutex_lock(&m->asking);
}

void
us_mirror_release(struct us_mirror *m)
{
	(void)pthread_mutex_unlock(&m->asking);
}

struct us_mirror_counts
us_mirror_counts(const struct us_mirror *m)
{
	return m->counts;
}

/* ---- fetching ---- */

/* One file; what the vault puts off is asked for again. */
static int
ask(struct us_log_fetcher *from, const char *path, struct us_buf *out)
{
	for (unsigned i = 0;; i++) {
		const size_t before = out->len;
		const int err = us_log_fetch(from, path, out);

		/* by the client's own connection it has been waited for */
		if (from->http == NULL || i == PATIENCE_SECONDS ||
		    (from->answered != PUT_OFF && from->answered != NOT_NOW))
			return err;
		out->len = before;
		(void)sleep(1);
	}
}

/* Full bundle n and the tile of its hashes, which has to say the same: it is not kept, but
 * whoever fetches the log without a mirror would be given it. *bytes: what came. */
static int
ask_bundle(const struct us_mirror *m, struct us_log_fetcher *from, uint64_t n,
    struct us_buf *bundle, size_t *bytes)
{
	const struct us_tile tile = { .n = n, .width = US_TILE_WIDTH };
	struct us_digest leaf[US_TILE_WIDTH];
	char path[US_TILE_PATH_MAX];
	struct us_buf hashes;
	int err = us_mirror_path(n, path);

	us_buf_reset(bundle);
	us_buf_init(&hashes, 2 * sizeof leaf);
	if (err == US_OK)
		err = ask(from, path, bundle);
	if (err == US_OK)
		err = us_tile_path(&tile, path, sizeof path);
	if (err == US_OK)
		err = ask(from, path, &hashes);
	if (err == US_OK &&
	    (!is_bundle(m, n, (struct us_bytes){ bundle->data, bundle->len }, leaf) ||
		hashes.len != sizeof leaf || memcmp(hashes.data, leaf, sizeof leaf) != 0))
		err = US_ERR_VERIFY;
	*bytes = bundle->len + hashes.len;
	us_buf_free(&hashes);
	return err;
}

int
us_mirror_bring(struct us_mirror *m, struct us_log_fetcher *from, uint64_t n, struct us_buf *bundle)
{
	char path[US_TILE_PATH_MAX];
	size_t bytes;
	int err = ask_bundle(m, from, n, bundle, &bytes), why = 0;

	if (err == US_OK)
		err = us_mirror_path(n, path);
	if (err != US_OK)
		return err;
	if (us_mirror_file_write(m->profile, path,
		(struct us_bytes){ bundle->data, bundle->len }) != US_OK)
		why = errno;
	(void)pthread_mutex_lock(&m->lock);
	m->counts.fetched++;
	m->counts.bytes += bytes;
	if (m->counts.unwritable == 0)
		m->counts.unwritable = why;
	(void)pthread_mutex_unlock(&m->lock);
	return US_OK;
}

/* ---- reading ---- */

/* Full bundle n, from the vault by the connection that all share. US_ERR_NOT_FOUND: what it gives
 * is not that. */
static int
bring_again(struct us_mirror *m, uint64_t n, struct us_buf *out)
{
	struct us_buf bundle;
	int err;

	us_buf_init(&bundle, US_BUNDLE_MAX);
	(void)pthread_mutex_lock(&m->asking);
	err = us_mirror_bring(m, m->log, n, &bundle);
	(void)pthread_mutex_unlock(&m->asking);
	if (err == US_OK)
		err = us_buf_put(out, bundle.data, bundle.len);
	us_buf_free(&bundle);
	return err == US_ERR_VERIFY ? US_ERR_NOT_FOUND : err;
}

int
us_mirror_read(struct us_mirror *m, uint64_t n, struct us_buf *out)
{
	const size_t before = out->len;
	struct us_digest leaf[US_TILE_WIDTH];
	char path[US_TILE_PATH_MAX];
	int err = us_mirror_path(n, path), was_there;

	if (err == US_OK)
		err = us_mirror_file_read(m->profile, path, out);
	was_there = err != US_ERR_NOT_FOUND;
	if (err == US_OK &&
	    is_bundle(m, n, (struct us_bytes){ out->data + before, out->len - before }, leaf)) {
		keep_leaves(m, n, leaf);
		return US_OK;
	}
	if (err == US_ERR_NOMEM)
		return err;
	out->len = before;
	(void)pthread_mutex_lock(&m->lock);
	m->counts.damaged += (uint64_t)was_there;
	(void)pthread_mutex_unlock(&m->lock);
	return bring_again(m, n, out);
}

/* The tile of level 0 below full bundle n. */
static int
read_leaves(struct us_mirror *m, uint64_t n, struct us_buf *out)
{
	struct us_mirror_leaves *at = &m->kept[n % LEAVES_KEPT];
	struct us_digest leaf[US_TILE_WIDTH];
	struct us_buf bundle;
	int err, have;

	(void)pthread_mutex_lock(&m->lock);
	have = at->n == n;
	err = have ? us_buf_put(out, at->leaf, sizeof at->leaf) : US_OK;
	(void)pthread_mutex_unlock(&m->lock);
	if (have)
		return err;
	us_buf_init(&bundle, US_BUNDLE_MAX);
	err = us_mirror_read(m, n, &bundle);
	if (err == US_OK)
		err = leaves_of((struct us_bytes){ bundle.data, bundle.len }, US_TILE_WIDTH, leaf);
	if (err == US_OK)
		err = us_buf_put(out, leaf, sizeof leaf);
	us_buf_free(&bundle);
	return err;
}

int
us_mirror_get(struct us_mirror *m, const struct us_tile *tile, struct us_buf *out)
{
	struct us_digest leaf[US_TILE_WIDTH];
	int err;

	if (tile->width != us_tile_width(m->size, tile->level, tile->n) || tile->level > 1)
		return US_ERR_NOT_FOUND;
	if (tile->level == 1)
		return us_buf_put(out, m->root + tile->n * US_TILE_WIDTH,
		    tile->width * US_HASH_LEN);
	if (tile->width == US_TILE_WIDTH)
		return tile->entries ? us_mirror_read(m, tile->n, out) :
				       read_leaves(m, tile->n, out);
	if (tile->entries)
		return us_buf_put(out, m->tail.data, m->tail.len);
	err = leaves_of((struct us_bytes){ m->tail.data, m->tail.len }, tile->width, leaf);
	return err == US_OK ? us_buf_put(out, leaf, tile->width * sizeof *leaf) : err;
}

int
us_mirror_file(struct us_mirror *m, const char *path, struct us_buf *out)
{
	struct us_tile tile;
	int err = us_tile_parse(&tile, path, strlen(path));

	if (err == US_OK)
		err = us_mirror_get(m, &tile, out);
	else
		err = US_ERR_NOT_FOUND;
	if (err != US_ERR_NOT_FOUND)
		return err == US_ERR_INCOMPLETE || err == US_ERR_CLOSED ? US_ERR_IO : err;
	(void)pthread_mutex_lock(&m->asking);
	err = us_log_get(m->log, path, out);
	(void)pthread_mutex_unlock(&m->asking);
	return err;
}
