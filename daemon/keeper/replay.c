#include "daemon/keeper/replay.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/log.h"
#include "daemon/keeper/answer.h"
#include "daemon/keeper/counters.h"
#include "daemon/keeper/barred.h"
#include "daemon/keeper/internal.h"
#include "daemon/keeper/ledger.h"
#include "daemon/keeper/life.h"
#include "daemon/keeper/handlers.h"
#include "daemon/keeper/unseal.h"

struct us_replay {
	/* the vault has shown all of its state: the ledger is being made */
	int is_shown;
};

int
us_replay_new(struct us_keeper *k)
{
	k->replay = calloc(1, sizeof *k->replay);
	return k->replay == NULL ? US_ERR_NOMEM : US_OK;
}

void
us_replay_free(struct us_keeper *k)
{
	free(k->replay);
	k->replay = NULL;
}

static void
refuse_state(struct us_keeper *k, uint64_t vault, const char *how)
{
	char why[256];

	(void)snprintf(why, sizeof why,
	    "the vault's state is %s than the log: it ends at act %llu, the "
	    "log at act %llu. An old or foreign copy was put back",
	    how, (unsigned long long)vault, (unsigned long long)us_klog_state_sequence(k->klog));
	us_keeper_refuse(k, why);
}

int
us_on_replay(struct us_keeper *k, struct us_channel *ch, uint32_t tag, struct us_bytes body)
{
	struct us_msg_replay m;
	uint64_t sequence;
	int err = us_msg_replay_decode(&m, body.p, body.n);

	(void)ch;
	(void)tag;
	if (err != US_OK)
		return err;
	if (m.committed.n < 8 || k->replay->is_shown)
		return US_ERR_MALFORMED;
	if (us_keeper_state(k) == US_KEEPER_REFUSING)
		return US_OK; /* told at the end of the replay */
	sequence = us_load_u64(m.committed.p);
	if (sequence == 1) {
		const struct us_bytes first = us_unsealing_init_act(k);

		if (m.committed.n != first.n || memcmp(m.committed.p, first.p, m.committed.n) != 0)
			refuse_state(k, 1, "another one");
		return US_OK;
	}
	if (sequence > us_klog_state_sequence(k->klog)) {
		if (!m.prepared || sequence != us_klog_state_sequence(k->klog) + 1)
			refuse_state(k, sequence, "newer");
		return US_OK; /* prepared and never committed: it is dropped */
	}
	err = us_registry_replay(k->registry, m.committed, NULL);
	if (err == US_ERR_NOMEM)
		return err;
	if (err != US_OK) {
		us_log_err(err, "act %llu of the vault's state does not follow on act %llu",
		    (unsigned long long)sequence,
		    (unsigned long long)us_registry_sequence(k->registry));
		refuse_state(k, us_registry_sequence(k->registry), "another one");
	}
	return US_OK;
}

static void
check_keys(struct us_keeper *k)
{
	for (uint32_t c = 1; c <= us_registry_collections(k->registry); c++) {
		if (!us_keyring_has(k->keyring, c)) {
			us_keeper_refuse(k,
			    "the keyring is older than the log: it lacks the key of a "
			    "collection");
			return;
		}
	}
}

struct us_keeper_replay_answer {
	uint8_t err;
	uint64_t keep;
};

static int
finish_replay(struct us_keeper *k, struct us_pending *p)
{
	const struct us_keeper_replay_answer *a = p->data;
	const struct us_msg_replay_reply r = { .err = a->err, .keep = a->keep };

	(void)k;
	return p->ch == NULL ? US_OK : us_send_replay_reply(p->ch, p->tag, &r);
}

/* The state is what it is, and the ledger is made, or cannot be. */
static int
answer_replay(struct us_keeper *k, struct us_channel *ch, uint32_t tag)
{
	struct us_pending p = { .ch = ch, .tag = tag, .finish = finish_replay };
	struct us_keeper_replay_answer *a = p.data = calloc(1, sizeof *a);

	if (a == NULL)
		return US_ERR_NOMEM;
	a->err = us_keeper_state(k) == US_KEEPER_OPEN ? US_OK : US_ERR_VERIFY;
	a->keep = us_klog_state_sequence(k->klog);
	return us_keeper_answer(k, &p);
}

static void
ledger_made(struct us_keeper *k, struct us_channel *ch, uint32_t tag, int err)
{
	if (err == US_ERR_NOMEM)
		us_fatal("no memory for the ledger of disclosures. Stopping");
	k->replay->is_shown = 0;
	if (err != US_OK) {
		us_keeper_refuse(k,
		    "the log's entries cannot be read: who has had which records is not known");
	} else {
		us_keeper_enter(k, US_KEEPER_OPEN, "");
		us_barred_review(k);
		us_log(US_LOG_NOTICE, "unsealed: the state ends at act %llu",
		    (unsigned long long)us_registry_sequence(k->registry));
		err = us_keeper_event(k, US_ACTION_STATE_OPEN, US_DECISION_ALLOW, US_REASON_NONE,
		    NULL, NULL);
		if (err != US_OK)
			us_fatal("that the vault is open cannot be logged: %s. Stopping",
			    us_strerror(err));
	}
	err = answer_replay(k, ch, tag);
	if (err != US_OK)
		us_fatal("the vault cannot be told that it is open: %s. Stopping",
		    us_strerror(err));
	us_keeper_settle(k);
}

int
us_on_replay_end(struct us_keeper *k, struct us_channel *ch, uint32_t tag, struct us_bytes body)
{
	struct us_msg_replay_end m;
	int err = us_msg_replay_end_decode(&m, body.p, body.n);

	if (err == US_OK && k->replay->is_shown)
		err = US_ERR_MALFORMED;
	if (err != US_OK)
		return err;
	if (us_keeper_state(k) == US_KEEPER_REPLAYING &&
	    us_registry_sequence(k->registry) != us_klog_state_sequence(k->klog))
		refuse_state(k, us_registry_sequence(k->registry), "older");
	else if (us_keeper_state(k) == US_KEEPER_REPLAYING &&
	    memcmp(us_registry_digest(k->registry), us_klog_state_digest(k->klog), 32) != 0)
		refuse_state(k, us_registry_sequence(k->registry), "another one");
	if (us_keeper_state(k) == US_KEEPER_REPLAYING)
		check_keys(k);
	if (us_keeper_state(k) == US_KEEPER_REPLAYING && us_counters_read(k) != US_OK)
		us_keeper_refuse(k, "the journal's counters cannot be read");
	if (us_keeper_state(k) != US_KEEPER_REPLAYING)
		return answer_replay(k, ch, tag);
	/* the registry stays as it was compared from here on */
	k->replay->is_shown = 1;
	return us_ledger_rebuild(k, ch, tag, ledger_made);
}
