#include "daemon/vault/state/acts.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/log.h"
#include "daemon/vault/state/keeper.h"
#include "daemon/vault/state/rooms.h"
#include "daemon/vault/state/state.h"
#include "daemon/vault/state/writer.h"

#define JOB_MAX (2u << 20)

struct us_vault_act_job {
	struct us_vault_act_job *next;
	int is_batch;
	struct us_msg_batch_prepare batch;
	struct us_msg_act_prepare act; /* views of copy */
	struct us_buf copy;
	us_vault_act_done_fn done; /* NULL: forgotten */
	void *ctx;
};

/* The first one is under way. */
struct us_vault_acts {
	struct us_vault *vault;
	struct us_vault_act_job *first, *last;
	struct us_buf committed; /* of the first, once the keeper has prepared it */
	uint64_t sequence;
	uint32_t call;
};

static int begin(struct us_vault_acts *a);

static void
job_free(struct us_vault_act_job *job)
{
	us_buf_free(&job->copy);
	free(job);
}

static void
take_first(struct us_vault_acts *a)
{
	struct us_vault_act_job *job = a->first;

	a->first = job->next;
	if (a->first == NULL)
		a->last = NULL;
	job_free(job);
	us_buf_free(&a->committed);
}

static void
finish(struct us_vault_acts *a, const struct us_vault_act_result *result)
{
	const struct us_vault_act_job *job = a->first;
	int err;

	/* It stays at the head while its owner hears of it: who puts another act then must not
	 * begin it. */
	if (job->done != NULL)
		job->done(job->ctx, result);
	take_first(a);
	while (a->first != NULL && (err = begin(a)) != US_OK) {
		const struct us_vault_act_result failed = { .err = err,
			.reason = US_REASON_ERROR,
			.detail = "",
			.entry = NO_ENTRY };

		if (a->first->done != NULL)
			a->first->done(a->first->ctx, &failed);
		take_first(a);
	}
}

/* The keeper says no, and why. */
static void
fail_refused(struct us_vault_acts *a, const struct us_msg_act_prepared *m)
{
	char text[513] = "";
	struct us_vault_act_result result = { .err = m->err,
		.reason = (enum us_reason)m->reason,
		.detail = text,
		.rule = m->rule,
		.entry = m->entry };

	if (m->detail.n > 0 && m->detail.n < sizeof text)
		memcpy(text, m->detail.p, m->detail.n);
	finish(a, &result);
}

static void
fail(struct us_vault_acts *a, int err, enum us_reason reason, uint64_t entry)
{
	const struct us_vault_act_result result = { .err = err,
		.reason = reason,
		.detail = "",
		.entry = entry };

	finish(a, &result);
}

/* The keeper may forget the act that it prepared. If it did not hear of that it would take no other
 * one. */
static void
take_back(struct us_vault_acts *a)
{
	const struct us_msg_act_abort abort = { .sequence = a->sequence };
	const int err = us_send_act_abort(us_vault_keeper_channel(a->vault->keeper), 0, &abort);

	if (err != US_OK)
		us_fatal("the keeper cannot be told that an act is taken back: %s. Stopping",
		    us_strerror(err));
}

/* --- commit ----------------------------------------------------------------------------------- */

static void
on_committed(void *ctx, uint16_t type, struct us_bytes body)
{
	struct us_vault_acts *a = ctx;
	struct us_vault_state *state = a->vault->state;
	struct us_registry *reg = us_vault_registry(state);
	const struct us_bytes committed = { a->committed.data, a->committed.len };
	struct us_vault_act_result result = { .committed = committed };
	struct us_write settle = { .op = US_WRITE_SETTLE_ACT, .number = a->sequence };
	struct us_msg_logged m;
	uint8_t before[32];

	a->call = 0;
	if (type != US_MSG_logged || us_msg_logged_decode(&m, body.p, body.n) != US_OK)
		us_panic("the keeper's answer to a commit is not one");
	memcpy(before, us_registry_digest(reg), sizeof before);
	if (m.err != US_OK) {
		struct us_write drop = { .op = US_WRITE_DROP_ACTS, .number = a->sequence };

		if (us_writer_put(a->vault->writer, &drop) != US_OK)
			us_fatal("cannot take back an act: stopping");
		fail(a, m.err, (enum us_reason)m.reason, m.index);
		return;
	}
	if (us_registry_apply(reg, committed, NULL) != US_OK)
		us_panic("an act that the keeper committed does not fold here");
	settle.entry = m.index;
	if (us_vault_note_act(state, a->sequence, m.index, committed) != US_OK ||
	    us_writer_put(a->vault->writer, &settle) != US_OK)
		us_fatal("out of memory after a commit: stopping");
	result.entry = m.index;
	result.before = before;
	result.logged = &m;
	finish(a, &result);
}

static void
on_stored(void *ctx, int err, size_t bytes)
{
	struct us_vault_acts *a = ctx;
	struct us_vault_keeper *k = a->vault->keeper;
	struct us_msg_act_commit commit = { .sequence = a->sequence };

	(void)bytes;
	if (us_vault_keeper_channel(k) == NULL || us_vault_is_leaving(a->vault->state))
		return;
	if (err != US_OK) {
		take_back(a);
		fail(a, err, US_REASON_ERROR, NO_ENTRY);
		return;
	}
	a->call = us_vault_keeper_call(k, on_committed, a);
	err = a->call == 0 ? US_ERR_BUSY :
			     us_send_act_commit(us_vault_keeper_channel(k), a->call, &commit);
	if (err != US_OK)
		us_fatal("cannot ask the keeper to commit: %s. Stopping", us_strerror(err));
}

/* --- prepare ---------------------------------------------------------------------------------- */

static int
store_prepared(struct us_vault_acts *a)
{
	struct us_write job = { .op = US_WRITE_ACT,
		.number = a->sequence,
		.done = on_stored,
		.ctx = a };
	const struct us_bytes committed = { a->committed.data, a->committed.len };
	struct us_buf sealed;
	int err;

	us_buf_init(&sealed, US_ACT_COMMITTED_MAX + 65536);
	err = us_vault_act_seal(a->vault->state, a->sequence, committed, &sealed);
	if (err == US_OK) {
		job.data = (struct us_bytes){ sealed.data, sealed.len };
		err = us_writer_put(a->vault->writer, &job);
	}
	us_buf_free(&sealed);
	return err;
}

static void
on_prepared(void *ctx, uint16_t type, struct us_bytes body)
{
	struct us_vault_acts *a = ctx;
	struct us_msg_act_prepared m;
	int err;

	a->call = 0;
	if (type != US_MSG_act_prepared || us_msg_act_prepared_decode(&m, body.p, body.n) != US_OK)
		us_panic("the keeper's answer to a prepare is not one");
	if (m.err != US_OK) {
		fail_refused(a, &m);
		return;
	}
	a->sequence = m.sequence;
	us_buf_init(&a->committed, US_ACT_COMMITTED_MAX);
	err = us_buf_put(&a->committed, m.committed.p, m.committed.n);
	if (err == US_OK)
		err = store_prepared(a);
	if (err != US_OK) {
		take_back(a);
		fail(a, err, US_REASON_ERROR, NO_ENTRY);
	}
}

static int
begin(struct us_vault_acts *a)
{
	struct us_vault_keeper *k = a->vault->keeper;
	int err = US_ERR_BUSY;

	a->call = us_vault_keeper_call(k, on_prepared, a);
	if (a->call != 0)
		err = a->first->is_batch ?
		    us_send_batch_prepare(us_vault_keeper_channel(k), a->call, &a->first->batch) :
		    us_send_act_prepare(us_vault_keeper_channel(k), a->call, &a->first->act);
	return us_vault_keeper_call_sent(k, &a->call, err);
}

/* --- putting ---------------------------------------------------------------------------------- */

/* Takes over job, also if it fails. */
static int
put(struct us_vault_acts *a, struct us_vault_act_job *job)
{
	int err = US_OK;

	if (a->last != NULL) {
		a->last->next = job;
		a->last = job;
		return US_OK;
	}
	a->first = a->last = job;
	err = begin(a);
	if (err != US_OK)
		take_first(a);
	return err;
}

static struct us_vault_act_job *
job_new(us_vault_act_done_fn done, void *ctx)
{
	struct us_vault_act_job *job = calloc(1, sizeof *job);

	if (job == NULL)
		return NULL;
	us_buf_init(&job->copy, JOB_MAX);
	job->done = done;
	job->ctx = ctx;
	return job;
}

/* Whoever asked may end before the act does: the job has bytes of its own. */
static int
copy_act(struct us_vault_act_job *job, const struct us_msg_act_prepare *m)
{
	int err = us_buf_put(&job->copy, m->peer.p, m->peer.n);
	const uint8_t *p;

	if (err == US_OK)
		err = us_buf_put(&job->copy, m->act.p, m->act.n);
	if (err == US_OK)
		err = us_buf_put(&job->copy, m->signature.p, m->signature.n);
	p = job->copy.data;
	job->act = *m;
	job->act.peer.p = p;
	job->act.act.p = p + m->peer.n;
	job->act.signature.p = p + m->peer.n + m->act.n;
	return err;
}

int
us_vault_acts_put(struct us_vault_acts *a, const struct us_msg_act_prepare *m,
    us_vault_act_done_fn done, void *ctx, struct us_vault_act_job **out)
{
	struct us_vault_act_job *job = job_new(done, ctx);
	int err = job == NULL ? US_ERR_NOMEM : copy_act(job, m);

	*out = NULL;
	if (err != US_OK) {
		if (job != NULL)
			job_free(job);
		return err;
	}
	err = put(a, job);
	if (err == US_OK)
		*out = job;
	return err;
}

int
us_vault_acts_put_batch(struct us_vault_acts *a, const struct us_msg_batch_prepare *m,
    us_vault_act_done_fn done, void *ctx)
{
	struct us_vault_act_job *job = job_new(done, ctx);

	if (job == NULL)
		return US_ERR_NOMEM;
	job->is_batch = 1;
	job->batch = *m;
	return put(a, job);
}

void
us_vault_act_forget(struct us_vault_act_job *job)
{
	job->done = NULL;
}

int
us_vault_acts_are_idle(const struct us_vault_acts *a)
{
	return a->first == NULL;
}

int
us_vault_acts_new(struct us_vault_acts **out, struct us_vault *v)
{
	*out = calloc(1, sizeof **out);
	if (*out == NULL)
		return US_ERR_NOMEM;
	(*out)->vault = v;
	return US_OK;
}

void
us_vault_acts_free(struct us_vault_acts *a)
{
	if (a == NULL)
		return;
	while (a->first != NULL)
		take_first(a);
	us_buf_free(&a->committed);
	free(a);
}
