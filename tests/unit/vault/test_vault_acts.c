/* Goal: the queue of acts keeps what daemon/vault/state/acts.h promises: one act after another,
 * each prepared, on the disk and committed in that order, taken back on both sides while it can be, and
 * the end of the process where it cannot. The keeper and the store's writer are the test. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/err.h"
#include "daemon/vault/state/acts.h"
#include "daemon/vault/state/keeper.h"
#include "daemon/vault/state/rooms.h"
#include "daemon/vault/state/state.h"
#include "daemon/vault/state/writer.h"
#include "tests/unit/base/countdown.h"
#include "tests/unit/registry/docket_acts.h"

#define SENT_MAX 16
#define ENTRY 1000 /* of the newest act */
#define BEFORE 2 /* acts of the world that the vault has folded; the keeper prepares those behind */

static int in_child; /* which may end anywhere, and leaves its memory to the system */

/* asked by a leak checker, if there is one */
int __lsan_is_turned_off(void);
int
__lsan_is_turned_off(void)
{
	return in_child;
}

struct sent {
	uint16_t type;
	uint32_t tag;
	uint64_t sequence; /* or the batch's load */
	uint8_t act[16];
	size_t n;
};

/* What was asked of the others, and what they say to it. */
static struct others {
	struct sent sent[SENT_MAX];
	size_t n_sent;
	struct us_write jobs[SENT_MAX];
	size_t n_jobs;
	struct us_buf stored; /* of the newest job */
	int send_err, put_err;
} others;

struct heard {
	unsigned calls;
	struct us_vault_act_result result;
	char detail[64];
	uint8_t before[32];
	struct us_buf committed;
	uint64_t index; /* that the keeper logged it at */
};

struct stage {
	struct world *world;
	struct us_registry *registry;
	struct us_vault vault;
	struct heard heard[3];
};

/* --- the others ------------------------------------------------------------------------------- */

static int
note_sent(uint16_t type, uint32_t tag, uint64_t sequence, struct us_bytes act)
{
	struct sent *s = &others.sent[others.n_sent];

	if (others.send_err != US_OK)
		return others.send_err;
	assert_true(others.n_sent < SENT_MAX && act.n <= sizeof s->act);
	*s = (struct sent){ .type = type, .tag = tag, .sequence = sequence, .n = act.n };
	if (act.n > 0)
		memcpy(s->act, act.p, act.n);
	others.n_sent++;
	return US_OK;
}

#define WRAP(name, number, bytes) \
	int __wrap_us_send_##name(struct us_channel *ch, uint32_t tag, \
	    const struct us_msg_##name *m); \
	int __wrap_us_send_##name(struct us_channel *ch, uint32_t tag, \
	    const struct us_msg_##name *m) \
	{ \
		(void)ch; \
		return note_sent(US_MSG_##name, tag, number, bytes); \
	}
#define NO_BYTES ((struct us_bytes){ NULL, 0 })
WRAP(act_prepare, 0, m->act)
WRAP(batch_prepare, m->load + m->collection + m->slot, NO_BYTES)
WRAP(act_commit, m->sequence, NO_BYTES)
WRAP(act_abort, m->sequence, NO_BYTES)

int __wrap_us_writer_put(struct us_writer *w, const struct us_write *job);
int
__wrap_us_writer_put(struct us_writer *w, const struct us_write *job)
{
	(void)w;
	if (others.put_err != US_OK)
		return others.put_err;
	assert_true(others.n_jobs < SENT_MAX);
	others.jobs[others.n_jobs++] = *job;
	us_buf_reset(&others.stored);
	countdown(-1);
	assert_int_equal(us_buf_put(&others.stored, job->data.p, job->data.n), US_OK);
	return US_OK;
}

static const struct sent *
newest(uint16_t type)
{
	assert_true(others.n_sent > 0);
	assert_int_equal(others.sent[others.n_sent - 1].type, type);
	return &others.sent[others.n_sent - 1];
}

static const struct us_write *
newest_job(enum us_write_op op)
{
	assert_true(others.n_jobs > 0);
	assert_int_equal(others.jobs[others.n_jobs - 1].op, op);
	return &others.jobs[others.n_jobs - 1];
}

/* --- a vault ---------------------------------------------------------------------------------- */

static struct us_bytes
act_of(const struct stage *s, size_t i)
{
	return (struct us_bytes){ s->world->acts[i].data, s->world->acts[i].len };
}

static int
set_up(void **state)
{
	static const uint8_t keys[US_KEY_SIZE] = { 1 };
	static char nobody;
	struct stage *s = calloc(1, sizeof *s);
	struct us_vault *v = &s->vault;

	memset(&others, 0, sizeof others);
	us_buf_init(&others.stored, 1 << 20);
	(void)docket_setup((void **)&s->world);
	assert_int_equal(us_registry_new(&s->registry), US_OK);
	for (size_t i = 0; i < BEFORE; i++)
		assert_int_equal(us_registry_replay(s->registry, act_of(s, i), NULL), US_OK);
	assert_int_equal(us_vault_state_new(&v->state, 0), US_OK);
	assert_int_equal(us_vault_state_take_keys(v->state, keys, keys, keys), US_OK);
	us_vault_state_set_registry(v->state, s->registry);
	us_vault_state_enter(v->state, US_VAULT_OPEN);
	assert_int_equal(us_vault_keeper_new(&v->keeper, NULL), US_OK);
	us_vault_keeper_connect(v->keeper, (struct us_channel *)(void *)&nobody);
	assert_int_equal(us_vault_acts_new(&v->acts, v), US_OK);
	for (size_t i = 0; i < 3; i++)
		us_buf_init(&s->heard[i].committed, 1 << 20);
	*state = s;
	return 0;
}

static int
tear_down(void **state)
{
	struct stage *s = *state;

	countdown(-1);
	us_vault_acts_free(s->vault.acts);
	us_vault_keeper_free(s->vault.keeper);
	us_vault_state_free(s->vault.state);
	(void)docket_teardown((void **)&s->world);
	for (size_t i = 0; i < 3; i++)
		us_buf_free(&s->heard[i].committed);
	us_buf_free(&others.stored);
	free(s);
	return 0;
}

static void
on_done(void *ctx, const struct us_vault_act_result *result)
{
	struct heard *h = ctx;

	countdown(-1);
	h->calls++;
	h->result = *result;
	if (result->detail != NULL)
		strcpy(h->detail, result->detail);
	if (result->before != NULL)
		memcpy(h->before, result->before, sizeof h->before);
	if (result->committed.n > 0)
		assert_int_equal(us_buf_put(&h->committed, result->committed.p,
				     result->committed.n),
		    US_OK);
	if (result->logged != NULL)
		h->index = result->logged->index;
}

/* Puts an act of those bytes, which are gone afterwards. */
static int
put(struct stage *s, const char *bytes, struct heard *h, struct us_vault_act_job **job)
{
	char act[16], peer[16] = "192.0.2.1", signature[16] = "signed";
	struct us_msg_act_prepare m = { .peer = us_bytes_of(peer),
		.signature = us_bytes_of(signature) };
	struct us_vault_act_job *own;
	int err;

	strcpy(act, bytes);
	m.act = us_bytes_of(act);
	err = us_vault_acts_put(s->vault.acts, &m, on_done, h, job == NULL ? &own : job);
	memset(act, 'x', sizeof act);
	memset(peer, 'x', sizeof peer);
	memset(signature, 'x', sizeof signature);
	return err;
}

/* --- the keeper's answers --------------------------------------------------------------------- */

static void
answer(struct stage *s, uint16_t type, const struct us_buf *b)
{
	assert_int_equal(us_vault_keeper_answer(s->vault.keeper, type,
			     others.sent[others.n_sent - 1].tag,
			     (struct us_bytes){ b->data, b->len }),
	    US_OK);
}

static void
prepared(struct stage *s, size_t act, int fail_at)
{
	const struct us_msg_act_prepared m = { .sequence = act + 1,
		.entry = UINT64_MAX,
		.committed = act_of(s, act) };
	struct us_buf b;

	us_buf_init(&b, 1 << 21);
	assert_int_equal(us_msg_act_prepared_encode(&b, &m), US_OK);
	countdown(fail_at);
	answer(s, US_MSG_act_prepared, &b);
	countdown(-1);
	us_buf_free(&b);
}

static void
refused(struct stage *s)
{
	const struct us_msg_act_prepared m = { .err = US_ERR_DENIED,
		.reason = US_REASON_FROZEN,
		.rule = 3,
		.detail = us_bytes_of("the vault is frozen"),
		.entry = 77 };
	struct us_buf b;

	us_buf_init(&b, 4096);
	assert_int_equal(us_msg_act_prepared_encode(&b, &m), US_OK);
	answer(s, US_MSG_act_prepared, &b);
	us_buf_free(&b);
}

static void
stored(int err)
{
	const struct us_write job = *newest_job(US_WRITE_ACT);

	job.done(job.ctx, err, job.data.n);
}

static void
logged(struct stage *s, uint8_t err, uint8_t reason, uint64_t index)
{
	const struct us_msg_logged m = { .err = err, .reason = reason, .index = index };
	struct us_buf b;

	us_buf_init(&b, 4096);
	assert_int_equal(us_msg_logged_encode(&b, &m), US_OK);
	answer(s, US_MSG_logged, &b);
	us_buf_free(&b);
}

/* --- the way of an act ------------------------------------------------------------------------ */

/* The newest job is act number i + 1 of the world, as prepared, readable with the vault's key. */
static void
is_stored(struct stage *s, size_t i)
{
	struct us_buf plain;

	assert_int_equal(newest_job(US_WRITE_ACT)->number, i + 1);
	us_buf_init(&plain, 1 << 20);
	assert_int_equal(us_vault_act_open(s->vault.state, i + 1,
			     (struct us_bytes){ others.stored.data, others.stored.len }, &plain),
	    US_OK);
	assert_int_equal(plain.len, act_of(s, i).n);
	assert_memory_equal(plain.data, act_of(s, i).p, plain.len);
	us_buf_free(&plain);
}

static void
is_unchanged(struct stage *s)
{
	assert_int_equal(us_registry_sequence(s->registry), BEFORE);
	assert_int_equal(us_vault_entry_of(s->vault.state, BEFORE + 1), NO_ENTRY);
}

static void
goes_through(struct stage *s, size_t i, struct heard *h)
{
	uint8_t before[32];

	memcpy(before, us_registry_digest(s->registry), 32);
	prepared(s, i, -1);
	is_stored(s, i);
	assert_int_equal(h->calls, 0);
	assert_int_equal(us_registry_sequence(s->registry), i); /* it has not happened yet */
	stored(US_OK);
	assert_int_equal(newest(US_MSG_act_commit)->sequence, i + 1);
	assert_int_equal(h->calls, 0);
	logged(s, US_OK, 0, ENTRY + i);
	assert_int_equal(h->calls, 1);
	assert_int_equal(h->result.err, US_OK);
	assert_int_equal(h->result.entry, ENTRY + i);
	assert_int_equal(h->index, ENTRY + i);
	assert_memory_equal(h->before, before, 32);
	assert_int_equal(h->committed.len, act_of(s, i).n);
	assert_memory_equal(h->committed.data, act_of(s, i).p, h->committed.len);
	assert_int_equal(us_registry_sequence(s->registry), i + 1);
	assert_int_equal(us_vault_entry_of(s->vault.state, i + 1), ENTRY + i);
	assert_int_equal(newest_job(US_WRITE_SETTLE_ACT)->number, i + 1);
	assert_int_equal(newest_job(US_WRITE_SETTLE_ACT)->entry, ENTRY + i);
}

static void
one_after_another(void **state)
{
	struct stage *s = *state;

	assert_true(us_vault_acts_are_idle(s->vault.acts));
	assert_int_equal(put(s, "first", &s->heard[0], NULL), US_OK);
	assert_false(us_vault_acts_are_idle(s->vault.acts));
	assert_memory_equal(newest(US_MSG_act_prepare)->act, "first", 5);
	assert_int_equal(put(s, "second", &s->heard[1], NULL), US_OK);
	assert_int_equal(put(s, "third", &s->heard[2], NULL), US_OK);
	assert_int_equal(others.n_sent, 1);
	goes_through(s, BEFORE, &s->heard[0]);
	assert_int_equal(newest(US_MSG_act_prepare)->n, 6);
	assert_memory_equal(newest(US_MSG_act_prepare)->act, "second", 6);
	goes_through(s, BEFORE + 1, &s->heard[1]);
	assert_memory_equal(newest(US_MSG_act_prepare)->act, "third", 5);
	goes_through(s, BEFORE + 2, &s->heard[2]);
	assert_true(us_vault_acts_are_idle(s->vault.acts));
	assert_memory_equal(us_registry_digest(s->registry), us_registry_digest(s->world->reg), 32);
	assert_int_equal(put(s, "fourth", &s->heard[0], NULL), US_OK);
	assert_memory_equal(newest(US_MSG_act_prepare)->act, "fourth", 6);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(s->heard[i].calls, 1);
}

/* What the keeper says of it is what is heard, and the next one's turn comes. */
static void
refused_by_the_keeper(void **state)
{
	struct stage *s = *state;
	const struct heard *h = &s->heard[0];

	assert_int_equal(put(s, "first", &s->heard[0], NULL), US_OK);
	assert_int_equal(put(s, "second", &s->heard[1], NULL), US_OK);
	refused(s);
	assert_int_equal(h->calls, 1);
	assert_int_equal(h->result.err, US_ERR_DENIED);
	assert_int_equal(h->result.reason, US_REASON_FROZEN);
	assert_int_equal(h->result.rule, 3);
	assert_int_equal(h->result.entry, 77);
	assert_string_equal(h->detail, "the vault is frozen");
	assert_null(h->result.before);
	assert_null(h->result.logged);
	assert_int_equal(others.n_jobs, 0);
	is_unchanged(s);
	goes_through(s, BEFORE, &s->heard[1]);
}

static void
is_taken_back(struct stage *s, struct heard *h, int err)
{
	assert_int_equal(newest(US_MSG_act_abort)->sequence, BEFORE + 1);
	assert_int_equal(h->calls, 1);
	assert_int_equal(h->result.err, err);
	assert_int_equal(h->result.entry, NO_ENTRY);
	assert_null(h->result.before);
	assert_null(h->result.logged);
	is_unchanged(s);
	assert_true(us_vault_acts_are_idle(s->vault.acts));
}

static void
no_room_for_it(void **state)
{
	struct stage *s = *state;

	assert_int_equal(put(s, "first", &s->heard[0], NULL), US_OK);
	prepared(s, BEFORE, -1);
	stored(US_ERR_NOSPACE);
	is_taken_back(s, &s->heard[0], US_ERR_NOSPACE);
	assert_int_equal(put(s, "again", &s->heard[1], NULL), US_OK);
	goes_through(s, BEFORE, &s->heard[1]); /* it keeps its number */
}

static void
not_even_queued(void **state)
{
	struct stage *s = *state;

	assert_int_equal(put(s, "first", &s->heard[0], NULL), US_OK);
	others.put_err = US_ERR_BUSY;
	prepared(s, BEFORE, -1);
	is_taken_back(s, &s->heard[0], US_ERR_BUSY);
	assert_int_equal(others.n_jobs, 0);
}

/* A commit that the keeper cannot log has not happened: the store drops it. */
static void
not_committed(void **state)
{
	struct stage *s = *state;
	uint8_t before[32];

	memcpy(before, us_registry_digest(s->registry), 32);
	assert_int_equal(put(s, "first", &s->heard[0], NULL), US_OK);
	assert_int_equal(put(s, "second", &s->heard[1], NULL), US_OK);
	prepared(s, BEFORE, -1);
	stored(US_OK);
	logged(s, US_ERR_NOSPACE, US_REASON_ERROR, 88);
	assert_int_equal(newest_job(US_WRITE_DROP_ACTS)->number, BEFORE + 1);
	assert_int_equal(s->heard[0].calls, 1);
	assert_int_equal(s->heard[0].result.err, US_ERR_NOSPACE);
	assert_int_equal(s->heard[0].result.reason, US_REASON_ERROR);
	assert_int_equal(s->heard[0].result.entry, 88);
	assert_memory_equal(us_registry_digest(s->registry), before, 32);
	is_unchanged(s);
	goes_through(s, BEFORE, &s->heard[1]);
}

static void
what_cannot_be_sent(void **state)
{
	struct stage *s = *state;
	struct us_vault_act_job *job;

	others.send_err = US_ERR_FULL;
	assert_int_equal(put(s, "first", &s->heard[0], &job), US_ERR_FULL);
	assert_null(job);
	assert_true(us_vault_acts_are_idle(s->vault.acts));
	assert_int_equal(s->heard[0].calls, 0);
	others.send_err = US_OK;
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(put(s, "one", &s->heard[i], NULL), US_OK);
	/* those that wait cannot be sent when their turn comes: they are told, each once */
	const uint32_t tag = others.sent[others.n_sent - 1].tag;
	const struct us_msg_act_prepared m = { .err = US_ERR_DENIED, .entry = 5 };
	struct us_buf b;

	us_buf_init(&b, 4096);
	assert_int_equal(us_msg_act_prepared_encode(&b, &m), US_OK);
	others.send_err = US_ERR_FULL;
	assert_int_equal(us_vault_keeper_answer(s->vault.keeper, US_MSG_act_prepared, tag,
			     (struct us_bytes){ b.data, b.len }),
	    US_OK);
	us_buf_free(&b);
	assert_int_equal(s->heard[0].result.entry, 5);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(s->heard[i].calls, 1);
	for (size_t i = 1; i < 3; i++) {
		assert_int_equal(s->heard[i].result.err, US_ERR_FULL);
		assert_int_equal(s->heard[i].result.entry, NO_ENTRY);
	}
	assert_true(us_vault_acts_are_idle(s->vault.acts));
	others.send_err = US_OK;
	s->heard[0].calls = 0;
	assert_int_equal(put(s, "later", &s->heard[0], NULL), US_OK);
	goes_through(s, BEFORE, &s->heard[0]);
}

/* Nobody waits for it, and yet it happens. */
static void
forgotten(void **state)
{
	struct stage *s = *state;
	struct us_vault_act_job *job;

	assert_int_equal(put(s, "first", &s->heard[0], &job), US_OK);
	us_vault_act_forget(job);
	prepared(s, BEFORE, -1);
	stored(US_OK);
	logged(s, US_OK, 0, ENTRY);
	assert_int_equal(s->heard[0].calls, 0);
	assert_int_equal(us_registry_sequence(s->registry), BEFORE + 1);
	assert_int_equal(us_vault_entry_of(s->vault.state, BEFORE + 1), ENTRY);
	assert_true(us_vault_acts_are_idle(s->vault.acts));
}

static void
batches(void **state)
{
	struct stage *s = *state;
	const struct us_msg_batch_prepare m = { .load = 500, .collection = 20, .slot = 3 };

	assert_int_equal(put(s, "first", &s->heard[0], NULL), US_OK);
	assert_int_equal(us_vault_acts_put_batch(s->vault.acts, &m, on_done, &s->heard[1]), US_OK);
	goes_through(s, BEFORE, &s->heard[0]);
	assert_int_equal(newest(US_MSG_batch_prepare)->sequence, 523);
	goes_through(s, BEFORE + 1, &s->heard[1]);
	countdown(0);
	assert_int_equal(us_vault_acts_put_batch(s->vault.acts, &m, on_done, &s->heard[2]),
	    US_ERR_NOMEM);
	countdown(-1);
	assert_true(us_vault_acts_are_idle(s->vault.acts));
}

/* --- want of memory --------------------------------------------------------------------------- */

static void
no_memory_to_put(void **state)
{
	struct stage *s = *state;
	int err = US_ERR_NOMEM;

	for (int at = 0; err != US_OK; at++) {
		assert_true(at < 100);
		assert_int_equal(others.n_sent, 0);
		assert_true(us_vault_acts_are_idle(s->vault.acts));
		countdown(at);
		err = put(s, "an act", &s->heard[0], NULL);
		countdown(-1);
		assert_true(err == US_OK || err == US_ERR_NOMEM || err == US_ERR_BUSY);
	}
	assert_memory_equal(newest(US_MSG_act_prepare)->act, "an act", 6);
	goes_through(s, BEFORE, &s->heard[0]);
}

/* Between prepare and commit it is taken back, whatever memory is wanted for. */
static void
no_memory_to_store(void **state)
{
	struct stage *s = *state;

	for (int at = 0;; at++) {
		assert_true(at < 200);
		s->heard[0].calls = 0;
		others.n_sent = others.n_jobs = 0;
		assert_int_equal(put(s, "an act", &s->heard[0], NULL), US_OK);
		prepared(s, BEFORE, at);
		if (others.n_jobs > 0)
			break;
		assert_true(s->heard[0].result.err != US_OK);
		is_taken_back(s, &s->heard[0], s->heard[0].result.err);
	}
	is_stored(s, BEFORE);
	assert_int_equal(s->heard[0].calls, 0);
}

/* --- the end ---------------------------------------------------------------------------------- */

static void
vault_goes(void **state)
{
	struct stage *s = *state;

	assert_int_equal(put(s, "first", &s->heard[0], NULL), US_OK);
	assert_int_equal(put(s, "second", &s->heard[1], NULL), US_OK);
	prepared(s, BEFORE, -1);
	us_vault_state_leave(s->vault.state);
	stored(US_OK);
	assert_int_equal(others.n_sent, 1); /* the start finds out what counts */
	assert_int_equal(s->heard[0].calls, 0);
}

static void
keeper_goes(void **state)
{
	struct stage *s = *state;

	assert_int_equal(put(s, "first", &s->heard[0], NULL), US_OK);
	prepared(s, BEFORE, -1);
	us_vault_keeper_connect(s->vault.keeper, NULL);
	stored(US_ERR_NOSPACE);
	assert_int_equal(others.n_sent, 1);
	assert_int_equal(s->heard[0].calls, 0);
}

enum lethal {
	ABORT_IS_NOT_SENT,
	COMMIT_IS_NOT_SENT,
	DROP_IS_NOT_QUEUED,
	ENTRY_IS_NOT_QUEUED,
	NO_ANSWER_TO_PREPARE,
	MALFORMED_ANSWER_TO_PREPARE,
	NO_ANSWER_TO_COMMIT,
	DOES_NOT_FOLD,
	LETHAL
};

static void
die(struct stage *s, enum lethal how)
{
	struct us_buf nothing;

	us_buf_init(&nothing, 1);
	(void)put(s, "first", &s->heard[0], NULL);
	if (how == NO_ANSWER_TO_PREPARE || how == MALFORMED_ANSWER_TO_PREPARE)
		answer(s, how == NO_ANSWER_TO_PREPARE ? US_MSG_logged : US_MSG_act_prepared,
		    &nothing);
	prepared(s, how == DOES_NOT_FOLD ? BEFORE + 1 : BEFORE, -1);
	if (how == ABORT_IS_NOT_SENT || how == COMMIT_IS_NOT_SENT)
		others.send_err = US_ERR_NOMEM;
	stored(how == ABORT_IS_NOT_SENT ? US_ERR_NOSPACE : US_OK);
	if (how == NO_ANSWER_TO_COMMIT)
		answer(s, US_MSG_logged, &nothing);
	if (how == DROP_IS_NOT_QUEUED || how == ENTRY_IS_NOT_QUEUED)
		others.put_err = US_ERR_BUSY;
	logged(s, how == DROP_IS_NOT_QUEUED ? US_ERR_NOSPACE : US_OK, 0, ENTRY);
	_exit(0);
}

/* What can neither go on nor be taken back ends the process; what cannot be is a bug. */
static void
no_way_back(void **state)
{
	for (enum lethal how = 0; how < LETHAL; how++) {
		const pid_t pid = fork();
		int status;

		assert_true(pid >= 0);
		if (pid == 0) {
			(void)close(STDERR_FILENO);
			in_child = 1;
			die(*state, how);
		}
		assert_int_equal(waitpid(pid, &status, 0), pid);
		if (how >= NO_ANSWER_TO_PREPARE ?
			!WIFSIGNALED(status) || WTERMSIG(status) != SIGABRT :
			!WIFEXITED(status) || WEXITSTATUS(status) != 1)
			fail_msg("case %d: status %x", (int)how, (unsigned)status);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(one_after_another),
		TEST(refused_by_the_keeper),
		TEST(no_room_for_it),
		TEST(not_even_queued),
		TEST(not_committed),
		TEST(what_cannot_be_sent),
		TEST(forgotten),
		TEST(batches),
		TEST(no_memory_to_put),
		TEST(no_memory_to_store),
		TEST(vault_goes),
		TEST(keeper_goes),
		TEST(no_way_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
