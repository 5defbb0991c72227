#include "client/report/act_names.h"

#include "base/err.h"
#include "crypto/cert.h"
#include "registry/answer.h"

/* The first people, whom the vault's making entered: numbered from 1 on. */
static int
names_of_init(struct us_names *all, const struct us_act_init *init, int from)
{
	int err = US_OK;

	for (size_t i = 0; err == US_OK && i < init->n_people; i++) {
		const struct us_init_person *p = &init->people[i];

		err = us_names_add_person(all, (uint32_t)i + 1, p->name,
		    us_capacity_name(p->capacity), from);
		if (err == US_OK)
			err = us_names_add_parties(all, p->parties, p->n_parties);
		if (err == US_OK)
			err = us_names_add_credential(all, (uint32_t)i + 1, p->certificate);
	}
	return err;
}

static int
name_of_person(struct us_names *all, const struct us_act *act, struct us_bytes result, int from)
{
	const struct us_act_person_add *p = &act->u.person_add;
	int err = us_names_add_person(all, (uint32_t)us_act_number(result), p->name,
	    us_capacity_name(p->capacity), from);

	return err != US_OK ? err : us_names_add_parties(all, p->parties, p->n_parties);
}

/* Whose the certificate is that the keeper made for this act. */
static int
holder_of_credential(struct us_names *all, const struct us_act *act, struct us_bytes result)
{
	struct us_reader r;
	struct us_bytes certificate;

	us_reader_init(&r, result.p, result.n);
	certificate = us_take_str32(&r, US_CERT_MAX);
	if (us_reader_end(&r) != US_OK)
		return US_OK;
	return us_names_add_credential(all, act->u.issue.person, certificate);
}

int
us_act_names(struct us_names *all, enum us_act_type type, const struct us_act *act,
    struct us_bytes result, int from)
{

	if (type == US_ACT_INIT)
		return names_of_init(all, &act->u.init, from);
	if (type == US_ACT_PERSON_ADD)
		return name_of_person(all, act, result, from);
	if (type == US_ACT_CREDENTIAL_ISSUE)
		return holder_of_credential(all, act, result);
	if (type == US_ACT_COLLECTION_CREATE)
		return us_names_add_collection(all, (uint32_t)us_act_number(result),
		    act->u.collection.name, act->u.collection.prefix, from);
	if (type == US_ACT_BATCH_CLOSE)
		us_names_add_records(all, act->u.batch_close.collection,
		    act->u.batch_close.first + act->u.batch_close.count);
	return US_OK;
}
