#include "client/report/trail.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/err.h"
#include "case/bates.h"
#include "client/report/act_names.h"
#include "crypto/cert.h"
#include "registry/answer.h"
#include "registry/versions.h"

#define CHUNK_BYTES ((size_t)1 << 20)

struct us_trail_chunk {
	struct us_trail_chunk *next;
	size_t used, size;
	uint64_t bytes[];
};

void
us_trail_init(struct us_trail *t)
{
	memset(t, 0, sizeof *t);
	us_state_init(&t->state);
}

/* Drops what entries point at, but for one chunk to go on with. */
static void
forget(struct us_trail *t)
{
	struct us_trail_chunk *next;

	for (; t->chunks != NULL && t->chunks->next != NULL; t->chunks = next) {
		next = t->chunks->next;
		us_wipe(t->chunks->bytes, t->chunks->used);
		free(t->chunks);
	}
	if (t->chunks != NULL) {
		us_wipe(t->chunks->bytes, t->chunks->used);
		t->chunks->used = 0;
	}
}

void
us_trail_free(struct us_trail *t)
{
	forget(t);
	free(t->chunks);
	us_names_free(&t->names);
	free(t->entries);
	free(t->room);
	memset(t, 0, sizeof *t);
}

/* ---- what entries point at ---- */

/* n bytes (n is at most a few entries' worth), aligned for uint64_t. */
static void *
keep(struct us_trail *t, size_t n)
{
	size_t need = (n + 7) & ~(size_t)7;
	struct us_trail_chunk *c = t->chunks;
	void *at;

	if (c == NULL || need > c->size - c->used) {
		size_t size = need > CHUNK_BYTES ? need : CHUNK_BYTES;

		c = malloc(sizeof *c + size);
		if (c == NULL)
			return NULL;
		*c = (struct us_trail_chunk){ .next = t->chunks, .size = size };
		t->chunks = c;
	}
	at = (uint8_t *)c->bytes + c->used;
	c->used += need;
	return at;
}

/* Most texts (a purpose, an address, a party) are those of an entry shortly before: where entries
 * are kept, they are kept once. */
static const char *
keep_text(struct us_trail *t, struct us_bytes text)
{
	uint32_t hash = 2166136261u;
	const char **recent;
	char *copy;

	if (text.n == 0)
		return "";
	for (size_t i = 0; i < text.n; i++)
		hash = (hash ^ text.p[i]) * 16777619u;
	recent = &t->recent[hash % US_TRAIL_RECENT];
	if (*recent != NULL && strlen(*recent) == text.n && memcmp(*recent, text.p, text.n) == 0)
		return *recent;
	copy = keep(t, text.n + 1);
	if (copy != NULL) {
		memcpy(copy, text.p, text.n);
		copy[text.n] = '\0';
		if (t->cap > 0)
			*recent = copy;
	}
	return copy;
}

/* ---- boxes ---- */

static int
take_access(struct us_trail *t, struct us_trail_entry *e, const struct us_entry_access *a)
{
	struct us_bytes *said;
	struct us_buf party;
	uint8_t *copy;
	int err = US_OK;

	e->kind = a->kind;
	e->action = a->action;
	e->decision = a->decision;
	e->reason = a->reason;
	e->person = a->person;
	e->collection = a->collection;
	e->rule = a->rule;
	e->told = a->told;
	e->related = a->related;
	e->sequence = a->sequence;
	memcpy(e->credential, a->credential, sizeof e->credential);
	us_buf_init(&party, US_ENTRY_ACCESS_MAX);
	for (size_t i = 0; err == US_OK && i < a->n_parties; i++) {
		err = us_buf_put(&party, ", ", i == 0 ? 0 : 2);
		if (err == US_OK)
			err = us_buf_put(&party, a->parties[i].p, a->parties[i].n);
	}
	e->party = keep_text(t, (struct us_bytes){ party.data, party.len });
	e->paragraph = keep_text(t, a->paragraph);
	us_buf_free(&party);
	if (err != US_OK || e->party == NULL || e->paragraph == NULL)
		return err != US_OK ? err : US_ERR_NOMEM;
	e->event = a->event;
	said = us_event_view(&e->event);
	if (said == NULL || said->n == 0)
		return US_OK;
	copy = keep(t, said->n);
	if (copy == NULL)
		return US_ERR_NOMEM;
	said->p = memcpy(copy, said->p, said->n);
	return US_OK;
}

static int
take_disclosure(struct us_trail *t, struct us_trail_entry *e, const struct us_entry_disclosure *d)
{
	static const uint64_t none;
	const size_t n = d->n_records * sizeof *d->records;
	uint64_t *records = n == 0 ? NULL : keep(t, n), shown = 0;

	e->recipient = keep_text(t, d->recipient);
	if ((n > 0 && records == NULL) || e->recipient == NULL)
		return US_ERR_NOMEM;
	e->records = n == 0 ? &none : memcpy(records, d->records, n);
	e->n_records = d->n_records;
	if ((e->opened & 1u << US_BOX_ACCESS) == 0)
		e->collection = d->collection;
	for (size_t i = 0; i < d->n_records; i++) /* what was shown is there */
		if (d->records[i] < US_BATES_RECORDS && d->records[i] >= shown)
			shown = d->records[i] + 1;
	us_names_add_records(&t->names, e->collection, shown);
	e->snapshot = d->snapshot;
	e->total = d->total;
	e->part = d->part;
	e->parts = d->parts;
	e->fewer = d->fewer;
	e->has_copy = d->has_copy;
	e->copy_id = d->copy_id;
	return US_OK;
}

/* Terms of refusals alone: of what was granted nobody asks for them. */
static int
take_asked(struct us_trail *t, struct us_trail_entry *e, const struct us_entry_query *q)
{
	const char **asked;

	if (e->decision != US_DECISION_DENY || q->n_terms == 0)
		return US_OK;
	asked = keep(t, q->n_terms * sizeof *asked);
	for (size_t i = 0; asked != NULL && i < q->n_terms; i++) {
		asked[i] = keep_text(t, q->terms[i]);
		if (asked[i] == NULL)
			return US_ERR_NOMEM;
	}
	e->asked = asked;
	e->n_asked = asked == NULL ? 0 : q->n_terms;
	return asked == NULL ? US_ERR_NOMEM : US_OK;
}

static int
take_query(struct us_trail *t, struct us_trail_entry *e, const struct us_entry_query *q)
{
	e->purpose = keep_text(t, q->purpose);
	e->address = keep_text(t, q->address);
	e->query = keep_text(t, q->query);
	return e->purpose == NULL || e->address == NULL || e->query == NULL ? US_ERR_NOMEM :
									      take_asked(t, e, q);
}

/* ---- acts ---- */

void
us_trail_set_acts(struct us_trail *t, struct us_bytes committed)
{
	t->committed = committed;
}

/* Takes the act that an entry of class STATE commits to, if there are acts and it is among them. */
static void
take_act(struct us_trail *t, const uint8_t commitment[32])
{
	struct us_bytes act;
	struct us_reader r;

	t->n_acts++;
	t->act = (struct us_bytes){ NULL, 0 };
	if (t->acts_err != US_OK || t->taken == t->committed.n)
		return;
	us_reader_init(&r, t->committed.p + t->taken, t->committed.n - t->taken);
	act = us_take_str32(&r, US_ACT_COMMITTED_MAX);
	t->acts_err = r.err;
	if (t->acts_err == US_OK)
		t->acts_err = us_state_take(&t->state, act);
	if (t->acts_err == US_OK)
		t->acts_err = us_state_check(&t->state, commitment);
	if (t->acts_err != US_OK)
		return;
	t->taken = t->committed.n - r.left;
	t->act = act;
}

int
us_trail_end_acts(const struct us_trail *t)
{
	struct us_reader r;

	if (t->acts_err != US_OK || !t->offline || t->taken == t->committed.n)
		return t
		    ->acts_err; /* what was done since a vault's log was fetched is no act of it */
	us_reader_init(&r, t->committed.p + t->taken, t->committed.n - t->taken);
	(void)us_take_str32(&r, US_ACT_COMMITTED_MAX);
	return r.err != US_OK ? r.err : US_ERR_VERIFY;
}

int
us_trail_has_acts(const struct us_trail *t)
{
	return t->state.n > 0 && t->state.n == t->n_acts && t->acts_err == US_OK;
}

int
us_trail_is_whole(const struct us_trail *t)
{
	return t->verified.verdict == US_VERDICT_OK && t->passed == t->verified.checkpoint.size &&
	    us_trail_has_acts(t);
}

/* The bytes of the entry's act; none: not there. */
static struct us_bytes
act_of(const struct us_trail *t, const struct us_trail_entry *e)
{
	if (t->act.n > 0 && e->sequence == t->n_acts)
		return t->act;
	return e->event.form == US_EVENT_ACT && e->event.act.act.n > 32 ?
	    e->event.act.act :
	    (struct us_bytes){ NULL, 0 };
}

int
us_trail_act(const struct us_trail *t, const struct us_trail_entry *e, struct us_trail_act *out)
{
	const struct us_bytes act = e->entry_class == US_CLASS_STATE ? act_of(t, e) :
								       (struct us_bytes){ NULL, 0 };

	if (e->sequence == US_ENTRY_NONE || act.n == 0 || t->room == NULL ||
	    us_committed_act_decode(&out->committed, &out->signed_act, act.p, act.n) != US_OK ||
	    us_act_decode(t->room, out->signed_act.type, out->signed_act.payload) != US_OK)
		return 0;
	out->act = t->room;
	return 1;
}

int
us_trail_registry(const struct us_trail *t, int64_t at_ns, struct us_registry **out)
{
	struct us_committed_act act;
	struct us_registry *reg;
	struct us_reader r;
	uint64_t i;
	int err = us_registry_new(&reg);

	*out = NULL;
	us_reader_init(&r, t->committed.p, t->taken);
	for (i = 0; err == US_OK && r.left > 0; i++) {
		const struct us_bytes bytes = us_take_str32(&r, US_ACT_COMMITTED_MAX);

		err = us_committed_act_decode(&act, NULL, bytes.p, bytes.n);
		/* without its first act a vault is nothing: before that everything was as it made
		 * it */
		if (err == US_OK && i > 0 && act.time_ns > at_ns)
			break;
		if (err == US_OK)
			err = us_registry_replay(reg, bytes, NULL);
	}
	/* what came behind the last one that is there may have been before that moment, too */
	if (err == US_OK && i == t->state.n && (i == 0 || i < t->n_acts))
		err = US_ERR_NOT_FOUND;
	if (err != US_OK) {
		us_registry_free(reg);
		return err;
	}
	(void)us_registry_at(reg, at_ns);
	*out = reg;
	return US_OK;
}

/* ---- names ---- */

/* The names that an entry's act gives. */
static int
take_names(struct us_trail *t, const struct us_trail_entry *e)
{
	const int logged = e->event.form == US_EVENT_ACT && e->event.act.act.n > 32;
	struct us_trail_act a;

	if ((e->action != US_ACTION_INIT && e->action != US_ACTION_PERSON_ADD &&
		e->action != US_ACTION_COLLECTION_CREATE && e->action != US_ACTION_BATCH_CLOSE &&
		e->action != US_ACTION_CREDENTIAL_ISSUE) ||
	    !us_trail_act(t, e, &a))
		return US_OK;
	return us_act_names(&t->names, a.signed_act.type, a.act, a.committed.result,
	    logged ? US_NAME_LOGGED : US_NAME_BESIDE);
}

static int
make_room(struct us_trail *t)
{
	if (t->room == NULL)
		t->room = calloc(1, sizeof *t->room);
	return t->room == NULL ? US_ERR_NOMEM : US_OK;
}

int
us_trail_names_ahead(struct us_trail *t)
{
	struct us_trail_act a;
	struct us_reader r;
	int err = make_room(t);

	a.act = t->room;
	us_reader_init(&r, t->committed.p, t->committed.n);
	while (err == US_OK && r.left > 0) {
		const struct us_bytes act = us_take_str32(&r, US_ACT_COMMITTED_MAX);

		if (r.err != US_OK)
			break; /* what is wrong with them the pass will say */
		if (us_committed_act_decode(&a.committed, &a.signed_act, act.p, act.n) == US_OK &&
		    us_act_decode(t->room, a.signed_act.type, a.signed_act.payload) == US_OK)
			err = us_act_names(&t->names, a.signed_act.type, a.act, a.committed.result,
			    US_NAME_LISTED);
	}
	return err;
}

/* ---- entries ---- */

static int
take(struct us_trail *t, struct us_trail_entry *e, const struct us_opened *opened)
{
	int err;

	if (make_room(t) != US_OK)
		return US_ERR_NOMEM;
	*e = (struct us_trail_entry){ .index = opened->view.index,
		.time_ns = opened->view.time_ns,
		.order_version = opened->view.order_version,
		.entry_class = opened->view.entry_class,
		.opened = (uint8_t)opened->open };
	t->passed++;
	err = take_access(t, e, &opened->access);
	us_names_saw_person(&t->names, opened->access.person);
	if (err == US_OK)
		err = us_names_add_parties(&t->names, opened->access.parties,
		    opened->access.n_parties);
	if (err == US_OK)
		err = take_disclosure(t, e, &opened->disclosure);
	if (err == US_OK)
		err = take_query(t, e, &opened->query);
	if (err != US_OK || opened->view.entry_class != US_CLASS_STATE)
		return err;
	take_act(t, opened->view.state);
	return take_names(t, e);
}

static const char *
copy_text(char **at, const char *text)
{
	const size_t n = strlen(text) + 1;
	const char *copy = memcpy(*at, text, n);

	*at += n;
	return copy;
}

struct us_trail_entry *
us_trail_entry_copy(const struct us_trail_entry *e)
{
	const size_t texts = strlen(e->paragraph) + strlen(e->party) + strlen(e->recipient) +
	    strlen(e->purpose) + strlen(e->address) + strlen(e->query) + 6;
	struct us_trail_entry *copy = malloc(
	    sizeof *copy + e->n_records * sizeof *e->records + texts);
	uint64_t *records;
	char *at;

	if (copy == NULL)
		return NULL;
	*copy = *e;
	records = (uint64_t *)(void *)(copy + 1);
	if (e->n_records > 0)
		memcpy(records, e->records, e->n_records * sizeof *records);
	copy->records = records;
	at = (char *)(records + e->n_records);
	copy->paragraph = copy_text(&at, e->paragraph);
	copy->party = copy_text(&at, e->party);
	copy->recipient = copy_text(&at, e->recipient);
	copy->purpose = copy_text(&at, e->purpose);
	copy->address = copy_text(&at, e->address);
	copy->query = copy_text(&at, e->query);
	copy->event = (struct us_event){ .form = US_EVENT_NONE };
	copy->asked = NULL;
	copy->n_asked = 0;
	return copy;
}

int
us_trail_next(struct us_trail *t, const struct us_opened *opened, const struct us_trail_entry **e)
{
	forget(t);
	*e = &t->entry;
	return take(t, &t->entry, opened);
}

int
us_trail_add(struct us_trail *t, const struct us_opened *opened)
{
	int err = us_grow(&t->entries, t->n, &t->cap, sizeof *t->entries);

	if (err == US_OK)
		err = take(t, &t->entries[t->n], opened);
	t->n += err == US_OK;
	return err;
}
