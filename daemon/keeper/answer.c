/* From an entry to its answer: append, commit, send. Nothing is sent that its entry's commit does
 * not cover. */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/log.h"
#include "base/time.h"
#include "daemon/keeper/internal.h"

int
us_keeper_append(struct us_keeper *k, struct us_entry_in *e, uint64_t *index, int64_t *time_ns)
{
	const struct us_order *order = us_registry_order(k->registry);

	if (us_low_space_holds(k, e)) {
		*index = US_SPACE_HELD;
		*time_ns = us_klog_last_time(k->klog);
		return US_OK;
	}
	e->order_version = order == NULL ? 0 : order->version;
	k->last_entry_mono = us_time_mono_ns();
	return us_klog_append(k->klog, e, index, time_ns);
}

int
us_keeper_event(struct us_keeper *k, enum us_action action, enum us_decision decision,
    enum us_reason reason, const struct us_event *event, uint64_t *index)
{
	struct us_entry_access a;
	struct us_entry_in e = { .entry_class = US_CLASS_SYSTEM, .access = &a };
	uint64_t at;
	int64_t time_ns;
	int err;

	us_entry_access_init(&a);
	a.kind = US_KIND_EVENT;
	a.action = action;
	a.decision = decision;
	a.reason = reason;
	if (event != NULL)
		a.event = *event;
	err = us_keeper_append(k, &e, &at, &time_ns);
	if (err != US_OK)
		us_log_err(err, "the log cannot take the event \"%s\"", us_action_name(action));
	else if (index != NULL)
		*index = at;
	return err;
}

void
us_keeper_fill_person(const struct us_keeper *k, struct us_entry_access *a,
    const uint8_t credential[32])
{
	const struct us_person *person;

	memcpy(a->credential, credential, 32);
	(void)us_registry_standing(k->registry, credential, us_time_now_ns(), &person, NULL);
	if (person == NULL)
		return;
	a->person = person->id;
	a->n_parties = person->n_parties;
	for (size_t i = 0; i < person->n_parties; i++)
		a->parties[i] = us_bytes_of(person->parties[i]);
}

int
us_keeper_answer(struct us_keeper *k, const struct us_pending *p)
{
	struct us_pending *copy = malloc(sizeof *copy);

	if (copy == NULL) {
		free(p->data);
		return US_ERR_NOMEM;
	}
	*copy = *p;
	if (copy->index == US_SPACE_HELD) {
		us_low_space_hold(k, copy);
		return US_OK;
	}
	copy->next = NULL;
	*k->pending_tail = copy;
	k->pending_tail = &copy->next;
	return US_OK;
}

void
us_keeper_forget_channel(struct us_keeper *k, struct us_channel *ch)
{
	for (struct us_pending *p = k->pending; p != NULL; p = p->next) {
		if (p->ch == ch)
			p->ch = NULL;
	}
	for (struct us_pending *p = k->space.held; p != NULL; p = p->next) {
		if (p->ch == ch)
			p->ch = NULL;
	}
}

static void
send_checkpoint(struct us_keeper *k)
{
	struct us_msg_checkpoint m = { .tree_size = us_klog_size(k->klog),
		.text = us_klog_checkpoint(k->klog) };
	int err = k->vault == NULL ? US_OK : us_send_checkpoint(k->vault, 0, &m);

	if (err != US_OK)
		us_fatal("the checkpoint cannot be sent: %s", us_strerror(err));
}

void
us_keeper_settle(struct us_keeper *k)
{
	struct us_pending *p = k->pending;
	int committed = us_klog_open_group(k->klog) > 0;
	uint64_t before = us_klog_size(k->klog);
	int err;

	if (us_klog_clock_went_back(k->klog)) {
		us_log(US_LOG_WARNING,
		    "the clock was set back: entries keep the time of the newest one "
		    "until it has caught up");
		(void)us_keeper_event(k, US_ACTION_CLOCK, US_DECISION_NONE, US_REASON_CLOCK, NULL,
		    NULL);
		committed = 1;
	}
	us_answers_save(k);
	err = us_klog_commit(k->klog);
	if (err != US_OK)
		us_fatal("the log cannot be committed: %s. Stopping: nothing is answered that is "
			 "not "
			 "logged",
		    us_strerror(err));
	if (committed || before != us_klog_size(k->klog) || p != NULL)
		send_checkpoint(k);
	k->pending = NULL;
	k->pending_tail = &k->pending;
	while (p != NULL) {
		struct us_pending *next = p->next;

		if (!us_loads_heard(k, p->behind_stop)) {
			/* durable, and not to be told before the sealer knows */
			p->next = NULL;
			*k->pending_tail = p;
			k->pending_tail = &p->next;
			p = next;
			continue;
		}
		err = p->finish(k, p);
		/* who has been given something and does not hear of it would wait for ever */
		if (err != US_OK && p->ch != NULL)
			us_channel_fail(p->ch, err);
		free(p->data);
		free(p);
		p = next;
	}
}

int
us_keeper_fill_logged(struct us_keeper *k, const struct us_pending *p, struct us_msg_logged *m,
    uint8_t proof[2048])
{
	struct us_digest hashes[US_PROOF_MAX];
	size_t n;
	int err = us_klog_proof(k->klog, p->index, hashes, &n);

	if (err != US_OK)
		return err;
	if (n * 32 > 2048)
		return US_ERR_LIMIT;
	memcpy(proof, hashes, n * 32);
	m->index = p->index;
	m->time = p->time_ns;
	m->tree_size = us_klog_size(k->klog);
	m->proof = (struct us_bytes){ proof, n * 32 };
	return US_OK;
}

int
us_keeper_send_logged(struct us_keeper *k, const struct us_pending *p, int err,
    enum us_reason reason)
{
	struct us_msg_logged m = { .err = (uint8_t)err, .reason = (uint8_t)reason };
	uint8_t proof[2048];
	int failed = us_keeper_fill_logged(k, p, &m, proof);

	if (failed != US_OK)
		return failed;
	return p->ch == NULL ? US_OK : us_send_logged(p->ch, p->tag, &m);
}
