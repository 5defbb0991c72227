/* The rules of one version of the order over one batch after another, whichever version is in
 * force: as visible.c does for the one in force, but of one batch at a time and without a cache. */
#ifndef US_DAEMON_VAULT_ANSWERS_QUESTION_RULES_H
#define US_DAEMON_VAULT_ANSWERS_QUESTION_RULES_H

#include <roaring/roaring.h>

#include "daemon/vault/evidence/evidence.h"
#include "evidence/index/eval.h"
#include "policy/evaluate.h"

struct us_vault_question_rules {
	struct us_vault_evidence *evidence;
	const struct us_order *order;
	uint32_t collection;
	const struct us_batch *batch; /* NULL: none yet */
	struct us_query **queries;    /* by rule; NULL where it has not been parsed */
	roaring_bitmap_t **found;     /* by rule, of the batch; NULL where it has not been made */
	struct us_term_table keys;    /* of words in queries; belongs to the caller */
};
/* US_ERR_NOMEM; w is to be freed then too. order is kept. */
int us_vault_question_rules_init(struct us_vault_question_rules *w,
    struct us_vault_evidence *evidence, const struct us_order *order, uint32_t collection);
/* What w found and parsed. */
void us_vault_question_rules_free(struct us_vault_question_rules *w);
/* What is asked from here on is about this batch. */
void us_vault_question_rules_at(struct us_vault_question_rules *w, const struct us_batch *batch);
/* Fills set, which is empty, with what permits find and forbids do not. US_ERR_DENIED: a rule's
 * query names a word whose key is not here. US_ERR_SEALED: the collection's index has not been
 * opened. */
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
int us_vault_question_batch_open(const struct us_registry *reg, const struct us_batch *batch,
    uint64_t party_bits);
/* Takes out of set (documents of the batch) what clawbacks and freezes withhold from the capacity
 * under that order. */
void us_vault_question_withhold(const struct us_registry *reg, uint32_t collection,
    const struct us_batch *batch, const struct us_order *order, enum us_capacity capacity,
    roaring_bitmap_t *set);
/* 1 or 0: what a ruling lets be seen has the record or not; below 0: minus an enum us_err, as of
 * us_vault_question_rules_set(). */
int us_vault_question_sees(struct us_vault_question_rules *w, const struct us_ruling *ruling,
    enum us_capacity capacity, uint64_t party_bits, uint64_t record);

#endif
