/* Designations at the doors of the registry: what collections, relabels and versions of the order
 * may name, and what history may have. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "crypto/crypto.h"
#include "policy/yaml/yaml.h"
#include "tests/unit/registry/docket_acts.h"
#include "registry/withheld.h"

#define CURLY "\xe2\x80\x99" /* U+2019, as a word processor writes an apostrophe */
#define LIST "designations: [RESTRICTED, CONFIDENTIAL]"
#define HAS(wanted) assert_non_null(strstr(w->refusal.text, wanted))

static int
create(struct world *w, const char *name, const char *prefix, const char *designation)
{
	struct us_act *act = calloc(1, sizeof(*act));
	int err;

	act->type = US_ACT_COLLECTION_CREATE;
	act->u.collection.name = us_bytes_of(name);
	act->u.collection.prefix = us_bytes_of(prefix);
	act->u.collection.designation = us_bytes_of(designation);
	err = world_act(w, &w->admin, act);
	free(act);
	return err;
}

static const char *
designation_of(const struct world *w, const char *collection)
{
	return us_registry_collection_named(w->reg, us_bytes_of(collection))->designation;
}

static void
test_collection(void **state)
{
	struct world *w = *state;

	assert_int_equal(create(w, "aeo", "AEO", "ATTORNEYS' EYES ONLY"), US_ERR_NOT_FOUND);
	HAS("the order knows no designation \"ATTORNEYS' EYES ONLY\"");
	assert_string_equal(w->refusal.cure, "see the order's list: underseal order show");
	assert_int_equal(create(w, "near", "NEAR", "CONFIDENTAL"), US_ERR_NOT_FOUND);
	HAS("the order knows no designation \"CONFIDENTAL\"");
	assert_non_null(strstr(w->refusal.cure, "did you mean \"CONFIDENTIAL\"?"));
	assert_null(us_registry_collection_named(w->reg, us_bytes_of("near")));
	/* what is the list's is kept as the list spells it; none is none */
	assert_int_equal(create(w, "one", "ONE", "Confidential"), US_OK);
	assert_string_equal(designation_of(w, "one"), "CONFIDENTIAL");
	assert_int_equal(create(w, "two", "TWO",
			     "\xef\xbc\xb2"
			     "estricted"),
	    US_OK); /* a fullwidth R */
	assert_string_equal(designation_of(w, "two"), "RESTRICTED");
	assert_int_equal(create(w, "three", "THREE", ""), US_OK);
	assert_string_equal(designation_of(w, "three"), "");
}

static void
test_relabel(void **state)
{
	struct world *w = *state;

	assert_int_equal(about_records(w, &w->producer, US_ACT_RELABEL, 0, 10,
			     "CONFIDENTIAL" CURLY),
	    US_ERR_NOT_FOUND);
	HAS("the order knows no designation");
	assert_non_null(strstr(w->refusal.cure, "did you mean \"CONFIDENTIAL\"?"));
	assert_int_equal(us_registry_relabels(w->reg), 0);
	assert_int_equal(about_records(w, &w->producer, US_ACT_RELABEL, 0, 10,
			     "con\xef\xac\x81"
			     "dential"),
	    US_OK); /* the ligature fi */
	assert_string_equal(us_registry_designation(w->reg, 1, 0), "CONFIDENTIAL");
}

/* ---- versions ---- */

static void
test_dropped(void **state)
{
	static const struct {
		const char *list;
		const char *dropped; /* NULL: it keeps all */
	} cases[] = {
		{ "designations: [RESTRICTED]", "CONFIDENTIAL" },
		{ "designations: [CONFIDENTIAL, SECRET]", "RESTRICTED" },
		{ "designations: [RESTRICTED, CONFIDENTAL]", "CONFIDENTIAL" },
		{ "", "RESTRICTED" }, /* no list at all */
		{ "designations: [RESTRICTED, CONFIDENTIAL]", NULL },
		{ "designations: [Confidential, \"TOP DRAWER\", restricted]", NULL },
	};
	struct world *w = *state;
	char says[200];

	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct edit edits[] = { { LIST, cases[i].list }, { NULL, NULL } };
		const int err = propose(w, &w->admin, i + 2, edits, 0);

		if (err != (cases[i].dropped == NULL ? US_OK : US_ERR_STATE))
			fail_msg("\"%s\": %s: %s", cases[i].list, us_strerror(err),
			    w->refusal.text);
		if (cases[i].dropped == NULL)
			continue;
		(void)snprintf(says, sizeof(says),
		    "version %u does not list the designation \"%s\", which version 1 has", i + 2,
		    cases[i].dropped);
		HAS(says);
		assert_true(w->refusal.cure[0] != '\0');
		assert_null(us_registry_version_of(w->reg, i + 2));
	}
}

/* What one version adds, none that comes behind it drops: neither a proposal that was made before,
 * nor one that is signed to come. */
static void
test_versions_between(void **state)
{
	static const struct edit more[] = {
		{ LIST, "designations: [SECRET, RESTRICTED, CONFIDENTIAL]" }, { NULL, NULL }
	};
	static const struct edit other[] = {
		{ LIST, "designations: [RESTRICTED, CONFIDENTIAL, OTHER]" }, { NULL, NULL }
	};
	static const struct edit both[] = {
		{ LIST, "designations: [SECRET, RESTRICTED, CONFIDENTIAL, OTHER]" }, { NULL, NULL }
	};
	struct world *w = *state;
	const int64_t later = w->now + 10 * DAY_NS;

	/* 2 waits; 3 is signed at once: 2 would drop what it adds */
	assert_int_equal(propose(w, &w->admin, 2, NULL, 0), US_OK);
	amend(w, 3, more, 0);
	assert_int_equal(sign(w, &w->auditor, "order-2"), US_ERR_STATE);
	HAS("version 2 does not list the designation \"SECRET\", which version 3 has");
	assert_int_equal(status_of(w, "order-2"), US_FILING_WAITS);
	assert_int_equal(us_registry_order(w->reg)->version, 3);
	/* 4 is signed and comes in ten days: nothing before it may have more than it, nothing
	 *   behind it
	 * less */
	amend(w, 4, more, later);
	assert_int_equal(propose(w, &w->admin, 5, both, 0), US_ERR_STATE);
	HAS("version 4 does not list the designation \"OTHER\", which version 5 has");
	assert_int_equal(propose(w, &w->admin, 5, both, later + DAY_NS), US_OK);
	assert_int_equal(propose(w, &w->admin, 6, other, later + DAY_NS), US_ERR_STATE);
	HAS("does not list the designation \"SECRET\"");
	assert_int_equal(sign(w, &w->auditor, "order-5"), US_OK);
	/* of a version that is suspended nothing is asked any more */
	assert_int_equal(suspend_version(w, &w->auditor, 5), US_OK);
	assert_int_equal(propose(w, &w->admin, 6, more, later + 2 * DAY_NS), US_OK);
}

struct by_hand {
	struct us_buf source, compiled;
	struct us_order *order;
};

/* Version 2 of the source, to be changed behind the compiler's back. */
static void
by_hand_open(struct by_hand *h)
{
	struct us_findings *findings = calloc(1, sizeof(*findings));

	order_source(&h->source, 2, NULL);
	us_buf_init(&h->compiled, US_ORDER_COMPILED_MAX);
	assert_int_equal(us_order_compile((struct us_bytes){ h->source.data, h->source.len },
			     &h->compiled, findings),
	    US_OK);
	assert_int_equal(us_order_decode(h->compiled.data, h->compiled.len, &h->order), US_OK);
	free(findings);
}

/* Proposes it as it is now. */
static int
by_hand_propose(struct world *w, struct by_hand *h)
{
	struct us_act *act = calloc(1, sizeof(*act));
	struct us_buf compiled;
	int err;

	us_buf_init(&compiled, US_ORDER_COMPILED_MAX);
	assert_int_equal(us_order_encode(h->order, &compiled), US_OK);
	act->type = US_ACT_ORDER_PROPOSE;
	act->u.order_propose.source = (struct us_bytes){ h->source.data, h->source.len };
	act->u.order_propose.compiled = (struct us_bytes){ compiled.data, compiled.len };
	act->u.order_propose.authority = us_bytes_of("ECF No. 1");
	err = world_act(w, &w->admin, act);
	us_buf_free(&compiled);
	free(act);
	return err;
}

static void
by_hand_close(struct by_hand *h)
{
	us_order_free(h->order);
	us_buf_free(&h->source);
	us_buf_free(&h->compiled);
}

/* What the compiler refuses is refused of a compiled form that it has not made. */
static void
test_compiled_by_hand(void **state)
{
	struct world *w = *state;
	struct by_hand h;
	struct us_rule *rule;

	by_hand_open(&h);
	rule = &h.order->rules[0];
	rule->is_query = 1;
	rule->what = us_bytes_of("a OR NOT designation:\"Attorneys" CURLY " Eyes Only\"");
	assert_int_equal(by_hand_propose(w, &h), US_ERR_NOT_FOUND);
	HAS("rule review is about the designation \"attorneys" CURLY
	    " eyes only\", which is not in the version's list");
	rule->what = us_bytes_of("recipe or poem");
	assert_int_equal(by_hand_propose(w, &h), US_ERR_FORMAT);
	HAS("the query of rule review: \"or\" would be looked for as a word here");
	rule->what = us_bytes_of("(recipe");
	assert_int_equal(by_hand_propose(w, &h), US_ERR_FORMAT);
	HAS("the query of rule review: this parenthesis is not closed");
	rule->what = us_bytes_of("designation:Confidential");
	h.order->designations[0].name = us_bytes_of("Confidential");
	assert_int_equal(by_hand_propose(w, &h), US_ERR_EXISTS);
	HAS("two designations of the version's list are the same");
	h.order->designations[0].name = us_bytes_of("RESTRICTED");
	assert_int_equal(by_hand_propose(w, &h), US_OK);
	by_hand_close(&h);
}

/* ---- an order without a list ---- */

static int
no_list_setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	world_open(w); /* the demonstration's order has none */
	*state = w;
	return 0;
}

/* With the demonstration's source, a list put before its workflows. */
static int
propose_list(struct world *w, const char *list)
{
	struct us_act *act = calloc(1, sizeof(*act));
	struct us_findings *findings = calloc(1, sizeof(*findings));
	const struct us_bytes old = us_registry_order_source(w->reg);
	char first[16384], *version, *workflows;
	struct us_buf source, compiled;
	int err;

	assert_true(old.n < sizeof(first));
	memcpy(first, old.p, old.n);
	first[old.n] = '\0';
	version = strstr(first, "version: 1");
	workflows = strstr(first, "workflows:\n");
	version[9] = '2';
	workflows[-1] = '\0';
	us_buf_init(&source, US_ORDER_SOURCE_MAX);
	us_buf_init(&compiled, US_ORDER_COMPILED_MAX);
	assert_int_equal(us_buf_putf(&source, "%s\n%s\n%s", first, list, workflows), US_OK);
	assert_int_equal(us_order_compile((struct us_bytes){ source.data, source.len }, &compiled,
			     findings),
	    US_OK);
	act->type = US_ACT_ORDER_PROPOSE;
	act->u.order_propose.source = (struct us_bytes){ source.data, source.len };
	act->u.order_propose.compiled = (struct us_bytes){ compiled.data, compiled.len };
	act->u.order_propose.authority = us_bytes_of("ECF No. 1");
	err = world_act(w, &w->admin, act);
	us_buf_free(&source);
	us_buf_free(&compiled);
	free(findings);
	free(act);
	return err;
}

/* Any is taken as it is given; a list that comes later has what acts have given. */
static void
test_no_list(void **state)
{
	struct world *w = *state;

	assert_int_equal(create(w, "logs", "LOGS", "Anything" CURLY), US_OK);
	assert_string_equal(designation_of(w, "logs"), "Anything" CURLY);
	assert_int_equal(create(w, "none", "NONE", ""), US_OK);
	assert_int_equal(world_batch(w, 1, 0, 0, 100, 0), US_OK);
	assert_int_equal(about_records(w, &w->producer, US_ACT_RELABEL, 0, 10, "something else"),
	    US_OK);
	assert_string_equal(us_registry_designation(w->reg, 1, 0), "something else");
	assert_int_equal(propose_list(w, "designations: [\"Anything'\", \"something else\"]"),
	    US_ERR_STATE);
	HAS("version 2 does not list the designation \"Anything" CURLY "\" of the collection logs");
	assert_int_equal(propose_list(w, "designations: [\"Anything" CURLY "\", PUBLIC]"),
	    US_ERR_STATE);
	HAS("version 2 does not list the designation \"something else\", to which records have "
	    "been relabelled");
	assert_int_equal(propose_list(w, ""), US_OK);
	assert_int_equal(us_registry_versions(w->reg), 2);
}

static void
test_no_list_then_one(void **state)
{
	struct world *w = *state;

	assert_int_equal(create(w, "logs", "LOGS", "Anything" CURLY), US_OK);
	assert_int_equal(propose_list(w, "designations: [SECRET, \"ANYTHING" CURLY "\"]"), US_OK);
}

/* ---- history ---- */

/* An act as a release committed it that did not ask this of it. */
static void
commit_old(struct world *w, const struct actor *by, const struct us_act *act,
    struct us_bytes result, struct us_buf *committed)
{
	struct us_committed_act c = { .sequence = us_registry_sequence(w->reg) + 1,
		.actor = by->person,
		.result = result };
	struct us_buf bytes;
	uint8_t sig[US_SIGNATURE_MAX];
	size_t sig_n;

	us_buf_init(&bytes, US_ACT_SIGNED_MAX);
	us_buf_init(committed, US_ACT_COMMITTED_MAX);
	w->now += WORLD_SECOND;
	world_sign(w, by, act, &bytes, sig, &sig_n);
	c.time_ns = w->now;
	c.signed_act = (struct us_bytes){ bytes.data, bytes.len };
	c.signature = (struct us_bytes){ sig, sig_n };
	assert_int_equal(us_committed_act_encode(committed, &c), US_OK);
	us_buf_free(&bytes);
}

/* As new it is refused; as history it is taken. */
static void
replay_old(struct world *w, const struct actor *by, const struct us_act *act,
    struct us_bytes result, int refused)
{
	struct us_buf committed;

	commit_old(w, by, act, result, &committed);
	assert_int_equal(us_registry_apply(w->reg,
			     (struct us_bytes){ committed.data, committed.len }, &w->refusal),
	    refused);
	assert_int_equal(us_registry_replay(w->reg,
			     (struct us_bytes){ committed.data, committed.len }, &w->refusal),
	    US_OK);
	us_buf_free(&committed);
}

static int
history_teardown(void **state)
{
	world_close(*state);
	free(*state);
	return 0;
}

static void
test_history(void **state)
{
	struct world *w = *state;
	struct us_act *act = calloc(1, sizeof(*act));
	struct by_hand h;
	struct us_buf compiled;
	const struct us_filing *f;
	uint8_t second[4];

	us_store_u32(second, 2);
	act->type = US_ACT_COLLECTION_CREATE;
	act->u.collection.name = us_bytes_of("old");
	act->u.collection.prefix = us_bytes_of("OLD");
	act->u.collection.designation = us_bytes_of("RESTRICTED" CURLY);
	replay_old(w, &w->admin, act, (struct us_bytes){ second, 4 }, US_ERR_NOT_FOUND);
	assert_string_equal(designation_of(w, "old"), "RESTRICTED" CURLY);
	/* a version that drops one, and whose rule has a word for an operator */
	by_hand_open(&h);
	us_buf_init(&compiled, US_ORDER_COMPILED_MAX);
	h.order->n_designations = 1;
	h.order->rules[0].is_query = 1;
	h.order->rules[0].what = us_bytes_of("recipe or poem");
	assert_int_equal(us_order_encode(h.order, &compiled), US_OK);
	memset(act, 0, sizeof(*act));
	act->type = US_ACT_ORDER_PROPOSE;
	act->u.order_propose.source = (struct us_bytes){ h.source.data, h.source.len };
	act->u.order_propose.compiled = (struct us_bytes){ compiled.data, compiled.len };
	act->u.order_propose.authority = us_bytes_of("ECF No. 1");
	replay_old(w, &w->admin, act, (struct us_bytes){ NULL, 0 }, US_ERR_FORMAT);
	f = us_registry_filing_named(w->reg, us_bytes_of("order-2"));
	memset(act, 0, sizeof(*act));
	act->type = US_ACT_DOCKET_SIGN;
	act->u.sign.docket_id = us_bytes_of("order-2");
	memcpy(act->u.sign.digest, f->digest, 32);
	replay_old(w, &w->auditor, act, (struct us_bytes){ NULL, 0 }, US_ERR_FORMAT);
	assert_int_equal(us_registry_order(w->reg)->version, 2);
	/* and amending goes on, with what the version in force has */
	assert_int_equal(create(w, "new", "NEW", "CONFIDENTIAL"), US_ERR_NOT_FOUND);
	amend(w, 3, NULL, 0);
	assert_int_equal(create(w, "new", "NEW", "CONFIDENTIAL"), US_OK);
	us_buf_free(&compiled);
	by_hand_close(&h);
	free(act);
}

int
main(void)
{
#define WITH(test) cmocka_unit_test_setup_teardown(test, docket_setup, docket_teardown)
#define WITHOUT(test) cmocka_unit_test_setup_teardown(test, no_list_setup, docket_teardown)
	const struct CMUnitTest tests[] = {
		WITH(test_collection),
		WITH(test_relabel),
		WITH(test_dropped),
		WITH(test_versions_between),
		WITH(test_compiled_by_hand),
		WITHOUT(test_no_list),
		WITHOUT(test_no_list_then_one),
		cmocka_unit_test_setup_teardown(test_history, docket_setup, history_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
