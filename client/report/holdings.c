/* Report: what the vault holds. */
#include <stdlib.h>

#include "client/report/kinds.h"
#include "base/base64.h"

/* A batch that is listed; what becomes of it is told by later acts. */
struct us_client_report_batch {
	uint32_t collection, slot;
	cJSON *row;
};

struct us_client_holdings {
	struct us_client_report_batch *of;
	size_t n;
	uint64_t records, duplicates;
};

static cJSON *
list_batch(struct us_report *r, const struct us_trail_entry *e,
    const struct us_act_batch_close *batch)
{
	const struct us_named_collection *c = us_names_find_collection(&r->trail->names,
	    batch->collection);
	const uint64_t ends[2] = { batch->first, batch->first + batch->count - 1 };
	char name[32], id[96], *first, *last, range[96], hex[65];
	cJSON *row = us_report_row(r);

	us_report_number(row, "index", e->index);
	us_report_time(row, "time", e->time_ns);
	(void)snprintf(id, sizeof id, "%s/%u", c == NULL ? "?" : c->name, (unsigned)batch->slot);
	us_report_text(row, "batch", id);
	us_report_text(row, "loaded_by", us_names_person(&r->trail->names, batch->loaded_by, name));
	us_report_number(row, "records", batch->count);
	first = us_report_ranges(r->trail, batch->collection, &ends[0], 1);
	last = us_report_ranges(r->trail, batch->collection, &ends[1], 1);
	(void)snprintf(range, sizeof range, "%s-%s", first, last);
	us_report_text(row, "bates", batch->count == 1 ? first : range);
	us_report_number(row, "duplicates", batch->duplicates);
	us_report_number(row, "refused", batch->refused);
	us_report_number(row, "bytes", batch->raw_bytes);
	us_hex_encode(batch->manifest_root, 32, hex);
	us_report_text(row, "manifest_root", hex);
	us_report_text(row, "status", batch->held ? "held" : "admitted");
	free(first);
	free(last);
	return row;
}

static void
take_fate(struct us_client_holdings *s, uint32_t collection, uint32_t slot, const char *fate)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->of[i].collection == collection && s->of[i].slot == slot)
			us_report_text(s->of[i].row, "status", fate);
}

static void
entry(struct us_report *r, const struct us_trail_entry *e)
{
	struct us_client_holdings *s = r->state;
	const struct us_act_batch_close *batch;
	struct us_trail_act a;

	if ((e->action != US_ACTION_BATCH_CLOSE && e->action != US_ACTION_BATCH_RELEASE &&
		e->action != US_ACTION_BATCH_WITHDRAW && e->action != US_ACTION_BATCH_VOID) ||
	    !us_trail_act(r->trail, e, &a))
		return;
	if (e->action != US_ACTION_BATCH_CLOSE) {
		if (a.signed_act.type == US_ACT_BATCH_VOID)
			take_fate(s, e->collection, a.act->u.batch_void.slot, "void");
		else if (a.signed_act.type == US_ACT_BATCH_RELEASE)
			take_fate(s, e->collection, a.act->u.batch.slot, "admitted");
		else if (a.signed_act.type == US_ACT_BATCH_WITHDRAW)
			take_fate(s, e->collection, a.act->u.batch.slot, "withdrawn");
		return;
	}
	if (a.signed_act.type != US_ACT_BATCH_CLOSE || !us_report_in_range(r, e))
		return;
	batch = &a.act->u.batch_close;
	s->records += batch->count;
	s->duplicates += batch->duplicates;
	s->of = us_report_room(s->of, s->n, sizeof *s->of);
	s->of[s->n++] = (struct us_client_report_batch){ batch->collection, batch->slot,
		list_batch(r, e, batch) };
}

static int
end(struct us_report *r)
{
	const struct us_client_holdings *s = r->state;

	us_report_number(r->summary, "batches", s->n);
	us_report_number(r->summary, "records", s->records);
	us_report_number(r->summary, "duplicates left out", s->duplicates);
	us_report_note(r,
	    "Each record that is read is checked against its batch's manifest root; this report "
	    "compares none.");
	return US_EXIT_DONE;
}

static void
drop(struct us_report *r)
{
	free(((struct us_client_holdings *)r->state)->of);
}

const struct us_report_kind us_report_holdings = {
	.name = "holdings",
	.question = "What does the vault hold, and by which manifest roots?",
	.options = "",
	.columns = "index time batch loaded_by records bates duplicates refused bytes "
		   "manifest_root status",
	.needs = US_NEEDS_ACCESS,
	.state = sizeof(struct us_client_holdings),
	.entry = entry,
	.end = end,
	.drop = drop,
};
