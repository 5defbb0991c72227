/* Start and background work of the log: see klog.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "log/succession.h"
#include "crypto/crypto.h"
#include "base/err.h"
#include "base/log.h"
#include "base/time.h"
#include "log/disk/klog_internal.h"

#define GROUP_MAX (4u * 1024u * 1024u)
#define NOTE_EVERY_NS (INT64_C(1) * US_NS_PER_SECOND)

/* --- the checkpoint beside the journal ---------------------------------------------------- */

/* The newest checkpoint is also noted in a file of its own, about once a second, so that a journal
 * that lost its end does not pass as a short one. */
static void
write_note(void *arg)
{
	struct us_klog *log = arg;
	const int e = log->fault == NULL ? 0 : log->fault(log->fault_arg, US_JOURNAL_FILE);
	int fd = e != 0 ?
	    -1 :
	    openat(log->dir, "checkpoint.new", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	int ok = fd >= 0 && write(fd, log->note.data, log->note.len) == (ssize_t)log->note.len;

	errno = e != 0 ? e : errno;
	log->note_short = !ok && (errno == ENOSPC || errno == EDQUOT);
	ok = ok && fsync(fd) == 0;
	if (fd >= 0)
		(void)close(fd);
	if (log->note_short) {
		(void)unlinkat(log->dir, "checkpoint.new", 0);
		return;
	}
	if (!ok || renameat(log->dir, "checkpoint.new", log->dir, "checkpoint") != 0)
		us_fatal_io("the checkpoint cannot be written: %s. Stopping", strerror(errno));
}

/* Takes note of what the worker has done: 0 while it is at it. */
static int
note_written(struct us_klog *log)
{
	if (log->noting && !us_job_done(&log->note_job))
		return 0;
	if (log->noting && log->note_short) {
		log->noted_size = 0; /* to be tried again */
	} else if (log->noting) {
		us_buf_reset(&log->noted);
		/* of the same limit */
		(void)us_buf_put(&log->noted, log->note.data, log->note.len);
	}
	log->noting = 0;
	return 1;
}

static void
note_checkpoint(struct us_klog *log)
{
	if (!note_written(log))
		return;
	us_buf_reset(&log->note);
	if (us_buf_put(&log->note, log->checkpoint.data, log->checkpoint.len) != US_OK)
		return;
	log->noting = 1;
	log->note_job.run = write_note;
	log->note_job.arg = log;
	us_worker_submit(log->worker, &log->note_job);
	log->noted_size = log->size;
	log->noted_mono = us_time_mono_ns();
}

/* Signed by the log's key, or by a former one as long as it was the log's. */
static int
open_noted(const struct us_klog *log, const struct us_klog_options *o, struct us_checkpoint *c,
    struct us_bytes note)
{
	int err = us_checkpoint_open(c, NULL, note.p, note.n, us_note_signer_key(log->signer), 1);

	for (size_t i = 0; i < o->n_former && err == US_ERR_NOT_FOUND; i++) {
		err = us_checkpoint_open(c, NULL, note.p, note.n, &o->former[i].key, 1);
		if (err == US_OK && c->size > o->former[i].size)
			err = US_ERR_VERIFY;
	}
	return err;
}

static int
check_noted(struct us_klog *log, const struct us_klog_options *o)
{
	uint8_t text[4096];
	struct us_checkpoint c;
	struct us_digest root;
	int fd = openat(log->dir, "checkpoint", O_RDONLY | O_CLOEXEC);
	ssize_t n;
	int err;

	if (fd < 0)
		return errno == ENOENT ? US_OK : US_ERR_IO;
	n = read(fd, text, sizeof text);
	(void)close(fd);
	if (n < 0)
		return US_ERR_IO;
	err = open_noted(log, o, &c, (struct us_bytes){ text, (size_t)n });
	if (err != US_OK) {
		us_log_err(err, "the file \"checkpoint\" is not one that this log signed");
		return US_ERR_VERIFY;
	}
	if (c.size > log->size) {
		us_log(US_LOG_ERROR,
		    "the journal ends at entry %llu, but a checkpoint over %llu was "
		    "signed: entries are missing. Restore the keeper's directory whole",
		    (unsigned long long)log->size, (unsigned long long)c.size);
		return US_ERR_VERIFY;
	}
	err = us_logtree_root_at(log->tree, c.size, &root);
	if (err == US_OK && memcmp(root.b, c.root.b, 32) != 0) {
		us_log(US_LOG_ERROR,
		    "the log contradicts the checkpoint over %llu entries that it "
		    "signed",
		    (unsigned long long)c.size);
		err = US_ERR_VERIFY;
	}
	log->noted_size = c.size;
	return err == US_OK ? us_buf_put(&log->noted, text, (size_t)n) : err;
}

/* --- recovery ------------------------------------------------------------------------------ */

/* Entries below what the tree was loaded with are in the files already. */
static int
on_entry(void *arg, uint64_t index, struct us_bytes entry)
{
	struct us_klog *log = arg;
	struct us_digest leaf;
	int err;

	if (index < us_logtree_size(log->tree))
		return US_OK;
	us_merkle_leaf(&leaf, entry.p, entry.n);
	err = us_logtree_append(log->tree, &leaf);
	if (err == US_OK)
		err = us_publish_entry(log->publish, entry);
	if (err == US_OK && us_logtree_size(log->tree) % US_TILE_WIDTH == 0)
		us_publish_flush(log->publish);
	return err;
}

static int
file_fault(void *arg)
{
	struct us_klog *log = arg;

	return log->fault(log->fault_arg, US_JOURNAL_FILE);
}

static int
recover(struct us_klog *log, const struct us_klog_options *o)
{
	uint64_t first = us_journal_first(log->journal);
	uint64_t start = (first + US_TILE_WIDTH - 1) / US_TILE_WIDTH * US_TILE_WIDTH;
	struct us_logtree_store store;
	struct us_journal_tail tail;
	struct us_digest root;
	int err = us_publish_new(&log->publish, ".", start, log->worker);

	if (err != US_OK)
		return err;
	us_publish_store(log->publish, &store);
	if (log->fault != NULL)
		us_publish_fault(log->publish, file_fault, log);
	err = us_logtree_new(&log->tree, &store, 0);
	if (err == US_OK && start > 0)
		err = us_logtree_load(log->tree, start, NULL);
	if (err == US_OK)
		err = us_journal_recover(log->journal, on_entry, log, &tail);
	if (err != US_OK)
		return err;
	log->size = us_logtree_size(log->tree);
	if (log->size != tail.size)
		return US_ERR_VERIFY;
	err = us_logtree_root(log->tree, &root);
	if (err == US_OK && tail.size > 0 && memcmp(root.b, tail.root.b, 32) != 0) {
		us_log(US_LOG_ERROR,
		    "the log's entries and tiles do not give the root that was signed");
		return US_ERR_VERIFY;
	}
	log->last_time = tail.time_ns;
	log->state_sequence = tail.state_sequence;
	memcpy(log->state_digest, tail.state_digest, 32);
	if (err == US_OK)
		err = us_buf_put(&log->checkpoint, tail.checkpoint.p, tail.checkpoint.n);
	if (err == US_OK)
		err = us_buf_put(&log->counters, tail.counters.p, tail.counters.n);
	us_publish_flush(log->publish);
	return err != US_OK ? err : check_noted(log, o);
}

static int
open_at(struct us_klog *log, const struct us_klog_options *o)
{
	struct us_journal_options jo = { .dir = "journal",
		.segment_size = o->segment_size,
		.fault = o->fault,
		.arg = o->arg };
	int err = us_worker_new(&log->worker);

	if (err == US_OK)
		err = us_key_new(&log->seed);
	if (err != US_OK)
		return err;
	jo.worker = log->worker;
	*log->seed = *o->seed;
	if (strlen(o->origin) >= sizeof log->origin)
		return US_ERR_LIMIT;
	(void)snprintf(log->origin, sizeof log->origin, "%s", o->origin);
	err = us_note_signer_new(&log->signer, log->origin, US_NOTE_ED25519, o->seed);
	if (err == US_OK)
		err = us_note_key_format(us_note_signer_key(log->signer), log->vkey,
		    sizeof log->vkey);
	if (err == US_OK && mkdirat(log->dir, "journal", 0700) != 0 && errno != EEXIST)
		err = US_ERR_IO;
	if (err == US_OK)
		err = us_journal_open(&log->journal, &jo);
	return err != US_OK ? err : recover(log, o);
}

int
us_klog_open(struct us_klog **out, const struct us_klog_options *o)
{
	struct us_klog *log = calloc(1, sizeof *log);
	size_t segment = o->segment_size == 0 ? US_JOURNAL_SEGMENT : o->segment_size;
	int err;

	*out = NULL;
	if (log == NULL)
		return US_ERR_NOMEM;
	log->vault_id = o->vault_id;
	memcpy(log->box_public, o->box_public, 32);
	log->group_max = segment / 4 < GROUP_MAX ? segment / 4 : GROUP_MAX;
	us_buf_init(&log->group, log->group_max);
	us_buf_init(&log->entry, US_ENTRY_MAX);
	us_buf_init(&log->checkpoint, 4096);
	us_buf_init(&log->next_checkpoint, 4096);
	us_buf_init(&log->counters, US_JOURNAL_COUNTERS_MAX);
	us_buf_init(&log->note, 4096);
	us_buf_init(&log->handovers, US_HANDOVERS_BYTES_MAX);
	us_buf_init(&log->noted, 4096);
	log->fault = o->fault;
	log->fault_arg = o->arg;
	log->dir = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	err = us_buf_put(&log->handovers, o->handovers.p, o->handovers.n);
	if (err == US_OK)
		err = log->dir < 0 ? US_ERR_IO : open_at(log, o);
	if (err != US_OK) {
		us_klog_close(log);
		return err;
	}
	log->opened = 1;
	*out = log;
	return US_OK;
}

void
us_klog_close(struct us_klog *log)
{
	if (log == NULL)
		return;
	if (log->noting) {
		us_worker_wait(log->worker, &log->note_job);
		(void)note_written(log);
	}
	/* Never by a log that was refused: the file is the witness against it. */
	if (log->opened && log->size != log->noted_size) {
		note_checkpoint(log);
		us_worker_wait(log->worker, &log->note_job);
	}
	us_logtree_free(log->tree);
	us_publish_free(log->publish);
	us_journal_close(log->journal);
	us_worker_free(log->worker);
	us_note_signer_free(log->signer);
	us_key_free(log->seed);
	us_buf_free(&log->group);
	us_buf_free(&log->entry);
	us_buf_free(&log->checkpoint);
	us_buf_free(&log->next_checkpoint);
	us_buf_free(&log->counters);
	us_buf_free(&log->handovers);
	us_buf_free(&log->note);
	us_buf_free(&log->noted);
	if (log->dir >= 0)
		(void)close(log->dir);
	free(log);
}

int
us_klog_tick(struct us_klog *log)
{
	int more = us_publish_sync(log->publish);

	if (us_publish_is_short(log->publish))
		us_publish_flush(log->publish);
	us_journal_prepare(log->journal);
	if (us_journal_drop(log->journal, us_publish_synced(log->publish)) != US_OK)
		us_log(US_LOG_WARNING,
		    "a journal segment that is no longer needed cannot be removed");
	(void)note_written(log);
	if (log->size != log->noted_size && us_time_mono_ns() - log->noted_mono > NOTE_EVERY_NS)
		note_checkpoint(log);
	return more || log->size != log->noted_size;
}

int
us_klog_is_short(const struct us_klog *log)
{
	return us_journal_is_short(log->journal) || us_publish_is_short(log->publish);
}

uint64_t
us_klog_room(const struct us_klog *log)
{
	return us_journal_room(log->journal);
}

/* --- files that must stay what they are ---------------------------------------------------- */

_Noreturn static void
changed(const char *path, int err)
{
	us_fatal_io("a file of the log is not what it was: %s %s while the daemon ran. Stopping. "
		    "Keep what is there for "
		    "whoever looks into it, and restore keeper/ whole",
	    path,
	    err == US_ERR_NOT_FOUND ? "was removed" :
		err == US_ERR_IO    ? "can no longer be read" :
				      "was changed");
}

static void
watch_checkpoint(struct us_klog *log)
{
	uint8_t text[4096];
	ssize_t n;
	int fd;

	if (!note_written(log) || log->noted.len == 0)
		return;
	fd = openat(log->dir, "checkpoint", O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		changed("checkpoint", errno == ENOENT ? US_ERR_NOT_FOUND : US_ERR_IO);
	n = read(fd, text, sizeof text);
	(void)close(fd);
	if (n != (ssize_t)log->noted.len || memcmp(text, log->noted.data, log->noted.len) != 0)
		changed("checkpoint", n < 0 ? US_ERR_IO : US_ERR_VERIFY);
}

/* A tile's file against the node above it. */
static void
watch_tile(struct us_klog *log, unsigned level, uint64_t n, struct us_digest hashes[US_TILE_WIDTH])
{
	const struct us_tile tile = { .level = level, .n = n, .width = US_TILE_WIDTH };
	const unsigned at = (unsigned)(n % US_TILE_WIDTH);
	struct us_digest above[US_TILE_WIDTH], root;
	char path[US_TILE_PATH_MAX];
	int err = us_publish_tile(log->publish, level, n, hashes);

	if (err == US_OK)
		us_merkle_root(&root, hashes, US_TILE_WIDTH);
	if (err == US_OK &&
	    us_logtree_tile(log->tree, level + 1, n / US_TILE_WIDTH, at + 1, above) == US_OK &&
	    memcmp(above[at].b, root.b, US_HASH_LEN) != 0)
		err = US_ERR_VERIFY;
	if (err != US_OK && us_tile_path(&tile, path, sizeof path) == US_OK)
		changed(path, err);
}

static void
watch_bundle(struct us_klog *log, uint64_t n, const struct us_digest hashes[US_TILE_WIDTH])
{
	const struct us_tile tile = { .entries = 1, .n = n, .width = US_TILE_WIDTH };
	char path[US_TILE_PATH_MAX];
	struct us_digest leaf;
	struct us_reader r;
	struct us_buf b;
	int err;

	us_buf_init(&b, US_BUNDLE_MAX);
	err = us_publish_bundle(log->publish, n, US_TILE_WIDTH, &b);
	us_reader_init(&r, b.data, b.len);
	for (unsigned i = 0; err == US_OK && i < US_TILE_WIDTH; i++) {
		struct us_bytes entry = us_bundle_take(&r);

		us_merkle_leaf(&leaf, entry.p, entry.n);
		if (memcmp(leaf.b, hashes[i].b, US_HASH_LEN) != 0)
			err = US_ERR_VERIFY;
	}
	us_buf_free(&b);
	if (err != US_OK && us_tile_path(&tile, path, sizeof path) == US_OK)
		changed(path, err);
}

void
us_klog_watch(struct us_klog *log)
{
	const uint64_t bundles = us_publish_synced(log->publish) / US_TILE_WIDTH;
	struct us_digest hashes[US_TILE_WIDTH];
	uint64_t n;

	us_journal_watch(log->journal);
	watch_checkpoint(log);
	if (bundles == 0)
		return;
	n = log->watched++ % bundles;
	watch_tile(log, 0, n, hashes);
	watch_bundle(log, n, hashes);
	/* a tile of a higher level when the last below it has had its turn */
	for (unsigned level = 1; n % US_TILE_WIDTH == US_TILE_WIDTH - 1; level++) {
		n /= US_TILE_WIDTH;
		watch_tile(log, level, n, hashes);
	}
}
