/* The functions that handle messages; in which states each is taken says requests.c. */
#ifndef US_DAEMON_KEEPER_HANDLERS_H
#define US_DAEMON_KEEPER_HANDLERS_H

#include "daemon/process/channel.h"

struct us_keeper;

/* The handler of one kind of message, whose body is decoded in it. */
typedef int
us_keeper_fn(struct us_keeper *k, struct us_channel *ch, uint32_t tag, struct us_bytes body);

/* serve.c */
us_keeper_fn us_on_keeper_status;
us_keeper_fn us_on_log_read;
us_keeper_fn us_on_entry_proof;
us_keeper_fn us_on_tls_identity;
us_keeper_fn us_on_tls_sign;
/* session.c */
us_keeper_fn us_on_challenge;
us_keeper_fn us_on_session_open;
/* unseal.c */
us_keeper_fn us_on_share;
/* seal.c */
us_keeper_fn us_on_seal;
/* replay.c */
us_keeper_fn us_on_replay;
us_keeper_fn us_on_replay_end;
/* access.c */
us_keeper_fn us_on_log;
/* acts.c */
us_keeper_fn us_on_act_prepare;
us_keeper_fn us_on_batch_prepare;
us_keeper_fn us_on_act_commit;
us_keeper_fn us_on_act_abort;
/* log_keys.c */
us_keeper_fn us_on_log_keys;
/* unattributed.c */
us_keeper_fn us_on_noise;
/* disclosed.c */
us_keeper_fn us_on_disclosed;
/* cosign.c */
us_keeper_fn us_on_cosign;
/* outcome.c */
us_keeper_fn us_on_answers;
/* loads.c */
us_keeper_fn us_on_load_keys_request;
us_keeper_fn us_on_load_stopped;
us_keeper_fn us_on_load_over;
/* batches.c */
us_keeper_fn us_on_batch_open;
us_keeper_fn us_on_batch_sealed;
us_keeper_fn us_on_batch_void;
/* dictionaries.c */
us_keeper_fn us_on_dictionary_open;

#endif
