/* Who sees what of the docket, the register of acknowledgements, and documents. who: an asker whose
 * session has been decided; reg: the vault's. */
#ifndef US_DAEMON_VAULT_DECIDE_SIGHT_H
#define US_DAEMON_VAULT_DECIDE_SIGHT_H

#include "daemon/vault/decide/decide.h"
#include "registry/docket.h"
#include "registry/versions.h"

/* Court and special master. */
int us_vault_sight_is_court(const struct us_vault_asker *who);
/* The court, auditors and administrators: registers and the docket in full. */
int us_vault_sight_is_full(const struct us_vault_asker *who);
/* 1 if the asker is, or shares a party with, that person. */
int us_vault_sight_shares_party(const struct us_registry *reg, const struct us_vault_asker *who,
    uint32_t person);
/* 1 if the filing may be shown. */
int us_vault_sight_filing(const struct us_registry *reg, const struct us_vault_asker *who,
    const struct us_filing *f);
/* 1 if the numbers of a filing's records may be shown. */
int us_vault_sight_filing_records(const struct us_registry *reg, const struct us_vault_asker *who,
    const struct us_filing *f);
/* 1 if what an approval is asked for may be shown. */
int us_vault_sight_request(const struct us_registry *reg, const struct us_vault_asker *who,
    const struct us_filing *f);
/* 1 if the document may be shown. */
int us_vault_sight_document(const struct us_registry *reg, const struct us_vault_asker *who,
    const struct us_document *d);

#endif
