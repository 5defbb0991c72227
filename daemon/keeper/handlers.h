/*
 * The messages that the keeper takes, and the functions that handle them. What is in neither of the
 * two lists is refused; a message to the keeper that is in none does not compile.
 */
#ifndef US_DAEMON_KEEPER_HANDLERS_H
#define US_DAEMON_KEEPER_HANDLERS_H

#include "daemon/process/channel.h"

struct us_keeper;

/* The handler of one kind of message, whose body is decoded in it. */
typedef int
us_keeper_fn(struct us_keeper *k, struct us_channel *ch, uint32_t tag, struct us_bytes body);

/* What other roles say for themselves: X(message, states). us_on_MESSAGE() handles it. In ANY state
 * it gets an answer, which may be that not now; OPEN and REPLAY are states of the vault's too, who
 * must know better than to send it in another one: it is malformed then. */
#define US_KEEPER_HEARS(X) \
	/* serve.c */ \
	X(keeper_status, ANY) \
	X(log_read, ANY) \
	X(entry_proof, ANY) \
	X(tls_identity, ANY) \
	X(tls_sign, ANY) \
	/* barred.c */ \
	X(standing, ANY) \
	/* session.c */ \
	X(challenge, ANY) \
	/* seal.c */ \
	X(seal, ANY) \
	/* replay.c */ \
	X(replay, REPLAY) \
	X(replay_end, REPLAY) \
	/* access.c */ \
	X(log, ANY) \
	/* page_keys.c */ \
	X(page_keys_request, ANY) \
	/* acts.c */ \
	X(act_prepare, ANY) \
	X(batch_prepare, OPEN) \
	X(act_commit, OPEN) \
	X(act_abort, ANY) \
	/* log_keys.c */ \
	X(log_keys, ANY) \
	/* unattributed.c */ \
	X(noise, ANY) \
	/* disclosed.c */ \
	X(disclosed, ANY) \
	/* outcome.c */ \
	X(answers, ANY) \
	/* loads.c */ \
	X(load_keys_request, ANY) \
	X(load_stopped, ANY) \
	X(load_over, ANY) \
	/* batches.c */ \
	X(batch_open, ANY) \
	X(batch_sealed, ANY) \
	X(batch_void, ANY) \
	/* dictionaries.c */ \
	X(dictionary_open, ANY)

/* And requests of people, which the vault hands on (daemon/process/requests.def): in any state, as
 * a person cannot know it. */
#define X(message, ...) us_keeper_fn us_on_##message;
US_KEEPER_HEARS(X)
US_KEEPER_REQUESTS(X)
#undef X

#endif
