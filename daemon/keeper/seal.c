#include "daemon/keeper/seal.h"

#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "base/err.h"
#include "base/log.h"
#include "base/time.h"
#include "daemon/keeper/answer.h"
#include "daemon/keeper/claim.h"
#include "daemon/keeper/internal.h"
#include "daemon/keeper/ledger.h"
#include "daemon/keeper/life.h"
#include "daemon/keeper/loads.h"
#include "daemon/keeper/low_space.h"
#include "daemon/keeper/outcome.h"
#include "daemon/keeper/peers.h"
#include "daemon/keeper/handlers.h"
#include "daemon/keeper/session.h"
#include "daemon/keeper/tasks.h"
#include "daemon/keeper/unattributed.h"
#include "registry/authority.h"

#define TURN_MS 10
#define TURNS_MAX 200 /* until the process does not wait any longer */

struct us_sealing {
	struct event *timer;
	void (*end)(struct us_keeper *k);
	int turns;
};

/* --- the end ------------------------------------------------------------------------------- */

static void
arm(struct us_sealing *s)
{
	static const struct timeval turn = { 0, TURN_MS * 1000 };

	(void)event_add(s->timer, &turn);
}

static void
on_turn(evutil_socket_t fd, short what, void *arg)
{
	struct us_keeper *k = arg;
	const int wait = (us_answers_are_awaited(k) && us_peers_vault(k) != NULL &&
			     us_answers_open(k)) ||
	    us_peers_have_backlog(k);

	(void)fd;
	(void)what;
	if (wait && ++k->sealing->turns < TURNS_MAX) {
		arm(k->sealing);
		return;
	}
	us_peers_hang_up(k);
	if (k->klog == NULL)
		return; /* what was heard last has ended us */
	us_answers_end(k, US_REASON_CUT);
	us_keeper_settle(k);
	us_log(US_LOG_NOTICE, "sealed on request");
	k->sealing->end(k);
}

int
us_seal_new(struct us_keeper *k, struct event_base *base, void (*end)(struct us_keeper *k))
{
	k->sealing = calloc(1, sizeof *k->sealing);
	if (k->sealing == NULL)
		return US_ERR_NOMEM;
	k->sealing->end = end;
	k->sealing->timer = evtimer_new(base, on_turn, k);
	return k->sealing->timer == NULL ? US_ERR_NOMEM : US_OK;
}

void
us_seal_free(struct us_keeper *k)
{
	if (k->sealing != NULL && k->sealing->timer != NULL)
		event_free(k->sealing->timer);
	free(k->sealing);
	k->sealing = NULL;
}

void
us_seal_wipe(struct us_keeper *k)
{
	if (us_keeper_is_wiped(k))
		return;
	us_tasks_drop(k, NULL); /* they have keys, or are about to */
	us_keeper_seal_wipe(k);
	/* the log's own keys stay until the vault, if it knows, has said in a moment which answers
	 * this cuts */
	if (!us_answers_are_awaited(k))
		us_keeper_drop_log_keys(k);
	arm(k->sealing);
}

/* --- the request --------------------------------------------------------------------------- */

/* "seal": a signed act that no fold needs. Behind its entry nothing is decided; when that is
 * durable, and the sealer has let go of all loads, the keys are wiped and the process ends
 * (life.h). */
struct us_keeper_sealing {
	int err;
	enum us_reason reason;
};

static int
finish_seal(struct us_keeper *k, struct us_pending *p)
{
	const struct us_keeper_sealing *s = p->data;
	int err = us_keeper_send_logged(k, p, s->err, s->reason);

	if (s->err == US_OK) {
		us_answers_await(k);
		us_seal_wipe(k);
	}
	return err;
}

int
us_on_seal(struct us_keeper *k, struct us_channel *ch, uint32_t tag, struct us_bytes body)
{
	struct us_pending p = { .ch = ch, .tag = tag, .finish = finish_seal };
	struct us_refusal refusal = { .reason = US_REASON_NONE };
	const struct us_person *person;
	struct us_context facts;
	struct us_signed_act act;
	struct us_msg_seal m;
	struct us_keeper_claim claim;
	struct us_keeper_sealing *s;
	uint32_t actor;
	int err = us_msg_seal_decode(&m, body.p, body.n);

	if (err != US_OK)
		return err;
	s = p.data = calloc(1, sizeof *s);
	if (s == NULL)
		return US_ERR_NOMEM;
	claim = (struct us_keeper_claim){ m.credential, m.session, m.peer, US_ACTION_SEAL, m.act,
		NULL };
	refusal.reason = us_keeper_session(k, m.session, m.credential, &person);
	if (refusal.reason != US_REASON_NONE)
		s->err = us_keeper_claim_err(refusal.reason);
	if (s->err == US_OK)
		s->err = us_signed_act_decode(&act, m.act.p, m.act.n);
	if (s->err == US_OK &&
	    (act.type != US_ACT_SEAL || memcmp(act.credential, m.credential, 32) != 0))
		s->err = US_ERR_SIGNATURE;
	if (s->err == US_OK)
		s->err = us_registry_check(k->registry, m.act, m.signature, us_time_now_ns(),
		    k->act, &actor, &refusal);
	if (s->err == US_OK) {
		const struct us_ledger_question question = {
			.person = us_registry_person(k->registry, actor),
			.action = US_ACTION_SEAL,
		};

		us_keeper_context(k, m.credential, m.peer, &facts);
		us_ledger_fill(k, &question, &facts);
		s->err = us_authority_check(k->registry, us_registry_person(k->registry, actor),
		    k->act, &facts, &refusal);
	}
	if (s->err != US_OK && refusal.reason == US_REASON_NONE)
		refusal.reason = US_REASON_BAD_SIGNATURE;
	s->reason = refusal.reason;
	if (s->err != US_OK)
		claim.seal = (struct us_bytes){ NULL, 0 };
	(void)us_keeper_tell_held(k, 1); /* nothing is told behind a seal */
	us_keeper_unattributed_tell(k, 1);
	err = us_keeper_claim_append(k, &claim, US_CLASS_SYSTEM, s->err == US_OK ? NULL : &refusal,
	    &p);
	if (err != US_OK) {
		free(s);
		return err;
	}
	/* from its entry on nothing is decided any more, not even what comes with the same
	 * commit */
	if (s->err == US_OK) {
		us_keeper_seal_logged(k);
		us_loads_end(k, US_REASON_SEALED);
		p.behind_stop = us_keeper_stops(k);
	}
	return us_keeper_answer(k, &p);
}
