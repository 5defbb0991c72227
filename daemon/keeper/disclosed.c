/* "disclosed": how many people have had records of a clawback, and how often, from the ledger.
 * Numbers alone leave. */
#include <stdlib.h>

#include "base/err.h"
#include "daemon/keeper/internal.h"
#include "daemon/keeper/life.h"
#include "daemon/keeper/handlers.h"
#include "daemon/keeper/session.h"
#include "policy/usage.h"
#include "registry/docket.h"

#define CHUNK 65536u
#define HALVINGS_MAX 8192u /* questions to the ledger until "how many records" is given up */

struct us_keeper_count {
	struct us_keeper *k;
	uint32_t collection;
	uint8_t *seen; /* by person: 1 if they had any */
	uint32_t people;
	uint64_t records, views, copies;
	unsigned halvings;
	uint64_t *chunk;
	size_t n;      /* records in chunk */
	uint64_t most; /* of the last question: what the one account had that had most */
	int tally;     /* 1: people, views and copies are counted */
};

static int
found(void *ctx, const struct us_usage_seen *s)
{
	struct us_keeper_count *c = ctx;

	if (s->count > c->most)
		c->most = s->count;
	if (!c->tally)
		return US_OK;
	if (s->person <= us_registry_people(c->k->registry) && !c->seen[s->person]) {
		c->seen[s->person] = 1;
		c->people++;
	}
	if (s->kind == US_METER_COPY)
		c->copies += s->count;
	else
		c->views += s->count;
	return US_OK;
}

/* How many of these records anybody had: all that one account had, or none, or the sum of both
 * halves. */
static int
count_had(struct us_keeper_count *c, const uint64_t *records, size_t n)
{
	int err;

	if (n == 0 || c->records == US_ENTRY_NONE)
		return US_OK;
	c->most = 0;
	err = us_usage_who(c->k->usage, c->collection, records, n, found, c);
	if (err != US_OK || c->most == 0)
		return err;
	if (c->most == n) {
		c->records += n;
		return US_OK;
	}
	if (c->halvings++ == HALVINGS_MAX) {
		c->records = US_ENTRY_NONE;
		return US_OK;
	}
	c->tally = 0;
	err = count_had(c, records, n / 2);
	return err != US_OK ? err : count_had(c, records + n / 2, n - n / 2);
}

static int
count_chunk(struct us_keeper_count *c)
{
	int err;

	c->tally = 1; /* by the first question of each chunk, which is about all of it */
	if (c->records != US_ENTRY_NONE)
		err = count_had(c, c->chunk, c->n);
	else
		err = us_usage_who(c->k->usage, c->collection, c->chunk, c->n, found, c);
	c->n = 0;
	return err;
}

static int
count_set(struct us_keeper_count *c, const struct us_record_set *set)
{
	int err = US_OK;

	for (size_t i = 0; i < set->n && err == US_OK; i++) {
		for (uint64_t k = 0; k < set->runs[i].count && err == US_OK; k++) {
			c->chunk[c->n++] = set->runs[i].first + k;
			if (c->n == CHUNK)
				err = count_chunk(c);
		}
	}
	return err != US_OK || c->n == 0 ? err : count_chunk(c);
}

static int
count_filing(struct us_keeper *k, const struct us_filing *f, struct us_msg_disclosed_reply *r)
{
	struct us_keeper_count c = { .k = k, .collection = f->set->collection };
	int err = US_ERR_NOMEM;

	c.seen = calloc((size_t)us_registry_people(k->registry) + 1, 1);
	c.chunk = malloc(CHUNK * sizeof *c.chunk);
	if (c.seen != NULL && c.chunk != NULL)
		err = count_set(&c, f->set);
	free(c.seen);
	free(c.chunk);
	r->people = c.people;
	r->records = c.records;
	r->views = c.views;
	r->copies = c.copies;
	return err;
}

static const struct us_filing *
clawback_of(const struct us_keeper *k, uint32_t number)
{
	for (size_t i = 0; i < us_registry_filings(k->registry); i++) {
		const struct us_filing *f = us_registry_filing(k->registry, i);

		if (f->kind == US_FILING_CLAWBACK && f->number == number && f->set != NULL)
			return f;
	}
	return NULL;
}

int
us_on_disclosed(struct us_keeper *k, struct us_channel *ch, uint32_t tag, struct us_bytes body)
{
	struct us_msg_disclosed_reply r = { .reason = US_REASON_NONE };
	const struct us_person *person;
	const struct us_filing *f;
	struct us_msg_disclosed m;
	int err = us_msg_disclosed_decode(&m, body.p, body.n);

	if (err != US_OK)
		return err;
	if (us_keeper_state(k) != US_KEEPER_OPEN || k->usage == NULL) {
		r.err = US_ERR_SEALED;
		r.reason = US_REASON_SEALED;
		return us_send_disclosed_reply(ch, tag, &r);
	}
	r.reason = (uint8_t)us_keeper_session(k, m.session, m.credential, &person);
	f = clawback_of(k, m.clawback);
	if (r.reason != US_REASON_NONE) {
		r.err = US_ERR_DENIED;
	} else if (f == NULL) {
		r.err = US_ERR_NOT_FOUND;
		r.reason = US_REASON_NOT_FOUND;
	} else {
		err = count_filing(k, f, &r);
		r.err = (uint8_t)err;
		r.reason = err == US_OK ? US_REASON_NONE : US_REASON_ERROR;
	}
	return us_send_disclosed_reply(ch, tag, &r);
}
