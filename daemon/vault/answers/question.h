/*
 * Questions about the order and its docket, one file each: who gains and loses by a version
 * (question_diff.c), what the rules say of a person and who may do something with a record
 * (question_explain.c), documents and the report on a clawback (question_document.c), all acts
 * (question_acts.c).
 */
#ifndef US_DAEMON_VAULT_ANSWERS_QUESTION_H
#define US_DAEMON_VAULT_ANSWERS_QUESTION_H

#include "daemon/vault/request/request.h"

/* The row of each. */
extern const struct us_vault_step us_vault_diff_steps[];
extern const struct us_vault_step us_vault_explain_steps[];
extern const struct us_vault_step us_vault_who_steps[];
extern const struct us_vault_step us_vault_clawback_steps[];
extern const struct us_vault_step us_vault_document_steps[];
extern const struct us_vault_step us_vault_all_acts_steps[];

/* REFUSE: this person may not ask that. detail is copied. */
enum us_vault_next us_vault_question_refuse(struct us_vault_request *r, const char *detail);
/* REFUSE, as what is not there. */
enum us_vault_next us_vault_question_not_found(struct us_vault_request *r, const char *detail);
/* GO_ON if the asker may ask about everybody: court, special master, auditor, administrator, roster
 * signers. Else REFUSE. */
enum us_vault_next us_vault_question_for_all(struct us_vault_request *r);
/* Asks the order, without a purpose. GO_ON, or REFUSE. */
enum us_vault_next us_vault_question_ask_order(struct us_vault_request *r);
/* Logs an intent whose query box holds the question. WAIT, or FAIL. */
enum us_vault_next us_vault_question_log(struct us_vault_request *r, struct us_bytes text);
/* A step, with us_vault_take_page_keys() behind it: opens the collection's index in the asker's
 * name if that is needed and the order lets them. */
enum us_vault_next us_vault_question_open(struct us_vault_request *r);

#endif
