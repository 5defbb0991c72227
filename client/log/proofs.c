#include "client/log/proofs.h"

#include <stdlib.h>
#include <string.h>

#include "log/entry.h"
#include "log/merkle.h"
#include "log/proof.h"
#include "evidence/batch/reader.h"
#include "client/log/batches.h"
#include "client/log/fetch.h"
#include "client/log/succession.h"
#include "base/base64.h"
#include "base/err.h"
#include "case/bates.h"

struct us_proofs {
	struct us_client *client;
	struct us_note_key key;
	unsigned era; /* hand-overs that were followed */
	int has_checkpoint;
	struct us_checkpoint newest; /* extensions not kept */
	struct us_proven_batches batches;
	struct us_log_fetcher log;
};

/* ---- memory ---- */

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

static struct us_proofs *
proofs_new(struct us_client *client)
{
	struct us_proofs *p = calloc(1, sizeof *p);
	const struct us_profile *profile = us_client_profile(client);

	if (p == NULL)
		us_give_up(US_EXIT_OTHER, "out of memory");
	p->client = client;
	if (us_note_key_parse(&p->key, profile->vkey, strlen(profile->vkey)) != US_OK)
		us_give_up(US_EXIT_OTHER, "the profile's log key cannot be read");
	p->log = (struct us_log_fetcher){ .client = client, .http = us_http_new(profile) };
	if (p->log.http == NULL)
		us_give_up(US_EXIT_OTHER, "cannot set up TLS");
	read_checkpoint(p);
	(void)us_proven_batches_read(&p->batches, profile->directory);
	return p;
}

struct us_proofs *
us_proofs_of(struct us_client *client)
{
	if (client->proofs == NULL)
		client->proofs = proofs_new(client);
	return client->proofs;
}

void
us_proofs_close(struct us_client *client)
{
	struct us_proofs *p = client->proofs;

	client->proofs = NULL;
	if (p == NULL)
		return;
	us_http_free(p->log.http);
	us_proven_batches_free(&p->batches);
	free(p);
}

uint64_t
us_proofs_seen(const struct us_proofs *p)
{
	return p->has_checkpoint ? p->newest.size : 0;
}

unsigned
us_proofs_era(const struct us_proofs *p)
{
	return p->era;
}

void
us_proofs_quiet(struct us_proofs *p, int quiet)
{
	p->log.quiet = quiet;
}

int
us_proofs_failed(const char *what, int err)
{
	switch (err) {
	case US_ERR_CLOSED:
		us_say("the connection ended before %s could be held against the log: it is not "
		       "shown. Ask again",
		    what);
		return US_EXIT_OTHER;
	case US_ERR_INCOMPLETE:
		us_say("the vault does not give now what %s is to be held against: it is not shown",
		    what);
		return US_EXIT_INCOMPLETE;
	case US_ERR_NOMEM:
	case US_ERR_IO:
		us_say("%s could not be held against the log (%s): it is not shown", what,
		    us_strerror(err));
		return US_EXIT_OTHER;
	default:
		us_say("VERIFICATION FAILED: %s does not fit the log that this profile has seen "
		       "(%s); it is not shown",
		    what, us_strerror(err));
		return US_EXIT_UNVERIFIED;
	}
}

/* ---- checkpoints ---- */

static int
check_consistent(struct us_proofs *p, const struct us_checkpoint *c)
{
	/* an answer that overtook another, or a log that was put back */
	const int smaller = c->size < p->newest.size;
	int err = us_log_prove(&p->log, smaller ? c : &p->newest, smaller ? &p->newest : c);

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
	us_proven_batches_free(&p->batches);
	p->era++;
	p->has_checkpoint = 0;
	read_checkpoint(p);
	(void)us_proven_batches_read(&p->batches, profile->directory);
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

/* What the log must have, and does not give, is not there yet. */
static int
served(int err)
{
	return err == US_ERR_NOT_FOUND ? US_ERR_INCOMPLETE : err;
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
	err = served(us_log_fetch_entry(&p->log, index, checkpoint.size, entry));
	if (err == US_OK) {
		us_merkle_leaf(&leaf, entry->data, entry->len);
		err = us_tlog_proof_verify(receipt.p, receipt.n, &leaf, &p->key, 1, NULL, NULL);
	}
	us_buf_free(&own);
	return err;
}

/* ---- entries ---- */

/* The answer of entry-proof: the entry and its proof. */
static int
check_entry_proof(struct us_proofs *p, const cJSON *answer, uint64_t index, struct us_buf *entry)
{
	const char *receipt = us_json_text(answer, "receipt"),
		   *text = us_json_text(answer, "entry");
	struct us_tlog_proof proof;
	struct us_checkpoint checkpoint;
	struct us_digest leaf;
	int err = us_base64_take(entry, text, strlen(text));

	if (err == US_OK)
		err = us_tlog_proof_parse(&proof, receipt, strlen(receipt));
	if (err == US_OK && proof.index != index)
		err = US_ERR_VERIFY;
	if (err == US_OK)
		err = us_proofs_checkpoint(p, proof.checkpoint, &checkpoint);
	if (err != US_OK)
		return err;
	us_merkle_leaf(&leaf, entry->data, entry->len);
	return us_tlog_proof_verify(receipt, strlen(receipt), &leaf, &p->key, 1, NULL, NULL);
}

/* *answer: what came with it, the caller's; NULL if nothing that could be read. */
static int
ask_for_entry(struct us_proofs *p, uint64_t index, struct us_buf *entry, cJSON **answer)
{
	struct us_buf body;
	char path[64];
	int err;

	us_buf_init(&body, US_REPLY_MAX);
	(void)snprintf(path, sizeof path, "entry-proof/%llu", (unsigned long long)index);
	err = served(us_log_fetch(&p->log, path, &body));
	if (err == US_OK) {
		*answer = cJSON_ParseWithLength((const char *)body.data, body.len);
		err = *answer == NULL ? US_ERR_FORMAT : check_entry_proof(p, *answer, index, entry);
	}
	us_buf_free(&body);
	return err;
}

int
us_proofs_entry(struct us_proofs *p, uint64_t index, struct us_buf *entry)
{
	cJSON *answer = NULL;
	const int err = ask_for_entry(p, index, entry, &answer);

	cJSON_Delete(answer);
	return err;
}

/* ---- batches ---- */

static int
take_hex(const cJSON *object, const char *name, void *out, size_t n)
{
	const char *text = us_json_text(object, name);

	return strlen(text) == 2 * n ? us_hex_decode(text, 2 * n, out, n) : US_ERR_FORMAT;
}

/* What the commitment of an entry that closed a batch is made of, as entry-proof says. */
static int
check_closing(const cJSON *answer, const struct us_buf *entry, uint8_t root[32], uint8_t state[32])
{
	uint8_t commitment[32];
	struct us_entry_view view;
	int err = take_hex(answer, "state", state, 32);

	if (err == US_OK)
		err = take_hex(answer, "manifest_root", root, 32);
	if (err == US_OK)
		err = us_entry_decode(&view, entry->data, entry->len);
	if (err == US_OK)
		err = us_entry_state_commitment(commitment, state, root);
	if (err == US_OK && (view.state == NULL || memcmp(view.state, commitment, 32) != 0))
		err = US_ERR_VERIFY;
	return err;
}

int
us_proofs_closing(struct us_proofs *p, uint64_t entry, uint8_t root[32], uint8_t state[32])
{
	struct us_buf bytes;
	cJSON *answer = NULL;
	int err;

	us_buf_init(&bytes, US_ENTRY_MAX);
	err = ask_for_entry(p, entry, &bytes, &answer);
	if (err == US_OK)
		err = check_closing(answer, &bytes, root, state);
	cJSON_Delete(answer);
	us_buf_free(&bytes);
	return err;
}

int
us_proofs_batch(struct us_proofs *p, uint32_t collection, uint32_t slot, uint64_t entry,
    uint8_t root[32])
{
	struct us_proven_batch b = { .collection = collection, .slot = slot, .entry = entry };
	const struct us_proven_batch *known = us_proven_batches_find(&p->batches, collection, slot);
	uint8_t state[32];
	int err = US_OK;

	if (known == NULL)
		err = us_proofs_closing(p, entry, b.root, state);
	if (err != US_OK)
		return err;
	memcpy(root, known == NULL ? b.root : known->root, 32);
	if (known == NULL)
		us_proven_batches_add(&p->batches, &b);
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

static int
is_bates_of(const char *bates, uint64_t record)
{
	uint64_t named;
	size_t prefix;

	return us_bates_split(us_bytes_of(bates), &prefix, &named) == US_OK && named == record;
}

#define LEGEND_END " - SUBJECT TO PROTECTIVE ORDER"

/* What the page says above the record: its designation in capitals, in the words of every copy. */
static int
is_legend_of(const char *legend, const char *designation)
{
	const size_t n = strlen(designation);

	if (n == 0)
		return *legend == '\0';
	for (size_t i = 0; i < n; i++)
		if (legend[i] !=
		    (designation[i] >= 'a' && designation[i] <= 'z' ? designation[i] - 32 :
								      designation[i]))
			return 0;
	return strcmp(legend + n, LEGEND_END) == 0;
}

/* The record is the one asked for, and its page says what it must. */
static int
check_asked(const cJSON *document, const struct us_asked_record *asked)
{
	return strcmp(us_json_text(document, "bates"), asked->bates) == 0 &&
		is_legend_of(us_json_text(document, "legend"),
		    us_json_text(document, "designation")) ?
	    US_OK :
	    US_ERR_VERIFY;
}

/* The manifest of a record against its batch. */
static int
check_manifest(struct us_proofs *p, const cJSON *m, struct us_bytes record)
{
	struct us_digest leaf, path[US_BATCH_PROOF_MAX], tree;
	const uint32_t collection = (uint32_t)us_json_number(m, "collection", 0);
	const uint64_t number = (uint64_t)us_json_number(m, "record", 0);
	uint8_t salt[16];
	const cJSON *hash;
	size_t k = 0, got;
	int err = take_hex(m, "salt", salt, sizeof salt);

	cJSON_ArrayForEach(hash, cJSON_GetObjectItemCaseSensitive(m, "path")) {
		const char *text = cJSON_GetStringValue(hash);

		if (err == US_OK &&
		    (k == US_BATCH_PROOF_MAX || text == NULL ||
			us_base64_decode(text, strlen(text), path[k].b, US_HASH_LEN, &got) !=
			    US_OK ||
			got != US_HASH_LEN))
			err = US_ERR_FORMAT;
		k += err == US_OK;
	}
	if (err == US_OK)
		err = us_proofs_batch(p, collection, (uint32_t)us_json_number(m, "batch", 0),
		    (uint64_t)us_json_number(m, "entry", 0), tree.b);
	if (err == US_OK)
		err = us_manifest_leaf_hash(collection, number,
		    (uint32_t)us_json_number(m, "version", 0), salt, record, leaf.b);
	return err != US_OK ?
	    err :
	    us_merkle_verify_inclusion(&leaf, (uint64_t)us_json_number(m, "index", 0),
		(uint64_t)us_json_number(m, "size", 0), path, k, &tree);
}

int
us_proofs_record(struct us_proofs *p, struct us_asked_record *asked, const char *line, size_t n,
    struct us_bytes *record)
{
	int err = verbatim_record(line, n, record);
	cJSON *document = err == US_OK ? cJSON_ParseWithLength(line, n) : NULL;
	const cJSON *m = cJSON_GetObjectItemCaseSensitive(document, "manifest");
	const uint32_t collection = (uint32_t)us_json_number(m, "collection", 0);

	if (err == US_OK && cJSON_IsNull(m) &&
	    cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(document, "masked"))) {
		/* not the source bytes, so there is nothing to compare: who shows it says so */
		err = check_asked(document, asked);
		cJSON_Delete(document);
		return err;
	}
	if (err == US_OK && !cJSON_IsObject(m))
		err = US_ERR_FORMAT;
	if (err == US_OK)
		err = check_manifest(p, m, *record);
	if (err == US_OK)
		err = check_asked(document, asked);
	if (err == US_OK && asked->collection == 0)
		asked->collection = collection;
	if (err == US_OK &&
	    (asked->collection != collection ||
		!is_bates_of(asked->bates, (uint64_t)us_json_number(m, "record", 0))))
		err = US_ERR_VERIFY;
	cJSON_Delete(document);
	return err;
}
