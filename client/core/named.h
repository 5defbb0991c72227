/* What the numbers in an act are called: as this run's person named them, or the vault told.
 * Whoever signs an act is shown these texts. */
#ifndef US_CLIENT_CORE_NAMED_H
#define US_CLIENT_CORE_NAMED_H

#include <stdint.h>

#include <cjson/cJSON.h>

struct us_client;

enum us_named_what { US_NAMED_PERSON = 1, US_NAMED_COLLECTION, US_NAMED_PREFIX };

/* Remembers it. The program ends, UNVERIFIED, if that number was called otherwise before, or that
 * text had another number: then somebody answers for something else. */
void
us_named_add(struct us_client *client, enum us_named_what what, uint32_t number, const char *text);
/* Name and prefix of a collection, as lists and lookups show it. Returns its number. */
uint32_t us_named_collection(struct us_client *client, const cJSON *collection);
/* The text, or NULL. It is the client's. */
const char *us_named_text(const struct us_client *client, enum us_named_what what, uint32_t number);
/* Frees what was remembered. */
void us_named_free(struct us_client *client);

#endif
