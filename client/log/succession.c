#include "client/log/succession.h"

#include <stdlib.h>
#include <string.h>

#include "client/log/batches.h"
#include "client/log/fetch.h"
#include "base/err.h"
#include "base/time.h"

#define CHECKPOINT_MAX 65536

/* ---- what is said ---- */

static void
tell_followed(const struct us_handovers *chain, const struct us_client_succession_memory *m,
    enum us_handover_memory judged)
{
	for (size_t i = m->place; i < chain->n; i++) {
		const struct us_handover *h = &chain->item[i];
		char time_text[US_TIME_TEXT_SIZE];

		us_say("the log was handed over at entry %llu, on %s (%s): it goes on as %s, under "
		       "another key",
		    (unsigned long long)h->succession.size, us_time_format_s(h->time_ns, time_text),
		    us_handover_reason_name(h->reason), h->succession.new_key.name);
		if (h->last_size > h->succession.size)
			us_say("WARNING: entries %llu to %llu had been signed and are lost; the "
			       "hand-over says so. Ask the court's auditor what they recorded",
			    (unsigned long long)h->succession.size,
			    (unsigned long long)h->last_size - 1);
	}
	if (judged == US_HANDOVER_LOST)
		us_say("WARNING: %s has seen %llu entries of the old log: those from %llu on are "
		       "not in this one. The old checkpoint proves that they were",
		    m->whose, (unsigned long long)m->seen.size,
		    (unsigned long long)chain->item[m->place].succession.size);
	else
		us_say("nothing that %s has seen is missing", m->whose);
}

static int
refuse(const struct us_handover *h, const struct us_client_succession_memory *m,
    enum us_handover_memory judged)
{
	if (judged == US_HANDOVER_HIDDEN)
		us_say("REFUSED: the log was handed over at entry %llu, and the hand-over knows of "
		       "%llu entries; %s has seen %llu, signed by the old key. "
		       "Entries are concealed. %s is the proof: keep it, and ask the auditor",
		    (unsigned long long)h->succession.size, (unsigned long long)h->last_size,
		    m->whose, (unsigned long long)m->seen.size, m->file);
	else
		us_say("REFUSED: the hand-over at entry %llu contradicts what %s has seen at %llu "
		       "entries: the old key signed two histories. %s is the proof: "
		       "keep it, and ask the auditor",
		    (unsigned long long)h->succession.size, m->whose,
		    (unsigned long long)m->seen.size, m->file);
	return US_ERR_VERIFY;
}

/* ---- the checks ---- */

/* A log that has no proof, or none that can be read, has not proven it. */
static int
prove(struct us_log_fetcher *log, const struct us_checkpoint *from, const struct us_checkpoint *to)
{
	int err = us_log_prove(log, from, to);

	return err == US_ERR_NOT_FOUND || err == US_ERR_FORMAT ? US_ERR_VERIFY : err;
}

/* The tree of c begins with each tree that was handed over. */
static int
check_trees(struct us_log_fetcher *log, const struct us_handovers *chain, size_t from,
    const struct us_checkpoint *c)
{
	int err = US_OK;

	for (size_t i = from; i < chain->n && err == US_OK; i++) {
		const struct us_succession *s = &chain->item[i].succession;
		const struct us_checkpoint handed = { .size = s->size, .root = s->root };

		err = c->size <= s->size ? US_ERR_VERIFY : prove(log, &handed, c);
		if (err == US_ERR_VERIFY)
			us_say("REFUSED: the log is not the one that was handed over at entry %llu",
			    (unsigned long long)s->size);
	}
	return err;
}

int
us_client_succession_check(struct us_log_fetcher *log, const struct us_handovers *chain,
    const struct us_client_succession_memory *m, const struct us_checkpoint *c)
{
	const struct us_handover *h = &chain->item[m->place];
	enum us_handover_memory judged = US_HANDOVER_KEPT;
	int err = US_OK;

	if (m->seen.size > 0)
		judged = us_handover_judge(h, m->seen.size, &m->seen.root);
	switch (judged) {
	case US_HANDOVER_HIDDEN:
	case US_HANDOVER_FORKED:
		return refuse(h, m, judged);
	case US_HANDOVER_KEPT:
		if (m->seen.size > 0)
			err = prove(log, &m->seen, c);
		if (err == US_ERR_VERIFY)
			us_say("REFUSED: the log that was handed over is not the one that %s has "
			       "seen. %s is the proof: keep it, and ask the auditor",
			    m->whose, m->file);
		break;
	case US_HANDOVER_LOST: /* what is lost cannot be compared; the tree it grew from can */
		break;
	}
	if (err == US_OK)
		err = check_trees(log, chain, m->place, c);
	if (err == US_OK)
		tell_followed(chain, m, judged);
	return err;
}

/* ---- the profile ---- */

int
us_client_succession_chain(const char *directory, struct us_buf *text, struct us_handovers *chain)
{
	int err = us_profile_read(directory, "handovers", US_HANDOVERS_BYTES_MAX, text);

	if (err == US_OK &&
	    us_handovers_open(chain, (struct us_bytes){ text->data, text->len }) != US_OK)
		err = US_ERR_VERIFY;
	return err;
}

/* Which key of the chain signed the note. */
static int
open_by_former(const struct us_handovers *chain, struct us_bytes note, struct us_checkpoint *c,
    size_t *place)
{
	int err = US_ERR_NOT_FOUND;

	for (size_t i = 0; i < chain->n && err == US_ERR_NOT_FOUND; i++) {
		err = us_checkpoint_open(c, NULL, note.p, note.n,
		    &chain->item[i].succession.old_key, 1);
		*place = i;
	}
	c->extensions = (struct us_bytes){ NULL, 0 };
	return err;
}

int
us_client_succession_stand_in(const char *directory, const struct us_note_key *key,
    struct us_bytes note, struct us_checkpoint *out)
{
	struct us_handovers *chain = calloc(1, sizeof *chain);
	struct us_buf text;
	size_t place = 0;
	int err;

	if (chain == NULL)
		return US_ERR_NOMEM;
	us_buf_init(&text, US_HANDOVERS_BYTES_MAX);
	err = us_client_succession_chain(directory, &text, chain);
	if (err == US_OK)
		err = us_handovers_place(&place, chain, key);
	if (err == US_OK && place != chain->n)
		err = US_ERR_NOT_FOUND;
	if (err == US_OK)
		err = open_by_former(chain, note, out, &place);
	if (err == US_OK) {
		const struct us_succession *s = &chain->item[chain->n - 1].succession;

		memset(out, 0, sizeof *out);
		memcpy(out->origin, key->name, sizeof out->origin);
		out->size = s->size;
		out->root = s->root;
	}
	us_buf_free(&text);
	free(chain);
	return err;
}

int
us_client_succession_former(const char *directory, struct us_bytes note,
    char vkey[US_NOTE_VKEY_MAX], uint64_t *until)
{
	struct us_handovers *chain = calloc(1, sizeof *chain);
	struct us_checkpoint c;
	struct us_buf text;
	size_t place = 0;
	int err;

	if (chain == NULL)
		return US_ERR_NOMEM;
	us_buf_init(&text, US_HANDOVERS_BYTES_MAX);
	err = us_client_succession_chain(directory, &text, chain);
	if (err == US_OK)
		err = open_by_former(chain, note, &c, &place);
	if (err == US_OK) {
		*until = chain->item[place].succession.size;
		err = us_note_key_format(&chain->item[place].succession.old_key, vkey,
		    US_NOTE_VKEY_MAX);
	}
	us_buf_free(&text);
	free(chain);
	return err;
}

/* ---- following ---- */

struct us_client_follow {
	struct us_client *client;
	const char *directory;
	struct us_log_fetcher log;
	struct us_note_key pinned;
	struct us_buf text, old_note;
	struct us_handovers *chain;
	struct us_client_succession_memory memory;
	char file[4096 + 16];
};

/* A vault that signs with a key that this profile has left: the old machine runs, or a copy of
 * before was put back. */
static void
tell_stranger(struct us_client_follow *f, struct us_bytes note)
{
	struct us_checkpoint c;
	struct us_buf text;
	size_t place = 0;

	us_buf_init(&text, US_HANDOVERS_BYTES_MAX);
	if (us_client_succession_chain(f->directory, &text, f->chain) == US_OK &&
	    open_by_former(f->chain, note, &c, &place) == US_OK)
		us_say("REFUSED: the vault signs with the key of %s, which handed the log over at "
		       "entry %llu and may never sign again: the old vault still runs, or a "
		       "copy of it was put back",
		    c.origin, (unsigned long long)f->chain->item[place].succession.size);
	else
		us_say("REFUSED: the log is signed by a key that this profile does not know, and "
		       "no hand-over leads to it from the one that it does");
	us_buf_free(&text);
}

/* What was followed before is the beginning of what is shown now: one key has one successor. */
static int
check_history(struct us_client_follow *f)
{
	struct us_handovers *known = calloc(1, sizeof *known);
	struct us_buf text;
	int err;

	us_buf_init(&text, US_HANDOVERS_BYTES_MAX);
	err = known == NULL ? US_ERR_NOMEM : us_client_succession_chain(f->directory, &text, known);
	free(known);
	if (err == US_ERR_NOT_FOUND)
		err = US_OK;
	else if (err == US_OK &&
	    (text.len > f->text.len || memcmp(text.data, f->text.data, text.len) != 0))
		err = US_ERR_VERIFY;
	us_buf_free(&text);
	if (err == US_ERR_VERIFY)
		us_say("REFUSED: the vault shows another history of hand-overs than %s/handovers, "
		       "which this profile has followed",
		    f->directory);
	return err;
}

static int
fetch_chain(struct us_client_follow *f, struct us_bytes note, struct us_checkpoint *c)
{
	int err = us_log_fetch(&f->log, "handovers", &f->text);

	if (err == US_OK)
		err = us_handovers_open(f->chain, (struct us_bytes){ f->text.data, f->text.len });
	else if (err != US_ERR_NOT_FOUND)
		return err;
	if (err == US_OK)
		err = us_handovers_place(&f->memory.place, f->chain, &f->pinned);
	if (err == US_OK)
		err = us_checkpoint_open(c, NULL, note.p, note.n,
		    &f->chain->item[f->chain->n - 1].succession.new_key, 1);
	/* the newest key is the pinned one, and yet it did not sign */
	if (err != US_OK || f->memory.place == f->chain->n) {
		tell_stranger(f, note);
		return US_ERR_VERIFY;
	}
	return check_history(f);
}

/* The checkpoint that the profile has by the pinned key. */
static int
read_memory(struct us_client_follow *f)
{
	int err = us_profile_read(f->directory, "checkpoint", CHECKPOINT_MAX, &f->old_note);

	(void)snprintf(f->file, sizeof f->file, "%s/checkpoint", f->directory);
	f->memory.whose = "this profile";
	f->memory.file = f->file;
	if (err == US_ERR_NOT_FOUND)
		return US_OK;
	if (err == US_OK)
		err = us_checkpoint_open(&f->memory.seen, NULL, f->old_note.data, f->old_note.len,
		    &f->pinned, 1);
	if (err == US_ERR_NOT_FOUND) /* an earlier following was cut off before its last file */
		err = us_client_succession_stand_in(f->directory, &f->pinned,
		    (struct us_bytes){ f->old_note.data, f->old_note.len }, &f->memory.seen);
	return err;
}

/* The profile's own files, in an order in which each beginning of it can be read: see
 * us_proofs_of(). */
static int
write_profile(struct us_client_follow *f, struct us_bytes note)
{
	char name[32], vkey[US_NOTE_VKEY_MAX];
	uint64_t number = 1;
	int err = us_profile_write(f->directory, "handovers", f->text.data, f->text.len);

	(void)us_origin_number(&number, f->pinned.name);
	(void)snprintf(name, sizeof name, "checkpoint.%llu", (unsigned long long)number);
	if (err == US_OK && f->memory.seen.size > f->chain->item[f->memory.place].succession.size)
		err = us_proven_batches_forget(f->directory,
		    f->chain->item[f->memory.place].succession.size);
	if (err == US_OK && f->old_note.len > 0)
		err = us_profile_write(f->directory, name, f->old_note.data, f->old_note.len);
	if (err == US_OK)
		err = us_note_key_format(&f->chain->item[f->chain->n - 1].succession.new_key, vkey,
		    sizeof vkey);
	if (err == US_OK)
		err = us_profile_set_vkey(&f->client->profile, vkey);
	if (err == US_OK)
		err = us_profile_write(f->directory, "checkpoint", note.p, note.n);
	if (err != US_OK)
		us_say("the new key cannot be written to the profile %s: %s", f->directory,
		    us_strerror(err));
	return err;
}

static int
begin(struct us_client_follow *f, struct us_client *client)
{
	const struct us_profile *profile = us_client_profile(client);

	memset(f, 0, sizeof *f);
	f->client = client;
	f->directory = profile->directory;
	us_buf_init(&f->text, US_HANDOVERS_BYTES_MAX);
	us_buf_init(&f->old_note, CHECKPOINT_MAX);
	f->log = (struct us_log_fetcher){ .client = client, .http = us_http_new(profile) };
	f->chain = calloc(1, sizeof *f->chain);
	if (f->log.http == NULL || f->chain == NULL)
		return US_ERR_NOMEM;
	return us_note_key_parse(&f->pinned, profile->vkey, strlen(profile->vkey));
}

static void
end(struct us_client_follow *f)
{
	us_http_free(f->log.http);
	us_buf_free(&f->text);
	us_buf_free(&f->old_note);
	free(f->chain);
}

int
us_client_succession_follow(struct us_client *client, struct us_bytes note)
{
	struct us_checkpoint c;
	struct us_client_follow f;
	int err = begin(&f, client);

	if (err == US_OK)
		err = fetch_chain(&f, note, &c);
	if (err == US_OK)
		err = read_memory(&f);
	if (err == US_OK)
		err = us_client_succession_check(&f.log, f.chain, &f.memory, &c);
	if (err == US_OK)
		err = write_profile(&f, note);
	end(&f);
	return err;
}

int
us_client_succession_newest(struct us_client *client)
{
	struct us_checkpoint c;
	struct us_buf note;
	struct us_client_follow f;
	int err = begin(&f, client);

	us_buf_init(&note, CHECKPOINT_MAX);
	if (err == US_OK)
		err = us_log_fetch(&f.log, "checkpoint", &note);
	if (err == US_OK)
		err = us_checkpoint_open(&c, NULL, note.data, note.len, &f.pinned, 1);
	end(&f);
	if (err == US_OK)
		err = US_ERR_STATE;
	else if (err == US_ERR_NOT_FOUND)
		err = us_client_succession_follow(client, (struct us_bytes){ note.data, note.len });
	us_buf_free(&note);
	return err;
}
