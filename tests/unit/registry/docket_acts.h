/* Short ways to do the acts of the order and its docket in a world of docket.yaml. What is not said
 * to return is asserted. */
#ifndef US_TESTS_UNIT_REGISTRY_DOCKET_ACTS_H
#define US_TESTS_UNIT_REGISTRY_DOCKET_ACTS_H

#include "tests/unit/registry/world.h"

#define DAY_NS (INT64_C(86400) * WORLD_SECOND)
#define DOCKET_ORDER US_SOURCE_DIR "/tests/unit/registry/docket.yaml"
/* A digest that names no document of any test. */
extern const uint8_t no_document[32];

/* setup and teardown: a world of docket.yaml with the collection "logs" (1), batches of the
 * producer's at slots 0 (records 0 to 99) and 1 (100 to 199), and the document of
 * small_document(). */
int docket_setup(void **state);
int docket_teardown(void **state);
/* The digest of the document that is there. */
const uint8_t *small_document(void);

/* A person of that party, signed in by `by`. */
void join(struct world *w, struct actor *who, const char *name, enum us_capacity capacity,
    const char *party, const struct actor *by);
const struct us_person *person_of(const struct world *w, const struct actor *a);
struct us_subject subject_of(const struct world *w, const struct actor *a);

/* One edit of the order's source: from must be in it. */
struct edit {
	const char *from;
	const char *to;
};
/* The source of docket.yaml with the version's number and the edits (NULL-ended by from). Free
 * out. */
void order_source(struct us_buf *out, unsigned version, const struct edit *edits);
int propose(struct world *w, const struct actor *by, unsigned version, const struct edit *edits,
    int64_t effective_ns);
/* Signs a filing with the digest that it has; one that does not exist with zeros. */
int sign(struct world *w, const struct actor *by, const char *id);
/* propose by the administrator, sign by the court's auditor. */
void amend(struct world *w, unsigned version, const struct edit *edits, int64_t effective_ns);
int suspend_version(struct world *w, const struct actor *by, unsigned version);
int acknowledge(struct world *w, const struct actor *by, unsigned version);
/* Number of the version in force at a moment. */
unsigned version_at(const struct world *w, int64_t now_ns);

int object(struct world *w, const struct actor *by, const char *id);
int resolve(struct world *w, const struct actor *by, const char *id, enum us_outcome outcome);
int withdraw(struct world *w, const struct actor *by, const char *id);
int
serve(struct world *w, const struct actor *by, const char *id, const char *party, int64_t at_ns);
int clearance(struct world *w, const struct actor *by, const char *clearance_id,
    const struct actor *who);
/* challenge, clawback, relabel (as designation): records first .. first + count - 1 of collection
 * 1. */
int about_records(struct world *w, const struct actor *by, enum us_act_type type, uint64_t first,
    uint64_t count, const char *designation);
int freeze(struct world *w, const struct actor *by, enum us_freeze_scope scope, const char *party,
    uint32_t person_or_collection);
int unfreeze(struct world *w, const struct actor *by, uint32_t number);
int matter(struct world *w, const struct actor *by, const char *state);
/* A request to copy n records from first. */
int request_copy(struct world *w, const struct actor *by, uint64_t first, uint32_t n,
    uint8_t digest[32]);
int document(struct world *w, const struct actor *by, const uint8_t digest[32], uint64_t size,
    uint32_t part, struct us_bytes bytes);
enum us_filing_status status_of(const struct world *w, const char *id);

/* Folds all acts again, asking for other moments between them; must come to the same, and to the
 * same version at every moment. */
void fold_again(const struct world *w);

#endif
