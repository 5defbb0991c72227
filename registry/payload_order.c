/* Payloads of the acts about the order and its docket: one taker and one putter a type, as listed
 * in act.h. */
#include "registry/payload.h"

#define RECORD_LAST ((UINT64_C(1) << 52) - 1)

/* ---- sets of records ---- */

int
us_selection_next(const struct us_selection *s, size_t *at, struct us_run *run)
{
	struct us_reader r;

	if (*at >= s->runs.n)
		return 0;
	us_reader_init(&r, s->runs.p + *at, s->runs.n - *at);
	const uint64_t first = run->first + run->count + us_take_varint(&r);
	const uint64_t count = us_take_varint(&r);
	if (r.err != US_OK)
		return 0;
	*at = s->runs.n - r.left;
	*run = (struct us_run){ first, count };
	return 1;
}

int
us_selection_pack(const uint64_t *records, size_t n, struct us_buf *out, uint32_t *n_runs)
{
	uint64_t end = 0;
	int err = US_OK;

	*n_runs = 0;
	for (size_t i = 0; i < n && err == US_OK;) {
		const uint64_t first = records[i];
		uint64_t count = 1;

		if (first < end || first > RECORD_LAST || (i > 0 && first == end))
			return US_ERR_FORMAT;
		while (++i < n && records[i] == first + count)
			count++;
		err = us_buf_put_varint(out, first - end);
		if (err == US_OK)
			err = us_buf_put_varint(out, count);
		end = first + count;
		if (++*n_runs > US_SELECTION_RUNS)
			return US_ERR_LIMIT;
	}
	return err;
}

/* Checks what us_selection_next() will trust: ascending, not touching, within the range of record
 * numbers. */
static void
take_runs(struct us_reader *r, struct us_selection *s)
{
	const uint8_t *start = r->p;
	uint64_t end = 0;

	s->n_runs = us_take_u32(r);
	if (s->n_runs == 0 || s->n_runs > US_SELECTION_RUNS)
		us_reader_fail(r, US_ERR_LIMIT);
	start = r->p;
	for (uint32_t i = 0; i < s->n_runs && r->err == US_OK; i++) {
		const uint64_t gap = us_take_varint(r), count = us_take_varint(r);

		if (r->err == US_OK &&
		    (gap > RECORD_LAST || count > RECORD_LAST ||
			end + gap + count > RECORD_LAST + 1))
			us_reader_fail(r, US_ERR_RANGE);
		if (r->err == US_OK && (count == 0 || (i > 0 && gap == 0)))
			us_reader_fail(r, US_ERR_FORMAT);
		end += gap + count;
	}
	if (r->err == US_OK)
		s->runs = (struct us_bytes){ start, (size_t)(r->p - start) };
	if (s->runs.n > US_SELECTION_BYTES)
		us_reader_fail(r, US_ERR_LIMIT);
}

static void
take_selection(struct us_reader *r, struct us_selection *s)
{
	s->collection = take_id(r);
	const unsigned by = us_take_u8(r);
	if (by != 1 && by != 2)
		us_reader_fail(r, US_ERR_RANGE);
	s->is_batch = by == 2;
	if (r->err != US_OK)
		return;
	if (s->is_batch)
		s->slot = take_slot(r);
	else
		take_runs(r, s);
}

static void
put_selection(struct us_registry_writer *w, const struct us_selection *s)
{
	put_u32(w, s->collection);
	put_u8(w, s->is_batch ? 2 : 1);
	if (s->is_batch) {
		put_u32(w, s->slot);
	} else {
		put_u32(w, s->n_runs);
		put_raw(w, s->runs.p, s->runs.n);
	}
}

/* ---- taking ---- */

static struct us_bytes
take_docket_id(struct us_reader *r)
{
	struct us_bytes id = us_take_str16(r, US_DOCKET_ID_MAX);

	if (r->err == US_OK && !us_id_ok(id, US_DOCKET_ID_MAX))
		us_reader_fail(r, US_ERR_ENCODING);
	return id;
}

static struct us_bytes
take_id_text(struct us_reader *r)
{
	struct us_bytes id = us_take_str16(r, US_ORDER_ID_MAX);

	if (r->err == US_OK && !us_id_ok(id, US_ORDER_ID_MAX))
		us_reader_fail(r, US_ERR_ENCODING);
	return id;
}

static int64_t
take_time(struct us_reader *r)
{
	const uint64_t t = us_take_u64(r);

	if (t > INT64_MAX)
		us_reader_fail(r, US_ERR_RANGE);
	return r->err == US_OK ? (int64_t)t : 0;
}

static void
take_document(struct us_reader *r, struct us_act_document *a)
{
	us_take_into(r, a->digest, 32);
	a->size = us_take_u64(r);
	a->name = take_text(r, US_DOCUMENT_NAME_MAX);
	a->part = us_take_u32(r);
	a->bytes = us_take_str32(r, US_DOCUMENT_PART);
	if (r->err == US_OK && (a->size == 0 || a->size > US_DOCUMENT_MAX))
		us_reader_fail(r, US_ERR_LIMIT);
	if (r->err != US_OK)
		return;
	const uint64_t at = (uint64_t)a->part * US_DOCUMENT_PART;
	const uint64_t left = at < a->size ? a->size - at : 0;
	if (left == 0 || a->bytes.n != (left < US_DOCUMENT_PART ? left : US_DOCUMENT_PART))
		us_reader_fail(r, US_ERR_RANGE);
}

static void
take_propose(struct us_reader *r, struct us_act_order_propose *a)
{
	a->source = us_take_str32(r, US_ORDER_SOURCE_MAX);
	a->compiled = us_take_str32(r, US_ORDER_COMPILED_MAX);
	us_take_into(r, a->instrument, 32);
	a->authority = take_text(r, US_AUTHORITY_TEXT_MAX);
	a->effective_ns = take_time(r);
	if (r->err == US_OK && (a->source.n == 0 || a->compiled.n == 0))
		us_reader_fail(r, US_ERR_FORMAT);
}

static void
take_docket(struct us_reader *r, enum us_act_type type, struct us_act_docket *a)
{
	a->docket_id = take_docket_id(r);
	if (type == US_ACT_DOCKET_OBJECT) {
		us_take_into(r, a->grounds, 32);
	} else if (type == US_ACT_DOCKET_RESOLVE) {
		const unsigned outcome = us_take_u8(r);
		if (outcome != US_OUTCOME_GRANTED && outcome != US_OUTCOME_DENIED)
			us_reader_fail(r, US_ERR_RANGE);
		a->outcome = outcome == US_OUTCOME_GRANTED ? US_OUTCOME_GRANTED : US_OUTCOME_DENIED;
		a->text = take_text(r, US_AUTHORITY_TEXT_MAX);
	} else if (type == US_ACT_DOCKET_WITHDRAW) {
		a->text = take_text(r, US_REASON_TEXT_MAX);
	} else {
		a->party = take_id_text(r);
		a->at_ns = take_time(r);
	}
}

static void
take_acknowledge(struct us_reader *r, struct us_act_acknowledge *a)
{
	a->version = take_id(r);
	us_take_into(r, a->source_digest, 32);
	us_take_into(r, a->instrument, 32);
	a->address = take_text(r, US_ADDRESS_TEXT_MAX);
	a->place = take_text(r, US_ADDRESS_TEXT_MAX);
	us_take_into(r, a->form, 32);
}

static void
take_records(struct us_reader *r, enum us_act_type type, struct us_act_records *a)
{
	take_selection(r, &a->selection);
	if (type == US_ACT_RELABEL) {
		a->designation = take_text(r, US_DESIGNATION_MAX);
		a->reason = take_text(r, US_REASON_TEXT_MAX);
		return;
	}
	us_take_into(r, a->document, 32);
	if (type == US_ACT_CLAWBACK)
		a->noticed_ns = take_time(r);
}

static void
take_freeze(struct us_reader *r, struct us_act_freeze *a)
{
	const unsigned scope = us_take_u8(r);

	if (scope < US_FREEZE_EVERYTHING || scope > US_FREEZE_RECORDS) {
		us_reader_fail(r, US_ERR_RANGE);
		return;
	}
	a->scope = (enum us_freeze_scope)scope;
	if (a->scope == US_FREEZE_PARTY)
		a->party = take_id_text(r);
	else if (a->scope == US_FREEZE_PERSON)
		a->person = take_id(r);
	else if (a->scope == US_FREEZE_COLLECTION)
		a->collection = take_id(r);
	else if (a->scope == US_FREEZE_RECORDS)
		take_selection(r, &a->selection);
	a->authority = take_text(r, US_AUTHORITY_TEXT_MAX);
}

static void
take_approval(struct us_reader *r, struct us_act_approval *a)
{
	const unsigned action = us_take_u8(r);

	if (action != US_ACTION_COUNT && action != US_ACTION_READ && action != US_ACTION_COPY) {
		us_reader_fail(r, US_ERR_RANGE);
		return;
	}
	a->action = (enum us_action)action;
	a->collection = take_id(r);
	a->purpose = take_text_or_empty(r, US_PURPOSE_MAX);
	/* a query is any text that the query language takes: checked there */
	a->query = us_take_str16(r, US_APPROVAL_QUERY_MAX);
	a->n = us_take_u32(r);
	if (a->n > US_COPY_RECORDS_MAX)
		us_reader_fail(r, US_ERR_LIMIT);
	if (r->err != US_OK)
		return;
	a->records = us_take(r, (size_t)a->n * 8);
	for (uint32_t i = 0; i < a->n && r->err == US_OK; i++)
		if (us_load_u64(a->records.p + (size_t)i * 8) > RECORD_LAST ||
		    (i > 0 &&
			us_load_u64(a->records.p + (size_t)(i - 1) * 8) >=
			    us_load_u64(a->records.p + (size_t)i * 8)))
			us_reader_fail(r, US_ERR_FORMAT);
	if (r->err == US_OK && (a->action == US_ACTION_COUNT) != (a->n == 0))
		us_reader_fail(r, US_ERR_FORMAT);
}

int
us_payload_order_take(struct us_reader *r, struct us_act *a)
{
	switch ((unsigned)a->type) {
	case US_ACT_DOCUMENT_ADD:
		take_document(r, &a->u.document);
		return 1;
	case US_ACT_ORDER_PROPOSE:
		take_propose(r, &a->u.order_propose);
		return 1;
	case US_ACT_ORDER_SUSPEND:
		a->u.order_suspend.version = take_id(r);
		a->u.order_suspend.authority = take_text(r, US_AUTHORITY_TEXT_MAX);
		return 1;
	case US_ACT_DOCKET_OBJECT:
	case US_ACT_DOCKET_RESOLVE:
	case US_ACT_DOCKET_WITHDRAW:
	case US_ACT_DOCKET_SERVE:
		take_docket(r, a->type, &a->u.docket);
		return 1;
	case US_ACT_ACKNOWLEDGE:
		take_acknowledge(r, &a->u.acknowledge);
		return 1;
	case US_ACT_CLEARANCE:
		a->u.clearance.clearance = take_id_text(r);
		a->u.clearance.person = take_id(r);
		us_take_into(r, a->u.clearance.statement, 32);
		return 1;
	case US_ACT_CHALLENGE:
	case US_ACT_RELABEL:
	case US_ACT_CLAWBACK:
		take_records(r, a->type, &a->u.records);
		return 1;
	case US_ACT_FREEZE:
		take_freeze(r, &a->u.freeze);
		return 1;
	case US_ACT_UNFREEZE:
		a->u.unfreeze.freeze = take_id(r);
		a->u.unfreeze.authority = take_text(r, US_AUTHORITY_TEXT_MAX);
		return 1;
	case US_ACT_APPROVAL_REQUEST:
		take_approval(r, &a->u.approval);
		return 1;
	case US_ACT_MATTER_SET:
		a->u.matter.state = take_id_text(r);
		a->u.matter.authority = take_text(r, US_AUTHORITY_TEXT_MAX);
		return 1;
	default:
		return 0;
	}
}

/* ---- putting ---- */

static void
put_docket(struct us_registry_writer *w, enum us_act_type type, const struct us_act_docket *a)
{
	put_s16(w, a->docket_id);
	if (type == US_ACT_DOCKET_OBJECT) {
		put_raw(w, a->grounds, 32);
	} else if (type == US_ACT_DOCKET_RESOLVE) {
		put_u8(w, (unsigned)a->outcome);
		put_s16(w, a->text);
	} else if (type == US_ACT_DOCKET_WITHDRAW) {
		put_s16(w, a->text);
	} else {
		put_s16(w, a->party);
		put_u64(w, (uint64_t)a->at_ns);
	}
}

static void
put_records(struct us_registry_writer *w, enum us_act_type type, const struct us_act_records *a)
{
	put_selection(w, &a->selection);
	if (type == US_ACT_RELABEL) {
		put_s16(w, a->designation);
		put_s16(w, a->reason);
		return;
	}
	put_raw(w, a->document, 32);
	if (type == US_ACT_CLAWBACK)
		put_u64(w, (uint64_t)a->noticed_ns);
}

static void
put_freeze(struct us_registry_writer *w, const struct us_act_freeze *a)
{
	put_u8(w, (unsigned)a->scope);
	if (a->scope == US_FREEZE_PARTY)
		put_s16(w, a->party);
	else if (a->scope == US_FREEZE_PERSON)
		put_u32(w, a->person);
	else if (a->scope == US_FREEZE_COLLECTION)
		put_u32(w, a->collection);
	else if (a->scope == US_FREEZE_RECORDS)
		put_selection(w, &a->selection);
	put_s16(w, a->authority);
}

static void
put_approval(struct us_registry_writer *w, const struct us_act_approval *a)
{
	put_u8(w, (unsigned)a->action);
	put_u32(w, a->collection);
	put_s16(w, a->purpose);
	put_s16(w, a->query);
	put_u32(w, a->n);
	if (a->n > US_COPY_RECORDS_MAX || a->records.n != (size_t)a->n * 8)
		put(w, US_ERR_LIMIT);
	else
		put_raw(w, a->records.p, a->records.n);
}

static void
put_document(struct us_registry_writer *w, const struct us_act_document *a)
{
	put_raw(w, a->digest, 32);
	put_u64(w, a->size);
	put_s16(w, a->name);
	put_u32(w, a->part);
	put_s32(w, a->bytes);
}

static void
put_acknowledge(struct us_registry_writer *w, const struct us_act_acknowledge *a)
{
	put_u32(w, a->version);
	put_raw(w, a->source_digest, 32);
	put_raw(w, a->instrument, 32);
	put_s16(w, a->address);
	put_s16(w, a->place);
	put_raw(w, a->form, 32);
}

int
us_payload_order_put(struct us_registry_writer *w, const struct us_act *a)
{
	switch ((unsigned)a->type) {
	case US_ACT_DOCUMENT_ADD:
		put_document(w, &a->u.document);
		return 1;
	case US_ACT_ORDER_PROPOSE:
		put_s32(w, a->u.order_propose.source);
		put_s32(w, a->u.order_propose.compiled);
		put_raw(w, a->u.order_propose.instrument, 32);
		put_s16(w, a->u.order_propose.authority);
		put_u64(w, (uint64_t)a->u.order_propose.effective_ns);
		return 1;
	case US_ACT_ORDER_SUSPEND:
		put_u32(w, a->u.order_suspend.version);
		put_s16(w, a->u.order_suspend.authority);
		return 1;
	case US_ACT_DOCKET_OBJECT:
	case US_ACT_DOCKET_RESOLVE:
	case US_ACT_DOCKET_WITHDRAW:
	case US_ACT_DOCKET_SERVE:
		put_docket(w, a->type, &a->u.docket);
		return 1;
	case US_ACT_ACKNOWLEDGE:
		put_acknowledge(w, &a->u.acknowledge);
		return 1;
	case US_ACT_CLEARANCE:
		put_s16(w, a->u.clearance.clearance);
		put_u32(w, a->u.clearance.person);
		put_raw(w, a->u.clearance.statement, 32);
		return 1;
	case US_ACT_CHALLENGE:
	case US_ACT_RELABEL:
	case US_ACT_CLAWBACK:
		put_records(w, a->type, &a->u.records);
		return 1;
	case US_ACT_FREEZE:
		put_freeze(w, &a->u.freeze);
		return 1;
	case US_ACT_UNFREEZE:
		put_u32(w, a->u.unfreeze.freeze);
		put_s16(w, a->u.unfreeze.authority);
		return 1;
	case US_ACT_APPROVAL_REQUEST:
		put_approval(w, &a->u.approval);
		return 1;
	case US_ACT_MATTER_SET:
		put_s16(w, a->u.matter.state);
		put_s16(w, a->u.matter.authority);
		return 1;
	default:
		return 0;
	}
}
