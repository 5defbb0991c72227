/* For steps: what several kinds of requests ask of the keeper, the order and the gate. */
#ifndef US_DAEMON_VAULT_REQUEST_ASK_H
#define US_DAEMON_VAULT_REQUEST_ASK_H

#include "daemon/vault/request/entry.h"
#include "daemon/vault/request/request.h"

/* A tag for a question to the keeper, whose answer the next step finds in r->heard; 0 if too many
 * are open. */
uint32_t us_vault_ask(struct us_vault_request *r);
/* err: of sending the question; US_OK, or anything if the tag was 0. WAIT, or FAIL with
 * r->entry. */
enum us_vault_next us_vault_asked(struct us_vault_request *r, int err);
/* A step: hands the message on to the keeper, as it came. */
enum us_vault_next us_vault_forward(struct us_vault_request *r);
/* Has an entry logged; the next step finds it in r->heard.logged. If the keeper refuses there is no
 * next step: r is answered. WAIT, or FAIL. */
enum us_vault_next us_vault_log(struct us_vault_request *r, const struct us_vault_entry *e);
/* The row of a refusal: r->problem is logged, with the records asked for, then answered. */
extern const struct us_vault_step us_vault_refusal[];

/* Has the order asked whether r->action is allowed for that purpose, which r has from then on.
 * records: how many; 0: none. GO_ON, or REFUSE. */
enum us_vault_next
us_vault_ask_order(struct us_vault_request *r, struct us_bytes purpose, uint64_t records);
/* Two steps, one behind the other: the keys of the collection's pages, if they are not here. An
 * entry of its own, in the name of whoever comes first; the others wait (opening.h). The first step
 * may be left out, or not be reached. */
enum us_vault_next us_vault_open_collection(struct us_vault_request *r);
enum us_vault_next us_vault_take_page_keys(struct us_vault_request *r);
/* What becomes of who waits for another to open a collection: its first step again. */
void us_vault_opening_goes_on(struct us_vault_request *r);
/* A step: the gate before the log. */
enum us_vault_next us_vault_pass_gate(struct us_vault_request *r);
/* What the gate does when it is r's turn. */
void us_vault_gate_opens(struct us_vault_request *r);

#endif
