#include "daemon/keeper/requests.h"

#include "base/err.h"
#include "base/time.h"
#include "daemon/keeper/handlers.h"
#include "daemon/keeper/internal.h"
#include "daemon/keeper/life.h"
#include "daemon/keeper/session.h"

#define BIT(s) (1u << (s))

enum {
	REPLAY = BIT(US_KEEPER_REPLAYING) | BIT(US_KEEPER_REFUSING),
	OPEN = BIT(US_KEEPER_OPEN),
	ANY = REPLAY | OPEN | BIT(US_KEEPER_SEALED),
};

/* The list has all messages to the keeper: as many, and each once, or the switch below has a case
 * twice. What the monitor says comes over its own channel. */
enum {
#define X(name, number, from, to, max) \
	IS_KEEPERS_##name = US_ROLE_##to == US_ROLE_KEEPER && US_ROLE_##from != US_ROLE_MONITOR,
	US_MESSAGES(X)
#undef X
};

#define X(name, number, from, to, max) +IS_KEEPERS_##name
enum { TO_KEEPER = 0 US_MESSAGES(X) };
#undef X
#define X(message, states) _Static_assert(IS_KEEPERS_##message, #message " is not the keeper's");
US_KEEPER_HEARS(X)
#undef X
#define X(message, states) +1
_Static_assert(TO_KEEPER == 0 US_KEEPER_HEARS(X), "a message to the keeper that it does not hear");
#undef X

/* NULL: it does not hear that. */
static us_keeper_fn *
handler_of(uint16_t type, unsigned *states)
{
	switch (type) {
#define X(message, in) \
	case US_MSG_##message: \
		*states = in; \
		return us_on_##message;
		US_KEEPER_HEARS(X)
#undef X
#define X(message, to, action, sealed, needs) \
	case US_MSG_##message: \
		*states = ANY; \
		return us_on_##message;
		US_KEEPER_REQUESTS(X)
#undef X
	default:
		*states = 0;
		return NULL;
	}
}

int
us_keeper_dispatch(struct us_keeper *k, struct us_channel *ch, uint16_t type, uint32_t tag,
    struct us_bytes body)
{
	unsigned states;
	us_keeper_fn *handle = handler_of(type, &states);

	if (handle == NULL)
		return US_ERR_MALFORMED;
	/* while it stops, only how answers ended is still heard, what was refused, and that loads
	 * have ended: it gives nothing */
	if (us_keeper_is_sealing(k) && type != US_MSG_answers && type != US_MSG_noise &&
	    type != US_MSG_load_stopped)
		return US_OK;
	if ((states & BIT(us_keeper_state(k))) == 0)
		return US_ERR_MALFORMED;
	us_keeper_order_at(k, us_time_now_ns());
	return handle(k, ch, tag, body);
}
