/* What a signature of an item names, made anew from what the signer is shown. */
#ifndef US_CLIENT_CASE_ITEM_DIGEST_H
#define US_CLIENT_CASE_ITEM_DIGEST_H

#include "client/core/client.h"

/* Whether the item, asked for under that id, is that item, and, if it is about a person, whether
 * its digest is of exactly the name, capacity, parties and fingerprints that it shows. DONE;
 * UNVERIFIED, having said so. (Versions of the order: client/case/order_version.h.) */
int us_item_check(struct us_client *client, const char *id, const cJSON *item);

#endif
