/* Collections, and the dictionaries their records are compressed with. */
#include "registry/acts/acts.h"

/* ---- collection-create ---- */

static int
prefix_ok(struct us_bytes p)
{
	for (size_t i = 0; i < p.n; i++) {
		int letter = p.p[i] >= 'A' && p.p[i] <= 'Z';
		int digit = p.p[i] >= '0' && p.p[i] <= '9';
		if (!letter && (i == 0 || (!digit && p.p[i] != '-' && p.p[i] != '_')))
			return 0;
		if (digit && i + 1 == p.n)
			return 0; /* "A1" and number 2 must not read as another number */
	}
	return p.n > 0;
}

static void
code_create(struct us_act_codec *c, struct us_act *act)
{
	struct us_act_collection *a = &act->u.collection;

	us_code_str16(c, &a->name, US_COLLECTION_NAME_MAX);
	us_code_str16(c, &a->prefix, US_BATES_PREFIX_MAX);
	us_code_require(c, us_id_ok(a->name, US_COLLECTION_NAME_MAX) && prefix_ok(a->prefix),
	    US_ERR_ENCODING);
	us_code_text_or_empty(c, &a->designation, US_DESIGNATION_MAX);
}

/* The newest: the entry is written once the act is folded. */
static uint32_t
collection_create(const struct us_registry *reg, const struct us_act *act)
{
	(void)act;
	return us_registry_collections(reg);
}

static int
check_create(const struct us_registry *reg, struct us_settled *s, struct us_refusal *refusal)
{
	const struct us_act_collection *a = &s->act->u.collection;
	int err;

	for (size_t i = 0; i < reg->n_collections; i++) {
		const struct us_collection *c = &reg->collections[i]->shown;
		if (us_names_equal(c->name, a->name))
			return us_refuse(refusal, US_ERR_EXISTS, US_REASON_DUPLICATE,
			    "there is a collection %s already", c->name);
		if (us_names_equal(c->prefix, a->prefix))
			return us_refuse(refusal, US_ERR_EXISTS, US_REASON_DUPLICATE,
			    "collection %s has the Bates prefix %s", c->name, c->prefix);
	}
	s->designation = a->designation;
	err = a->designation.n == 0 ? US_OK : us_rules_designation(reg, s, a->designation, refusal);
	return err == US_ERR_NOT_FOUND && s->is_past ? US_OK : err;
}

static int
fold_create(struct us_registry *reg, struct us_settled *s)
{
	const struct us_act_collection *a = &s->act->u.collection;
	struct us_collection_full *c;
	int err = us_grow(&reg->collections, reg->n_collections, &reg->cap_collections,
	    sizeof(struct us_collection_full *));

	if (err != US_OK)
		return err;
	c = calloc(1, sizeof *c);
	if (c == NULL)
		return US_ERR_NOMEM;
	c->shown.id = (uint32_t)reg->n_collections + 1;
	us_copy_text(c->shown.name, sizeof c->shown.name, a->name);
	us_copy_text(c->shown.prefix, sizeof c->shown.prefix, a->prefix);
	us_copy_text(c->shown.designation, sizeof c->shown.designation, s->designation);
	c->shown.created_by = s->actor->id;
	c->shown.created_ns = s->time_ns;
	reg->collections[reg->n_collections++] = c;
	return US_OK;
}

static int
result_create(const struct us_registry *reg, const struct us_settled *s, struct us_buf *out)
{
	(void)s;
	return us_buf_put_u32(out, (uint32_t)reg->n_collections + 1);
}

static void
answer_create(const struct us_registry *reg, const struct us_act *act, struct us_bytes result,
    struct us_json *j, int *pending)
{
	(void)reg;
	(void)pending;
	us_json_kv_uint(j, "collection", us_act_number(result));
	us_json_kv_str(j, "name", act->u.collection.name);
}

/* ---- dictionary ---- */

static void
code_dictionary(struct us_act_codec *c, struct us_act *act)
{
	struct us_act_dictionary *a = &act->u.dictionary;

	us_code_id(c, &a->collection);
	us_code_id(c, &a->version);
	us_code_slot(c, &a->slot);
	us_code_fixed(c, a->salt, 32);
}

static uint32_t
collection_dictionary(const struct us_registry *reg, const struct us_act *act)
{
	(void)reg;
	return act->u.dictionary.collection;
}

static int
check_dictionary(const struct us_registry *reg, struct us_settled *s, struct us_refusal *refusal)
{
	const struct us_act_dictionary *a = &s->act->u.dictionary;
	const struct us_collection_full *c = us_collection_full(reg, a->collection);

	if (c == NULL)
		return us_not_found(refusal, "collection");
	if (us_slots_has(&c->dictionary_slots, a->slot) || a->version != c->n_dictionaries + 1)
		return us_refuse(refusal, US_ERR_STATE, US_REASON_STATE,
		    "the dictionary is not the next one, or its slot has been used");
	return US_OK;
}

static int
fold_dictionary(struct us_registry *reg, struct us_settled *s)
{
	const struct us_act_dictionary *a = &s->act->u.dictionary;
	struct us_collection_full *c = us_collection_full(reg, a->collection);
	int err;

	if ((err = us_slots_reserve(&c->dictionary_slots, a->slot)) != US_OK ||
	    (err = us_grow(&c->dictionaries, c->n_dictionaries, &c->cap_dictionaries,
		 sizeof *c->dictionaries)) != US_OK)
		return err;
	struct us_dictionary *d = &c->dictionaries[c->n_dictionaries++];
	d->version = a->version;
	d->slot = a->slot;
	memcpy(d->salt, a->salt, 32);
	us_slots_put(&c->dictionary_slots, a->slot);
	if (a->slot >= c->shown.next_dictionary_slot)
		c->shown.next_dictionary_slot = a->slot + 1;
	return US_OK;
}

const struct us_act_ops us_acts_collections[] = {
	{ .type = US_ACT_COLLECTION_CREATE,
	    .code = code_create,
	    .collection = collection_create,
	    .check = check_create,
	    .fold = fold_create,
	    .result = result_create,
	    .answer = answer_create },
	{ .type = US_ACT_DICTIONARY,
	    .code = code_dictionary,
	    .collection = collection_dictionary,
	    .check = check_dictionary,
	    .fold = fold_dictionary },
	{ 0 },
};
