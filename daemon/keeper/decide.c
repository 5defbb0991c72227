#include "daemon/keeper/decide.h"

#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/time.h"
#include "daemon/keeper/approve.h"
#include "daemon/keeper/internal.h"
#include "daemon/keeper/ledger.h"
#include "daemon/keeper/low_space.h"
#include "daemon/keeper/session.h"
#include "daemon/keeper/vault_entry.h"
#include "registry/withheld.h"

static void
deny(struct us_log_answer *a, int err, enum us_reason reason)
{
	a->err = err;
	a->reason = reason;
}

/* Opening a collection's index comes before any request on it: it is for whoever may do anything
 * with its evidence. It discloses nothing, so limits over time are not asked. */
static int
may_open_collection(const struct us_keeper *k, const struct us_subject *subject,
    struct us_context *context, struct us_ruling *ruling)
{
	context->unknown |= US_UNKNOWN_USAGE;
	for (unsigned any = 1; any < US_ACTIONS_MAX; any++) {
		if (!us_action_row(any)->opens_index)
			continue;
		us_order_evaluate(us_registry_order(k->registry), subject, (enum us_action)any,
		    context, ruling);
		if (ruling->decision == US_DECISION_ALLOW ||
		    ruling->reason == US_REASON_PURPOSE_MISSING)
			return 1;
	}
	return 0;
}

/* The rule that refuses wants approvals: are there some for exactly this? */
static void
ask_approvers(const struct us_keeper *k, const struct us_msg_log *m,
    const struct us_ledger_question *question, struct us_context *context, struct us_log_answer *a,
    struct us_ruling *ruling)
{
	const struct us_act_approval request = { .action = question->action,
		.collection = m->collection,
		.purpose = m->purpose,
		.query = question->action == US_ACTION_COUNT ? m->query :
							       (struct us_bytes){ NULL, 0 },
		.records = question->action == US_ACTION_COUNT ? (struct us_bytes){ NULL, 0 } :
								 m->records };
	struct us_approved approved;

	if (us_approval_find(k, question->person, &request, &approved) != US_OK || approved.n == 0)
		return;
	context->approvers = approved.approvers;
	context->n_approvers = approved.n;
	us_ledger_evaluate(k, question, context, ruling);
	context->n_approvers = 0;
	context->approvers = NULL;
	a->approval = ruling->decision == US_DECISION_ALLOW ? approved.number : 0;
}

static uint32_t
least(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

/* Whatever opens a record is a read of it, too: as far as the order goes, its limits and approvals
 * with it. A copy has meters and approvals of its own. Nothing but a read uses up its approval. */
static void
decide_as_read(const struct us_keeper *k, struct us_ledger_question *question,
    struct us_context *context, struct us_log_answer *a, struct us_ruling *ruling)
{
	const struct us_remaining was = a->left;
	struct us_ruling reading;

	if (question->action == US_ACTION_COPY)
		context->unknown |= US_UNKNOWN_USAGE | US_UNKNOWN_APPROVAL;
	question->action = US_ACTION_READ;
	us_ledger_evaluate(k, question, context, &reading);
	a->left.consecutive = least(was.consecutive, reading.left.consecutive);
	a->left.per_day = least(was.per_day, reading.left.per_day);
	a->left.life = least(was.life, reading.left.life);
	a->left.share = least(was.share, reading.left.share);
	if (reading.decision != US_DECISION_ALLOW)
		*ruling = reading;
}

static void
decide_by_order(const struct us_keeper *k, const struct us_msg_log *m,
    const struct us_person *person, struct us_log_answer *a, struct us_ruling *ruling)
{
	const struct us_collection *c = us_registry_collection(k->registry, m->collection);
	const struct us_subject subject = us_registry_subject(k->registry, person,
	    us_time_now_ns());
	struct us_ledger_question question = { .person = person,
		.action = (enum us_action)m->action,
		.collection = m->collection };
	struct us_context context;

	us_keeper_context(k, m->credential, m->peer, &context);
	if (c != NULL)
		context.collection = us_bytes_of(c->name);
	context.purpose = m->purpose;
	context.records = m->records.n / 8;
	if (m->collection != 0 && c == NULL) {
		deny(a, US_ERR_NOT_FOUND, US_REASON_NOT_FOUND);
		return;
	}
	if (m->action == US_ACTION_OPEN_COLLECTION) {
		if (!may_open_collection(k, &subject, &context, ruling))
			deny(a, US_ERR_DENIED, ruling->reason);
		return;
	}
	if (m->kind == US_KIND_DISCLOSURE)
		question.records = m->records;
	/* what a read or copy opens first, words of rules, discloses nothing: its approval is asked
	 * with the records */
	if (m->kind == US_KIND_INTENT &&
	    (m->action == US_ACTION_READ || m->action == US_ACTION_COPY))
		context.unknown |= US_UNKNOWN_APPROVAL;
	/* that of a count was asked, and used, with the query: what follows is its result */
	if (m->kind == US_KIND_DISCLOSURE && m->action == US_ACTION_COUNT)
		context.unknown |= US_UNKNOWN_APPROVAL;
	us_ledger_evaluate(k, &question, &context, ruling);
	if (ruling->reason == US_REASON_APPROVAL &&
	    (m->action == US_ACTION_READ || m->action == US_ACTION_COPY ||
		m->action == US_ACTION_COUNT))
		ask_approvers(k, m, &question, &context, a, ruling);
	a->left = ruling->left;
	if (ruling->decision == US_DECISION_ALLOW && m->kind == US_KIND_DISCLOSURE &&
	    m->records.n > 0 && m->action != US_ACTION_READ)
		decide_as_read(k, &question, &context, a, ruling);
	if (ruling->decision == US_DECISION_ALLOW)
		return;
	deny(a, US_ERR_DENIED, ruling->reason);
	a->rule = ruling->rule;
	a->cure = ruling->cure;
}

/* A batch that is held is for the eyes of the party that loaded it. */
static int
same_party(const struct us_keeper *k, const struct us_person *person, uint32_t loader)
{
	const struct us_person *who = us_registry_person(k->registry, loader);

	return who != NULL &&
	    (who->id == person->id || (who->party_bits & person->party_bits) != 0);
}

/* 1 if the record is frozen, or clawed back and not shown to this capacity. */
static int
is_withheld(const struct us_keeper *k, uint32_t collection, uint64_t record, int withholds,
    const struct us_person *person, struct us_log_answer *a)
{
	const uint32_t sees = us_registry_order(k->registry)->workflows.clawback_visible;
	const unsigned why = withholds ? us_registry_withheld(k->registry, collection, record) : 0;

	if ((why & US_WITHHELD_FREEZE) != 0)
		deny(a, US_ERR_DENIED, US_REASON_FROZEN);
	else if ((why & US_WITHHELD_CLAWBACK) != 0 &&
	    (sees & US_CAPACITY_BIT(person->capacity)) == 0)
		deny(a, US_ERR_DENIED, US_REASON_CLAWED_BACK);
	else
		return 0;
	return 1;
}

static void
check_records(const struct us_keeper *k, const struct us_msg_log *m, const struct us_person *person,
    struct us_log_answer *a)
{
	const int withholds = us_registry_withholds(k->registry, m->collection,
	    US_WITHHELD_CLAWBACK | US_WITHHELD_FREEZE);

	for (size_t i = 0; i < m->records.n; i += 8) {
		const struct us_batch *b = us_registry_batch_of(k->registry, m->collection,
		    us_load_u64(m->records.p + i));

		if (b == NULL)
			deny(a, US_ERR_NOT_FOUND, US_REASON_NOT_FOUND);
		else if (b->status == US_BATCH_WITHDRAWN)
			deny(a, US_ERR_DENIED, US_REASON_WITHDRAWN);
		else if (b->status == US_BATCH_HELD && !same_party(k, person, b->facts.loaded_by))
			deny(a, US_ERR_DENIED, US_REASON_HELD);
		else if (is_withheld(k, m->collection, us_load_u64(m->records.p + i), withholds,
			     person, a))
			;
		else if (b->status == US_BATCH_LIVE || b->status == US_BATCH_HELD)
			continue;
		else
			deny(a, US_ERR_NOT_FOUND, US_REASON_NOT_FOUND);
		return;
	}
}

const struct us_copy *
us_log_copy(const struct us_keeper *k, const struct us_msg_log *m)
{
	if ((m->flags & US_LOG_COPY) == 0 || m->note.n < 8)
		return NULL;
	return us_registry_copy(k->registry, us_load_u64(m->note.p));
}

/* What leaves as a copy is what its taker has signed for, and nothing else. */
static void
check_copy(const struct us_keeper *k, const struct us_msg_log *m, const struct us_person *person,
    struct us_log_answer *a)
{
	const struct us_copy *c = us_log_copy(k, m);
	uint32_t low, high, middle;

	if (c == NULL || c->person != person->id || c->collection != m->collection) {
		deny(a, US_ERR_DENIED, US_REASON_STATE);
		return;
	}
	for (size_t i = 0; i < m->records.n; i += 8) {
		const uint64_t record = us_load_u64(m->records.p + i);

		for (low = 0, high = c->n; low < high;) {
			middle = low + (high - low) / 2;
			if (c->records[middle] < record)
				low = middle + 1;
			else
				high = middle;
		}
		if (low == c->n || c->records[low] != record) {
			deny(a, US_ERR_DENIED, US_REASON_STATE);
			return;
		}
	}
}

uint32_t
us_log_eras(const struct us_keeper *k, uint32_t collection)
{
	const struct us_collection *c = us_registry_collection(k->registry, collection);

	return c == NULL || c->next_record == 0 ?
	    0 :
	    (uint32_t)((c->next_record - 1) >> US_ERA_SHIFT) + 1;
}

/* The load that is opened; or, of one that is there, whether it is this person's own and stands. */
static void
name_load(struct us_keeper *k, const struct us_msg_log *m, const struct us_person *person,
    struct us_log_answer *a)
{
	enum us_reason reason;

	a->load->id = m->load;
	a->load->collection = m->collection;
	a->load->person = person->id;
	memcpy(a->load->credential, m->credential, 32);
	a->load->purpose_n = m->purpose.n < sizeof a->load->purpose ? m->purpose.n :
								      sizeof a->load->purpose;
	if (m->purpose.n > 0)
		memcpy(a->load->purpose, m->purpose.p, a->load->purpose_n);
	(void)snprintf(a->load->peer, sizeof a->load->peer, "%.*s", (int)m->peer.n,
	    (const char *)m->peer.p);
	reason = us_load_may_open(k, a->load);
	if (reason == US_REASON_NONE)
		return;
	deny(a, US_ERR_DENIED, reason);
	a->granted = 0;
}

void
us_log_decide(struct us_keeper *k, const struct us_msg_log *m, struct us_log_answer *a,
    struct us_ruling *ruling)
{
	const int asks = m->decision == US_DECISION_ALLOW &&
	    (m->kind == US_KIND_INTENT || m->kind == US_KIND_DISCLOSURE);
	const int evidence = us_action_row(m->action)->is_evidence;
	const struct us_person *person;

	if (!asks) /* refusals, outcomes, events: written down, and that is all */
		return;
	a->reason = us_keeper_session(k, m->session, m->credential, &person);
	if (a->reason != US_REASON_NONE) {
		deny(a, a->reason == US_REASON_SEALED ? US_ERR_SEALED : US_ERR_DENIED, a->reason);
		return;
	}
	if (us_low_space_refuses(k, (enum us_action)m->action, m->credential)) {
		deny(a, US_ERR_NOSPACE, US_REASON_LOW_SPACE);
		return;
	}
	decide_by_order(k, m, person, a, ruling);
	if (a->err == US_OK && m->kind == US_KIND_DISCLOSURE)
		check_records(k, m, person, a);
	if (a->err == US_OK && m->kind == US_KIND_DISCLOSURE && m->action == US_ACTION_COPY)
		check_copy(k, m, person, a);
	if (a->err != US_OK)
		return;
	a->granted = 1;
	a->record_keys = m->kind == US_KIND_DISCLOSURE && m->records.n > 0 &&
	    us_action_row(m->action)->shows_records;
	a->term_keys = evidence && m->kind == US_KIND_INTENT && a->n_terms > 0;
	a->opens = m->action == US_ACTION_OPEN_COLLECTION && m->kind == US_KIND_INTENT;
	if (a->term_keys &&
	    (uint64_t)us_log_eras(k, m->collection) * (4 + 32 * (uint64_t)a->n_terms) >
		US_TERM_KEYS_MAX) {
		deny(a, US_ERR_LIMIT, US_REASON_ERROR);
		a->granted = 0;
	}
	if (a->granted && a->load != NULL)
		name_load(k, m, person, a);
}
