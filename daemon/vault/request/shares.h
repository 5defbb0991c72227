/*
 * What each credential has of the vault (daemon/process/shares.def), and the turns that credentials
 * take. All of it stands before a request is decided, so that who is told to come back (429) has
 * learnt nothing.
 *
 * What stays is spent before it is written where the kind of the request says what that will be;
 * refusals are spent when they have been written, and who has spent too many is refused nothing
 * more: they are told to come back.
 */
#ifndef US_DAEMON_VAULT_REQUEST_SHARES_H
#define US_DAEMON_VAULT_REQUEST_SHARES_H

#include "base/json_out.h"
#include "daemon/vault/request/request.h"

struct us_settings;
struct us_vault_shares;

/* v->shares. settings: NULL: none; go_on: it is its turn. US_ERR_NOMEM. */
int us_vault_shares_new(struct us_vault *v, const struct us_settings *settings,
    void (*go_on)(struct us_vault_request *r));
/* Gives it back; no request may be left. */
void us_vault_shares_free(struct us_vault *v);
/* GO_ON: it is its turn; WAIT: go_on() follows; FAIL: too much. */
enum us_vault_next us_vault_shares_begin(struct us_vault_request *r);
/* An entry says that it is refused. */
void us_vault_shares_refused(struct us_vault_request *r);
/* It is about to be gone. */
void us_vault_shares_end(struct us_vault_request *r);
/* What a front says that it has: a message "shares". US_ERR_MALFORMED. */
int us_vault_shares_told(struct us_vault_shares *s, uint8_t front, struct us_bytes body);
/* Writes the member "limits": every kind of share, of the vault and of all fronts together. */
void us_vault_put_limits(struct us_vault_shares *s, struct us_json *j);

#endif
