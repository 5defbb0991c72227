/* A witness: looks at the log from time to time, and signs that it is the one it has always been. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "client/witness.h"
#include "common/base64.h"
#include "common/crypto.h"
#include "common/err.h"
#include "common/timefmt.h"

#define KEY_FILE "witness.key"
#define SEEN_FILE "witness.checkpoint"
#define FORK_FILE "witness.fork"
#define LOCK_FILE "witness.lock"
#define KEY_PREFIX "PRIVATE+KEY+"
#define KEY_TEXT_MAX 1024
#define EVERY_MIN_S 1
#define EVERY_MAX_S (30 * 86400)

struct witness {
	struct us_client *client;
	const char *directory;
	struct us_note_key log;
	struct us_note_signer *signer;
	char vkey[US_NOTE_VKEY_MAX];
	const char *output; /* or NULL */
	int newest, keep;
};

/* ---- the key ---- */

/* One line: PRIVATE+KEY+name+id+base64(type || seed), as other programs for signed notes have it. */
static int
write_key(const char *directory, const struct us_note_key *key, const struct us_key *seed)
{
	uint8_t raw[33] = { US_NOTE_COSIGNATURE };
	struct us_buf text;
	int err;

	memcpy(raw + 1, seed->b, 32);
	us_buf_init(&text, KEY_TEXT_MAX);
	err = us_buf_putf(&text, KEY_PREFIX "%s+%08x+", key->name, (unsigned)key->id);
	if (err == US_OK)
		err = us_base64_put(&text, raw, sizeof raw);
	if (err == US_OK)
		err = us_buf_put_u8(&text, '\n');
	if (err == US_OK)
		err = us_profile_write(directory, KEY_FILE, text.data, text.len);
	us_wipe(raw, sizeof raw);
	us_buf_free(&text);
	return err;
}

static void
make_key(struct witness *w, const struct us_profile *profile, const char *name)
{
	char own_name[64];
	struct us_key *seed;
	int err = us_key_new(&seed);

	if (err == US_OK)
		err = us_key_random(seed);
	if (name == NULL) {
		(void)snprintf(own_name, sizeof own_name, "witness/");
		us_hex_encode(profile->credential, 8, own_name + strlen(own_name));
		name = own_name;
	}
	if (err == US_OK)
		err = us_note_signer_new(&w->signer, name, US_NOTE_COSIGNATURE, seed);
	if (err == US_ERR_FORMAT || err == US_ERR_LIMIT)
		us_usage_error("--name takes a name without blanks and '+'");
	if (err == US_OK)
		err = write_key(w->directory, us_note_signer_key(w->signer), seed);
	us_key_free(seed);
	if (err != US_OK)
		us_give_up(US_EXIT_OTHER, "cannot make %s/" KEY_FILE ": %s", w->directory, us_strerror(err));
}

static int
parse_key(struct witness *w, const struct us_buf *text)
{
	const size_t skip = sizeof KEY_PREFIX - 1;
	const char *at = (const char *)text->data + skip, *plus;
	char name[US_NOTE_NAME_MAX + 1], id[9];
	uint8_t raw[33];
	struct us_key *seed;
	size_t n, got;
	int err;

	if (text->len <= skip + 1 || memcmp(text->data, KEY_PREFIX, skip) != 0 || text->data[text->len - 1] != '\n')
		return US_ERR_FORMAT;
	n = text->len - skip - 1;
	plus = memchr(at, '+', n);
	if (plus == NULL || (size_t)(plus - at) > US_NOTE_NAME_MAX || n - (size_t)(plus - at) != 1 + 8 + 1 + US_BASE64_SIZE(33) ||
	    plus[9] != '+')
		return US_ERR_FORMAT;
	(void)snprintf(name, sizeof name, "%.*s", (int)(plus - at), at);
	err = us_base64_decode(plus + 10, US_BASE64_SIZE(33), raw, sizeof raw, &got);
	if (err == US_OK && (got != sizeof raw || raw[0] != US_NOTE_COSIGNATURE))
		err = US_ERR_FORMAT;
	if (err == US_OK)
		err = us_key_new(&seed);
	if (err == US_OK)
		memcpy(seed->b, raw + 1, 32);
	us_wipe(raw, sizeof raw);
	if (err != US_OK)
		return err;
	err = us_note_signer_new(&w->signer, name, US_NOTE_COSIGNATURE, seed);
	us_key_free(seed);
	if (err == US_OK) {
		(void)snprintf(id, sizeof id, "%08x", (unsigned)us_note_signer_key(w->signer)->id);
		if (memcmp(id, plus + 1, 8) != 0)
			err = US_ERR_FORMAT;
	}
	return err;
}

/* Made on first use: who witnesses has said so by asking for it. */
static void
open_key(struct witness *w, const struct us_profile *profile, const char *name)
{
	struct us_buf text;
	int err;

	us_buf_init(&text, KEY_TEXT_MAX);
	err = us_profile_read(w->directory, KEY_FILE, KEY_TEXT_MAX, &text);
	if (err == US_ERR_NOT_FOUND)
		make_key(w, profile, name);
	else if (err == US_OK)
		err = parse_key(w, &text);
	us_buf_free(&text);
	if (err != US_OK && err != US_ERR_NOT_FOUND)
		us_give_up(US_EXIT_OTHER, "%s/" KEY_FILE " is not a witness's key: %s", w->directory, us_strerror(err));
	if (name != NULL && strcmp(us_note_signer_key(w->signer)->name, name) != 0)
		us_usage_error("this witness is named %s already", us_note_signer_key(w->signer)->name);
	if (us_note_key_format(us_note_signer_key(w->signer), w->vkey, sizeof w->vkey) != US_OK)
		us_give_up(US_EXIT_OTHER, "cannot write the witness's key");
}

/* Two at a time could sign a smaller tree after a larger one. */
static int
lock(const struct witness *w)
{
	char path[4096];
	int fd = -1;

	if (snprintf(path, sizeof path, "%s/" LOCK_FILE, w->directory) < (int)sizeof path)
		fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) != 0)
		us_give_up(US_EXIT_OTHER, "cannot lock %s/" LOCK_FILE ": %s", w->directory,
		    errno == EWOULDBLOCK ? "another witness runs with this profile" : strerror(errno));
	return fd;
}

static int
has_key(const struct witness *w)
{
	char path[4096];

	return snprintf(path, sizeof path, "%s/" KEY_FILE, w->directory) < (int)sizeof path && access(path, F_OK) == 0;
}

/* ---- what it has seen ---- */

/* What this witness has signed, or, before its first time, what the profile remembers. size 0: nothing. */
static void
read_seen(const struct witness *w, struct us_checkpoint *c, struct us_buf *note)
{
	const char *name = SEEN_FILE;
	int err = us_profile_read(w->directory, name, US_COSIGNED_MAX, note);

	memset(c, 0, sizeof *c);
	if (err == US_ERR_NOT_FOUND) {
		name = "checkpoint";
		err = us_profile_read(w->directory, name, US_COSIGNED_MAX, note);
	}
	if (err == US_ERR_NOT_FOUND)
		return;
	if (err == US_OK)
		err = us_checkpoint_open(c, NULL, note->data, note->len, &w->log, 1);
	if (err != US_OK)
		us_give_up(US_EXIT_UNVERIFIED, "%s/%s is not a checkpoint of the log that this profile names: %s", w->directory, name,
		    us_strerror(err));
	c->extensions = (struct us_bytes){ NULL, 0 };
}

/* Both checkpoints, signed by the log, are the proof that it has two histories. */
static int
tell_fork(const struct witness *w, const struct us_checkpoint *seen, const struct us_buf *old, const struct us_checkpoint *c,
    const struct us_buf *new)
{
	struct us_buf both;
	int err;

	us_buf_init(&both, 2 * US_COSIGNED_MAX + 16);
	err = us_buf_put(&both, old->data, old->len);
	if (err == US_OK)
		err = us_buf_put_u8(&both, '\n');
	if (err == US_OK)
		err = us_buf_put(&both, new->data, new->len);
	if (err == US_OK)
		err = us_profile_write(w->directory, FORK_FILE, both.data, both.len);
	us_buf_free(&both);
	us_say("the log does not go on from what this witness has seen: it was %llu entries and is now %llu that do not follow "
	    "from them. Not cosigned. %s %s/" FORK_FILE, (unsigned long long)seen->size, (unsigned long long)c->size,
	    err == US_OK ? "Both checkpoints, signed by the log, are in" : "Cannot write", w->directory);
	return US_EXIT_UNVERIFIED;
}

/* Whether c may be signed: it goes on from what was seen. */
static int
check_next(const struct witness *w, const struct us_checkpoint *c, const struct us_buf *note)
{
	struct us_checkpoint seen;
	struct us_buf old;
	int status = US_EXIT_DONE, err = US_OK;

	us_buf_init(&old, US_COSIGNED_MAX);
	read_seen(w, &seen, &old);
	if (c->size < seen.size)
		err = US_ERR_VERIFY;
	else if (seen.size > 0)
		err = us_log_consistent(w->client, &seen, c, NULL, &status);
	if (err == US_ERR_VERIFY)
		status = tell_fork(w, &seen, &old, c, note);
	else if (err != US_OK && status == US_EXIT_DONE) {
		us_say("the log gives no proof that it goes on from the %llu entries that this witness has seen: %s",
		    (unsigned long long)seen.size, us_strerror(err));
		status = err == US_ERR_NOT_FOUND || err == US_ERR_FORMAT ? US_EXIT_UNVERIFIED : US_EXIT_OTHER;
	}
	us_buf_free(&old);
	return status;
}

/* ---- one look ---- */

static int
fetch(const struct witness *w, const char *path, struct us_buf *note, struct us_checkpoint *c, int *status)
{
	int err;

	us_buf_reset(note);
	err = us_log_file(w->client, path, note, status);
	if (err != US_OK)
		return err;
	err = us_checkpoint_open(c, NULL, note->data, note->len, &w->log, 1);
	c->extensions = (struct us_bytes){ NULL, 0 };
	if (err == US_OK)
		return US_OK;
	us_say("the log's checkpoint is not signed by its key: %s. Not cosigned", us_strerror(err));
	*status = US_EXIT_UNVERIFIED;
	return US_ERR_VERIFY;
}

/* k of n must sign the same checkpoint: one that others have cosigned and this witness has not is taken up, as long
 * as it is larger than what this witness has seen. Else the newest. */
static int
choose(const struct witness *w, struct us_buf *note, struct us_checkpoint *c)
{
	struct us_checkpoint seen;
	struct us_buf old;
	int status = US_EXIT_DONE, err = US_ERR_NOT_FOUND;

	us_buf_init(&old, US_COSIGNED_MAX);
	read_seen(w, &seen, &old);
	us_buf_free(&old);
	if (!w->newest)
		err = fetch(w, "checkpoint.witnessed", note, c, &status);
	if (err == US_ERR_NOT_FOUND || (err == US_OK && c->size <= seen.size)) {
		status = US_EXIT_DONE;
		err = fetch(w, "checkpoint", note, c, &status);
	}
	return err == US_OK ? US_EXIT_DONE : status == US_EXIT_DONE ? US_EXIT_OTHER : status;
}

static void
show(const struct witness *w, const struct us_checkpoint *c, uint64_t time_s, unsigned count)
{
	char time_text[US_TIME_TEXT_SIZE];
	cJSON *document;
	char *text;

	(void)us_time_format((int64_t)time_s * US_NS_PER_SECOND, time_text);
	if (!w->client->json) {
		if (w->output == NULL || strcmp(w->output, "-") != 0)
			printf("cosigned %llu entries at %s as %s\n", (unsigned long long)c->size, time_text,
			    us_note_signer_key(w->signer)->name);
		(void)fflush(stdout);
		return;
	}
	document = cJSON_CreateObject();
	(void)cJSON_AddNumberToObject(document, "size", (double)c->size);
	(void)cJSON_AddStringToObject(document, "time", time_text);
	(void)cJSON_AddStringToObject(document, "witness", w->vkey);
	(void)cJSON_AddBoolToObject(document, "delivered", !w->keep);
	(void)cJSON_AddNumberToObject(document, "cosignatures", count);
	text = cJSON_PrintUnformatted(document);
	puts(text == NULL ? "{}" : text);
	(void)fflush(stdout);
	cJSON_free(text);
	cJSON_Delete(document);
}

/* What was seen is on disk before anybody can have the signature. */
static int
sign(const struct witness *w, const struct us_buf *note, uint64_t time_s, struct us_buf *cosigned)
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
		err = us_cosigned_merge(cosigned, NULL, &w->log, key, 1, (struct us_bytes){ bare.data, bare.len },
		    (struct us_bytes){ line.data, line.len });
	us_buf_free(&bare);
	us_buf_free(&line);
	return err;
}

static int
look(const struct witness *w)
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
		status = us_log_deliver(w->client, (struct us_bytes){ cosigned.data, cosigned.len }, &count);
	if (status == US_EXIT_DONE)
		show(w, &c, time_s, count);
	else if (status == US_EXIT_REFUSED && count == 0)
		us_say("if the vault does not know this witness: its setting \"witnesses\" takes %s", w->vkey);
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
	const char *unit;
	char *end;
	long n;

	errno = 0;
	n = strtol(text, &end, 10);
	unit = *end == '\0' ? units : strchr(units, *end);
	if (errno != 0 || end == text || n < 1 || n > EVERY_MAX_S || unit == NULL || (*end != '\0' && end[1] != '\0') ||
	    n * seconds[unit - units] < EVERY_MIN_S || n * seconds[unit - units] > EVERY_MAX_S)
		us_usage_error("--every takes a time such as 10m or 1h, of at most 30 days");
	return n * seconds[unit - units];
}

static int
run_witness(struct us_client *client, const struct us_args *args)
{
	const int only_vkey = us_flag(args, "vkey");
	struct witness w = { .client = client, .output = us_arg(args, "output"), .newest = us_flag(args, "newest"),
		.keep = us_flag(args, "no-deliver") };
	int64_t every = us_arg(args, "every") == NULL ? 0 : parse_every(us_arg(args, "every"));
	int fd, status;

	if (only_vkey) {
		if (client->profile_directory == NULL)
			us_usage_error("which profile? Give --profile DIR or set UNDERSEAL_PROFILE");
		us_profile_open_public(&client->profile, client->profile_directory);
	} else {
		(void)us_client_profile(client);
	}
	w.directory = client->profile.directory;
	if (us_note_key_parse(&w.log, client->profile.vkey, strlen(client->profile.vkey)) != US_OK)
		us_give_up(US_EXIT_OTHER, "%s/profile.conf: vkey is not a log's key", w.directory);
	/* a key is made under the lock; to print one that is there, the witness need not rest */
	fd = only_vkey && has_key(&w) ? -1 : lock(&w);
	open_key(&w, &client->profile, us_arg(args, "name"));
	if (only_vkey) {
		puts(w.vkey);
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
	{ "vkey", NULL, "print this witness's verifier key, for the vault's settings and for policies, and do nothing else" },
	{ "name", "NAME", "the name of a key that is made now; a URL without its scheme is usual" },
	{ "every", "TIME", "do it again and again: 10m, 1h" },
	{ "newest", NULL, "the newest checkpoint, even if others have cosigned one that this witness has not" },
	{ "output", "FILE", "also write the cosigned checkpoint here (-o; - for stdout)" },
	{ "no-deliver", NULL, "do not give it to the log" },
};

const struct us_command us_commands_witness[] = {
	{ "audit witness", "[--vkey | --every TIME] [--name NAME] [-o FILE] ...",
	    "checks that the log goes on from what was seen last, and cosigns its checkpoint",
	    "underseal audit witness --every 10m", witness_options, 6, 0, 0, run_witness },
	{ "audit submit", "--policy FILE [--ca FILE] [-o FILE]",
	    "carries the newest checkpoint to witnesses, and brings back what they sign",
	    "underseal audit submit --policy witnesses.policy", us_submit_options, US_SUBMIT_OPTIONS, 0, 0, us_submit_run },
	{ 0 },
};
