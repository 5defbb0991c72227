/* Making the index, and keeping it. */
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/err.h"
#include "client/log/log_index_internal.h"
#include "client/log/mirror_files.h"
#include "crypto/crypto.h"

#define STATE "index/state"
#define STATE_MAX ((size_t)1 << 30)
#define MAGIC "underseal/client/log-index/1\n"
#define BOX_ALL ((1u << US_BOXES) - 1)

void
us_log_index_path(uint64_t chunk, char path[32])
{
	(void)snprintf(path, 32, "index/%llu", (unsigned long long)chunk);
}

uint64_t
us_log_look_text(struct us_bytes text)
{
	uint8_t digest[32];

	return us_sha256(text.p, text.n, digest) == US_OK ? us_load_u64(digest) : 0;
}

void
us_log_index_close(struct us_log_index *x)
{
	if (x == NULL)
		return;
	for (size_t i = 0; i < x->n_parties; i++)
		free(x->parties[i]);
	free(x->parties);
	free(x->last_ns);
	us_postings_free(&x->chunk);
	us_buf_free(&x->state);
	free(x);
}

static struct us_log_index *
new_index(struct us_log_remote *remote)
{
	struct us_log_index *x = calloc(1, sizeof *x);

	if (x == NULL)
		return NULL;
	x->remote = remote;
	x->mark = US_ENTRY_NONE;
	x->chunk_n = UINT64_MAX;
	us_buf_init(&x->state, STATE_MAX);
	return x;
}

/* ---- what entries have ---- */

static int
add_party(struct us_log_index *x, struct us_bytes name)
{
	char *copy;

	for (size_t i = 0; i < x->n_parties; i++)
		if (us_bytes_is(name, x->parties[i]))
			return US_OK;
	if (us_grow(&x->parties, x->n_parties, &x->parties_cap, sizeof *x->parties) != US_OK)
		return US_ERR_NOMEM;
	copy = strndup((const char *)name.p, name.n);
	if (copy == NULL)
		return US_ERR_NOMEM;
	x->parties[x->n_parties++] = copy;
	return US_OK;
}

static int
post(struct us_log_index *x, const struct us_opened *o, enum us_log_look look, uint32_t a,
    uint64_t number)
{
	const struct us_log_posting p = { (uint8_t)look, a, number,
		(uint32_t)(o->view.index % US_CHUNK_ENTRIES) };

	return us_postings_add(&x->chunk, &p);
}

static int
is_context(const struct us_opened *o)
{
	return o->view.entry_class == US_CLASS_STATE ||
	    (o->view.entry_class == US_CLASS_ACCESS && o->access.kind == US_KIND_OUTCOME) ||
	    (o->access.event.form == US_EVENT_ANSWERED && o->access.decision == US_DECISION_FAILED);
}

static int
post_records(struct us_log_index *x, const struct us_opened *o)
{
	const struct us_entry_disclosure *d = &o->disclosure;
	const uint32_t a = d->collection != 0 ? d->collection : o->access.collection;
	int err = US_OK;

	for (size_t i = 0; err == US_OK && i < d->n_records; i++) {
		err = post(x, o, US_LOOK_RECORD, a, d->records[i]);
		if (err == US_OK && a != o->access.collection)
			err = post(x, o, US_LOOK_RECORD, o->access.collection, d->records[i]);
	}
	return err;
}

static int
post_entry(struct us_log_index *x, const struct us_opened *o)
{
	int err = is_context(o) ? post(x, o, US_LOOK_CONTEXT, 0, 0) : US_OK;

	if (err == US_OK && o->access.person != 0)
		err = post(x, o, US_LOOK_PERSON, 0, o->access.person);
	for (size_t i = 0; err == US_OK && i < o->access.n_parties; i++)
		err = post(x, o, US_LOOK_PARTY, 0, us_log_look_text(o->access.parties[i]));
	if (err == US_OK)
		err = post(x, o, US_LOOK_CREDENTIAL, 0, us_load_u64(o->access.credential));
	if (err == US_OK && o->access.decision == US_DECISION_DENY)
		err = post(x, o, US_LOOK_DENIED, 0, 0);
	return err == US_OK ? post_records(x, o) : err;
}

/* ---- chunks ---- */

struct us_log_chunk_part {
	struct us_log_index *x;
	uint32_t below; /* entries of the chunk that are taken */
};

static int
take_posting(void *arg, const struct us_log_posting *p)
{
	const struct us_log_chunk_part *part = arg;

	return p->entry < part->below ? us_postings_add(&part->x->chunk, p) : US_OK;
}

/* The chunk that bundle n goes into, with what it has of bundles before. */
static int
open_chunk(struct us_log_index *x, uint64_t n)
{
	const uint32_t before = (uint32_t)(n % US_CHUNK_BUNDLES);
	struct us_log_chunk_part part = { x, before * US_TILE_WIDTH };
	char path[32];
	struct us_buf bytes;
	uint32_t bundles = 0;
	int err = US_OK;

	x->chunk_n = n / US_CHUNK_BUNDLES;
	x->chunk.n = 0;
	if (before == 0)
		return US_OK;
	us_log_index_path(x->chunk_n, path);
	us_buf_init(&bytes, US_CHUNK_BYTES_MAX);
	err = us_key_store_open(x->remote->store, path, &bytes);
	if (err == US_OK)
		err = us_postings_decode((struct us_bytes){ bytes.data, bytes.len }, &bundles,
		    take_posting, &part);
	us_buf_free(&bytes);
	return err == US_OK && bundles < before ? US_ERR_FORMAT : err;
}

static int
close_chunk(struct us_log_index *x, uint32_t bundles)
{
	char path[32];
	struct us_buf bytes;
	int err;

	us_log_index_path(x->chunk_n, path);
	us_buf_init(&bytes, US_CHUNK_BYTES_MAX);
	err = us_postings_encode(&x->chunk, bundles, &bytes);
	if (err == US_OK)
		err = us_key_store_seal(x->remote->store, path,
		    (struct us_bytes){ bytes.data, bytes.len });
	us_buf_free(&bytes);
	return err;
}

/* ---- the pass over what is new ---- */

static int
take_entry(void *arg, const struct us_verified_entry *e)
{
	const struct us_opened *o = e->opened;
	struct us_log_index *x = arg;
	const uint64_t n = o->view.index / US_TILE_WIDTH;
	int err = US_OK;

	if (x->unusable)
		return US_OK;
	for (size_t i = 0; err == US_OK && i < o->access.n_parties; i++)
		err = add_party(x, o->access.parties[i]);
	if (o->access.event.form == US_EVENT_ANSWERED)
		x->mark = o->view.index;
	if (err == US_OK && n < x->bundles) {
		if (x->chunk_n != UINT64_MAX && x->chunk_n != n / US_CHUNK_BUNDLES)
			err = close_chunk(x, US_CHUNK_BUNDLES);
		if (err == US_OK && x->chunk_n != n / US_CHUNK_BUNDLES)
			err = open_chunk(x, n);
		if (err == US_OK)
			err = post_entry(x, o);
		x->last_ns[n] = o->view.time_ns;
	}
	x->unusable = err != US_OK || o->open != BOX_ALL;
	return US_OK;
}

/* All full bundles are taken: what is to be kept, if the verdict is OK. */
static int
take_standing(void *arg, struct us_bytes standing)
{
	struct us_log_index *x = arg;
	struct us_digest root;
	struct us_buf *b = &x->state;
	int err = US_OK;

	if (x->unusable)
		return US_OK;
	if (x->chunk_n != UINT64_MAX)
		err = close_chunk(x, (uint32_t)((x->bundles - 1) % US_CHUNK_BUNDLES) + 1);
	us_mirror_root(x->remote->mirror, x->bundles, &root);
	if (err == US_OK)
		err = us_buf_put(b, MAGIC, sizeof MAGIC - 1);
	if (err == US_OK)
		err = us_buf_put_u64(b, x->bundles);
	if (err == US_OK)
		err = us_buf_put(b, root.b, sizeof root.b);
	if (err == US_OK)
		err = us_buf_put_u64(b, x->mark);
	if (err == US_OK)
		err = us_buf_put_u32(b, (uint32_t)x->n_parties);
	for (size_t i = 0; err == US_OK && i < x->n_parties; i++)
		err = us_buf_put_str16(b, x->parties[i], strlen(x->parties[i]));
	for (uint64_t i = 0; err == US_OK && i < x->bundles; i++)
		err = us_buf_put_u64(b, (uint64_t)x->last_ns[i]);
	if (err == US_OK)
		err = us_buf_put(b, standing.p, standing.n);
	x->unusable = err != US_OK;
	return US_OK;
}

/* ---- what was kept ---- */

/* Takes the state; standing is what is left of it. */
static int
parse_state(struct us_log_index *x, const struct us_buf *state, uint64_t *bundles,
    struct us_bytes *standing)
{
	struct us_reader r;
	struct us_bytes magic, root;
	struct us_digest own;
	uint32_t n;
	int err = US_OK;

	us_reader_init(&r, state->data, state->len);
	magic = us_take(&r, sizeof MAGIC - 1);
	*bundles = us_take_u64(&r);
	root = us_take(&r, sizeof own.b);
	x->mark = us_take_u64(&r);
	n = us_take_u32(&r);
	if (r.err != US_OK || memcmp(magic.p, MAGIC, sizeof MAGIC - 1) != 0)
		return US_ERR_FORMAT;
	for (uint32_t i = 0; err == US_OK && r.err == US_OK && i < n; i++)
		err = add_party(x, us_take_str16(&r, UINT16_MAX));
	us_mirror_root(x->remote->mirror, *bundles, &own);
	if (err == US_OK && (*bundles > x->bundles || memcmp(root.p, own.b, sizeof own.b) != 0))
		err = US_ERR_VERIFY; /* of another log, or of what it has lost */
	for (uint64_t i = 0; err == US_OK && r.err == US_OK && i < *bundles; i++)
		x->last_ns[i] = (int64_t)us_take_u64(&r);
	*standing = us_take(&r, r.left);
	return err != US_OK ? err : r.err;
}

static int
look_at_none(void *arg, const struct us_log_posting *p)
{
	(void)arg;
	(void)p;
	return US_OK;
}

/* Whether every chunk opens and has its bundles. */
static int
check_chunks(const struct us_log_index *x, uint64_t bundles)
{
	int err = US_OK;

	for (uint64_t c = 0; err == US_OK && c * US_CHUNK_BUNDLES < bundles; c++) {
		const uint64_t left = bundles - c * US_CHUNK_BUNDLES;
		struct us_buf bytes;
		uint32_t has = 0;
		char path[32];

		us_log_index_path(c, path);
		us_buf_init(&bytes, US_CHUNK_BYTES_MAX);
		err = us_key_store_open(x->remote->store, path, &bytes);
		if (err == US_OK)
			err = us_postings_decode((struct us_bytes){ bytes.data, bytes.len }, &has,
			    look_at_none, NULL);
		if (err == US_OK && has < (left < US_CHUNK_BUNDLES ? left : US_CHUNK_BUNDLES))
			err = US_ERR_FORMAT;
		us_buf_free(&bytes);
	}
	return err;
}

static int
make_room(struct us_log_index *x)
{
	x->bundles = x->remote->size / US_TILE_WIDTH;
	return us_grow_to(&x->last_ns, (size_t)x->bundles + 1, &x->times_cap, sizeof *x->last_ns);
}

/* One pass, from where the state says or from the beginning. */
static int
pass(struct us_log_index *x, struct us_bytes standing, struct us_verify_report *report)
{
	struct us_log_source source = us_log_remote_source(x->remote);
	const struct us_verify_options options = { .on_entry = take_entry,
		.on_full = take_standing,
		.arg = x,
		.saved = standing,
		.passed_over = &x->remote->next_line,
		.threads = us_verify_processors(),
		.vkey = x->remote->log.client->profile.vkey };

	return us_log_verify(report, &source, &options);
}

/* Goes on from what was kept. US_ERR_NOT_FOUND: there is nothing, or it cannot be used. */
static int
go_on(struct us_log_index *x, struct us_verify_report *report)
{
	struct us_bytes standing;
	struct us_buf state;
	uint64_t bundles = 0;
	int err;

	us_buf_init(&state, STATE_MAX);
	err = us_key_store_open(x->remote->store, STATE, &state);
	if (err == US_OK)
		err = parse_state(x, &state, &bundles, &standing);
	if (err == US_OK)
		err = check_chunks(x, bundles);
	if (err != US_OK && err != US_ERR_NOT_FOUND && err != US_ERR_TRUNCATED)
		us_say("the index beside the log's mirror is not what it was, or is of another "
		       "log: it is made again");
	if (err == US_OK)
		err = pass(x, standing, report);
	else
		err = US_ERR_NOT_FOUND;
	us_buf_free(&state);
	return err;
}

int
us_log_index_open(struct us_log_index **out, struct us_log_remote *remote,
    struct us_verify_report *report)
{
	struct us_log_index *x;
	int err;

	*out = NULL;
	if (remote->mirror == NULL || remote->store == NULL || remote->withheld)
		return US_OK;
	x = new_index(remote);
	err = x == NULL ? US_ERR_NOMEM : make_room(x);
	if (err == US_OK)
		err = go_on(x, report);
	if (err != US_OK && err != US_ERR_NOMEM) {
		us_log_index_close(x);
		x = new_index(remote);
		err = x == NULL ? US_ERR_NOMEM : make_room(x);
		if (err == US_OK)
			err = pass(x, (struct us_bytes){ NULL, 0 }, report);
	}
	if (err == US_OK && x->state.len > 0 && !x->unusable && report->verdict == US_VERDICT_OK &&
	    us_key_store_seal(remote->store, STATE,
		(struct us_bytes){ x->state.data, x->state.len }) != US_OK)
		x->unusable = 1;
	if (err == US_OK && !x->unusable && report->verdict == US_VERDICT_OK) {
		*out = x;
		return US_OK;
	}
	us_log_index_close(x);
	return err;
}

void
us_log_index_forget(const struct us_log_remote *remote)
{
	/* one that cannot be written over is looked at as what it is */
	(void)us_mirror_file_write(remote->log.client->profile.directory, STATE,
	    (struct us_bytes){ NULL, 0 });
}

int
us_log_index_keys(struct us_log_remote *remote)
{
	struct us_reader r;
	struct us_buf state;

	if (remote->mirror == NULL)
		return us_log_remote_keys(remote);
	if (us_key_store_new(&remote->store, us_client_profile(remote->log.client)) != US_OK)
		us_give_up(US_EXIT_OTHER, "out of memory");
	us_buf_init(&state, STATE_MAX);
	if (us_key_store_open(remote->store, STATE, &state) == US_OK) {
		us_reader_init(&r, state.data, state.len);
		(void)us_take(&r, sizeof MAGIC - 1);
		remote->keys_known = us_take_u64(&r);
		if (r.err != US_OK || remote->keys_known > remote->size / US_TILE_WIDTH)
			remote->keys_known = 0;
	}
	us_buf_free(&state);
	return us_log_remote_keys(remote);
}
