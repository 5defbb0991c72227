#include "daemon/keeper/answer.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/log.h"
#include "base/time.h"
#include "daemon/keeper/counters.h"
#include "daemon/keeper/internal.h"
#include "daemon/keeper/low_space.h"
#include "daemon/keeper/peers.h"
#include "daemon/process/counts.h"

#define TELL_NS US_NS_PER_SECOND

/* Invariant: tail is &first or the next of the last. */
struct us_pending_list {
	struct us_pending *first, **tail;
};

struct us_keeper_queue {
	struct us_pending_list ready;
	struct us_pending_list held; /* refusals that are counted, and have no entry yet */
	int64_t told_mono;           /* when the last entry of such was written */
	int64_t last_entry_mono;
	uint32_t stops, stops_heard;
};

static void
add(struct us_pending_list *list, struct us_pending *p)
{
	p->next = NULL;
	*list->tail = p;
	list->tail = &p->next;
}

/* Empties the list; returns what was in it. */
static struct us_pending *
take_all(struct us_pending_list *list)
{
	struct us_pending *first = list->first;

	list->first = NULL;
	list->tail = &list->first;
	return first;
}

static void
free_all(struct us_pending *p)
{
	while (p != NULL) {
		struct us_pending *next = p->next;

		free(p->data);
		free(p);
		p = next;
	}
}

static void
forget(struct us_pending *p, const struct us_channel *ch)
{
	for (; p != NULL; p = p->next) {
		if (p->ch == ch)
			p->ch = NULL;
	}
}

int
us_keeper_queue_new(struct us_keeper *k)
{
	k->queue = calloc(1, sizeof *k->queue);
	if (k->queue == NULL)
		return US_ERR_NOMEM;
	(void)take_all(&k->queue->ready);
	(void)take_all(&k->queue->held);
	return US_OK;
}

void
us_keeper_queue_free(struct us_keeper *k)
{
	if (k->queue != NULL) {
		free_all(k->queue->ready.first);
		free_all(k->queue->held.first);
	}
	free(k->queue);
	k->queue = NULL;
}

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
	k->queue->last_entry_mono = us_time_mono_ns();
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
	add(copy->index == US_SPACE_HELD ? &k->queue->held : &k->queue->ready, copy);
	return US_OK;
}

int
us_keeper_tell_held(struct us_keeper *k, int at_once)
{
	struct us_keeper_queue *q = k->queue;
	struct us_entry_access a;
	struct us_entry_in e = { .entry_class = US_CLASS_NOISE, .access = &a };
	uint8_t counts[US_COUNTS_BYTES];
	struct us_pending *p, *next;
	uint64_t index;
	int64_t time_ns;

	if (q->held.first == NULL)
		return 0;
	if (!at_once && us_time_mono_ns() - q->told_mono < TELL_NS)
		return 1;
	us_entry_access_init(&a);
	a.kind = US_KIND_EVENT;
	a.action = US_ACTION_REFUSALS;
	a.decision = US_DECISION_DENY;
	a.reason = US_REASON_LOW_SPACE;
	a.event = (struct us_event){ .form = US_EVENT_COUNTS,
		.counts = { { counts, us_low_space_take_counts(k, counts, sizeof counts) } } };
	if (us_keeper_append(k, &e, &index, &time_ns) != US_OK)
		us_fatal("refusals were counted but their entry cannot be written. Stopping");
	for (p = take_all(&q->held); p != NULL; p = next) {
		next = p->next;
		p->index = index;
		p->time_ns = time_ns;
		add(&q->ready, p);
	}
	q->told_mono = us_time_mono_ns();
	return 1;
}

uint32_t
us_keeper_stop_told(struct us_keeper *k)
{
	return ++k->queue->stops;
}

void
us_keeper_stop_heard(struct us_keeper *k, uint32_t number)
{
	k->queue->stops_heard = number;
}

uint32_t
us_keeper_stops(const struct us_keeper *k)
{
	return k->queue->stops;
}

uint32_t
us_keeper_stops_heard(const struct us_keeper *k)
{
	return k->queue->stops_heard;
}

void
us_keeper_stops_begin(struct us_keeper *k)
{
	k->queue->stops = k->queue->stops_heard = 0;
}

int64_t
us_keeper_last_entry(const struct us_keeper *k)
{
	return k->queue->last_entry_mono;
}

void
us_keeper_forget_channel(struct us_keeper *k, const struct us_channel *ch)
{
	forget(k->queue->ready.first, ch);
	forget(k->queue->held.first, ch);
}

static void
send_checkpoint(struct us_keeper *k)
{
	struct us_msg_checkpoint m = { .tree_size = us_klog_size(k->klog),
		.text = us_klog_checkpoint(k->klog) };
	struct us_channel *vault = us_peers_vault(k);
	int err = vault == NULL ? US_OK : us_send_checkpoint(vault, 0, &m);

	if (err != US_OK)
		us_fatal("the checkpoint cannot be sent: %s", us_strerror(err));
}

void
us_keeper_settle(struct us_keeper *k)
{
	struct us_pending *p = k->queue->ready.first;
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
	us_counters_save(k);
	err = us_klog_commit(k->klog);
	if (err != US_OK)
		us_fatal("the log cannot be committed: %s. Stopping: nothing is answered that is "
			 "not "
			 "logged",
		    us_strerror(err));
	if (committed || before != us_klog_size(k->klog) || p != NULL)
		send_checkpoint(k);
	(void)take_all(&k->queue->ready);
	while (p != NULL) {
		struct us_pending *next = p->next;

		if ((int32_t)(k->queue->stops_heard - p->behind_stop) < 0) {
			/* durable, and not to be told before the sealer knows */
			add(&k->queue->ready, p);
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
