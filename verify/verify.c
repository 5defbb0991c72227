#include "verify/verify.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/crypto.h"
#include "verify/acts.h"
#include "verify/succession.h"
#include "verify/head.h"
#include "verify/prefix.h"
#include "verify/rules.h"
#include "verify/saved.h"
#include "verify/stamps.h"
#include "verify/witnessed.h"

#define SAVED_MAX ((size_t)1 << 28)
#define SLOTS_PER_THREAD 4 /* so that one that is slow for once does not hold up the others */

/* What the threads share. All of it is guarded by lock, but what does not change while they run
 * (source, options, size) and slots between taken and ready, which are those of the thread that
 * took them. Invariant: turn <= taken <= turn + n_slots. */
struct us_verify {
	pthread_mutex_t lock;
	pthread_cond_t turned;
	const struct us_log_source *source;
	const struct us_verify_options *options;
	struct us_verify_report *report;
	struct us_verify_finding finding;
	int err; /* not US_OK: the pass is over */
	uint64_t size;
	uint64_t bundles; /* how many to take */
	uint64_t taken;   /* bundles that a thread has taken */
	uint64_t turn;    /* bundles that were settled, in their order */
	unsigned n_slots;
	struct us_verify_bundle *slots; /* bundle n is in slot n % n_slots */
	/* the line that was read last, if have_keys: of a bundle not yet taken */
	struct us_export_keys keys;
	int have_keys;
	uint64_t keys_line; /* its number, from 1 */
	uint64_t keys_at;   /* where it begins in the file */
	uint64_t keys_end;  /* and where the one after it does */
	uint64_t keys_next; /* what an index has to be at least */
	struct us_verify_rules *rules;
	struct us_verify_acts acts;
	/* of bundles: the root over their roots is the root over all leaves */
	struct us_merkle_stream stream;
	struct us_verify_level level[US_VERIFY_LEVELS]; /* from 1 */
	struct us_buf tile;
	struct us_buf note; /* the checkpoint */
	struct us_verify_witnessing witnessed;
	struct us_verify_stamps stamps;
	struct us_verify_prefixes prefixes;
	struct us_verify_succession handed;
};

static unsigned long long
num(uint64_t n)
{
	return (unsigned long long)n;
}

/* --- keys.jsonl ---------------------------------------------------------------------------- */

/* Reads the next line of keys, if there is one. */
static int
next_keys(struct us_verify *v)
{
	char line[US_EXPORT_KEYS_LINE_MAX];
	size_t n = 0;
	int err;

	v->have_keys = 0;
	if (v->source->next_keys == NULL)
		return US_OK;
	do {
		err = v->source->next_keys(v->source->arg, line, &n);
		v->keys_line++;
		v->keys_at = v->keys_end;
		v->keys_end += n + 1;
	} while (err == US_OK && n == 0);
	if (err == US_ERR_NOT_FOUND || err == US_ERR_NOMEM)
		return err == US_ERR_NOMEM ? err : US_OK;
	if (err == US_ERR_IO)
		return us_verify_found(&v->finding, US_VERDICT_UNVERIFIABLE, US_ENTRY_NONE,
		    "keys.jsonl cannot be read");
	if (err == US_OK)
		err = us_export_keys_parse(&v->keys, line, n);
	us_wipe(line, err == US_OK ? n : sizeof line);
	if (err != US_OK)
		return us_verify_found(&v->finding, US_VERDICT_TAMPERED, US_ENTRY_NONE,
		    "keys.jsonl, line %llu: %s", num(v->keys_line), us_strerror(err));
	if (v->keys.index < v->keys_next || v->keys.index >= v->size)
		return us_verify_found(&v->finding, US_VERDICT_TAMPERED, US_ENTRY_NONE,
		    "keys.jsonl, line %llu: index %llu is out of order or "
		    "of the log",
		    num(v->keys_line), num(v->keys.index));
	v->keys_next = v->keys.index + 1;
	v->have_keys = 1;
	return US_OK;
}

/* The keys of the bundle's entries. */
static int
take_keys(struct us_verify *v, struct us_verify_bundle *b)
{
	int err = US_OK;

	b->n_keys = 0;
	while (err == US_OK && v->have_keys && v->keys.index / US_TILE_WIDTH == b->n) {
		b->keys_at[b->n_keys] = v->keys_at;
		b->keys[b->n_keys++] = v->keys; /* indexes rise: there is room */
		err = next_keys(v);
	}
	return err;
}

/* --- the tree above the bundles ------------------------------------------------------------ */

static int
check_tile(struct us_verify *v, unsigned level, uint64_t n, unsigned width)
{
	const struct us_tile tile = { 0, level, n, width };
	int err = us_verify_tile_get(v->source, &tile, &v->tile, &v->finding);

	for (unsigned i = 0; err == US_OK && i < width; i++) {
		if (memcmp(v->tile.data + i * US_HASH_LEN, v->level[level].hash[i].b,
			US_HASH_LEN) != 0)
			err = us_verify_found(&v->finding, US_VERDICT_TAMPERED,
			    (n * US_TILE_WIDTH + i) << (8 * level),
			    "hash %llu of level %u is not that of the hashes below it",
			    num(n * US_TILE_WIDTH + i), level);
	}
	return err;
}

/* Adds a hash to level 1; a tile that gets full is checked, and its root goes up one level. */
static int
add_hash(struct us_verify *v, struct us_digest h)
{
	int err;

	for (unsigned level = 1; level < US_VERIFY_LEVELS; level++) {
		struct us_verify_level *l = &v->level[level];

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
finish_tree(struct us_verify *v)
{
	struct us_digest root;
	int err = US_OK;

	for (unsigned level = 1; level < US_VERIFY_LEVELS && err == US_OK; level++) {
		const struct us_verify_level *l = &v->level[level];

		if (l->n % US_TILE_WIDTH != 0)
			err = check_tile(v, level, l->n / US_TILE_WIDTH,
			    (unsigned)(l->n % US_TILE_WIDTH));
	}
	if (err != US_OK)
		return err;
	us_merkle_stream_root(&v->stream, &root);
	return memcmp(root.b, v->report->checkpoint.root.b, US_HASH_LEN) == 0 ?
	    US_OK :
	    us_verify_found(&v->finding, US_VERDICT_TAMPERED, US_ENTRY_NONE,
		"the entries do not give the root that the checkpoint signs");
}

/* --- bundles, in their order --------------------------------------------------------------- */

/* Shows the bundle's entries to who asked for them. */
static int
show_entries(const struct us_verify *v, const struct us_verify_bundle *b)
{
	int err = US_OK;

	for (size_t i = 0, key = 0; i < b->done && err == US_OK; i++) {
		struct us_verified_entry e = { .opened = &b->entries[i], .leaf = &b->leaves[i] };

		if (key < b->n_keys && b->keys[key].index == e.opened->view.index) {
			e.keys = &b->keys[key];
			e.keys_at = b->keys_at[key++];
		}
		err = v->options->on_entry(v->options->arg, &e);
	}
	return err;
}

/* ---- where it stands ---- */

static struct us_verify_standing
standing(struct us_verify *v, uint64_t bundles)
{
	return (struct us_verify_standing){ bundles, v->report, &v->stream, v->level, v->rules };
}

static int
tell_standing(struct us_verify *v, uint64_t bundles)
{
	const struct us_verify_standing s = standing(v, bundles);
	struct us_buf bytes;
	int err;

	us_buf_init(&bytes, SAVED_MAX);
	err = us_verify_standing_save(&s, &bytes);
	if (err == US_OK)
		err = v->options->on_full(v->options->arg,
		    (struct us_bytes){ bytes.data, bytes.len });
	us_buf_free(&bytes);
	return err;
}

/* Goes on from where an earlier one stood, if nothing asks about what is behind it. */
static int
go_on(struct us_verify *v)
{
	const uint64_t bundles = us_verify_standing_bundles(v->options->saved);
	struct us_verify_standing s = standing(v, 0);
	int err;

	if (bundles == 0 || bundles > v->size / US_TILE_WIDTH || v->acts.file.len > 0)
		return US_OK;
	for (size_t i = 0; i < v->prefixes.n; i++)
		if (v->prefixes.at[i].size <= bundles * US_TILE_WIDTH)
			return US_OK;
	err = us_verify_standing_load(&s, v->options->saved);
	if (err != US_OK)
		return err;
	v->taken = v->turn = s.bundles;
	v->keys_next = s.bundles * US_TILE_WIDTH;
	if (v->options->passed_over != NULL)
		*v->options->passed_over = v->keys_next;
	return US_OK;
}

/* What spans bundles. Entries before the bundle's own finding come first. */
static int
settle(struct us_verify *v, struct us_verify_bundle *b)
{
	struct us_verify_report *r = v->report;
	int err = US_OK;

	for (unsigned i = 0; i < b->done && !v->options->foreign; i++) {
		const struct us_opened *e = &b->entries[i];

		err = us_verify_succession_next(&v->handed, e, &v->finding);
		if (err == US_OK)
			err = us_verify_rules_next(v->rules, e, &v->finding);
		if (err == US_OK && e->view.entry_class == US_CLASS_STATE)
			err = us_verify_acts_next(&v->acts, e->view.index, e->view.state,
			    &v->finding);
		if (err != US_OK) {
			b->done = i;
			break;
		}
		r->withheld += !us_opened_has(e, US_BOX_ACCESS);
		if (e->view.index == 0)
			r->first_ns = e->view.time_ns;
		r->last_ns = e->view.time_ns;
	}
	if (!v->options->foreign && v->options->on_entry != NULL &&
	    (err == US_OK || err == FOUND)) {
		const int shown = show_entries(v, b);

		err = shown == US_OK ? err : shown;
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
	us_verify_prefixes_pass(&v->prefixes, &v->stream, b);
	us_merkle_stream_add(&v->stream, &b->root);
	err = b->width == US_TILE_WIDTH ? add_hash(v, b->root) : US_OK;
	if (err == US_OK && v->options->on_full != NULL &&
	    (b->n + 1) * US_TILE_WIDTH == v->size / US_TILE_WIDTH * US_TILE_WIDTH)
		err = tell_standing(v, b->n + 1);
	if (err == US_OK && v->options->on_progress != NULL)
		v->options->on_progress(v->options->arg, r->entries, v->size);
	return err;
}

/* Settles what is ready and has its turn. */
static void
settle_ready(struct us_verify *v)
{
	while (v->err == US_OK && v->turn < v->taken && v->slots[v->turn % v->n_slots].ready) {
		struct us_verify_bundle *b = &v->slots[v->turn % v->n_slots];

		b->ready = 0;
		v->err = settle(v, b);
		v->turn++;
	}
	(void)pthread_cond_broadcast(&v->turned);
}

/* Takes the next bundle into its slot, with its keys. That a line of keys is wrong counts before
 * the bundle, and after those before it; nobody reads on behind it. */
static struct us_verify_bundle *
take_bundle(struct us_verify *v)
{
	struct us_verify_bundle *b = &v->slots[v->taken % v->n_slots];

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

/* A thread: takes bundle after bundle, checks each without the lock, and settles what has its
 * turn. */
static void *
work(void *arg)
{
	struct us_verify *v = arg;
	struct us_verify_bundle *b;

	(void)pthread_mutex_lock(&v->lock);
	while (v->err == US_OK && v->taken < v->bundles) {
		if (v->taken - v->turn == v->n_slots) {
			(void)pthread_cond_wait(&v->turned, &v->lock);
			continue;
		}
		b = take_bundle(v);
		if (b->result == US_OK) {
			(void)pthread_mutex_unlock(&v->lock);
			(void)us_verify_bundle_check(b, v->source);
			(void)pthread_mutex_lock(&v->lock);
		}
		b->ready = 1;
		settle_ready(v);
	}
	if (us_gcm_forget() != US_OK && v->err == US_OK)
		v->err = US_ERR_CRYPTO;
	(void)pthread_mutex_unlock(&v->lock);
	return NULL;
}

/* This thread is one of them. Fewer than asked for do as well. */
static int
check_bundles(struct us_verify *v)
{
	const unsigned wanted = !v->source->shared || v->options->threads == 0 ? 1 :
	    v->options->threads < US_VERIFY_THREADS_MAX ? v->options->threads :
							  US_VERIFY_THREADS_MAX;
	pthread_t thread[US_VERIFY_THREADS_MAX];
	unsigned n = 0, i;

	v->n_slots = wanted == 1 ? 1 : SLOTS_PER_THREAD * wanted;
	v->slots = calloc(v->n_slots, sizeof *v->slots);
	if (v->slots == NULL)
		return US_ERR_NOMEM;
	for (i = 0; i < v->n_slots; i++)
		us_verify_bundle_init(&v->slots[i]);
	while (
	    n + 1 < wanted && n + 1 < v->bundles && pthread_create(&thread[n], NULL, work, v) == 0)
		n++;
	(void)work(v);
	while (n > 0)
		(void)pthread_join(thread[--n], NULL);
	for (i = 0; i < v->n_slots; i++)
		us_verify_bundle_free(&v->slots[i]);
	free(v->slots);
	return v->err;
}

/* What others say of the log: first whether it is about this one, then whether it is enough. */
static int
check_beside(struct us_verify *v)
{
	int err = us_verify_witnessed_compare(&v->witnessed, &v->prefixes, &v->finding);

	if (err == US_OK)
		err = us_verify_stamps_compare(&v->stamps, v->report, v->options, &v->prefixes,
		    &v->finding);
	if (err == US_OK)
		err = us_verify_witnessed_judge(&v->witnessed, v->options->policy, v->report,
		    &v->finding);
	return err == US_OK ?
	    us_verify_stamps_judge(&v->stamps, v->report, v->options, &v->finding) :
	    err;
}

static int
check_all(struct us_verify *v)
{
	struct us_note_key key;
	int err = us_verify_head_open(v->report, &key, &v->handed, &v->note, v->source, v->options,
	    &v->finding);

	if (err == US_OK)
		err = us_verify_succession_begin(&v->handed, &v->prefixes, v->report, &v->finding);
	if (err == US_OK)
		err = us_verify_witnessed_begin(&v->witnessed, &key, v->options->policy,
		    (struct us_bytes){ v->note.data, v->note.len }, &v->finding);
	if (err == US_OK)
		err = us_verify_witnessed_beside(&v->witnessed, v->source, &key, v->options->policy,
		    &v->prefixes, &v->finding);
	if (err == US_OK)
		err = us_verify_stamps_open(&v->stamps, v->report, v->source,
		    &(struct us_verify_stamp_keys){ &key, v->handed.chain }, v->options,
		    &v->prefixes, &v->finding);
	if (err != US_OK)
		return err;
	v->size = v->report->checkpoint.size;
	v->bundles = v->size / US_TILE_WIDTH + (v->size % US_TILE_WIDTH != 0);
	if (!v->options->foreign)
		err = us_verify_acts_open(&v->acts, v->source, &v->finding);
	if (err == US_OK && !v->options->foreign)
		err = go_on(v);
	if (err == US_OK && !v->options->foreign)
		err = next_keys(v);
	if (err == US_OK)
		err = check_bundles(v);
	v->report->acts = v->acts.state.n;
	if (err == US_OK)
		err = us_verify_acts_end(&v->acts, v->report, &v->finding);
	if (err == US_OK)
		err = finish_tree(v);
	if (err == US_OK)
		err = us_verify_succession_conclude(&v->handed, &v->prefixes, &v->finding);
	return err == US_OK ? check_beside(v) : err;
}

/* --- the whole ----------------------------------------------------------------------------- */

int
us_log_verify(struct us_verify_report *report, const struct us_log_source *source,
    const struct us_verify_options *options)
{
	static const struct us_verify_options defaults = { 0 };
	struct us_verify *v = calloc(1, sizeof *v);
	int err;

	us_verify_report_begin(report);
	if (v == NULL)
		return US_ERR_NOMEM;
	v->report = report;
	v->source = source;
	v->options = options != NULL ? options : &defaults;
	(void)pthread_mutex_init(&v->lock, NULL);
	(void)pthread_cond_init(&v->turned, NULL);
	us_buf_init(&v->tile, US_TILE_WIDTH * US_HASH_LEN + 1);
	us_buf_init(&v->note, US_NOTE_MAX);
	us_merkle_stream_init(&v->stream);
	err = us_verify_rules_new(&v->rules);
	if (err == US_OK)
		err = check_all(v);
	us_verify_report_conclude(report, err, &v->finding);
	us_verify_rules_free(v->rules);
	us_verify_acts_close(&v->acts);
	us_verify_succession_free(&v->handed);
	us_buf_free(&v->tile);
	us_buf_free(&v->note);
	(void)pthread_cond_destroy(&v->turned);
	(void)pthread_mutex_destroy(&v->lock);
	us_wipe(v, sizeof *v);
	free(v);
	return err == FOUND ? US_OK : err;
}
