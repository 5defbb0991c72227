#include "daemon/keeper/low_space.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/log.h"
#include "base/time.h"
#include "daemon/keeper/internal.h"
#include "daemon/process/counts.h"

#define MINUTE_NS (60 * US_NS_PER_SECOND)
#define SHARE_BYTES (32u * 1024u)
/* Of an entry, what is not its texts. */
#define ENTRY_BYTES 1024u

struct us_low_space {
	int low;
	uint64_t reserve; /* bytes that must be free */
	int64_t minute_mono;
	uint32_t spent[US_SPACE_SHARES];
	uint32_t count[US_COUNTS]; /* refusals that are not written, by reason */
};

int
us_low_space_new(struct us_keeper *k, uint64_t reserve)
{
	k->space = calloc(1, sizeof *k->space);
	if (k->space == NULL)
		return US_ERR_NOMEM;
	k->space->reserve = reserve;
	return US_OK;
}

void
us_low_space_free(struct us_keeper *k)
{
	free(k->space);
	k->space = NULL;
}

int
us_low_space_is_low(const struct us_keeper *k)
{
	return k->space->low;
}

void
us_low_space_watch(struct us_keeper *k)
{
	struct us_low_space *s = k->space;
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
	return k->space->low &&
	    (!us_action_row(action)->goes_on_when_full ||
		*share_of(k->space, credential) >= SHARE_BYTES);
}

int
us_low_space_holds(struct us_keeper *k, const struct us_entry_in *e)
{
	const int refusal = e->access->decision == US_DECISION_DENY;
	uint32_t *spent;

	if (!k->space->low ||
	    (e->entry_class != US_CLASS_ACCESS && !(refusal && e->entry_class == US_CLASS_SYSTEM) &&
		e->access->action != US_ACTION_UNSEAL_SHARE))
		return 0;
	spent = share_of(k->space, e->access->credential);
	if (refusal && *spent >= SHARE_BYTES) {
		k->space->count[(uint8_t)e->access->reason]++;
		return 1;
	}
	*spent += ENTRY_BYTES +
	    (uint32_t)(us_event_size(&e->access->event) +
		(e->query == NULL ? 0 : e->query->query.n));
	return 0;
}

size_t
us_low_space_take_counts(struct us_keeper *k, uint8_t *out, size_t room)
{
	const size_t n = us_counts_pack(k->space->count, out, room);

	memset(k->space->count, 0, sizeof k->space->count);
	return n;
}
