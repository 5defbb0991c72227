/*
 * Roster signers: people whom the order in force names, and for whom their signatures stand
 * (authority.h says what they do). For the registry's own files.
 */
#ifndef US_REGISTRY_SIGNERS_H
#define US_REGISTRY_SIGNERS_H

#include "registry/registry.h"

/* 1 if who is an active roster signer who may sign for about: of party (an index), or, party being
 * -1, of any. */
int us_authority_may_sign(const struct us_registry *reg, const struct us_person *who,
    const struct us_person *about, int party);
/* Bit i: who is a roster signer, by the order in force, of the i-th of their
 * parties. */
uint16_t us_signer_mask(const struct us_registry *reg, const struct us_person *who);
/* The same as bits of the order in force. */
uint64_t us_signer_bits(const struct us_registry *reg, const struct us_person *who);
/* 1 if who is a roster signer of one of the parties of about; if they have none, of any. */
int us_signs_for(const struct us_registry *reg, const struct us_person *who,
    const struct us_person *about);
/* 1 if both are the same or share a party. NULL: 0. */
int us_shares_party(const struct us_person *a, const struct us_person *b);
/* 1 if it is an administrator. */
int us_is_administrator(const struct us_person *who);
/* US_OK if the actor is a roster signer of some party. */
int us_authority_signer(const struct us_registry *reg, const struct us_person *actor,
    struct us_refusal *refusal);
/* US_OK if that authority covers an act about this person, who must be there. */
int us_authority_about(const struct us_registry *reg, const struct us_person *actor,
    const struct us_act *act, uint32_t person, enum us_act_authority authority,
    struct us_refusal *refusal);

#endif
