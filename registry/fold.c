/* The fold: what an act that passed all rules changes. Memory is taken first, so that a failure
 * changes nothing. */
#include <stdlib.h>
#include <string.h>

#include "crypto/cert.h"
#include "registry/internal.h"

/* Copies a text whose length the decoder has bounded; cut if the field is smaller. */
static void
copy_text(char *out, size_t size, struct us_bytes text)
{
	size_t n = text.n < size - 1 ? text.n : size - 1;

	if (n > 0)
		memcpy(out, text.p, n);
	out[n] = '\0';
}

static int
add_person(struct us_registry *reg, const struct us_order *order, const struct us_init_person *from,
    int64_t time_ns, struct us_person **out)
{
	struct us_person *p;
	int err = us_grow(&reg->people, reg->n_people, &reg->cap_people,
	    sizeof(struct us_person *));

	if (err != US_OK)
		return err;
	p = calloc(1, sizeof *p);
	if (p == NULL)
		return US_ERR_NOMEM;
	p->id = (uint32_t)reg->n_people + 1;
	copy_text(p->name, sizeof p->name, from->name);
	p->capacity = from->capacity;
	p->status = US_PERSON_PENDING;
	p->n_parties = from->n_parties;
	for (size_t i = 0; i < from->n_parties; i++) {
		size_t party;

		copy_text(p->parties[i], sizeof p->parties[i], from->parties[i]);
		if (us_order_party(order, from->parties[i], &party) == US_OK)
			p->party_bits |= UINT64_C(1) << party;
	}
	p->added_ns = p->changed_ns = time_ns;
	reg->people[reg->n_people++] = p;
	*out = p;
	return US_OK;
}

static int
add_credential(struct us_registry *reg, uint32_t person, struct us_bytes der, int64_t time_ns,
    struct us_credential_full **out)
{
	struct us_credential_full *c = NULL;
	struct us_cert_info info;
	int err;

	if ((err = us_cert_parse(der, &info)) != US_OK ||
	    (err = us_grow(&reg->credentials, reg->n_credentials, &reg->cap_credentials,
		 sizeof(struct us_credential_full *))) != US_OK ||
	    (err = us_table_reserve(&reg->by_fingerprint)) != US_OK)
		return err;
	c = calloc(1, sizeof *c);
	if (c == NULL)
		return US_ERR_NOMEM;
	us_buf_init(&c->der, US_CERT_MAX);
	err = us_buf_put(&c->der, der.p, der.n);
	if (err != US_OK) {
		free(c);
		return err;
	}
	memcpy(c->shown.fingerprint, info.fingerprint, 32);
	memcpy(c->key_digest, info.key_digest, 32);
	c->shown.person = person;
	c->shown.from_ns = info.validity.from_ns;
	c->shown.to_ns = info.validity.to_ns;
	c->shown.issued_ns = time_ns;
	c->shown.certificate = (struct us_bytes){ c->der.data, c->der.len };
	reg->credentials[reg->n_credentials++] = c;
	us_table_put(&reg->by_fingerprint, info.fingerprint, (uint32_t)reg->n_credentials);
	*out = c;
	return US_OK;
}

int
us_fold_init(struct us_registry *reg, struct us_settled *s, const uint8_t vault_id[32],
    struct us_bytes payload)
{
	struct us_act *again = calloc(1, sizeof *again);
	struct us_version_full *first;
	int err;

	/* the views of init must live as long as we do */
	if (again == NULL)
		return US_ERR_NOMEM;
	us_buf_init(&reg->init_bytes, US_ACT_SIGNED_MAX);
	if ((err = us_buf_put(&reg->init_bytes, payload.p, payload.n)) != US_OK ||
	    (err = us_act_decode(again, US_ACT_INIT,
		 (struct us_bytes){ reg->init_bytes.data, reg->init_bytes.len })) != US_OK)
		goto out;
	reg->init = again->u.init;
	memcpy(reg->vault_id, vault_id, 32);
	for (size_t i = 0; i < reg->init.n_people; i++) {
		const struct us_init_person *from = &reg->init.people[i];
		struct us_credential_full *c;
		struct us_person *p;
		err = add_person(reg, s->order, from, s->time_ns, &p);
		if (err != US_OK)
			goto out;
		p->status = US_PERSON_ACTIVE;
		p->signed_in = 1;
		p->signed_parties = (uint16_t)((1u << p->n_parties) - 1u);
		if (from->certificate.n == 0)
			continue;
		err = add_credential(reg, p->id, from->certificate, s->time_ns, &c);
		if (err != US_OK)
			goto out;
		c->shown.approved = 1;
		c->approved_parties = p->signed_parties;
	}
	err = us_version_add(reg, s->order, reg->init.order_source, &first);
	if (err != US_OK)
		goto out;
	first->shown.proposed_ns = first->shown.signed_ns = s->time_ns;
	reg->order = s->order;
	s->order = NULL; /* transferred */
out:
	free(again);
	return err;
}

static int
person_add(struct us_registry *reg, const struct us_settled *s)
{
	const struct us_act_person_add *a = &s->act->u.person_add;
	struct us_init_person from = { .name = a->name,
		.capacity = a->capacity,
		.n_parties = a->n_parties };
	struct us_person *p;

	memcpy(from.parties, a->parties, sizeof from.parties);
	int err = add_person(reg, reg->order, &from, s->time_ns, &p);
	if (err != US_OK)
		return err;
	p->added_by = s->actor->id;
	/* a vault without an order has nobody who could sign, and nothing to see */
	if (reg->order->n_parties == 0) {
		p->status = US_PERSON_ACTIVE;
		p->signed_in = 1;
	}
	return US_OK;
}

static void
person_sign(struct us_registry *reg, const struct us_settled *s)
{
	struct us_docket_item item;

	if (us_registry_docket_item(reg, s->act->u.sign.docket_id, &item) != US_OK)
		return; /* the rules have found it a moment ago */
	struct us_person *p = us_person_of(reg, item.person);
	const unsigned all = (1u << p->n_parties) - 1u;
	unsigned mask = 0;
	for (size_t i = 0; i < p->n_parties; i++) {
		size_t party;
		if (us_order_party(reg->order, us_bytes_of(p->parties[i]), &party) == US_OK &&
		    us_authority_may_sign(reg, s->actor, p, (int)party))
			mask |= 1u << i;
	}
	for (size_t i = 0; i < reg->n_credentials; i++) {
		struct us_credential_full *c = reg->credentials[i];
		if (c->shown.person != p->id || c->shown.approved || c->shown.revoked)
			continue;
		c->approved_parties |= (uint16_t)mask;
		c->shown.approved = (all & ~(unsigned)c->approved_parties) == 0;
	}
	p->signed_parties |= (uint16_t)mask;
	if (p->status == US_PERSON_PENDING && (all & ~(unsigned)p->signed_parties) == 0) {
		p->status = US_PERSON_ACTIVE;
		p->signed_in = 1;
		p->changed_ns = s->time_ns;
	}
}

static void
person_change(struct us_registry *reg, const struct us_settled *s)
{
	struct us_person *p = us_person_of(reg, s->act->u.change.person);

	p->changed_ns = s->time_ns;
	copy_text(p->reason, sizeof p->reason, s->act->u.change.reason);
	if (s->act->type == US_ACT_PERSON_REINSTATE) {
		p->status = p->signed_in ? US_PERSON_ACTIVE : US_PERSON_PENDING;
		p->suspended_by = 0;
		p->suspended_by_signer = 0;
		return;
	}
	if (s->act->type == US_ACT_PERSON_END) {
		p->status = US_PERSON_ENDED;
		return;
	}
	p->status = US_PERSON_SUSPENDED;
	p->suspended_by = s->actor->id;
	p->suspended_by_signer = s->actor->capacity != US_CAPACITY_ADMINISTRATOR;
}

static int
issue(struct us_registry *reg, const struct us_settled *s)
{
	const struct us_person *p = us_registry_person(reg, s->act->u.issue.person);
	struct us_credential_full *c;
	int err = add_credential(reg, p->id, s->certificate, s->time_ns, &c);

	if (err != US_OK)
		return err;
	c->shown.issued_by = s->actor->id;
	/* renewing one's own adds no power; and without an order nobody could approve */
	if (reg->order->n_parties == 0 || (s->actor->id == p->id && p->n_parties == 0))
		c->shown.approved = 1;
	return US_OK;
}

static void
revoke(struct us_registry *reg, const struct us_settled *s)
{
	const struct us_act_revoke *a = &s->act->u.revoke;

	for (size_t i = 0; i < reg->n_credentials; i++) {
		struct us_credential *c = &reg->credentials[i]->shown;
		if (c->revoked ||
		    (a->by_person ? c->person != a->person :
				    memcmp(c->fingerprint, a->fingerprint, 32) != 0))
			continue;
		c->revoked = 1;
		c->revoked_ns = s->time_ns;
		c->lost_since_ns = a->lost_since_ns;
		copy_text(c->reason, sizeof c->reason, a->reason);
	}
}

static int
collection_create(struct us_registry *reg, const struct us_settled *s)
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
	copy_text(c->shown.name, sizeof c->shown.name, a->name);
	copy_text(c->shown.prefix, sizeof c->shown.prefix, a->prefix);
	copy_text(c->shown.designation, sizeof c->shown.designation, s->designation);
	c->shown.created_by = s->actor->id;
	c->shown.created_ns = s->time_ns;
	reg->collections[reg->n_collections++] = c;
	return US_OK;
}

static void
raise(uint32_t *next, uint32_t slot)
{
	if (slot >= *next)
		*next = slot + 1;
}

/* Puts a range in its place; facts is complete. */
static int
add_batch(struct us_collection_full *c, const struct us_act_batch_close *facts,
    enum us_batch_status status, const struct us_settled *s, uint64_t sequence,
    struct us_bytes reason)
{
	struct us_batch *b;
	size_t at;
	int err;

	if ((err = us_batch_place(c, facts->first, facts->count, &at)) != US_OK ||
	    (err = us_grow(&c->batches, c->n_batches, &c->cap_batches,
		 sizeof(struct us_batch *))) != US_OK)
		return err;
	b = calloc(1, sizeof *b);
	if (b == NULL)
		return US_ERR_NOMEM;
	b->status = status;
	b->facts = *facts;
	b->closed_ns = s->time_ns;
	b->sequence = sequence;
	if (s->next != NULL)
		memcpy(b->state, s->next, sizeof b->state);
	copy_text(b->reason, sizeof b->reason, reason);
	memmove(c->batches + at + 1, c->batches + at,
	    (c->n_batches - at) * sizeof(struct us_batch *));
	c->batches[at] = b;
	c->n_batches++;
	if (facts->first + facts->count > c->shown.next_record)
		c->shown.next_record = facts->first + facts->count;
	return US_OK;
}

static int
batch_close(struct us_registry *reg, const struct us_settled *s)
{
	const struct us_act_batch_close *a = &s->act->u.batch_close;
	struct us_collection_full *c = us_collection_full(reg, a->collection);
	int err;

	if ((err = us_slots_reserve(&c->slots, a->slot)) != US_OK ||
	    (err = us_slots_reserve(&c->segment_slots, a->segment_slot)) != US_OK ||
	    (err = add_batch(c, a, a->held ? US_BATCH_HELD : US_BATCH_LIVE, s, reg->sequence + 1,
		 (struct us_bytes){ NULL, 0 })) != US_OK)
		return err;
	us_slots_put(&c->slots, a->slot);
	us_slots_put(&c->segment_slots, a->segment_slot);
	raise(&c->shown.next_slot, a->slot);
	raise(&c->shown.next_segment_slot, a->segment_slot);
	c->shown.admitted += a->count;
	c->shown.raw_bytes += a->raw_bytes;
	return US_OK;
}

static int
batch_void(struct us_registry *reg, const struct us_settled *s)
{
	const struct us_act_batch_void *a = &s->act->u.batch_void;
	struct us_act_batch_close facts = { .collection = a->collection,
		.slot = a->slot,
		.first = a->first,
		.count = a->count };
	struct us_collection_full *c = us_collection_full(reg, a->collection);
	int err = us_slots_reserve(&c->slots, a->slot);

	if (err == US_OK && a->count > 0)
		err = add_batch(c, &facts, US_BATCH_VOID, s, reg->sequence + 1, a->reason);
	if (err != US_OK)
		return err;
	us_slots_put(&c->slots, a->slot);
	raise(&c->shown.next_slot, a->slot);
	return US_OK;
}

static void
batch_change(struct us_registry *reg, const struct us_settled *s)
{
	const struct us_act_batch *a = &s->act->u.batch;
	struct us_collection_full *c = us_collection_full(reg, a->collection);

	for (size_t i = 0; i < c->n_batches; i++) {
		struct us_batch *b = c->batches[i];
		if (b->facts.slot != a->slot)
			continue;
		b->status = s->act->type == US_ACT_BATCH_RELEASE ? US_BATCH_LIVE :
								   US_BATCH_WITHDRAWN;
		b->changed_ns = s->time_ns;
		b->changed_by = s->actor->id;
		copy_text(b->reason, sizeof b->reason, a->reason);
		if (b->status == US_BATCH_WITHDRAWN)
			c->shown.admitted -= b->facts.count;
	}
}

static int
dictionary(struct us_registry *reg, const struct us_settled *s)
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
	raise(&c->shown.next_dictionary_slot, a->slot);
	return US_OK;
}

static int
copy(struct us_registry *reg, const struct us_settled *s)
{
	const struct us_act_copy *a = &s->act->u.copy;
	struct us_copy_full *c;
	int err = us_grow(&reg->copies, reg->n_copies, &reg->cap_copies,
	    sizeof(struct us_copy_full *));

	if (err != US_OK)
		return err;
	c = calloc(1, sizeof *c);
	if (c == NULL)
		return US_ERR_NOMEM;
	us_buf_init(&c->purpose, US_PURPOSE_MAX + 1);
	c->records = malloc((size_t)a->n * sizeof *c->records);
	if (c->records == NULL || us_buf_put(&c->purpose, a->purpose.p, a->purpose.n) != US_OK) {
		free(c->records);
		free(c);
		return US_ERR_NOMEM;
	}
	for (uint32_t i = 0; i < a->n; i++)
		c->records[i] = us_act_copy_record(a, i);
	c->shown.id = reg->n_copies + 1;
	c->shown.collection = a->collection;
	c->shown.person = s->actor->id;
	c->shown.time_ns = s->time_ns;
	copy_text(c->shown.recipient, sizeof c->shown.recipient, a->recipient);
	c->shown.purpose = (struct us_bytes){ c->purpose.data, c->purpose.len };
	c->shown.n = a->n;
	c->shown.records = c->records;
	c->shown.status = US_COPY_OUT;
	reg->copies[reg->n_copies++] = c;
	return US_OK;
}

static void
copy_return(struct us_registry *reg, const struct us_settled *s)
{
	const struct us_act_copy_return *a = &s->act->u.copy_return;
	struct us_copy *c = &reg->copies[a->copy - 1]->shown;

	c->status = a->how == US_COPY_RETURNED ? US_COPY_GIVEN_BACK : US_COPY_GONE;
	c->ended_ns = s->time_ns;
}

int
us_fold(struct us_registry *reg, struct us_settled *s)
{
	struct us_copy *c;

	/* what can take something from somebody who is reading now */
	if (s->act->type == US_ACT_PERSON_SUSPEND || s->act->type == US_ACT_PERSON_END ||
	    s->act->type == US_ACT_CREDENTIAL_REVOKE || s->act->type == US_ACT_BATCH_WITHDRAW)
		reg->generation++;

	switch ((unsigned)s->act->type) {
	case US_ACT_PERSON_ADD:
		return person_add(reg, s);
	case US_ACT_DOCKET_SIGN:
		if (us_filing_of(reg, s->act->u.sign.docket_id) != NULL)
			return us_fold_order(reg, s);
		person_sign(reg, s);
		return US_OK;
	case US_ACT_PERSON_SUSPEND:
	case US_ACT_PERSON_REINSTATE:
	case US_ACT_PERSON_END:
		person_change(reg, s);
		return US_OK;
	case US_ACT_CREDENTIAL_ISSUE:
		return issue(reg, s);
	case US_ACT_CREDENTIAL_REVOKE:
		revoke(reg, s);
		return US_OK;
	case US_ACT_COLLECTION_CREATE:
		return collection_create(reg, s);
	case US_ACT_BATCH_RELEASE:
	case US_ACT_BATCH_WITHDRAW:
		batch_change(reg, s);
		return US_OK;
	case US_ACT_COPY:
		return copy(reg, s);
	case US_ACT_COPY_RETURN:
		copy_return(reg, s);
		return US_OK;
	/* what it does is done by the keeper; here it is only counted */
	case US_ACT_SEAL:
		return US_OK;
	case US_ACT_INIT:
		return US_ERR_STATE; /* us_fold_init() */
	case US_ACT_BATCH_CLOSE:
		return batch_close(reg, s);
	case US_ACT_BATCH_VOID:
		return batch_void(reg, s);
	case US_ACT_DICTIONARY:
		return dictionary(reg, s);
	case US_ACT_COPY_DIGEST:
		c = &reg->copies[s->act->u.copy_digest.copy - 1]->shown;
		memcpy(c->digest, s->act->u.copy_digest.digest, 32);
		c->has_digest = 1;
		return US_OK;
	default:
		return us_fold_order(reg, s);
	}
}
