#include "daemon/keeper/handover.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "log/cosignature.h"
#include "crypto/crypto.h"
#include "base/err.h"
#include "base/log.h"
#include "base/time.h"
#include "daemon/keeper/succession.h"

#define COSIGNATURES "cosignatures"
#define COSIGNATURES_MAX (8u * 1024u * 1024u)

/* The keeper's directory, opened offline. */
struct us_keeper_desk {
	struct us_vault_conf conf;
	struct us_boot_keys boot;
	struct us_keeper_succession lineage;
	struct us_note_key key; /* that vault.conf names */
	struct us_klog *log;
	int unbegun; /* when the log was opened, the newest hand-over had no entry yet */
	char *detail;
};

static int __attribute__((format(printf, 3, 4)))
refuse(struct us_keeper_desk *d, int err, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	(void)vsnprintf(d->detail, US_HANDOVER_DETAIL, format, ap);
	va_end(ap);
	return err;
}

static int
open_files(struct us_keeper_desk *d, char *detail)
{
	int err;

	memset(d, 0, sizeof *d);
	d->detail = detail;
	detail[0] = '\0';
	err = us_vault_conf_read(&d->conf);
	if (err != US_OK)
		return refuse(d, err,
		    "vault.conf cannot be read: is this a directory that \"undersealed init\" "
		    "made?");
	err = us_boot_keys_read(&d->boot);
	if (err != US_OK)
		return refuse(d, err, "boot.keys cannot be read");
	if (us_note_key_parse(&d->key, d->conf.vkey, strlen(d->conf.vkey)) != US_OK ||
	    strcmp(d->key.name, d->conf.origin) != 0)
		return refuse(d, US_ERR_VERIFY, "vault.conf names no key of a log");
	return us_keeper_succession_read(&d->lineage, US_LINEAGE_FILE);
}

/* former and handovers come from lineage. */
static int
open_log(struct us_keeper_desk *d, struct us_keeper_succession *lineage, const char *origin,
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

static void
close_desk(struct us_keeper_desk *d)
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
		return refuse(d, US_ERR_VERIFY,
		    "%s is not a checkpoint that the log's key (%s) signed", what, d->key.name);
	if (c->size > us_klog_size(d->log))
		return US_OK;
	err = us_klog_root_at(d->log, c->size, &root);
	if (err == US_OK && memcmp(root.b, c->root.b, sizeof root.b) != 0)
		return refuse(d, US_ERR_VERIFY,
		    "%s contradicts this log at %llu entries: its key has signed two histories. "
		    "Keep both for the court",
		    what, (unsigned long long)c->size);
	return err;
}

/* The largest checkpoint of the old key that is known; NULL: none is larger than the log. */
static int
choose_last(struct us_keeper_desk *d, const struct us_hand_over_options *o,
    const struct us_bytes **last)
{
	struct us_checkpoint c, best = { .size = us_klog_size(d->log) };
	char what[48];
	int err;

	*last = NULL;
	for (size_t i = 0; i < o->n_notes; i++) {
		(void)snprintf(what, sizeof what, "last checkpoint %zu", i + 1);
		err = check_note(d, o->notes[i], what, &c);
		if (err != US_OK)
			return err;
		if (*last != NULL && c.size == best.size &&
		    memcmp(c.root.b, best.root.b, sizeof c.root.b) != 0)
			return refuse(d, US_ERR_VERIFY,
			    "two of the last checkpoints contradict each other at %llu entries: "
			    "the key has signed two histories. "
			    "Keep both for the court",
			    (unsigned long long)c.size);
		if (c.size > best.size) {
			best = c;
			*last = &o->notes[i];
		}
	}
	return US_OK;
}

/* Before they are put aside: witnesses cosigned this log, not another. */
static int
check_cosigned(struct us_keeper_desk *d)
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
		    refuse(d, US_ERR_FORMAT, "the file \"" COSIGNATURES "\" is damaged") :
		    check_note(d, note, "a checkpoint that witnesses have cosigned", &c);
		if (err == US_OK && c.size > us_klog_size(d->log))
			err = refuse(d, US_ERR_VERIFY,
			    "witnesses have cosigned %llu entries, and the log has %llu: entries "
			    "are missing",
			    (unsigned long long)c.size, (unsigned long long)us_klog_size(d->log));
	}
	us_buf_free(&file);
	return err;
}

/* --- the steps -------------------------------------------------------------------------------- */

static void
tell(struct us_hand_over_result *out, const struct us_handover *h)
{
	out->succession = h->succession;
	out->reason = h->reason;
	out->last_size = h->last_size;
	out->time_ns = h->time_ns;
	(void)us_note_key_format(&h->succession.new_key, out->vkey, sizeof out->vkey);
}

/* The bytes of a file that is about to be replaced, overwritten once it has been; on some disks the
 * old ones stay all the same. */
static void
overwrite(int fd)
{
	static const uint8_t zeros[65536];
	struct stat st;

	if (fstat(fd, &st) != 0 || st.st_size < 0 || (size_t)st.st_size > sizeof zeros ||
	    pwrite(fd, zeros, (size_t)st.st_size, 0) != st.st_size || fsync(fd) != 0)
		us_log(US_LOG_WARNING,
		    "the old key is replaced, but its place on the disk could not be overwritten: "
		    "%s",
		    strerror(errno));
}

static int
replace_seed(struct us_boot_keys *boot, const struct us_key *seed)
{
	int fd = open("boot.keys", O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	int err;

	if (fd < 0)
		return US_ERR_IO;
	*boot->log_seed = *seed;
	err = us_boot_keys_write(boot);
	if (err == US_OK)
		overwrite(fd);
	(void)close(fd);
	return err;
}

/* Steps 3 to 6: from files in which the new key is in boot.keys already. */
static int
finish(struct us_keeper_desk *d, struct us_hand_over_result *out,
    const struct us_keeper_succession *chain)
{
	const struct us_handover *newest = us_keeper_succession_newest(chain);
	char aside[32];
	int err = US_OK;

	tell(out, newest);
	if (access(US_LINEAGE_NEXT, F_OK) == 0)
		err = us_keeper_rename(US_LINEAGE_NEXT, US_LINEAGE_FILE);
	(void)snprintf(aside, sizeof aside, COSIGNATURES ".%zu", chain->chain->n);
	if (err == US_OK && access(COSIGNATURES, F_OK) == 0)
		err = us_keeper_rename(COSIGNATURES, aside);
	(void)snprintf(d->conf.origin, sizeof d->conf.origin, "%s",
	    newest->succession.new_key.name);
	(void)snprintf(d->conf.vkey, sizeof d->conf.vkey, "%s", out->vkey);
	if (err == US_OK)
		err = us_vault_conf_write(&d->conf);
	return err;
}

/* Step 6. */
static int
begin(struct us_keeper_desk *d, struct us_keeper_succession *chain)
{
	us_klog_close(d->log);
	d->log = NULL;
	return open_log(d, chain, d->conf.origin, d->boot.log_seed);
}

/* The chain with one more hand-over. */
static int
extend(struct us_keeper_succession *chain, const struct us_keeper_desk *d,
    struct us_bytes succession, const struct us_note_signer *signer,
    const struct us_hand_over_options *o, const struct us_bytes *last)
{
	struct us_buf text;
	int err;

	us_buf_init(&text, US_HANDOVERS_BYTES_MAX);
	err = us_buf_put(&text, d->lineage.text.data, d->lineage.text.len);
	if (err == US_OK)
		err = us_handover_sign(&text, succession, signer, o->reason, us_time_now_ns(),
		    last);
	if (err == US_OK)
		err = us_keeper_succession_of(chain, (struct us_bytes){ text.data, text.len });
	us_buf_free(&text);
	return err;
}

/* --- in place --------------------------------------------------------------------------------- */

struct us_keeper_successor {
	struct us_key *seed;
	struct us_note_signer *signer;
};

static void
free_successor(struct us_keeper_successor *s)
{
	us_note_signer_free(s->signer);
	us_key_free(s->seed);
}

static int
draw(struct us_keeper_successor *s, struct us_keeper_desk *d, const char *host)
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
	    refuse(d, US_ERR_ARG, "no origin of a log can be made of that host") :
	    err;
}

/* The old key's word for the successor, at the log as it is. */
static int
sign_succession(struct us_buf *note, struct us_keeper_desk *d, const struct us_keeper_successor *s,
    int64_t time_ns)
{
	struct us_note_signer *old_signer = NULL;
	struct us_digest root;
	uint64_t size = us_klog_size(d->log);
	int err = size == 0 ? refuse(d, US_ERR_STATE, "the log has no entry") :
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

static int
hand_over(struct us_keeper_desk *d, struct us_hand_over_result *out,
    const struct us_hand_over_options *o)
{
	struct us_keeper_succession chain = { 0 };
	struct us_keeper_successor s = { 0 };
	const struct us_bytes *last;
	struct us_buf succession;
	int err = us_keeper_succession_check(&d->lineage, &d->conf, &d->boot);

	us_buf_init(&succession, US_HANDOVER_MAX);
	if (err == US_OK)
		err = open_log(d, &d->lineage, d->conf.origin, d->boot.log_seed);
	/* cut off before its last step, which has just been done */
	if (err == US_OK && d->unbegun) {
		us_buf_free(&succession);
		out->completed = 1;
		tell(out, us_keeper_succession_newest(&d->lineage));
		return US_OK;
	}
	if (err == US_OK)
		err = check_cosigned(d);
	if (err == US_OK)
		err = choose_last(d, o, &last);
	if (err == US_OK)
		err = draw(&s, d, o->host);
	if (err == US_OK)
		err = sign_succession(&succession, d, &s, us_time_now_ns());
	if (err == US_OK)
		err = extend(&chain, d, (struct us_bytes){ succession.data, succession.len },
		    s.signer, o, last);
	if (err == US_OK)
		err = us_keeper_write(US_LINEAGE_NEXT,
		    (struct us_bytes){ chain.text.data, chain.text.len });
	if (err == US_OK)
		err = replace_seed(&d->boot, s.seed);
	if (err == US_OK)
		err = finish(d, out, &chain);
	if (err == US_OK)
		err = begin(d, &chain);
	us_keeper_succession_free(&chain);
	free_successor(&s);
	us_buf_free(&succession);
	return err;
}

/* Whether this chain's newest key is the one in boot.keys, while vault.conf still names another. */
static int
leads_to_boot_key(const struct us_keeper_succession *chain, const struct us_keeper_desk *d)
{
	const struct us_handover *newest = us_keeper_succession_newest(chain);
	struct us_note_key key;

	return newest != NULL &&
	    us_keeper_succession_key(&key, newest->succession.new_key.name, &d->boot) == US_OK &&
	    us_note_key_same(&key, &newest->succession.new_key) &&
	    us_note_key_same(&d->key, &newest->succession.old_key);
}

int
us_keeper_hand_over(struct us_hand_over_result *out, const struct us_hand_over_options *o,
    char *detail)
{
	struct us_keeper_succession next = { 0 };
	struct us_keeper_desk d;
	int err = open_files(&d, detail);

	memset(out, 0, sizeof *out);
	if (err == US_OK)
		err = us_keeper_succession_read(&next, US_LINEAGE_NEXT);
	if (err == US_OK && us_keeper_succession_newest(&next) == NULL) {
		us_keeper_succession_free(&next);
		err = us_keeper_succession_of(&next,
		    (struct us_bytes){ d.lineage.text.data, d.lineage.text.len });
	}
	if (err == US_OK && leads_to_boot_key(&next, &d)) {
		out->completed = 1;
		err = finish(&d, out, &next);
		if (err == US_OK)
			err = begin(&d, &next);
	} else if (err == US_OK) {
		err = hand_over(&d, out, o);
	}
	us_keeper_succession_free(&next);
	close_desk(&d);
	return err;
}

/* --- from a backup ---------------------------------------------------------------------------- */

/* The succession in the directory: the old key of vault.conf for the key in boot.keys, at the whole
 * of this log. */
static int
read_succession(struct us_keeper_desk *d, struct us_buf *note, struct us_succession *s)
{
	struct us_note_key key;
	int err = us_keeper_read(US_LINEAGE_SUCCESSION, US_HANDOVER_MAX, note);

	if (err != US_OK)
		return refuse(d, err,
		    "there is no \"" US_LINEAGE_SUCCESSION
		    "\": this is not a directory from a backup");
	err = us_succession_open(s, (struct us_bytes){ note->data, note->len });
	if (err == US_OK &&
	    (!us_note_key_same(&s->old_key, &d->key) ||
		us_keeper_succession_key(&key, s->new_key.name, &d->boot) != US_OK ||
		!us_note_key_same(&key, &s->new_key)))
		err = US_ERR_VERIFY;
	return err == US_OK ?
	    US_OK :
	    refuse(d, US_ERR_VERIFY,
		"the succession in the backup is not the log's word for the key that is in it");
}

/* Opens the log by nobody's word but the succession's: the old key is not here. */
static int
open_restored(struct us_keeper_desk *d, const struct us_succession *s)
{
	struct us_klog_options o = { .origin = s->new_key.name,
		.vault_id = d->conf.vault_id,
		.box_public = d->conf.box_public,
		.seed = d->boot.log_seed };
	struct us_digest root;
	int err;

	us_keeper_succession_options(&d->lineage, &o);
	d->lineage.former[o.n_former++] = (struct us_klog_former){ s->old_key, s->size };
	err = us_klog_open(&d->log, &o);
	if (err == US_OK)
		err = us_klog_root_at(d->log, s->size, &root);
	if (err == US_OK &&
	    (us_klog_size(d->log) != s->size || memcmp(root.b, s->root.b, sizeof root.b) != 0))
		err = US_ERR_VERIFY;
	return err == US_OK ?
	    US_OK :
	    refuse(d, US_ERR_VERIFY,
		"the log in the backup is not the one that was signed when it was made");
}

static int
take_over(struct us_keeper_desk *d, struct us_hand_over_result *out,
    const struct us_hand_over_options *o)
{
	struct us_note_signer *signer = NULL;
	struct us_keeper_succession chain = { 0 };
	const struct us_bytes *last;
	struct us_succession s;
	struct us_buf note;
	int err;

	us_buf_init(&note, US_HANDOVER_MAX);
	err = read_succession(d, &note, &s);
	if (err == US_OK)
		err = open_restored(d, &s);
	if (err == US_OK)
		err = check_cosigned(d);
	if (err == US_OK)
		err = choose_last(d, o, &last);
	if (err == US_OK)
		err = us_note_signer_new(&signer, s.new_key.name, US_NOTE_ED25519,
		    d->boot.log_seed);
	if (err == US_OK)
		err = extend(&chain, d, (struct us_bytes){ note.data, note.len }, signer, o, last);
	if (err == US_OK)
		err = us_keeper_write(US_LINEAGE_FILE,
		    (struct us_bytes){ chain.text.data, chain.text.len });
	if (err == US_OK)
		err = finish(d, out, &chain);
	if (err == US_OK && unlink(US_LINEAGE_SUCCESSION) != 0)
		err = US_ERR_IO;
	if (err == US_OK)
		err = begin(d, &chain);
	us_note_signer_free(signer);
	us_keeper_succession_free(&chain);
	us_buf_free(&note);
	return err;
}

int
us_keeper_take_over(struct us_hand_over_result *out, const struct us_hand_over_options *o,
    char *detail)
{
	struct us_keeper_desk d;
	int err = open_files(&d, detail);

	memset(out, 0, sizeof *out);
	if (err == US_OK)
		err = take_over(&d, out, o);
	close_desk(&d);
	return err;
}

/* --- for a backup ----------------------------------------------------------------------------- */

static int
write_backup_entry(struct us_keeper_desk *d, const struct us_keeper_successor *s, uint32_t number,
    uint64_t generation, int64_t *time_ns)
{
	struct us_entry_access a;
	const struct us_entry_in e = { .entry_class = US_CLASS_SYSTEM, .access = &a };
	uint64_t index;
	int err;

	us_entry_access_init(&a);
	a.kind = US_KIND_EVENT;
	a.action = US_ACTION_BACKUP;
	a.event = (struct us_event){ .form = US_EVENT_BACKUP,
		.backup = { number, generation, us_note_signer_key(s->signer)->id } };
	err = us_klog_append(d->log, &e, &index, time_ns);
	return err != US_OK ? err : us_klog_commit(d->log);
}

static int
encode_boot_keys(struct us_bequest *out, const struct us_keeper_desk *d)
{
	struct us_boot_keys boot = { out->seed, d->boot.tls_key, d->boot.tls_certificate };

	return us_boot_keys_encode(&boot, &out->boot_keys);
}

int
us_keeper_bequeath(struct us_bequest *out, uint32_t number, uint64_t generation, char *detail)
{
	struct us_keeper_successor s = { 0 };
	struct us_keeper_desk d;
	int64_t time_ns;
	int err = open_files(&d, detail);

	memset(out, 0, sizeof *out);
	us_buf_init(&out->boot_keys, 65536);
	us_buf_init(&out->succession, US_HANDOVER_MAX);
	if (err == US_OK)
		err = us_keeper_succession_check(&d.lineage, &d.conf, &d.boot);
	if (err == US_OK)
		err = open_log(&d, &d.lineage, d.conf.origin, d.boot.log_seed);
	if (err == US_OK)
		err = draw(&s, &d, NULL);
	if (err == US_OK)
		err = write_backup_entry(&d, &s, number, generation, &time_ns);
	if (err == US_OK)
		err = sign_succession(&out->succession, &d, &s, time_ns);
	if (err == US_OK)
		err = us_succession_open(&out->says,
		    (struct us_bytes){ out->succession.data, out->succession.len });
	out->seed = s.seed; /* transferred */
	s.seed = NULL;
	if (err == US_OK)
		err = encode_boot_keys(out, &d);
	free_successor(&s);
	close_desk(&d);
	return err;
}

void
us_bequest_free(struct us_bequest *b)
{
	us_key_free(b->seed);
	us_buf_free(&b->boot_keys);
	us_buf_free(&b->succession);
	b->seed = NULL;
}
