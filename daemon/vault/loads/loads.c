#include "daemon/vault/loads/loads.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/err.h"
#include "base/log.h"
#include "crypto/crypto.h"
#include "daemon/vault/request/engine.h"
#include "daemon/vault/state/acts.h"
#include "daemon/vault/state/start.h"
#include "daemon/vault/state/state.h"

struct us_vault_load {
	struct us_vault_load_facts facts;
	struct us_vault_load *next;
	int started;                     /* the sealer knows it */
	struct us_vault_load_wait *wait; /* who waits for that, or for its end; NULL: nobody */
};

struct us_vault_loads {
	struct us_vault *vault;
	struct us_channel *sealer;
	struct us_vault_load *first;
	struct us_vault_load *asked; /* whose entry is being written: each its request's */
};

/* --- the list --------------------------------------------------------------------------------- */

int
us_vault_loads_new(struct us_vault_loads **out, struct us_vault *v)
{
	*out = calloc(1, sizeof **out);
	if (*out == NULL)
		return US_ERR_NOMEM;
	(*out)->vault = v;
	return US_OK;
}

void
us_vault_loads_free(struct us_vault_loads *s)
{
	if (s == NULL)
		return;
	while (s->first != NULL)
		us_vault_load_free(s, s->first);
	free(s);
}

int
us_vault_load_new(struct us_vault_loads *s, const struct us_vault_load_facts *facts,
    struct us_vault_load **out)
{
	struct us_vault_load *l = calloc(1, sizeof *l);
	int err = US_ERR_NOMEM;

	*out = NULL;
	if (l != NULL) {
		l->facts = *facts;
		err = us_random(&l->facts.id, sizeof l->facts.id);
	}
	if (err != US_OK) {
		free(l);
		return err;
	}
	l->facts.id = (l->facts.id & UINT64_C(0xffffffffffff)) | 1;
	l->next = s->asked;
	s->asked = l;
	*out = l;
	return US_OK;
}

static void
take_out(struct us_vault_load **at, const struct us_vault_load *l)
{
	while (*at != NULL && *at != l)
		at = &(*at)->next;
	if (*at == l)
		*at = l->next;
}

void
us_vault_load_free(struct us_vault_loads *s, struct us_vault_load *l)
{
	if (l == NULL)
		return;
	take_out(&s->first, l);
	take_out(&s->asked, l);
	for (size_t i = 0; i < l->facts.n_stored; i++)
		us_buf_free(&l->facts.stored[i].committed);
	free(l->facts.stored);
	free(l);
}

void
us_vault_load_list(struct us_vault_loads *s, struct us_vault_load *l, uint64_t entry)
{
	take_out(&s->asked, l);
	l->facts.entry = entry;
	l->next = s->first;
	s->first = l;
}

struct us_vault_load *
us_vault_load_find(struct us_vault_loads *s, uint64_t id)
{
	struct us_vault_load *l = s->first;

	while (l != NULL && l->facts.id != id)
		l = l->next;
	return l;
}

size_t
us_vault_loads_count(const struct us_vault_loads *s, uint32_t person, size_t *own)
{
	const struct us_vault_load *const lists[] = { s->first, s->asked };
	size_t n = 0;

	*own = 0;
	for (size_t i = 0; i < US_COUNT(lists); i++) {
		for (const struct us_vault_load *l = lists[i]; l != NULL; l = l->next) {
			n++;
			*own += l->facts.person == person;
		}
	}
	return n;
}

const struct us_vault_load_facts *
us_vault_load_facts(const struct us_vault_load *l)
{
	return &l->facts;
}

int
us_vault_load_is_free(const struct us_vault_load *l)
{
	return l->wait == NULL && l->started;
}

int
us_vault_load_note_batch(struct us_vault_load *l, uint32_t slot,
    const struct us_vault_act_result *result)
{
	struct us_vault_load_facts *f = &l->facts;
	struct us_vault_load_batch *b;

	if (us_grow_bare(&f->stored, f->n_stored, sizeof *f->stored) != US_OK)
		return US_ERR_NOMEM;
	b = &f->stored[f->n_stored];
	*b = (struct us_vault_load_batch){ .slot = slot, .entry = result->entry };
	memcpy(b->before, result->before, sizeof b->before);
	us_buf_init(&b->committed, US_ACT_COMMITTED_MAX);
	if (us_buf_put(&b->committed, result->committed.p, result->committed.n) != US_OK)
		return US_ERR_NOMEM;
	f->n_stored++;
	return US_OK;
}

/* --- who waits -------------------------------------------------------------------------------- */

void
us_vault_load_wait(struct us_vault_load *l, struct us_vault_load_wait *w,
    struct us_vault_request *r)
{
	*w = (struct us_vault_load_wait){ .load = l, .r = r };
	l->wait = w;
}

void
us_vault_load_wait_end(struct us_vault_load_wait *w)
{
	if (w->load != NULL)
		w->load->wait = NULL;
	w->load = NULL;
}

/* Goes on with whoever waits, if somebody does. */
static void
tell_waiting(struct us_vault_load *l, int err, const struct us_msg_load_ended *ended)
{
	struct us_vault_load_wait *w = l->wait;

	if (w == NULL)
		return;
	us_vault_load_wait_end(w);
	w->err = err;
	w->ended = ended;
	w->facts = &l->facts;
	us_vault_resume(w->r, US_VAULT_GO_ON);
}

int
us_vault_loads_started(struct us_vault_loads *s, struct us_bytes body)
{
	struct us_msg_load_started m;
	struct us_vault_load *l;
	int err = us_msg_load_started_decode(&m, body.p, body.n);

	if (err != US_OK)
		return err;
	l = us_vault_load_find(s, m.load);
	if (l == NULL)
		return US_OK;
	l->started = 1;
	tell_waiting(l, m.err, NULL);
	if (m.err != US_OK)
		us_vault_load_free(s, l);
	return US_OK;
}

/* Pages of batches that were given up go when nobody loads into the collection any more. */
static void
tidy_after(struct us_vault_loads *s, const struct us_vault_load *ended)
{
	struct us_vault *v = s->vault;
	const struct us_vault_load *l;

	for (l = s->first; l != NULL; l = l->next)
		if (l != ended && l->facts.collection == ended->facts.collection)
			return;
	if (us_vault_is_open(v->state) && us_vault_acts_are_idle(v->acts) &&
	    us_vault_start_tidy(v, ended->facts.collection) != US_OK)
		us_log(US_LOG_WARNING, "unused pages stay until the next start");
}

int
us_vault_loads_ended(struct us_vault_loads *s, struct us_bytes body)
{
	struct us_msg_load_ended m;
	struct us_vault_load *l;
	int err = us_msg_load_ended_decode(&m, body.p, body.n);

	if (err != US_OK)
		return err;
	l = us_vault_load_find(s, m.load);
	if (l == NULL)
		return US_OK;
	tell_waiting(l, m.err, &m);
	tidy_after(s, l);
	us_vault_load_free(s, l);
	return US_OK;
}

/* --- the sealer ------------------------------------------------------------------------------- */

void
us_vault_loads_connect(struct us_vault_loads *s, struct us_channel *sealer)
{
	s->sealer = sealer;
	if (sealer != NULL)
		return;
	while (s->first != NULL) {
		tell_waiting(s->first, US_ERR_CLOSED, NULL);
		us_vault_load_free(s, s->first);
	}
}

struct us_channel *
us_vault_loads_sealer(const struct us_vault_loads *s)
{
	return s->sealer;
}
