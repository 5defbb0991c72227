#include "tests/unit/registry/world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "policy/yaml/yaml.h"
#include "registry/withheld.h"

#define DAY (INT64_C(86400) * WORLD_SECOND)

static struct us_bytes
bytes_of(const struct us_buf *b)
{
	return (struct us_bytes){ b->data, b->len };
}

void
actor_new(struct actor *a, const char *name)
{
	memset(a, 0, sizeof(*a));
	(void)snprintf(a->name, sizeof(a->name), "%s", name);
	us_buf_init(&a->cert, US_CERT_MAX);
	assert_int_equal(us_pkey_new(US_PKEY_ED25519, &a->key), US_OK);
}

void
actor_free(struct actor *a)
{
	us_pkey_free(a->key);
	us_buf_free(&a->cert);
}

static void
certify(struct world *w, struct actor *a, int64_t days)
{
	struct us_issuer issuer = { w->ca_key, bytes_of(&w->ca) };
	struct us_cert_validity v = { w->now - 60 * WORLD_SECOND, w->now + days * DAY };
	struct us_buf csr;

	us_buf_init(&csr, US_CERT_MAX);
	assert_int_equal(us_csr_create(a->key, a->name, &csr), US_OK);
	us_buf_reset(&a->cert);
	assert_int_equal(us_cert_issue_client(&issuer, bytes_of(&csr), a->name, v, &a->cert),
	    US_OK);
	assert_int_equal(us_cert_fingerprint(bytes_of(&a->cert), a->fingerprint), US_OK);
	us_buf_free(&csr);
}

static uint64_t
mix(uint64_t h, const void *p, size_t n)
{
	const uint8_t *b = p;

	for (size_t i = 0; i < n; i++)
		h = (h ^ b[i]) * UINT64_C(1099511628211);
	return h;
}

struct world_facts
world_state(const struct us_registry *reg)
{
	struct world_facts s;

	memset(&s, 0, sizeof(s));
	memcpy(s.digest, us_registry_digest(reg), 32);
	s.sequence = us_registry_sequence(reg);
	s.generation = us_registry_generation(reg);
	s.order = us_registry_order(reg);
	s.contents = UINT64_C(14695981039346656037);
	s.contents = mix(s.contents, us_registry_matter(reg), strlen(us_registry_matter(reg)) + 1);
	for (uint32_t i = 1; i <= us_registry_people(reg); i++)
		s.contents = mix(s.contents, us_registry_person(reg, i), sizeof(struct us_person));
	for (size_t i = 0; i < us_registry_credentials(reg); i++)
		s.contents = mix(s.contents, us_registry_credential(reg, i),
		    sizeof(struct us_credential));
	for (size_t i = 0; i < us_registry_filings(reg); i++)
		s.contents = mix(s.contents, us_registry_filing(reg, i), sizeof(struct us_filing));
	for (size_t i = 0; i < us_registry_versions(reg); i++)
		s.contents = mix(s.contents, us_registry_version(reg, i),
		    sizeof(struct us_order_version));
	for (size_t i = 0; i < us_registry_acknowledgements(reg); i++)
		s.contents = mix(s.contents, us_registry_acknowledgement(reg, i),
		    sizeof(struct us_acknowledgement));
	for (size_t i = 0; i < us_registry_documents(reg); i++)
		s.contents = mix(s.contents, us_registry_document(reg, i),
		    sizeof(struct us_document));
	for (size_t i = 0; i < us_registry_relabels(reg); i++)
		s.contents = mix(s.contents, us_registry_relabel(reg, i),
		    sizeof(struct us_relabel));
	return s;
}

static void
remember(struct world *w, const struct us_buf *committed)
{
	assert_true(w->n_acts < WORLD_ACTS);
	us_buf_init(&w->acts[w->n_acts], US_ACT_COMMITTED_MAX);
	assert_int_equal(us_buf_put(&w->acts[w->n_acts], committed->data, committed->len), US_OK);
	w->n_acts++;
}

int
world_own(struct world *w, const struct us_act *act)
{
	struct us_buf committed;

	us_buf_init(&committed, US_ACT_COMMITTED_MAX);
	int err = us_registry_prepare_own(w->reg, act, w->vault_id, w->now, &committed,
	    &w->refusal);
	if (err == US_OK) {
		assert_int_equal(us_registry_apply(w->reg, bytes_of(&committed), NULL), US_OK);
		remember(w, &committed);
	}
	us_buf_free(&committed);
	return err;
}

static void
init_person(struct us_init_person *p, const struct actor *a, enum us_capacity capacity,
    const char *party)
{
	p->name = us_bytes_of(a->name);
	p->capacity = capacity;
	p->certificate = bytes_of(&a->cert);
	if (party != NULL)
		p->parties[p->n_parties++] = us_bytes_of(party);
}

void
world_open(struct world *w)
{
	world_open_with(w, US_SOURCE_DIR "/policy/orders/demo.yaml");
}

void
world_open_with(struct world *w, const char *path)
{
	struct us_act *act = calloc(1, sizeof(*act));
	struct us_findings *findings = calloc(1, sizeof(*findings));
	struct actor *people[] = { &w->admin, &w->attorney, &w->producer, &w->auditor };
	static const char *const names[] = { "Adam Administrator", "Alice Attorney",
		"Peter Producer", "Ada Auditor" };
	struct us_buf compiled, source;
	uint8_t *p;

	memset(w, 0, sizeof(*w));
	memset(w->vault_id, 7, 32);
	w->now = WORLD_T0;
	us_buf_init(&w->ca, US_CERT_MAX);
	us_buf_init(&compiled, US_ORDER_COMPILED_MAX);
	us_buf_init(&source, US_ORDER_SOURCE_MAX);
	assert_int_equal(us_registry_new(&w->reg), US_OK);
	assert_int_equal(us_pkey_new(US_PKEY_ED25519, &w->ca_key), US_OK);
	assert_int_equal(us_ca_create(w->ca_key, "test",
			     (struct us_cert_validity){ w->now - DAY, w->now + 4000 * DAY },
			     &w->ca),
	    US_OK);
	FILE *f = fopen(path, "rb");
	assert_non_null(f);
	assert_int_equal(us_buf_reserve(&source, 16384, &p), US_OK);
	source.len = fread(p, 1, 16384, f);
	(void)fclose(f);
	if (us_order_compile(bytes_of(&source), &compiled, findings) != US_OK)
		fail_msg("%s:%u: %s", path, findings->items[0].line, findings->items[0].text);
	act->type = US_ACT_INIT;
	act->u.init.ca = bytes_of(&w->ca);
	act->u.init.order_source = bytes_of(&source);
	act->u.init.order_compiled = bytes_of(&compiled);
	act->u.init.n_hosts = 1;
	act->u.init.hosts[0] = us_bytes_of("vault.example");
	for (size_t i = 0; i < 4; i++) {
		actor_new(people[i], names[i]);
		people[i]->person = (uint32_t)i + 1;
		certify(w, people[i], 365);
	}
	act->u.init.n_people = 4;
	init_person(&act->u.init.people[0], &w->admin, US_CAPACITY_ADMINISTRATOR, NULL);
	init_person(&act->u.init.people[1], &w->attorney, US_CAPACITY_OUTSIDE_COUNSEL,
	    "plaintiffs");
	init_person(&act->u.init.people[2], &w->producer, US_CAPACITY_PRODUCER, "defendant");
	init_person(&act->u.init.people[3], &w->auditor, US_CAPACITY_AUDITOR, "court");
	int err = world_own(w, act);
	if (err != US_OK)
		fail_msg("init: %s: %s", us_strerror(err), w->refusal.text);
	us_buf_free(&compiled);
	us_buf_free(&source);
	free(findings);
	free(act);
}

void
world_close(struct world *w)
{
	us_registry_free(w->reg);
	us_pkey_free(w->ca_key);
	us_buf_free(&w->ca);
	actor_free(&w->admin);
	actor_free(&w->attorney);
	actor_free(&w->producer);
	actor_free(&w->auditor);
	for (size_t i = 0; i < w->n_acts; i++)
		us_buf_free(&w->acts[i]);
}

void
world_sign(struct world *w, const struct actor *by, const struct us_act *act, struct us_buf *bytes,
    uint8_t sig[US_SIGNATURE_MAX], size_t *sig_n)
{
	struct us_signed_act env = { .type = act->type, .time_ns = w->now };
	struct us_buf payload;

	us_buf_init(&payload, US_ACT_SIGNED_MAX);
	assert_int_equal(us_act_encode(&payload, act), US_OK);
	memcpy(env.vault_id, w->vault_id, 32);
	memcpy(env.credential, by->fingerprint, 32);
	us_store_u64(env.nonce, ++w->nonce);
	env.payload = bytes_of(&payload);
	assert_int_equal(us_signed_act_encode(bytes, &env), US_OK);
	assert_int_equal(us_pkey_sign(by->key, bytes_of(bytes), sig, sig_n), US_OK);
	us_buf_free(&payload);
}

/* What was not prepared is refused by the fold too, whoever commits it. */
static void
apply_refused(struct world *w, const struct actor *by, const struct us_act *act,
    struct us_bytes signed_act, struct us_bytes signature, int want)
{
	struct us_committed_act c = { .sequence = us_registry_sequence(w->reg) + 1,
		.time_ns = w->now,
		.actor = by->person,
		.signed_act = signed_act,
		.signature = signature };
	struct us_buf committed;
	struct us_refusal refusal;

	if (act->type != US_ACT_DOCKET_SIGN && act->type < US_ACT_DOCUMENT_ADD)
		return; /* the others have results that are made only with a permission */
	us_buf_init(&committed, US_ACT_COMMITTED_MAX);
	assert_int_equal(us_committed_act_encode(&committed, &c), US_OK);
	assert_int_equal(us_registry_apply(w->reg, bytes_of(&committed), &refusal), want);
	us_buf_free(&committed);
}

static int
act_with(struct world *w, const struct actor *by, const struct us_act *act,
    struct us_bytes certificate)
{
	struct us_buf bytes, committed;
	uint8_t sig[US_SIGNATURE_MAX];
	size_t sig_n;

	us_buf_init(&bytes, US_ACT_SIGNED_MAX);
	us_buf_init(&committed, US_ACT_COMMITTED_MAX);
	w->now += WORLD_SECOND;
	world_sign(w, by, act, &bytes, sig, &sig_n);
	(void)us_registry_at(w->reg, w->now); /* as whoever decides by the clock does first */
	const struct world_facts before = world_state(w->reg);
	int err = us_registry_prepare(w->reg, bytes_of(&bytes), (struct us_bytes){ sig, sig_n },
	    certificate, w->now, &committed, &w->refusal);
	if (err == US_OK) {
		int applied = us_registry_apply(w->reg, bytes_of(&committed), &w->refusal);
		if (applied != US_OK)
			fail_msg("prepared but not applied: %s: %s", us_strerror(applied),
			    w->refusal.text);
		remember(w, &committed);
	} else if (w->refusal.reason == US_REASON_NONE || w->refusal.text[0] == '\0') {
		fail_msg("%s refused without a reason: %s", us_act_name((unsigned)act->type),
		    us_strerror(err));
	} else {
		apply_refused(w, by, act, bytes_of(&bytes), (struct us_bytes){ sig, sig_n }, err);
		const struct world_facts after = world_state(w->reg);
		assert_memory_equal(&before, &after, sizeof(after));
	}
	us_buf_free(&bytes);
	us_buf_free(&committed);
	return err;
}

int
world_act(struct world *w, const struct actor *by, struct us_act *act)
{
	return act_with(w, by, act, (struct us_bytes){ NULL, 0 });
}

int
world_add(struct world *w, const struct actor *by, struct actor *who, enum us_capacity capacity,
    const char *party, const char *party2)
{
	struct us_act *act = calloc(1, sizeof(*act));

	act->type = US_ACT_PERSON_ADD;
	act->u.person_add.name = us_bytes_of(who->name);
	act->u.person_add.capacity = capacity;
	if (party != NULL)
		act->u.person_add.parties[act->u.person_add.n_parties++] = us_bytes_of(party);
	if (party2 != NULL)
		act->u.person_add.parties[act->u.person_add.n_parties++] = us_bytes_of(party2);
	int err = world_act(w, by, act);
	if (err == US_OK)
		who->person = us_registry_people(w->reg);
	free(act);
	return err;
}

int
world_issue(struct world *w, const struct actor *by, struct actor *who)
{
	struct us_act *act = calloc(1, sizeof(*act));
	struct us_buf csr;

	us_buf_init(&csr, US_CERT_MAX);
	assert_int_equal(us_csr_create(who->key, who->name, &csr), US_OK);
	act->type = US_ACT_CREDENTIAL_ISSUE;
	act->u.issue.person = who->person;
	act->u.issue.days = 30;
	act->u.issue.csr = bytes_of(&csr);
	certify(w, who, 30);
	int err = act_with(w, by, act, bytes_of(&who->cert));
	us_buf_free(&csr);
	free(act);
	return err;
}

int
world_docket_sign(struct world *w, const struct actor *by, const char *id)
{
	struct us_act *act = calloc(1, sizeof(*act));
	struct us_docket_item item;

	act->type = US_ACT_DOCKET_SIGN;
	act->u.sign.docket_id = us_bytes_of(id);
	if (us_registry_docket_item(w->reg, us_bytes_of(id), &item) == US_OK)
		memcpy(act->u.sign.digest, item.digest, 32);
	int err = world_act(w, by, act);
	free(act);
	return err;
}

int
world_collection(struct world *w, const struct actor *by, const char *name, const char *prefix)
{
	struct us_act *act = calloc(1, sizeof(*act));

	act->type = US_ACT_COLLECTION_CREATE;
	act->u.collection.name = us_bytes_of(name);
	act->u.collection.prefix = us_bytes_of(prefix);
	int err = world_act(w, by, act);
	free(act);
	return err;
}

int
world_batch(struct world *w, uint32_t collection, uint32_t slot, uint64_t first, uint32_t count,
    int held)
{
	struct us_act *act = calloc(1, sizeof(*act));
	struct us_act_batch_close *b = &act->u.batch_close;

	act->type = US_ACT_BATCH_CLOSE;
	b->collection = collection;
	b->slot = b->segment_slot = slot;
	b->load = 1;
	b->loaded_by = w->producer.person;
	b->first = first;
	b->count = count;
	b->era = (uint32_t)(first >> US_ERA_SHIFT);
	b->held = held;
	b->raw_bytes = 10;
	w->now += WORLD_SECOND;
	int err = world_own(w, act);
	free(act);
	return err;
}
