#include "daemon/keeper/desk.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/time.h"
#include "crypto/crypto.h"
#include "log/cosignature.h"

#define COSIGNATURES "cosignatures"
#define COSIGNATURES_MAX (8u * 1024u * 1024u)

int
us_desk_refuse(struct us_keeper_desk *d, int err, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	(void)vsnprintf(d->detail, d->room, format, ap);
	va_end(ap);
	return err;
}

int
us_desk_open(struct us_keeper_desk *d, char *detail, size_t room)
{
	int err;

	memset(d, 0, sizeof *d);
	d->detail = detail;
	d->room = room;
	detail[0] = '\0';
	err = us_vault_conf_read(&d->conf);
	if (err != US_OK)
		return us_desk_refuse(d, err,
		    "vault.conf cannot be read: is this a directory that \"undersealed init\" "
		    "made?");
	err = us_boot_keys_read(&d->boot);
	if (err != US_OK)
		return us_desk_refuse(d, err, "boot.keys cannot be read");
	if (us_note_key_parse(&d->key, d->conf.vkey, strlen(d->conf.vkey)) != US_OK ||
	    strcmp(d->key.name, d->conf.origin) != 0)
		return us_desk_refuse(d, US_ERR_VERIFY, "vault.conf names no key of a log");
	return us_keeper_succession_read(&d->lineage, US_LINEAGE_FILE);
}

int
us_desk_open_log(struct us_keeper_desk *d, struct us_keeper_succession *lineage, const char *origin,
    const struct us_key *seed)
{
	struct us_klog_options o = { .origin = origin,
		.vault_id = d->conf.vault_id,
		.box_public = d->conf.box_public,
		.seed = seed };
	const struct us_handover *newest = us_keeper_succession_newest(lineage);
	int err;

	us_keeper_succession_options(lineage, &o);
	err = us_klog_open(&d->log, &o);
	d->unbegun = err == US_OK && newest != NULL &&
	    us_klog_size(d->log) == newest->succession.size;
	return err != US_OK ? err : us_keeper_succession_begin(lineage, d->log);
}

void
us_desk_close(struct us_keeper_desk *d)
{
	us_klog_close(d->log);
	us_keeper_succession_free(&d->lineage);
	us_boot_keys_free(&d->boot);
	us_vault_conf_free(&d->conf);
}

/* --- what others have kept -------------------------------------------------------------------- */

/* A signed checkpoint that fits into this log, or is larger than it. */
static int
check_note(struct us_keeper_desk *d, struct us_bytes note, const char *what,
    struct us_checkpoint *c)
{
	struct us_digest root;
	int err = us_checkpoint_open(c, NULL, note.p, note.n, &d->key, 1);

	if (err != US_OK)
		return us_desk_refuse(d, US_ERR_VERIFY,
		    "%s is not a checkpoint that the log's key (%s) signed", what, d->key.name);
	if (c->size > us_klog_size(d->log))
		return US_OK;
	err = us_klog_root_at(d->log, c->size, &root);
	if (err == US_OK && memcmp(root.b, c->root.b, sizeof root.b) != 0)
		return us_desk_refuse(d, US_ERR_VERIFY,
		    "%s contradicts this log at %llu entries: its key has signed two histories. "
		    "Keep both for the court",
		    what, (unsigned long long)c->size);
	return err;
}

int
us_desk_choose_last(struct us_keeper_desk *d, const struct us_bytes *notes, size_t n,
    const struct us_bytes **last)
{
	struct us_checkpoint c, best = { .size = us_klog_size(d->log) };
	char what[48];
	int err;

	*last = NULL;
	for (size_t i = 0; i < n; i++) {
		(void)snprintf(what, sizeof what, "last checkpoint %zu", i + 1);
		err = check_note(d, notes[i], what, &c);
		if (err != US_OK)
			return err;
		if (*last != NULL && c.size == best.size &&
		    memcmp(c.root.b, best.root.b, sizeof c.root.b) != 0)
			return us_desk_refuse(d, US_ERR_VERIFY,
			    "two of the last checkpoints contradict each other at %llu entries: "
			    "the key has signed two histories. "
			    "Keep both for the court",
			    (unsigned long long)c.size);
		if (c.size > best.size) {
			best = c;
			*last = &notes[i];
		}
	}
	return US_OK;
}

/* Before they are put aside: witnesses cosigned this log, not another. */
int
us_desk_check_cosigned(struct us_keeper_desk *d)
{
	struct us_checkpoint c;
	struct us_reader r;
	struct us_buf file;
	int err;

	us_buf_init(&file, COSIGNATURES_MAX);
	err = us_keeper_read(COSIGNATURES, COSIGNATURES_MAX, &file);
	us_reader_init(&r, file.data, file.len);
	if (err == US_ERR_NOT_FOUND)
		err = US_OK;
	while (err == US_OK && r.left > 0) {
		struct us_bytes note = us_take_str32(&r, US_COSIGNED_MAX);

		err = r.err != US_OK ?
		    us_desk_refuse(d, US_ERR_FORMAT, "the file \"" COSIGNATURES "\" is damaged") :
		    check_note(d, note, "a checkpoint that witnesses have cosigned", &c);
		if (err == US_OK && c.size > us_klog_size(d->log))
			err = us_desk_refuse(d, US_ERR_VERIFY,
			    "witnesses have cosigned %llu entries, and the log has %llu: entries "
			    "are missing",
			    (unsigned long long)c.size, (unsigned long long)us_klog_size(d->log));
	}
	us_buf_free(&file);
	return err;
}

int
us_desk_finish(struct us_keeper_desk *d, const struct us_keeper_succession *chain)
{
	const struct us_handover *newest = us_keeper_succession_newest(chain);
	char aside[32];
	int err = US_OK;

	if (access(US_LINEAGE_NEXT, F_OK) == 0)
		err = us_keeper_rename(US_LINEAGE_NEXT, US_LINEAGE_FILE);
	(void)snprintf(aside, sizeof aside, COSIGNATURES ".%zu", chain->chain->n);
	if (err == US_OK && access(COSIGNATURES, F_OK) == 0)
		err = us_keeper_rename(COSIGNATURES, aside);
	(void)snprintf(d->conf.origin, sizeof d->conf.origin, "%s",
	    newest->succession.new_key.name);
	if (err == US_OK)
		err = us_note_key_format(&newest->succession.new_key, d->conf.vkey,
		    sizeof d->conf.vkey);
	if (err == US_OK)
		err = us_vault_conf_write(&d->conf);
	return err;
}

int
us_desk_begin(struct us_keeper_desk *d, struct us_keeper_succession *chain)
{
	us_klog_close(d->log);
	d->log = NULL;
	return us_desk_open_log(d, chain, d->conf.origin, d->boot.log_seed);
}

int
us_desk_extend(struct us_keeper_succession *chain, const struct us_keeper_desk *d,
    struct us_bytes succession, const struct us_note_signer *signer,
    const struct us_handover_origin *origin)
{
	struct us_buf text;
	int err;

	us_buf_init(&text, US_HANDOVERS_BYTES_MAX);
	err = us_buf_put(&text, d->lineage.text.data, d->lineage.text.len);
	if (err == US_OK)
		err = us_handover_sign(&text, succession, signer, origin->reason, us_time_now_ns(),
		    origin->last);
	if (err == US_OK)
		err = us_keeper_succession_of(chain, (struct us_bytes){ text.data, text.len });
	us_buf_free(&text);
	return err;
}

/* --- a successor ------------------------------------------------------------------------------ */

void
us_successor_free(struct us_keeper_successor *s)
{
	us_note_signer_free(s->signer);
	us_key_free(s->seed);
}

int
us_desk_draw(struct us_keeper_successor *s, struct us_keeper_desk *d, const char *host)
{
	char origin[US_NOTE_NAME_MAX + 1];
	int err = us_origin_next(origin, d->conf.origin, host);

	memset(s, 0, sizeof *s);
	if (err == US_OK)
		err = us_key_new(&s->seed);
	if (err == US_OK)
		err = us_key_random(s->seed);
	if (err == US_OK)
		err = us_note_signer_new(&s->signer, origin, US_NOTE_ED25519, s->seed);
	return err == US_ERR_FORMAT || err == US_ERR_LIMIT ?
	    us_desk_refuse(d, US_ERR_ARG, "no origin of a log can be made of that host") :
	    err;
}

int
us_desk_sign_succession(struct us_buf *note, struct us_keeper_desk *d,
    const struct us_keeper_successor *s, int64_t time_ns)
{
	struct us_note_signer *old_signer = NULL;
	struct us_digest root;
	uint64_t size = us_klog_size(d->log);
	int err = size == 0 ? us_desk_refuse(d, US_ERR_STATE, "the log has no entry") :
			      us_klog_root_at(d->log, size, &root);

	if (err == US_OK)
		err = us_note_signer_new(&old_signer, d->conf.origin, US_NOTE_ED25519,
		    d->boot.log_seed);
	if (err == US_OK)
		err = us_succession_sign(note, old_signer, us_note_signer_key(s->signer), size,
		    &root, time_ns);
	us_note_signer_free(old_signer);
	return err;
}
