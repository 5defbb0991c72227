/*
 * Lists, what their files share: list.c takes the request, and shows people, credentials,
 * collections, batches and copies; list_docket.c shows what waits for somebody; list_order.c
 * versions of the order and what goes with them.
 *
 * A list is read from the registry once its entry is there. Positions rise; a page begins behind
 * the last one shown.
 */
#ifndef US_DAEMON_VAULT_ANSWERS_LISTING_H
#define US_DAEMON_VAULT_ANSWERS_LISTING_H

#include "base/json_out.h"
#include "daemon/vault/request/request.h"
#include "registry/docket.h"
#include "registry/versions.h"

#define LIST_BATES_MAX 1000u /* of one item; the rest is counted only */

struct us_vault_listing {
	const struct us_msg_list_request *q; /* the request's */
	uint32_t limit;
	uint64_t next; /* position to go on from; 0: that was all */
	uint32_t shown;
};

/* 1 if there is room for one more, whose position is at (counted from 1). */
int us_vault_listing_room(struct us_vault_listing *l, uint64_t at);
/* 1 if the list is of all, or of what has that name (may be NULL) or number. */
int us_vault_listing_is(const struct us_vault_listing *l, const char *name, uint64_t id);
/* A person, as a value. */
void us_vault_list_put_person(struct us_json *j, const struct us_person *p);
/* null for 0 and for times that never come. */
void us_vault_list_put_time(struct us_json *j, const char *key, int64_t ns);
/* null for zeros. */
void us_vault_list_put_digest(struct us_json *j, const char *key, const uint8_t digest[32]);
/* The registry's; NULL if there is no such person. */
const char *us_vault_list_person_name(const struct us_registry *reg, uint32_t id);
/* The registry's; NULL if there is no such collection. */
const char *us_vault_list_collection_name(const struct us_registry *reg, uint32_t id);

/* --- list_docket.c: each list appends its items to an open array --- */

/* Open filings behind the people who wait. */
void
us_vault_list_docket(struct us_vault_request *r, struct us_vault_listing *l, struct us_json *j);
/* All filings, closed ones too. */
void
us_vault_list_filings(struct us_vault_request *r, struct us_vault_listing *l, struct us_json *j);
/* How many items this person could do something about now. */
size_t
us_vault_docket_waiting(const struct us_registry *reg, const struct us_person *who, int64_t now_ns);
/* Signatures of a filing (NULL: none) as a value. */
void us_vault_docket_put_signatures(const struct us_registry *reg, const struct us_filing *f,
    struct us_json *j);
/* "served" and "due" into an open object. */
void us_vault_docket_put_services(const struct us_filing *f, struct us_json *j);
/* What a filing is about, in one line. */
void us_vault_docket_put_name(const struct us_registry *reg, const struct us_filing *f,
    struct us_json *j);

/* --- list_order.c --- */

/* The order in force. */
void us_vault_list_order(struct us_vault_request *r, struct us_json *j);
/* All versions of the order. */
void
us_vault_list_orders(struct us_vault_request *r, struct us_vault_listing *l, struct us_json *j);
/* Who has acknowledged the order, as far as the asker may see. */
void us_vault_list_acknowledgements(struct us_vault_request *r, struct us_vault_listing *l,
    struct us_json *j);
/* Documents, as far as the asker may see. */
void
us_vault_list_documents(struct us_vault_request *r, struct us_vault_listing *l, struct us_json *j);
/* Relabels of records. */
void
us_vault_list_relabels(struct us_vault_request *r, struct us_vault_listing *l, struct us_json *j);

#endif
