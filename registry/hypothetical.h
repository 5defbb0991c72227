/*
 * What the order says to one person of a request that nobody makes: for explanations, and for
 * whoever asks what could have been done at a moment that is past. What such a question cannot know
 * (address, what was disclosed before, approvals) is left out; a purpose is taken to be stated.
 * Pure; a registry that nobody applies to may be asked by any number of threads.
 */
#ifndef US_REGISTRY_HYPOTHETICAL_H
#define US_REGISTRY_HYPOTHETICAL_H

#include "registry/registry.h"

struct us_hypothetical {
	const struct us_person *person;
	struct us_subject subject;
	struct us_context context; /* views into the registry */
	struct us_ruling ruling;   /* the order's; whether the person stands at all is not in it */
	int has_credential;        /* a live one */
};

/* collection: what it is about, or NULL; records: how many. The registry is one of that moment
 * (us_registry_at()). */
void us_registry_hypothetical(const struct us_registry *reg, const struct us_person *person,
    enum us_action action, const struct us_collection *collection, uint64_t records, int64_t at_ns,
    struct us_hypothetical *out);
/* Why somebody cannot do anything at that moment, whatever the order says: PENDING, SUSPENDED or
 * ENDED; else, of somebody without a credential that is good then, what us_registry_standing() says
 * of the one that was issued last, or UNKNOWN_CREDENTIAL if there is none. US_REASON_NONE of who
 * stands. The registry is one of that moment. */
enum us_reason
us_person_fallen(const struct us_registry *reg, const struct us_person *person, int64_t at_ns);
/* Why a record is not for this person, whatever the rules' queries find: NOT_FOUND, WITHDRAWN, HELD
 * (its producer has not released it), FROZEN, CLAWED_BACK; US_REASON_NONE if none of these. */
enum us_reason us_registry_barred(const struct us_registry *reg, const struct us_person *person,
    uint32_t collection, uint64_t record);

#endif
