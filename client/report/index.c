/* Answers from an index: what it finds is proved to stand in the export's log. */
#include "client/report/index_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "log/tiles.h"
#include "log/tree.h"
#include "crypto/crypto.h"
#include "base/err.h"

#define CHECKPOINT_MAX 65536
/* Most entries are shorter. */
#define ENTRY_GUESS 1024

struct us_report_index {
	int dir;            /* the export */
	FILE *keys;         /* keys.jsonl, or NULL */
	const uint8_t *map; /* the file */
	size_t map_n;
	const uint8_t *digests, *postings; /* in map */
	uint64_t n, withheld;
	uint8_t *checked; /* one a block */
	struct us_logtree *tree;
	struct us_checkpoint checkpoint;
};

/* ---- the file ---- */

int
us_posting_compare(const void *a, const void *b)
{
	const struct us_client_posting *x = a, *y = b;

	if (x->collection != y->collection)
		return (x->collection > y->collection) - (x->collection < y->collection);
	if (x->record != y->record)
		return (x->record > y->record) - (x->record < y->record);
	return (x->entry > y->entry) - (x->entry < y->entry);
}

/* Takes the head apart and checks its digest. */
static int
parse(struct us_report_index *x, struct us_trail *t)
{
	struct us_reader r;
	struct us_bytes magic, origin, root;
	uint64_t size, blocks;
	uint8_t digest[32];
	size_t head;

	us_reader_init(&r, x->map, x->map_n);
	magic = us_take(&r, US_INDEX_MAGIC_BYTES);
	if (r.err != US_OK || memcmp(magic.p, US_INDEX_MAGIC, US_INDEX_MAGIC_BYTES) != 0)
		return US_ERR_FORMAT;
	size = us_take_u64(&r);
	root = us_take(&r, 32);
	t->verified.first_ns = (int64_t)us_take_u64(&r);
	t->verified.last_ns = (int64_t)us_take_u64(&r);
	x->withheld = us_take_u64(&r);
	x->n = us_take_u64(&r);
	origin = us_take_str16(&r, US_NOTE_NAME_MAX);
	if (r.err != US_OK || x->n > r.left / US_INDEX_POSTING)
		return US_ERR_FORMAT;
	blocks = (x->n + US_INDEX_BLOCK - 1) / US_INDEX_BLOCK;
	x->digests = us_take(&r, (size_t)blocks * 32).p;
	head = x->map_n - r.left;
	if (r.err != US_OK || us_sha256(x->map, head, digest) != US_OK || us_take(&r, 32).n != 32 ||
	    memcmp(x->map + head, digest, 32) != 0 || r.left != x->n * US_INDEX_POSTING)
		return US_ERR_FORMAT;
	x->postings = r.p;
	x->checked = calloc((size_t)blocks + 1, 1);
	if (x->checked == NULL)
		return US_ERR_NOMEM;
	return size == x->checkpoint.size && memcmp(root.p, x->checkpoint.root.b, 32) == 0 &&
		us_bytes_is(origin, x->checkpoint.origin) ?
	    US_OK :
	    US_ERR_NOT_FOUND;
}

/* The i-th posting, its block checked. */
static int
posting_at(struct us_report_index *x, uint64_t i, struct us_client_posting *out)
{
	const uint64_t block = i / US_INDEX_BLOCK, first = block * US_INDEX_BLOCK;
	const uint8_t *p = x->postings + i * US_INDEX_POSTING;
	uint8_t digest[32];

	if (!x->checked[block]) {
		uint64_t n = x->n - first < US_INDEX_BLOCK ? x->n - first : US_INDEX_BLOCK;

		if (us_sha256(x->postings + first * US_INDEX_POSTING, (size_t)n * US_INDEX_POSTING,
			digest) != US_OK ||
		    memcmp(digest, x->digests + block * 32, 32) != 0)
			return US_ERR_VERIFY;
		x->checked[block] = 1;
	}
	*out = (struct us_client_posting){ us_load_u32(p), us_load_u32(p + 4), us_load_u64(p + 8),
		us_load_u64(p + 16), us_load_u64(p + 24) };
	return US_OK;
}

static int
map_file(struct us_report_index *x, const char *file)
{
	int fd = open(file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	struct stat st;
	void *map;

	if (fd < 0)
		return errno == ENOENT ? US_ERR_NOT_FOUND : US_ERR_IO;
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) ||
	    st.st_size < (off_t)US_INDEX_MAGIC_BYTES) {
		(void)close(fd);
		return US_ERR_FORMAT;
	}
	map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	(void)close(fd);
	if (map == MAP_FAILED)
		return US_ERR_IO;
	x->map = map;
	x->map_n = (size_t)st.st_size;
	return US_OK;
}

/* ---- the export ---- */

static int
read_in(const struct us_report_index *x, const char *path, struct us_buf *out)
{
	int fd = openat(x->dir, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW), err = US_OK;
	uint8_t part[16384];
	ssize_t n;

	if (fd < 0)
		return errno == ENOENT ? US_ERR_NOT_FOUND : US_ERR_IO;
	us_buf_reset(out);
	while (err == US_OK && (n = read(fd, part, sizeof part)) != 0)
		err = n < 0 ? US_ERR_IO : us_buf_put(out, part, (size_t)n);
	(void)close(fd);
	return err;
}

/* At most max bytes from an offset on; *n tells how many there were. */
static int
read_at(const struct us_report_index *x, const char *path, uint64_t at, void *to, size_t max,
    size_t *n)
{
	int fd = openat(x->dir, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW), err = US_OK;
	ssize_t got = 1;

	if (fd < 0)
		return errno == ENOENT ? US_ERR_NOT_FOUND : US_ERR_IO;
	for (*n = 0; err == US_OK && got != 0 && *n<max; *n += got> 0 ? (size_t)got : 0) {
		got = pread(fd, (uint8_t *)to + *n, max - *n, (off_t)(at + *n));
		if (got < 0 && errno != EINTR)
			err = US_ERR_IO;
	}
	(void)close(fd);
	return err;
}

static int
get_tile(void *arg, unsigned level, uint64_t n, unsigned width, struct us_digest *hashes)
{
	const struct us_tile tile = { .level = level, .n = n, .width = US_TILE_WIDTH };
	struct us_digest whole[US_TILE_WIDTH + 1]; /* one more than there may be */
	char path[US_TILE_PATH_MAX];
	size_t size;
	int err = us_tile_path(&tile, path, sizeof path);

	if (err == US_OK)
		err = read_at(arg, path, 0, whole, sizeof whole, &size);
	if (err == US_OK && size != US_TILE_WIDTH * US_HASH_LEN)
		err = US_ERR_FORMAT;
	if (err == US_OK)
		memcpy(hashes, whole, width * sizeof *hashes);
	return err;
}

static int
put_no_tile(void *arg, unsigned level, uint64_t n, const struct us_digest *hashes)
{
	(void)arg;
	(void)level;
	(void)n;
	(void)hashes;
	return US_OK;
}

static int
read_bundle(const struct us_report_index *x, uint64_t n, struct us_buf *out)
{
	const struct us_tile tile = { .entries = 1,
		.n = n,
		.width = us_tile_width(x->checkpoint.size, 0, n) };
	char path[US_TILE_PATH_MAX];
	int err = us_tile_path(&tile, path, sizeof path);

	return err == US_OK ? read_in(x, path, out) : err;
}

/* The tree that the checkpoint states, from full tiles and the entries behind them. */
static int
open_tree(struct us_report_index *x)
{
	const struct us_logtree_store store = { x, get_tile, put_no_tile };
	const uint64_t full = x->checkpoint.size - x->checkpoint.size % US_TILE_WIDTH;
	struct us_digest leaf, root;
	struct us_buf bundle;
	struct us_reader r;
	int err = us_logtree_new(&x->tree, &store, 0);

	us_buf_init(&bundle, US_BUNDLE_MAX);
	if (err == US_OK && full > 0)
		err = us_logtree_load(x->tree, full, NULL);
	if (err == US_OK && full < x->checkpoint.size)
		err = read_bundle(x, full / US_TILE_WIDTH, &bundle);
	us_reader_init(&r, bundle.data, bundle.len);
	while (err == US_OK && r.left > 0 && r.err == US_OK) {
		struct us_bytes entry = us_bundle_take(&r);

		us_merkle_leaf(&leaf, entry.p, entry.n);
		err = us_logtree_append(x->tree, &leaf);
	}
	if (err == US_OK)
		err = us_reader_end(&r);
	if (err == US_OK)
		err = us_logtree_root(x->tree, &root);
	if (err == US_OK &&
	    (us_logtree_size(x->tree) != x->checkpoint.size ||
		memcmp(root.b, x->checkpoint.root.b, 32) != 0))
		err = US_ERR_VERIFY;
	us_buf_free(&bundle);
	return err;
}

static int
open_checkpoint(struct us_report_index *x, const char *vkey)
{
	struct us_note_key key;
	struct us_buf note;
	int err;

	us_buf_init(&note, CHECKPOINT_MAX);
	err = read_in(x, "checkpoint", &note);
	if (err == US_OK)
		err = us_note_key_parse(&key, vkey, strlen(vkey));
	if (err == US_OK)
		err = us_checkpoint_open(&x->checkpoint, NULL, note.data, note.len, &key, 1);
	x->checkpoint.extensions = (struct us_bytes){ NULL, 0 };
	us_buf_free(&note);
	return err;
}

int
us_report_index_open(struct us_report_index **out, const char *file, const char *dir,
    const char *vkey, struct us_trail *t)
{
	struct us_report_index *x = calloc(1, sizeof *x);
	int err, fd;

	if (x == NULL)
		return US_ERR_NOMEM;
	x->dir = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	err = x->dir < 0 ? US_ERR_NOT_FOUND : map_file(x, file);
	if (err == US_OK)
		err = open_checkpoint(x, vkey);
	if (err == US_OK)
		err = parse(x, t);
	if (err == US_OK)
		err = open_tree(x);
	if (err != US_OK) {
		us_report_index_close(x);
		return err;
	}
	fd = openat(x->dir, "keys.jsonl", O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	x->keys = fd < 0 ? NULL : fdopen(fd, "r");
	t->verified.checkpoint = x->checkpoint;
	t->verified.entries = x->checkpoint.size;
	t->verified.verdict = US_VERDICT_OK;
	t->offline = 1;
	*out = x;
	return US_OK;
}

void
us_report_index_close(struct us_report_index *x)
{
	if (x == NULL)
		return;
	us_logtree_free(x->tree);
	if (x->map != NULL)
		(void)munmap((void *)(uintptr_t)x->map, x->map_n);
	if (x->keys != NULL)
		(void)fclose(x->keys);
	if (x->dir >= 0)
		(void)close(x->dir);
	free(x->checked);
	free(x);
}

uint64_t
us_report_index_withheld(const struct us_report_index *x)
{
	return x->withheld;
}

/* ---- answers ---- */

/* The first posting that is not before this record. */
static int
lower_bound(struct us_report_index *x, uint32_t collection, uint64_t record, uint64_t *at)
{
	const struct us_client_posting wanted = { .collection = collection, .record = record };
	uint64_t low = 0, high = x->n;
	struct us_client_posting p;
	int err = US_OK;

	while (err == US_OK && low < high) {
		uint64_t middle = low + (high - low) / 2;

		err = posting_at(x, middle, &p);
		if (us_posting_compare(&p, &wanted) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	*at = low;
	return err;
}

static int
read_keys(struct us_report_index *x, const struct us_client_posting *p, struct us_export_keys *out)
{
	char line[US_EXPORT_KEYS_LINE_MAX + 2]; /* with its end and a NUL */
	int err;

	memset(out, 0, sizeof *out);
	if (p->offset == UINT64_MAX)
		return US_OK;
	if (x->keys == NULL || p->offset > INT64_MAX ||
	    fseeko(x->keys, (off_t)p->offset, SEEK_SET) != 0 ||
	    fgets(line, sizeof line, x->keys) == NULL)
		return US_ERR_IO;
	err = us_export_keys_parse(out, line, strcspn(line, "\n"));
	if (err == US_OK && out->index != p->entry)
		err = US_ERR_VERIFY;
	us_wipe(line, sizeof line);
	return err;
}

/* The bytes of an entry, from the place that the index notes; room: US_ENTRY_MAX and two more.
 * Whether they are the entry's is for its leaf to say. */
static int
read_entry(const struct us_report_index *x, const struct us_client_posting *p, uint8_t *room,
    struct us_bytes *entry)
{
	const uint64_t n = p->entry / US_TILE_WIDTH;
	const struct us_tile tile = { .entries = 1,
		.n = n,
		.width = us_tile_width(x->checkpoint.size, 0, n) };
	char path[US_TILE_PATH_MAX];
	size_t got = 0, want = ENTRY_GUESS;
	int err = us_tile_path(&tile, path, sizeof path);

	for (unsigned tries = 0; err == US_OK && tries < 2; tries++) {
		err = read_at(x, path, p->place, room, want, &got);
		if (err == US_OK && got < 2)
			err = US_ERR_TRUNCATED;
		if (err != US_OK)
			break;
		*entry = (struct us_bytes){ room + 2, us_load_u16(room) };
		if (entry->n <= got - 2)
			return US_OK;
		want = 2 + entry->n;
	}
	return err != US_OK ? err : US_ERR_TRUNCATED;
}

/* Reads the entry, proves that it stands in the log, opens it. */
static int
load_entry(struct us_report_index *x, const struct us_client_posting *p, uint8_t *room,
    struct us_trail *t)
{
	struct us_digest leaf, proof[US_PROOF_MAX];
	struct us_bytes entry = { NULL, 0 };
	struct us_opened opened;
	struct us_export_keys keys;
	size_t n_proof;
	int err = p->entry >= x->checkpoint.size ? US_ERR_RANGE : read_entry(x, p, room, &entry);

	if (err != US_OK)
		return err;
	us_opened_init(&opened);
	us_merkle_leaf(&leaf, entry.p, entry.n);
	err = us_logtree_inclusion(x->tree, p->entry, x->checkpoint.size, proof, &n_proof);
	if (err == US_OK)
		err = us_merkle_verify_inclusion(&leaf, p->entry, x->checkpoint.size, proof,
		    n_proof, &x->checkpoint.root);
	if (err == US_OK)
		err = us_opened_begin(&opened, entry);
	if (err == US_OK && opened.view.index != p->entry)
		err = US_ERR_VERIFY;
	if (err == US_OK)
		err = read_keys(x, p, &keys);
	if (err == US_OK)
		err = us_opened_boxes(&opened, &keys);
	if (err == US_OK)
		err = us_trail_add(t, &opened);
	us_opened_free(&opened);
	us_wipe(&keys, sizeof keys);
	return err;
}

static int
compare_entries(const void *a, const void *b)
{
	const struct us_client_posting *x = a, *y = b;

	return (x->entry > y->entry) - (x->entry < y->entry);
}

int
us_report_index_load(struct us_report_index *x, const struct us_report_records *records,
    struct us_trail *t)
{
	uint64_t from = 0, to = 0, last = UINT64_MAX;
	struct us_client_posting *found = NULL;
	uint8_t *room = malloc(US_ENTRY_MAX + 2);
	size_t n = 0;
	int err = records == NULL ? US_OK :
				    lower_bound(x, records->collection, records->first, &from);

	if (err == US_OK)
		err = records == NULL ? lower_bound(x, 1, 0, &to) :
					lower_bound(x, records->collection, records->last + 1, &to);
	if (err == US_OK &&
	    (room == NULL || (found = calloc((size_t)(to - from) + 1, sizeof *found)) == NULL))
		err = US_ERR_NOMEM;
	for (uint64_t i = from; err == US_OK && i < to; i++)
		err = posting_at(x, i, &found[n++]);
	if (err == US_OK)
		qsort(found, n, sizeof *found, compare_entries);
	for (size_t i = 0; err == US_OK && i < n; i++) {
		if (found[i].entry != last)
			err = load_entry(x, &found[i], room, t);
		last = found[i].entry;
	}
	free(room);
	free(found);
	return err;
}
