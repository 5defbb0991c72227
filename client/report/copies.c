/* Reports on copies: what left the vault, and what became of it. */
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "client/report/endings.h"
#include "client/report/kinds.h"
#include "base/base64.h"
#include "base/err.h"

/* A copy. Of one that is not asked for (its first entry is another person's, say) nothing is kept
 * but its id. */
struct us_client_report_copy {
	uint64_t id;
	int listed;
	char *party;
	cJSON *row; /* of the report on disclosures; what is known at the end is missing */
	struct us_ending_key answer;
	uint32_t collection;
	uint64_t *records;
	size_t n_records, room;
	enum us_copy_end end; /* 0: still out */
	uint8_t digest[32];
	int has_digest;
};

/* The disclosure ledger, from the log. */
struct us_client_copies {
	struct us_endings endings;
	struct us_client_report_copy *of;
	size_t n;
};

static struct us_client_report_copy *
copy_of(const struct us_client_copies *all, uint64_t id)
{
	for (size_t i = all->n; i-- > 0;)
		if (all->of[i].id == id)
			return &all->of[i];
	return NULL;
}

static struct us_client_report_copy *
add_copy(struct us_report *r, struct us_client_copies *all, const struct us_trail_entry *e)
{
	struct us_client_report_copy *c;

	all->of = us_report_room(all->of, all->n, sizeof *all->of);
	c = &all->of[all->n++];
	*c = (struct us_client_report_copy){ .id = e->copy_id,
		.listed = us_report_in_range(r, e) && us_report_is_whose(r, e),
		.answer = us_ending_key(e),
		.collection = e->collection };
	if (c->listed)
		c->party = us_report_copy(e->party);
	return c;
}

static void
add_records(struct us_client_report_copy *c, const struct us_trail_entry *e)
{
	if (us_grow_to(&c->records, c->n_records + e->n_records, &c->room, sizeof *c->records) !=
	    US_OK)
		us_give_up(US_EXIT_OTHER, "out of memory");
	if (e->n_records > 0)
		memcpy(c->records + c->n_records, e->records, e->n_records * sizeof *c->records);
	c->n_records += e->n_records;
}

static void
take_end(struct us_report *r, const struct us_trail_entry *e)
{
	struct us_client_copies *all = r->state;
	struct us_client_report_copy *c;
	struct us_trail_act a;

	if (!us_trail_act(r->trail, e, &a))
		return;
	if (a.signed_act.type == US_ACT_COPY_RETURN &&
	    (c = copy_of(all, a.act->u.copy_return.copy)) != NULL) {
		c->end = a.act->u.copy_return.how;
	} else if (a.signed_act.type == US_ACT_COPY_DIGEST &&
	    (c = copy_of(all, a.act->u.copy_digest.copy)) != NULL) {
		memcpy(c->digest, a.act->u.copy_digest.digest, sizeof c->digest);
		c->has_digest = 1;
	}
}

/* Takes the entry; the copy that it begins, or NULL. */
static struct us_client_report_copy *
take(struct us_report *r, const struct us_trail_entry *e)
{
	struct us_client_copies *all = r->state;
	struct us_client_report_copy *c = NULL, *new = NULL;

	us_endings_take(&all->endings, e);
	if (e->has_copy && e->kind == US_KIND_DISCLOSURE && e->decision == US_DECISION_ALLOW) {
		c = copy_of(all, e->copy_id);
		if (c == NULL)
			c = new = add_copy(r, all, e);
		if (c->listed)
			add_records(c, e);
	} else if (e->entry_class == US_CLASS_STATE)
		take_end(r, e);
	return new;
}

static void
drop(struct us_report *r)
{
	struct us_client_copies *all = r->state;

	for (size_t i = 0; i < all->n; i++) {
		free(all->of[i].party);
		free(all->of[i].records);
	}
	free(all->of);
	us_endings_free(&all->endings);
}

/* ---- disclosures ---- */

static const char *
status_of(const struct us_client_report_copy *c)
{
	return c->end == US_COPY_RETURNED ? "returned" :
	    c->end == US_COPY_DESTROYED   ? "destroyed" :
					    "out";
}

static void
disclosures_entry(struct us_report *r, const struct us_trail_entry *e)
{
	struct us_client_report_copy *c = take(r, e);
	const struct us_named_collection *collection;

	if (c == NULL || !c->listed)
		return;
	collection = us_names_find_collection(&r->trail->names, e->collection);
	c->row = us_report_entry_row(r, e);
	us_report_number(c->row, "copy", c->id);
	us_report_text(c->row, "recipient", e->recipient);
	us_report_text(c->row, "purpose", e->purpose);
	us_report_text(c->row, "collection", collection == NULL ? NULL : collection->name);
	us_report_text(c->row, "records", NULL);
	us_report_text(c->row, "bates", NULL);
	us_report_text(c->row, "paragraph", e->paragraph);
}

static void
finish(const struct us_report *r, struct us_client_copies *all, struct us_client_report_copy *c)
{
	char text[US_ENDING_TEXT], hex[65] = "";
	char *ranges = us_report_ranges(r->trail, c->collection, c->records, c->n_records);

	us_report_number(c->row, "records", c->n_records);
	us_report_text(c->row, "bates", ranges);
	free(ranges);
	us_ending_text(&all->endings, &c->answer, text);
	us_report_text(c->row, "left", text);
	us_report_text(c->row, "status", status_of(c));
	if (c->has_digest)
		us_hex_encode(c->digest, 32, hex);
	us_report_text(c->row, "sha256", hex);
}

static int
disclosures_end(struct us_report *r)
{
	struct us_client_copies *all = r->state;
	uint64_t n = 0, records = 0;

	for (size_t i = 0; i < all->n; i++) {
		if (!all->of[i].listed)
			continue;
		finish(r, all, &all->of[i]);
		n++;
		records += all->of[i].n_records;
	}
	us_report_number(r->summary, "copies", n);
	us_report_number(r->summary, "records in copies, counted each time", records);
	return US_EXIT_DONE;
}

const struct us_report_kind us_report_disclosures = {
	.name = "disclosures",
	.question = "What left the vault, to whom, and what for?",
	.options = "",
	.columns = US_ENTRY_COLUMNS
	"copy recipient purpose collection records bates left paragraph status sha256",
	.needs = US_NEEDS_ACCESS | US_NEEDS_RECORDS,
	.state = sizeof(struct us_client_copies),
	.entry = disclosures_entry,
	.end = disclosures_end,
	.drop = drop,
};

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
	if (us_grow_bare(all, *n, sizeof **all) != US_OK)
		us_give_up(US_EXIT_OTHER, "out of memory");
	p = &(*all)[(*n)++];
	*p = (struct us_client_party){ .name = name };
	us_buf_init(&p->still_out, SIZE_MAX / 2);
	return p;
}

static void
count_copy(struct us_client_party *p, const struct us_client_report_copy *c)
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

static void
disposition_entry(struct us_report *r, const struct us_trail_entry *e)
{
	(void)take(r, e);
}

static int
disposition_end(struct us_report *r)
{
	const struct us_client_copies *all = r->state;
	struct us_client_party *parties = NULL;
	uint64_t out = 0;
	size_t n = 0;

	for (size_t i = 0; i < all->n; i++)
		if (all->of[i].listed)
			count_copy(party_of(&parties, &n, all->of[i].party), &all->of[i]);
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
	us_report_number(r->summary, "copies still out", out);
	us_report_note(r,
	    "Parties are those of who made the copy; that it was returned or destroyed is what a "
	    "person signed.");
	return US_EXIT_DONE;
}

const struct us_report_kind us_report_disposition = {
	.name = "disposition",
	.question = "Which copies are still out, and with which party?",
	.options = "",
	.columns = "party copies records returned destroyed out copies_out",
	.needs = US_NEEDS_ACCESS | US_NEEDS_RECORDS,
	.state = sizeof(struct us_client_copies),
	.entry = disposition_entry,
	.end = disposition_end,
	.drop = drop,
};
