/*
 * What the families of acts share. A family is a file here, and says of each of its acts, one
 * behind the other: the payload, whom it is about, what must be true before, what it changes. Its
 * tables (us_acts_...) stand at the end of the file, and are named by registry/acts.def.
 */
#ifndef US_REGISTRY_ACTS_ACTS_H
#define US_REGISTRY_ACTS_ACTS_H

#include <stdlib.h>
#include <string.h>

#include "crypto/cert.h"
#include "registry/answer.h"
#include "registry/codec.h"
#include "registry/internal.h"
#include "registry/signers.h"

/* ---- preconditions: US_OK, or refusal filled (shared.c) ---- */

enum us_needed { US_NEEDED, US_MAY_BE_NONE };
/* A document that the act names is held, whole; zeros name none, which may do. */
int us_needs_document(const struct us_registry *reg, const uint8_t digest[32],
    enum us_needed needed, const char *what, struct us_refusal *refusal);
/* Refuses: a filing of this status takes it no more. US_ERR_STATE. */
int us_wrong_state(struct us_refusal *refusal, const struct us_filing *f);
/* Refuses: the item does not wait for the actor in this way. US_ERR_DENIED. */
int us_not_yours(struct us_refusal *refusal, const char *id);
/* Refuses: there is no room for another signature. US_ERR_LIMIT. */
int us_full(struct us_refusal *refusal, const struct us_filing *f);
/* The actor's signature would count for the filing's quorum. */
int us_add_to_quorum(const struct us_registry *reg, const struct us_settled *s,
    const struct us_filing *f, struct us_refusal *refusal);
enum us_whose { US_ANYBODYS, US_OWN_PARTYS };
/* The records are there; and, if only the own are asked about, loaded by the actor's party, unless
 * the actor may decide such things for all (records.c). */
int us_check_selection(const struct us_registry *reg, const struct us_settled *s,
    const struct us_selection *sel, enum us_whose whose, struct us_refusal *refusal);

/* ---- folding: memory is taken first, so that a failure changes nothing ---- */

/* Copies a text whose length the decoder has bounded; cut if the field is smaller. */
void us_copy_text(char *out, size_t size, struct us_bytes text);
/* A person who waits, as the last of the list (people.c). */
int us_fold_person(struct us_registry *reg, const struct us_order *order,
    const struct us_init_person *from, int64_t time_ns, struct us_person **out);
/* A credential that waits, as the last of the list (credentials.c). US_ERR_* of the certificate. */
int us_fold_credential(struct us_registry *reg, uint32_t person, struct us_bytes der,
    int64_t time_ns, struct us_credential_full **out);
/* docket-sign of an item about a person: its precondition (people.c). */
int us_check_person_sign(const struct us_registry *reg, const struct us_settled *s,
    struct us_refusal *refusal);
/* What that changes: the signer's parties have signed. */
void us_fold_person_sign(struct us_registry *reg, const struct us_settled *s);
/* The records of a selection, as they are now (records.c). free() it. */
int us_fold_set(const struct us_registry *reg, const struct us_selection *sel,
    struct us_record_set **out);
/* The version of that number, which is there (versions.c). */
struct us_version_full *us_fold_version(struct us_registry *reg, uint32_t version);
/* A filing that waits, with its digest, as the last of the list. */
int us_open_filing(struct us_registry *reg, const struct us_settled *s, enum us_filing_kind kind,
    uint32_t number, struct us_filing **out);
/* Takes the last one away again: what came behind it failed. */
void us_drop_filing(struct us_registry *reg, struct us_filing *f);
/* It ends now, by the actor, with that text. */
void us_close_filing(struct us_filing *f, const struct us_settled *s, enum us_filing_status status,
    struct us_bytes text);
/* The actor has signed it; there is room. */
void
us_add_signature(const struct us_registry *reg, const struct us_settled *s, struct us_filing *f);
/* Adds a signature unless what was signed was enough before; 1 if it is now. */
int
us_sign_for_quorum(const struct us_registry *reg, const struct us_settled *s, struct us_filing *f);

/* ---- answers (registry/answer.h) ---- */

/* The docket line of a person who waits, if any (people.c). */
void us_answer_person(const struct us_registry *reg, uint32_t person, struct us_json *j);
/* An item that was signed: others may have to sign too (docket.c). */
void us_answer_signed(const struct us_registry *reg, struct us_bytes id, struct us_json *j,
    int *pending);

#endif
