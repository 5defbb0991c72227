#include "daemon/keeper/requests.h"

#include "base/array.h"
#include "base/err.h"
#include "base/time.h"
#include "daemon/keeper/handlers.h"
#include "daemon/keeper/internal.h"
#include "daemon/keeper/life.h"
#include "daemon/keeper/session.h"

#define BIT(s) (1u << (s))
#define ANY_STATE \
	(BIT(US_KEEPER_SEALED) | BIT(US_KEEPER_REPLAYING) | BIT(US_KEEPER_OPEN) | \
	    BIT(US_KEEPER_REFUSING))

/* What is asked in a state that is not in the mask gets an answer that says so (refuse), or, where
 * the asker must know better, is a malformed message. */
struct us_keeper_entry {
	uint16_t type;
	unsigned states;
	us_keeper_fn *handle;
};

/* All else is refused. */
static const struct us_keeper_entry table[] = {
	{ US_MSG_keeper_status, ANY_STATE, us_on_keeper_status },
	{ US_MSG_challenge, ANY_STATE, us_on_challenge },
	{ US_MSG_session_open, ANY_STATE, us_on_session_open },
	{ US_MSG_share, ANY_STATE, us_on_share },
	{ US_MSG_seal, ANY_STATE, us_on_seal },
	{ US_MSG_replay, BIT(US_KEEPER_REPLAYING) | BIT(US_KEEPER_REFUSING), us_on_replay },
	{ US_MSG_replay_end, BIT(US_KEEPER_REPLAYING) | BIT(US_KEEPER_REFUSING), us_on_replay_end },
	{ US_MSG_log, ANY_STATE, us_on_log },
	{ US_MSG_act_prepare, ANY_STATE, us_on_act_prepare },
	{ US_MSG_batch_prepare, BIT(US_KEEPER_OPEN), us_on_batch_prepare },
	{ US_MSG_act_commit, BIT(US_KEEPER_OPEN), us_on_act_commit },
	{ US_MSG_act_abort, ANY_STATE, us_on_act_abort },
	{ US_MSG_log_read, ANY_STATE, us_on_log_read },
	{ US_MSG_log_keys, ANY_STATE, us_on_log_keys },
	{ US_MSG_entry_proof, ANY_STATE, us_on_entry_proof },
	{ US_MSG_noise, ANY_STATE, us_on_noise },
	{ US_MSG_disclosed, ANY_STATE, us_on_disclosed },
	{ US_MSG_cosign, ANY_STATE, us_on_cosign },
	{ US_MSG_answers, ANY_STATE, us_on_answers },
	{ US_MSG_load_keys_request, ANY_STATE, us_on_load_keys_request },
	{ US_MSG_batch_open, ANY_STATE, us_on_batch_open },
	{ US_MSG_batch_sealed, ANY_STATE, us_on_batch_sealed },
	{ US_MSG_batch_void, ANY_STATE, us_on_batch_void },
	{ US_MSG_dictionary_open, ANY_STATE, us_on_dictionary_open },
	{ US_MSG_load_stopped, ANY_STATE, us_on_load_stopped },
	{ US_MSG_load_over, ANY_STATE, us_on_load_over },
	{ US_MSG_tls_identity, ANY_STATE, us_on_tls_identity },
	{ US_MSG_tls_sign, ANY_STATE, us_on_tls_sign },
};

int
us_keeper_dispatch(struct us_keeper *k, struct us_channel *ch, uint16_t type, uint32_t tag,
    struct us_bytes body)
{
	for (size_t i = 0; i < US_COUNT(table); i++) {
		if (table[i].type != type)
			continue;
		/* while it stops, only how answers ended is still heard, what was refused, and that
		 * loads have ended: it gives nothing */
		if (us_keeper_is_sealing(k) && type != US_MSG_answers && type != US_MSG_noise &&
		    type != US_MSG_load_stopped)
			return US_OK;
		if ((table[i].states & BIT(us_keeper_state(k))) == 0)
			return US_ERR_MALFORMED;
		us_keeper_order_at(k, us_time_now_ns());
		return table[i].handle(k, ch, tag, body);
	}
	return US_ERR_MALFORMED;
}
