#include "audit/export.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audit/tiles.h"
#include "common/err.h"

#define LEVELS 8
#define KEYS_LINE_MAX 1024
#define VKEY_FILE_MAX 1024

/* Marks that the report is filled and the pass ends; never leaves this file. */
#define DONE US_ERR__COUNT

struct level {
	uint64_t n; /* hashes so far, of the whole level */
	struct us_digest hash[US_TILE_WIDTH]; /* those of the tile being filled */
};

struct verifier {
	struct us_verify_report *report;
	const struct us_log_source *source;
	const struct us_verify_options *options;
	struct us_buf bundle;
	struct us_buf tile;
	struct us_buf content;
	struct us_merkle_stream stream;
	struct level level[LEVELS];
	uint64_t size;
	uint64_t keys_line; /* number of the line in keys */
	int keys_state;     /* 0: keys is empty, 1: it waits for its entry, 2: no more */
	struct us_export_keys keys;
};

static int say(struct verifier *v, enum us_verdict verdict, uint64_t index, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

static int
say(struct verifier *v, enum us_verdict verdict, uint64_t index, const char *format, ...)
{
	va_list ap;

	v->report->verdict = verdict;
	v->report->index = index;
	va_start(ap, format);
	(void)vsnprintf(v->report->detail, sizeof(v->report->detail), format, ap);
	va_end(ap);
	return DONE;
}

static unsigned long long
num(uint64_t n)
{
	return (unsigned long long)n;
}

/* What went wrong with a file of the log that ought to be there. */
static int
no_file(struct verifier *v, int err, const char *path, uint64_t index)
{
	switch (err) {
	case US_ERR_NOMEM:
		return err;
	case US_ERR_NOT_FOUND:
		return say(v, US_VERDICT_INCOMPLETE, index, "%s is missing", path);
	case US_ERR_LIMIT:
		return say(v, US_VERDICT_TAMPERED, index, "%s is larger than it can be", path);
	default:
		return say(v, US_VERDICT_UNVERIFIABLE, index, "%s cannot be read: %s", path,
		    us_strerror(err));
	}
}

static int
get_key(struct verifier *v, struct us_note_key *key)
{
	struct us_buf file;
	const char *text = v->options->vkey;
	size_t n;
	int err = US_OK;

	us_buf_init(&file, VKEY_FILE_MAX);
	if (text == NULL) {
		v->report->own_vkey = 1;
		err = v->source->get(v->source->arg, "log.vkey", &file);
		text = err == US_OK ? us_buf_cstr(&file) : "";
	}
	if (err == US_OK && text == NULL)
		err = US_ERR_NOMEM;
	if (err == US_OK) {
		n = strlen(text);
		if (n > 0 && text[n - 1] == '\n')
			n--;
		if (us_note_key_parse(key, text, n) != US_OK || key->type != US_NOTE_ED25519)
			err = say(v, US_VERDICT_UNVERIFIABLE, US_ENTRY_NONE,
			    "the key given is not the key of a log");
	} else if (err != US_ERR_NOMEM) {
		err = say(v, US_VERDICT_UNVERIFIABLE, US_ENTRY_NONE,
		    "there is no key to verify with: log.vkey: %s", us_strerror(err));
	}
	us_buf_free(&file);
	return err;
}

static int
get_checkpoint(struct verifier *v, const struct us_note_key *key)
{
	struct us_checkpoint *c = &v->report->checkpoint;
	struct us_buf file;
	int err;

	us_buf_init(&file, US_NOTE_MAX);
	err = v->source->get(v->source->arg, "checkpoint", &file);
	if (err != US_OK && err != US_ERR_NOMEM)
		err = say(v, US_VERDICT_UNVERIFIABLE, US_ENTRY_NONE,
		    "there is no checkpoint: %s", us_strerror(err));
	if (err == US_OK) {
		err = us_checkpoint_open(c, NULL, file.data, file.len, key, 1);
		c->extensions = (struct us_bytes){ NULL, 0 };
		if (err == US_ERR_NOT_FOUND)
			err = say(v, US_VERDICT_TAMPERED, US_ENTRY_NONE,
			    "the checkpoint is not signed by the key %s", key->name);
		else if (err == US_ERR_VERIFY)
			err = say(v, US_VERDICT_TAMPERED, US_ENTRY_NONE,
			    "the checkpoint is of another log than %s", key->name);
		else if (err != US_OK && err != US_ERR_NOMEM)
			err = say(v, US_VERDICT_TAMPERED, US_ENTRY_NONE, "the checkpoint: %s",
			    us_strerror(err));
	}
	us_buf_free(&file);
	return err;
}

/* A tile or bundle of the tree of v->size. A log may have dropped a partial one once the full one
 * was there, so that is looked for next; *partial tells which it is. */
static int
get_part(struct verifier *v, struct us_tile tile, struct us_buf *out, int *partial, uint64_t index)
{
	char path[US_TILE_PATH_MAX], full[US_TILE_PATH_MAX];
	int err;

	us_buf_reset(out);
	err = us_tile_path(&tile, path, sizeof(path));
	if (err != US_OK)
		return err;
	*partial = tile.width < US_TILE_WIDTH;
	err = v->source->get(v->source->arg, path, out);
	if (err == US_ERR_NOT_FOUND && *partial) {
		tile.width = US_TILE_WIDTH;
		*partial = 0;
		us_buf_reset(out);
		err = us_tile_path(&tile, full, sizeof(full));
		if (err == US_OK)
			err = v->source->get(v->source->arg, full, out);
	}
	return err == US_OK ? US_OK : no_file(v, err, path, index);
}

/* A hash tile of exactly that many hashes (or a full one in its stead) in v->tile. */
static int
get_tile(struct verifier *v, unsigned level, uint64_t n, unsigned width)
{
	struct us_tile tile = { 0, level, n, width };
	uint64_t index = (n << 8) << (8 * level);
	size_t want;
	int err, partial;

	err = get_part(v, tile, &v->tile, &partial, index);
	if (err != US_OK)
		return err;
	want = (partial ? width : US_TILE_WIDTH) * (size_t)US_HASH_LEN;
	if (v->tile.len < want)
		return say(v, US_VERDICT_INCOMPLETE,
		    index + ((uint64_t)(v->tile.len / US_HASH_LEN) << (8 * level)),
		    "tile %llu of level %u is cut short", num(n), level);
	if (v->tile.len > want)
		return say(v, US_VERDICT_TAMPERED, index,
		    "tile %llu of level %u has more than its %u hashes", num(n), level, width);
	return US_OK;
}

/* Compares what was computed of a tile with the tile. */
static int
check_tile(struct verifier *v, unsigned level, uint64_t n, unsigned width)
{
	uint64_t i;
	int err;

	err = get_tile(v, level, n, width);
	if (err != US_OK)
		return err;
	for (i = 0; i < width; i++) {
		if (memcmp(v->tile.data + i * US_HASH_LEN, v->level[level].hash[i].b,
		    US_HASH_LEN) == 0)
			continue;
		return say(v, US_VERDICT_TAMPERED, (n * US_TILE_WIDTH + i) << (8 * level),
		    "hash %llu of level %u is not that of the hashes below it",
		    num(n * US_TILE_WIDTH + i), level);
	}
	return US_OK;
}

/* Adds a hash to a level from 1 up; a tile that gets full is checked and goes up one level. */
static int
add_hash(struct verifier *v, unsigned level, const struct us_digest *hash)
{
	struct us_digest h = *hash;
	int err;

	for (; level < LEVELS; level++) {
		v->level[level].hash[v->level[level].n++ % US_TILE_WIDTH] = h;
		if (v->level[level].n % US_TILE_WIDTH != 0)
			return US_OK;
		err = check_tile(v, level, v->level[level].n / US_TILE_WIDTH - 1, US_TILE_WIDTH);
		if (err != US_OK)
			return err;
		us_merkle_root(&h, v->level[level].hash, US_TILE_WIDTH);
	}
	return US_OK;
}

/* Makes v->keys the next line that names a key. */
static int
next_keys(struct verifier *v)
{
	char line[KEYS_LINE_MAX];
	uint64_t last = v->keys.index;
	size_t n;
	int err;

	if (v->source->next_keys == NULL)
		v->keys_state = 2;
	while (v->keys_state == 0) {
		err = v->source->next_keys(v->source->arg, line, sizeof(line), &n);
		if (err == US_ERR_NOT_FOUND) {
			v->keys_state = 2;
			break;
		}
		v->keys_line++;
		if (err == US_OK && n == 0)
			continue;
		if (err == US_OK)
			err = us_export_keys_parse(&v->keys, line, n);
		us_wipe(line, sizeof(line));
		if (err == US_ERR_IO)
			return say(v, US_VERDICT_UNVERIFIABLE, US_ENTRY_NONE,
			    "keys.jsonl cannot be read");
		if (err != US_OK)
			return say(v, US_VERDICT_TAMPERED, US_ENTRY_NONE,
			    "keys.jsonl, line %llu: %s", num(v->keys_line), us_strerror(err));
		if (v->keys.index < last || v->keys.index >= v->size)
			return say(v, US_VERDICT_TAMPERED, US_ENTRY_NONE,
			    "keys.jsonl, line %llu: index %llu is out of order or of the log",
			    num(v->keys_line), num(v->keys.index));
		v->keys_state = 1;
	}
	return US_OK;
}

/* Opens with the keys that were disclosed for this entry. */
static int
check_keys(struct verifier *v, const struct us_entry_view *view)
{
	static const char *const name[US_BOXES] = { "access", "disclosure", "query" };
	size_t box;
	int err;

	for (;;) {
		err = next_keys(v);
		if (err != US_OK || v->keys_state != 1 || v->keys.index != view->index)
			return err;
		for (box = 0; box < US_BOXES; box++) {
			if (!v->keys.present[box])
				continue;
			us_buf_reset(&v->content);
			err = us_entry_open(view, (enum us_box)box, &v->keys.keys[box],
			    &v->content);
			us_buf_reset(&v->content);
			if (err == US_ERR_NOMEM)
				return err;
			if (err != US_OK)
				return say(v, US_VERDICT_TAMPERED, view->index,
				    "the %s box of entry %llu and the key disclosed for it: %s",
				    name[box], num(view->index), us_strerror(err));
			v->report->opened[box]++;
		}
		v->keys_state = 0;
	}
}

/* What an entry says of itself. */
static int
check_entry(struct verifier *v, struct us_bytes entry, uint64_t index,
    const struct us_digest *leaf)
{
	struct us_verify_report *r = v->report;
	struct us_entry_view view;
	int err;

	if (v->options->foreign)
		return US_OK;
	err = us_entry_decode(&view, entry.p, entry.n);
	if (err != US_OK)
		return say(v, US_VERDICT_TAMPERED, index, "entry %llu is malformed: %s",
		    num(index), us_strerror(err));
	if (view.index != index)
		return say(v, US_VERDICT_TAMPERED, index, "entry %llu says that it is entry %llu",
		    num(index), num(view.index));
	if (index == 0)
		r->first_ns = view.time_ns;
	else if (view.time_ns < r->last_ns)
		return say(v, US_VERDICT_TAMPERED, index,
		    "entry %llu is older than the one before it", num(index));
	r->last_ns = view.time_ns;
	err = check_keys(v, &view);
	if (err == US_OK && v->options->on_entry != NULL)
		err = v->options->on_entry(v->options->arg, &view, leaf);
	return err;
}

/* An entry that does not fit its bundle: cut off, or was its length changed? An entry of ours tells
 * its own length. */
static int
bad_bundle(struct verifier *v, const struct us_reader *before, uint64_t index)
{
	struct us_entry_view view;
	int err = US_ERR_TRUNCATED;

	if (!v->options->foreign && before->left > 2)
		err = us_entry_decode(&view, before->p + 2,
		    before->left - 2 < US_ENTRY_MAX ? before->left - 2 : US_ENTRY_MAX);
	if (err == US_ERR_TRUNCATED)
		return say(v, US_VERDICT_INCOMPLETE, index, "the bundle of entry %llu is cut short",
		    num(index));
	return say(v, US_VERDICT_TAMPERED, index, "entry %llu does not have the length it states",
	    num(index));
}

static int
check_bundle(struct verifier *v, uint64_t n, unsigned width)
{
	struct us_tile place = { 1, 0, n, width };
	struct us_reader r, before;
	struct us_bytes entry;
	struct us_digest leaf;
	uint64_t index = n * US_TILE_WIDTH;
	unsigned i;
	int err, partial;

	err = get_part(v, place, &v->bundle, &partial, index);
	if (err == US_OK)
		err = get_tile(v, 0, n, width);
	if (err != US_OK)
		return err;
	us_reader_init(&r, v->bundle.data, v->bundle.len);
	for (i = 0; i < width; i++, index++) {
		before = r;
		entry = us_bundle_take(&r);
		if (r.err != US_OK)
			return bad_bundle(v, &before, index);
		us_merkle_leaf(&leaf, entry.p, entry.n);
		if (memcmp(v->tile.data + i * US_HASH_LEN, leaf.b, US_HASH_LEN) != 0)
			return say(v, US_VERDICT_TAMPERED, index,
			    "entry %llu and its hash in the tree differ", num(index));
		err = check_entry(v, entry, index, &leaf);
		if (err != US_OK)
			return err;
		us_merkle_stream_add(&v->stream, &leaf);
		v->level[0].hash[i] = leaf;
		v->report->entries++;
	}
	if (partial || width == US_TILE_WIDTH)
		if (r.left != 0)
			return say(v, US_VERDICT_TAMPERED, index - 1,
			    "bytes are left over behind entry %llu", num(index - 1));
	if (width < US_TILE_WIDTH)
		return US_OK;
	us_merkle_root(&leaf, v->level[0].hash, US_TILE_WIDTH);
	return add_hash(v, 1, &leaf);
}

static int
check_tree(struct verifier *v)
{
	struct us_digest root;
	uint64_t n, bundles = v->size / US_TILE_WIDTH + (v->size % US_TILE_WIDTH != 0);
	unsigned level, width;
	int err;

	for (n = 0; n < bundles; n++) {
		err = check_bundle(v, n, us_tile_width(v->size, 0, n));
		if (err != US_OK)
			return err;
		if (v->options->on_progress != NULL)
			v->options->on_progress(v->options->arg, v->report->entries, v->size);
	}
	for (level = 1; level < LEVELS; level++) {
		width = (unsigned)(v->level[level].n % US_TILE_WIDTH);
		if (width == 0)
			continue;
		err = check_tile(v, level, v->level[level].n / US_TILE_WIDTH, width);
		if (err != US_OK)
			return err;
	}
	us_merkle_stream_root(&v->stream, &root);
	if (memcmp(root.b, v->report->checkpoint.root.b, US_HASH_LEN) != 0)
		return say(v, US_VERDICT_TAMPERED, US_ENTRY_NONE,
		    "the entries do not give the root that the checkpoint signs");
	/* Keys that are left over name no entry. */
	return v->options->foreign ? US_OK : next_keys(v);
}

int
us_log_verify(struct us_verify_report *report, const struct us_log_source *source,
    const struct us_verify_options *options)
{
	static const struct us_verify_options defaults = { 0 };
	struct us_note_key key;
	struct verifier *v;
	int err;

	memset(report, 0, sizeof(*report));
	report->verdict = US_VERDICT_UNVERIFIABLE;
	report->index = US_ENTRY_NONE;
	v = calloc(1, sizeof(*v));
	if (v == NULL)
		return US_ERR_NOMEM;
	v->report = report;
	v->source = source;
	v->options = options != NULL ? options : &defaults;
	us_buf_init(&v->bundle, US_BUNDLE_MAX);
	us_buf_init(&v->tile, US_TILE_WIDTH * US_HASH_LEN + 1);
	us_buf_init(&v->content, US_ENTRY_CONTENT_MAX);
	us_merkle_stream_init(&v->stream);
	err = get_key(v, &key);
	if (err == US_OK)
		err = get_checkpoint(v, &key);
	if (err == US_OK) {
		v->size = report->checkpoint.size;
		err = check_tree(v);
	}
	if (err == US_OK) {
		report->verdict = US_VERDICT_OK;
		(void)snprintf(report->detail, sizeof(report->detail),
		    "%llu entries match the signed checkpoint", num(v->size));
	}
	us_buf_free(&v->bundle);
	us_buf_free(&v->tile);
	us_buf_free(&v->content);
	us_wipe(v, sizeof(*v));
	free(v);
	return err == DONE ? US_OK : err;
}

const char *
us_verdict_name(enum us_verdict v)
{
	switch (v) {
	case US_VERDICT_OK:
		return "OK";
	case US_VERDICT_TAMPERED:
		return "TAMPERED";
	case US_VERDICT_INCOMPLETE:
		return "INCOMPLETE";
	case US_VERDICT_UNVERIFIABLE:
		return "UNVERIFIABLE";
	}
	return "UNVERIFIABLE";
}

int
us_verdict_exit(enum us_verdict v)
{
	switch (v) {
	case US_VERDICT_OK:
		return 0;
	case US_VERDICT_TAMPERED:
		return 5;
	case US_VERDICT_INCOMPLETE:
	case US_VERDICT_UNVERIFIABLE:
		return 6;
	}
	return 6;
}
