#include "daemon/keeper/succession.h"

#include <stdlib.h>
#include <string.h>

#include "crypto/crypto.h"
#include "base/err.h"
#include "base/log.h"

int
us_keeper_succession_of(struct us_keeper_succession *l, struct us_bytes text)
{
	int err;

	us_buf_init(&l->text, US_HANDOVERS_BYTES_MAX);
	l->chain = calloc(1, sizeof *l->chain);
	err = l->chain == NULL ? US_ERR_NOMEM : us_buf_put(&l->text, text.p, text.n);
	if (err == US_OK && text.n > 0)
		err = us_handovers_open(l->chain, (struct us_bytes){ l->text.data, l->text.len });
	return err;
}

int
us_keeper_succession_read(struct us_keeper_succession *l, const char *name)
{
	struct us_buf text;
	int err;

	us_buf_init(&text, US_HANDOVERS_BYTES_MAX);
	err = us_keeper_read(name, US_HANDOVERS_BYTES_MAX, &text);
	if (err == US_OK && text.len == 0)
		err = US_ERR_FORMAT;
	if (err == US_ERR_NOT_FOUND)
		err = US_OK;
	if (err == US_OK)
		err = us_keeper_succession_of(l, (struct us_bytes){ text.data, text.len });
	else
		memset(l, 0, sizeof *l);
	us_buf_free(&text);
	if (err == US_OK || err == US_ERR_NOMEM)
		return err;
	us_log_err(err, "the file \"%s\", which says how the log was handed over, does not verify",
	    name);
	return US_ERR_VERIFY;
}

void
us_keeper_succession_free(struct us_keeper_succession *l)
{
	us_buf_free(&l->text);
	free(l->chain);
	l->chain = NULL;
}

const struct us_handover *
us_keeper_succession_newest(const struct us_keeper_succession *l)
{
	return l->chain->n == 0 ? NULL : &l->chain->item[l->chain->n - 1];
}

int
us_keeper_succession_key(struct us_note_key *out, const char *origin,
    const struct us_boot_keys *boot)
{
	uint8_t public_key[32];
	int err = us_ed25519_public(boot->log_seed, public_key);

	return err != US_OK ? err : us_note_key_init(out, origin, US_NOTE_ED25519, public_key);
}

/* A hand-over in place that was cut off after the point of no return. */
static int
interrupted(const struct us_boot_keys *boot)
{
	struct us_keeper_succession next = { 0 };
	const struct us_handover *newest;
	struct us_note_key key;
	int found = 0;

	for (size_t i = 0; i < 2 && !found; i++) {
		if (us_keeper_succession_read(&next, i == 0 ? US_LINEAGE_NEXT : US_LINEAGE_FILE) ==
			US_OK &&
		    (newest = us_keeper_succession_newest(&next)) != NULL)
			found = us_keeper_succession_key(&key, newest->succession.new_key.name,
				    boot) == US_OK &&
			    us_note_key_same(&key, &newest->succession.new_key);
		us_keeper_succession_free(&next);
	}
	return found;
}

int
us_keeper_succession_check(const struct us_keeper_succession *l, const struct us_vault_conf *conf,
    const struct us_boot_keys *boot)
{
	const struct us_handover *newest = us_keeper_succession_newest(l);
	struct us_buf succession;
	struct us_note_key key, named;
	uint64_t number;
	int from_backup;

	if (us_note_key_parse(&named, conf->vkey, strlen(conf->vkey)) != US_OK ||
	    us_keeper_succession_key(&key, conf->origin, boot) != US_OK) {
		us_log(US_LOG_ERROR, "vault.conf names no key of a log");
		return US_ERR_VERIFY;
	}
	if (us_note_key_same(&key, &named)) {
		if (newest == NULL ? us_origin_number(&number, key.name) != US_OK || number == 1 :
				     us_note_key_same(&key, &newest->succession.new_key))
			return US_OK;
		us_log(US_LOG_ERROR, "the file \"" US_LINEAGE_FILE "\" %s",
		    newest == NULL ? "is missing: without it nobody can follow this log. Every "
				     "export of it has one" :
				     "does not lead to the key that vault.conf names");
		return US_ERR_VERIFY;
	}
	us_buf_init(&succession, US_HANDOVER_MAX);
	from_backup = us_keeper_read(US_LINEAGE_SUCCESSION, US_HANDOVER_MAX, &succession) == US_OK;
	us_buf_free(&succession);
	us_log(US_LOG_ERROR, "the log's key is not the one that vault.conf names%s",
	    from_backup ? ": this directory comes from a backup. "
			  "\"undersealed restore\" makes a vault of a backup" :
		interrupted(boot) ?
			  ": a hand-over was interrupted. \"undersealed handover --data DIR\" "
			  "completes it" :
			  "");
	return US_ERR_VERIFY;
}

void
us_keeper_succession_options(struct us_keeper_succession *l, struct us_klog_options *o)
{
	for (size_t i = 0; i < l->chain->n; i++)
		l->former[i] = (struct us_klog_former){ l->chain->item[i].succession.old_key,
			l->chain->item[i].succession.size };
	o->former = l->former;
	o->n_former = l->chain->n;
	o->handovers = (struct us_bytes){ l->text.data, l->text.len };
}

/* The first entry under a key says from where it came. */
static int
write_entry(const struct us_handover *h, struct us_klog *log)
{
	struct us_entry_access a;
	const struct us_entry_in e = { .entry_class = US_CLASS_SYSTEM, .access = &a };
	uint64_t index;
	int64_t time_ns;
	int err;

	us_entry_access_init(&a);
	a.kind = US_KIND_EVENT;
	a.action = US_ACTION_HANDOVER;
	a.event = (struct us_event){ .form = US_EVENT_HANDOVER, .handover = { h->text } };
	err = us_klog_append(log, &e, &index, &time_ns);
	return err != US_OK ? err : us_klog_commit(log);
}

int
us_keeper_succession_begin(const struct us_keeper_succession *l, struct us_klog *log)
{
	const struct us_handover *newest = us_keeper_succession_newest(l);
	struct us_digest root;
	int err = US_OK;

	for (size_t i = 0; i < l->chain->n && err == US_OK; i++) {
		const struct us_succession *s = &l->chain->item[i].succession;

		err = us_klog_root_at(log, s->size, &root);
		if (err == US_OK && memcmp(root.b, s->root.b, sizeof root.b) != 0)
			err = US_ERR_VERIFY;
		if (err != US_OK)
			us_log(US_LOG_ERROR,
			    "the log is not the one that was handed over at entry %llu: the "
			    "journal was put back or exchanged",
			    (unsigned long long)s->size);
	}
	if (err != US_OK)
		return err == US_ERR_RANGE ? US_ERR_VERIFY : err;
	return newest != NULL && us_klog_size(log) == newest->succession.size ?
	    write_entry(newest, log) :
	    US_OK;
}
