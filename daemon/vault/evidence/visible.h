/*
 * Visibility is a set: for each distinct pair (rules that permit, rules that forbid) of a version
 * of the order and each batch one bitmap, made when it is first needed and kept while the vault is
 * open. Batches never change, nor do the rules of a version; what changes about a batch (held,
 * withdrawn, published when) is asked each time, and so are clawbacks and freezes. A relabel may
 * change what rules find: bitmaps made before it go.
 *
 * Rules may name content words. Their bitmaps need those words' keys, which the keeper gives for a
 * logged intent only: us_vault_view_words() says which, us_vault_view_fill() makes all that is
 * missing with them.
 */
#ifndef US_DAEMON_VAULT_EVIDENCE_VISIBLE_H
#define US_DAEMON_VAULT_EVIDENCE_VISIBLE_H

#include <roaring/roaring.h>

#include "daemon/vault/evidence/evidence.h"
#include "evidence/index/eval.h"
#include "policy/evaluate.h"
#include "registry/registry.h"

struct us_vault_views;

/* What one person may see of a collection under one version of the order. Holds nothing that must
 * be given back: bitmaps are looked up in `views`. */
struct us_vault_view {
	struct us_vault_views *views;
	const struct us_order *order;
	uint32_t collection;
	uint64_t snapshot; /* log index */
	uint64_t parties;
	unsigned
	    withheld; /* US_WITHHELD_*: for which reasons records are hidden from this person */
	int sees_all; /* the rules hide nothing */
	uint64_t permits[US_RULE_WORDS];
	uint64_t forbids[US_RULE_WORDS];
	struct us_term_table keys; /* of words in rules, while bitmaps are made */
};

/* evidence is kept, not owned. US_ERR_NOMEM. */
int us_vault_views_new(struct us_vault_views **out, struct us_vault_evidence *evidence);
/* NULL is allowed. */
void us_vault_views_free(struct us_vault_views *s);

/* What that ruling, made under the order in force, lets a person see. */
void us_vault_view_open(struct us_vault_views *s, const struct us_ruling *ruling,
    const struct us_subject *subject, uint32_t collection, uint64_t snapshot,
    struct us_vault_view *out);
/* 1 if the batch can be seen at all: published by then, not withdrawn, not held by others. */
int us_vault_view_batch(const struct us_vault_view *w, const struct us_batch *facts);
/* Records that were to be seen at the snapshot and have been withdrawn since. */
uint64_t us_vault_view_withdrawn(const struct us_vault_view *w);
/* *out: what is visible of a batch, NULL for all of it; valid until the next call of this or
 * another view. US_ERR_NOMEM, errors of us_vault_designate_eval(). */
int us_vault_view_bitmap(struct us_vault_view *w, const struct us_batch *facts,
    const roaring_bitmap_t **out);
/* 1 visible, 0 not or not there; below 0: minus an enum us_err. */
int us_vault_view_record(struct us_vault_view *w, uint64_t record, const struct us_batch **facts);
/* Content words of the set's rules, packed str16, if bitmaps are missing whose making needs
 * them. */
int us_vault_view_words(struct us_vault_view *w, struct us_buf *out, size_t *n);
/* Makes all missing bitmaps; keys as given by the keeper for us_vault_view_words(). */
int us_vault_view_fill(struct us_vault_view *w, struct us_bytes term_keys,
    const struct us_bytes *words, size_t n);

#endif
