/*
 * Names for the numbers of people and collections: from the acts of the log that entered them, as
 * these go by, and from the vault's lists for whom no act gives one.
 */
#ifndef US_CLIENT_REPORT_NAMES_H
#define US_CLIENT_REPORT_NAMES_H

#include <cjson/cJSON.h>

#include "base/buf.h"

/* Who says so, bits of `from`. */
#define US_NAME_LISTED 1 /* the vault's list */
#define US_NAME_LOGGED 2 /* an act that stands in an entry of the log */
#define US_NAME_BESIDE 4 /* an act beside the log, which commits to it if the log verifies */

struct us_named_person {
	uint32_t id;
	char *name, *capacity;
	int from;
};

struct us_named_collection {
	uint32_t id;
	char *name, *prefix;
	int from;
	uint64_t records; /* numbers that are known to be taken */
};

/* Whose a credential is, by the act that issued it. */
struct us_named_credential {
	uint8_t fingerprint[32];
	uint32_t person;
};

struct us_names {
	struct us_named_person *people;
	size_t n_people;
	struct us_named_collection *collections;
	size_t n_collections;
	char **parties; /* of anybody, at any time */
	size_t n_parties;
	struct us_named_credential *credentials;
	size_t n_credentials;
	uint32_t highest; /* number of a person that an entry was of */
	uint64_t changes; /* grows with each name that is taken */
};

/* Takes the vault's lists: answers of /v1/people and /v1/collections, or NULL. US_ERR_NOMEM. */
int us_names_lists(struct us_names *all, const cJSON *people, const cJSON *collections);
/* Takes the name that an act gives, of several the first; or a list, where no act does. capacity
 * may be NULL; from: one of the bits above. US_ERR_NOMEM. */
int us_names_add_person(struct us_names *all, uint32_t id, struct us_bytes name,
    const char *capacity, int from);
/* The same of a collection, with the prefix of its Bates numbers. */
int us_names_add_collection(struct us_names *all, uint32_t id, struct us_bytes name,
    struct us_bytes prefix, int from);
/* An entry is of that person: there are people with all numbers up to it. */
void us_names_saw_person(struct us_names *all, uint32_t person);
/* Parties that somebody is or was of; one that is there is not added again. US_ERR_NOMEM. */
int us_names_add_parties(struct us_names *all, const struct us_bytes *parties, size_t n);
/* The collection, if it is known, has numbers below `records` at least. */
void us_names_add_records(struct us_names *all, uint32_t collection, uint64_t records);
/* Takes whose a certificate (DER) is; one that is none is left out. US_ERR_NOMEM. */
int us_names_add_credential(struct us_names *all, uint32_t person, struct us_bytes certificate);
/* Whose the credential is; 0: no act said so. */
uint32_t us_names_holder(const struct us_names *all, const uint8_t credential[32]);
/* Frees all; a zeroed one may be freed. */
void us_names_free(struct us_names *all);

/* "Alice Attorney"; "person 7" without a name; "" for nobody (into out, or as long as no name is
 * taken). */
const char *us_names_person(const struct us_names *all, uint32_t person, char out[32]);
/* NULL: not known. As long as no name is taken. */
const struct us_named_person *us_names_find_person(const struct us_names *all, uint32_t person);
/* The same of a collection. */
const struct us_named_collection *
us_names_find_collection(const struct us_names *all, uint32_t collection);
/* That nothing is said of somebody who is not there must not look like somebody who did nothing: a
 * usage error that names the nearest, unless both are known or NULL. "person 7" is somebody whose
 * name no act and no list gives. */
void us_names_must_know(const struct us_names *all, const char *person, const char *party);
/* Ends the program likewise: there is no collection of that name, of n bytes. */
_Noreturn void us_names_no_collection(const struct us_names *all, const char *name, size_t n);
/* The collection of that name, of n bytes; one that the log names before one that a list does. */
const struct us_named_collection *
us_names_find_collection_named(const struct us_names *all, const char *name, size_t n);
/* How many names are the lists' alone. verified: acts beside the log are as good as it. */
size_t us_names_from_lists(const struct us_names *all, int verified);

#endif
