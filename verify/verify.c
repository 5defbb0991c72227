#include "verify/verify.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "verify/rules.h"

#define LEVELS 8
#define SLOTS_PER_THREAD 4 /* so that one that is slow for once does not hold up the others */
#define VKEY_FILE_MAX 1024

struct level {
	uint64_t n; /* hashes so far, of the whole level */
	struct us_digest hash[US_TILE_WIDTH]; /* those of the tile being filled */
};

/* What the threads share. All of it is guarded by lock, but what does not change while they run (files.dir, options, size) and
 * slots between taken and ready, which are those of the thread that took them. Invariant: turn <= taken <= turn + n_slots. */
struct verify {
	pthread_mutex_t lock;
	pthread_cond_t turned;
	const struct verify_options *options;
	struct verification *out;
	struct finding finding;
	int err;          /* not US_OK: the pass is over */
	struct files files;
	uint64_t size;
	uint64_t bundles; /* how many to take */
	uint64_t taken;   /* bundles that a thread has taken */
	uint64_t turn;    /* bundles that were settled, in their order */
	unsigned n_slots;
	struct bundle *slots; /* bundle n is in slot n % n_slots */
	struct us_export_keys keys; /* the line that was read last, if have_keys: of a bundle not yet taken */
	int have_keys;
	uint64_t keys_next; /* what an index has to be at least */
	struct rules *rules;
	struct us_merkle_stream stream; /* of bundles: the root over their roots is the root over all leaves */
	struct level level[LEVELS];     /* from 1 */
	struct us_buf tile;
};

int
found(struct finding *f, enum us_verdict verdict, uint64_t index, const char *format, ...)
{
	va_list ap;

	f->verdict = verdict;
	f->index = index;
	va_start(ap, format);
	(void)vsnprintf(f->text, sizeof f->text, format, ap);
	va_end(ap);
	return FOUND;
}

static unsigned long long
num(uint64_t n)
{
	return (unsigned long long)n;
}

/* --- the head ------------------------------------------------------------------------------ */

static int
get_key(struct verify *v, struct us_note_key *key)
{
	const char *text = v->options->vkey;
	struct us_buf file;
	size_t n;
	int err = US_OK;

	us_buf_init(&file, VKEY_FILE_MAX);
	if (text == NULL) {
		v->out->report.own_vkey = 1;
		err = files_get(&v->files, "log.vkey", &file);
		text = err == US_OK ? us_buf_cstr(&file) : "";
	}
	if (err == US_OK && text == NULL)
		err = US_ERR_NOMEM;
	if (err == US_OK) {
		n = strlen(text);
		if (n > 0 && text[n - 1] == '\n')
			n--;
		if (us_note_key_parse(key, text, n) != US_OK || key->type != US_NOTE_ED25519)
			err = found(&v->finding, US_VERDICT_UNVERIFIABLE, US_ENTRY_NONE, "the key given is not the key of a log");
	} else if (err != US_ERR_NOMEM) {
		err = found(&v->finding, US_VERDICT_UNVERIFIABLE, US_ENTRY_NONE, "there is no key to verify with: log.vkey: %s",
		    us_strerror(err));
	}
	us_buf_free(&file);
	return err;
}

static int
get_checkpoint(struct verify *v, const struct us_note_key *key)
{
	struct us_checkpoint *c = &v->out->report.checkpoint;
	struct us_buf file;
	int err;

	us_buf_init(&file, US_NOTE_MAX);
	err = files_get(&v->files, "checkpoint", &file);
	if (err != US_OK && err != US_ERR_NOMEM)
		err = found(&v->finding, US_VERDICT_UNVERIFIABLE, US_ENTRY_NONE, "there is no checkpoint: %s", us_strerror(err));
	if (err == US_OK) {
		err = us_checkpoint_open(c, NULL, file.data, file.len, key, 1);
		c->extensions = (struct us_bytes){ NULL, 0 };
		if (err == US_ERR_NOT_FOUND)
			err = found(&v->finding, US_VERDICT_TAMPERED, US_ENTRY_NONE, "the checkpoint is not signed by the key %s",
			    key->name);
		else if (err == US_ERR_VERIFY)
			err = found(&v->finding, US_VERDICT_TAMPERED, US_ENTRY_NONE, "the checkpoint is of another log than %s",
			    key->name);
		else if (err != US_OK && err != US_ERR_NOMEM)
			err = found(&v->finding, US_VERDICT_TAMPERED, US_ENTRY_NONE, "the checkpoint: %s", us_strerror(err));
	}
	us_buf_free(&file);
	return err;
}

/* --- keys.jsonl ---------------------------------------------------------------------------- */

/* Reads the next line of keys, if there is one. */
static int
next_keys(struct verify *v)
{
	char line[KEYS_LINE_MAX];
	size_t n = 0;
	int err = files_next_line(&v->files, line, &n);

	v->have_keys = 0;
	if (err == US_ERR_NOT_FOUND)
		return US_OK;
	if (err == US_ERR_IO)
		return found(&v->finding, US_VERDICT_UNVERIFIABLE, US_ENTRY_NONE, "keys.jsonl cannot be read");
	if (err == US_OK)
		err = us_export_keys_parse(&v->keys, line, n);
	us_wipe(line, n);
	if (err != US_OK)
		return found(&v->finding, US_VERDICT_TAMPERED, US_ENTRY_NONE, "keys.jsonl, line %llu: %s", num(v->files.line),
		    us_strerror(err));
	if (v->keys.index < v->keys_next || v->keys.index >= v->size)
		return found(&v->finding, US_VERDICT_TAMPERED, US_ENTRY_NONE, "keys.jsonl, line %llu: index %llu is out of order or "
		    "of the log", num(v->files.line), num(v->keys.index));
	v->keys_next = v->keys.index + 1;
	v->have_keys = 1;
	return US_OK;
}

/* The keys of the bundle's entries. */
static int
take_keys(struct verify *v, struct bundle *b)
{
	int err = US_OK;

	b->n_keys = 0;
	while (err == US_OK && v->have_keys && v->keys.index / US_TILE_WIDTH == b->n) {
		b->keys[b->n_keys++] = v->keys; /* indexes rise: there is room */
		err = next_keys(v);
	}
	return err;
}

/* --- the tree above the bundles ------------------------------------------------------------ */

static int
check_tile(struct verify *v, unsigned level, uint64_t n, unsigned width)
{
	const struct us_tile tile = { 0, level, n, width };
	int err = tile_get(&v->files, &tile, &v->tile, &v->finding);

	for (unsigned i = 0; err == US_OK && i < width; i++) {
		if (memcmp(v->tile.data + i * US_HASH_LEN, v->level[level].hash[i].b, US_HASH_LEN) != 0)
			err = found(&v->finding, US_VERDICT_TAMPERED, (n * US_TILE_WIDTH + i) << (8 * level),
			    "hash %llu of level %u is not that of the hashes below it", num(n * US_TILE_WIDTH + i), level);
	}
	return err;
}

/* Adds a hash to level 1; a tile that gets full is checked, and its root goes up one level. */
static int
add_hash(struct verify *v, struct us_digest h)
{
	int err;

	for (unsigned level = 1; level < LEVELS; level++) {
		struct level *l = &v->level[level];

		l->hash[l->n++ % US_TILE_WIDTH] = h;
		if (l->n % US_TILE_WIDTH != 0)
			break;
		err = check_tile(v, level, l->n / US_TILE_WIDTH - 1, US_TILE_WIDTH);
		if (err != US_OK)
			return err;
		us_merkle_root(&h, l->hash, US_TILE_WIDTH);
	}
	return US_OK;
}

static int
finish_tree(struct verify *v)
{
	struct us_digest root;
	int err = US_OK;

	for (unsigned level = 1; level < LEVELS && err == US_OK; level++) {
		const struct level *l = &v->level[level];

		if (l->n % US_TILE_WIDTH != 0)
			err = check_tile(v, level, l->n / US_TILE_WIDTH, (unsigned)(l->n % US_TILE_WIDTH));
	}
	if (err != US_OK)
		return err;
	us_merkle_stream_root(&v->stream, &root);
	return memcmp(root.b, v->out->report.checkpoint.root.b, US_HASH_LEN) == 0 ? US_OK :
	    found(&v->finding, US_VERDICT_TAMPERED, US_ENTRY_NONE, "the entries do not give the root that the checkpoint signs");
}

/* --- bundles, in their order --------------------------------------------------------------- */

/* What spans bundles. Entries before the bundle's own finding come first. */
static int
settle(struct verify *v, const struct bundle *b)
{
	struct us_verify_report *r = &v->out->report;
	int err = US_OK;

	for (unsigned i = 0; i < b->done && !v->options->foreign && err == US_OK; i++) {
		const struct facts *f = &b->facts[i];

		err = rules_next(v->rules, f, &v->finding);
		v->out->withheld += !f->open[US_BOX_ACCESS];
		if (f->index == 0)
			r->first_ns = f->time_ns;
		r->last_ns = f->time_ns;
	}
	if (err == US_OK && b->result != US_OK) {
		v->finding = b->finding;
		err = b->result;
	}
	if (err != US_OK)
		return err;
	r->entries += b->width;
	for (unsigned box = 0; box < US_BOXES; box++)
		r->opened[box] += b->opened[box];
	us_merkle_stream_add(&v->stream, &b->root);
	err = b->width == US_TILE_WIDTH ? add_hash(v, b->root) : US_OK;
	if (err == US_OK && v->options->on_progress != NULL)
		v->options->on_progress(v->options->arg, r->entries, v->size);
	return err;
}

/* Settles what is ready and has its turn. */
static void
settle_ready(struct verify *v)
{
	while (v->err == US_OK && v->turn < v->taken && v->slots[v->turn % v->n_slots].ready) {
		struct bundle *b = &v->slots[v->turn % v->n_slots];

		b->ready = 0;
		v->err = settle(v, b);
		v->turn++;
	}
	(void)pthread_cond_broadcast(&v->turned);
}

/* Takes the next bundle into its slot, with its keys. That a line of keys is wrong counts before the bundle, and after those
 * before it; nobody reads on behind it. */
static struct bundle *
take_bundle(struct verify *v)
{
	struct bundle *b = &v->slots[v->taken % v->n_slots];

	b->n = v->taken++;
	b->width = us_tile_width(v->size, 0, b->n);
	b->foreign = v->options->foreign;
	b->done = 0;
	b->result = take_keys(v, b);
	if (b->result != US_OK) {
		b->finding = v->finding;
		v->bundles = v->taken;
	}
	return b;
}

/* A thread: takes bundle after bundle, checks each without the lock, and settles what has its turn. */
static void *
work(void *arg)
{
	struct verify *v = arg;
	struct bundle *b;

	(void)pthread_mutex_lock(&v->lock);
	while (v->err == US_OK && v->taken < v->bundles) {
		if (v->taken - v->turn == v->n_slots) {
			(void)pthread_cond_wait(&v->turned, &v->lock);
			continue;
		}
		b = take_bundle(v);
		if (b->result == US_OK) {
			(void)pthread_mutex_unlock(&v->lock);
			(void)bundle_check(b, &v->files);
			(void)pthread_mutex_lock(&v->lock);
		}
		b->ready = 1;
		settle_ready(v);
	}
	(void)pthread_mutex_unlock(&v->lock);
	return NULL;
}

/* This thread is one of them. Fewer than asked for do as well. */
static int
check_bundles(struct verify *v)
{
	pthread_t thread[VERIFY_THREADS_MAX];
	unsigned n = 0, i;

	v->n_slots = v->options->threads == 1 ? 1 : SLOTS_PER_THREAD * v->options->threads;
	v->slots = calloc(v->n_slots, sizeof *v->slots);
	if (v->slots == NULL)
		return US_ERR_NOMEM;
	for (i = 0; i < v->n_slots; i++)
		bundle_init(&v->slots[i]);
	while (n + 1 < v->options->threads && n + 1 < VERIFY_THREADS_MAX && n + 1 < v->bundles &&
	    pthread_create(&thread[n], NULL, work, v) == 0)
		n++;
	(void)work(v);
	while (n > 0)
		(void)pthread_join(thread[--n], NULL);
	for (i = 0; i < v->n_slots; i++)
		bundle_free(&v->slots[i]);
	free(v->slots);
	return v->err;
}

static int
check_all(struct verify *v)
{
	struct us_note_key key;
	int err = get_key(v, &key);

	if (err == US_OK)
		err = get_checkpoint(v, &key);
	if (err != US_OK)
		return err;
	v->size = v->out->report.checkpoint.size;
	v->bundles = v->size / US_TILE_WIDTH + (v->size % US_TILE_WIDTH != 0);
	if (!v->options->foreign)
		err = next_keys(v);
	if (err == US_OK)
		err = check_bundles(v);
	return err == US_OK ? finish_tree(v) : err;
}

/* --- the whole ----------------------------------------------------------------------------- */

static void
conclude(struct verify *v, int err)
{
	struct us_verify_report *r = &v->out->report;

	if (err == FOUND) {
		r->verdict = v->finding.verdict;
		r->index = v->finding.index;
		v->out->rule = v->finding.rule;
		(void)snprintf(r->detail, sizeof r->detail, "%s", v->finding.text);
	} else if (err == US_OK) {
		r->verdict = US_VERDICT_OK;
		(void)snprintf(r->detail, sizeof r->detail, "%llu entries match the signed checkpoint", num(v->size));
	}
}

int
verify_export(struct verification *out, const char *dir, const struct verify_options *options)
{
	struct verify *v = calloc(1, sizeof *v);
	int err;

	memset(out, 0, sizeof *out);
	out->report.verdict = US_VERDICT_UNVERIFIABLE;
	out->report.index = US_ENTRY_NONE;
	if (v == NULL)
		return US_ERR_NOMEM;
	v->out = out;
	v->options = options;
	(void)pthread_mutex_init(&v->lock, NULL);
	(void)pthread_cond_init(&v->turned, NULL);
	us_buf_init(&v->tile, US_TILE_WIDTH * US_HASH_LEN + 1);
	us_merkle_stream_init(&v->stream);
	err = rules_new(&v->rules);
	if (err == US_OK) {
		err = files_open(&v->files, dir);
		if (err == US_OK) {
			err = check_all(v);
			files_close(&v->files);
		} else if (err != US_ERR_NOMEM) {
			err = found(&v->finding, US_VERDICT_UNVERIFIABLE, US_ENTRY_NONE, "the directory or its keys.jsonl cannot "
			    "be opened: %s", us_strerror(err));
		}
	}
	conclude(v, err);
	rules_free(v->rules);
	us_buf_free(&v->tile);
	(void)pthread_cond_destroy(&v->turned);
	(void)pthread_mutex_destroy(&v->lock);
	us_wipe(v, sizeof *v);
	free(v);
	return err == FOUND ? US_OK : err;
}
