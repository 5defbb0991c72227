/*
 * Questions about the order and its docket, one file each: who gains and loses by a version
 * (us_vault_question_diff.c), what the rules say of a person and who may do something with a record
 * (us_vault_question_explain.c), documents and the report on a clawback
 * (us_vault_question_document.c), all acts (us_vault_question_acts.c). us_vault_handle_question.c
 * takes the request and says who may ask.
 */
#ifndef US_DAEMON_VAULT_QUESTION_H
#define US_DAEMON_VAULT_QUESTION_H

#include "daemon/vault/answers/listing.h"

/* Each takes a request whose person has been checked. q: views into r->body. */
void us_vault_question_diff(struct us_vault_request *r, const struct us_msg_question_request *q);
void us_vault_question_explain(struct us_vault_request *r, const struct us_msg_question_request *q);
void us_vault_question_who(struct us_vault_request *r, const struct us_msg_question_request *q);
void
us_vault_question_clawback(struct us_vault_request *r, const struct us_msg_question_request *q);
void
us_vault_question_document(struct us_vault_request *r, const struct us_msg_question_request *q);
void us_vault_question_acts(struct us_vault_request *r, const struct us_msg_question_request *q);

/* --- us_vault_handle_question.c --- */

/* Logs and answers that this person may not ask that. */
void
us_vault_question_refuse(struct us_vault_request *r, enum us_action action, const char *detail);
/* Logs and answers 404. */
void
us_vault_question_not_found(struct us_vault_request *r, enum us_action action, const char *detail);
/* 0 if the asker may ask about everybody: court, special master, auditor, administrator, roster
 * signers. Else it has been refused. */
int us_vault_question_for_all(struct us_vault_request *r, enum us_action action);
/* An intent whose query box holds the question; then answer(r, …). */
void us_vault_question_log(struct us_vault_request *r, enum us_action action, struct us_bytes text,
    void (*answer)(struct us_vault_request *r, const struct us_msg_logged *m));
/* Opens r->collection's index in the asker's name if that is needed and the order lets them; then
 * next(r) in any case. */
void us_vault_question_open(struct us_vault_request *r, void (*next)(struct us_vault_request *r));

/* --- question_rules.c: the rules of one version over one batch after another, whichever version is
 * in force --- */

struct us_vault_question_rules {
	struct us_vault *vault;
	const struct us_order *order;
	uint32_t collection;
	const struct us_batch *batch; /* NULL: none yet */
	struct us_query **queries;    /* by rule; NULL where it has not been parsed */
	roaring_bitmap_t **found;     /* by rule, of the batch; NULL where it has not been made */
	struct us_term_table keys;    /* of words in queries; belongs to the caller */
};
int us_vault_question_rules_init(struct us_vault_question_rules *w, struct us_vault *v,
    const struct us_order *order, uint32_t collection);
void us_vault_question_rules_free(struct us_vault_question_rules *w); /* after a failed init too */
/* What is asked from here on is about this batch. */
void us_vault_question_rules_at(struct us_vault_question_rules *w, const struct us_batch *batch);
/* *out: what a rule's query finds in the batch; belongs to w. US_ERR_DENIED: it names a word whose
 * key is not here; US_ERR_SEALED: the collection's index has not been opened. */
int us_vault_question_rules_one(struct us_vault_question_rules *w, int rule,
    const roaring_bitmap_t **out);
/* Fills set, which is empty, with what permits find and forbids do not. */
int us_vault_question_rules_set(struct us_vault_question_rules *w,
    const uint64_t permits[US_RULE_WORDS], const uint64_t forbids[US_RULE_WORDS],
    roaring_bitmap_t *set);
/* The first rule of the set that finds that document of the batch, or -1. */
int us_vault_question_rules_first(struct us_vault_question_rules *w,
    const uint64_t rules[US_RULE_WORDS], uint32_t doc);
/* Content words of the rules in the set, added to words (packed str16, neither sorted nor
 * unique). */
int us_vault_question_rules_words(struct us_vault_question_rules *w,
    const uint64_t rules[US_RULE_WORDS], struct us_buf *words);
/* 1 if people of these parties and this capacity could see records of the batch at all. */
int us_vault_question_batch_open(const struct us_vault *v, const struct us_batch *batch,
    uint64_t party_bits);
/* Takes out of set (documents of the batch) what clawbacks and freezes withhold from the capacity
 * under that order. */
void us_vault_question_withhold(const struct us_vault *v, uint32_t collection,
    const struct us_batch *batch, const struct us_order *order, enum us_capacity capacity,
    roaring_bitmap_t *set);
/* 1 or 0: what a ruling lets be seen has the record or not; below 0: minus an enum us_err, as of
 * us_vault_question_rules_one(). */
int us_vault_question_sees(struct us_vault_question_rules *w, const struct us_ruling *ruling,
    enum us_capacity capacity, uint64_t party_bits, uint64_t record);

/* --- history.c: the acts in the store --- */

/* Calls fn with committed acts in their order, those for which wants(ctx, sequence) is 1 (NULL:
 * all). Anything but US_OK ends it and is returned; US_ERR_CLOSED ends it as if that was all. */
int us_vault_history_acts(struct us_vault *v, int (*wants)(void *ctx, uint64_t sequence),
    int (*fn)(void *ctx, uint64_t sequence, struct us_bytes committed), void *ctx);
/* The registry as it was then; the order in force then is us_registry_order() of it. Takes as long
 * as folding all acts. */
int us_vault_history_registry(struct us_vault *v, int64_t at_ns, struct us_registry **out);

#endif
