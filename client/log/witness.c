/* A witness: looks at the log from time to time, and signs that it is the one it has always
 * been. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "client/log/succession.h"
#include "client/core/commands.h"
#include "client/log/deliver.h"
#include "client/log/witness_key.h"
#include "client/log/submit.h"
#include "base/err.h"
#include "base/number.h"
#include "base/time.h"

#define SEEN_FILE "witness.checkpoint"
#define FORK_FILE "witness.fork"
#define LOCK_FILE "witness.lock"
#define EVERY_MIN_S 1
#define EVERY_MAX_S (30 * 86400)

struct us_client_witness {
	struct us_client *client;
	const char *directory;
	struct us_note_key log;
	struct us_note_signer *signer;
	char vkey[US_NOTE_VKEY_MAX];
	const char *output; /* or NULL */
	int newest, keep;
};

/* ---- the key ---- */

/* Two at a time could sign a smaller tree after a larger one. */
static int
lock(const struct us_client_witness *w)
{
	char path[4096];
	int fd = -1;

	if (snprintf(path, sizeof path, "%s/" LOCK_FILE, w->directory) < (int)sizeof path)
		fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) != 0)
		us_give_up(US_EXIT_OTHER, "cannot lock %s/" LOCK_FILE ": %s", w->directory,
		    errno == EWOULDBLOCK ? "another witness runs with this profile" :
					   strerror(errno));
	return fd;
}

static int
has_key(const struct us_client_witness *w)
{
	char path[4096];

	return snprintf(path, sizeof path, "%s/" US_WITNESS_KEY_FILE, w->directory) <
	    (int)sizeof path &&
	    access(path, F_OK) == 0;
}

/* ---- what it has seen ---- */

/* What this witness has signed, or, before its first time, what the profile remembers. size 0:
 * nothing. */
struct us_client_witness_seen {
	struct us_checkpoint checkpoint;
	struct us_buf note;
	/* that the profile has followed since; NULL: the log's key is the one that signed */
	struct us_handovers *chain;
	size_t place; /* of the key that signed, in it */
};

/* The checkpoint is by a key that the log has left. */
static int
open_former(const struct us_client_witness *w, struct us_client_witness_seen *s)
{
	struct us_buf text;
	int err;

	us_buf_init(&text, US_HANDOVERS_BYTES_MAX);
	s->chain = calloc(1, sizeof *s->chain);
	err = s->chain == NULL ? US_ERR_NOMEM :
				 us_client_succession_chain(w->directory, &text, s->chain);
	if (err == US_OK)
		err = US_ERR_NOT_FOUND;
	for (size_t i = 0; s->chain != NULL && i < s->chain->n && err == US_ERR_NOT_FOUND; i++) {
		s->place = i;
		err = us_checkpoint_open(&s->checkpoint, NULL, s->note.data, s->note.len,
		    &s->chain->item[i].succession.old_key, 1);
	}
	us_buf_free(&text);
	return err;
}

static void
read_seen(const struct us_client_witness *w, struct us_client_witness_seen *s)
{
	const char *name = SEEN_FILE;
	int err;

	memset(s, 0, sizeof *s);
	us_buf_init(&s->note, US_COSIGNED_MAX);
	err = us_profile_read(w->directory, name, US_COSIGNED_MAX, &s->note);
	if (err == US_ERR_NOT_FOUND) {
		name = "checkpoint";
		err = us_profile_read(w->directory, name, US_COSIGNED_MAX, &s->note);
	}
	if (err == US_ERR_NOT_FOUND)
		return;
	if (err == US_OK)
		err = us_checkpoint_open(&s->checkpoint, NULL, s->note.data, s->note.len, &w->log,
		    1);
	if (err == US_ERR_NOT_FOUND)
		err = open_former(w, s);
	if (err != US_OK)
		us_give_up(US_EXIT_UNVERIFIED,
		    "%s/%s is not a checkpoint of the log that this profile names: %s",
		    w->directory, name, us_strerror(err));
	s->checkpoint.extensions = (struct us_bytes){ NULL, 0 };
}

static void
free_seen(struct us_client_witness_seen *s)
{
	us_buf_free(&s->note);
	free(s->chain);
}

/* Both checkpoints, signed by the log, are the proof that it has two histories. */
static int
tell_fork(const struct us_client_witness *w, const struct us_client_witness_seen *seen,
    const struct us_checkpoint *c, const struct us_buf *new)
{
	struct us_buf both;
	int err;

	us_buf_init(&both, 2 * US_COSIGNED_MAX + 16);
	err = us_buf_put(&both, seen->note.data, seen->note.len);
	if (err == US_OK)
		err = us_buf_put_u8(&both, '\n');
	if (err == US_OK)
		err = us_buf_put(&both, new->data, new->len);
	if (err == US_OK)
		err = us_profile_write(w->directory, FORK_FILE, both.data, both.len);
	us_buf_free(&both);
	us_say("the log does not go on from what this witness has seen: it was %llu entries and is "
	       "now %llu that do not follow "
	       "from them. Not cosigned. %s %s/" FORK_FILE,
	    (unsigned long long)seen->checkpoint.size, (unsigned long long)c->size,
	    err == US_OK ? "Both checkpoints, signed by the log, are in" : "Cannot write",
	    w->directory);
	return US_EXIT_UNVERIFIED;
}

/* The log was handed over since this witness signed last: what a profile asks of a hand-over, this
 * witness asks for itself, and keeps what it signed under the old key. */
static int
check_handed_over(const struct us_client_witness *w, const struct us_client_witness_seen *seen,
    const struct us_checkpoint *c, int *status)
{
	const struct us_client_succession_memory memory = { .whose = "this witness",
		.file = SEEN_FILE,
		.seen = seen->checkpoint,
		.place = seen->place };
	struct us_log_fetcher log = { .client = w->client,
		.http = us_http_new(&w->client->profile) };
	char name[64];
	uint64_t number = 1;
	int err = log.http == NULL ? US_ERR_NOMEM :
				     us_client_succession_check(&log, seen->chain, &memory, c);

	us_http_free(log.http);
	(void)us_origin_number(&number, seen->chain->item[seen->place].succession.old_key.name);
	(void)snprintf(name, sizeof name, SEEN_FILE ".%llu", (unsigned long long)number);
	if (err == US_OK)
		err = us_profile_write(w->directory, name, seen->note.data, seen->note.len);
	if (err != US_OK && err != US_ERR_VERIFY) {
		us_say("cannot check the hand-over: %s", us_strerror(err));
		*status = err == US_ERR_SIGNATURE || err == US_ERR_FORMAT ? US_EXIT_UNVERIFIED :
									    US_EXIT_OTHER;
	}
	return err;
}

/* Whether c may be signed: it goes on from what was seen. */
static int
check_next(const struct us_client_witness *w, const struct us_checkpoint *c,
    const struct us_buf *note)
{
	struct us_log_fetcher log = { .client = w->client };
	int status = US_EXIT_DONE, err = US_OK;
	struct us_client_witness_seen seen;

	read_seen(w, &seen);
	if (seen.chain != NULL)
		err = check_handed_over(w, &seen, c, &status);
	else if (c->size < seen.checkpoint.size)
		err = US_ERR_VERIFY;
	else {
		err = us_log_prove(&log, &seen.checkpoint, c);
		status = err == US_ERR_CLOSED ? US_EXIT_OTHER : log.status; /* has been said */
	}
	if (err == US_ERR_VERIFY)
		status = tell_fork(w, &seen, c, note);
	else if (err != US_OK && status == US_EXIT_DONE) {
		us_say("the log gives no proof that it goes on from the %llu entries that this "
		       "witness has seen: %s",
		    (unsigned long long)seen.checkpoint.size, us_strerror(err));
		status = err == US_ERR_NOT_FOUND || err == US_ERR_FORMAT ? US_EXIT_UNVERIFIED :
									   US_EXIT_OTHER;
	}
	free_seen(&seen);
	return status;
}

/* ---- one look ---- */

/* Another key signed it: the one that the log was handed over to, or none to follow. */
static int
follow(struct us_client_witness *w, const struct us_buf *note, struct us_checkpoint *c, int *status)
{
	int err = us_client_succession_follow(w->client,
	    (struct us_bytes){ note->data, note->len });

	if (err == US_OK)
		err = us_note_key_parse(&w->log, w->client->profile.vkey,
		    strlen(w->client->profile.vkey));
	if (err == US_OK)
		err = us_checkpoint_open(c, NULL, note->data, note->len, &w->log, 1);
	if (err != US_OK)
		*status = err == US_ERR_CLOSED || err == US_ERR_INCOMPLETE || err == US_ERR_IO ?
		    US_EXIT_OTHER :
		    US_EXIT_UNVERIFIED;
	return err;
}

static int
fetch(struct us_client_witness *w, const char *path, struct us_buf *note, struct us_checkpoint *c,
    int *status)
{
	struct us_log_fetcher log = { .client = w->client };
	int err;

	us_buf_reset(note);
	err = us_log_get(&log, path, note);
	*status = log.status;
	if (err != US_OK)
		return err;
	err = us_checkpoint_open(c, NULL, note->data, note->len, &w->log, 1);
	if (err == US_ERR_NOT_FOUND)
		err = follow(w, note, c, status);
	c->extensions = (struct us_bytes){ NULL, 0 };
	if (err == US_OK)
		return US_OK;
	us_say("the log's checkpoint is not signed by its key: %s. Not cosigned", us_strerror(err));
	if (*status == US_EXIT_DONE)
		*status = US_EXIT_UNVERIFIED;
	return US_ERR_VERIFY;
}

/* k of n must sign the same checkpoint: one that others have cosigned and this witness has not is
 * taken up, as long as it is larger than what this witness has seen. Else the newest. */
static int
choose(struct us_client_witness *w, struct us_buf *note, struct us_checkpoint *c)
{
	int status = US_EXIT_DONE, err = US_ERR_NOT_FOUND;
	struct us_client_witness_seen seen;

	read_seen(w, &seen);
	free_seen(&seen);
	if (!w->newest)
		err = fetch(w, "checkpoint.witnessed", note, c, &status);
	if (err == US_ERR_NOT_FOUND || (err == US_OK && c->size <= seen.checkpoint.size)) {
		status = US_EXIT_DONE;
		err = fetch(w, "checkpoint", note, c, &status);
	}
	return err == US_OK ? US_EXIT_DONE : status == US_EXIT_DONE ? US_EXIT_OTHER : status;
}

static void
show(const struct us_client_witness *w, const struct us_checkpoint *c, uint64_t time_s,
    unsigned count)
{
	char time_text[US_TIME_TEXT_SIZE];
	cJSON *document;

	(void)us_time_format((int64_t)time_s * US_NS_PER_SECOND, time_text);
	if (!w->client->json) {
		if (w->output == NULL || strcmp(w->output, "-") != 0)
			us_print("cosigned %llu entries at %s as %s\n", (unsigned long long)c->size,
			    time_text, us_note_signer_key(w->signer)->name);
		(void)fflush(stdout);
		return;
	}
	document = cJSON_CreateObject();
	(void)cJSON_AddNumberToObject(document, "size", (double)c->size);
	(void)cJSON_AddStringToObject(document, "time", time_text);
	(void)cJSON_AddStringToObject(document, "witness", w->vkey);
	(void)cJSON_AddBoolToObject(document, "delivered", !w->keep);
	(void)cJSON_AddNumberToObject(document, "cosignatures", count);
	us_print_json(stdout, document);
	(void)fflush(stdout);
	cJSON_Delete(document);
}

/* What was seen is on disk before anybody can have the signature. */
static int
sign(const struct us_client_witness *w, const struct us_buf *note, uint64_t time_s,
    struct us_buf *cosigned)
{
	const struct us_bytes none = { NULL, 0 }, whole = { note->data, note->len };
	const struct us_note_key *key = us_note_signer_key(w->signer);
	struct us_bytes text, sigs;
	struct us_buf bare, line;
	int err;

	us_buf_init(&bare, US_COSIGNED_MAX);
	us_buf_init(&line, 4096);
	err = us_cosigned_merge(&bare, NULL, &w->log, NULL, 0, whole, none);
	if (err == US_OK)
		err = us_profile_write(w->directory, SEEN_FILE, bare.data, bare.len);
	if (err == US_OK)
		err = us_note_split(&text, &sigs, bare.data, bare.len);
	if (err == US_OK)
		err = us_cosignature_sign(&line, w->signer, text, time_s);
	if (err == US_OK)
		err = us_cosigned_merge(cosigned, NULL, &w->log, key, 1,
		    (struct us_bytes){ bare.data, bare.len },
		    (struct us_bytes){ line.data, line.len });
	us_buf_free(&bare);
	us_buf_free(&line);
	return err;
}

static int
look(struct us_client_witness *w)
{
	const uint64_t time_s = (uint64_t)(us_time_now_ns() / US_NS_PER_SECOND);
	struct us_buf note, cosigned;
	struct us_checkpoint c;
	unsigned count = 0;
	int status, err;

	us_buf_init(&note, US_COSIGNED_MAX);
	us_buf_init(&cosigned, US_COSIGNED_MAX);
	status = choose(w, &note, &c);
	if (status == US_EXIT_DONE)
		status = check_next(w, &c, &note);
	if (status == US_EXIT_DONE) {
		err = sign(w, &note, time_s, &cosigned);
		if (err == US_OK && w->output != NULL)
			err = us_cosigned_write(w->output, &cosigned);
		if (err != US_OK) {
			us_say("cannot cosign: %s", us_strerror(err));
			status = US_EXIT_OTHER;
		}
	}
	if (status == US_EXIT_DONE && !w->keep)
		status = us_log_deliver(w->client, (struct us_bytes){ cosigned.data, cosigned.len },
		    &count);
	if (status == US_EXIT_DONE)
		show(w, &c, time_s, count);
	else if (status == US_EXIT_REFUSED && count == 0)
		us_say("if the vault does not know this witness: its setting \"witnesses\" takes "
		       "%s",
		    w->vkey);
	us_buf_free(&note);
	us_buf_free(&cosigned);
	return status;
}

/* ---- the command ---- */

/* "90", "90s", "10m", "1h", "1d" */
static int64_t
parse_every(const char *text)
{
	static const char units[] = "smhd";
	static const int64_t seconds[] = { 1, 60, 3600, 86400 };
	const size_t digits = us_number_span(text, strlen(text));
	const char *end = text + digits, *unit = *end == '\0' ? units : strchr(units, *end);
	uint64_t n;

	if (us_number_digits(text, digits, EVERY_MAX_S, &n) != US_OK || unit == NULL ||
	    (*end != '\0' && end[1] != '\0') || (int64_t)n * seconds[unit - units] < EVERY_MIN_S ||
	    (int64_t)n * seconds[unit - units] > EVERY_MAX_S)
		us_usage_error("--every takes a time such as 10m or 1h, of at most 30 days");
	return (int64_t)n * seconds[unit - units];
}

static int
run_witness(struct us_client *client, const struct us_args *args)
{
	const int only_vkey = us_flag(args, "vkey");
	struct us_client_witness w = { .client = client,
		.output = us_arg(args, "output"),
		.newest = us_flag(args, "newest"),
		.keep = us_flag(args, "no-deliver") };
	int64_t every = us_arg(args, "every") == NULL ? 0 : parse_every(us_arg(args, "every"));
	int fd, status;

	if (only_vkey) {
		if (client->profile_directory == NULL)
			us_usage_error(
			    "which profile? Give --profile DIR or set UNDERSEAL_PROFILE");
		us_profile_open_public(&client->profile, client->profile_directory);
	} else {
		(void)us_client_profile(client);
	}
	w.directory = client->profile.directory;
	if (us_note_key_parse(&w.log, client->profile.vkey, strlen(client->profile.vkey)) != US_OK)
		us_give_up(US_EXIT_OTHER, "%s/profile.conf: vkey is not a log's key", w.directory);
	/* a key is made under the lock; to print one that is there, the witness need not rest */
	fd = only_vkey && has_key(&w) ? -1 : lock(&w);
	w.signer = us_witness_key(&client->profile, us_arg(args, "name"));
	if (us_note_key_format(us_note_signer_key(w.signer), w.vkey, sizeof w.vkey) != US_OK)
		us_give_up(US_EXIT_OTHER, "cannot write the witness's key");
	if (only_vkey) {
		us_print("%s\n", w.vkey);
		us_note_signer_free(w.signer);
		if (fd >= 0)
			(void)close(fd);
		return US_EXIT_DONE;
	}
	/* Two histories are not something to look at again in ten minutes. */
	while ((status = look(&w)) != US_EXIT_UNVERIFIED && every > 0) {
		struct timespec pause = { .tv_sec = (time_t)every };

		while (nanosleep(&pause, &pause) != 0 && errno == EINTR)
			;
	}
	us_note_signer_free(w.signer);
	(void)close(fd);
	return status;
}

static const struct us_option witness_options[] = {
	{ "vkey", NULL,
	    "print this witness's verifier key, for the vault's settings and for policies, and do "
	    "nothing else" },
	{ "name", "NAME", "the name of a key that is made now; a URL without its scheme is usual" },
	{ "every", "TIME", "do it again and again: 10m, 1h" },
	{ "newest", NULL,
	    "the newest checkpoint, even if others have cosigned one that this witness has not" },
	{ "output", "FILE", "also write the cosigned checkpoint here (-o; - for stdout)" },
	{ "no-deliver", NULL, "do not give it to the log" },
};

const struct us_command us_commands_witness[] = {
	{ "audit witness", "[--vkey | --every TIME] [--name NAME] [-o FILE] ...",
	    "checks that the log goes on from what was seen last, and cosigns its checkpoint",
	    "underseal audit witness --every 10m", witness_options, 6, 0, 0, run_witness },
	{ "audit submit", "--policy FILE [--ca FILE] [-o FILE]",
	    "carries the newest checkpoint to witnesses, and brings back what they sign",
	    "underseal audit submit --policy witnesses.policy", us_submit_options,
	    US_SUBMIT_OPTIONS, 0, 0, us_submit_run },
	{ 0 },
};
