/* What a backup takes along instead of the log's key (handover.h). */
#include <string.h>

#include "base/err.h"
#include "daemon/keeper/desk.h"
#include "daemon/keeper/handover.h"
#include "daemon/keeper/machine_events.h"

static int
write_backup_entry(struct us_keeper_desk *d, const struct us_keeper_successor *s, uint32_t number,
    uint64_t generation, int64_t *time_ns)
{
	struct us_entry_access a;
	const struct us_entry_in e = { .entry_class = US_CLASS_SYSTEM, .access = &a };
	/* what is written here changes nothing about how the last run ended */
	const enum us_gap end = us_run_end(us_klog_size(d->log));
	uint64_t index;
	int err;

	us_entry_access_init(&a);
	a.kind = US_KIND_EVENT;
	a.action = US_ACTION_BACKUP;
	a.event = (struct us_event){ .form = US_EVENT_BACKUP,
		.backup = { .number = number,
		    .generation = generation,
		    .successor = us_note_signer_key(s->signer)->id } };
	err = us_klog_append(d->log, &e, &index, time_ns);
	if (err == US_OK)
		err = us_klog_commit(d->log);
	if (err == US_OK && end != US_GAP_CRASHED)
		us_run_ended(us_klog_size(d->log), end);
	return err;
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
	int err = us_desk_open(&d, detail, US_HANDOVER_DETAIL);

	memset(out, 0, sizeof *out);
	us_buf_init(&out->boot_keys, 65536);
	us_buf_init(&out->succession, US_HANDOVER_MAX);
	if (err == US_OK)
		err = us_keeper_succession_check(&d.lineage, &d.conf, &d.boot);
	if (err == US_OK)
		err = us_desk_open_log(&d, &d.lineage, d.conf.origin, d.boot.log_seed);
	if (err == US_OK)
		err = us_desk_draw(&s, &d, NULL);
	if (err == US_OK)
		err = write_backup_entry(&d, &s, number, generation, &time_ns);
	if (err == US_OK)
		err = us_desk_sign_succession(&out->succession, &d, &s, time_ns);
	if (err == US_OK)
		err = us_succession_open(&out->says,
		    (struct us_bytes){ out->succession.data, out->succession.len });
	out->seed = s.seed; /* transferred */
	s.seed = NULL;
	if (err == US_OK)
		err = encode_boot_keys(out, &d);
	us_successor_free(&s);
	us_desk_close(&d);
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
