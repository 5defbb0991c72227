#include "daemon/keeper/unattributed.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/log.h"
#include "base/time.h"
#include "daemon/keeper/answer.h"
#include "daemon/keeper/internal.h"
#include "daemon/keeper/life.h"
#include "daemon/keeper/peers.h"
#include "daemon/process/counts.h"
#include "daemon/keeper/handlers.h"

#define TELL_NS (INT64_C(10) * US_NS_PER_SECOND)

/* Refused without an entry, since the last entry that said so. */
struct us_unattributed {
	uint32_t count[US_COUNTS]; /* by reason */
	int has_any;
	int64_t told_mono;
};

int
us_keeper_unattributed_new(struct us_keeper *k)
{
	k->unattributed = calloc(1, sizeof *k->unattributed);
	return k->unattributed == NULL ? US_ERR_NOMEM : US_OK;
}

void
us_keeper_unattributed_free(struct us_keeper *k)
{
	free(k->unattributed);
	k->unattributed = NULL;
}

int
us_keeper_unattributed_take(struct us_keeper *k, struct us_bytes counts)
{
	struct us_unattributed *u = k->unattributed;
	struct us_reader r;

	if (counts.n == 0 || counts.n % 5 != 0)
		return US_ERR_MALFORMED;
	us_reader_init(&r, counts.p, counts.n);
	while (r.left > 0) {
		const uint8_t reason = us_take_u8(&r);
		const uint32_t n = us_take_u32(&r);

		if (us_reason_name(reason) == NULL)
			return US_ERR_MALFORMED;
		u->count[reason] = n > UINT32_MAX - u->count[reason] ? UINT32_MAX :
								       u->count[reason] + n;
		u->has_any = 1;
	}
	return US_OK;
}

int
us_on_noise(struct us_keeper *k, struct us_channel *ch, uint32_t tag, struct us_bytes body)
{
	struct us_msg_noise m;
	int err = us_msg_noise_decode(&m, body.p, body.n);

	(void)ch;
	(void)tag;
	return err != US_OK ? err : us_keeper_unattributed_take(k, m.counts);
}

void
us_keeper_unattributed_tell(struct us_keeper *k, int at_once)
{
	struct us_unattributed *u = k->unattributed;
	uint8_t counts[US_COUNTS_BYTES];
	struct us_entry_access a;
	struct us_entry_in e = { .entry_class = US_CLASS_NOISE, .access = &a };
	uint64_t index;
	int64_t time_ns;

	/* behind a seal nothing is told: what is counted until the end is passed on */
	if (!u->has_any || us_keeper_is_sealing(k) ||
	    (!at_once && us_time_mono_ns() - u->told_mono < TELL_NS))
		return;
	us_entry_access_init(&a);
	a.kind = US_KIND_EVENT;
	a.action = US_ACTION_HANDSHAKES;
	a.decision = US_DECISION_DENY;
	a.event = (struct us_event){ .form = US_EVENT_COUNTS,
		.counts = { { counts, us_counts_pack(u->count, counts, sizeof counts) } } };
	if (us_keeper_append(k, &e, &index, &time_ns) != US_OK)
		us_fatal("refusals were counted but their entry cannot be written. Stopping");
	memset(u->count, 0, sizeof u->count);
	u->has_any = 0;
	u->told_mono = us_time_mono_ns();
}

void
us_keeper_unattributed_pass_on(struct us_keeper *k)
{
	struct us_unattributed *u = k->unattributed;
	struct us_channel *control = us_peers_control(k);
	uint8_t counts[US_COUNTS_BYTES];
	const struct us_msg_uncounted m = { .counts = { counts,
						us_counts_pack(u->count, counts, sizeof counts) } };

	if (!u->has_any || control == NULL || us_send_uncounted(control, 0, &m) != US_OK)
		return;
	us_channel_flush(control);
	u->has_any = 0;
}
