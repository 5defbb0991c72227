/* What a ruling is about: who asks, and what is known of the request. The caller fills it. */
#ifndef US_POLICY_CONTEXT_H
#define US_POLICY_CONTEXT_H

#include "policy/order.h"
#include "policy/usage.h"

#define US_APPROVERS_MAX 16

/* The asker, as the registry knows them now (us_registry_subject() fills it). */
struct us_subject {
	uint32_t person;
	enum us_capacity capacity;
	uint64_t parties;    /* bit i: party i of this order; 0: none */
	int acknowledged;    /* Exhibit A, for this version */
	uint32_t clearances; /* bit i: clearance i of this order */
};

/* Somebody who has approved this very request and may still be counted. */
struct us_approver {
	uint32_t person;
	enum us_capacity capacity;
	uint64_t parties;
	int64_t at_ns; /* when they signed */
};

/* A freeze that is in force. Exactly one of the members says what it hits. */
struct us_freeze_on {
	uint32_t id; /* counted from 1 */
	int everything;
	uint64_t parties; /* bits of this order */
	uint32_t person;
	struct us_bytes collection;
};

/* Facts that the caller cannot know: their conditions and limits are left out, not failed. Who
 * leaves one out must not be the one who decides last: the keeper leaves out nothing. */
#define US_UNKNOWN_ADDRESS 1
#define US_UNKNOWN_USAGE 2
#define US_UNKNOWN_APPROVAL 4
#define US_UNKNOWN_CREDENTIAL 8

struct us_context {
	struct us_bytes collection; /* name; empty if the action is about none */
	struct us_bytes purpose;    /* as stated; empty: none */
	uint64_t records;           /* how many the request names or would disclose; 0 if none */
	int64_t now_ns;
	unsigned unknown;    /* US_UNKNOWN_* */
	uint8_t address[16]; /* us_address_parse() */
	int has_address;     /* 0: it could not be read; then no network fits */
	uint8_t matter;      /* index of the matter's state in the order's list */
	uint16_t credential_bits;
	uint16_t credential_days; /* whole days from notBefore to notAfter */
	size_t n_approvers;       /* distinct people */
	const struct us_approver *approvers;
	size_t n_freezes;
	const struct us_freeze_on *freezes;
	/* Usage: what the meters would read after this request (disclosed before, and with this
	 * request), and read before. Of party meters the largest over the person's parties. All
	 * zero if unknown. */
	struct us_meter person_before, person_after;
	struct us_meter party_before, party_after;
	uint64_t corpus; /* records of the collection; share is measured against it */
};

#endif
