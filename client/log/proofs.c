#include "client/log/proofs.h"

#include <stdlib.h>
#include <string.h>

#include "log/entry.h"
#include "log/merkle.h"
#include "log/proof.h"
#include "log/tiles.h"
#include "evidence/batch/reader.h"
#include "client/log/succession.h"
#include "client/core/http.h"
#include "base/base64.h"
#include "base/err.h"

#define REMEMBERED_MAX (64u * 1024u * 1024u)
#define BUNDLE 256u

struct us_client_batch {
	uint32_t collection, slot;
	uint64_t entry;
	uint8_t root[32];
};

struct us_proofs {
	struct us_client *client;
	struct us_note_key key;
	int has_checkpoint;
	struct us_checkpoint newest; /* extensions not kept */
	struct us_client_batch *batches;
	size_t n_batches;
	struct us_http *http; /* of its own: the client's may be in the middle of a reply */
};

/* ---- memory ---- */

static int
parse_batch(const char *line, struct us_client_batch *b)
{
	unsigned long long entry;
	char hex[65];

	if (sscanf(line, "%u %u %llu %64s", &b->collection, &b->slot, &entry, hex) != 4 ||
	    us_hex_decode(hex, strlen(hex), b->root, 32) != US_OK)
		return US_ERR_FORMAT;
	b->entry = entry;
	return US_OK;
}

static void
read_batches(struct us_proofs *p)
{
	struct us_buf text;
	char *line, *save = NULL;

	us_buf_init(&text, REMEMBERED_MAX);
	if (us_profile_read(p->client->profile.directory, "batches", REMEMBERED_MAX - 1, &text) ==
		US_OK &&
	    us_buf_cstr(&text) != NULL)
		for (line = strtok_r((char *)text.data, "\n", &save); line != NULL;
		     line = strtok_r(NULL, "\n", &save)) {
			struct us_client_batch b, *grown;

			if (parse_batch(line, &b) != US_OK)
				continue; /* a line that is not understood is verified anew */
			grown = realloc(p->batches, (p->n_batches + 1) * sizeof *grown);
			if (grown == NULL)
				break;
			p->batches = grown;
			p->batches[p->n_batches++] = b;
		}
	us_buf_free(&text);
}

static void
read_checkpoint(struct us_proofs *p)
{
	struct us_buf note;

	us_buf_init(&note, 65536);
	if (us_profile_read(p->client->profile.directory, "checkpoint", 65536, &note) == US_OK) {
		const struct us_bytes bytes = { note.data, note.len };
		int err = us_checkpoint_open(&p->newest, NULL, note.data, note.len, &p->key, 1);

		if (err ==
		    US_ERR_NOT_FOUND) /* following a hand-over was cut off before its last file */
			err = us_client_succession_stand_in(p->client->profile.directory, &p->key,
			    bytes, &p->newest);
		if (err != US_OK)
			us_give_up(US_EXIT_UNVERIFIED,
			    "%s/checkpoint is not one of this vault's log: the "
			    "profile has been changed",
			    p->client->profile.directory);
		p->newest.extensions = (struct us_bytes){ NULL, 0 };
		p->has_checkpoint = 1;
	}
	us_buf_free(&note);
}

struct us_proofs *
us_proofs_open(struct us_client *client)
{
	struct us_proofs *p = calloc(1, sizeof *p);
	const struct us_profile *profile = us_client_profile(client);

	if (p == NULL)
		us_give_up(US_EXIT_OTHER, "out of memory");
	p->client = client;
	if (us_note_key_parse(&p->key, profile->vkey, strlen(profile->vkey)) != US_OK)
		us_give_up(US_EXIT_OTHER, "the profile's log key cannot be read");
	p->http = us_http_new(profile);
	if (p->http == NULL)
		us_give_up(US_EXIT_OTHER, "cannot set up TLS");
	read_checkpoint(p);
	read_batches(p);
	return p;
}

void
us_proofs_close(struct us_proofs *p)
{
	if (p == NULL)
		return;
	us_http_free(p->http);
	free(p->batches);
	free(p);
}

static void
remember_batch(struct us_proofs *p, const struct us_client_batch *b)
{
	struct us_client_batch *grown = realloc(p->batches, (p->n_batches + 1) * sizeof *grown);
	struct us_buf text;
	char hex[65] = "";
	int err = US_OK;

	if (grown == NULL)
		return;
	p->batches = grown;
	p->batches[p->n_batches++] = *b;
	us_buf_init(&text, REMEMBERED_MAX);
	for (size_t i = 0; i < p->n_batches && err == US_OK; i++) {
		us_hex_encode(p->batches[i].root, 32, hex);
		hex[64] = '\0';
		err = us_buf_putf(&text, "%u %u %llu %s\n", p->batches[i].collection,
		    p->batches[i].slot, (unsigned long long)p->batches[i].entry, hex);
	}
	if (err != US_OK ||
	    us_profile_write(p->client->profile.directory, "batches", text.data, text.len) != US_OK)
		us_say("cannot write to the profile: batches will be verified again next time");
	us_buf_free(&text);
}

int
us_proofs_forget_batches(const char *directory, uint64_t from)
{
	struct us_buf text, kept;
	char *line, *save = NULL;
	struct us_client_batch b;
	int err;

	us_buf_init(&text, REMEMBERED_MAX);
	us_buf_init(&kept, REMEMBERED_MAX);
	err = us_profile_read(directory, "batches", REMEMBERED_MAX - 1, &text);
	if (err == US_OK && us_buf_cstr(&text) == NULL)
		err = US_ERR_NOMEM;
	if (err == US_OK)
		for (line = strtok_r((char *)text.data, "\n", &save); err == US_OK && line != NULL;
		     line = strtok_r(NULL, "\n", &save))
			if (parse_batch(line, &b) == US_OK && b.entry < from)
				err = us_buf_putf(&kept, "%s\n", line);
	if (err == US_OK)
		err = us_profile_write(directory, "batches", kept.data, kept.len);
	us_buf_free(&text);
	us_buf_free(&kept);
	return err == US_ERR_NOT_FOUND ? US_OK : err;
}

/* ---- fetching ---- */

static int
fetch(struct us_http *http, const char *path, struct us_reply *reply)
{
	const struct us_client_request request = { .method = "GET", .path = path };
	int err = us_http_exchange(http, &request, reply);

	return err != US_OK ? err : reply->status / 100 == 2 ? US_OK : US_ERR_INCOMPLETE;
}

/* ---- checkpoints ---- */

/* Lines of base64 hashes. */
static int
parse_hashes(const struct us_buf *text, struct us_digest proof[US_PROOF_MAX], size_t *n)
{
	const char *at = (const char *)text->data, *end = at + text->len;

	*n = 0;
	while (at != NULL && at < end) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));
		size_t got, len = (size_t)((newline == NULL ? end : newline) - at);

		if (*n == US_PROOF_MAX ||
		    us_base64_decode(at, len, proof[*n].b, US_HASH_LEN, &got) != US_OK ||
		    got != US_HASH_LEN)
			return US_ERR_FORMAT;
		++*n;
		at = newline == NULL ? NULL : newline + 1;
	}
	return US_OK;
}

int
us_proofs_consistent(struct us_http *http, const struct us_checkpoint *old,
    const struct us_checkpoint *new)
{
	struct us_digest proof[US_PROOF_MAX];
	struct us_reply reply;
	char path[128];
	size_t n = 0;
	int err;

	if (old->size == 0)
		return US_OK;
	if (old->size == new->size)
		return memcmp(old->root.b, new->root.b, US_HASH_LEN) == 0 ? US_OK : US_ERR_VERIFY;
	us_reply_init(&reply);
	(void)snprintf(path, sizeof path, "/v1/log/consistency/%llu/%llu",
	    (unsigned long long)old->size, (unsigned long long)new->size);
	err = fetch(http, path, &reply);
	if (err == US_ERR_INCOMPLETE && reply.status == 404)
		err = US_ERR_NOT_FOUND;
	if (err == US_OK)
		err = parse_hashes(&reply.body, proof, &n);
	us_reply_free(&reply);
	if (err != US_OK)
		return err;
	return us_merkle_verify_consistency(old->size, &old->root, new->size, &new->root, proof, n);
}

static int
check_consistent(struct us_proofs *p, const struct us_checkpoint *c)
{
	/* an answer that overtook another, or a log that was put back */
	const int smaller = c->size < p->newest.size;
	int err = us_proofs_consistent(p->http, smaller ? c : &p->newest, smaller ? &p->newest : c);

	return err != US_ERR_NOT_FOUND ? err : smaller ? US_ERR_VERIFY : US_ERR_INCOMPLETE;
}

/* The log goes on under another key: what the profile remembers has been written anew. */
static int
follow(struct us_proofs *p, struct us_bytes note)
{
	const struct us_profile *profile = &p->client->profile;
	int err = us_client_succession_follow(p->client, note);

	if (err == US_OK)
		err = us_note_key_parse(&p->key, profile->vkey, strlen(profile->vkey));
	if (err != US_OK)
		return err;
	free(p->batches);
	p->batches = NULL;
	p->n_batches = 0;
	p->has_checkpoint = 0;
	read_checkpoint(p);
	read_batches(p);
	return US_OK;
}

int
us_proofs_checkpoint(struct us_proofs *p, struct us_bytes note, struct us_checkpoint *out)
{
	int err = us_checkpoint_open(out, NULL, note.p, note.n, &p->key, 1);

	if (err == US_ERR_NOT_FOUND) {
		err = follow(p, note);
		if (err == US_OK)
			err = us_checkpoint_open(out, NULL, note.p, note.n, &p->key, 1);
	}
	if (err != US_OK)
		return err;
	if (p->has_checkpoint) {
		err = check_consistent(p, out);
		if (err != US_OK || out->size <= p->newest.size)
			return err;
	}
	p->newest = *out;
	p->newest.extensions = (struct us_bytes){ NULL, 0 };
	p->has_checkpoint = 1;
	if (us_profile_write(p->client->profile.directory, "checkpoint", note.p, note.n) != US_OK)
		us_say("cannot write the checkpoint to the profile: a later rollback might go "
		       "unnoticed");
	return US_OK;
}

/* ---- receipts ---- */

/* The entry that the log serves at index, from its bundle as of a tree of that size. */
static int
fetch_entry(struct us_proofs *p, uint64_t index, uint64_t size, struct us_buf *entry)
{
	uint64_t bundle = index / BUNDLE;
	unsigned width = size / BUNDLE > bundle ? BUNDLE : (unsigned)(size % BUNDLE);
	const struct us_tile tile = { .entries = 1, .n = bundle, .width = width };
	char name[US_TILE_PATH_MAX], path[US_TILE_PATH_MAX + 16];
	struct us_reader r;
	struct us_reply reply;
	struct us_bytes e = { NULL, 0 };
	int err;

	us_reply_init(&reply);
	err = us_tile_path(&tile, name, sizeof name);
	if (err != US_OK)
		return err;
	(void)snprintf(path, sizeof path, "/v1/log/%s", name);
	err = fetch(p->http, path, &reply);
	us_reader_init(&r, reply.body.data, reply.body.len);
	for (uint64_t i = bundle * BUNDLE; err == US_OK && i <= index; i++) {
		e = us_take_str16(&r, US_ENTRY_MAX);
		err = r.err;
	}
	if (err == US_OK)
		err = us_buf_put(entry, e.p, e.n);
	us_reply_free(&reply);
	return err;
}

int
us_proofs_receipt(struct us_proofs *p, struct us_bytes receipt, uint64_t index,
    struct us_buf *entry)
{
	struct us_tlog_proof proof;
	struct us_checkpoint checkpoint;
	struct us_digest leaf;
	struct us_buf own;
	int err = us_tlog_proof_parse(&proof, receipt.p, receipt.n);

	if (err == US_OK && proof.index != index)
		err = US_ERR_VERIFY;
	if (err == US_OK)
		err = us_proofs_checkpoint(p, proof.checkpoint, &checkpoint);
	if (err != US_OK)
		return err;
	us_buf_init(&own, US_ENTRY_MAX);
	if (entry == NULL)
		entry = &own;
	us_buf_reset(entry);
	err = fetch_entry(p, index, checkpoint.size, entry);
	if (err == US_OK) {
		us_merkle_leaf(&leaf, entry->data, entry->len);
		err = us_tlog_proof_verify(receipt.p, receipt.n, &leaf, &p->key, 1, NULL, NULL);
	}
	us_buf_free(&own);
	return err;
}

/* ---- batches ---- */

static int
take_hex(const cJSON *object, const char *name, void *out, size_t n)
{
	const char *text = us_json_text(object, name);

	return strlen(text) == 2 * n ? us_hex_decode(text, 2 * n, out, n) : US_ERR_FORMAT;
}

/* The answer of entry-proof: the entry, its proof, and what its commitment is made of. */
static int
check_entry_proof(struct us_proofs *p, const cJSON *answer, uint64_t index, uint8_t root[32],
    uint8_t state[32])
{
	const char *receipt = us_json_text(answer, "receipt"),
		   *entry_text = us_json_text(answer, "entry");
	uint8_t commitment[32];
	struct us_tlog_proof proof;
	struct us_checkpoint checkpoint;
	struct us_entry_view view;
	struct us_digest leaf;
	struct us_buf entry;
	int err;

	us_buf_init(&entry, US_ENTRY_MAX);
	err = us_base64_take(&entry, entry_text, strlen(entry_text));
	if (err == US_OK)
		err = take_hex(answer, "state", state, 32);
	if (err == US_OK)
		err = take_hex(answer, "manifest_root", root, 32);
	if (err == US_OK)
		err = us_tlog_proof_parse(&proof, receipt, strlen(receipt));
	if (err == US_OK)
		err = us_proofs_checkpoint(p, proof.checkpoint, &checkpoint);
	if (err == US_OK) {
		us_merkle_leaf(&leaf, entry.data, entry.len);
		err = proof.index != index ?
		    US_ERR_VERIFY :
		    us_tlog_proof_verify(receipt, strlen(receipt), &leaf, &p->key, 1, NULL, NULL);
	}
	if (err == US_OK)
		err = us_entry_decode(&view, entry.data, entry.len);
	if (err == US_OK)
		err = us_entry_state_commitment(commitment, state, root);
	if (err == US_OK && (view.state == NULL || memcmp(view.state, commitment, 32) != 0))
		err = US_ERR_VERIFY;
	us_buf_free(&entry);
	return err;
}

int
us_proofs_closing(struct us_proofs *p, uint64_t entry, uint8_t root[32], uint8_t state[32])
{
	struct us_reply reply;
	cJSON *answer;
	char path[96];
	int err;

	us_reply_init(&reply);
	(void)snprintf(path, sizeof path, "/v1/log/entry-proof/%llu", (unsigned long long)entry);
	err = fetch(p->http, path, &reply);
	if (err == US_OK) {
		answer = cJSON_ParseWithLength((const char *)reply.body.data, reply.body.len);
		err = answer == NULL ? US_ERR_FORMAT :
				       check_entry_proof(p, answer, entry, root, state);
		cJSON_Delete(answer);
	}
	us_reply_free(&reply);
	return err;
}

int
us_proofs_batch(struct us_proofs *p, uint32_t collection, uint32_t slot, uint64_t entry,
    uint8_t root[32])
{
	struct us_client_batch b = { .collection = collection, .slot = slot, .entry = entry };
	uint8_t state[32];
	int err;

	for (size_t i = 0; i < p->n_batches; i++)
		if (p->batches[i].collection == collection && p->batches[i].slot == slot) {
			memcpy(root, p->batches[i].root, 32);
			return US_OK;
		}
	err = us_proofs_closing(p, entry, b.root, state);
	if (err != US_OK)
		return err;
	memcpy(root, b.root, 32);
	remember_batch(p, &b);
	return US_OK;
}

/* ---- records ---- */

/* The verbatim bytes of the member "record" of a line: from behind its colon to before the member
 * that follows it in the answer's fixed order, ,"designation". */
static int
verbatim_record(const char *line, size_t n, struct us_bytes *record)
{
	static const char before[] = "\"record\":", after[] = ",\"designation\":";
	const char *from = memmem(line, n, before, sizeof before - 1), *to = NULL, *at;

	if (from == NULL)
		return US_ERR_FORMAT;
	from += sizeof before - 1;
	/* the last one: a record may hold such text itself, what follows it does not */
	for (at = from; (at = memmem(at, (size_t)(line + n - at), after, sizeof after - 1)) != NULL;
	     at++)
		to = at;
	if (to == NULL)
		return US_ERR_FORMAT;
	*record = (struct us_bytes){ (const uint8_t *)from, (size_t)(to - from) };
	return US_OK;
}

/* A Bates number ends in the record's number plus one, in nine digits. */
static int
is_bates_of(const char *bates, uint64_t record)
{
	char digits[32];
	size_t n = strlen(bates), d;

	(void)snprintf(digits, sizeof digits, "%09llu", (unsigned long long)record + 1);
	d = strlen(digits);
	return n > d && strcmp(bates + n - d, digits) == 0;
}

int
us_proofs_record(struct us_proofs *p, const char *line, size_t n, struct us_bytes *record)
{
	struct us_digest leaf, path[US_BATCH_PROOF_MAX], tree;
	uint8_t salt[16];
	const cJSON *m, *hashes, *hash;
	cJSON *document;
	size_t k = 0, got;
	uint32_t collection, slot;
	int err = verbatim_record(line, n, record);

	if (err != US_OK)
		return err;
	document = cJSON_ParseWithLength(line, n);
	m = cJSON_GetObjectItemCaseSensitive(document, "manifest");
	if (cJSON_IsNull(m) && cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(document, "masked"))) {
		/* not the source bytes, so there is nothing to compare: who shows it says so */
		cJSON_Delete(document);
		return US_OK;
	}
	hashes = cJSON_GetObjectItemCaseSensitive(m, "path");
	err = !cJSON_IsObject(m) ? US_ERR_FORMAT : take_hex(m, "salt", salt, sizeof salt);
	cJSON_ArrayForEach(hash, hashes) {
		const char *text = cJSON_GetStringValue(hash);

		if (err == US_OK &&
		    (k == US_BATCH_PROOF_MAX || text == NULL ||
			us_base64_decode(text, strlen(text), path[k].b, US_HASH_LEN, &got) !=
			    US_OK ||
			got != US_HASH_LEN))
			err = US_ERR_FORMAT;
		k += err == US_OK;
	}
	collection = (uint32_t)us_json_number(m, "collection", 0);
	slot = (uint32_t)us_json_number(m, "batch", 0);
	if (err == US_OK)
		err = us_proofs_batch(p, collection, slot, (uint64_t)us_json_number(m, "entry", 0),
		    tree.b);
	if (err == US_OK)
		err = us_manifest_leaf_hash(collection, (uint64_t)us_json_number(m, "record", 0),
		    (uint32_t)us_json_number(m, "version", 0), salt, *record, leaf.b);
	if (err == US_OK)
		err = us_merkle_verify_inclusion(&leaf, (uint64_t)us_json_number(m, "index", 0),
		    (uint64_t)us_json_number(m, "size", 0), path, k, &tree);
	if (err == US_OK &&
	    !is_bates_of(us_json_text(document, "bates"), (uint64_t)us_json_number(m, "record", 0)))
		err = US_ERR_VERIFY;
	cJSON_Delete(document);
	return err;
}
