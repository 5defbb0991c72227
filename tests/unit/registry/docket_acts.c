#include "tests/unit/registry/docket_acts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "crypto/crypto.h"
#include "policy/yaml/yaml.h"

static const char text[] = "a document";
const uint8_t no_document[32] = { 0xee };
static uint8_t text_digest[32];

const uint8_t *
small_document(void)
{
	assert_int_equal(us_sha256(text, sizeof(text), text_digest), US_OK);
	return text_digest;
}

int
docket_setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	world_open_with(w, DOCKET_ORDER);
	assert_int_equal(world_collection(w, &w->admin, "logs", "LOGS"), US_OK);
	assert_int_equal(world_batch(w, 1, 0, 0, 100, 0), US_OK);
	assert_int_equal(world_batch(w, 1, 1, 100, 100, 0), US_OK);
	assert_int_equal(document(w, &w->attorney, small_document(), sizeof(text), 0,
			     (struct us_bytes){ (const uint8_t *)text, sizeof(text) }),
	    US_OK);
	*state = w;
	return 0;
}

int
docket_teardown(void **state)
{
	fold_again(*state);
	world_close(*state);
	free(*state);
	return 0;
}

static struct us_act *
act_new(enum us_act_type type)
{
	struct us_act *act = calloc(1, sizeof(*act));

	act->type = type;
	return act;
}

static int
done(struct world *w, const struct actor *by, struct us_act *act)
{
	int err = world_act(w, by, act);

	free(act);
	return err;
}

void
join(struct world *w, struct actor *who, const char *name, enum us_capacity capacity,
    const char *party, const struct actor *by)
{
	char id[32];

	actor_new(who, name);
	assert_int_equal(world_add(w, &w->admin, who, capacity, party, NULL), US_OK);
	assert_int_equal(world_issue(w, &w->admin, who), US_OK);
	(void)snprintf(id, sizeof(id), "person-%u", (unsigned)who->person);
	assert_int_equal(world_docket_sign(w, by, id), US_OK);
	assert_int_equal(person_of(w, who)->status, US_PERSON_ACTIVE);
}

const struct us_person *
person_of(const struct world *w, const struct actor *a)
{
	return us_registry_person(w->reg, a->person);
}

struct us_subject
subject_of(const struct world *w, const struct actor *a)
{
	return us_registry_subject(w->reg, person_of(w, a), w->now);
}

/* ---- versions ---- */

static void
replace(struct us_buf *source, const char *from, const char *to)
{
	struct us_buf out;
	const char *at;

	us_buf_init(&out, US_ORDER_SOURCE_MAX);
	assert_int_equal(us_buf_put_u8(source, 0), US_OK);
	at = strstr((const char *)source->data, from);
	assert_non_null(at);
	const size_t before = (size_t)(at - (const char *)source->data);
	assert_int_equal(us_buf_put(&out, source->data, before), US_OK);
	assert_int_equal(us_buf_put(&out, to, strlen(to)), US_OK);
	assert_int_equal(us_buf_put(&out, at + strlen(from),
			     source->len - 1 - before - strlen(from)),
	    US_OK);
	us_buf_free(source);
	*source = out;
}

void
order_source(struct us_buf *out, unsigned version, const struct edit *edits)
{
	FILE *f = fopen(DOCKET_ORDER, "rb");
	char number[32];
	uint8_t *p;

	assert_non_null(f);
	us_buf_init(out, US_ORDER_SOURCE_MAX);
	assert_int_equal(us_buf_reserve(out, 16384, &p), US_OK);
	out->len = fread(p, 1, 16384, f);
	(void)fclose(f);
	(void)snprintf(number, sizeof(number), "version: %u", version);
	replace(out, "version: 1", number);
	for (; edits != NULL && edits->from != NULL; edits++)
		replace(out, edits->from, edits->to);
}

int
propose(struct world *w, const struct actor *by, unsigned version, const struct edit *edits,
    int64_t effective_ns)
{
	struct us_act *act = act_new(US_ACT_ORDER_PROPOSE);
	struct us_findings *findings = calloc(1, sizeof(*findings));
	struct us_buf source, compiled;

	order_source(&source, version, edits);
	us_buf_init(&compiled, US_ORDER_COMPILED_MAX);
	if (us_order_compile((struct us_bytes){ source.data, source.len }, &compiled, findings) !=
	    US_OK)
		fail_msg("version %u, line %u: %s", version, findings->items[0].line,
		    findings->items[0].text);
	act->u.order_propose.source = (struct us_bytes){ source.data, source.len };
	act->u.order_propose.compiled = (struct us_bytes){ compiled.data, compiled.len };
	act->u.order_propose.authority = us_bytes_of("ECF No. 1");
	act->u.order_propose.effective_ns = effective_ns;
	int err = done(w, by, act);
	us_buf_free(&source);
	us_buf_free(&compiled);
	free(findings);
	return err;
}

int
sign(struct world *w, const struct actor *by, const char *id)
{
	const struct us_filing *f = us_registry_filing_named(w->reg, us_bytes_of(id));
	struct us_act *act = act_new(US_ACT_DOCKET_SIGN);

	act->u.sign.docket_id = us_bytes_of(id);
	if (f != NULL)
		memcpy(act->u.sign.digest, f->digest, 32);
	return done(w, by, act);
}

void
amend(struct world *w, unsigned version, const struct edit *edits, int64_t effective_ns)
{
	char id[32];

	assert_int_equal(propose(w, &w->admin, version, edits, effective_ns), US_OK);
	(void)snprintf(id, sizeof(id), "order-%u", version);
	assert_int_equal(sign(w, &w->auditor, id), US_OK);
	assert_int_equal(status_of(w, id), US_FILING_GRANTED);
}

int
suspend_version(struct world *w, const struct actor *by, unsigned version)
{
	struct us_act *act = act_new(US_ACT_ORDER_SUSPEND);

	act->u.order_suspend.version = version;
	act->u.order_suspend.authority = us_bytes_of("ECF No. 2");
	return done(w, by, act);
}

int
acknowledge(struct world *w, const struct actor *by, unsigned version)
{
	const struct us_order_version *v = us_registry_version_of(w->reg, version);
	struct us_act *act = act_new(US_ACT_ACKNOWLEDGE);

	act->u.acknowledge.version = version;
	if (v != NULL)
		memcpy(act->u.acknowledge.source_digest, v->order->source_digest, 32);
	act->u.acknowledge.address = us_bytes_of("1 Main Street");
	act->u.acknowledge.place = us_bytes_of("New York");
	return done(w, by, act);
}

unsigned
version_at(const struct world *w, int64_t now_ns)
{
	return us_registry_version_at(w->reg, now_ns)->version;
}

/* ---- the docket ---- */

int
object(struct world *w, const struct actor *by, const char *id)
{
	struct us_act *act = act_new(US_ACT_DOCKET_OBJECT);

	act->u.docket.docket_id = us_bytes_of(id);
	memcpy(act->u.docket.grounds, small_document(), 32);
	return done(w, by, act);
}

int
resolve(struct world *w, const struct actor *by, const char *id, enum us_outcome outcome)
{
	struct us_act *act = act_new(US_ACT_DOCKET_RESOLVE);

	act->u.docket.docket_id = us_bytes_of(id);
	act->u.docket.outcome = outcome;
	act->u.docket.text = us_bytes_of("ECF No. 3");
	return done(w, by, act);
}

int
withdraw(struct world *w, const struct actor *by, const char *id)
{
	struct us_act *act = act_new(US_ACT_DOCKET_WITHDRAW);

	act->u.docket.docket_id = us_bytes_of(id);
	act->u.docket.text = us_bytes_of("not needed");
	return done(w, by, act);
}

int
serve(struct world *w, const struct actor *by, const char *id, const char *party, int64_t at_ns)
{
	struct us_act *act = act_new(US_ACT_DOCKET_SERVE);

	act->u.docket.docket_id = us_bytes_of(id);
	act->u.docket.party = us_bytes_of(party);
	act->u.docket.at_ns = at_ns;
	return done(w, by, act);
}

int
clearance(struct world *w, const struct actor *by, const char *clearance_id,
    const struct actor *who)
{
	struct us_act *act = act_new(US_ACT_CLEARANCE);

	act->u.clearance.clearance = us_bytes_of(clearance_id);
	act->u.clearance.person = who->person;
	memcpy(act->u.clearance.statement, small_document(), 32);
	return done(w, by, act);
}

static void
select_run(struct us_selection *s, struct us_buf *runs, uint64_t first, uint64_t count)
{
	us_buf_init(runs, 64);
	assert_int_equal(us_buf_put_varint(runs, first), US_OK);
	assert_int_equal(us_buf_put_varint(runs, count), US_OK);
	s->collection = 1;
	s->n_runs = 1;
	s->runs = (struct us_bytes){ runs->data, runs->len };
}

int
about_records(struct world *w, const struct actor *by, enum us_act_type type, uint64_t first,
    uint64_t count, const char *designation)
{
	struct us_act *act = act_new(type);
	struct us_buf runs;

	select_run(&act->u.records.selection, &runs, first, count);
	if (type == US_ACT_RELABEL) {
		act->u.records.designation = us_bytes_of(designation);
		act->u.records.reason = us_bytes_of("agreed");
	} else {
		memcpy(act->u.records.document, small_document(), 32);
	}
	int err = done(w, by, act);
	us_buf_free(&runs);
	return err;
}

int
freeze(struct world *w, const struct actor *by, enum us_freeze_scope scope, const char *party,
    uint32_t person_or_collection)
{
	struct us_act *act = act_new(US_ACT_FREEZE);
	struct us_buf runs;

	select_run(&act->u.freeze.selection, &runs, 10, 10);
	act->u.freeze.scope = scope;
	act->u.freeze.party = us_bytes_of(party == NULL ? "" : party);
	act->u.freeze.person = act->u.freeze.collection = person_or_collection;
	act->u.freeze.authority = us_bytes_of("ECF No. 4");
	int err = done(w, by, act);
	us_buf_free(&runs);
	return err;
}

int
unfreeze(struct world *w, const struct actor *by, uint32_t number)
{
	struct us_act *act = act_new(US_ACT_UNFREEZE);

	act->u.unfreeze.freeze = number;
	act->u.unfreeze.authority = us_bytes_of("ECF No. 5");
	return done(w, by, act);
}

int
matter(struct world *w, const struct actor *by, const char *state)
{
	struct us_act *act = act_new(US_ACT_MATTER_SET);

	act->u.matter.state = us_bytes_of(state);
	act->u.matter.authority = us_bytes_of("ECF No. 6");
	return done(w, by, act);
}

int
request_copy(struct world *w, const struct actor *by, uint64_t first, uint32_t n,
    uint8_t digest[32])
{
	struct us_act *act = act_new(US_ACT_APPROVAL_REQUEST);
	uint8_t records[64 * 8];

	assert_true(n <= 64);
	for (uint32_t i = 0; i < n; i++)
		us_store_u64(records + (size_t)i * 8, first + i);
	act->u.approval.action = US_ACTION_COPY;
	act->u.approval.collection = 1;
	act->u.approval.purpose = us_bytes_of("report");
	act->u.approval.n = n;
	act->u.approval.records = (struct us_bytes){ records, (size_t)n * 8 };
	if (digest != NULL)
		assert_int_equal(us_request_digest(w->reg, by->person, &act->u.approval, digest),
		    US_OK);
	return done(w, by, act);
}

int
document(struct world *w, const struct actor *by, const uint8_t digest[32], uint64_t size,
    uint32_t part, struct us_bytes bytes)
{
	struct us_act *act = act_new(US_ACT_DOCUMENT_ADD);

	memcpy(act->u.document.digest, digest, 32);
	act->u.document.size = size;
	act->u.document.name = us_bytes_of("letter.pdf");
	act->u.document.part = part;
	act->u.document.bytes = bytes;
	return done(w, by, act);
}

enum us_filing_status
status_of(const struct world *w, const char *id)
{
	const struct us_filing *f = us_registry_filing_named(w->reg, us_bytes_of(id));

	if (f == NULL)
		fail_msg("there is no %s", id);
	return f->status;
}

/* ---- again ---- */

static void
same_versions(const struct us_registry *a, const struct us_registry *b, int64_t now_ns)
{
	const int64_t step = 6 * 3600 * WORLD_SECOND;

	for (int64_t t = WORLD_T0 - DAY_NS; t < now_ns + 60 * DAY_NS; t += step)
		assert_int_equal(us_registry_version_at(a, t)->version,
		    us_registry_version_at(b, t)->version);
}

void
fold_again(const struct world *w)
{
	struct us_registry *again;
	uint64_t turn = 1;

	assert_int_equal(us_registry_new(&again), US_OK);
	for (size_t i = 0; i < w->n_acts; i++) {
		assert_int_equal(us_registry_apply(again,
				     (struct us_bytes){ w->acts[i].data, w->acts[i].len }, NULL),
		    US_OK);
		turn = turn * UINT64_C(6364136223846793005) + 1442695040888963407u;
		(void)us_registry_at(again, WORLD_T0 + (int64_t)(turn >> 33) % 90 * DAY_NS);
	}
	assert_memory_equal(us_registry_digest(again), us_registry_digest(w->reg), 32);
	assert_int_equal(us_registry_filings(again), us_registry_filings(w->reg));
	for (size_t i = 0; i < us_registry_filings(again); i++) {
		const struct us_filing *a = us_registry_filing(again, i),
				       *b = us_registry_filing(w->reg, i);
		assert_int_equal(a->status, b->status);
		assert_memory_equal(a->digest, b->digest, 32);
		assert_int_equal(a->n_signatures, b->n_signatures);
		/* not the bytes between their members */
		for (size_t k = 0; k < a->n_signatures; k++) {
			assert_int_equal(a->signatures[k].person, b->signatures[k].person);
			assert_int_equal(a->signatures[k].capacity, b->signatures[k].capacity);
			assert_int_equal(a->signatures[k].at_ns, b->signatures[k].at_ns);
			assert_int_equal(a->signatures[k].parties, b->signatures[k].parties);
		}
		assert_memory_equal(a->services, b->services, sizeof(a->services));
	}
	same_versions(again, w->reg, w->now);
	(void)us_registry_at(again, w->now);
	(void)us_registry_at(w->reg, w->now);
	assert_int_equal(us_registry_order(again)->version, us_registry_order(w->reg)->version);
	for (uint32_t i = 1; i <= us_registry_people(again); i++)
		assert_int_equal(us_registry_person(again, i)->party_bits,
		    us_registry_person(w->reg, i)->party_bits);
	us_registry_free(again);
}
