/* Goal: a log is handed over whole or not at all, whenever the process dies; the old key is gone; a
 * backup's directory goes on under its successor, and under nothing else. */
#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/base64.h"
#include "crypto/crypto.h"
#include "base/err.h"
#include "base/log.h"
#include "daemon/keeper/handover.h"
#include "daemon/keeper/succession.h"
#include "rig.h"

#define SEND(fd, name, m) rig_send(fd, US_MSG_##name, (us_encode_fn)us_msg_##name##_encode, m)
#define CUT 99

/* The process dies at the n-th renaming (1 before, 2 behind it), which is how each file of the
 * keeper comes to be. */
static int cut_at, cut_how;
int __real_rename(const char *from, const char *to);
int __wrap_rename(const char *from, const char *to);

int
__wrap_rename(const char *from, const char *to)
{
	int r;

	if (cut_at > 0 && --cut_at == 0 && cut_how == 1)
		_exit(CUT);
	r = __real_rename(from, to);
	if (cut_at == 0 && cut_how == 2)
		_exit(CUT);
	return r;
}

/* ---- help ---- */

static int
fetch(struct rig *r, const char *path, struct us_buf *out)
{
	struct us_msg_log_read m = { .path = us_bytes_of(path) };
	struct us_msg_log_data reply;

	us_buf_reset(out);
	SEND(r->vault, log_read, &m);
	assert_true(rig_read(r, r->vault, US_MSG_log_data));
	assert_int_equal(us_msg_log_data_decode(&reply, r->body.data, r->body.len), US_OK);
	assert_int_equal(us_buf_put(out, reply.data.p, reply.data.n), US_OK);
	return reply.err;
}

static int
hand_over(const char *dir, const struct us_hand_over_options *o, struct us_hand_over_result *r)
{
	char detail[US_HANDOVER_DETAIL], here[4096];
	int err;

	assert_non_null(getcwd(here, sizeof here));
	assert_int_equal(chdir(dir), 0);
	err = us_keeper_hand_over(r, o, detail);
	assert_int_equal(chdir(here), 0);
	return err;
}

static int
take_over(const char *dir, const struct us_hand_over_options *o, struct us_hand_over_result *r)
{
	char detail[US_HANDOVER_DETAIL], here[4096];
	int err;

	assert_non_null(getcwd(here, sizeof here));
	assert_int_equal(chdir(dir), 0);
	err = us_keeper_take_over(r, o, detail);
	assert_int_equal(chdir(here), 0);
	return err;
}

static void
read_at(const char *dir, const char *name, struct us_buf *out)
{
	char path[4096];
	uint8_t *to;
	FILE *f;

	(void)snprintf(path, sizeof path, "%s/%s", dir, name);
	f = fopen(path, "rb");
	assert_non_null(f);
	us_buf_reset(out);
	assert_int_equal(us_buf_reserve(out, 65536, &to), US_OK);
	out->len = fread(to, 1, 65536, f);
	(void)fclose(f);
}

static void
write_at(const char *dir, const char *name, struct us_bytes b)
{
	char path[4096];
	FILE *f;

	(void)snprintf(path, sizeof path, "%s/%s", dir, name);
	f = fopen(path, "wb");
	assert_non_null(f);
	assert_int_equal(fwrite(b.p, 1, b.n, f), b.n);
	assert_int_equal(fclose(f), 0);
}

static void
shell(const char *format, ...)
{
	char command[4096];
	va_list ap;

	va_start(ap, format);
	(void)vsnprintf(command, sizeof command, format, ap);
	va_end(ap);
	assert_int_equal(system(command), 0);
}

static void
seed_of(const char *dir, struct us_key *seed)
{
	struct us_buf b;

	us_buf_init(&b, 1u << 20);
	read_at(dir, "boot.keys", &b);
	memcpy(seed->b, b.data + 4, 32);
	us_buf_free(&b);
}

static struct us_key looked_for;
static int seen_in;

static int
look_into(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	uint8_t *bytes;
	FILE *f;

	(void)ftw;
	if (type != FTW_F || st->st_size == 0)
		return 0;
	bytes = malloc((size_t)st->st_size);
	f = fopen(path, "rb");
	assert_true(bytes != NULL && f != NULL);
	assert_int_equal(fread(bytes, 1, (size_t)st->st_size, f), st->st_size);
	seen_in += memmem(bytes, (size_t)st->st_size, looked_for.b, 32) != NULL;
	(void)fclose(f);
	free(bytes);
	return 0;
}

/* In how many files under dir these 32 bytes stand. */
static int
count_files_with(const char *dir, const struct us_key *seed)
{
	looked_for = *seed;
	seen_in = 0;
	assert_int_equal(nftw(dir, look_into, 16, FTW_PHYS), 0);
	return seen_in;
}

/* Whether a keeper starts on the directory; it is ended again. vkey: what it serves, may be
 * NULL. */
static int
starts(struct rig *r, char *vkey)
{
	struct us_buf b;
	int status;

	us_buf_init(&b, 65536);
	rig_start(r, "");
	if (waitpid(r->pid, &status, WNOHANG) == r->pid) {
		r->pid = 0;
		us_buf_free(&b);
		return 0;
	}
	{
		struct us_msg_log_read m = { .path = us_bytes_of("vkey") };
		struct us_msg_log_data reply;

		SEND(r->vault, log_read, &m);
		if (!rig_read(r, r->vault, US_MSG_log_data)) {
			(void)rig_wait(r);
			us_buf_free(&b);
			return 0;
		}
		assert_int_equal(us_msg_log_data_decode(&reply, r->body.data, r->body.len), US_OK);
		if (vkey != NULL)
			(void)snprintf(vkey, US_NOTE_VKEY_MAX, "%.*s", (int)reply.data.n - 1,
			    (const char *)reply.data.p);
	}
	assert_int_equal(rig_stop(r, SIGTERM), 0);
	us_buf_free(&b);
	return 1;
}

static void
open_chain(struct rig *r, struct us_buf *text, struct us_handovers *h)
{
	read_at(r->dir, "handovers", text);
	assert_int_equal(us_handovers_open(h, (struct us_bytes){ text->data, text->len }), US_OK);
}

struct scene {
	struct rig rig;
	struct us_key old_seed;
	struct us_buf b;
	struct us_handovers h;
	struct us_hand_over_result result;
};

static int
set_up(void **state)
{
	struct scene *s = calloc(1, sizeof *s);

	cut_at = 0;
	us_buf_init(&s->b, 1u << 20);
	rig_create(&s->rig);
	assert_true(starts(&s->rig, NULL));
	seed_of(s->rig.dir, &s->old_seed);
	*state = s;
	return 0;
}

static int
tear_down(void **state)
{
	struct scene *s = *state;

	rig_destroy(&s->rig);
	us_buf_free(&s->b);
	free(s);
	return 0;
}

static const struct us_hand_over_options by_move = { .reason = US_HANDOVER_MOVE,
	.host = "new.example" };

/* ---- in place ---- */

static void
test_in_place(void **state)
{
	struct scene *s = *state;
	struct rig *r = &s->rig;
	struct us_checkpoint c;
	char vkey[US_NOTE_VKEY_MAX];
	size_t place;

	assert_int_equal(count_files_with(r->dir, &s->old_seed), 1);
	assert_int_equal(hand_over(r->dir, &by_move, &s->result), US_OK);
	assert_false(s->result.completed);
	assert_int_equal(count_files_with(r->dir, &s->old_seed), 0);
	open_chain(r, &s->b, &s->h);
	assert_int_equal(s->h.n, 1);
	assert_string_equal(s->h.item[0].succession.old_key.name, r->made.origin);
	assert_non_null(strstr(s->h.item[0].succession.new_key.name, "new.example/underseal/"));
	assert_non_null(strstr(s->h.item[0].succession.new_key.name, "/2"));
	assert_int_equal(s->h.item[0].reason, US_HANDOVER_MOVE);
	assert_int_equal(s->h.item[0].last_size, s->h.item[0].succession.size);
	assert_true(starts(r, vkey));
	assert_string_equal(vkey, s->result.vkey);

	/* what it serves, and that it opens */
	rig_start(r, "");
	rig_open(r);
	assert_int_equal(fetch(r, "handovers", &s->b), US_OK);
	assert_int_equal(us_handovers_open(&s->h, (struct us_bytes){ s->b.data, s->b.len }), US_OK);
	assert_int_equal(fetch(r, "checkpoint", &s->b), US_OK);
	assert_int_equal(us_checkpoint_open(&c, NULL, s->b.data, s->b.len,
			     &s->h.item[0].succession.new_key, 1),
	    US_OK);
	assert_true(c.size > s->h.item[0].succession.size + 1);
	assert_int_equal(rig_stop(r, SIGTERM), 0);

	/* and once more */
	seed_of(r->dir, &s->old_seed);
	assert_int_equal(hand_over(r->dir,
			     &(struct us_hand_over_options){ .reason = US_HANDOVER_KEY },
			     &s->result),
	    US_OK);
	assert_int_equal(count_files_with(r->dir, &s->old_seed), 0);
	open_chain(r, &s->b, &s->h);
	assert_int_equal(s->h.n, 2);
	assert_int_equal(us_handovers_place(&place, &s->h, &s->result.succession.new_key), US_OK);
	assert_int_equal(place, 2);
	assert_true(starts(r, vkey));
	assert_string_equal(vkey, s->result.vkey);
}

/* Death before and behind every renaming: then either the old log goes on, or only the same call
 * again does; and it makes one hand-over, not two. */
static void
test_cut(void **state)
{
	struct scene *s = *state;
	struct rig *r = &s->rig;
	char vkey[US_NOTE_VKEY_MAX], original[sizeof r->dir], old_vkey[US_NOTE_VKEY_MAX];
	int done = 0, refused = 0, went_on = 0, status;

	memcpy(original, r->dir, sizeof original);
	(void)snprintf(old_vkey, sizeof old_vkey, "%s", r->made.vkey);
	for (int at = 1; !done; at++)
		for (int how = 1; how <= 2; how++) {
			pid_t pid;

			(void)snprintf(r->dir, sizeof r->dir, "%.40s.%d%d", original, at, how);
			shell("cp -r %s %s", original, r->dir);
			pid = fork();
			if (pid == 0) {
				cut_at = at;
				cut_how = how;
				_exit(hand_over(r->dir, &by_move, &s->result) == US_OK ? 0 : 1);
			}
			assert_int_equal(waitpid(pid, &status, 0), pid);
			done = WEXITSTATUS(status) == 0;
			assert_true(done || WEXITSTATUS(status) == CUT);
			if (!done) {
				const int replaced = count_files_with(r->dir, &s->old_seed) == 0;

				assert_int_equal(hand_over(r->dir, &by_move, &s->result), US_OK);
				assert_true(!s->result.completed || replaced);
			}
			open_chain(r, &s->b, &s->h);
			assert_int_equal(s->h.n, 1);
			assert_true(starts(r, vkey));
			assert_string_not_equal(vkey, old_vkey);
			assert_int_equal(count_files_with(r->dir, &s->old_seed), 0);
			shell("rm -r %s", r->dir);
			if (done)
				continue;

			/* the same death, and somebody starts the daemon instead */
			shell("cp -r %s %s", original, r->dir);
			pid = fork();
			if (pid == 0) {
				cut_at = at;
				cut_how = how;
				_exit(hand_over(r->dir, &by_move, &s->result) == US_OK ? 0 : 1);
			}
			assert_int_equal(waitpid(pid, &status, 0), pid);
			if (!starts(r, vkey)) {
				assert_int_equal(hand_over(r->dir, &by_move, &s->result), US_OK);
				assert_true(s->result.completed);
				assert_true(starts(r, vkey));
				assert_string_not_equal(vkey, old_vkey);
				refused++;
			} else if (strcmp(vkey, old_vkey) == 0) {
				assert_int_equal(count_files_with(r->dir, &s->old_seed), 1);
				went_on++;
			} else {
				assert_int_equal(count_files_with(r->dir, &s->old_seed), 0);
				open_chain(r, &s->b, &s->h);
				assert_string_equal(s->h.item[0].succession.new_key.name,
				    strtok(vkey, "+"));
			}
			shell("rm -r %s", r->dir);
		}
	memcpy(r->dir, original, sizeof original);
	assert_true(refused > 0 && went_on > 0);
}

/* ---- what others have kept ---- */

static void
sign_note(struct us_buf *out, const char *origin, const struct us_key *seed, uint64_t size,
    uint8_t byte)
{
	struct us_checkpoint c = { .size = size };
	struct us_note_signer *signer;

	(void)snprintf(c.origin, sizeof c.origin, "%s", origin);
	memset(c.root.b, byte, sizeof c.root.b);
	us_buf_init(out, 65536);
	assert_int_equal(us_note_signer_new(&signer, origin, US_NOTE_ED25519, seed), US_OK);
	assert_int_equal(us_checkpoint_sign(out, &c, signer), US_OK);
	us_note_signer_free(signer);
}

static struct us_bytes
view(const struct us_buf *b)
{
	return (struct us_bytes){ b->data, b->len };
}

static void
test_last(void **state)
{
	struct scene *s = *state;
	struct rig *r = &s->rig;
	struct us_hand_over_options o = { .reason = US_HANDOVER_RESTORE };
	struct us_buf own, larger, largest, other, small, stranger;
	struct us_key key = { { 7 } };
	char vkey[US_NOTE_VKEY_MAX];

	us_buf_init(&own, 1u << 20);
	read_at(r->dir, "checkpoint", &own);
	sign_note(&larger, r->made.origin, &s->old_seed, 1000, 1);
	sign_note(&largest, r->made.origin, &s->old_seed, 2000, 1);
	sign_note(&other, r->made.origin, &s->old_seed, 2000, 2);
	sign_note(&small, r->made.origin, &s->old_seed, 2, 2);
	sign_note(&stranger, r->made.origin, &key, 1000, 1);
	o.notes[0] = view(&stranger);
	o.n_notes = 1;
	assert_int_equal(hand_over(r->dir, &o, &s->result), US_ERR_VERIFY);
	o.notes[0] = view(&small); /* another log of that size */
	assert_int_equal(hand_over(r->dir, &o, &s->result), US_ERR_VERIFY);
	o.notes[0] = view(&largest);
	o.notes[1] = view(&other);
	o.n_notes = 2;
	assert_int_equal(hand_over(r->dir, &o, &s->result), US_ERR_VERIFY);
	o.notes[0] = (struct us_bytes){ (const uint8_t *)"x\n", 2 };
	assert_int_equal(hand_over(r->dir, &o, &s->result), US_ERR_VERIFY);
	assert_true(starts(r, vkey)); /* nothing has happened */
	assert_string_equal(vkey, r->made.vkey);
	assert_int_equal(count_files_with(r->dir, &s->old_seed), 1);
	o.notes[0] = view(&own);
	o.notes[1] = view(&larger);
	o.notes[2] = view(&largest);
	o.notes[3] = view(&larger);
	o.n_notes = 4;
	assert_int_equal(hand_over(r->dir, &o, &s->result), US_OK);
	assert_int_equal(s->result.last_size, 2000);
	open_chain(r, &s->b, &s->h);
	assert_int_equal(s->h.item[0].last_size, 2000);
	assert_true(starts(r, vkey));
	o.n_notes = 0;
	o.host = "a+b";
	assert_int_equal(hand_over(r->dir, &o, &s->result), US_ERR_ARG);
	us_buf_free(&own);
	us_buf_free(&larger);
	us_buf_free(&largest);
	us_buf_free(&other);
	us_buf_free(&small);
	us_buf_free(&stranger);
}

/* ---- a directory that was put back after a hand-over ---- */

static void
test_put_back(void **state)
{
	struct scene *s = *state;
	struct rig *r = &s->rig;

	shell("cp -r %s/journal %s.journal && cp %s/boot.keys %s.boot", r->dir, r->dir, r->dir,
	    r->dir);
	assert_true(starts(r, NULL)); /* the log grows */
	shell("cp -r %s %s.old", r->dir, r->dir);
	assert_int_equal(hand_over(r->dir, &by_move, &s->result), US_OK);
	assert_true(starts(r, NULL));
	/* the old key beside the new log */
	shell("cp -r %s %s.new && mv %s.boot %s/boot.keys", r->dir, r->dir, r->dir, r->dir);
	assert_false(starts(r, NULL));
	shell("cp %s.new/boot.keys %s/", r->dir, r->dir);
	assert_true(starts(r, NULL));
	/* the chain is gone */
	shell("mv %s/handovers %s.chain", r->dir, r->dir);
	assert_false(starts(r, NULL));
	shell("mv %s.chain %s/handovers", r->dir, r->dir);
	/* an older journal, with the checkpoint beside it taken away */
	shell("rm -r %s/journal %s/checkpoint && mv %s.journal %s/journal", r->dir, r->dir, r->dir,
	    r->dir);
	assert_false(starts(r, NULL));
	shell("rm -r %s.new", r->dir);
	/* and one that has gone on from there under the old key, beyond the hand-over */
	{
		char dir[sizeof r->dir];

		memcpy(dir, r->dir, sizeof dir);
		(void)snprintf(r->dir, sizeof r->dir, "%.40s.old", dir);
		for (int i = 0; i < 3; i++)
			assert_true(starts(r, NULL));
		memcpy(r->dir, dir, sizeof dir);
	}
	shell("rm -r %s/journal && mv %s.old/journal %s/journal && rm -r %s.old", r->dir, r->dir,
	    r->dir, r->dir);
	assert_false(starts(r, NULL));
}

/* ---- backups ---- */

static void
bequeath(const char *dir, struct us_bequest *b)
{
	char detail[US_HANDOVER_DETAIL], here[4096];

	assert_non_null(getcwd(here, sizeof here));
	assert_int_equal(chdir(dir), 0);
	assert_int_equal(us_keeper_bequeath(b, 1, 2, detail), US_OK);
	assert_int_equal(chdir(here), 0);
}

/* What restoring unpacks. */
static void
unpack(struct rig *r, const char *from, const struct us_bequest *b)
{
	shell("rm -rf %s && cp -r %s %s && rm %s/lock", r->dir, from, r->dir, r->dir);
	write_at(r->dir, "boot.keys", view(&b->boot_keys));
	write_at(r->dir, "succession", view(&b->succession));
}

static void
test_backup(void **state)
{
	struct scene *s = *state;
	struct rig *r = &s->rig;
	const struct us_hand_over_options o = { .reason = US_HANDOVER_RESTORE };
	char vkey[US_NOTE_VKEY_MAX], live[sizeof r->dir], backup[sizeof r->dir + 8];
	struct us_bequest b, c;

	memcpy(live, r->dir, sizeof live);
	(void)snprintf(backup, sizeof backup, "%s.b", live);
	bequeath(r->dir, &b);
	shell("cp -r %s %s", live, backup);
	bequeath(r->dir, &c);
	assert_memory_not_equal(b.seed->b, c.seed->b, 32);
	assert_true(starts(r, vkey)); /* the live one goes on under its key */
	assert_string_equal(vkey, r->made.vkey);

	(void)snprintf(r->dir, sizeof r->dir, "%.40s.r", live);
	unpack(r, backup, &b);
	assert_int_equal(count_files_with(r->dir, &s->old_seed), 0);
	assert_false(starts(r, NULL)); /* unpacked by hand, it is no vault */
	assert_int_equal(hand_over(r->dir, &o, &s->result), US_ERR_VERIFY);
	assert_int_equal(take_over(r->dir, &o, &s->result), US_OK);
	assert_true(starts(r, vkey));
	assert_string_equal(vkey, s->result.vkey);
	open_chain(r, &s->b, &s->h);
	assert_int_equal(s->h.item[0].reason, US_HANDOVER_RESTORE);
	assert_int_equal(take_over(r->dir, &o, &s->result), US_ERR_NOT_FOUND); /* once */

	/* the word for another backup's key; another key; a log that is not that of the backup; a
	 * checkpoint of later beside it */
	unpack(r, backup, &b);
	write_at(r->dir, "succession", view(&c.succession));
	assert_int_equal(take_over(r->dir, &o, &s->result), US_ERR_VERIFY);
	unpack(r, backup, &b);
	write_at(r->dir, "boot.keys", view(&c.boot_keys));
	assert_int_equal(take_over(r->dir, &o, &s->result), US_ERR_VERIFY);
	unpack(r, live, &b);
	assert_int_equal(take_over(r->dir, &o, &s->result), US_ERR_VERIFY);
	unpack(r, live, &b);
	shell("rm %s/checkpoint", r->dir);
	assert_int_equal(take_over(r->dir, &o, &s->result), US_ERR_VERIFY);
	unpack(r, backup, &b);
	shell("cp %s/checkpoint %s/checkpoint", live, r->dir);
	assert_int_equal(take_over(r->dir, &o, &s->result), US_ERR_VERIFY);
	unpack(r, backup, &b);
	shell("rm %s/succession", r->dir);
	assert_int_equal(take_over(r->dir, &o, &s->result), US_ERR_NOT_FOUND);

	shell("rm -rf %s %s", r->dir, backup);
	memcpy(r->dir, live, sizeof live);
	us_bequest_free(&b);
	us_bequest_free(&c);
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_in_place, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_cut, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_last, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_put_back, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_backup, set_up, tear_down),
	};

	rig_main(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
