/* undersealed handover; and what restore shares with it. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crypto/crypto.h"
#include "base/err.h"
#include "base/json_out.h"
#include "base/log.h"
#include "base/time.h"
#include "daemon/offline/backup.h"
#include "daemon/offline/archive_internal.h"

#define NOTE_MAX 65536

static const char help[] =
    "usage: undersealed handover --data DIR --reason move|key|restore [options]\n\n"
    "Hands the log of a vault that does not run over to a new key, under a new origin. The log's "
    "key signs for its successor, and is\n"
    "then destroyed. This cannot be undone. Clients and witnesses follow, and say so.\n\n"
    "  --data DIR               the vault's directory\n"
    "  --reason move            the vault is moving to another machine: do this before you copy "
    "DIR, so that no copy has the old key\n"
    "  --reason key             the log's key may be known to somebody, or is old\n"
    "  --reason restore         DIR itself is an old copy that was put back. Give the newest "
    "checkpoints that clients, witnesses or\n"
    "                           filings have kept: what was logged behind the copy is lost, and "
    "the log has to say so\n"
    "  --host NAME              of the new origin (that of the old one)\n"
    "  --last-checkpoint FILE   a signed checkpoint of this log, as a profile's file "
    "\"checkpoint\" holds it (repeat)\n"
    "  --json                   one JSON document on stdout\n\n"
    "example: undersealed handover --data /var/lib/underseal --reason move\n";

/* ---- last checkpoints ---- */

void
us_last_add(struct us_last_checkpoints *l, const char *file)
{
	if (l->n == US_HANDOVER_NOTES_MAX)
		us_fatal("--last-checkpoint is given too often");
	l->file[l->n++] = file;
}

static void
read_note(const char *path, struct us_buf *out)
{
	FILE *f = fopen(path, "re");
	uint8_t chunk[4096];
	size_t n;

	us_buf_init(out, NOTE_MAX);
	if (f == NULL)
		us_fatal("cannot read %s: %s", path, strerror(errno));
	while ((n = fread(chunk, 1, sizeof chunk, f)) > 0)
		if (us_buf_put(out, chunk, n) != US_OK)
			us_fatal("%s is no checkpoint: it has more than %d bytes", path, NOTE_MAX);
	if (ferror(f))
		us_fatal("cannot read %s", path);
	(void)fclose(f);
}

void
us_last_read(struct us_last_checkpoints *l, struct us_hand_over_options *o)
{
	for (size_t i = 0; i < l->n; i++) {
		read_note(l->file[i], &l->text[i]);
		o->notes[i] = (struct us_bytes){ l->text[i].data, l->text[i].len };
	}
	o->n_notes = l->n;
}

void
us_last_free(struct us_last_checkpoints *l)
{
	for (size_t i = 0; i < l->n; i++)
		us_buf_free(&l->text[i]);
}

/* ---- what is shown ---- */

static void
show_json(const struct us_hand_over_result *r)
{
	char old_vkey[US_NOTE_VKEY_MAX];
	struct us_json j;
	struct us_buf b;

	us_buf_init(&b, 16384);
	us_json_begin(&j, &b);
	us_json_object(&j);
	us_json_kv_uint(&j, "entry", r->succession.size);
	us_json_kv_cstr(&j, "reason", us_handover_reason_name(r->reason));
	us_json_kv_time(&j, "time", r->time_ns);
	us_json_kv_uint(&j, "last", r->last_size);
	us_json_kv_uint(&j, "lost", r->last_size - r->succession.size);
	us_json_kv_cstr(&j, "old_vkey",
	    us_note_key_format(&r->succession.old_key, old_vkey, sizeof old_vkey) == US_OK ?
		old_vkey :
		NULL);
	us_json_kv_cstr(&j, "vkey", r->vkey);
	us_json_kv_bool(&j, "completed", r->completed);
	us_json_close(&j);
	if (us_json_end(&j) == US_OK)
		printf("%s\n", us_buf_cstr(&b));
	us_buf_free(&b);
}

void
us_handover_show(const struct us_hand_over_result *r, int json)
{
	const unsigned long long size = r->succession.size, last = r->last_size;

	if (json)
		show_json(r);
	else
		printf("the log goes on at entry %llu under a new key:\n%s\n", size, r->vkey);
	if (r->completed)
		us_log(US_LOG_NOTICE, "a hand-over that had been interrupted is now complete");
	if (last > size)
		us_log(US_LOG_WARNING,
		    "entries %llu to %llu were signed and are lost: whatever they recorded is not "
		    "in the log any more. Tell the court. Bates "
		    "numbers, copies and snapshots that were given out in them may be given out "
		    "again",
		    size, last - 1);
	else if (r->reason == US_HANDOVER_RESTORE)
		us_log(US_LOG_WARNING,
		    "no checkpoint behind entry %llu is known. Whoever has seen a later one will "
		    "refuse this log, rightly: then restore "
		    "anew with their --last-checkpoint",
		    size);
	us_log(US_LOG_NOTICE,
	    "publish the new key as the old one was. Clients and witnesses follow by themselves, "
	    "and say so");
}

/* ---- the command ---- */

struct us_offline_handover_command {
	const char *data, *reason;
	struct us_hand_over_options options;
	struct us_last_checkpoints last;
	int json;
};

static int
parse(struct us_offline_handover_command *c, int argc, char **argv)
{
	static const struct option options[] = {
		{ "data", required_argument, NULL, 'd' },
		{ "reason", required_argument, NULL, 'r' },
		{ "host", required_argument, NULL, 'h' },
		{ "last-checkpoint", required_argument, NULL, 'l' },
		{ "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, '?' },
		{ NULL, 0, NULL, 0 },
	};
	int o;

	optind = 0;
	while ((o = getopt_long(argc, argv, "", options, NULL)) != -1)
		switch (o) {
		case 'd':
			c->data = optarg;
			break;
		case 'r':
			c->reason = optarg;
			break;
		case 'h':
			c->options.host = optarg;
			break;
		case 'l':
			us_last_add(&c->last, optarg);
			break;
		case 'j':
			c->json = 1;
			break;
		default:
			return 0;
		}
	return optind == argc && c->data != NULL && c->reason != NULL;
}

int
us_handover_main(int argc, char **argv)
{
	struct us_hand_over_result result;
	struct us_offline_handover_command c = { 0 };
	char detail[US_HANDOVER_DETAIL];
	int err, home;

	us_log_init("handover", US_LOG_INFO);
	(void)umask(077);
	if (!parse(&c, argc, argv)) {
		const int asked = argc == 2 && strcmp(argv[1], "--help") == 0;

		fputs(help, asked ? stdout : stderr);
		return asked ? 0 : US_EXIT_USAGE;
	}
	if (us_handover_reason_of(&c.options.reason, c.reason, strlen(c.reason)) != US_OK) {
		fputs("--reason takes move, key or restore\n", stderr);
		return US_EXIT_USAGE;
	}
	if (us_crypto_init() != US_OK)
		us_fatal("cannot start the cryptographic library");
	us_last_read(&c.last, &c.options);
	us_offline_lock(c.data);
	home = us_offline_enter_keeper(c.data);
	err = us_keeper_hand_over(&result, &c.options, detail);
	us_offline_leave(home);
	us_last_free(&c.last);
	if (err != US_OK)
		return us_offline_failed("the log was not handed over", err, detail);
	us_handover_show(&result, c.json);
	return 0;
}
