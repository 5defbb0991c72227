#include "registry/hypothetical.h"

#include "registry/withheld.h"

/* The person's live credential that lasts longest, or NULL. */
static const struct us_credential *
credential_of(const struct us_registry *reg, uint32_t person, int64_t at_ns)
{
	const struct us_credential *best = NULL;

	for (size_t i = 0; i < us_registry_credentials(reg); i++) {
		const struct us_credential *c = us_registry_credential(reg, i);

		if (c->person == person && c->approved && !c->revoked && c->from_ns <= at_ns &&
		    at_ns < c->to_ns && (best == NULL || c->to_ns > best->to_ns))
			best = c;
	}
	return best;
}

void
us_registry_hypothetical(const struct us_registry *reg, const struct us_person *person,
    enum us_action action, const struct us_collection *collection, uint64_t records, int64_t at_ns,
    struct us_hypothetical *out)
{
	const struct us_order *order = us_registry_order(reg);
	const struct us_credential *credential = credential_of(reg, person->id, at_ns);

	*out = (struct us_hypothetical){ .person = person, .has_credential = credential != NULL };
	out->subject = us_registry_subject(reg, person, at_ns);
	us_registry_context(reg, credential, (struct us_bytes){ NULL, 0 }, at_ns, &out->context);
	out->context.unknown = US_UNKNOWN_ADDRESS | US_UNKNOWN_USAGE | US_UNKNOWN_APPROVAL |
	    (credential == NULL ? US_UNKNOWN_CREDENTIAL : 0);
	out->context.purpose = order->n_purposes > 0 ? order->purposes[0].code :
						       us_bytes_of("stated");
	out->context.records = records;
	if (collection != NULL)
		out->context.collection = us_bytes_of(collection->name);
	us_order_evaluate(order, &out->subject, action, &out->context, &out->ruling);
}

/* Why none of the person's credentials is good; the last one's reason. */
static enum us_reason
credential_fallen(const struct us_registry *reg, uint32_t person, int64_t at_ns)
{
	enum us_reason reason = US_REASON_UNKNOWN_CREDENTIAL;

	for (size_t i = 0; i < us_registry_credentials(reg); i++) {
		const struct us_credential *c = us_registry_credential(reg, i);

		if (c->person != person)
			continue;
		reason = us_registry_standing(reg, c->fingerprint, at_ns, NULL, NULL);
		if (reason == US_REASON_NONE)
			break;
	}
	return reason;
}

enum us_reason
us_person_fallen(const struct us_registry *reg, const struct us_person *person, int64_t at_ns)
{
	switch (person->status) {
	case US_PERSON_ACTIVE:
		return credential_fallen(reg, person->id, at_ns);
	case US_PERSON_PENDING:
		return US_REASON_PENDING;
	case US_PERSON_SUSPENDED:
		return US_REASON_SUSPENDED;
	case US_PERSON_ENDED:
		return US_REASON_ENDED;
	}
	return US_REASON_ENDED;
}

enum us_reason
us_registry_barred(const struct us_registry *reg, const struct us_person *person,
    uint32_t collection, uint64_t record)
{
	const struct us_batch *batch = us_registry_batch_of(reg, collection, record);
	const uint32_t sees = us_registry_order(reg)->workflows.clawback_visible;
	const struct us_person *loader;
	unsigned why;

	if (batch == NULL || batch->status == US_BATCH_VOID)
		return US_REASON_NOT_FOUND;
	if (batch->status == US_BATCH_WITHDRAWN)
		return US_REASON_WITHDRAWN;
	loader = us_registry_person(reg, batch->facts.loaded_by);
	if (batch->status == US_BATCH_HELD &&
	    (loader == NULL ||
		(loader->id != person->id && (loader->party_bits & person->party_bits) == 0)))
		return US_REASON_HELD;
	why = us_registry_withheld(reg, collection, record);
	if ((why & US_WITHHELD_FREEZE) != 0)
		return US_REASON_FROZEN;
	return (why & US_WITHHELD_CLAWBACK) != 0 &&
		(sees & US_CAPACITY_BIT(person->capacity)) == 0 ?
	    US_REASON_CLAWED_BACK :
	    US_REASON_NONE;
}
