/*
 * Who may do which act. What acts.def says of the capacity, then what depends on whom the act is
 * about.
 *
 * - Administrators add people, issue credentials, create collections, suspend, end, revoke. Nothing
 *   that an administrator does alone lets anybody in: a person of a party takes effect when a
 *   roster signer of *each* of their parties has signed; a person of no party (a further
 *   administrator, a keyholder) when any roster signer has; and a credential issued to somebody who
 *   is active already waits for such a signature too, since whoever holds it is that person.
 * - A roster signer is an active person whose name, capacity and party are those the order names.
 *   Signers that come later than init, or get a new credential, are signed by another signer of the
 *   party or by the court's: a signer of capacity court or special-master. Nobody signs for
 *   themselves.
 * - A roster signer suspends, ends and revokes within the own party, and undoes an own suspension;
 *   an administrator undoes only an administrator's.
 * - Everybody may revoke an own credential.
 * - Releasing and withdrawing a batch, copies: what the order in force permits to the person, for
 *   that collection. A batch is released and withdrawn by the party that loaded it, a copy returned
 *   by who took it or by the party.
 * - Seal: administrator, keyholder, court, special-master.
 * - Adding documents, withdrawing, serving: everybody but keyholders; whose item it is, is a
 *   precondition (acts/docket.c). Proposing a version: administrators and roster signers; it is
 *   nothing until the quorum of the order in force has signed.
 * - Suspending, freezing, lifting, objecting, resolving, the state of the matter: roster signers of
 *   the parties that the order in force names for it.
 * - Signing an item of the docket: whose signature the item can have; of approvals, whom the rule
 *   names.
 * - Clearance, challenge, relabel, clawback: what the order permits. A clearance is asked for by a
 *   roster signer of the person's party; records are relabelled and clawed back by the party that
 *   loaded them, or by who resolves.
 *
 * The table says who may do it at all; the order can then forbid it or add conditions
 * (policy/evaluate.h), and makes nothing wider.
 */
#ifndef US_REGISTRY_AUTHORITY_H
#define US_REGISTRY_AUTHORITY_H

#include "registry/registry.h"

/* May actor do this act? facts: time and what else is known of the request (us_registry_context();
 * collection, purpose and records are taken from the act). Folding knows the time alone
 * (US_FACTS_UNKNOWN): only what stands in acts can be checked again by everybody; the keeper asks
 * once more with all facts before it prepares an act. The act's own preconditions (names unique and
 * so on) are checked elsewhere. US_OK or US_ERR_DENIED, US_ERR_NOT_FOUND with refusal filled. */
#define US_FACTS_UNKNOWN \
	(US_UNKNOWN_ADDRESS | US_UNKNOWN_USAGE | US_UNKNOWN_APPROVAL | US_UNKNOWN_CREDENTIAL)
/* Whether the actor may do the act, as above: by the table (registry/acts.def) and the order. */
int us_authority_check(const struct us_registry *reg, const struct us_person *actor,
    const struct us_act *act, const struct us_context *facts, struct us_refusal *refusal);

#endif
