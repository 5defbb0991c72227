/* Versions of the order: who brings one into force, when, what a suspension does, and what of a
 * person follows the order in force. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "policy/yaml/yaml.h"
#include "tests/unit/registry/docket_acts.h"

static enum us_version_status
version_status(const struct world *w, unsigned version)
{
	return us_registry_version_status(w->reg, us_registry_version_of(w->reg, version), w->now);
}

/* ---- proposing ---- */

static void
test_propose_refused(void **state)
{
	struct world *w = *state;
	struct us_act *act = calloc(1, sizeof(*act));
	struct us_findings *findings = calloc(1, sizeof(*findings));
	struct us_buf source, compiled;
	struct actor staff;

	join(w, &staff, "Steve Staff", US_CAPACITY_COUNSEL_STAFF, "plaintiffs", &w->attorney);
	assert_int_equal(propose(w, &w->admin, 1, NULL, 0), US_ERR_EXISTS);
	assert_int_equal(propose(w, &staff, 2, NULL, 0), US_ERR_DENIED);
	order_source(&source, 2, NULL);
	us_buf_init(&compiled, US_ORDER_COMPILED_MAX);
	assert_int_equal(us_order_compile((struct us_bytes){ source.data, source.len }, &compiled,
			     findings),
	    US_OK);
	act->type = US_ACT_ORDER_PROPOSE;
	struct us_act_order_propose *a = &act->u.order_propose;
	a->source = (struct us_bytes){ source.data, source.len - 1 }; /* not what was compiled */
	a->compiled = (struct us_bytes){ compiled.data, compiled.len };
	a->authority = us_bytes_of("ECF No. 1");
	assert_int_equal(world_act(w, &w->admin, act), US_ERR_VERIFY);
	a->source.n++;
	a->compiled.n--;
	assert_int_not_equal(world_act(w, &w->admin, act), US_OK);
	a->compiled.n++;
	for (size_t at = 0; at < compiled.len; at += 97) { /* no broken order gets in */
		compiled.data[at] ^= 0x10;
		struct us_order *order;
		if (us_order_decode(compiled.data, compiled.len, &order) == US_OK)
			us_order_free(order);
		else
			assert_int_not_equal(world_act(w, &w->admin, act), US_OK);
		compiled.data[at] ^= 0x10;
	}
	memcpy(a->instrument, no_document, 32);
	assert_int_equal(world_act(w, &w->admin, act), US_ERR_NOT_FOUND);
	assert_int_equal(us_registry_versions(w->reg), 1);
	memcpy(a->instrument, small_document(), 32);
	assert_int_equal(world_act(w, &w->admin, act), US_OK);
	/* version 2 is taken, by a proposal already */
	assert_int_equal(world_act(w, &w->admin, act), US_ERR_EXISTS);
	const struct us_order_version *v = us_registry_version_of(w->reg, 2);
	assert_int_equal(v->source.n, source.len);
	assert_memory_equal(v->source.p, source.data, source.len);
	assert_string_equal(v->authority, "ECF No. 1");
	assert_int_equal(v->proposed_by, w->admin.person);
	actor_free(&staff);
	us_buf_free(&source);
	us_buf_free(&compiled);
	free(findings);
	free(act);
}

static void
test_quorum_alone(void **state)
{
	struct world *w = *state;
	const struct us_filing *f;

	assert_int_equal(propose(w, &w->admin, 2, NULL, 0), US_OK);
	f = us_registry_filing_named(w->reg, us_bytes_of("order-2"));
	assert_int_equal(f->kind, US_FILING_ORDER);
	assert_true(us_filing_waits_for(w->reg, f, person_of(w, &w->auditor), w->now));
	assert_false(us_filing_waits_for(w->reg, f, person_of(w, &w->attorney), w->now));
	assert_false(us_filing_waits_for(w->reg, f, person_of(w, &w->admin), w->now));
	/* neither the administrator who proposed it nor another party's signer */
	assert_int_equal(sign(w, &w->admin, "order-2"), US_ERR_DENIED);
	assert_int_equal(sign(w, &w->attorney, "order-2"), US_ERR_DENIED);
	assert_int_equal(sign(w, &w->producer, "order-2"), US_ERR_DENIED);
	assert_int_equal(resolve(w, &w->auditor, "order-2", US_OUTCOME_GRANTED), US_ERR_STATE);
	assert_int_equal(version_status(w, 2), US_VERSION_PROPOSED);
	assert_int_equal(us_registry_order(w->reg)->version, 1);
	assert_int_equal(version_at(w, INT64_MAX), 1);
	/* nor another digest */
	struct us_act *act = calloc(1, sizeof(*act));
	act->type = US_ACT_DOCKET_SIGN;
	act->u.sign.docket_id = us_bytes_of("order-2");
	memcpy(act->u.sign.digest, f->digest, 32);
	act->u.sign.digest[31] ^= 1;
	assert_int_equal(world_act(w, &w->auditor, act), US_ERR_STATE);
	free(act);
	const uint64_t generation = us_registry_generation(w->reg);
	assert_int_equal(sign(w, &w->auditor, "order-2"), US_OK);
	assert_int_equal(version_status(w, 2), US_VERSION_IN_FORCE);
	assert_int_equal(version_status(w, 1), US_VERSION_REPLACED);
	assert_int_equal(us_registry_order(w->reg)->version, 2);
	assert_true(us_registry_generation(w->reg) > generation);
	assert_int_equal(version_at(w, w->now), 2);
	assert_int_equal(version_at(w, w->now - 1), 1);
	assert_int_equal(sign(w, &w->auditor, "order-2"), US_ERR_STATE);
	assert_int_equal(withdraw(w, &w->admin, "order-2"), US_ERR_STATE);
}

/* Two parties together, and the signature of one alone is nothing. Several signers of one party are
 * one party. */
static void
test_quorum_of_two(void **state)
{
	struct world *w = *state;
	static const struct edit two[] = {
		{ "amend: [[court]]", "amend: [[plaintiffs, defendant]]" }, { NULL, NULL }
	};
	struct actor partner;

	join(w, &partner, "Paul Partner", US_CAPACITY_OUTSIDE_COUNSEL, "plaintiffs", &w->attorney);
	amend(w, 2, two, 0);
	assert_int_equal(propose(w, &w->attorney, 3, NULL, 0), US_OK);
	/* was enough under version 1 */
	assert_int_equal(sign(w, &w->auditor, "order-3"), US_ERR_DENIED);
	assert_int_equal(sign(w, &w->attorney, "order-3"), US_OK);
	assert_int_equal(sign(w, &w->attorney, "order-3"), US_ERR_EXISTS);
	assert_int_equal(sign(w, &partner, "order-3"), US_ERR_EXISTS); /* adds nothing */
	const struct us_filing *f = us_registry_filing_named(w->reg, us_bytes_of("order-3"));
	assert_false(us_filing_waits_for(w->reg, f, person_of(w, &partner), w->now));
	assert_true(us_filing_waits_for(w->reg, f, person_of(w, &w->producer), w->now));
	assert_int_equal(us_filing_signed(w->reg, f, us_registry_order(w->reg)), 1);
	assert_int_equal(us_registry_order(w->reg)->version, 2);
	assert_int_equal(sign(w, &w->producer, "order-3"), US_OK);
	assert_int_equal(us_registry_order(w->reg)->version, 3);
	actor_free(&partner);
}

/* Who is suspended after signing does not count; another signer of the party does. */
static void
test_signer_suspended(void **state)
{
	struct world *w = *state;
	static const struct edit two[] = {
		{ "amend: [[court]]", "amend: [[plaintiffs, defendant]]" }, { NULL, NULL }
	};
	struct us_act *act = calloc(1, sizeof(*act));
	struct actor partner;

	join(w, &partner, "Paul Partner", US_CAPACITY_OUTSIDE_COUNSEL, "plaintiffs", &w->attorney);
	amend(w, 2, two, 0);
	assert_int_equal(propose(w, &w->producer, 3, NULL, 0), US_OK);
	assert_int_equal(sign(w, &w->attorney, "order-3"), US_OK);
	act->type = US_ACT_PERSON_SUSPEND;
	act->u.change.person = w->attorney.person;
	act->u.change.reason = us_bytes_of("key lost");
	assert_int_equal(world_act(w, &w->admin, act), US_OK);
	const struct us_filing *f = us_registry_filing_named(w->reg, us_bytes_of("order-3"));
	assert_int_equal(us_filing_signed(w->reg, f, us_registry_order(w->reg)), 0);
	assert_int_equal(sign(w, &w->producer, "order-3"), US_OK);
	assert_int_equal(us_registry_order(w->reg)->version, 2);
	assert_int_equal(sign(w, &partner, "order-3"), US_OK);
	assert_int_equal(us_registry_order(w->reg)->version, 3);
	actor_free(&partner);
	free(act);
}

/* What has been signed becomes enough by a change of the order: somebody of the quorum can still
 * say so. */
static void
test_quorum_changes(void **state)
{
	struct world *w = *state;
	static const struct edit two[] = { { "amend: [[court]]", "amend: [[court, defendant]]" },
		{ NULL, NULL } };

	amend(w, 2, two, 0);
	assert_int_equal(propose(w, &w->admin, 3, two, 0), US_OK);
	assert_int_equal(sign(w, &w->auditor, "order-3"), US_OK);
	assert_int_equal(status_of(w, "order-3"), US_FILING_WAITS);
	/* version 1 again: the court alone */
	assert_int_equal(suspend_version(w, &w->auditor, 2), US_OK);
	assert_int_equal(us_registry_order(w->reg)->version, 1);
	assert_int_equal(sign(w, &w->producer, "order-3"), US_ERR_DENIED);
	assert_int_equal(sign(w, &w->auditor, "order-3"), US_OK);
	const struct us_filing *f = us_registry_filing_named(w->reg, us_bytes_of("order-3"));
	assert_int_equal(f->status, US_FILING_GRANTED);
	assert_int_equal(f->n_signatures, 1);
	assert_int_equal(us_registry_order(w->reg)->version, 3);
}

/* ---- time ---- */

static void
test_effective(void **state)
{
	struct world *w = *state;
	const int64_t first = w->now + 10 * DAY_NS, second = w->now + 20 * DAY_NS;

	amend(w, 2, NULL, second);
	amend(w, 3, NULL, first); /* the higher one comes first */
	assert_int_equal(version_status(w, 2), US_VERSION_SIGNED);
	assert_int_equal(us_registry_order(w->reg)->version, 1);
	assert_int_equal(version_at(w, first - 1), 1);
	assert_int_equal(version_at(w, first), 3);
	assert_int_equal(version_at(w, second - 1), 3);
	assert_int_equal(version_at(w, second), 2);
	assert_int_equal(version_at(w, WORLD_T0 - DAY_NS), 1);
	assert_int_equal(us_registry_at(w->reg, first), 1);
	assert_int_equal(us_registry_at(w->reg, first), 0);
	assert_int_equal(us_registry_order(w->reg)->version, 3);
	assert_int_equal(us_registry_at(w->reg, second), 1);
	assert_int_equal(us_registry_at(w->reg, first - 1), 1); /* any moment can be asked about */
	assert_int_equal(us_registry_order(w->reg)->version, 1);
	w->now = second;
	assert_int_equal(matter(w, &w->auditor, "appeal"), US_OK);
	assert_int_equal(us_registry_order(w->reg)->version, 2);
	assert_int_equal(us_registry_order_source(w->reg).p ==
		us_registry_version_of(w->reg, 2)->source.p,
	    1);
	/* signed after its time: in force from the signature, not before */
	amend(w, 4, NULL, w->now - DAY_NS);
	assert_int_equal(version_at(w, w->now), 4);
	assert_int_equal(version_at(w, w->now - 1), 2);
	assert_int_equal(us_order_version_starts(us_registry_version_of(w->reg, 4)), w->now);
	/* two of the same moment: the higher one */
	amend(w, 6, NULL, w->now + DAY_NS);
	assert_int_equal(propose(w, &w->admin, 7, NULL,
			     us_registry_version_of(w->reg, 6)->effective_ns),
	    US_OK);
	assert_int_equal(sign(w, &w->auditor, "order-7"), US_OK);
	assert_int_equal(version_at(w, w->now), 4);
	assert_int_equal(version_at(w, us_registry_version_of(w->reg, 6)->effective_ns), 7);
}

/* Prepared a moment before another version comes into force, and not applied: the keeper must ask
 * again. */
static void
test_between(void **state)
{
	struct world *w = *state;
	struct us_act *act = calloc(1, sizeof(*act)), *out = calloc(1, sizeof(*out));
	const int64_t turn = w->now + 100 * WORLD_SECOND;
	uint8_t sig[US_SIGNATURE_MAX];
	struct us_buf bytes, committed;
	size_t sig_n;
	uint32_t who;

	amend(w, 2, NULL, turn);
	us_buf_init(&bytes, US_ACT_SIGNED_MAX);
	us_buf_init(&committed, US_ACT_COMMITTED_MAX);
	act->type = US_ACT_MATTER_SET;
	act->u.matter.state = us_bytes_of("appeal");
	act->u.matter.authority = us_bytes_of("x");
	world_sign(w, &w->auditor, act, &bytes, sig, &sig_n);
	const struct us_bytes b = { bytes.data, bytes.len }, s = { sig, sig_n };
	assert_int_equal(us_registry_check(w->reg, b, s, turn - 1, out, &who, &w->refusal), US_OK);
	assert_int_equal(us_registry_check(w->reg, b, s, turn, out, &who, &w->refusal),
	    US_ERR_STATE);
	assert_int_equal(us_registry_at(w->reg, turn), 1);
	assert_int_equal(us_registry_check(w->reg, b, s, turn, out, &who, &w->refusal), US_OK);
	assert_int_equal(us_registry_check(w->reg, b, s, turn - 1, out, &who, &w->refusal),
	    US_ERR_STATE);
	/* applied, whatever moment was asked about last */
	assert_int_equal(us_registry_prepare(w->reg, b, s, (struct us_bytes){ NULL, 0 }, turn,
			     &committed, NULL),
	    US_OK);
	(void)us_registry_at(w->reg, turn - 1);
	struct world_facts before = world_state(w->reg);
	committed.data[committed.len - 5] ^= 1; /* the signature: refused, and the moment stays */
	assert_int_not_equal(us_registry_apply(w->reg,
				 (struct us_bytes){ committed.data, committed.len }, NULL),
	    US_OK);
	struct world_facts after = world_state(w->reg);
	assert_memory_equal(&before, &after, sizeof(after));
	us_buf_free(&bytes);
	us_buf_free(&committed);
	free(act);
	free(out);
}

static void
test_suspended(void **state)
{
	struct world *w = *state;

	assert_int_equal(suspend_version(w, &w->auditor, 1), US_ERR_STATE);
	assert_int_equal(suspend_version(w, &w->auditor, 2), US_ERR_NOT_FOUND);
	assert_int_equal(propose(w, &w->admin, 2, NULL, 0), US_OK);
	assert_int_equal(suspend_version(w, &w->auditor, 2), US_ERR_STATE); /* proposed */
	assert_int_equal(sign(w, &w->auditor, "order-2"), US_OK);
	const int64_t two = w->now;
	amend(w, 3, NULL, 0);
	const int64_t three = w->now;
	amend(w, 4, NULL, w->now + 10 * DAY_NS);
	assert_int_equal(suspend_version(w, &w->attorney, 3), US_ERR_DENIED);
	assert_int_equal(suspend_version(w, &w->admin, 3), US_ERR_DENIED);
	const uint64_t generation = us_registry_generation(w->reg);
	assert_int_equal(suspend_version(w, &w->auditor, 3), US_OK);
	assert_true(us_registry_generation(w->reg) > generation);
	assert_int_equal(us_registry_order(w->reg)->version, 2);
	assert_int_equal(version_status(w, 3), US_VERSION_SUSPENDED);
	assert_int_equal(us_registry_version_of(w->reg, 3)->suspended_by, w->auditor.person);
	assert_string_equal(us_registry_version_of(w->reg, 3)->suspended_authority, "ECF No. 2");
	assert_int_equal(version_at(w, w->now), 2);
	assert_int_equal(version_at(w, w->now - 1), 3); /* what was, was */
	assert_int_equal(version_at(w, three), 3);
	assert_int_equal(version_at(w, three - 1), 2);
	assert_int_equal(version_at(w, two - 1), 1);
	assert_int_equal(suspend_version(w, &w->auditor, 3), US_ERR_STATE);
	/* before its time: it never comes */
	assert_int_equal(suspend_version(w, &w->auditor, 4), US_OK);
	assert_int_equal(version_at(w, w->now + 11 * DAY_NS), 2);
	/* one that is replaced: the one in force stays, and falls back past it */
	amend(w, 5, NULL, 0);
	assert_int_equal(suspend_version(w, &w->auditor, 2), US_OK);
	assert_int_equal(us_registry_order(w->reg)->version, 5);
	assert_int_equal(suspend_version(w, &w->auditor, 5), US_OK);
	assert_int_equal(us_registry_order(w->reg)->version, 1);
	assert_int_equal(us_registry_order(w->reg) == us_registry_version(w->reg, 0)->order, 1);
}

static void
test_withdrawn(void **state)
{
	struct world *w = *state;

	assert_int_equal(propose(w, &w->attorney, 2, NULL, 0), US_OK);
	assert_int_equal(withdraw(w, &w->producer, "order-2"), US_ERR_DENIED);
	assert_int_equal(withdraw(w, &w->admin, "order-2"), US_ERR_DENIED);
	assert_int_equal(withdraw(w, &w->attorney, "order-2"), US_OK);
	assert_int_equal(version_status(w, 2), US_VERSION_WITHDRAWN);
	assert_int_equal(sign(w, &w->auditor, "order-2"), US_ERR_STATE);
	assert_int_equal(suspend_version(w, &w->auditor, 2), US_ERR_STATE);
	assert_int_equal(acknowledge(w, &w->attorney, 2), US_ERR_NOT_FOUND);
	assert_int_equal(version_at(w, INT64_MAX), 1);
	assert_int_equal(us_order_version_starts(us_registry_version_of(w->reg, 2)), INT64_MAX);
	/* its number is never given again */
	assert_int_equal(propose(w, &w->attorney, 2, NULL, 0), US_ERR_EXISTS);
	amend(w, 9, NULL, 0);
	assert_int_equal(us_registry_order(w->reg)->version, 9);
	assert_int_equal(propose(w, &w->attorney, 3, NULL, 0), US_ERR_EXISTS);
}

/* ---- people under it ---- */

#define DEFENDANT \
	"  - id: defendant\n    name: \"The defendant\"\n    roster_signers:\n      - {person: " \
	"\"Peter Producer\", capacity: producer}\n"

static void
test_parties_follow(void **state)
{
	struct world *w = *state;
	/* the defendant moves before the plaintiffs: every bit changes */
	static const struct edit moved[] = { { DEFENDANT, "" },
		{ "parties:\n", "parties:\n" DEFENDANT }, { NULL, NULL } };
	/* the plaintiffs are dropped, with all that names them */
	static const struct edit dropped[] = { { "plaintiffs\n    name", "others\n    name" },
		{ "confirm: [[court], [plaintiffs, defendant]]", "confirm: court" },
		{ "[court, plaintiffs]", "[court]" }, { "{party: plaintiffs", "{party: others" },
		{ "{party: plaintiffs", "{party: others" },
		{ "{party: plaintiffs", "{party: others" }, { NULL, NULL } };

	assert_int_equal(person_of(w, &w->attorney)->party_bits, 1);
	assert_int_equal(person_of(w, &w->producer)->party_bits, 2);
	amend(w, 2, moved, 0);
	assert_int_equal(person_of(w, &w->attorney)->party_bits, 2);
	assert_int_equal(person_of(w, &w->producer)->party_bits, 1);
	assert_int_equal(subject_of(w, &w->attorney).parties, 2);
	assert_int_equal(us_registry_subject_under(w->reg, person_of(w, &w->attorney),
			     us_registry_version_of(w->reg, 1)->order, w->now)
			     .parties,
	    1);
	amend(w, 3, dropped, 0);
	assert_int_equal(person_of(w, &w->attorney)->party_bits, 0);
	assert_int_equal(person_of(w, &w->auditor)->party_bits, 4);
	/* a signer of a party that is none is no signer */
	assert_int_equal(freeze(w, &w->attorney, US_FREEZE_EVERYTHING, NULL, 0), US_ERR_DENIED);
	assert_int_equal(object(w, &w->attorney, "order-3"), US_ERR_DENIED);
	assert_int_equal(suspend_version(w, &w->auditor, 3), US_OK);
	assert_int_equal(person_of(w, &w->attorney)->party_bits, 2);
	assert_int_equal(freeze(w, &w->attorney, US_FREEZE_EVERYTHING, NULL, 0), US_OK);
}

/* Whoever signs a party's people in later is themselves signed in by the court. */
static void
test_signer_later(void **state)
{
	struct world *w = *state;
	static const struct edit third[] = {
		{ "designations:",
		    "  - id: third\n    name: \"A third party\"\n    roster_signers:\n"
		    "      - {person: \"Theo Third\", capacity: "
		    "outside-counsel}\n\ndesignations:" },
		{ NULL, NULL }
	};
	struct actor judge, theo, reader;
	struct us_docket_item item;

	join(w, &judge, "Judith Judge", US_CAPACITY_COURT, "court", &w->auditor);
	amend(w, 2, third, 0);
	actor_new(&theo, "Theo Third");
	assert_int_equal(world_add(w, &w->admin, &theo, US_CAPACITY_OUTSIDE_COUNSEL, "third", NULL),
	    US_OK);
	assert_int_equal(world_issue(w, &w->admin, &theo), US_OK);
	assert_int_equal(us_registry_docket_item(w->reg, us_bytes_of("person-6"), &item), US_OK);
	assert_int_equal(item.waits_for_court, 1);
	assert_int_equal(world_docket_sign(w, &w->attorney, "person-6"), US_ERR_DENIED);
	assert_int_equal(world_docket_sign(w, &w->auditor, "person-6"), US_ERR_DENIED);
	assert_int_equal(world_docket_sign(w, &judge, "person-6"), US_OK);
	assert_int_equal(us_registry_standing(w->reg, theo.fingerprint, w->now, NULL, NULL),
	    US_REASON_NONE);
	/* of others the court is not the signer */
	actor_new(&reader, "Rita Reader");
	assert_int_equal(world_add(w, &w->admin, &reader, US_CAPACITY_EXPERT, "third", NULL),
	    US_OK);
	assert_int_equal(world_docket_sign(w, &judge, "person-7"), US_ERR_DENIED);
	assert_int_equal(world_docket_sign(w, &theo, "person-7"), US_OK);
	actor_free(&judge);
	actor_free(&theo);
	actor_free(&reader);
}

/* Somebody who signs for as many parties as a person can have: no bit of them is lost. */
static void
test_sixteen_parties(void **state)
{
	struct world *w = *state;
	struct us_act *act = calloc(1, sizeof(*act));
	char parties[4096] = "", quorum[512] = "amend: [[", ids[US_PERSON_PARTIES][16];
	struct actor judge, all;

	join(w, &judge, "Judith Judge", US_CAPACITY_COURT, "court", &w->auditor);
	for (int i = 0; i < US_PERSON_PARTIES; i++) {
		char one[160];
		(void)snprintf(ids[i], sizeof(ids[i]), "p%02d", i);
		(void)snprintf(one, sizeof(one),
		    "  - id: %s\n    name: \"%s\"\n    roster_signers:\n"
		    "      - {person: \"Alma All\", capacity: outside-counsel}\n",
		    ids[i], ids[i]);
		strcat(parties, one);
		(void)snprintf(one, sizeof(one), "%s%s", i == 0 ? "" : ", ", ids[i]);
		strcat(quorum, one);
		act->u.person_add.parties[i] = us_bytes_of(ids[i]);
	}
	strcat(parties, "\ndesignations:");
	strcat(quorum, "]]");
	const struct edit many[] = { { "designations:", parties }, { "amend: [[court]]", quorum },
		{ NULL, NULL } };
	amend(w, 2, many, 0);
	actor_new(&all, "Alma All");
	act->type = US_ACT_PERSON_ADD;
	act->u.person_add.name = us_bytes_of(all.name);
	act->u.person_add.capacity = US_CAPACITY_OUTSIDE_COUNSEL;
	act->u.person_add.n_parties = US_PERSON_PARTIES;
	assert_int_equal(world_act(w, &w->admin, act), US_OK);
	all.person = us_registry_people(w->reg);
	assert_int_equal(world_issue(w, &w->admin, &all), US_OK);
	assert_int_equal(world_docket_sign(w, &judge, "person-6"), US_OK);
	assert_int_equal(person_of(w, &all)->status, US_PERSON_ACTIVE);
	assert_int_equal(person_of(w, &all)->party_bits, 0x7fff8);
	assert_int_equal(propose(w, &w->admin, 3, NULL, 0), US_OK);
	assert_int_equal(sign(w, &w->auditor, "order-3"), US_ERR_DENIED);
	assert_int_equal(sign(w, &all, "order-3"), US_OK);
	const struct us_filing *f = us_registry_filing_named(w->reg, us_bytes_of("order-3"));
	assert_int_equal(f->signatures[0].parties, 0xffff);
	assert_int_equal(us_registry_order(w->reg)->version, 3);
	assert_int_equal(person_of(w, &all)->party_bits, 0);
	actor_free(&judge);
	actor_free(&all);
	free(act);
}

/* ---- acknowledgements ---- */

static int
is_acknowledged(const struct world *w, const struct actor *a, unsigned version, int64_t now_ns)
{
	return us_registry_subject_under(w->reg, person_of(w, a),
	    us_registry_version_of(w->reg, version)->order, now_ns)
	    .acknowledged;
}

static void
test_acknowledge(void **state)
{
	struct world *w = *state;
	static const struct edit over[] = { { "carries_over: false", "carries_over: true" },
		{ NULL, NULL } };
	static const struct edit until[] = {
		{ "carries_over: false", "carries_over: true, renew_by: 2024-01-01T00:00:00Z" },
		{ NULL, NULL }
	};
	const int64_t renew = INT64_C(1704067200) * WORLD_SECOND; /* 2024-01-01 */
	struct us_act *act = calloc(1, sizeof(*act));

	assert_int_equal(subject_of(w, &w->attorney).acknowledged, 0);
	assert_int_equal(acknowledge(w, &w->attorney, 2), US_ERR_NOT_FOUND);
	act->type = US_ACT_ACKNOWLEDGE; /* of what it does not say */
	act->u.acknowledge = (struct us_act_acknowledge){ .version = 1,
		.address = us_bytes_of("a"),
		.place = us_bytes_of("b") };
	assert_int_equal(world_act(w, &w->attorney, act), US_ERR_VERIFY);
	memcpy(act->u.acknowledge.source_digest, us_registry_order(w->reg)->source_digest, 32);
	memcpy(act->u.acknowledge.instrument, small_document(), 32);
	assert_int_equal(world_act(w, &w->attorney, act), US_ERR_VERIFY);
	memset(act->u.acknowledge.instrument, 0, 32);
	memcpy(act->u.acknowledge.form, no_document, 32);
	assert_int_equal(world_act(w, &w->attorney, act), US_ERR_NOT_FOUND);
	memcpy(act->u.acknowledge.form, small_document(), 32);
	assert_int_equal(world_act(w, &w->attorney, act), US_OK);
	assert_int_equal(acknowledge(w, &w->attorney, 1), US_ERR_EXISTS);
	assert_int_equal(subject_of(w, &w->attorney).acknowledged, 1);
	assert_int_equal(subject_of(w, &w->producer).acknowledged, 0);
	const struct us_acknowledgement *k = us_registry_acknowledgement(w->reg, 0);
	assert_memory_equal(k->credential, w->attorney.fingerprint, 32);
	assert_string_equal(k->address, "a");
	/* needed again; carried over from the one before, but not past it; and until a day */
	amend(w, 2, NULL, 0);
	assert_int_equal(subject_of(w, &w->attorney).acknowledged, 0);
	amend(w, 3, over, 0);
	assert_int_equal(subject_of(w, &w->attorney).acknowledged, 0);
	assert_int_equal(acknowledge(w, &w->attorney, 2), US_OK);
	assert_int_equal(subject_of(w, &w->attorney).acknowledged, 1);
	/* never signed: in nobody's way */
	assert_int_equal(propose(w, &w->admin, 4, NULL, 0), US_OK);
	assert_int_equal(withdraw(w, &w->admin, "order-4"), US_OK);
	amend(w, 5, until, 0);
	assert_int_equal(is_acknowledged(w, &w->attorney, 5, renew - 1), 1);
	assert_int_equal(is_acknowledged(w, &w->attorney, 5, renew), 0);
	assert_int_equal(is_acknowledged(w, &w->attorney, 3, renew), 1);
	assert_int_equal(is_acknowledged(w, &w->producer, 5, w->now), 0);
	assert_int_equal(acknowledge(w, &w->attorney, 5), US_OK);
	assert_int_equal(is_acknowledged(w, &w->attorney, 5, renew), 1);
	assert_int_equal(us_registry_acknowledgements(w->reg), 3);
	free(act);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, docket_setup, docket_teardown)
	const struct CMUnitTest tests[] = {
		T(test_propose_refused),
		T(test_quorum_alone),
		T(test_quorum_of_two),
		T(test_signer_suspended),
		T(test_quorum_changes),
		T(test_effective),
		T(test_between),
		T(test_suspended),
		T(test_withdrawn),
		T(test_parties_follow),
		T(test_signer_later),
		T(test_sixteen_parties),
		T(test_acknowledge),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
