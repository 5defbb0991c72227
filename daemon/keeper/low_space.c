#include "daemon/keeper/low_space.h"

#include <string.h>

#include "base/array.h"
#include "base/err.h"
#include "base/log.h"
#include "base/time.h"
#include "daemon/keeper/internal.h"

#define MINUTE_NS (60 * US_NS_PER_SECOND)
#define TELL_NS US_NS_PER_SECOND
#define SHARE_BYTES (32u * 1024u)
/* Of an entry, what is not its texts. */
#define ENTRY_BYTES 1024u

void
us_low_space_init(struct us_low_space *s, uint64_t reserve)
{
	memset(s, 0, sizeof *s);
	s->reserve = reserve;
	s->held_tail = &s->held;
}

void
us_low_space_watch(struct us_keeper *k)
{
	struct us_low_space *s = &k->space;
	/* a little more is wanted to go on than to stop, so that the two do not take turns */
	const uint64_t want = s->reserve + (s->low ? s->reserve / 16 : 0);
	uint64_t free_bytes = 0;
	int low = us_klog_is_short(k->klog) || us_klog_space(k->klog, &free_bytes) != US_OK ||
	    free_bytes < want;

	if (low && !s->low) {
		us_log(US_LOG_WARNING,
		    "the log's disk is nearly full: nothing is released until there is room again. "
		    "Refusals are "
		    "still logged, and sealing, revoking and freezing go on: the reserve takes "
		    "%llu entries. Make room on the file "
		    "system of keeper/",
		    (unsigned long long)(us_klog_room(k->klog) / US_SPACE_REFUSAL));
		memset(s->spent, 0, sizeof s->spent);
		s->minute_mono = us_time_mono_ns();
	} else if (!low && s->low) {
		us_log(US_LOG_WARNING, "the log's disk has room again");
	}
	s->low = low;
}

/* What looks on, takes rights away, or is needed for that. */
static int
goes_on(enum us_action action)
{
	static const enum us_action some[] = { US_ACTION_SESSION, US_ACTION_UNSEAL_SHARE,
		US_ACTION_SEAL, US_ACTION_STATUS, US_ACTION_PERSON_LIST, US_ACTION_PERSON_SUSPEND,
		US_ACTION_PERSON_END, US_ACTION_CREDENTIAL_LIST, US_ACTION_CREDENTIAL_REVOKE,
		US_ACTION_COLLECTION_LIST, US_ACTION_BATCH_LIST, US_ACTION_BATCH_WITHDRAW,
		US_ACTION_DOCKET_LIST, US_ACTION_ORDER_SHOW, US_ACTION_CLAWBACK, US_ACTION_FREEZE };

	for (size_t i = 0; i < US_COUNT(some); i++) {
		if (some[i] == action)
			return 1;
	}
	return 0;
}

static uint32_t *
share_of(struct us_low_space *s, const uint8_t credential[32])
{
	const int64_t now = us_time_mono_ns();

	if (now - s->minute_mono > MINUTE_NS) {
		memset(s->spent, 0, sizeof s->spent);
		s->minute_mono = now;
	}
	return &s->spent[credential[0] % US_SPACE_SHARES];
}

int
us_low_space_refuses(struct us_keeper *k, enum us_action action, const uint8_t credential[32])
{
	return k->space.low &&
	    (!goes_on(action) || *share_of(&k->space, credential) >= SHARE_BYTES);
}

int
us_low_space_holds(struct us_keeper *k, const struct us_entry_in *e)
{
	const int refusal = e->access->decision == US_DECISION_DENY;
	uint32_t *spent;

	if (!k->space.low ||
	    (e->entry_class != US_CLASS_ACCESS && !(refusal && e->entry_class == US_CLASS_SYSTEM) &&
		e->access->action != US_ACTION_UNSEAL_SHARE))
		return 0;
	spent = share_of(&k->space, e->access->credential);
	if (refusal && *spent >= SHARE_BYTES) {
		k->space.count[(uint8_t)e->access->reason]++;
		return 1;
	}
	*spent += ENTRY_BYTES +
	    (uint32_t)(us_event_size(&e->access->event) +
		(e->query == NULL ? 0 : e->query->query.n));
	return 0;
}

void
us_low_space_hold(struct us_keeper *k, struct us_pending *p)
{
	p->next = NULL;
	*k->space.held_tail = p;
	k->space.held_tail = &p->next;
}

void
us_low_space_tell(struct us_keeper *k, int at_once)
{
	struct us_low_space *s = &k->space;
	struct us_entry_access a;
	struct us_entry_in e = { .entry_class = US_CLASS_NOISE, .access = &a };
	uint8_t counts[US_EVENT_REASONS * US_EVENT_COUNT_SIZE];
	uint64_t index;
	int64_t time_ns;

	if (s->held == NULL || (!at_once && us_time_mono_ns() - s->told_mono < TELL_NS))
		return;
	us_entry_access_init(&a);
	a.kind = US_KIND_EVENT;
	a.action = US_ACTION_REFUSALS;
	a.decision = US_DECISION_DENY;
	a.reason = US_REASON_LOW_SPACE;
	a.event = (struct us_event){ .form = US_EVENT_COUNTS,
		.counts = { { counts, us_event_pack_counts(s->count, counts) } } };
	if (us_keeper_append(k, &e, &index, &time_ns) != US_OK)
		us_fatal("refusals were counted but their entry cannot be written. Stopping");
	for (struct us_pending *p = s->held; p != NULL; p = p->next) {
		p->index = index;
		p->time_ns = time_ns;
	}
	*k->pending_tail = s->held;
	k->pending_tail = s->held_tail;
	s->held = NULL;
	s->held_tail = &s->held;
	memset(s->count, 0, sizeof s->count);
	s->told_mono = us_time_mono_ns();
}
