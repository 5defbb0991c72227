/* Sessions that the keeper has opened: the newest of each credential. One owner, one thread. */
#ifndef US_DAEMON_VAULT_DECIDE_SESSIONS_H
#define US_DAEMON_VAULT_DECIDE_SESSIONS_H

#include <stdint.h>

struct us_vault_sessions;

struct us_vault_session {
	uint8_t credential[32];
	uint8_t id[16];
	uint32_t person; /* never 0 */
	int64_t expires_ns;
};

/* US_ERR_NOMEM. */
int us_vault_sessions_new(struct us_vault_sessions **out);
/* NULL is allowed. */
void us_vault_sessions_free(struct us_vault_sessions *t);
/* Instead of the credential's last one. Where there is no room it is forgotten. */
void us_vault_session_put(struct us_vault_sessions *t, const struct us_vault_session *s);
/* The credential's newest, expired or not; NULL if there is none. Valid until the next one is
 * put. */
const struct us_vault_session *
us_vault_session_get(const struct us_vault_sessions *t, const uint8_t credential[32]);

#endif
