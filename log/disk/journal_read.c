/* Opening the journal and reading it back: see journal.h. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/array.h"
#include "base/base64.h"
#include "crypto/crypto.h"
#include "base/err.h"
#include "base/log.h"
#include "log/disk/journal.h"
#include "log/disk/journal_internal.h"

static int
compare_segments(const void *a, const void *b)
{
	const struct us_journal_segment *x = a, *y = b;

	return (x->first > y->first) - (x->first < y->first);
}

static int
list_segments(struct us_journal *j)
{
	int fd = openat(j->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;
	int err = US_OK;

	if (d == NULL) {
		if (fd >= 0)
			(void)close(fd);
		return US_ERR_IO;
	}
	while (err == US_OK && (e = readdir(d)) != NULL) {
		uint8_t raw[8];

		if (strlen(e->d_name) != 16 || us_hex_decode(e->d_name, 16, raw, 8) != US_OK)
			continue;
		err = us_grow_bare(&j->segments, j->n_segments, sizeof *j->segments);
		if (err != US_OK)
			break;
		memcpy(j->segments[j->n_segments].name, e->d_name, 17);
		j->segments[j->n_segments].first = us_load_u64(raw);
		j->n_segments++;
	}
	(void)closedir(d);
	if (j->n_segments > 1)
		qsort(j->segments, j->n_segments, sizeof *j->segments, compare_segments);
	return err;
}

int
us_journal_open(struct us_journal **out, const struct us_journal_options *options)
{
	struct us_journal *j = calloc(1, sizeof *j);
	int err;

	*out = NULL;
	if (j == NULL)
		return US_ERR_NOMEM;
	j->options = *options;
	j->segment_size = options->segment_size == 0 ? US_JOURNAL_SEGMENT : options->segment_size;
	j->fd = j->spare_fd = -1;
	us_buf_init(&j->group, US_JOURNAL_ENTRIES_MAX + US_JOURNAL_COUNTERS_MAX + 65536u);
	us_buf_init(&j->tail_group, US_JOURNAL_ENTRIES_MAX + US_JOURNAL_COUNTERS_MAX + 65536u);
	j->dir = open(options->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	err = j->dir < 0 ? US_ERR_IO : list_segments(j);
	if (err != US_OK) {
		us_journal_close(j);
		return err;
	}
	*out = j;
	return US_OK;
}

/* A group as it stands in memory, parsed. */
struct us_disk_group {
	uint64_t first;
	uint32_t count;
	struct us_bytes entries;
	struct us_journal_tail tail;
	uint8_t digest[32];
	size_t length;
};

/* US_OK, US_ERR_NOT_FOUND: zeros, where the segment ends; US_ERR_FORMAT: not a whole group. */
static int
parse_group(struct us_disk_group *g, const uint8_t *p, size_t n, const uint8_t chain[32])
{
	struct us_reader r;
	struct us_bytes before;
	size_t at;

	if (n < US_GROUP_HEADER + US_GROUP_FIXED)
		return US_ERR_NOT_FOUND;
	if (us_load_u32(p) == 0)
		return US_ERR_NOT_FOUND;
	g->length = us_load_u32(p + 4);
	if (us_load_u32(p) != US_GROUP_MAGIC || g->length > n ||
	    g->length < US_GROUP_HEADER + US_GROUP_FIXED)
		return US_ERR_FORMAT;
	if (us_sha256(p, g->length - 32, g->digest) != US_OK ||
	    memcmp(g->digest, p + g->length - 32, 32) != 0)
		return US_ERR_FORMAT;
	g->first = us_load_u64(p + 8);
	g->count = us_load_u32(p + 16);
	us_reader_init(&r, p + US_GROUP_HEADER, g->length - US_GROUP_HEADER - 32);
	at = r.left;
	for (uint32_t i = 0; i < g->count && r.err == US_OK; i++)
		(void)us_take_str16(&r, UINT16_MAX);
	g->entries = (struct us_bytes){ p + US_GROUP_HEADER, at - r.left };
	g->tail.size = us_take_u64(&r);
	us_take_into(&r, g->tail.root.b, 32);
	g->tail.state_sequence = us_take_u64(&r);
	us_take_into(&r, g->tail.state_digest, 32);
	g->tail.time_ns = (int64_t)us_take_u64(&r);
	g->tail.checkpoint = us_take_str16(&r, UINT16_MAX);
	g->tail.counters = us_take_str32(&r, US_JOURNAL_COUNTERS_MAX);
	before = us_take(&r, 32);
	if (us_take_u32(&r) != g->length)
		us_reader_fail(&r, US_ERR_FORMAT);
	if (us_reader_end(&r) != US_OK || memcmp(before.p, chain, 32) != 0 ||
	    g->tail.size != g->first + g->count)
		return US_ERR_FORMAT;
	return US_OK;
}

struct us_disk_recovery {
	struct us_journal *j;
	us_journal_entry_fn *on_entry; /* or NULL */
	void *arg;
	struct us_journal_tail *tail;
	uint64_t next; /* index of the entry that must come now */
	int any;       /* a group was found */
	int torn;      /* the last segment ends in something that is no group */
};

static int
keep_tail(struct us_disk_recovery *r, const uint8_t *p, const struct us_disk_group *g)
{
	struct us_buf *b = &r->j->tail_group;
	int err;

	us_buf_reset(b);
	err = us_buf_put(b, p, g->length);
	if (err != US_OK)
		return err;
	*r->tail = g->tail;
	/* The same views, in memory that stays. */
	r->tail->checkpoint.p = g->tail.checkpoint.n == 0 ? NULL :
							    b->data + (g->tail.checkpoint.p - p);
	r->tail->counters.p = g->tail.counters.n == 0 ? NULL : b->data + (g->tail.counters.p - p);
	memcpy(r->j->chain, g->digest, 32);
	r->next = g->tail.size;
	r->any = 1;
	return US_OK;
}

/* Whether a whole group stands anywhere behind the first bytes of what is not one. */
static int
group_behind(const uint8_t *p, size_t n)
{
	static const uint8_t magic[4] = { 'U', 'S', 'J', 'G' };
	size_t at = 4;

	while (at < n) {
		const uint8_t *hit = memmem(p + at, n - at, magic, sizeof magic);
		uint8_t digest[32];
		size_t length;

		if (hit == NULL)
			return 0;
		at = (size_t)(hit - p);
		if (n - at < US_GROUP_HEADER + US_GROUP_FIXED)
			return 0;
		length = us_load_u32(hit + 4);
		if (length >= US_GROUP_HEADER + US_GROUP_FIXED && length <= n - at &&
		    us_sha256(hit, length - 32, digest) == US_OK &&
		    memcmp(digest, hit + length - 32, 32) == 0)
			return 1;
		at += sizeof magic;
	}
	return 0;
}

static int
scan_groups(struct us_disk_recovery *r, const uint8_t *p, size_t n, uint64_t *end)
{
	size_t at = US_SEGMENT_HEADER, last = 0, last_n = 0;
	struct us_disk_group g, last_g = { 0 };
	int err;

	r->torn = 0;
	for (;;) {
		struct us_reader e;

		err = parse_group(&g, p + at, n - at, last_n != 0 ? last_g.digest : r->j->chain);
		if (err != US_OK)
			break;
		if (g.first != (last_n != 0 ? last_g.tail.size : r->next))
			return US_ERR_VERIFY;
		us_reader_init(&e, g.entries.p, g.entries.n);
		for (uint32_t i = 0; i < g.count && r->on_entry != NULL; i++) {
			struct us_bytes entry = us_take_str16(&e, UINT16_MAX);

			err = r->on_entry(r->arg, g.first + i, entry);
			if (err != US_OK)
				return err;
		}
		last = at;
		last_n = g.length;
		last_g = g;
		at += g.length;
	}
	r->torn = err == US_ERR_FORMAT;
	if (r->torn && group_behind(p + at, n - at)) {
		us_log(US_LOG_ERROR,
		    "the journal is damaged at entry %llu, and whole groups stand "
		    "behind it",
		    (unsigned long long)(last_n != 0 ? last_g.tail.size : r->next));
		return US_ERR_VERIFY;
	}
	*end = at;
	return last_n == 0 ? US_OK : keep_tail(r, p + last, &last_g);
}

/* A torn first group of a segment, or none: the segment's own header may be what was torn. */
static int
check_header(struct us_disk_recovery *r, const uint8_t *p, const struct us_journal_segment *s,
    int first)
{
	uint8_t digest[32];

	if (memcmp(p, US_SEGMENT_MAGIC, 8) != 0 || us_sha256(p, 48, digest) != US_OK ||
	    memcmp(digest, p + 48, 32) != 0 || us_load_u64(p + 8) != s->first)
		return US_ERR_VERIFY;
	if (first) {
		memcpy(r->j->chain, p + 16, 32);
		r->next = s->first;
	} else if (s->first != r->next || memcmp(r->j->chain, p + 16, 32) != 0) {
		us_log(US_LOG_ERROR,
		    "the journal is damaged before entry %llu: segment %s does not "
		    "follow on what stands before it",
		    (unsigned long long)s->first, s->name);
		return US_ERR_VERIFY;
	}
	return US_OK;
}

static int
scan_segment(struct us_disk_recovery *r, struct us_journal_segment *s, int first, uint64_t *end,
    int *out_fd)
{
	int fd = openat(r->j->dir, s->name, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	struct stat st;
	uint8_t *p = MAP_FAILED;
	int err = US_ERR_IO;

	if (fd < 0 || fstat(fd, &st) != 0 || st.st_size < (off_t)US_SEGMENT_HEADER)
		goto out;
	/* What a failed sync left in the cache must not be taken for what is on the disk. */
	(void)posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
	p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (p == MAP_FAILED)
		goto out;
	err = check_header(r, p, s, first);
	if (err == US_OK)
		err = scan_groups(r, p, (size_t)st.st_size, end);
out:
	if (p != MAP_FAILED)
		(void)munmap(p, (size_t)st.st_size);
	if (err == US_OK) {
		s->dev = st.st_dev;
		s->ino = st.st_ino;
		s->size = st.st_size;
		*out_fd = fd;
	} else {
		us_log_err(err, "journal/%s cannot be read", s->name);
		if (fd >= 0)
			(void)close(fd);
	}
	return err;
}

int
us_journal_recover(struct us_journal *j, us_journal_entry_fn *on_entry, void *arg,
    struct us_journal_tail *tail)
{
	struct us_disk_recovery r = { .j = j, .on_entry = on_entry, .arg = arg, .tail = tail };
	int err = US_OK;

	memset(tail, 0, sizeof *tail);
	for (size_t i = 0; err == US_OK && i < j->n_segments; i++) {
		int last = i + 1 == j->n_segments;
		uint64_t end = 0;
		int fd = -1;

		err = scan_segment(&r, &j->segments[i], i == 0, &end, &fd);
		if (err != US_OK)
			break;
		if (last && !r.torn) {
			j->fd = fd;
			j->at = end;
			j->limit = (uint64_t)j->segments[i].size;
		} else {
			(void)close(fd);
		}
	}
	if (err != US_OK)
		return err;
	if (r.torn)
		us_log(US_LOG_WARNING,
		    "the journal ends in a group that was never completed; nobody "
		    "was told of it. The log goes on behind entry %llu",
		    (unsigned long long)r.next);
	/* A killed process leaves whole groups that were never synced: they count from now on. */
	if (j->fd >= 0 && fdatasync(j->fd) != 0)
		us_fatal("the journal cannot be synced: %s", strerror(errno));
	return US_OK;
}
