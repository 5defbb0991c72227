/*
 * Nonces and sessions (docs/PROTOCOL.md section 3), and what the keeper knows of who asks. A nonce
 * carries its own proof of origin,
 *
 *   i64 time ‖ 8 random bytes ‖ first 16 bytes of HMAC-SHA-256(nonce key, the 16 bytes before)
 *
 * so that handing them out costs no memory. The nonce key is drawn at each start.
 */
#ifndef US_DAEMON_KEEPER_SESSION_H
#define US_DAEMON_KEEPER_SESSION_H

#include "base/buf.h"
#include "case/action.h"

#define US_KEEPER_SESSIONS 65536u  /* live at once; a power of two */
#define US_KEEPER_SESSIONS_OWN 32u /* of one credential: the newest; a power of two */

struct us_context;
struct us_entry_access;
struct us_keeper;
struct us_person;

/* k->sessions, with none. US_ERR_NOMEM. */
int us_sessions_new(struct us_keeper *k);
/* Forgets them all. */
void us_sessions_free(struct us_keeper *k);
/* The live session with that id, of that credential. US_REASON_NONE and *person set; else why
 * not. */
enum us_reason us_keeper_session(struct us_keeper *k, const uint8_t session[16],
    const uint8_t credential[32], const struct us_person **person);
/* us_keeper_fill_person() of what the vault says of who asks; a has its decision. What is not
 * allowed and has no live session of theirs is told by the vault, and the entry says that and names
 * no session. */
void us_keeper_fill_asker(const struct us_keeper *k, struct us_entry_access *a,
    const uint8_t credential[32], const uint8_t session[16]);
/* Makes the version that is in force now the one that decides; an entry says so if it is another
 * than was said last. */
void us_keeper_order_at(struct us_keeper *k, int64_t now_ns);
/* All facts of a request that the order's conditions can ask about, as the keeper sees them. */
void us_keeper_context(const struct us_keeper *k, const uint8_t credential[32],
    struct us_bytes peer, struct us_context *out);

#endif
