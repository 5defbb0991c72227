/*
 * Preconditions about designations: a record whose designation the order in force does not list is
 * out of the reach of its rules. So none comes in with a collection or a relabel, and no version
 * comes that names others than its own or drops what records bear.
 */
#include <stdio.h>

#include "policy/designation.h"
#include "evidence/query/query.h"
#include "registry/versions_internal.h"
#include "registry/withheld.h"

#define TEXT(b) (int)(b).n, (const char *)(b).p /* for %.*s */

int
us_rules_designation(const struct us_registry *reg, struct us_settled *s, struct us_bytes given,
    struct us_refusal *refusal)
{
	struct us_designated found;
	int err = us_order_designation(reg->order, given, &found);

	s->designation = err == US_OK ? found.name : given;
	if (err != US_ERR_NOT_FOUND)
		return err;
	err = us_refuse(refusal, err, US_REASON_NOT_FOUND,
	    "the order knows no designation \"%.*s\"", TEXT(given));
	if (refusal != NULL && found.nearest.n > 0)
		(void)snprintf(refusal->cure, sizeof refusal->cure,
		    "did you mean \"%.*s\"? The order's list: underseal order show",
		    TEXT(found.nearest));
	else
		us_refuse_cure(refusal, "see the order's list: underseal order show");
	return err;
}

/* ---- versions ---- */

static int
check_rule(const struct us_rule *rule, const struct us_designations *listed,
    struct us_refusal *refusal)
{
	const struct us_query_node *outside;
	struct us_query_error error = { 0 };
	struct us_query *query;
	int err = us_query_parse(rule->what.p, rule->what.n, &query, &error);

	if (err == US_ERR_NOMEM)
		return err;
	if (err != US_OK)
		return us_refuse(refusal, err, US_REASON_MALFORMED, "the query of rule %.*s: %s",
		    TEXT(rule->id), error.message);
	outside = us_designations_outside(listed, query);
	if (outside != NULL)
		err = us_refuse(refusal, US_ERR_NOT_FOUND, US_REASON_MALFORMED,
		    "rule %.*s is about the designation \"%.*s\", which is not in the version's "
		    "list",
		    TEXT(rule->id),
		    (int)(outside->value.n < US_DESIGNATION_MAX ? outside->value.n :
								  US_DESIGNATION_MAX),
		    (const char *)outside->value.p);
	us_query_free(query);
	return err;
}

/* What the compiler has refused; a compiled form need not come from it. */
static int
names_its_own(const struct us_order *order, struct us_refusal *refusal)
{
	struct us_designations listed;
	int err = us_designations_of(&listed, order);

	if (err != US_OK)
		return err;
	err = us_designations_distinct(&listed);
	if (err != US_OK)
		return us_refuse(refusal, err, US_REASON_MALFORMED,
		    "two designations of the version's list are the same, or one is empty");
	for (size_t i = 0; i < order->n_rules && err == US_OK; i++)
		if (order->rules[i].is_query)
			err = check_rule(&order->rules[i], &listed, refusal);
	return err;
}

static int
drops(const struct us_order *earlier, const struct us_order *later, struct us_refusal *refusal)
{
	struct us_bytes dropped = { NULL, 0 };
	int err = us_order_keeps_designations(earlier, later, &dropped);

	if (err != US_ERR_NOT_FOUND)
		return err;
	err = us_refuse(refusal, US_ERR_STATE, US_REASON_STATE,
	    "version %u does not list the designation \"%.*s\", which version %u has: no rule "
	    "would reach records that bear it",
	    (unsigned)later->version, TEXT(dropped), (unsigned)earlier->version);
	us_refuse_cure(refusal, "keep it in the list, and change the rules about it");
	return err;
}

/* Without a list of the version in force anything may be borne; of that, what acts say is known
 * here. */
static int
drops_borne(const struct us_registry *reg, const struct us_order *order, struct us_refusal *refusal)
{
	struct us_designations listed;
	struct us_designated found;
	int err = us_designations_of(&listed, order);

	for (size_t i = 0; i < reg->n_collections && err == US_OK; i++) {
		const struct us_collection *c = &reg->collections[i]->shown;
		if (c->designation[0] != '\0' &&
		    (err = us_designations_find(&listed, us_bytes_of(c->designation), &found)) ==
			US_ERR_NOT_FOUND)
			return us_refuse(refusal, US_ERR_STATE, US_REASON_STATE,
			    "version %u does not list the designation \"%s\" of the collection %s",
			    (unsigned)order->version, c->designation, c->name);
	}
	for (size_t i = 0; i < reg->n_relabels && err == US_OK; i++)
		if ((err = us_designations_find(&listed, us_bytes_of(reg->relabels[i]->designation),
			 &found)) == US_ERR_NOT_FOUND)
			return us_refuse(refusal, US_ERR_STATE, US_REASON_STATE,
			    "version %u does not list the designation \"%s\", to which records "
			    "have been relabelled",
			    (unsigned)order->version, reg->relabels[i]->designation);
	return err;
}

int
us_rules_version(const struct us_registry *reg, const struct us_settled *s,
    const struct us_order *order, int64_t effective_ns, struct us_refusal *refusal)
{
	const int64_t starts = effective_ns > s->time_ns ? effective_ns : s->time_ns;
	int err;

	if (s->is_past)
		return US_OK;
	err = names_its_own(order, refusal);
	/* what is in force, and what is signed to come: from whichever comes first to the other
	 * nothing is dropped */
	for (size_t i = 0; i < reg->n_versions && err == US_OK; i++) {
		const struct us_order_version *v = &reg->versions[i]->shown;
		const enum us_version_status status = us_registry_version_status(reg, v,
		    s->time_ns);

		if (v->order == order ||
		    (status != US_VERSION_IN_FORCE && status != US_VERSION_SIGNED))
			continue;
		err = us_order_version_starts(v) <= starts ? drops(v->order, order, refusal) :
							     drops(order, v->order, refusal);
	}
	return err == US_OK && reg->order->n_designations == 0 ? drops_borne(reg, order, refusal) :
								 err;
}
