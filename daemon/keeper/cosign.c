#include "daemon/keeper/cosign.h"

#include <stdlib.h>

#include "base/err.h"
#include "base/log.h"
#include "base/number.h"
#include "base/time.h"
#include "daemon/keeper/answer.h"
#include "daemon/keeper/internal.h"
#include "daemon/keeper/life.h"
#include "daemon/keeper/handlers.h"
#include "daemon/keeper/seal.h"
#include "daemon/keeper/witnesses.h"

/* --- how old ------------------------------------------------------------------------------- */

void
us_cosign_age(struct us_keeper *k)
{
	const struct us_witness_rule *rule = us_witnesses_rule(k->witnesses);
	int64_t since;

	if (us_keeper_state(k) != US_KEEPER_OPEN ||
	    !us_witnesses_are_old(k->witnesses, us_keeper_since(k), &since))
		return;
	us_log(US_LOG_WARNING,
	    "no checkpoint has been cosigned by %zu witnesses for %lld seconds%s", rule->needed,
	    (long long)((us_time_now_ns() - since) / US_NS_PER_SECOND),
	    rule->seals ? ": sealing" : "");
	if (us_keeper_event(k, US_ACTION_AUDIT_WITNESS, US_DECISION_FAILED, US_REASON_EXPIRED,
		&(struct us_event){ .form = US_EVENT_UNWITNESSED,
		    .unwitnessed = { us_bytes_of(rule->seals ? "seal" : "warn") } },
		NULL) != US_OK)
		us_fatal("that the log is not witnessed cannot be logged. Stopping");
	if (!rule->seals)
		return;
	us_keeper_settle(k);
	us_seal_wipe(k);
}

/* --- a cosignature is brought ----------------------------------------------------------------- */

struct us_keeper_brought {
	int err;
	enum us_reason reason;
	struct us_witnesses_taken taken;
};

static enum us_reason
reason_of(int err)
{
	switch (err) {
	case US_OK:
		return US_REASON_NONE;
	case US_ERR_SIGNATURE:
	case US_ERR_VERIFY:
		return US_REASON_BAD_SIGNATURE;
	case US_ERR_DENIED:
		return US_REASON_UNKNOWN_CREDENTIAL;
	case US_ERR_NOT_YET:
		return US_REASON_CLOCK;
	case US_ERR_IO:
	case US_ERR_NOSPACE:
	case US_ERR_NOMEM:
	case US_ERR_CRYPTO:
	case US_ERR_INTERNAL:
		return US_REASON_ERROR;
	default:
		return US_REASON_MALFORMED;
	}
}

static int
finish_cosign(struct us_keeper *k, struct us_pending *p)
{
	const struct us_keeper_brought *b = p->data;
	struct us_msg_cosigned r = { .err = (uint8_t)b->err,
		.reason = (uint8_t)b->reason,
		.entry = p->index,
		.size = b->taken.size,
		.count = (uint8_t)b->taken.count };

	(void)k;
	return p->ch == NULL ? US_OK : us_send_cosigned(p->ch, p->tag, &r);
}

int
us_on_cosign_request(struct us_keeper *k, struct us_channel *ch, uint32_t tag, struct us_bytes body)
{
	struct us_pending p = { .ch = ch, .tag = tag, .finish = finish_cosign };
	struct us_entry_access a;
	struct us_entry_query q;
	struct us_entry_in e = { .entry_class = US_CLASS_ACCESS, .access = &a, .query = &q };
	struct us_msg_cosign_request m;
	struct us_keeper_brought *b;
	int err = us_msg_cosign_request_decode(&m, body.p, body.n);

	if (err != US_OK)
		return err;
	b = p.data = calloc(1, sizeof *b);
	if (b == NULL)
		return US_ERR_NOMEM;
	b->err = us_witnesses_take(k, m.note, &b->taken);
	b->reason = reason_of(b->err);
	if (b->err == US_ERR_VERIFY)
		b->err = US_ERR_SIGNATURE;
	us_entry_access_init(&a);
	us_entry_query_init(&q);
	a.kind = US_KIND_EVENT;
	a.action = US_ACTION_AUDIT_WITNESS;
	a.decision = b->err == US_OK ? US_DECISION_ALLOW : US_DECISION_DENY;
	a.reason = b->reason;
	us_keeper_fill_person(k, &a, m.credential);
	a.told = 1;
	if (b->taken.is_said)
		a.event = (struct us_event){ .form = US_EVENT_COSIGNED,
			.cosigned = { .size = b->taken.size,
			    .cosigners = { b->taken.new,
				b->taken.n_new *US_EVENT_COSIGNER_SIZE } } };
	q.address = m.peer;
	err = us_keeper_append(k, &e, &p.index, &p.time_ns);
	if (err != US_OK) {
		free(b);
		return err;
	}
	return us_keeper_answer(k, &p);
}
