/* Reports on things: what left the vault and what became of it, and what the vault holds. */
#include <stdlib.h>
#include <string.h>

#include "client/report/endings.h"
#include "base/base64.h"
#include "base/err.h"

struct us_client_report_holdings_copy {
	uint64_t id;
	const struct us_trail_entry *first; /* of its disclosure entries */
	uint64_t *records;
	size_t n_records;
	enum us_copy_end end; /* 0: still out */
	uint64_t ended;       /* index of that entry */
	int64_t ended_ns;
	uint8_t digest[32];
	int has_digest;
};

struct us_client_copies {
	struct us_client_report_holdings_copy *of;
	size_t n;
};

static struct us_client_report_holdings_copy *
copy_of(const struct us_client_copies *all, uint64_t id)
{
	for (size_t i = all->n; i-- > 0;)
		if (all->of[i].id == id)
			return &all->of[i];
	return NULL;
}

static void
take_disclosure(struct us_client_copies *all, const struct us_trail_entry *e)
{
	struct us_client_report_holdings_copy *c = copy_of(all, e->copy_id);
	uint64_t *records;

	if (c == NULL) {
		c = realloc(all->of, (all->n + 1) * sizeof *c);
		if (c == NULL)
			us_give_up(US_EXIT_OTHER, "out of memory");
		all->of = c;
		c += all->n++;
		*c = (struct us_client_report_holdings_copy){ .id = e->copy_id, .first = e };
	}
	records = realloc(c->records, (c->n_records + e->n_records + 1) * sizeof *records);
	if (records == NULL)
		us_give_up(US_EXIT_OTHER, "out of memory");
	if (e->n_records > 0)
		memcpy(records + c->n_records, e->records, e->n_records * sizeof *records);
	c->records = records;
	c->n_records += e->n_records;
}

static void
take_end(const struct us_trail *t, struct us_client_copies *all, const struct us_trail_entry *e)
{
	struct us_trail_act a;
	struct us_client_report_holdings_copy *c;

	if (!us_trail_act(t, e, &a))
		return;
	if (a.signed_act.type == US_ACT_COPY_RETURN &&
	    (c = copy_of(all, a.act->u.copy_return.copy)) != NULL) {
		c->end = a.act->u.copy_return.how;
		c->ended = e->index;
		c->ended_ns = e->time_ns;
	} else if (a.signed_act.type == US_ACT_COPY_DIGEST &&
	    (c = copy_of(all, a.act->u.copy_digest.copy)) != NULL) {
		memcpy(c->digest, a.act->u.copy_digest.digest, sizeof c->digest);
		c->has_digest = 1;
	}
}

/* The disclosure ledger, from the log. */
static void
gather(const struct us_trail *t, struct us_client_copies *all)
{
	*all = (struct us_client_copies){ .of = NULL };
	for (size_t i = 0; i < t->n; i++) {
		const struct us_trail_entry *e = &t->entries[i];

		if (e->has_copy && e->kind == US_KIND_DISCLOSURE &&
		    e->decision == US_DECISION_ALLOW)
			take_disclosure(all, e);
		else if (e->entry_class == US_CLASS_STATE)
			take_end(t, all, e);
	}
}

static void
free_copies(struct us_client_copies *all)
{
	for (size_t i = 0; i < all->n; i++)
		free(all->of[i].records);
	free(all->of);
}

static const char *
status_of(const struct us_client_report_holdings_copy *c)
{
	return c->end == US_COPY_RETURNED ? "returned" :
	    c->end == US_COPY_DESTROYED   ? "destroyed" :
					    "out";
}

static void
put_hex(cJSON *row, const char *name, const uint8_t digest[32])
{
	char hex[65];

	us_hex_encode(digest, 32, hex);
	us_report_text(row, name, hex);
}

int
us_report_disclosures(struct us_report *r)
{
	struct us_endings *left = us_endings_of(r->trail);
	char text[US_ENDING_TEXT];
	struct us_client_copies all;
	uint64_t n = 0, records = 0;

	gather(r->trail, &all);
	for (size_t i = 0; i < all.n; i++) {
		const struct us_client_report_holdings_copy *c = &all.of[i];
		const struct us_trail_collection *collection = us_trail_collection(r->trail,
		    c->first->collection);
		char *ranges;
		cJSON *row;

		if (!us_report_in_range(r, c->first) || !us_report_is_whose(r, c->first))
			continue;
		row = us_report_entry_row(r, c->first);
		us_report_number(row, "copy", c->id);
		us_report_text(row, "recipient", c->first->recipient);
		us_report_text(row, "purpose", c->first->purpose);
		us_report_text(row, "collection", collection == NULL ? NULL : collection->name);
		us_report_number(row, "records", c->n_records);
		ranges = us_report_ranges(r->trail, c->first->collection, c->records, c->n_records);
		us_report_text(row, "bates", ranges);
		free(ranges);
		us_report_text(row, "paragraph", c->first->paragraph);
		us_ending_text(left, c->first, text);
		us_report_text(row, "left", text);
		us_report_text(row, "status", status_of(c));
		if (c->has_digest)
			put_hex(row, "sha256", c->digest);
		else
			us_report_text(row, "sha256", NULL);
		n++;
		records += c->n_records;
	}
	free_copies(&all);
	us_endings_free(left);
	us_report_number(r->summary, "copies", n);
	us_report_number(r->summary, "records in copies, counted each time", records);
	return US_EXIT_DONE;
}

/* ---- disposition ---- */

struct us_client_party {
	const char *name;
	uint64_t copies, records, returned, destroyed, out;
	struct us_buf still_out; /* ids */
};

static struct us_client_party *
party_of(struct us_client_party **all, size_t *n, const char *name)
{
	struct us_client_party *p;

	for (size_t i = 0; i < *n; i++)
		if (strcmp((*all)[i].name, name) == 0)
			return &(*all)[i];
	p = realloc(*all, (*n + 1) * sizeof *p);
	if (p == NULL)
		us_give_up(US_EXIT_OTHER, "out of memory");
	*all = p;
	p += (*n)++;
	*p = (struct us_client_party){ .name = name };
	us_buf_init(&p->still_out, SIZE_MAX / 2);
	return p;
}

static void
count_copy(struct us_client_party *p, const struct us_client_report_holdings_copy *c)
{
	p->copies++;
	p->records += c->n_records;
	p->returned += c->end == US_COPY_RETURNED;
	p->destroyed += c->end == US_COPY_DESTROYED;
	if (c->end != 0)
		return;
	p->out++;
	if (us_buf_putf(&p->still_out, "%s%llu", p->still_out.len == 0 ? "" : ", ",
		(unsigned long long)c->id) != US_OK)
		us_give_up(US_EXIT_OTHER, "out of memory");
}

int
us_report_disposition(struct us_report *r)
{
	struct us_client_party *parties = NULL;
	struct us_client_copies all;
	uint64_t out = 0;
	size_t n = 0;

	gather(r->trail, &all);
	for (size_t i = 0; i < all.n; i++)
		if (us_report_in_range(r, all.of[i].first) &&
		    us_report_is_whose(r, all.of[i].first))
			count_copy(party_of(&parties, &n, all.of[i].first->party), &all.of[i]);
	for (size_t i = 0; i < n; i++) {
		cJSON *row = us_report_row(r);

		us_report_text(row, "party", parties[i].name);
		us_report_number(row, "copies", parties[i].copies);
		us_report_number(row, "records", parties[i].records);
		us_report_number(row, "returned", parties[i].returned);
		us_report_number(row, "destroyed", parties[i].destroyed);
		us_report_number(row, "out", parties[i].out);
		us_report_text(row, "copies_out", us_buf_cstr(&parties[i].still_out));
		out += parties[i].out;
		us_buf_free(&parties[i].still_out);
	}
	free(parties);
	free_copies(&all);
	us_report_number(r->summary, "copies still out", out);
	us_report_note(r,
	    "Parties are those of who made the copy; that it was returned or destroyed is what a "
	    "person signed.");
	return US_EXIT_DONE;
}

/* ---- holdings ---- */

/* What became of a batch: a later act (behind the one at `from` in the list of acts) of the same
 * collection and slot. */
static const char *
fate_of(const struct us_report *r, size_t from, uint32_t collection, uint32_t slot, int held)
{
	const char *fate = held ? "held" : "admitted";
	struct us_trail_act a;

	for (size_t i = from + 1; i < r->trail->n_acts; i++) {
		const struct us_trail_entry *e = &r->trail->entries[r->trail->acts[i].place];

		if (e->action != US_ACTION_BATCH_RELEASE && e->action != US_ACTION_BATCH_WITHDRAW &&
		    e->action != US_ACTION_BATCH_VOID)
			continue;
		if (e->collection != collection || !us_trail_act(r->trail, e, &a))
			continue;
		if (a.signed_act.type == US_ACT_BATCH_VOID && a.act->u.batch_void.slot == slot)
			fate = "void";
		else if (a.signed_act.type == US_ACT_BATCH_RELEASE && a.act->u.batch.slot == slot)
			fate = "admitted";
		else if (a.signed_act.type == US_ACT_BATCH_WITHDRAW && a.act->u.batch.slot == slot)
			fate = "withdrawn";
	}
	return fate;
}

static void
list_batch(struct us_report *r, size_t at, const struct us_act_batch_close *batch)
{
	const struct us_trail_entry *e = &r->trail->entries[r->trail->acts[at].place];
	const struct us_trail_collection *c = us_trail_collection(r->trail, batch->collection);
	const uint64_t ends[2] = { batch->first, batch->first + batch->count - 1 };
	const uint32_t collection = batch->collection, slot = batch->slot;
	const int held = batch->held;
	char name[32], id[96], *first, *last, range[96];
	cJSON *row = us_report_row(r);

	us_report_number(row, "index", e->index);
	us_report_time(row, "time", e->time_ns);
	(void)snprintf(id, sizeof id, "%s/%u", c == NULL ? "?" : c->name, (unsigned)slot);
	us_report_text(row, "batch", id);
	us_report_text(row, "loaded_by", us_trail_person_name(r->trail, batch->loaded_by, name));
	us_report_number(row, "records", batch->count);
	first = us_report_ranges(r->trail, collection, &ends[0], 1);
	last = us_report_ranges(r->trail, collection, &ends[1], 1);
	(void)snprintf(range, sizeof range, "%s-%s", first, last);
	us_report_text(row, "bates", batch->count == 1 ? first : range);
	us_report_number(row, "duplicates", batch->duplicates);
	us_report_number(row, "refused", batch->refused);
	us_report_number(row, "bytes", batch->raw_bytes);
	put_hex(row, "manifest_root", batch->manifest_root);
	/* last: it decodes other acts */
	us_report_text(row, "status", fate_of(r, at, collection, slot, held));
	free(first);
	free(last);
}

int
us_report_holdings(struct us_report *r)
{
	uint64_t batches = 0, records = 0, duplicates = 0;
	struct us_trail_act a;

	for (size_t i = 0; i < r->trail->n_acts; i++) {
		const struct us_trail_entry *e = &r->trail->entries[r->trail->acts[i].place];

		if (e->action != US_ACTION_BATCH_CLOSE || !us_report_in_range(r, e) ||
		    !us_trail_act(r->trail, e, &a) || a.signed_act.type != US_ACT_BATCH_CLOSE)
			continue;
		batches++;
		records += a.act->u.batch_close.count;
		duplicates += a.act->u.batch_close.duplicates;
		list_batch(r, i, &a.act->u.batch_close);
	}
	us_report_number(r->summary, "batches", batches);
	us_report_number(r->summary, "records", records);
	us_report_number(r->summary, "duplicates left out", duplicates);
	us_report_note(r,
	    "Each record that is read is checked against its batch's manifest root; this report "
	    "compares none.");
	return US_EXIT_DONE;
}
