/* Goal: from "unsealed" to open as daemon/vault/state/start.h says: the acts of the store are shown
 * to the keeper in their order, what it keeps is folded and the rest dropped, entries that are not
 * known are found in the log from its end, the store is tidied of what was never committed and of nothing
 * else; and whoever shows another history is not served. Then what history.h says of moments of the
 * past. The keeper and the writer are the test, the store is a real one. */
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

#include "base/err.h"
#include "base/log.h"
#include "daemon/vault/state/history.h"
#include "daemon/vault/state/keeper.h"
#include "daemon/vault/state/rooms.h"
#include "daemon/vault/state/start.h"
#include "daemon/vault/state/state.h"
#include "daemon/vault/state/writer.h"
#include "evidence/batch/batch.h"
#include "log/tiles.h"
#include "tests/unit/base/countdown.h"
#include "tests/unit/registry/docket_acts.h"

#define ok(e) assert_int_equal((e), US_OK)
#define ACTS_MAX 16
#define JOBS_MAX 64
#define ENTRY(i) (10 * (uint64_t)(i) + 3) /* of act i, where it is known */
#define EVERY UINT64_MAX

static int in_child; /* which may end anywhere, and leaves its memory to the system */

/* asked by a leak checker, if there is one */
int __lsan_is_turned_off(void);
int
__lsan_is_turned_off(void)
{
	return in_child;
}

/* What was asked of the keeper and of the writer. */
static struct others {
	struct us_buf shown; /* { u8 prepared, str32 committed }, of each replay */
	size_t n_shown;
	uint16_t asked; /* newest question */
	uint32_t tag;
	char path[128];
	struct us_write jobs[JOBS_MAX];
	size_t n_jobs;
	struct us_buf stored; /* of the newest job that stores */
	unsigned opened;
	int send_err;
} others;

struct stage {
	struct world *world;
	char dir[32];
	struct us_store *store;
	struct us_vault vault;
};

static const uint8_t keys[US_KEY_SIZE] = { 1 };

/* --- the others ------------------------------------------------------------------------------- */

#define WRAP(name) \
	int __wrap_us_send_##name(struct us_channel *ch, uint32_t tag, \
	    const struct us_msg_##name *m); \
	int __wrap_us_send_##name(struct us_channel *ch, uint32_t tag, \
	    const struct us_msg_##name *m)

static int
asked(uint16_t type, uint32_t tag)
{
	if (others.send_err != US_OK)
		return others.send_err;
	others.asked = type;
	others.tag = tag;
	return US_OK;
}

WRAP(replay)
{
	(void)ch;
	(void)tag;
	if (others.send_err != US_OK)
		return others.send_err;
	others.n_shown++;
	ok(us_buf_put_u8(&others.shown, m->prepared));
	ok(us_buf_put_str32(&others.shown, m->committed.p, m->committed.n));
	return US_OK;
}

WRAP(replay_end)
{
	(void)ch;
	assert_int_equal(m->reserved, 0);
	return asked(US_MSG_replay_end, tag);
}

WRAP(keeper_status)
{
	(void)ch;
	(void)m;
	return asked(US_MSG_keeper_status, tag);
}

WRAP(log_read)
{
	(void)ch;
	assert_true(m->path.n < sizeof others.path);
	memcpy(others.path, m->path.p, m->path.n);
	others.path[m->path.n] = '\0';
	return asked(US_MSG_log_read, tag);
}

int __wrap_us_writer_put(struct us_writer *w, const struct us_write *job);
int
__wrap_us_writer_put(struct us_writer *w, const struct us_write *job)
{
	(void)w;
	assert_true(others.n_jobs < JOBS_MAX);
	others.jobs[others.n_jobs++] = *job;
	if (job->op != US_WRITE_ACT)
		return US_OK;
	us_buf_reset(&others.stored);
	ok(us_buf_put(&others.stored, job->data.p, job->data.n));
	return US_OK;
}

static void
opened(struct us_vault *v)
{
	assert_true(us_vault_is_open(v->state));
	others.opened++;
}

/* The newest job of that kind; NULL: there was none. */
static const struct us_write *
job_of(enum us_write_op op)
{
	for (size_t i = others.n_jobs; i-- > 0;)
		if (others.jobs[i].op == op)
			return &others.jobs[i];
	return NULL;
}

/* --- a vault ---------------------------------------------------------------------------------- */

static struct us_bytes
act_of(const struct stage *s, size_t i)
{
	return (struct us_bytes){ s->world->acts[i].data, s->world->acts[i].len };
}

static void
vault_new(struct stage *s)
{
	static char nobody;
	struct us_vault *v = &s->vault;

	us_buf_free(&others.shown);
	us_buf_free(&others.stored);
	memset(&others, 0, sizeof others);
	us_buf_init(&others.shown, 1 << 22);
	us_buf_init(&others.stored, 1 << 22);
	ok(us_vault_state_new(&v->state, 0));
	ok(us_vault_keeper_new(&v->keeper, NULL));
	us_vault_keeper_connect(v->keeper, (struct us_channel *)(void *)&nobody);
	if (v->reader == NULL)
		ok(us_store_reader_open(&v->reader, s->store));
}

static void
vault_free(struct stage *s)
{
	us_vault_start_free(&s->vault);
	us_vault_keeper_free(s->vault.keeper);
	us_vault_state_free(s->vault.state);
}

static int
set_up(void **state)
{
	struct us_store_options o = { .create = 1 };
	struct stage *s = calloc(1, sizeof *s);
	char path[64];

	us_log_init("test", US_LOG_ERROR);
	(void)docket_setup((void **)&s->world);
	strcpy(s->dir, "/tmp/us-start-XXXXXX");
	assert_non_null(mkdtemp(s->dir));
	(void)snprintf(path, sizeof path, "%s/store.db", s->dir);
	o.path = path;
	ok(us_store_open(&s->store, &o));
	vault_new(s);
	*state = s;
	return 0;
}

static int
tear_down(void **state)
{
	struct stage *s = *state;
	char command[64];

	countdown(-1);
	vault_free(s);
	us_store_reader_close(s->vault.reader);
	us_store_close(s->store);
	(void)snprintf(command, sizeof command, "rm -rf %s", s->dir);
	assert_int_equal(system(command), 0);
	(void)docket_teardown((void **)&s->world);
	us_buf_free(&others.shown);
	us_buf_free(&others.stored);
	free(s);
	return 0;
}

/* Act i (from 0) of the world, sealed as that number. */
static void
put_act(struct stage *s, size_t i, uint64_t number, uint64_t sealed_as)
{
	struct us_vault_state *sealer;
	struct us_buf sealed;

	ok(us_vault_state_new(&sealer, 0));
	ok(us_vault_state_take_keys(sealer, keys, keys, keys));
	us_buf_init(&sealed, 1 << 22);
	ok(us_vault_act_seal(sealer, sealed_as, act_of(s, i), &sealed));
	ok(us_store_begin(s->store));
	ok(us_store_put_act(s->store, number, 1, (struct us_bytes){ sealed.data, sealed.len }));
	ok(us_store_commit(s->store));
	us_buf_free(&sealed);
	us_vault_state_free(sealer);
}

/* All acts of the world; the entries of those from that one on (counted from 1) are not known. */
static void
fill(struct stage *s, size_t unknown_from)
{
	for (size_t i = 0; i < s->world->n_acts; i++) {
		put_act(s, i, i + 1, i + 1);
		if (i + 1 >= unknown_from)
			continue;
		ok(us_store_begin(s->store));
		ok(us_store_settle_act(s->store, i + 1, ENTRY(i + 1)));
		ok(us_store_commit(s->store));
	}
}

/* --- the keeper ------------------------------------------------------------------------------- */

static int
unsealed(struct stage *s)
{
	struct us_msg_unsealed m = { .init_act = act_of(s, 0) };
	struct us_buf b;
	int err;

	memcpy(m.vault_id, keys, 32);
	memcpy(m.state_key, keys, 32);
	memcpy(m.cursor_key, keys, 32);
	us_buf_init(&b, 1 << 22);
	ok(us_msg_unsealed_encode(&b, &m));
	err = us_vault_start_unsealed(&s->vault, (struct us_bytes){ b.data, b.len }, opened);
	us_buf_free(&b);
	return err;
}

#define ANSWER(s, to, name, ...) \
	do { \
		const struct us_msg_##name m_ = __VA_ARGS__; \
		struct us_buf b_; \
		us_buf_init(&b_, 1 << 22); \
		assert_int_equal(others.asked, US_MSG_##to); \
		others.asked = 0; \
		ok(us_msg_##name##_encode(&b_, &m_)); \
		ok(us_vault_keeper_answer((s)->vault.keeper, US_MSG_##name, others.tag, \
		    (struct us_bytes){ b_.data, b_.len })); \
		us_buf_free(&b_); \
	} while (0)

static void
keeps(struct stage *s, uint64_t n)
{
	ANSWER(s, replay_end, replay_reply, { .keep = n });
}

/* The entries first .. end - 1 of a log: a letter each, S for an act's. */
static void
shows_entries(struct stage *s, const char *letters)
{
	struct us_buf bundle;

	us_buf_init(&bundle, 1 << 20);
	for (; *letters != '\0'; letters++) {
		const uint8_t entry[] = { 'U', 'S', 'E', '1',
			*letters == 'S' ? US_CLASS_STATE : US_CLASS_ACCESS, 0 };

		ok(us_buf_put_str16(&bundle, entry, sizeof entry));
	}
	ANSWER(s, log_read, log_data, { .data = { bundle.data, bundle.len } });
	us_buf_free(&bundle);
}

/* --- the first start -------------------------------------------------------------------------- */

static void
the_first_start(void **state)
{
	struct stage *s = *state;
	const struct us_write *job;
	struct us_buf plain;

	ok(unsealed(s));
	assert_int_equal(us_vault_phase(s->vault.state), US_VAULT_REPLAYING);
	assert_int_equal(unsealed(s), US_ERR_MALFORMED); /* once */
	job = job_of(US_WRITE_ACT);
	assert_true(job != NULL && job->number == 1 && others.n_jobs == 1);
	us_buf_init(&plain, 1 << 22);
	ok(us_vault_act_open(s->vault.state, 1,
	    (struct us_bytes){ others.stored.data, others.stored.len }, &plain));
	assert_int_equal(plain.len, act_of(s, 0).n);
	assert_memory_equal(plain.data, act_of(s, 0).p, plain.len);
	us_buf_free(&plain);
	assert_int_equal(others.asked, 0); /* not before it is on the disk */
	job->done(job->ctx, US_OK, 0);
	assert_int_equal(others.n_shown, 1);
	keeps(s, 1);
	ANSWER(s, keeper_status, keeper_status_reply, { .tree_size = 3 });
	assert_string_equal(others.path, "tile/entries/000.p/3");
	shows_entries(s, "S..");
	assert_int_equal(others.opened, 1);
	assert_null(s->vault.start);
	assert_int_equal(us_vault_entry_of(s->vault.state, 1), 0);
	job = job_of(US_WRITE_SETTLE_ACT);
	assert_true(job != NULL && job->number == 1 && job->entry == 0);
	assert_int_equal(us_registry_sequence(us_vault_registry(s->vault.state)), 1);
}

static void
a_message_that_is_none(void **state)
{
	struct stage *s = *state;

	assert_int_not_equal(us_vault_start_unsealed(&s->vault, us_bytes_of("none"), opened),
	    US_OK);
	assert_int_equal(us_vault_phase(s->vault.state), US_VAULT_SEALED);
}

/* The keeper or the vault goes before the first act is stored: nothing is asked any more. */
static void
gone_before_it_is_stored(void **state)
{
	struct stage *s = *state;

	ok(unsealed(s));
	us_vault_state_leave(s->vault.state);
	job_of(US_WRITE_ACT)->done(&s->vault, US_OK, 0);
	assert_int_equal(others.asked, 0);
	vault_free(s);
	vault_new(s);
	ok(unsealed(s));
	us_vault_keeper_connect(s->vault.keeper, NULL);
	job_of(US_WRITE_ACT)->done(&s->vault, US_OK, 0);
	assert_int_equal(others.asked, 0);
}

/* --- a later start ---------------------------------------------------------------------------- */

/* The keeper was shown all acts, in order, as they were; those prepared that were not settled. */
static void
all_were_shown(struct stage *s, size_t prepared_from)
{
	struct us_reader r;

	us_reader_init(&r, others.shown.data, others.shown.len);
	assert_int_equal(others.n_shown, s->world->n_acts);
	for (size_t i = 0; i < s->world->n_acts; i++) {
		const uint8_t prepared = us_take_u8(&r);
		const struct us_bytes act = us_take_str32(&r, 1 << 22);

		assert_int_equal(prepared, i + 1 >= prepared_from);
		assert_int_equal(act.n, act_of(s, i).n);
		assert_memory_equal(act.p, act_of(s, i).p, act.n);
	}
	ok(us_reader_end(&r));
}

static void
is_open_with(struct stage *s, size_t acts)
{
	assert_int_equal(others.opened, 1);
	assert_true(us_vault_is_open(s->vault.state));
	assert_null(s->vault.start);
	assert_int_equal(us_registry_sequence(us_vault_registry(s->vault.state)), acts);
}

static void
all_is_known(void **state)
{
	struct stage *s = *state;

	fill(s, EVERY);
	ok(unsealed(s));
	all_were_shown(s, EVERY);
	keeps(s, s->world->n_acts);
	is_open_with(s, s->world->n_acts);
	assert_int_equal(others.asked, 0); /* nothing to be found */
	assert_null(job_of(US_WRITE_DROP_ACTS));
	assert_null(job_of(US_WRITE_SETTLE_ACT));
	for (size_t i = 1; i <= s->world->n_acts; i++)
		assert_int_equal(us_vault_entry_of(s->vault.state, i), ENTRY(i));
	assert_memory_equal(us_registry_digest(us_vault_registry(s->vault.state)),
	    us_registry_digest(s->world->reg), 32);
}

static void
the_last_was_not_committed(void **state)
{
	struct stage *s = *state;
	const size_t n = s->world->n_acts;

	fill(s, n);
	ok(unsealed(s));
	all_were_shown(s, n);
	keeps(s, n - 1);
	is_open_with(s, n - 1);
	assert_non_null(job_of(US_WRITE_DROP_ACTS));
	assert_int_equal(job_of(US_WRITE_DROP_ACTS)->number, n);
	assert_int_equal(us_vault_entry_of(s->vault.state, n), NO_ENTRY);
}

/* Each act has one entry of its class, in the same order: counted from the newest back, through as
 * many tiles as it takes. */
static void
entries_are_found(void **state)
{
	struct stage *s = *state;
	const size_t n = s->world->n_acts;
	char first[US_TILE_WIDTH + 1];

	fill(s, n - 2);
	ok(unsealed(s));
	keeps(s, n);
	ANSWER(s, keeper_status, keeper_status_reply, { .tree_size = US_TILE_WIDTH + 4 });
	assert_string_equal(others.path, "tile/entries/001.p/4");
	shows_entries(s, ".S..");
	assert_int_equal(others.opened, 0);
	assert_string_equal(others.path, "tile/entries/000");
	memset(first, '.', US_TILE_WIDTH);
	first[US_TILE_WIDTH] = '\0';
	for (size_t i = 0; i < n - 1; i++)
		first[20 + 30 * i] = 'S';
	shows_entries(s, first);
	is_open_with(s, n);
	assert_int_equal(us_vault_entry_of(s->vault.state, n), US_TILE_WIDTH + 1);
	assert_int_equal(us_vault_entry_of(s->vault.state, n - 1), 20 + 30 * (n - 2));
	assert_int_equal(us_vault_entry_of(s->vault.state, n - 2), 20 + 30 * (n - 3));
	assert_int_equal(us_vault_entry_of(s->vault.state, n - 3), ENTRY(n - 3)); /* as noted */
	for (size_t i = 0, found = 0; i < others.n_jobs; i++) {
		const struct us_write *job = &others.jobs[i];

		if (job->op == US_WRITE_SETTLE_ACT) {
			assert_int_equal(job->number, n - found++);
			assert_int_equal(job->entry,
			    us_vault_entry_of(s->vault.state, job->number));
		}
		assert_true(i + 1 < others.n_jobs || found == 3);
		if (found == 3)
			break;
	}
}

/* --- who is not served ------------------------------------------------------------------------ */

static void
is_refused(struct stage *s, const char *why)
{
	assert_int_equal(us_vault_phase(s->vault.state), US_VAULT_REFUSING);
	if (strstr(us_vault_why_refusing(s->vault.state), why) == NULL)
		fail_msg("refuses, since %s", us_vault_why_refusing(s->vault.state));
	assert_int_equal(others.opened, 0);
	assert_null(s->vault.start);
	for (size_t i = 0; i < others.n_jobs; i++) /* nothing is deleted */
		assert_int_not_equal(others.jobs[i].op, US_WRITE_DELETE);
	vault_free(s);
	vault_new(s);
}

static void
another_store(void **state)
{
	struct stage *s = *state;
	const size_t n = s->world->n_acts;

	fill(s, EVERY);
	ok(unsealed(s));
	keeps(s, 0);
	is_refused(s, "does not hold the state that the log ends in");
	ok(unsealed(s));
	keeps(s, n + 1);
	is_refused(s, "does not hold the state that the log ends in");
	ok(unsealed(s));
	ANSWER(s, replay_end, replay_reply, { .err = US_ERR_VERIFY, .keep = n });
	is_refused(s, "does not hold the state that the log ends in");
	put_act(s, 1, n + 2, n + 2); /* one is missing before it */
	ok(unsealed(s));
	is_refused(s, "cannot be opened");
	ok(us_store_begin(s->store));
	ok(us_store_drop_acts(s->store, n + 1));
	ok(us_store_commit(s->store));
	put_act(s, 1, n + 1, n); /* sealed for another place */
	ok(unsealed(s));
	is_refused(s, "cannot be opened");
	ok(us_store_begin(s->store));
	ok(us_store_drop_acts(s->store, n + 1));
	ok(us_store_commit(s->store));
	put_act(s, 1, n + 1, n + 1); /* the second act twice */
	ok(unsealed(s));
	keeps(s, n + 1);
	is_refused(s, "do not fold");
}

static void
another_log(void **state)
{
	struct stage *s = *state;
	const size_t n = s->world->n_acts;

	fill(s, n);
	ok(unsealed(s));
	keeps(s, n);
	ANSWER(s, keeper_status, keeper_status_reply, { .tree_size = 0 });
	is_refused(s, "log is empty");
	ok(unsealed(s));
	keeps(s, n);
	ANSWER(s, keeper_status, keeper_status_reply, { .tree_size = 4 });
	shows_entries(s, "....");
	is_refused(s, "no entry for an act");
	ok(unsealed(s));
	keeps(s, n);
	ANSWER(s, keeper_status, keeper_status_reply, { .tree_size = 4 });
	ANSWER(s, log_read, log_data, { .err = US_ERR_IO });
	is_refused(s, "cannot be read");
}

/* --- tidying ---------------------------------------------------------------------------------- */

static int
is_deleted(uint32_t collection, uint8_t kind, uint64_t number)
{
	for (size_t i = 0; i < others.n_jobs; i++) {
		const struct us_write *job = &others.jobs[i];

		if (job->op == US_WRITE_DELETE && job->key.collection == collection &&
		    job->key.kind == kind && number >= job->key.number && number <= job->last)
			return 1;
	}
	return 0;
}

/* Of slots 0, 1, 3 and 5, which were closed, no page goes; of all others each does. */
static void
what_was_never_closed_goes(void **state)
{
	static const uint32_t closed[] = { 0, 1, 3, 5 };
	struct stage *s = *state;

	assert_int_equal(world_batch(s->world, 1, 3, 200, 10, 0), US_OK);
	assert_int_equal(world_batch(s->world, 1, 5, 210, 10, 0), US_OK);
	assert_int_equal(world_collection(s->world, &s->world->admin, "empty", "EMPTY"), US_OK);
	fill(s, EVERY);
	ok(unsealed(s));
	keeps(s, s->world->n_acts);
	is_open_with(s, s->world->n_acts);
	for (uint32_t slot = 0; slot < 10; slot++) {
		int is_closed = 0;

		for (size_t i = 0; i < sizeof closed / sizeof closed[0]; i++)
			is_closed |= closed[i] == slot;
		for (uint8_t kind = US_PAGE_RECORDS; kind <= US_PAGE_TAGS; kind++) {
			assert_int_equal(is_deleted(1, kind, PAGE_NUMBER(slot, 0)), !is_closed);
			assert_int_equal(is_deleted(1, kind, PAGE_NUMBER(slot, 65535)), !is_closed);
			assert_true(is_deleted(2, kind, PAGE_NUMBER(slot, 0)));
		}
	}
	assert_true(is_deleted(1, US_PAGE_RECORDS, US_STORE_NUMBER_MAX));
	/* neither has a shared dictionary */
	assert_true(is_deleted(1, US_PAGE_DICTIONARY, PAGE_NUMBER(1, 0)));
	assert_true(is_deleted(2, US_PAGE_DICTIONARY, US_STORE_NUMBER_MAX));
	assert_false(is_deleted(3, US_PAGE_RECORDS, 0));
}

/* --- want of memory, and the end -------------------------------------------------------------- */

enum lethal { FIRST_IS_NOT_STORED, REPLAY_IS_NOT_SENT, END_IS_NOT_SENT, NO_REPLY, LETHAL };

static void
die(struct stage *s, enum lethal how)
{
	struct us_msg_logged m = { 0 };

	(void)m;
	if (how == REPLAY_IS_NOT_SENT)
		others.send_err = US_ERR_FULL;
	(void)unsealed(s);
	if (how == END_IS_NOT_SENT)
		others.send_err = US_ERR_FULL;
	job_of(US_WRITE_ACT)
	    ->done(&s->vault, how == FIRST_IS_NOT_STORED ? US_ERR_NOSPACE : US_OK, 0);
	if (how == NO_REPLY)
		(void)us_vault_keeper_answer(s->vault.keeper, US_MSG_logged, others.tag,
		    us_bytes_of("x"));
	_exit(0);
}

static void
no_way_to_begin(void **state)
{
	for (enum lethal how = 0; how < LETHAL; how++) {
		const pid_t pid = fork();
		int status;

		assert_true(pid >= 0);
		if (pid == 0) {
			in_child = 1;
			(void)close(STDERR_FILENO);
			die(*state, how);
		}
		assert_int_equal(waitpid(pid, &status, 0), pid);
		if (how == NO_REPLY ? !WIFSIGNALED(status) || WTERMSIG(status) != SIGABRT :
				      !WIFEXITED(status) || WEXITSTATUS(status) != 1)
			fail_msg("case %d: status %x", (int)how, (unsigned)status);
	}
}

/* Starts with so many allocations: 0 if it opened with all acts, 1 if it ended itself; another
 * vault than that it may not be. */
static void
start_with(struct stage *s, int allocations)
{
	const size_t n = s->world->n_acts;

	countdown(allocations);
	(void)unsealed(s);
	if (others.asked == US_MSG_replay_end)
		keeps(s, n);
	if (others.asked == US_MSG_keeper_status)
		ANSWER(s, keeper_status, keeper_status_reply, { .tree_size = 4 });
	if (others.asked == US_MSG_log_read)
		shows_entries(s, "S.S.");
	countdown(-1);
	if (us_vault_is_open(s->vault.state))
		_exit(us_registry_sequence(us_vault_registry(s->vault.state)) == n &&
			    us_vault_entry_of(s->vault.state, n) == 2 ?
			0 :
			9);
	_exit(us_vault_phase(s->vault.state) == US_VAULT_REFUSING ? 1 : 9);
}

static void
no_memory_to_begin(void **state)
{
	struct stage *s = *state;
	int status = 1;

	fill(s, s->world->n_acts);
	for (int at = 0; status != 0; at++) {
		const pid_t pid = fork();

		assert_true(pid >= 0 && at < 100000);
		if (pid == 0) {
			in_child = 1;
			(void)setenv("CMOCKA_TEST_ABORT", "1", 1);
			(void)close(STDERR_FILENO);
			start_with(s, at * 7);
		}
		assert_int_equal(waitpid(pid, &status, 0), pid);
		status = WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status) == SIGABRT;
		assert_true(status <= 1);
	}
	assert_int_equal(others.opened, 0); /* those were others */
}

/* --- the past --------------------------------------------------------------------------------- */

struct seen {
	uint64_t first, n;
	int err; /* what the callback says */
};

static int
see(void *ctx, uint64_t sequence, struct us_bytes committed)
{
	struct seen *s = ctx;
	struct us_committed_act act;

	ok(us_committed_act_decode(&act, NULL, committed.p, committed.n));
	assert_int_equal(act.sequence, sequence);
	if (s->n++ == 0)
		s->first = sequence;
	return s->err;
}

static int
is_even(void *ctx, uint64_t sequence)
{
	(void)ctx;
	return sequence % 2 == 0;
}

static int64_t
time_of(const struct stage *s, size_t i)
{
	struct us_committed_act act;

	ok(us_committed_act_decode(&act, NULL, act_of(s, i).p, act_of(s, i).n));
	return act.time_ns;
}

static void
what_was_so_then(void **state)
{
	struct stage *s = *state;
	const size_t n = s->world->n_acts;
	struct us_registry *then;
	struct seen seen = { 0 };

	fill(s, EVERY);
	ok(unsealed(s));
	keeps(s, n - 1); /* the last is under way */
	ok(us_vault_history_from(&s->vault, 3, see, &seen));
	assert_true(seen.first == 3 && seen.n == n - 3);
	seen = (struct seen){ 0 };
	ok(us_vault_history_acts(&s->vault, is_even, see, &seen));
	assert_true(seen.first == 2 && seen.n == (n - 1) / 2);
	seen = (struct seen){ .err = US_ERR_LIMIT };
	assert_int_equal(us_vault_history_acts(&s->vault, NULL, see, &seen), US_ERR_LIMIT);
	assert_int_equal(seen.n, 1);
	for (size_t i = 0; i < n; i++)
		for (int before = 0; before < 2; before++) {
			uint64_t want = 0;

			for (size_t k = 0; k < n - 1; k++)
				want += k == 0 || time_of(s, k) <= time_of(s, i) - before;
			ok(us_vault_history_registry(&s->vault, time_of(s, i) - before, &then));
			assert_int_equal(us_registry_sequence(then), want);
			us_registry_free(then);
		}
	ok(us_vault_history_registry(&s->vault, 0, &then)); /* as init made it */
	assert_int_equal(us_registry_sequence(then), 1);
	us_registry_free(then);
	ok(us_store_begin(s->store));
	ok(us_store_drop_acts(s->store, 1));
	ok(us_store_commit(s->store));
	assert_int_equal(us_vault_history_registry(&s->vault, 0, &then), US_ERR_STATE);
	assert_null(then);
	put_act(s, 1, 1, 1); /* no beginning of a vault */
	assert_int_not_equal(us_vault_history_registry(&s->vault, 0, &then), US_OK);
	assert_null(then);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_first_start),
		TEST(a_message_that_is_none),
		TEST(gone_before_it_is_stored),
		TEST(all_is_known),
		TEST(the_last_was_not_committed),
		TEST(entries_are_found),
		TEST(another_store),
		TEST(another_log),
		TEST(what_was_never_closed_goes),
		TEST(no_way_to_begin),
		TEST(no_memory_to_begin),
		TEST(what_was_so_then),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
