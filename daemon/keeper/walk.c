#include "daemon/keeper/walk.h"

#include "log/tiles.h"
#include "base/err.h"

void
us_walk_init(struct us_walk *w, uint64_t from)
{
	w->index = from;
	us_buf_init(&w->bundle, US_BUNDLE_MAX);
	us_reader_init(&w->rest, NULL, 0);
}

void
us_walk_free(struct us_walk *w)
{
	us_buf_free(&w->bundle);
	us_reader_init(&w->rest, NULL, 0);
}

int
us_walk_has_next(const struct us_walk *w)
{
	return w->rest.left > 0;
}

/* The bundle of the next entry, as wide as it is now, and its reader before that entry. */
static int
read_bundle(struct us_walk *w, struct us_klog *log)
{
	const uint64_t n = w->index / US_TILE_WIDTH;
	const unsigned skip = (unsigned)(w->index % US_TILE_WIDTH);
	int err;

	us_buf_reset(&w->bundle);
	err = us_klog_bundle(log, n, us_tile_width(us_klog_size(log), 0, n), &w->bundle);
	if (err != US_OK)
		return err;
	us_reader_init(&w->rest, w->bundle.data, w->bundle.len);
	for (unsigned i = 0; i < skip; i++)
		(void)us_bundle_take(&w->rest);
	return w->rest.err != US_OK || w->rest.left == 0 ? US_ERR_VERIFY : US_OK;
}

int
us_walk_next(struct us_walk *w, struct us_klog *log, struct us_bytes *entry)
{
	int err = US_OK;

	if (w->index >= us_klog_size(log))
		return US_ERR_NOT_FOUND;
	if (w->rest.left == 0)
		err = read_bundle(w, log);
	if (err == US_OK)
		*entry = us_bundle_take(&w->rest);
	if (err == US_OK && w->rest.err != US_OK)
		err = US_ERR_VERIFY;
	if (err == US_OK)
		w->index++;
	else
		us_reader_init(&w->rest, NULL, 0);
	return err;
}
