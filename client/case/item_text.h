/* An item of the docket as people read it: what it is, all that stands in it, and what a signature
 * of it does. */
#ifndef US_CLIENT_CASE_ITEM_TEXT_H
#define US_CLIENT_CASE_ITEM_TEXT_H

#include "client/core/client.h"
#include "registry/act.h"

/* What one kind of item is to people. Static. */
struct us_item_kind {
	const char *kind;     /* as "kind" of the item says */
	const char *title;    /* what waits */
	const char *signing;  /* what a signature does, or why there is none to give */
	const char *document; /* what its document is called; NULL: it has none */
};

/* The kind that is called so; NULL: this client knows none. */
const struct us_item_kind *us_item_kind(const char *kind);
/* The kind of item that an act of this type puts on the docket; NULL: it puts none there. */
const struct us_item_kind *us_item_kind_of(enum us_act_type type);
/* The item on stdout. No part of it is JSON, nor can it move a terminal. */
void us_item_show(const cJSON *item);

#endif
