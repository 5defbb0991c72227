/*
 * Acts, one after another, persons' and batches' alike:
 *
 *   PREPARE  the keeper checks and numbers it
 *   STORE    sealed, as prepared, on the disk
 *   COMMIT   the keeper logs it: from here on it has happened; we fold it
 *
 * A failure before the commit is taken back on both sides. One after it cannot be: if the keeper
 * does not answer any more the process ends, and the start finds out what counts.
 */
#include <stdlib.h>
#include <string.h>

#include "crypto/cobblestone.h"
#include "daemon/vault/internal.h"

static void begin(struct us_vault *v);

static void
finish(struct us_vault *v, const struct us_vault_act_result *result)
{
	struct us_vault_act_job *job = v->acts.first;

	/* It stays at the head while its owner hears of it: who puts another act then must not
	 * begin it. */
	if (job->done != NULL)
		job->done(v, job->ctx, result);
	v->acts.first = job->next;
	if (v->acts.first == NULL)
		v->acts.last = NULL;
	us_buf_free(&job->copy);
	free(job);
	us_buf_free(&v->acts.committed);
	if (v->acts.first != NULL)
		begin(v);
}

/* The keeper says no, and why. */
static void
fail_refused(struct us_vault *v, const struct us_msg_act_prepared *m)
{
	char text[513] = "";
	struct us_vault_act_result result = { .err = m->err,
		.reason = (enum us_reason)m->reason,
		.detail = text,
		.rule = m->rule,
		.entry = m->entry };

	if (m->detail.n > 0 && m->detail.n < sizeof text)
		memcpy(text, m->detail.p, m->detail.n);
	finish(v, &result);
}

static void
fail(struct us_vault *v, int err, enum us_reason reason, uint64_t entry)
{
	const struct us_vault_act_result result = { .err = err,
		.reason = reason,
		.detail = "",
		.entry = entry };

	finish(v, &result);
}

/* The keeper may forget the act that it prepared. If it did not hear of that it would take no other
 * one. */
static void
take_back(struct us_vault *v)
{
	const struct us_msg_act_abort abort = { .sequence = v->acts.sequence };
	const int err = us_send_act_abort(v->keeper, 0, &abort);

	if (err != US_OK)
		us_fatal("the keeper cannot be told that an act is taken back: %s. Stopping",
		    us_strerror(err));
}

/* --- commit ----------------------------------------------------------------------------------- */

static void
on_committed(struct us_vault *v, void *ctx, uint16_t type, struct us_bytes body)
{
	struct us_bytes committed = { v->acts.committed.data, v->acts.committed.len };
	struct us_vault_act_result result = { .committed = committed };
	struct us_write settle = { .op = US_WRITE_SETTLE_ACT, .number = v->acts.sequence };
	struct us_msg_logged m;
	uint8_t before[32];

	(void)ctx;
	v->acts.call = 0;
	if (type != US_MSG_logged || us_msg_logged_decode(&m, body.p, body.n) != US_OK)
		us_panic("the keeper's answer to a commit is not one");
	memcpy(before, us_registry_digest(v->registry), sizeof before);
	if (m.err != US_OK) {
		struct us_write drop = { .op = US_WRITE_DROP_ACTS, .number = v->acts.sequence };

		if (us_writer_put(v->writer, &drop) != US_OK)
			us_fatal("cannot take back an act: stopping");
		fail(v, m.err, (enum us_reason)m.reason, m.index);
		return;
	}
	if (us_registry_apply(v->registry, committed, NULL) != US_OK)
		us_panic("an act that the keeper committed does not fold here");
	settle.entry = m.index;
	if (us_vault_start_note_act(v, v->acts.sequence, m.index, committed) != US_OK ||
	    us_writer_put(v->writer, &settle) != US_OK)
		us_fatal("out of memory after a commit: stopping");
	result.entry = m.index;
	result.before = before;
	result.logged = &m;
	finish(v, &result);
}

static void
on_stored(void *ctx, int err, size_t bytes)
{
	struct us_vault *v = ctx;
	struct us_msg_act_commit commit = { .sequence = v->acts.sequence };

	(void)bytes;
	if (v->keeper == NULL || v->leaving)
		return;
	if (err != US_OK) {
		take_back(v);
		fail(v, err, US_REASON_ERROR, NO_ENTRY);
		return;
	}
	v->acts.step = ACT_COMMIT;
	v->acts.call = us_vault_keeper_call_new(v, on_committed, NULL);
	err = v->acts.call == 0 ? US_ERR_BUSY :
				  us_send_act_commit(v->keeper, v->acts.call, &commit);
	if (err != US_OK)
		us_fatal("cannot ask the keeper to commit: %s. Stopping", us_strerror(err));
}

/* --- prepare ---------------------------------------------------------------------------------- */

static int
store_prepared(struct us_vault *v)
{
	struct us_write job = { .op = US_WRITE_ACT,
		.number = v->acts.sequence,
		.done = on_stored,
		.ctx = v };
	struct us_bytes committed = { v->acts.committed.data, v->acts.committed.len };
	struct us_buf sealed;
	uint8_t context[96];
	size_t n;
	int err;

	us_buf_init(&sealed, US_ACT_COMMITTED_MAX + 65536);
	err = us_vault_act_context(v, v->acts.sequence, context, &n);
	if (err == US_OK)
		err = us_cobblestone_seal_to(v->state_key, (struct us_bytes){ context, n },
		    committed, &sealed);
	if (err == US_OK) {
		job.data = (struct us_bytes){ sealed.data, sealed.len };
		err = us_writer_put(v->writer, &job);
	}
	us_buf_free(&sealed);
	return err;
}

static void
on_prepared(struct us_vault *v, void *ctx, uint16_t type, struct us_bytes body)
{
	struct us_msg_act_prepared m;
	int err;

	(void)ctx;
	v->acts.call = 0;
	if (type != US_MSG_act_prepared || us_msg_act_prepared_decode(&m, body.p, body.n) != US_OK)
		us_panic("the keeper's answer to a prepare is not one");
	if (m.err != US_OK) {
		fail_refused(v, &m);
		return;
	}
	v->acts.step = ACT_STORE;
	v->acts.sequence = m.sequence;
	us_buf_init(&v->acts.committed, US_ACT_COMMITTED_MAX);
	err = us_buf_put(&v->acts.committed, m.committed.p, m.committed.n);
	if (err == US_OK)
		err = store_prepared(v);
	if (err != US_OK) {
		take_back(v);
		fail(v, err, US_REASON_ERROR, NO_ENTRY);
	}
}

static void
begin(struct us_vault *v)
{
	struct us_vault_act_job *job = v->acts.first;
	int err;

	v->acts.step = ACT_PREPARE;
	v->acts.call = us_vault_keeper_call_new(v, on_prepared, NULL);
	if (v->acts.call == 0)
		err = US_ERR_BUSY;
	else if (job->is_batch)
		err = us_send_batch_prepare(v->keeper, v->acts.call, &job->batch);
	else
		err = us_send_act_prepare(v->keeper, v->acts.call, &job->act);
	if (us_vault_keeper_call_sent(v, &v->acts.call, err) != US_OK)
		fail(v, err, US_REASON_ERROR, NO_ENTRY);
}

void
us_vault_acts_put(struct us_vault *v, struct us_vault_act_job *job)
{
	job->next = NULL;
	if (v->acts.last != NULL) {
		v->acts.last->next = job;
		v->acts.last = job;
		return;
	}
	v->acts.first = v->acts.last = job;
	begin(v);
}

void
us_vault_acts_free(struct us_vault *v)
{
	struct us_vault_act_job *job;

	while ((job = v->acts.first) != NULL) {
		v->acts.first = job->next;
		us_buf_free(&job->copy);
		free(job);
	}
	us_buf_free(&v->acts.committed);
}
