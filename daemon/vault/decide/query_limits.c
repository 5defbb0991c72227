/*
 * What a search must not tell: people who may count but not read get no small numbers and cannot
 * ask for a single record; people for whom records are masked cannot search behind the mask.
 */
#include <string.h>

#include "daemon/vault/decide/decide.h"

/* The position of the first part of a query that asks about what must not be told; -1: there is
 * none. */
struct us_vault_asked {
	int bates; /* 1: numbers of records may not be asked for */
	struct us_mask mask;
};

static int64_t
first_forbidden(const struct us_query_node *node, const struct us_vault_asked *a)
{
	switch (node->op) {
	case US_QUERY_ALL:
		return -1;
	case US_QUERY_WORD:
	case US_QUERY_PHRASE:
		/* the index knows words, not whether they stand behind a mask */
		return us_mask_hides_text(&a->mask) ? (int64_t)node->at : -1;
	case US_QUERY_DATE:
		return (a->mask.fields & US_MASK_CREATED) != 0 ? (int64_t)node->at : -1;
	case US_QUERY_BATES:
		return a->bates ? (int64_t)node->at : -1;
	case US_QUERY_META:
		if ((node->field == US_FIELD_MODEL && (a->mask.fields & US_MASK_MODEL) != 0) ||
		    (node->field == US_FIELD_LANGUAGE && (a->mask.fields & US_MASK_LANGUAGE) != 0))
			return (int64_t)node->at;
		return -1;
	case US_QUERY_AND:
	case US_QUERY_OR:
	case US_QUERY_NOT:
		break;
	}
	for (size_t i = 0; i < node->n_children; i++) {
		int64_t at = first_forbidden(node->children[i], a);

		if (at >= 0)
			return at;
	}
	return -1;
}

enum us_vault_decision
us_vault_decide_query(const struct us_vault *v, struct us_vault_asker *who, struct us_bytes purpose,
    const struct us_query *query, struct us_vault_problem *p)
{
	const struct us_order *order = us_registry_order(us_vault_registry(v->state));
	struct us_ruling reading;
	struct us_vault_asked asked;
	int64_t at;

	us_vault_ruling(v, who, US_ACTION_READ, purpose, 0, &reading);
	us_mask_add(&who->ruling.mask, &reading.mask);
	/* who may read once a condition holds is a reader; who has no permit at all may only
	 * count */
	who->counts_only = us_rules_next(reading.permits, 0) < 0;
	who->smallest_count = who->counts_only ? order->smallest_count : 0;
	/* a snippet opens its record: the keeper decides it as a read */
	who->shows_text = reading.decision == US_DECISION_ALLOW && !reading.approval_needed;
	who->text_max = reading.records_per_request;
	asked.mask = who->ruling.mask;
	asked.bates = who->counts_only && order->smallest_count > 0;
	at = first_forbidden(query->root, &asked);
	if (at < 0)
		return US_VAULT_ALLOWED;
	us_vault_problem_set(p, 403, "denied", "The query asks about what the order hides from you",
	    US_REASON_MASKED)
	    ->position = at;
	p->rule = who->ruling.rule;
	p->rule_id = who->ruling.rule_id;
	p->paragraph = who->ruling.paragraph;
	us_vault_problem_cure(p,
	    "leave that part out: masked text and fields, and single records for "
	    "people who may only count, "
	    "cannot be searched");
	return US_VAULT_REFUSED;
}
