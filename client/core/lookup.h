/* What several files of commands need: numbers for names, filings by their ids, and how an act
 * ends. */
#ifndef US_CLIENT_CORE_LOOKUP_H
#define US_CLIENT_CORE_LOOKUP_H

#include "client/core/client.h"

/* For a text that an act must have and the person did not give. */
#define US_TEXT_NOT_SAID "not said"

/* A zeroed act of that type, to be freed; the program ends if there is no memory. */
struct us_act *us_act_new(enum us_act_type type);
/* us_client_find of prefix ‖ name, percent-encoded. */
int us_find_named(struct us_client *client, const char *prefix, const char *name, cJSON **out);
/* us_client_get of prefix ‖ name, percent-encoded ‖ suffix; one thing of that kind if what is not
 * NULL. */
int us_get_named(struct us_client *client, const char *prefix, const char *name, const char *suffix,
    const char *what, cJSON **out);
/* The number of a person; the program ends with the refusal's status if there is none. */
uint32_t us_person_id(struct us_client *client, const char *name);
/* The number of a collection, likewise. */
uint32_t us_collection_id(struct us_client *client, const char *name);
/* A collection as the vault shows it, and its number. Exit status, having said what is wrong. The
 * program ends, as do the two above, if it is answered for another name. */
int us_collection_find(struct us_client *client, const char *name, cJSON **out, uint32_t *number);
/* An option that holds a moment (client/core/when.h), else 0; a usage error if it is none. */
int64_t us_arg_time(const struct us_args *args, const char *name);
/* An option that must be there. why: "under whose authority?" */
const char *us_arg_needed(const struct us_args *args, const char *name, const char *why);
/* The number in "clawback-3" or "3"; a usage error if it is neither. */
uint32_t us_filing_number(const char *text, const char *kind);
/* "order-2" from "order-2" or "2". */
void us_filing_id(const char *text, const char *kind, char out[US_DOCKET_ID_MAX + 1]);
/* Reads a query from the operand, or from standard input if it is "-"; query is initialised here.
 * The program ends if it cannot. */
void us_read_query(const char *operand, struct us_buf *query);
/* Splits "demo/3". collection has room for US_COLLECTION_NAME_MAX + 1; a usage error if it is no
 * batch. */
uint32_t us_batch_split(const char *id, char *collection);
/* Shows the answer of a request that was done or accepted, and frees it; returns its status. */
int us_finish(struct us_client *client, int status, cJSON *answer, void (*show)(const cJSON *));
/* Signs the act, posts it, frees it, and shows the answer, as above. */
int us_finish_act(struct us_client *client, struct us_act *act, void (*show)(const cJSON *));
/* Prints the members of an object that are not null, a line each: for people. */
void us_print_members(const cJSON *object);
/* For answers that open a filing: its id and what happens now. */
void us_show_filed(const cJSON *answer);

#endif
