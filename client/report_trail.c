/* The log in memory, for reports: entries with what could be opened of them. */
#include <stdlib.h>
#include <string.h>

#include "log/state.h"
#include "client/report.h"
#include "base/err.h"
#include "registry/versions.h"

#define CHUNK_BYTES ((size_t)1 << 20)
#define LISTS_MAX 1048576 /* people or collections of one vault */

struct us_trail_chunk {
	struct us_trail_chunk *next;
	size_t used, size;
	uint64_t bytes[];
};

void
us_trail_init(struct us_trail *t)
{
	memset(t, 0, sizeof *t);
	t->act = calloc(1, sizeof *t->act);
	us_buf_init(&t->committed, 0);
}

void
us_trail_free(struct us_trail *t)
{
	while (t->chunks != NULL) {
		struct us_trail_chunk *next = t->chunks->next;

		us_wipe(t->chunks->bytes, t->chunks->used);
		free(t->chunks);
		t->chunks = next;
	}
	for (size_t i = 0; i < t->n_people; i++) {
		free(t->people[i].name);
		free(t->people[i].capacity);
	}
	for (size_t i = 0; i < t->n_collections; i++) {
		free(t->collections[i].name);
		free(t->collections[i].prefix);
	}
	free(t->people);
	free(t->collections);
	free(t->entries);
	free(t->acts);
	us_buf_free(&t->committed);
	free(t->act);
	memset(t, 0, sizeof *t);
}

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

/* Most texts (a purpose, an address, a party) are those of an entry shortly before: they are kept
 * once. */
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
		*recent = copy;
	}
	return copy;
}

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
	uint64_t *records = n == 0 ? NULL : keep(t, n);

	e->recipient = keep_text(t, d->recipient);
	if ((n > 0 && records == NULL) || e->recipient == NULL)
		return US_ERR_NOMEM;
	e->records = n == 0 ? &none : memcpy(records, d->records, n);
	e->n_records = d->n_records;
	if ((e->opened & 1u << US_BOX_ACCESS) == 0)
		e->collection = d->collection;
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

static int
note_act(struct us_trail *t, const uint8_t commitment[32])
{
	if (t->n_acts == t->acts_cap) {
		size_t cap = t->acts_cap == 0 ? 256 : t->acts_cap * 2;
		struct us_trail_state *more;

		if (cap > SIZE_MAX / sizeof *more ||
		    (more = realloc(t->acts, cap * sizeof *more)) == NULL)
			return US_ERR_NOMEM;
		t->acts = more;
		t->acts_cap = cap;
	}
	t->acts[t->n_acts] = (struct us_trail_state){ .place = t->n };
	memcpy(t->acts[t->n_acts++].commitment, commitment, 32);
	return US_OK;
}

int
us_trail_add(struct us_trail *t, const struct us_opened *opened)
{
	struct us_trail_entry *e;
	int err;

	if (t->n == t->cap) {
		size_t cap = t->cap == 0 ? 1024 : t->cap * 2;

		if (cap > SIZE_MAX / sizeof *e ||
		    (e = realloc(t->entries, cap * sizeof *e)) == NULL)
			return US_ERR_NOMEM;
		t->entries = e;
		t->cap = cap;
	}
	e = &t->entries[t->n];
	*e = (struct us_trail_entry){ .index = opened->view.index,
		.time_ns = opened->view.time_ns,
		.order_version = opened->view.order_version,
		.entry_class = opened->view.entry_class,
		.opened = (uint8_t)opened->open };
	err = take_access(t, e, &opened->access);
	if (err == US_OK)
		err = take_disclosure(t, e, &opened->disclosure);
	if (err == US_OK)
		err = take_query(t, e, &opened->query);
	if (err == US_OK && opened->view.entry_class == US_CLASS_STATE)
		err = note_act(t, opened->view.state);
	if (err == US_OK)
		t->n++;
	return err;
}

/* ---- acts ---- */

int
us_trail_take_acts(struct us_trail *t, struct us_buf *file)
{
	struct us_state state;
	struct us_reader r;
	size_t n = 0;
	int err = US_OK;

	us_state_init(&state);
	us_reader_init(&r, file->data, file->len);
	for (; err == US_OK && r.left > 0; n++) {
		const struct us_bytes act = us_take_str32(&r, US_STATE_ACT_MAX);

		err = r.err != US_OK ? r.err :
		    n == t->n_acts   ? US_ERR_VERIFY :
				       us_state_take(&state, act);
		if (err == US_OK)
			err = us_state_check(&state, t->acts[n].commitment);
		if (err == US_OK)
			t->acts[n].act = act;
	}
	if (err != US_OK) {
		for (size_t i = 0; i < t->n_acts; i++)
			t->acts[i].act = (struct us_bytes){ NULL, 0 };
		return err;
	}
	us_buf_free(&t->committed);
	t->committed = *file;
	t->n_committed = n;
	us_buf_init(file, 0);
	return US_OK;
}

/* The bytes of the entry's act; none: not there. */
static struct us_bytes
act_of(const struct us_trail *t, const struct us_trail_entry *e)
{
	if (e->sequence != US_ENTRY_NONE && e->sequence > 0 && e->sequence <= t->n_committed)
		return t->acts[e->sequence - 1].act;
	return e->event.form == US_EVENT_ACT && e->event.act.act.n > 32 ?
	    e->event.act.act :
	    (struct us_bytes){ NULL, 0 };
}

int
us_trail_act(const struct us_trail *t, const struct us_trail_entry *e, struct us_trail_act *out)
{
	const struct us_bytes act = e->entry_class == US_CLASS_STATE ? act_of(t, e) :
								       (struct us_bytes){ NULL, 0 };

	if (e->sequence == US_ENTRY_NONE || act.n == 0 || t->act == NULL ||
	    us_committed_act_decode(&out->committed, &out->signed_act, act.p, act.n) != US_OK ||
	    us_act_decode(t->act, out->signed_act.type, out->signed_act.payload) != US_OK)
		return 0;
	out->act = t->act;
	return 1;
}

int
us_trail_registry(const struct us_trail *t, int64_t at_ns, struct us_registry **out)
{
	struct us_committed_act act;
	struct us_registry *reg;
	int err = us_registry_new(&reg);
	size_t i;

	*out = NULL;
	for (i = 0; err == US_OK && i < t->n_committed; i++) {
		err = us_committed_act_decode(&act, NULL, t->acts[i].act.p, t->acts[i].act.n);
		/* without its first act a vault is nothing: before that everything was as it made
		 * it */
		if (err == US_OK && i > 0 && act.time_ns > at_ns)
			break;
		if (err == US_OK)
			err = us_registry_replay(reg, t->acts[i].act, NULL);
	}
	/* what came behind the last one that is there may have been before that moment, too */
	if (err == US_OK && i == t->n_committed && (i == 0 || i < t->n_acts))
		err = US_ERR_NOT_FOUND;
	if (err != US_OK) {
		us_registry_free(reg);
		return err;
	}
	(void)us_registry_at(reg, at_ns);
	*out = reg;
	return US_OK;
}

uint64_t
us_trail_result(const struct us_trail_act *a)
{
	const struct us_bytes r = a->committed.result;

	return r.n == 4 ? us_load_u32(r.p) : r.n == 8 ? us_load_u64(r.p) : 0;
}

/* ---- names ---- */

const struct us_trail_person *
us_trail_person(const struct us_trail *t, uint32_t person)
{
	for (size_t i = 0; i < t->n_people; i++)
		if (t->people[i].id == person)
			return &t->people[i];
	return NULL;
}

const char *
us_trail_person_name(const struct us_trail *t, uint32_t person, char out[32])
{
	const struct us_trail_person *p = us_trail_person(t, person);

	if (person == 0)
		return "";
	if (p != NULL)
		return p->name;
	(void)snprintf(out, 32, "person %u", (unsigned)person);
	return out;
}

const struct us_trail_collection *
us_trail_collection(const struct us_trail *t, uint32_t collection)
{
	for (size_t i = 0; i < t->n_collections; i++)
		if (t->collections[i].id == collection)
			return &t->collections[i];
	return NULL;
}

const struct us_trail_collection *
us_trail_collection_named(const struct us_trail *t, const char *name, size_t n)
{
	for (size_t i = 0; i < t->n_collections; i++)
		if (strlen(t->collections[i].name) == n &&
		    memcmp(t->collections[i].name, name, n) == 0)
			return &t->collections[i];
	return NULL;
}

static char *
text_of(struct us_bytes text)
{
	char *copy = malloc(text.n + 1);

	if (copy != NULL) {
		if (text.n > 0)
			memcpy(copy, text.p, text.n);
		copy[text.n] = '\0';
	}
	return copy;
}

static int
add_person(struct us_trail *t, uint32_t id, struct us_bytes name, const char *capacity,
    int from_log)
{
	struct us_trail_person *p;

	if (id == 0 || us_trail_person(t, id) != NULL)
		return US_OK;
	if (t->n_people >= LISTS_MAX ||
	    (p = realloc(t->people, (t->n_people + 1) * sizeof *p)) == NULL)
		return US_ERR_NOMEM;
	t->people = p;
	p += t->n_people++;
	*p = (struct us_trail_person){ .id = id,
		.name = text_of(name),
		.capacity = text_of(us_bytes_of(capacity == NULL ? "" : capacity)),
		.from_log = from_log };
	return p->name == NULL || p->capacity == NULL ? US_ERR_NOMEM : US_OK;
}

static int
add_collection(struct us_trail *t, uint32_t id, struct us_bytes name, struct us_bytes prefix,
    int from_log)
{
	struct us_trail_collection *c;

	if (id == 0 || us_trail_collection(t, id) != NULL)
		return US_OK;
	if (t->n_collections >= LISTS_MAX ||
	    (c = realloc(t->collections, (t->n_collections + 1) * sizeof *c)) == NULL)
		return US_ERR_NOMEM;
	t->collections = c;
	c += t->n_collections++;
	*c = (struct us_trail_collection){ .id = id,
		.name = text_of(name),
		.prefix = text_of(prefix),
		.from_log = from_log };
	return c->name == NULL || c->prefix == NULL ? US_ERR_NOMEM : US_OK;
}

/* The first people, whom the vault's making entered: numbered from 1 on. */
static int
names_of_init(struct us_trail *t, const struct us_act_init *init)
{
	int err = US_OK;

	for (size_t i = 0; err == US_OK && i < init->n_people; i++)
		err = add_person(t, (uint32_t)i + 1, init->people[i].name,
		    us_capacity_name(init->people[i].capacity), 1);
	return err;
}

static int
names_of_acts(struct us_trail *t)
{
	struct us_trail_act a;
	int err = US_OK;

	for (size_t i = 0; err == US_OK && i < t->n_acts; i++) {
		const struct us_trail_entry *e = &t->entries[t->acts[i].place];

		if ((e->action != US_ACTION_INIT && e->action != US_ACTION_PERSON_ADD &&
			e->action != US_ACTION_COLLECTION_CREATE) ||
		    !us_trail_act(t, e, &a))
			continue;
		if (a.signed_act.type == US_ACT_INIT)
			err = names_of_init(t, &a.act->u.init);
		else if (a.signed_act.type == US_ACT_PERSON_ADD)
			err = add_person(t, (uint32_t)us_trail_result(&a), a.act->u.person_add.name,
			    us_capacity_name(a.act->u.person_add.capacity), 1);
		else if (a.signed_act.type == US_ACT_COLLECTION_CREATE)
			err = add_collection(t, e->collection, a.act->u.collection.name,
			    a.act->u.collection.prefix, 1);
	}
	return err;
}

int
us_trail_names(struct us_trail *t, const cJSON *people, const cJSON *collections)
{
	const cJSON *item;
	int err = t->act == NULL ? US_ERR_NOMEM : names_of_acts(t);

	cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(people, "items"))
		if (err == US_OK)
			err = add_person(t, (uint32_t)us_json_number(item, "person", 0),
			    us_bytes_of(us_json_text(item, "name")), us_json_text(item, "capacity"),
			    0);
	cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(collections, "items"))
		if (err == US_OK)
			err = add_collection(t, (uint32_t)us_json_number(item, "collection", 0),
			    us_bytes_of(us_json_text(item, "name")),
			    us_bytes_of(us_json_text(item, "bates_prefix")), 0);
	return err;
}
