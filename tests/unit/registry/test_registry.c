/* The fold: who becomes live when, what is refused, that replaying gives the same digest and
 * nothing else does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "log/entry.h"
#include "log/state.h"
#include "registry/hypothetical.h"
#include "tests/unit/registry/world.h"

static enum us_reason
standing(const struct world *w, const struct actor *a)
{
	return us_registry_standing(w->reg, a->fingerprint, w->now, NULL, NULL);
}

static int
open_world(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	world_open(w);
	*state = w;
	return 0;
}

static int
close_world(void **state)
{
	world_close(*state);
	free(*state);
	return 0;
}

static void
change(struct world *w, const struct actor *by, const struct actor *who, enum us_act_type type,
    int want)
{
	struct us_act *act = calloc(1, sizeof(*act));

	act->type = type;
	act->u.change.person = who->person;
	act->u.change.reason = us_bytes_of("because");
	int err = world_act(w, by, act);
	if (err != want)
		fail_msg("%s by %s: %s (%s), wanted %s", us_act_name((unsigned)type), by->name,
		    us_strerror(err), w->refusal.text, us_strerror(want));
	free(act);
}

/* ---- people ---- */

static void
test_reader_needs_signer(void **state)
{
	struct world *w = *state;
	struct us_docket_item items[4];
	struct actor reader;

	actor_new(&reader, "Rita Reader");
	assert_int_equal(world_add(w, &w->admin, &reader, US_CAPACITY_COUNSEL_STAFF, "plaintiffs",
			     NULL),
	    US_OK);
	assert_int_equal(world_issue(w, &w->admin, &reader), US_OK);
	assert_int_equal(standing(w, &reader), US_REASON_PENDING);
	assert_int_equal(us_registry_docket(w->reg, 0, items, 4), 1);
	assert_string_equal(items[0].id, "person-5");
	assert_int_equal(items[0].n_credentials, 1);
	assert_true(us_registry_waits_for(w->reg, &items[0],
	    us_registry_person(w->reg, w->attorney.person)));
	assert_false(us_registry_waits_for(w->reg, &items[0],
	    us_registry_person(w->reg, w->producer.person)));
	/* neither the administrator, nor another party's signer, nor the reader */
	assert_int_equal(world_docket_sign(w, &w->admin, "person-5"), US_ERR_DENIED);
	assert_int_equal(world_docket_sign(w, &w->producer, "person-5"), US_ERR_DENIED);
	assert_int_equal(world_docket_sign(w, &reader, "person-5"), US_ERR_PENDING);
	assert_int_equal(standing(w, &reader), US_REASON_PENDING);
	assert_int_equal(world_docket_sign(w, &w->attorney, "person-5"), US_OK);
	assert_int_equal(standing(w, &reader), US_REASON_NONE);
	assert_int_equal(us_registry_docket(w->reg, 0, items, 4), 0);
	assert_int_equal(world_docket_sign(w, &w->attorney, "person-5"), US_ERR_NOT_FOUND);
	/* a second credential would make its holder that person: it waits too */
	struct actor thief = reader;
	assert_int_equal(us_pkey_new(US_PKEY_ED25519, &thief.key), US_OK);
	us_buf_init(&thief.cert, US_CERT_MAX);
	assert_int_equal(world_issue(w, &w->admin, &thief), US_OK);
	assert_int_equal(standing(w, &thief), US_REASON_PENDING);
	assert_int_equal(standing(w, &reader), US_REASON_NONE);
	assert_int_equal(us_registry_docket(w->reg, 0, items, 4), 1);
	assert_int_equal(items[0].is_new_person, 0);
	assert_int_equal(world_docket_sign(w, &w->attorney, "person-5"), US_OK);
	assert_int_equal(standing(w, &thief), US_REASON_NONE);
	actor_free(&thief);
	actor_free(&reader);
}

/* What was signed is what was shown: a credential slipped in between is refused. */
static void
test_item_changes(void **state)
{
	struct world *w = *state;
	struct us_act *act = calloc(1, sizeof(*act));
	struct us_docket_item item;
	struct actor reader;

	actor_new(&reader, "Rita Reader");
	assert_int_equal(world_add(w, &w->admin, &reader, US_CAPACITY_EXPERT, "plaintiffs", NULL),
	    US_OK);
	assert_int_equal(us_registry_docket_item(w->reg, us_bytes_of("person-5"), &item), US_OK);
	assert_int_equal(world_issue(w, &w->admin, &reader), US_OK);
	act->type = US_ACT_DOCKET_SIGN;
	act->u.sign.docket_id = us_bytes_of("person-5");
	memcpy(act->u.sign.digest, item.digest, 32);
	assert_int_equal(world_act(w, &w->attorney, act), US_ERR_STATE);
	assert_int_equal(standing(w, &reader), US_REASON_PENDING);
	assert_int_equal(us_registry_docket_item(w->reg, us_bytes_of("person-05"), &item),
	    US_ERR_NOT_FOUND);
	assert_int_equal(us_registry_docket_item(w->reg, us_bytes_of("person-4294967301"), &item),
	    US_ERR_NOT_FOUND);
	free(act);
	actor_free(&reader);
}

static void
test_two_parties(void **state)
{
	struct world *w = *state;
	struct actor both;

	actor_new(&both, "Bea Both");
	assert_int_equal(world_add(w, &w->admin, &both, US_CAPACITY_VENDOR, "defendant",
			     "plaintiffs"),
	    US_OK);
	assert_int_equal(world_issue(w, &w->admin, &both), US_OK);
	assert_int_equal(world_docket_sign(w, &w->attorney, "person-5"), US_OK);
	assert_int_equal(standing(w, &both), US_REASON_PENDING);
	assert_int_equal(world_docket_sign(w, &w->attorney, "person-5"), US_ERR_DENIED);
	assert_int_equal(world_docket_sign(w, &w->producer, "person-5"), US_OK);
	assert_int_equal(standing(w, &both), US_REASON_NONE);
	actor_free(&both);
}

static void
test_suspend(void **state)
{
	struct world *w = *state;
	struct actor reader, admin2;

	actor_new(&reader, "Rita Reader");
	actor_new(&admin2, "Bert Backup");
	assert_int_equal(world_add(w, &w->admin, &reader, US_CAPACITY_EXPERT, "plaintiffs", NULL),
	    US_OK);
	assert_int_equal(world_issue(w, &w->admin, &reader), US_OK);
	assert_int_equal(world_docket_sign(w, &w->attorney, "person-5"), US_OK);
	change(w, &w->producer, &reader, US_ACT_PERSON_SUSPEND, US_ERR_DENIED);
	change(w, &w->attorney, &reader, US_ACT_PERSON_SUSPEND, US_OK);
	assert_int_equal(standing(w, &reader), US_REASON_SUSPENDED);
	/* the administrator cannot undo what the signer did */
	change(w, &w->admin, &reader, US_ACT_PERSON_REINSTATE, US_ERR_DENIED);
	change(w, &reader, &reader, US_ACT_PERSON_REINSTATE, US_ERR_SUSPENDED);
	change(w, &w->attorney, &reader, US_ACT_PERSON_REINSTATE, US_OK);
	assert_int_equal(standing(w, &reader), US_REASON_NONE);
	change(w, &w->admin, &reader, US_ACT_PERSON_SUSPEND, US_OK);
	change(w, &w->attorney, &reader, US_ACT_PERSON_REINSTATE, US_ERR_DENIED);
	change(w, &w->admin, &reader, US_ACT_PERSON_REINSTATE, US_OK);
	change(w, &w->admin, &reader, US_ACT_PERSON_END, US_OK);
	assert_int_equal(standing(w, &reader), US_REASON_ENDED);
	change(w, &w->admin, &reader, US_ACT_PERSON_REINSTATE, US_ERR_STATE);
	/* the last administrator stays, until there is another */
	change(w, &w->admin, &w->admin, US_ACT_PERSON_SUSPEND, US_ERR_STATE);
	assert_int_equal(world_add(w, &w->admin, &admin2, US_CAPACITY_ADMINISTRATOR, NULL, NULL),
	    US_OK);
	assert_int_equal(world_issue(w, &w->admin, &admin2), US_OK);
	assert_int_equal(standing(w, &admin2), US_REASON_PENDING);
	assert_int_equal(world_docket_sign(w, &w->producer, "person-6"), US_OK);
	assert_int_equal(standing(w, &admin2), US_REASON_NONE);
	change(w, &admin2, &w->admin, US_ACT_PERSON_SUSPEND, US_OK);
	actor_free(&reader);
	actor_free(&admin2);
}

static void
test_people_refused(void **state)
{
	struct world *w = *state;
	struct actor a, b;

	actor_new(&a, "Alice Attorney");
	actor_new(&b, "New Person");
	assert_int_equal(world_add(w, &w->admin, &a, US_CAPACITY_EXPERT, "plaintiffs", NULL),
	    US_ERR_EXISTS);
	assert_int_equal(world_add(w, &w->admin, &b, US_CAPACITY_EXPERT, "nobody", NULL),
	    US_ERR_NOT_FOUND);
	assert_int_equal(world_add(w, &w->admin, &b, US_CAPACITY_EXPERT, NULL, NULL), US_ERR_RANGE);
	assert_int_equal(world_add(w, &w->attorney, &b, US_CAPACITY_EXPERT, "plaintiffs", NULL),
	    US_ERR_DENIED);
	assert_int_equal(w->refusal.reason, US_REASON_CAPACITY);
	/* a key belongs to one person */
	assert_int_equal(world_add(w, &w->admin, &b, US_CAPACITY_EXPERT, "plaintiffs", NULL),
	    US_OK);
	us_pkey_free(b.key);
	b.key = w->attorney.key;
	assert_int_equal(world_issue(w, &w->admin, &b), US_ERR_EXISTS);
	b.key = NULL;
	actor_free(&a);
	actor_free(&b);
}

static void
test_revoke(void **state)
{
	struct world *w = *state;
	struct us_act *act = calloc(1, sizeof(*act));
	const struct us_credential *c;

	act->type = US_ACT_CREDENTIAL_REVOKE;
	memcpy(act->u.revoke.fingerprint, w->attorney.fingerprint, 32);
	act->u.revoke.reason = us_bytes_of("laptop lost");
	act->u.revoke.lost_since_ns = w->now - 5;
	assert_int_equal(world_act(w, &w->producer, act), US_ERR_DENIED);
	assert_int_equal(world_act(w, &w->attorney, act), US_OK); /* an own one */
	assert_int_equal(us_registry_standing(w->reg, w->attorney.fingerprint, w->now, NULL, &c),
	    US_REASON_REVOKED);
	assert_int_equal(c->lost_since_ns, act->u.revoke.lost_since_ns);
	assert_string_equal(c->reason, "laptop lost");
	assert_int_equal(world_act(w, &w->attorney, act), US_ERR_REVOKED);
	assert_int_equal(world_act(w, &w->admin, act), US_ERR_STATE);
	/* its key never comes back */
	assert_int_equal(world_issue(w, &w->admin, &w->attorney), US_ERR_REVOKED);
	/* time */
	w->now += INT64_C(400) * 86400 * WORLD_SECOND;
	assert_int_equal(standing(w, &w->producer), US_REASON_EXPIRED);
	w->now = WORLD_T0 - INT64_C(86400) * WORLD_SECOND;
	assert_int_equal(standing(w, &w->producer), US_REASON_NOT_YET_VALID);
	uint8_t unknown[32] = { 1 };
	assert_int_equal(us_registry_standing(w->reg, unknown, w->now, NULL, NULL),
	    US_REASON_UNKNOWN_CREDENTIAL);
	free(act);
}

static enum us_reason
fallen(const struct world *w, const struct actor *a)
{
	return us_person_fallen(w->reg, us_registry_person(w->reg, a->person), w->now);
}

/* Somebody whose every credential has ended cannot do anything, whatever the order says; with one
 * that is good they can. */
static void
test_fallen(void **state)
{
	struct world *w = *state;
	struct us_act *act = calloc(1, sizeof *act);
	struct actor a, second;

	actor_new(&a, "Bob");
	actor_new(&second, w->attorney.name);
	assert_int_equal(world_add(w, &w->admin, &a, US_CAPACITY_EXPERT, "plaintiffs", NULL),
	    US_OK);
	assert_int_equal(fallen(w, &a), US_REASON_PENDING);
	assert_int_equal(world_issue(w, &w->admin, &a), US_OK);
	assert_int_equal(world_docket_sign(w, &w->attorney, "person-5"), US_OK);
	assert_int_equal(fallen(w, &a), standing(w, &a));
	(void)world_docket_sign(w, &w->attorney, "credential-5");
	assert_int_equal(standing(w, &a), fallen(w, &a));

	assert_int_equal(fallen(w, &w->attorney), US_REASON_NONE);
	second.person = w->attorney.person;
	assert_int_equal(world_issue(w, &w->admin, &second), US_OK);
	assert_int_equal(fallen(w, &w->attorney), US_REASON_NONE); /* the second one waits */
	act->type = US_ACT_CREDENTIAL_REVOKE;
	memcpy(act->u.revoke.fingerprint, w->attorney.fingerprint, 32);
	act->u.revoke.reason = us_bytes_of("laptop lost");
	assert_int_equal(world_act(w, &w->admin, act), US_OK);
	/* what is left of them says why */
	assert_int_equal(fallen(w, &w->attorney), standing(w, &second));
	assert_int_not_equal(fallen(w, &w->attorney), US_REASON_NONE);

	assert_int_equal(fallen(w, &w->producer), US_REASON_NONE);
	w->now += INT64_C(400) * 86400 * WORLD_SECOND;
	assert_int_equal(fallen(w, &w->producer), US_REASON_EXPIRED);
	w->now = WORLD_T0 - INT64_C(86400) * WORLD_SECOND;
	assert_int_equal(fallen(w, &w->producer), US_REASON_NOT_YET_VALID);
	actor_free(&a);
	actor_free(&second);
	free(act);
}

/* ---- the envelope ---- */

static void
test_envelope(void **state)
{
	struct world *w = *state;
	struct us_act *act = calloc(1, sizeof(*act)), *out = calloc(1, sizeof(*out));
	uint8_t sig[US_SIGNATURE_MAX];
	size_t sig_n;
	struct us_buf bytes, committed;
	uint32_t who;

	us_buf_init(&bytes, US_ACT_SIGNED_MAX);
	us_buf_init(&committed, US_ACT_COMMITTED_MAX);
	act->type = US_ACT_SEAL;
	act->u.seal.reason = us_bytes_of("night");
	world_sign(w, &w->admin, act, &bytes, sig, &sig_n);
	struct us_bytes s = { sig, sig_n }, b = { bytes.data, bytes.len };
	assert_int_equal(us_registry_check(w->reg, b, s, w->now, out, &who, &w->refusal), US_OK);
	assert_int_equal(who, 1);
	/* clock: 15 minutes either way */
	assert_int_equal(us_registry_check(w->reg, b, s, w->now + US_ACT_DRIFT_NS, out, &who, NULL),
	    US_OK);
	assert_int_equal(us_registry_check(w->reg, b, s, w->now + US_ACT_DRIFT_NS + 1, out, &who,
			     &w->refusal),
	    US_ERR_EXPIRED);
	assert_int_equal(w->refusal.reason, US_REASON_CLOCK);
	assert_int_equal(us_registry_check(w->reg, b, s, w->now - US_ACT_DRIFT_NS - 1, out, &who,
			     NULL),
	    US_ERR_EXPIRED);
	/* every bit of act and signature counts */
	for (size_t bit = 0; bit < b.n * 8; bit++) {
		bytes.data[bit / 8] ^= (uint8_t)(1u << (bit % 8));
		assert_int_not_equal(us_registry_check(w->reg, b, s, w->now, out, &who, NULL),
		    US_OK);
		bytes.data[bit / 8] ^= (uint8_t)(1u << (bit % 8));
	}
	for (size_t bit = 0; bit < sig_n * 8; bit++) {
		sig[bit / 8] ^= (uint8_t)(1u << (bit % 8));
		assert_int_equal(us_registry_check(w->reg, b, s, w->now, out, &who, NULL),
		    US_ERR_SIGNATURE);
		sig[bit / 8] ^= (uint8_t)(1u << (bit % 8));
	}
	/* another person's key under this person's name */
	assert_int_equal(us_pkey_sign(w->attorney.key, b, sig, &sig_n), US_OK);
	assert_int_equal(us_registry_check(w->reg, b, (struct us_bytes){ sig, sig_n }, w->now, out,
			     &who, NULL),
	    US_ERR_SIGNATURE);
	/* once only */
	assert_int_equal(us_pkey_sign(w->admin.key, b, sig, &sig_n), US_OK);
	s = (struct us_bytes){ sig, sig_n };
	assert_int_equal(us_registry_prepare(w->reg, b, s, (struct us_bytes){ NULL, 0 }, w->now,
			     &committed, NULL),
	    US_OK);
	struct us_bytes c = { committed.data, committed.len };
	struct us_signed_act envelope;
	assert_int_equal(us_signed_act_decode(&envelope, b.p, b.n), US_OK);
	assert_int_equal(us_registry_done(w->reg, &envelope), 0);
	assert_int_equal(us_registry_apply(w->reg, c, NULL), US_OK);
	assert_int_equal(us_registry_done(w->reg, &envelope), us_registry_sequence(w->reg));
	assert_int_equal(us_registry_check(w->reg, b, s, w->now, out, &who, &w->refusal),
	    US_ERR_EXISTS);
	assert_int_equal(w->refusal.reason, US_REASON_REPLAY);
	assert_int_equal(us_registry_apply(w->reg, c, NULL), US_ERR_VERIFY);
	us_buf_free(&bytes);
	us_buf_free(&committed);
	free(act);
	free(out);
}

/* ---- collections, batches, copies ---- */

static void
batch_act(struct world *w, const struct actor *by, enum us_act_type type, uint32_t slot, int want)
{
	struct us_act *act = calloc(1, sizeof(*act));

	act->type = type;
	act->u.batch.collection = 1;
	act->u.batch.slot = slot;
	act->u.batch.reason = us_bytes_of("privileged");
	int err = world_act(w, by, act);
	if (err != want)
		fail_msg("%s: %s, wanted %s", us_act_name((unsigned)type), w->refusal.text,
		    us_strerror(want));
	free(act);
}

static void
test_batches(void **state)
{
	struct world *w = *state;
	char bates[US_BATES_MAX + 1];
	uint64_t record;

	assert_int_equal(world_batch(w, 1, 0, 0, 10, 0), US_ERR_NOT_FOUND);
	assert_int_equal(world_collection(w, &w->attorney, "demo", "DEMO"), US_ERR_DENIED);
	assert_int_equal(world_collection(w, &w->admin, "demo", "DEMO"), US_OK);
	assert_int_equal(world_collection(w, &w->admin, "demo", "OTHER"), US_ERR_EXISTS);
	assert_int_equal(world_collection(w, &w->admin, "other", "DEMO"), US_ERR_EXISTS);
	assert_int_equal(world_batch(w, 1, 0, 0, 10, 0), US_OK);
	assert_int_equal(world_batch(w, 1, 0, 10, 10, 0), US_ERR_EXISTS); /* slot */
	assert_int_equal(world_batch(w, 1, 1, 9, 10, 0), US_ERR_EXISTS);  /* overlaps */
	/* two loads at once: the later range closes first */
	assert_int_equal(world_batch(w, 1, 2, 20, 5, 1), US_OK);
	assert_int_equal(world_batch(w, 1, 1, 10, 11, 0), US_ERR_EXISTS);
	assert_int_equal(world_batch(w, 1, 1, 10, 10, 0), US_OK);
	assert_int_equal(us_registry_batches(w->reg, 1), 3);
	assert_int_equal(us_registry_collection(w->reg, 1)->next_record, 25);
	assert_int_equal(us_registry_collection(w->reg, 1)->next_slot, 3);
	for (uint64_t i = 0; i < 25; i++)
		assert_int_equal(us_registry_batch_of(w->reg, 1, i)->facts.slot, i / 10);
	assert_null(us_registry_batch_of(w->reg, 1, 25));
	assert_null(us_registry_batch_of(w->reg, 2, 0));
	/* void ranges are never given again and hold nothing */
	struct us_act *act = calloc(1, sizeof(*act));
	act->type = US_ACT_BATCH_VOID;
	act->u.batch_void = (struct us_act_batch_void){ 1, 3, 25, 5, us_bytes_of("interrupted") };
	assert_int_equal(world_own(w, act), US_OK);
	assert_int_equal(world_own(w, act), US_ERR_EXISTS);
	assert_null(us_registry_batch_of(w->reg, 1, 26));
	assert_int_equal(world_batch(w, 1, 4, 29, 5, 0), US_ERR_EXISTS);
	/* dictionaries count up */
	act->type = US_ACT_DICTIONARY;
	act->u.dictionary = (struct us_act_dictionary){ .collection = 1, .version = 2, .slot = 0 };
	assert_int_equal(world_own(w, act), US_ERR_STATE);
	act->u.dictionary.version = 1;
	assert_null(us_registry_dictionary(w->reg, 1, 0));
	assert_int_equal(world_own(w, act), US_OK);
	assert_int_equal(us_registry_dictionary(w->reg, 1, 0)->version, 1);
	free(act);
	/* the producer releases and withdraws; nobody else */
	batch_act(w, &w->attorney, US_ACT_BATCH_RELEASE, 2, US_ERR_DENIED);
	assert_string_equal(w->refusal.paragraph, "4");
	batch_act(w, &w->admin, US_ACT_BATCH_RELEASE, 2, US_ERR_DENIED);
	batch_act(w, &w->producer, US_ACT_BATCH_RELEASE, 2, US_OK);
	batch_act(w, &w->producer, US_ACT_BATCH_RELEASE, 2, US_ERR_STATE);
	batch_act(w, &w->producer, US_ACT_BATCH_WITHDRAW, 2, US_OK);
	batch_act(w, &w->producer, US_ACT_BATCH_RELEASE, 3, US_ERR_DENIED);
	assert_int_equal(us_registry_collection(w->reg, 1)->admitted, 20);
	assert_int_equal(us_bates_format(us_registry_collection(w->reg, 1)->prefix, 0, bates),
	    US_OK);
	assert_string_equal(bates, "DEMO000000001");
	assert_int_equal(us_bates_parse(us_registry_collection(w->reg, 1)->prefix,
			     us_bytes_of("DEMO000000020"), &record),
	    US_OK);
	assert_int_equal(record, 19);
	assert_int_equal(us_bates_parse(us_registry_collection(w->reg, 1)->prefix,
			     us_bytes_of("DEMO000000000"), &record),
	    US_ERR_FORMAT);
	assert_int_equal(us_bates_parse(us_registry_collection(w->reg, 1)->prefix,
			     us_bytes_of("DEMO00000001"), &record),
	    US_ERR_FORMAT);
}

static void
test_copies(void **state)
{
	struct world *w = *state;
	struct us_act *act = calloc(1, sizeof(*act));
	uint8_t records[8 * 1001];

	assert_int_equal(world_collection(w, &w->admin, "demo", "DEMO"), US_OK);
	assert_int_equal(world_batch(w, 1, 0, 0, 2000, 0), US_OK);
	assert_int_equal(world_batch(w, 1, 1, 2000, 5, 1), US_OK);
	for (unsigned i = 0; i < 1001; i++)
		us_store_u64(records + (size_t)i * 8, i);
	act->type = US_ACT_COPY;
	act->u.copy = (struct us_act_copy){ 1, us_bytes_of("Expert"), us_bytes_of("report"), 3,
		{ records, 24 } };
	assert_int_equal(world_act(w, &w->admin, act), US_ERR_DENIED);
	assert_int_equal(world_act(w, &w->producer, act), US_ERR_DENIED);
	assert_int_equal(w->refusal.reason, US_REASON_NOT_IN_ORDER);
	act->u.copy.purpose.n = 0;
	assert_int_equal(world_act(w, &w->attorney, act), US_ERR_DENIED);
	assert_int_equal(w->refusal.reason, US_REASON_PURPOSE_MISSING);
	assert_string_equal(w->refusal.paragraph, "7.2");
	act->u.copy.purpose = us_bytes_of("report");
	assert_int_equal(world_act(w, &w->attorney, act), US_OK);
	assert_int_equal(us_registry_copies(w->reg), 1);
	assert_int_equal(us_registry_copy(w->reg, 1)->records[2], 2);
	act->u.copy.n = 1001;
	act->u.copy.records.n = sizeof(records);
	assert_int_equal(world_act(w, &w->attorney, act), US_ERR_DENIED);
	assert_int_equal(w->refusal.reason, US_REASON_QUOTA);
	us_store_u64(records, 2001);
	act->u.copy.n = 1;
	act->u.copy.records.n = 8;
	assert_int_equal(world_act(w, &w->attorney, act), US_ERR_STATE);
	assert_int_equal(w->refusal.reason, US_REASON_HELD);
	us_store_u64(records, 3000);
	assert_int_equal(world_act(w, &w->attorney, act), US_ERR_NOT_FOUND);
	memset(act, 0, sizeof(*act));
	act->type = US_ACT_COPY_DIGEST;
	act->u.copy_digest.copy = 1;
	assert_int_equal(world_own(w, act), US_OK);
	assert_int_equal(world_own(w, act), US_ERR_EXISTS);
	memset(act, 0, sizeof(*act));
	act->type = US_ACT_COPY_RETURN;
	act->u.copy_return.copy = 1;
	act->u.copy_return.how = US_COPY_RETURNED;
	assert_int_equal(world_act(w, &w->producer, act), US_ERR_DENIED);
	assert_int_equal(world_act(w, &w->attorney, act), US_OK);
	assert_int_equal(world_act(w, &w->attorney, act), US_ERR_STATE);
	free(act);
}

/* ---- replay ---- */

static void
history(struct world *w)
{
	struct actor reader;

	actor_new(&reader, "Rita Reader");
	assert_int_equal(world_collection(w, &w->admin, "demo", "DEMO"), US_OK);
	assert_int_equal(world_add(w, &w->admin, &reader, US_CAPACITY_EXPERT, "plaintiffs", NULL),
	    US_OK);
	assert_int_equal(world_issue(w, &w->admin, &reader), US_OK);
	assert_int_equal(world_docket_sign(w, &w->attorney, "person-5"), US_OK);
	for (uint32_t i = 0; i < 20; i++)
		assert_int_equal(world_batch(w, 1, i, i * 10, 10, 0), US_OK);
	change(w, &w->admin, &reader, US_ACT_PERSON_SUSPEND, US_OK);
	actor_free(&reader);
}

static void
test_replay(void **state)
{
	struct world *w = *state;
	struct us_registry *again;

	history(w);
	assert_int_equal(us_registry_new(&again), US_OK);
	for (size_t i = 0; i < w->n_acts; i++)
		assert_int_equal(us_registry_apply(again,
				     (struct us_bytes){ w->acts[i].data, w->acts[i].len }, NULL),
		    US_OK);
	assert_int_equal(us_registry_sequence(again), us_registry_sequence(w->reg));
	assert_memory_equal(us_registry_digest(again), us_registry_digest(w->reg), 32);
	us_registry_free(again);
	/* left out, exchanged: refused */
	assert_int_equal(us_registry_new(&again), US_OK);
	assert_int_equal(us_registry_apply(again,
			     (struct us_bytes){ w->acts[1].data, w->acts[1].len }, NULL),
	    US_ERR_VERIFY);
	assert_int_equal(us_registry_apply(again,
			     (struct us_bytes){ w->acts[0].data, w->acts[0].len }, NULL),
	    US_OK);
	assert_int_equal(us_registry_apply(again,
			     (struct us_bytes){ w->acts[2].data, w->acts[2].len }, NULL),
	    US_ERR_VERIFY);
	us_registry_free(again);
}

/* The log's side computes from the acts' bytes what the registry comes to: digests, and manifest
 * roots of batches that close. */
static void
test_state(void **state)
{
	struct world *w = *state;
	struct us_registry *reg;
	struct us_state s, before;
	uint8_t commitment[32], zeros[32] = { 0 };
	size_t batches = 0;

	history(w);
	us_state_init(&s);
	assert_int_equal(us_registry_new(&reg), US_OK);
	for (size_t i = 0; i < w->n_acts; i++) {
		const struct us_bytes act = { w->acts[i].data, w->acts[i].len };
		const struct us_batch *batch = NULL;

		assert_int_equal(us_registry_apply(reg, act, NULL), US_OK);
		if (i + 1 < w->n_acts) {
			const struct us_bytes later = { w->acts[i + 1].data, w->acts[i + 1].len };

			before = s;
			assert_int_equal(us_state_take(&s, later), US_ERR_VERIFY);
			assert_memory_equal(&s, &before, sizeof s);
		}
		assert_int_equal(us_state_take(&s, (struct us_bytes){ act.p, act.n - 1 }),
		    US_ERR_TRUNCATED);
		assert_int_equal(us_state_take(&s, act), US_OK);
		assert_int_equal(s.n, us_registry_sequence(reg));
		assert_memory_equal(s.digest, us_registry_digest(reg), 32);
		for (uint32_t c = 1; c <= us_registry_collections(reg); c++)
			for (size_t b = 0; b < us_registry_batches(reg, c); b++)
				if (us_registry_batch(reg, c, b)->sequence == s.n)
					batch = us_registry_batch(reg, c, b);
		assert_memory_equal(s.manifest_root,
		    batch != NULL && batch->status != US_BATCH_VOID ? batch->facts.manifest_root :
								      zeros,
		    32);
		batches += batch != NULL;
		assert_int_equal(us_entry_state_commitment(commitment, s.digest, s.manifest_root),
		    US_OK);
		assert_int_equal(us_state_check(&s, commitment), US_OK);
		commitment[i % 32] ^= 1;
		assert_int_equal(us_state_check(&s, commitment), US_ERR_VERIFY);
	}
	assert_true(batches > 0);
	us_registry_free(reg);
}

/* Any bit flipped anywhere: refused, or another digest; and a refusal leaves the registry as it
 * was. */
static void
test_flipped(void **state)
{
	struct world *w = *state;
	struct us_registry *reg;
	size_t kept = 0;

	history(w);
	assert_int_equal(us_registry_new(&reg), US_OK);
	for (size_t i = 0; i < 8; i++) {
		struct us_buf *a = &w->acts[i];
		struct us_bytes view = { a->data, a->len };
		uint8_t before[32];
		memcpy(before, us_registry_digest(reg), 32);
		for (size_t bit = i; bit < a->len * 8; bit += i == 0 ? 89 : 13) {
			a->data[bit / 8] ^= (uint8_t)(1u << (bit % 8));
			struct us_registry *fresh = reg;
			if (us_registry_apply(fresh, view, NULL) == US_OK) {
				/* the vault's own acts are not signed: the keeper's log holds their
				 * digest */
				kept++;
				us_registry_free(reg);
				assert_int_equal(us_registry_new(&reg), US_OK);
				a->data[bit / 8] ^= (uint8_t)(1u << (bit % 8));
				for (size_t k = 0; k < i; k++)
					assert_int_equal(us_registry_apply(reg,
							     (struct us_bytes){ w->acts[k].data,
								 w->acts[k].len },
							     NULL),
					    US_OK);
				continue;
			}
			a->data[bit / 8] ^= (uint8_t)(1u << (bit % 8));
			assert_memory_equal(us_registry_digest(reg), before, 32);
			assert_int_equal(us_registry_sequence(reg), i);
		}
		assert_int_equal(us_registry_apply(reg, view, NULL), US_OK);
	}
	print_message("%zu flipped acts of the vault's own were well-formed\n", kept);
	us_registry_free(reg);
}

/* Init is refused whole if anything in it is wrong. */
static void
test_init(void **state)
{
	struct world *w = *state;
	struct us_committed_act c;
	struct us_signed_act env;
	struct us_act *act = calloc(1, sizeof(*act));
	struct us_registry *reg;
	struct us_buf out;

	us_buf_init(&out, US_ACT_COMMITTED_MAX);
	assert_int_equal(us_committed_act_decode(&c, &env, w->acts[0].data, w->acts[0].len), US_OK);
	assert_int_equal(us_act_decode(act, US_ACT_INIT, env.payload), US_OK);
	assert_int_equal(us_registry_new(&reg), US_OK);
	struct us_init_person keep = act->u.init.people[1];
	act->u.init.people[1].capacity = US_CAPACITY_EXPERT; /* not as the order names her */
	assert_int_equal(us_registry_prepare_own(reg, act, w->vault_id, w->now, &out, &w->refusal),
	    US_ERR_DENIED);
	act->u.init.people[1] = keep;
	act->u.init.people[1].name = us_bytes_of("Somebody Else");
	assert_int_equal(us_registry_prepare_own(reg, act, w->vault_id, w->now, &out, &w->refusal),
	    US_ERR_DENIED);
	act->u.init.people[1] = keep;
	act->u.init.people[1].certificate = act->u.init.people[2].certificate;
	assert_int_equal(us_registry_prepare_own(reg, act, w->vault_id, w->now, &out, &w->refusal),
	    US_ERR_VERIFY);
	act->u.init.people[1] = keep;
	act->u.init.order_source = us_bytes_of("another order");
	assert_int_equal(us_registry_prepare_own(reg, act, w->vault_id, w->now, &out, &w->refusal),
	    US_ERR_VERIFY);
	assert_int_equal(out.len, 0);
	assert_int_equal(us_registry_sequence(reg), 0);
	us_registry_free(reg);
	us_buf_free(&out);
	free(act);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, open_world, close_world)
	const struct CMUnitTest tests[] = {
		T(test_reader_needs_signer),
		T(test_item_changes),
		T(test_two_parties),
		T(test_suspend),
		T(test_people_refused),
		T(test_revoke),
		T(test_fallen),
		T(test_envelope),
		T(test_batches),
		T(test_copies),
		T(test_replay),
		T(test_state),
		T(test_flipped),
		T(test_init),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
