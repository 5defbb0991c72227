/*
 * Compression dictionaries. zstd's own trainers put into a dictionary whatever compresses best, a
 * single person's sentence too if it is long enough; but whoever reads one record of a collection
 * can read its dictionary. So ours holds only strings that stand in at least
 * SEALER_DICTIONARY_SUPPORT distinct records each:
 *
 * - Windows of 64, 24 and 12 bytes slide over every record. A rolling hash (Karp and Rabin, 1987)
 *   of each is computed, and those whose mixed hash ends in zeros are counted: the same string is
 *   looked at wherever it stands, or nowhere. A first pass counts in a small sketch, a second one
 *   exactly, once a record, what the sketch does not rule out.
 * - Windows in enough records are taken, the best saving (count × length) first, unless most of
 *   them is in the dictionary already, until it is full. The best stand last, where zstd refers to
 *   them cheapest.
 * - ZDICT_finalizeDictionary adds entropy tables: sums over all samples, no strings.
 *
 * Counts go by 64-bit hash with a random multiplier; before a string is taken, it is counted again,
 * byte for byte, in the records its hash was seen in: a collision could otherwise let a rare string
 * in.
 */
#include <stdlib.h>
#include <string.h>

#define ZDICT_STATIC_LINKING_ONLY
#include <zdict.h>

#include "base/array.h"
#include "crypto/crypto.h"
#include "base/err.h"
#include "base/log.h"
#include "daemon/sealer/internal.h"

#define TABLE_BITS 20
#define TABLE_SIZE (1u << TABLE_BITS)
#define PROBES 8u
#define SAMPLES_MAX (48u * 1024u * 1024u)
#define CONTENT_MAX (US_DICTIONARY_MAX - 4096u) /* room for the entropy tables */
#define GRAM 8u                                 /* the unit in which overlap is measured */
#define SEEN_BITS 18
#define SKETCH_BITS 22

struct us_sealer_window {
	uint64_t hash;
	uint32_t last; /* record + 1 it was last counted in */
	uint32_t count;
	uint32_t record; /* where it stands for the first time */
	uint32_t offset;
	uint16_t length;
	uint16_t seen[SEALER_DICTIONARY_SUPPORT]; /* the first records it was counted in */
};

struct us_sealer_trainer {
	const struct us_bytes *records;
	size_t n;
	unsigned support;
	uint64_t multiplier; /* odd, random */
	struct us_sealer_window *table;
	uint8_t *seen; /* bits: grams that are in the dictionary */
	/* how often a hash was met, at most: what is rare never enters the table */
	uint8_t *sketch;
	int exact; /* second pass */
};

static uint64_t
mix(uint64_t h)
{
	h ^= h >> 32;
	h *= UINT64_C(0xd6e8feb86659fd93);
	h ^= h >> 32;
	return h;
}

static uint64_t
hash_of(const struct us_sealer_trainer *t, const uint8_t *p, size_t n)
{
	uint64_t h = 0;

	for (size_t i = 0; i < n; i++)
		h = h * t->multiplier + p[i] + 1;
	return h;
}

/* First pass: counters that strings share, small enough for the processor's cache. */
static void
sketch_add(struct us_sealer_trainer *t, uint64_t hash)
{
	uint8_t *a = &t->sketch[(hash >> 24) & ((1u << SKETCH_BITS) - 1)];

	*a = (uint8_t)(*a + (*a < UINT8_MAX));
}

static int
sketch_says_common(const struct us_sealer_trainer *t, uint64_t hash)
{
	return t->sketch[(hash >> 24) & ((1u << SKETCH_BITS) - 1)] >= t->support;
}

/* Second pass: in how many records, and in which. */
static void
count_window(struct us_sealer_trainer *t, uint64_t hash, uint32_t record, size_t offset,
    size_t length)
{
	size_t at = (size_t)(hash >> 20) & (TABLE_SIZE - 1);

	if (!sketch_says_common(t, hash))
		return;
	for (unsigned probe = 0; probe < PROBES; probe++, at = (at + 1) & (TABLE_SIZE - 1)) {
		struct us_sealer_window *w = &t->table[at];

		if (w->count == 0)
			*w = (struct us_sealer_window){ .hash = hash,
				.record = record,
				.offset = (uint32_t)offset,
				.length = (uint16_t)length };
		else if (w->hash != hash || w->length != length)
			continue;
		if (w->last == record + 1)
			return;
		w->last = record + 1;
		if (w->count < SEALER_DICTIONARY_SUPPORT)
			w->seen[w->count] = (uint16_t)record;
		w->count++;
		return;
	}
}

static void
count_length(struct us_sealer_trainer *t, size_t length, unsigned sample_bits)
{
	uint64_t top = 1, mask = ((uint64_t)1 << sample_bits) - 1;

	for (size_t i = 1; i < length; i++)
		top *= t->multiplier;
	for (size_t r = 0; r < t->n; r++) {
		const uint8_t *p = t->records[r].p;
		size_t n = t->records[r].n;
		uint64_t h;

		if (n < length)
			continue;
		h = hash_of(t, p, length);
		for (size_t i = 0;; i++) {
			uint64_t mixed = mix(h);

			if ((mixed & mask) == 0 && !t->exact)
				sketch_add(t, mixed);
			else if ((mixed & mask) == 0)
				count_window(t, mixed, (uint32_t)r, i, length);
			if (i + length >= n)
				break;
			h = (h - (p[i] + (uint64_t)1) * top) * t->multiplier + p[i + length] + 1;
		}
	}
}

/* Whether the string really stands in enough records. */
static int
is_common(const struct us_sealer_trainer *t, const struct us_sealer_window *w)
{
	const uint8_t *p = t->records[w->record].p + w->offset;
	unsigned found = 0;

	for (unsigned i = 0; i < t->support; i++) {
		const struct us_bytes *r = &t->records[w->seen[i]];

		found += memmem(r->p, r->n, p, w->length) != NULL;
	}
	return found == t->support;
}

static int
by_saving(const void *a, const void *b)
{
	const struct us_sealer_window *x = *(const struct us_sealer_window *const *)a,
				      *y = *(const struct us_sealer_window *const *)b;
	uint64_t sx = (uint64_t)x->count * x->length, sy = (uint64_t)y->count * y->length;

	return sx < sy ? 1 : sx > sy ? -1 : x->hash < y->hash ? -1 : x->hash > y->hash;
}

/* The share of the string's grams that the dictionary has, in percent; marks them if asked to. */
static unsigned
overlap(struct us_sealer_trainer *t, const uint8_t *p, size_t n, int mark)
{
	size_t in = 0, all = n - GRAM + 1;

	for (size_t i = 0; i < all; i++) {
		size_t bit = (size_t)mix(hash_of(t, p + i, GRAM)) & ((8u << SEEN_BITS) - 1);

		in += (t->seen[bit / 8] >> (bit % 8)) & 1;
		if (mark)
			t->seen[bit / 8] |= (uint8_t)(1 << (bit % 8));
	}
	return (unsigned)(100 * in / all);
}

/* Fills content from its end with the best strings; returns how many bytes. */
static size_t
choose(struct us_sealer_trainer *t, uint8_t *content)
{
	struct us_sealer_window **list = malloc(TABLE_SIZE * sizeof *list);
	size_t n = 0, used = 0;

	if (list == NULL)
		return 0;
	for (size_t i = 0; i < TABLE_SIZE; i++) {
		if (t->table[i].count >= t->support)
			list[n++] = &t->table[i];
	}
	qsort(list, n, sizeof(struct us_sealer_window *), by_saving);
	for (size_t i = 0; i < n && used + GRAM <= CONTENT_MAX; i++) {
		const struct us_sealer_window *w = list[i];
		const uint8_t *p = t->records[w->record].p + w->offset;

		if (used + w->length > CONTENT_MAX || overlap(t, p, w->length, 0) > 50 ||
		    !is_common(t, w))
			continue;
		(void)overlap(t, p, w->length, 1);
		used += w->length;
		memcpy(content + CONTENT_MAX - used, p, w->length);
	}
	free(list);
	return used;
}

/* Joins samples as ZDICT wants them, and finishes. */
static int
finalize(const struct us_sealer_trainer *t, const uint8_t *content, size_t used, struct us_buf *out)
{
	ZDICT_params_t params = { .compressionLevel = 3 };
	size_t total = 0, at = 0, n = 0, *sizes = malloc(t->n * sizeof *sizes), made;
	uint8_t *samples, *to;
	int err = US_OK;

	while (n < t->n && total + t->records[n].n <= SAMPLES_MAX / 4)
		total += t->records[n++].n;
	samples = malloc(total + 1);
	if (sizes == NULL || samples == NULL || n == 0) {
		free(sizes);
		free(samples);
		return n == 0 ? US_ERR_NOT_FOUND : US_ERR_NOMEM;
	}
	for (size_t i = 0; i < n; i++) {
		memcpy(samples + at, t->records[i].p, t->records[i].n);
		sizes[i] = t->records[i].n;
		at += sizes[i];
	}
	err = us_buf_extend(out, US_DICTIONARY_MAX, &to);
	if (err == US_OK) {
		made = ZDICT_finalizeDictionary(to, US_DICTIONARY_MAX, content + CONTENT_MAX - used,
		    used, samples, sizes, (unsigned)n, params);
		out->len -= US_DICTIONARY_MAX;
		if (ZDICT_isError(made))
			err = US_ERR_NOT_FOUND;
		else
			out->len += made;
	}
	us_wipe(samples, total);
	free(samples);
	free(sizes);
	return err;
}

int
us_sealer_dictionary_train_on(const struct us_bytes *records, size_t n, unsigned support,
    struct us_buf *out)
{
	static const struct {
		size_t length;
		unsigned sample_bits; /* one window in 2^bits is counted */
	} lengths[] = { { 64, 3 }, { 24, 2 }, { 12, 2 } };
	struct us_sealer_trainer t = { .records = records, .n = n, .support = support };
	uint8_t *content = NULL;
	size_t used = 0;
	int err;

	if (support > SEALER_DICTIONARY_SUPPORT || n > UINT16_MAX)
		return US_ERR_ARG;
	err = us_random(&t.multiplier, sizeof t.multiplier);
	if (err != US_OK)
		return err;
	t.multiplier |= 1;
	t.table = calloc(TABLE_SIZE, sizeof *t.table);
	t.seen = calloc(1, (size_t)1 << SEEN_BITS);
	content = malloc(CONTENT_MAX);
	t.sketch = calloc(1, (size_t)1 << SKETCH_BITS);
	if (t.table == NULL || t.seen == NULL || t.sketch == NULL || content == NULL) {
		err = US_ERR_NOMEM;
	} else {
		for (t.exact = 0; t.exact < 2; t.exact++)
			for (size_t i = 0; i < US_COUNT(lengths); i++)
				count_length(&t, lengths[i].length, lengths[i].sample_bits);
		used = choose(&t, content);
		err = used < 1024 ? US_ERR_NOT_FOUND : finalize(&t, content, used, out);
	}
	if (content != NULL)
		us_wipe(content, CONTENT_MAX);
	free(content);
	free(t.table);
	free(t.seen);
	free(t.sketch);
	return err;
}

int
us_sealer_dictionary_train(const struct us_sealer_batch *b, struct us_buf *out)
{
	struct us_bytes *records = calloc(b->n, sizeof *records);
	size_t n = 0, total = 0;
	int err;

	if (records == NULL)
		return US_ERR_NOMEM;
	for (uint32_t i = 0; i < b->n && n < SEALER_DICTIONARY_RECORDS; i++) {
		if (b->items[i].packed || total + b->items[i].n > SAMPLES_MAX)
			continue;
		records[n++] = (struct us_bytes){ b->items[i].bytes, b->items[i].n };
		total += b->items[i].n;
	}
	err = us_sealer_dictionary_train_on(records, n, SEALER_DICTIONARY_SUPPORT, out);
	free(records);
	return err;
}

int
us_sealer_dictionary_begin(struct us_sealer_load *load)
{
	struct us_msg_dictionary_open m = { .load = load->id };
	int err;

	if (load->packer != NULL || load->dictionary_tried || load->batch == NULL ||
	    load->batch->segment == NULL || load->batch->n < SEALER_DICTIONARY_RECORDS)
		return 0;
	load->dictionary_tried = 1;
	err = us_sealer_dictionary_train(load->batch, &load->trained);
	if (err == US_OK)
		err = load->s->keeper == NULL ? US_ERR_CLOSED :
						us_send_dictionary_open(load->s->keeper, 0, &m);
	if (err != US_OK) {
		/* without one the records are larger, and nothing worse */
		us_log(US_LOG_NOTICE, "no dictionary for collection %u: %s", load->collection,
		    us_strerror(err));
		return 0;
	}
	us_sealer_batch_move(load->batch, BATCH_DICTIONARY);
	return 1;
}

/* Seals the dictionary, and packs what is there with it. */
static int
use_dictionary(struct us_sealer_load *load, const struct us_msg_dictionary_key *m)
{
	struct us_bytes plain = { load->trained.data, load->trained.len };
	struct us_packer *packer = NULL;
	struct us_key key;
	int err;

	memcpy(key.b, m->key, 32);
	us_buf_reset(&load->dictionary);
	err = us_dictionary_seal(&key, load->s->vault_id, load->collection, m->version, plain,
	    &load->dictionary);
	us_wipe(&key, sizeof key);
	if (err == US_OK)
		err = us_packer_new(&packer, m->version, plain);
	if (err == US_OK)
		err = us_unpacker_add(load->unpacker, m->version, plain);
	if (err == US_OK)
		err = us_sealer_batch_pack_all(load->batch, packer);
	if (err != US_OK) {
		us_packer_free(packer);
		return err;
	}
	load->packer = packer;
	load->dictionary_version = m->version;
	load->dictionary_new = 1;
	return US_OK;
}

int
us_sealer_on_dictionary_key(struct us_sealer *s, struct us_bytes body)
{
	struct us_msg_dictionary_key m;
	struct us_sealer_load *load;
	int err = us_msg_dictionary_key_decode(&m, body.p, body.n);

	if (err != US_OK)
		return err;
	load = us_sealer_find_load(s, m.load);
	if (load == NULL || load->batch == NULL || load->batch->state != BATCH_DICTIONARY) {
		us_wipe(&m, sizeof m);
		return US_OK;
	}
	us_sealer_batch_move(load->batch, BATCH_FILLING);
	if (m.err)
		us_log(US_LOG_NOTICE, "no dictionary for collection %u: %s", load->collection,
		    us_strerror(m.err));
	else
		err = use_dictionary(load, &m);
	us_wipe(&m, sizeof m);
	us_buf_free(&load->trained);
	if (err != US_OK)
		us_sealer_load_fail(load, err);
	us_sealer_load_pump(load);
	return US_OK;
}
