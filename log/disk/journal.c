#include "log/disk/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "crypto/crypto.h"
#include "base/array.h"
#include "base/err.h"
#include "base/log.h"
#include "base/time.h"
#include "log/disk/journal_internal.h"

#define ZERO_STEP (1024u * 1024u)
#define ASK_AGAIN_NS US_NS_PER_SECOND

static void
must(int ok, const char *what, const char *name)
{
	if (!ok)
		us_fatal_io("the log cannot be made durable: %s of journal/%s: %s. Stopping: "
			    "nothing is "
			    "answered that is not logged. Check the disk, then start again",
		    what, name, strerror(errno));
}

static int
fault(const struct us_journal *j, enum us_journal_op op)
{
	int e = j->options.fault == NULL ? 0 : j->options.fault(j->options.arg, op);

	if (e != 0)
		errno = e;
	return e != 0;
}

static void
write_all(const struct us_journal *j, int fd, const uint8_t *p, size_t n, uint64_t at,
    const char *name)
{
	while (n > 0) {
		ssize_t w = fault(j, US_JOURNAL_WRITE) ? -1 : pwrite(fd, p, n, (off_t)at);

		if (w < 0 && errno == EINTR)
			continue;
		must(w > 0, "writing", name);
		p += w;
		n -= (size_t)w;
		at += (uint64_t)w;
	}
}

static void
sync_file(const struct us_journal *j, int fd, const char *name)
{
	must(!fault(j, US_JOURNAL_SYNC) && fdatasync(fd) == 0, "the sync", name);
}

/* --- the next segment, prepared ahead ---------------------------------------------------- */

static int
no_room(void)
{
	return errno == ENOSPC || errno == EDQUOT;
}

/* All of its blocks, at once. "next" may be there from a run before: it keeps what it has. */
static int
allocate_spare(const struct us_journal *j)
{
	int e;

	if (fault(j, US_JOURNAL_ALLOCATE))
		return 0;
	if (ftruncate(j->spare_fd, (off_t)j->segment_size) != 0)
		return 0;
	do
		e = posix_fallocate(j->spare_fd, 0, (off_t)j->segment_size);
	while (e == EINTR);
	errno = e;
	return e == 0;
}

static void
fill_spare(void *arg)
{
	static const uint8_t zeros[ZERO_STEP];
	struct us_journal *j = arg;

	if (!allocate_spare(j)) {
		must(no_room(), "allocation", "next");
		/* a part is of no use to us, and may be to the files beside */
		if (ftruncate(j->spare_fd, 0) != 0)
			us_log(US_LOG_WARNING, "journal/next cannot be cut: %s", strerror(errno));
		j->spare_full = 1;
		return;
	}
	for (size_t at = 0; at < j->segment_size;) {
		size_t n = j->segment_size - at < ZERO_STEP ? j->segment_size - at : ZERO_STEP;
		ssize_t w = pwrite(j->spare_fd, zeros, n, (off_t)at);

		if (w < 0 && errno == EINTR)
			continue;
		must(w > 0, "writing", "next");
		at += (size_t)w;
		/* Small portions: a commit's sync must not wait behind 64 MiB. */
		must(fdatasync(j->spare_fd) == 0, "the sync", "next");
	}
	must(fsync(j->spare_fd) == 0, "the sync", "next");
}

static void
ask_for_spare(struct us_journal *j)
{
	j->spare_fd = openat(j->dir, "next", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	j->asked_mono = us_time_mono_ns();
	if (j->spare_fd < 0) {
		must(no_room(), "creation", "next");
		j->is_short = 1;
		return;
	}
	j->spare_full = 0;
	j->spare_job.run = fill_spare;
	j->spare_job.arg = j;
	us_worker_submit(j->options.worker, &j->spare_job);
}

/* Takes note of what the worker found. */
static void
note_spare(struct us_journal *j)
{
	if (j->spare_fd < 0 || !us_job_done(&j->spare_job))
		return;
	j->is_short = j->spare_full;
	if (j->spare_full) {
		(void)close(j->spare_fd);
		j->spare_fd = -1;
	}
}

void
us_journal_prepare(struct us_journal *j)
{
	note_spare(j);
	if (j->spare_fd < 0 && (!j->is_short || us_time_mono_ns() - j->asked_mono > ASK_AGAIN_NS))
		ask_for_spare(j);
}

/* Waits until the next segment is there, or ends the process. */
static void
need_spare(struct us_journal *j)
{
	us_journal_prepare(j);
	if (j->spare_fd < 0)
		ask_for_spare(j);
	if (j->spare_fd >= 0)
		us_worker_wait(j->options.worker, &j->spare_job);
	note_spare(j);
	if (j->spare_fd < 0)
		us_fatal_io(
		    "the log's disk is full, and its reserve is used up. Stopping: nothing is "
		    "answered that is "
		    "not logged. Make room on the file system of keeper/, then start again");
}

/* Makes the spare segment the one that is written. */
static int
begin_segment(struct us_journal *j, uint64_t first)
{
	struct us_journal_segment s = { .first = first };
	uint8_t header[US_SEGMENT_HEADER] = US_SEGMENT_MAGIC;
	struct stat st;
	int err;

	need_spare(j);
	us_store_u64(header + 8, first);
	memcpy(header + 16, j->chain, 32);
	err = us_sha256(header, 48, header + 48);
	if (err != US_OK)
		return err;
	err = us_grow_bare(&j->segments, j->n_segments, sizeof *j->segments);
	if (err != US_OK)
		return err;
	(void)snprintf(s.name, sizeof s.name, "%016llx", (unsigned long long)first);
	/* A segment of the same name can only hold a torn first group: nothing of it counts. */
	write_all(j, j->spare_fd, header, sizeof header, 0, "next");
	must(!fault(j, US_JOURNAL_SYNC) && fsync(j->spare_fd) == 0, "the sync", "next");
	must(renameat(j->dir, "next", j->dir, s.name) == 0, "naming", s.name);
	must(fstat(j->spare_fd, &st) == 0, "looking", s.name);
	s.dev = st.st_dev;
	s.ino = st.st_ino;
	s.size = st.st_size;
	must(fsync(j->dir) == 0, "the sync of the directory", s.name);
	if (j->fd >= 0)
		(void)close(j->fd);
	j->fd = j->spare_fd;
	j->at = US_SEGMENT_HEADER;
	j->limit = (uint64_t)s.size;
	j->spare_fd = -1;
	if (j->n_segments > 0 && j->segments[j->n_segments - 1].first == first)
		j->n_segments--;
	j->segments[j->n_segments++] = s;
	us_journal_prepare(j);
	return US_OK;
}

/* --- files that must stay what they are -------------------------------------------------- */

static void
must_be_there(const struct us_journal *j, const struct us_journal_segment *s)
{
	struct stat st;
	const char *what = NULL;

	if (fstatat(j->dir, s->name, &st, AT_SYMLINK_NOFOLLOW) != 0)
		what = errno == ENOENT ? "was removed" : strerror(errno);
	else if (st.st_dev != s->dev || st.st_ino != s->ino)
		what = "was exchanged for another file";
	else if (st.st_size != s->size)
		what = "has another size than before";
	if (what != NULL)
		us_fatal_io("a file of the log is not what it was: journal/%s %s while the daemon "
			    "ran. Stopping. Keep what "
			    "is there for whoever looks into it, and restore keeper/ whole",
		    s->name, what);
}

void
us_journal_watch(const struct us_journal *j)
{
	struct stat now, opened;

	if (fstat(j->dir, &opened) != 0 ||
	    fstatat(AT_FDCWD, j->options.dir, &now, AT_SYMLINK_NOFOLLOW) != 0 ||
	    now.st_dev != opened.st_dev || now.st_ino != opened.st_ino)
		us_fatal_io("a file of the log is not what it was: the directory journal/ was "
			    "removed or exchanged while "
			    "the daemon ran. Stopping. Keep what is there for whoever looks into "
			    "it, and restore keeper/ whole");
	for (size_t i = 0; i < j->n_segments; i++)
		must_be_there(j, &j->segments[i]);
}

/* --- commit ------------------------------------------------------------------------------ */

static int
build_group(struct us_journal *j, struct us_bytes entries, uint32_t count,
    const struct us_journal_tail *t)
{
	size_t length = US_GROUP_HEADER + entries.n + US_GROUP_FIXED + t->checkpoint.n +
	    t->counters.n;
	struct us_buf *g = &j->group;
	int err;

	us_buf_reset(g);
	if (entries.n > US_JOURNAL_ENTRIES_MAX || t->counters.n > US_JOURNAL_COUNTERS_MAX ||
	    length > j->segment_size - US_SEGMENT_HEADER)
		return US_ERR_LIMIT;
	err = us_buf_put_u32(g, US_GROUP_MAGIC);
	err |= us_buf_put_u32(g, (uint32_t)length);
	err |= us_buf_put_u64(g, t->size - count);
	err |= us_buf_put_u32(g, count);
	err |= us_buf_put(g, entries.p, entries.n);
	err |= us_buf_put_u64(g, t->size);
	err |= us_buf_put(g, t->root.b, 32);
	err |= us_buf_put_u64(g, t->state_sequence);
	err |= us_buf_put(g, t->state_digest, 32);
	err |= us_buf_put_u64(g, (uint64_t)t->time_ns);
	err |= us_buf_put_str16(g, t->checkpoint.p, t->checkpoint.n);
	err |= us_buf_put_str32(g, t->counters.p, t->counters.n);
	err |= us_buf_put(g, j->chain, 32);
	err |= us_buf_put_u32(g, (uint32_t)length);
	if (err != US_OK)
		return US_ERR_NOMEM;
	return US_OK;
}

int
us_journal_commit(struct us_journal *j, struct us_bytes entries, uint32_t count,
    const struct us_journal_tail *tail)
{
	uint8_t digest[32];
	const char *name;
	int err = build_group(j, entries, count, tail);

	if (err == US_OK)
		err = us_sha256(j->group.data, j->group.len, digest);
	if (err == US_OK)
		err = us_buf_put(&j->group, digest, sizeof digest);
	if (err == US_OK && (j->fd < 0 || j->limit - j->at < j->group.len))
		err = begin_segment(j, tail->size - count);
	if (err != US_OK)
		return err;
	name = j->segments[j->n_segments - 1].name;
	write_all(j, j->fd, j->group.data, j->group.len, j->at, name);
	sync_file(j, j->fd, name);
	must_be_there(j, &j->segments[j->n_segments - 1]);
	j->at += j->group.len;
	memcpy(j->chain, digest, sizeof digest);
	return US_OK;
}

/* --- the rest ---------------------------------------------------------------------------- */

uint64_t
us_journal_first(const struct us_journal *j)
{
	return j->n_segments == 0 ? 0 : j->segments[0].first;
}

int
us_journal_drop(struct us_journal *j, uint64_t index)
{
	size_t n = 0;

	/* The newest group is what a start begins with: it must be in the segment that stays. */
	if (j->fd < 0 || j->at == US_SEGMENT_HEADER)
		return US_OK;
	while (n + 1 < j->n_segments && j->segments[n + 1].first <= index) {
		if (unlinkat(j->dir, j->segments[n].name, 0) != 0 && errno != ENOENT)
			return US_ERR_IO;
		n++;
	}
	if (n > 0)
		memmove(j->segments, j->segments + n, (j->n_segments - n) * sizeof *j->segments);
	j->n_segments -= n;
	return US_OK;
}

uint64_t
us_journal_room(const struct us_journal *j)
{
	uint64_t room = j->fd < 0 ? 0 : j->limit - j->at;

	if (j->spare_fd >= 0 && us_job_done(&j->spare_job) && !j->spare_full)
		room += j->segment_size - US_SEGMENT_HEADER;
	return room;
}

int
us_journal_is_short(const struct us_journal *j)
{
	return j->is_short;
}

int
us_journal_space(const struct us_journal *j, uint64_t *bytes)
{
	struct statvfs v;

	if (fstatvfs(j->dir, &v) != 0)
		return US_ERR_IO;
	*bytes = (uint64_t)v.f_bavail * v.f_frsize;
	return US_OK;
}

void
us_journal_close(struct us_journal *j)
{
	if (j == NULL)
		return;
	if (j->fd >= 0)
		(void)close(j->fd);
	if (j->spare_fd >= 0) {
		us_worker_wait(j->options.worker, &j->spare_job);
		(void)close(j->spare_fd);
	}
	if (j->dir >= 0)
		(void)close(j->dir);
	us_buf_free(&j->group);
	us_buf_free(&j->tail_group);
	free(j->segments);
	free(j);
}
