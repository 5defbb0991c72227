#include "log/disk/publish.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/log.h"
#include "base/time.h"
#include "log/disk/worker.h"

#define TRY_AGAIN_NS US_NS_PER_SECOND
#define TILE_BYTES (US_TILE_WIDTH * US_HASH_LEN)

/* One full tile or bundle on its way to the disk: data until it is written, then its path alone
 * until it is synced. */
struct us_disk_item {
	struct us_disk_item *next;
	char path[US_TILE_PATH_MAX];
	int is_bundle;
	unsigned level;
	uint64_t n;
	uint8_t *data; /* NULL: written, and the job submitted */
	size_t size;
	struct us_publish *owner;
	struct us_job job;
};

/* Invariants: items are in the order in which they were filled; those written come first.
 * current holds the entries from `first` on, fewer than 256. */
struct us_publish {
	int root;
	struct us_worker *worker;
	struct us_disk_item *head, **tail;
	struct us_buf current;
	uint64_t first;
	unsigned count;
	uint64_t synced;
	int is_short; /* no room for the first item that waits */
	int64_t tried_mono;
	int (*fault)(void *arg);
	void *fault_arg;
};

static void
must(int ok, const char *what, const char *path)
{
	if (!ok)
		us_fatal_io("%s %s: %s. Stopping: the log's files must be whole. Check the disk, "
			    "then "
			    "start again",
		    what, path, strerror(errno));
}

/* As must(), but that there is no room is an answer: 1 if it worked. */
static int
made(int ok, const char *what, const char *path)
{
	if (ok || errno == ENOSPC || errno == EDQUOT)
		return ok;
	must(0, what, path);
	return 0;
}

int
us_publish_new(struct us_publish **out, const char *root, uint64_t synced, struct us_worker *worker)
{
	struct us_publish *p = calloc(1, sizeof *p);

	*out = NULL;
	if (p == NULL)
		return US_ERR_NOMEM;
	p->tail = &p->head;
	p->worker = worker;
	p->synced = p->first = synced;
	us_buf_init(&p->current, US_BUNDLE_MAX);
	p->root = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (p->root < 0) {
		us_publish_free(p);
		return US_ERR_IO;
	}
	*out = p;
	return US_OK;
}

void
us_publish_fault(struct us_publish *p, int (*fault)(void *arg), void *arg)
{
	p->fault = fault;
	p->fault_arg = arg;
}

void
us_publish_free(struct us_publish *p)
{
	if (p == NULL)
		return;
	while (p->head != NULL) {
		struct us_disk_item *next = p->head->next;

		if (p->head->data == NULL)
			us_worker_wait(p->worker, &p->head->job);
		free(p->head->data);
		free(p->head);
		p->head = next;
	}
	us_buf_free(&p->current);
	if (p->root >= 0)
		(void)close(p->root);
	free(p);
}

static int
push(struct us_publish *p, const struct us_tile *tile, const void *data, size_t n)
{
	struct us_disk_item *item = calloc(1, sizeof *item);
	int err;

	if (item == NULL)
		return US_ERR_NOMEM;
	item->is_bundle = tile->entries;
	item->level = tile->level;
	item->n = tile->n;
	item->size = n;
	item->data = malloc(n);
	err = item->data == NULL ? US_ERR_NOMEM : us_tile_path(tile, item->path, sizeof item->path);
	if (err != US_OK) {
		free(item->data);
		free(item);
		return err;
	}
	memcpy(item->data, data, n);
	*p->tail = item;
	p->tail = &item->next;
	return US_OK;
}

static int
put_tile(void *arg, unsigned level, uint64_t n, const struct us_digest *hashes)
{
	const struct us_tile tile = { .level = level, .n = n, .width = US_TILE_WIDTH };

	return push(arg, &tile, hashes, TILE_BYTES);
}

/* Appends a whole file of at most max bytes. */
static int
read_file(const struct us_publish *p, const char *path, struct us_buf *out, size_t max)
{
	int fd = openat(p->root, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	struct stat st;
	uint8_t *to;
	size_t got = 0;
	int err = US_OK;

	if (fd < 0)
		return errno == ENOENT ? US_ERR_NOT_FOUND : US_ERR_IO;
	if (fstat(fd, &st) != 0 || st.st_size < 0 || (uint64_t)st.st_size > max)
		err = US_ERR_FORMAT;
	if (err == US_OK)
		err = us_buf_reserve(out, (size_t)st.st_size, &to);
	while (err == US_OK && got < (size_t)st.st_size) {
		ssize_t r = read(fd, to + got, (size_t)st.st_size - got);

		if (r < 0 && errno == EINTR)
			continue;
		if (r <= 0)
			err = US_ERR_IO;
		else
			got += (size_t)r;
	}
	(void)close(fd);
	if (err == US_OK)
		out->len += got;
	return err;
}

static const struct us_disk_item *
find(const struct us_publish *p, int is_bundle, unsigned level, uint64_t n)
{
	for (const struct us_disk_item *i = p->head; i != NULL; i = i->next) {
		if (i->data != NULL && i->is_bundle == is_bundle && i->level == level && i->n == n)
			return i;
	}
	return NULL;
}

static int
get_tile(void *arg, unsigned level, uint64_t n, unsigned width, struct us_digest *hashes)
{
	const struct us_tile tile = { .level = level, .n = n, .width = US_TILE_WIDTH };
	struct us_publish *p = arg;
	const struct us_disk_item *item = find(p, 0, level, n);
	char path[US_TILE_PATH_MAX];
	struct us_buf b;
	int err;

	if (item != NULL) {
		memcpy(hashes, item->data, width * sizeof *hashes);
		return US_OK;
	}
	us_buf_init(&b, TILE_BYTES);
	err = us_tile_path(&tile, path, sizeof path);
	if (err == US_OK)
		err = read_file(p, path, &b, TILE_BYTES);
	if (err == US_OK && b.len != TILE_BYTES)
		err = US_ERR_FORMAT;
	if (err == US_OK)
		memcpy(hashes, b.data, width * sizeof *hashes);
	us_buf_free(&b);
	return err;
}

void
us_publish_store(struct us_publish *p, struct us_logtree_store *store)
{
	store->arg = p;
	store->get_tile = get_tile;
	store->put_tile = put_tile;
}

int
us_publish_entry(struct us_publish *p, struct us_bytes entry)
{
	struct us_tile tile = { .entries = 1, .width = US_TILE_WIDTH };
	int err = us_bundle_put(&p->current, entry.p, entry.n);

	if (err != US_OK)
		return err;
	if (++p->count < US_TILE_WIDTH)
		return US_OK;
	tile.n = p->first / US_TILE_WIDTH;
	err = push(p, &tile, p->current.data, p->current.len);
	us_buf_reset(&p->current);
	p->first += US_TILE_WIDTH;
	p->count = 0;
	return err;
}

/* Makes the directories above path; 0: no room. */
static int
make_parents(const struct us_publish *p, const char *path)
{
	char part[US_TILE_PATH_MAX];
	char *slash = part;

	(void)snprintf(part, sizeof part, "%s", path);
	while ((slash = strchr(slash, '/')) != NULL) {
		*slash = '\0';
		if (!made(mkdirat(p->root, part, 0700) == 0 || errno == EEXIST, "cannot make",
			part))
			return 0;
		*slash++ = '/';
	}
	return 1;
}

/* After a crash most files are there already: then the disk is spared. */
static int
is_there(const struct us_publish *p, const struct us_disk_item *item)
{
	struct us_buf b;
	int same;

	us_buf_init(&b, item->size);
	same = read_file(p, item->path, &b, item->size) == US_OK && b.len == item->size &&
	    memcmp(b.data, item->data, item->size) == 0;
	us_buf_free(&b);
	return same;
}

/* 0: no room. */
static int
write_file(const struct us_publish *p, const struct us_disk_item *item)
{
	size_t at = 0;
	int ok, fd;

	if (p->fault != NULL && (errno = p->fault(p->fault_arg)) != 0)
		return made(0, "cannot create", item->path);
	if (!make_parents(p, item->path))
		return 0;
	fd = openat(p->root, item->path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW,
	    0600);
	ok = made(fd >= 0, "cannot create", item->path);
	while (ok && at < item->size) {
		ssize_t w = write(fd, item->data + at, item->size - at);

		if (w < 0 && errno == EINTR)
			continue;
		ok = made(w > 0, "cannot write", item->path);
		at += ok ? (size_t)w : 0;
	}
	if (fd >= 0 && close(fd) != 0)
		ok = made(0, "cannot write", item->path);
	if (fd >= 0 && !ok)
		must(unlinkat(p->root, item->path, 0) == 0, "cannot remove", item->path);
	return ok;
}

static int
write_item(const struct us_publish *p, struct us_disk_item *item)
{
	if (!is_there(p, item) && !write_file(p, item))
		return 0;
	free(item->data);
	item->data = NULL;
	return 1;
}

static void
sync_path(const struct us_publish *p, const char *path, int flags)
{
	int fd = openat(p->root, path, flags | O_CLOEXEC | O_NOFOLLOW);

	must(fd >= 0 && fsync(fd) == 0, "cannot sync", path);
	(void)close(fd);
}

/* By the worker. */
static void
sync_item(void *arg)
{
	const struct us_disk_item *item = arg;
	const struct us_publish *p = item->owner;
	char dir[US_TILE_PATH_MAX];
	char *slash;

	sync_path(p, item->path, O_RDONLY);
	(void)snprintf(dir, sizeof dir, "%s", item->path);
	while ((slash = strrchr(dir, '/')) != NULL) {
		*slash = '\0';
		sync_path(p, dir, O_RDONLY | O_DIRECTORY);
		/* Directories further up change with their first file only. */
		if (item->n % 1000 != 0)
			break;
	}
	if (slash == NULL)
		sync_path(p, ".", O_RDONLY | O_DIRECTORY);
}

void
us_publish_flush(struct us_publish *p)
{
	if (p->is_short && us_time_mono_ns() - p->tried_mono < TRY_AGAIN_NS)
		return;
	p->is_short = 0;
	for (struct us_disk_item *i = p->head; i != NULL; i = i->next) {
		if (i->data == NULL)
			continue;
		if (!write_item(p, i)) {
			p->is_short = 1;
			p->tried_mono = us_time_mono_ns();
			return;
		}
		i->owner = p;
		i->job.run = sync_item;
		i->job.arg = i;
		us_worker_submit(p->worker, &i->job);
	}
}

int
us_publish_is_short(const struct us_publish *p)
{
	return p->is_short;
}

int
us_publish_sync(struct us_publish *p)
{
	while (p->head != NULL && p->head->data == NULL && us_job_done(&p->head->job)) {
		struct us_disk_item *item = p->head;

		if (item->is_bundle)
			p->synced = (item->n + 1) * US_TILE_WIDTH;
		p->head = item->next;
		if (p->head == NULL)
			p->tail = &p->head;
		free(item);
	}
	return p->head != NULL && p->head->data == NULL;
}

uint64_t
us_publish_synced(const struct us_publish *p)
{
	return p->synced;
}

int
us_publish_bundle(struct us_publish *p, uint64_t n, unsigned width, struct us_buf *out)
{
	const struct us_tile tile = { .entries = 1, .n = n, .width = US_TILE_WIDTH };
	const struct us_disk_item *item = find(p, 1, 0, n);
	char path[US_TILE_PATH_MAX];
	struct us_reader r;
	struct us_buf file;
	int err = US_OK;

	us_buf_init(&file, US_BUNDLE_MAX);
	if (n == p->first / US_TILE_WIDTH) {
		us_reader_init(&r, p->current.data, p->current.len);
	} else if (item != NULL) {
		us_reader_init(&r, item->data, item->size);
	} else {
		err = us_tile_path(&tile, path, sizeof path);
		if (err == US_OK)
			err = read_file(p, path, &file, US_BUNDLE_MAX);
		us_reader_init(&r, file.data, file.len);
	}
	for (unsigned i = 0; err == US_OK && i < width; i++) {
		struct us_bytes e = us_bundle_take(&r);

		err = r.err != US_OK ? US_ERR_FORMAT : us_bundle_put(out, e.p, e.n);
	}
	us_buf_free(&file);
	return err;
}

int
us_publish_tile(struct us_publish *p, unsigned level, uint64_t n,
    struct us_digest hashes[US_TILE_WIDTH])
{
	return get_tile(p, level, n, US_TILE_WIDTH, hashes);
}
