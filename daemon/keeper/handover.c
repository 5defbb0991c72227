#include "daemon/keeper/handover.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/log.h"
#include "base/time.h"
#include "daemon/keeper/desk.h"

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

/* Steps 3 to 5, of the chain's newest hand-over. */
static int
complete(struct us_keeper_desk *d, struct us_hand_over_result *out,
    const struct us_keeper_succession *chain)
{
	tell(out, us_keeper_succession_newest(chain));
	return us_desk_finish(d, chain);
}

/* --- in place --------------------------------------------------------------------------------- */

static int
hand_over(struct us_keeper_desk *d, struct us_hand_over_result *out,
    const struct us_hand_over_options *o)
{
	struct us_keeper_succession chain = { 0 };
	struct us_keeper_successor s = { 0 };
	struct us_handover_origin origin = { .reason = o->reason };
	struct us_buf succession;
	int err = us_keeper_succession_check(&d->lineage, &d->conf, &d->boot);

	us_buf_init(&succession, US_HANDOVER_MAX);
	if (err == US_OK)
		err = us_desk_open_log(d, &d->lineage, d->conf.origin, d->boot.log_seed);
	/* cut off before its last step, which has just been done */
	if (err == US_OK && d->unbegun) {
		us_buf_free(&succession);
		out->completed = 1;
		tell(out, us_keeper_succession_newest(&d->lineage));
		return US_OK;
	}
	if (err == US_OK)
		err = us_desk_check_cosigned(d);
	if (err == US_OK)
		err = us_desk_choose_last(d, o->notes, o->n_notes, &origin.last);
	if (err == US_OK)
		err = us_desk_draw(&s, d, o->host);
	if (err == US_OK)
		err = us_desk_sign_succession(&succession, d, &s, us_time_now_ns());
	if (err == US_OK)
		err = us_desk_extend(&chain, d,
		    (struct us_bytes){ succession.data, succession.len }, s.signer, &origin);
	if (err == US_OK)
		err = us_keeper_write(US_LINEAGE_NEXT,
		    (struct us_bytes){ chain.text.data, chain.text.len });
	if (err == US_OK)
		err = replace_seed(&d->boot, s.seed);
	if (err == US_OK)
		err = complete(d, out, &chain);
	if (err == US_OK)
		err = us_desk_begin(d, &chain);
	us_keeper_succession_free(&chain);
	us_successor_free(&s);
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
	int err = us_desk_open(&d, detail, US_HANDOVER_DETAIL);

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
		err = complete(&d, out, &next);
		if (err == US_OK)
			err = us_desk_begin(&d, &next);
	} else if (err == US_OK) {
		err = hand_over(&d, out, o);
	}
	us_keeper_succession_free(&next);
	us_desk_close(&d);
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
		return us_desk_refuse(d, err,
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
	    us_desk_refuse(d, US_ERR_VERIFY,
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
	    us_desk_refuse(d, US_ERR_VERIFY,
		"the log in the backup is not the one that was signed when it was made");
}

static int
take_over(struct us_keeper_desk *d, struct us_hand_over_result *out,
    const struct us_hand_over_options *o)
{
	struct us_note_signer *signer = NULL;
	struct us_keeper_succession chain = { 0 };
	struct us_handover_origin origin = { .reason = o->reason };
	struct us_succession s;
	struct us_buf note;
	int err;

	us_buf_init(&note, US_HANDOVER_MAX);
	err = read_succession(d, &note, &s);
	if (err == US_OK)
		err = open_restored(d, &s);
	if (err == US_OK)
		err = us_desk_check_cosigned(d);
	if (err == US_OK)
		err = us_desk_choose_last(d, o->notes, o->n_notes, &origin.last);
	if (err == US_OK)
		err = us_note_signer_new(&signer, s.new_key.name, US_NOTE_ED25519,
		    d->boot.log_seed);
	if (err == US_OK)
		err = us_desk_extend(&chain, d, (struct us_bytes){ note.data, note.len }, signer,
		    &origin);
	if (err == US_OK)
		err = us_keeper_write(US_LINEAGE_FILE,
		    (struct us_bytes){ chain.text.data, chain.text.len });
	if (err == US_OK)
		err = complete(d, out, &chain);
	if (err == US_OK && unlink(US_LINEAGE_SUCCESSION) != 0)
		err = US_ERR_IO;
	if (err == US_OK)
		err = us_desk_begin(d, &chain);
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
	int err = us_desk_open(&d, detail, US_HANDOVER_DETAIL);

	memset(out, 0, sizeof *out);
	if (err == US_OK)
		err = take_over(&d, out, o);
	us_desk_close(&d);
	return err;
}
