/*
 * What was refused to nobody in particular: handshakes that failed, connections over the limit,
 * requests that were malformed, or came without a session or to a sealed vault. It is counted
 * exactly, by reason, and one entry in ten seconds says how many, so that a flood costs the log
 * next to nothing. Nothing is left over when the keeper stops or seals.
 */
#include <string.h>

#include "base/err.h"
#include "base/log.h"
#include "base/time.h"
#include "daemon/keeper/internal.h"

#define TELL_NS (INT64_C(10) * US_NS_PER_SECOND)

int
us_keeper_unattributed_take(struct us_keeper *k, struct us_bytes counts)
{
	struct us_reader r;

	if (counts.n == 0 || counts.n % 5 != 0)
		return US_ERR_MALFORMED;
	us_reader_init(&r, counts.p, counts.n);
	while (r.left > 0) {
		const uint8_t reason = us_take_u8(&r);
		const uint32_t n = us_take_u32(&r);

		if (us_reason_name(reason) == NULL)
			return US_ERR_MALFORMED;
		k->noise[reason] = n > UINT32_MAX - k->noise[reason] ? UINT32_MAX :
								       k->noise[reason] + n;
		k->has_noise = 1;
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
	uint8_t counts[US_EVENT_REASONS * US_EVENT_COUNT_SIZE];
	struct us_entry_access a;
	struct us_entry_in e = { .entry_class = US_CLASS_NOISE, .access = &a };
	uint64_t index;
	int64_t time_ns;

	if (!k->has_noise || (!at_once && us_time_mono_ns() - k->noise_mono < TELL_NS))
		return;
	us_entry_access_init(&a);
	a.kind = US_KIND_EVENT;
	a.action = US_ACTION_HANDSHAKES;
	a.decision = US_DECISION_DENY;
	a.event = (struct us_event){ .form = US_EVENT_COUNTS,
		.counts = { { counts, us_event_pack_counts(k->noise, counts) } } };
	if (us_keeper_append(k, &e, &index, &time_ns) != US_OK)
		us_fatal("refusals were counted but their entry cannot be written. Stopping");
	memset(k->noise, 0, sizeof k->noise);
	k->has_noise = 0;
	k->noise_mono = us_time_mono_ns();
}

void
us_keeper_unattributed_pass_on(struct us_keeper *k)
{
	uint8_t counts[US_EVENT_REASONS * US_EVENT_COUNT_SIZE];
	const struct us_msg_uncounted m = { .counts = { counts,
						us_event_pack_counts(k->noise, counts) } };

	if (!k->has_noise || k->control == NULL || us_send_uncounted(k->control, 0, &m) != US_OK)
		return;
	us_channel_flush(k->control);
	k->has_noise = 0;
}
