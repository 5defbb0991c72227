/* The contents of the boxes: see entry.h for the bytes. */
#include "log/entry.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"

#define VERSION 1
#define ACCESS_VERSION 2     /* 1 had no flags */
#define DISCLOSURE_VERSION 2 /* 1 named no collection */
#define FLAG_COPY 0x01
#define FLAG_BATCH 0x02
#define FLAG_FEWER 0x04

void
us_entry_access_init(struct us_entry_access *a)
{
	memset(a, 0, sizeof *a);
	a->kind = US_KIND_INTENT;
	a->related = US_ENTRY_NONE;
	a->sequence = US_ENTRY_NONE;
}

void
us_entry_disclosure_init(struct us_entry_disclosure *d)
{
	memset(d, 0, sizeof *d);
	d->parts = 1;
}

void
us_entry_query_init(struct us_entry_query *q)
{
	memset(q, 0, sizeof *q);
	q->parts = 1;
}

/* Keeps the first error of a row of appends. */
static void
then(int *err, int next)
{
	if (*err == US_OK)
		*err = next;
}

static struct us_event_place
place_of(const struct us_entry_access *a)
{
	return (struct us_event_place){ .kind = a->kind,
		.action = a->action,
		.decision = a->decision,
		.has_act = a->sequence != US_ENTRY_NONE };
}

static int
put_summary(struct us_buf *out, const struct us_entry_access *a)
{
	const struct us_event_place place = place_of(a);
	const size_t n = us_event_size(&a->event);
	int err = n > UINT16_MAX ? US_ERR_LIMIT : us_buf_put_u16(out, (uint16_t)n);

	return err != US_OK ? err : us_event_encode(out, &place, &a->event);
}

static int
put_parties(struct us_buf *out, const struct us_entry_access *a)
{
	int err = us_buf_put_u8(out, (uint8_t)a->n_parties);

	for (size_t i = 0; i < a->n_parties; i++)
		then(&err, us_buf_put_str16(out, a->parties[i].p, a->parties[i].n));
	return err;
}

static void
take_parties(struct us_reader *r, struct us_entry_access *a)
{
	const uint8_t n = us_take_u8(r);

	if (n > US_PERSON_PARTIES)
		us_reader_fail(r, US_ERR_LIMIT);
	else
		a->n_parties = n;
	for (size_t i = 0; i < a->n_parties; i++)
		a->parties[i] = us_take_str16(r, UINT16_MAX);
}

/* How each type of US_ENTRY_ACCESS_FIELDS is written, read, and checked. */
#define PUT_FLAG PUT_KIND
#define PUT_KIND(m) us_buf_put_u8(out, (uint8_t)a->m)
#define PUT_ACTION PUT_KIND
#define PUT_DECISION PUT_KIND
#define PUT_REASON PUT_KIND
#define PUT_U32(m) us_buf_put_u32(out, a->m)
#define PUT_U64(m) us_buf_put_u64(out, a->m)
#define PUT_FIXED(m) us_buf_put(out, a->m, sizeof a->m)
#define PUT_STR16(m) us_buf_put_str16(out, a->m.p, a->m.n)
#define PUT_PARTIES(m) put_parties(out, a)

#define TAKE_FLAG(m) a.m = version == 1 ? 0 : us_take_u8(&r)
#define TAKE_KIND(m) a.m = (enum us_kind)us_take_u8(&r)
#define TAKE_ACTION(m) a.m = (enum us_action)us_take_u8(&r)
#define TAKE_DECISION(m) a.m = (enum us_decision)us_take_u8(&r)
#define TAKE_REASON(m) a.m = (enum us_reason)us_take_u8(&r)
#define TAKE_U32(m) a.m = us_take_u32(&r)
#define TAKE_U64(m) a.m = us_take_u64(&r)
#define TAKE_FIXED(m) us_take_into(&r, a.m, sizeof a.m)
#define TAKE_STR16(m) a.m = us_take_str16(&r, UINT16_MAX)
#define TAKE_PARTIES(m) take_parties(&r, &a)

#define HAS_FLAG(m) (a->m == 0 || a->m == 1)
#define HAS_KIND(m) us_kind_name((unsigned)a->m) != NULL
#define HAS_ACTION(m) us_action_name((unsigned)a->m) != NULL
#define HAS_DECISION(m) us_decision_name((unsigned)a->m) != NULL
#define HAS_REASON(m) us_reason_name((unsigned)a->m) != NULL
#define HAS_U32(m) 1
#define HAS_U64 HAS_U32
#define HAS_FIXED HAS_U32
#define HAS_STR16 HAS_U32
#define HAS_PARTIES(m) a->n_parties <= US_PERSON_PARTIES

/* 1 if every member that is of a closed set is in it. */
static int
is_known(const struct us_entry_access *a)
{
#define F(type, member) HAS_##type(member) &&
	return US_ENTRY_ACCESS_FIELDS(F) 1;
#undef F
}

int
us_entry_access_encode(struct us_buf *out, const struct us_entry_access *a)
{
	size_t before = out->len;
	int err;

	if (!is_known(a))
		return US_ERR_ARG;
	err = us_buf_put_u8(out, ACCESS_VERSION);
#define F(type, member) then(&err, PUT_##type(member));
	US_ENTRY_ACCESS_FIELDS(F)
#undef F
	if (err == US_OK)
		err = put_summary(out, a);
	if (err != US_OK)
		out->len = before;
	return err;
}

int
us_entry_access_decode(struct us_entry_access *out, const void *content, size_t n)
{
	struct us_entry_access a;
	struct us_reader r;
	struct us_event_place place;
	struct us_bytes summary;
	unsigned version;
	int err;

	memset(&a, 0, sizeof a);
	if (n == 0)
		return US_ERR_NOT_FOUND;
	us_reader_init(&r, content, n);
	version = us_take_u8(&r);
#define F(type, member) TAKE_##type(member);
	US_ENTRY_ACCESS_FIELDS(F)
#undef F
	summary = us_take_str16(&r, UINT16_MAX);
	err = us_reader_end(&r);
	if (err != US_OK)
		return err;
	if (version != 1 && version != ACCESS_VERSION)
		return US_ERR_FORMAT;
	if (!is_known(&a))
		return US_ERR_RANGE;
	place = place_of(&a);
	us_event_decode(&a.event, &place, summary);
	*out = a;
	return US_OK;
}

/* Record numbers are below 2^63, so a difference fits; zigzag keeps any order cheap. */
static uint64_t
zigzag(uint64_t from, uint64_t to)
{
	return to >= from ? (to - from) << 1 : ((from - to) << 1) - 1;
}

static int
put_records(struct us_buf *out, const struct us_entry_disclosure *d)
{
	uint64_t last = 0;
	size_t i;
	int err;

	err = us_buf_put_u32(out, (uint32_t)d->n_records);
	for (i = 0; err == US_OK && i < d->n_records; i++) {
		if (d->records[i] > INT64_MAX)
			return US_ERR_RANGE;
		err = us_buf_put_varint(out, zigzag(last, d->records[i]));
		last = d->records[i];
	}
	return err;
}

static int
take_records(struct us_reader *r, struct us_entry_disclosure *d)
{
	uint64_t last = 0, z, gap;
	size_t i, n = us_take_u32(r);

	if (r->err != US_OK)
		return r->err;
	if (n > r->left)
		return US_ERR_TRUNCATED;
	if (n == 0)
		return US_OK;
	d->owned = malloc(n * sizeof *d->owned);
	if (d->owned == NULL)
		return US_ERR_NOMEM;
	for (i = 0; i < n; i++) {
		z = us_take_varint(r);
		if (r->err != US_OK)
			return r->err;
		gap = (z >> 1) + (z & 1);
		if ((z & 1) ? gap > last : gap > INT64_MAX - last)
			return US_ERR_RANGE;
		last = (z & 1) ? last - gap : last + gap;
		d->owned[i] = last;
	}
	d->records = d->owned;
	d->n_records = n;
	return US_OK;
}

int
us_entry_disclosure_encode(struct us_buf *out, const struct us_entry_disclosure *d)
{
	size_t before = out->len;
	int err = US_OK;

	if (d->parts == 0 || d->part >= d->parts || d->n_records > UINT32_MAX)
		return US_ERR_ARG;
	then(&err, us_buf_put_u8(out, DISCLOSURE_VERSION));
	then(&err,
	    us_buf_put_u8(out,
		(uint8_t)((d->has_copy ? FLAG_COPY : 0) | (d->has_batch ? FLAG_BATCH : 0) |
		    (d->fewer ? FLAG_FEWER : 0))));
	then(&err, us_buf_put_u32(out, d->collection));
	then(&err, us_buf_put_u64(out, d->snapshot));
	then(&err, us_buf_put_u64(out, d->total));
	then(&err, us_buf_put_u32(out, d->part));
	then(&err, us_buf_put_u32(out, d->parts));
	if (err == US_OK)
		err = put_records(out, d);
	if (d->has_copy) {
		then(&err, us_buf_put_u64(out, d->copy_id));
		then(&err, us_buf_put_str16(out, d->recipient.p, d->recipient.n));
	}
	if (d->has_batch) {
		then(&err, us_buf_put_u32(out, d->slot));
		then(&err, us_buf_put_u64(out, d->first));
		then(&err, us_buf_put_u32(out, d->count));
		then(&err, us_buf_put(out, d->manifest_root.b, US_HASH_LEN));
	}
	if (err != US_OK)
		out->len = before;
	return err;
}

int
us_entry_disclosure_decode(struct us_entry_disclosure *out, const void *content, size_t n)
{
	struct us_entry_disclosure d;
	struct us_reader r;
	unsigned version, flags;
	int err;

	memset(&d, 0, sizeof d);
	*out = d;
	if (n == 0)
		return US_ERR_NOT_FOUND;
	us_reader_init(&r, content, n);
	version = us_take_u8(&r);
	flags = us_take_u8(&r);
	if (version == DISCLOSURE_VERSION)
		d.collection = us_take_u32(&r);
	d.snapshot = us_take_u64(&r);
	d.total = us_take_u64(&r);
	d.part = us_take_u32(&r);
	d.parts = us_take_u32(&r);
	if (r.err != US_OK)
		return r.err;
	if ((version != VERSION && version != DISCLOSURE_VERSION) ||
	    (flags & ~(unsigned)(FLAG_COPY | FLAG_BATCH | FLAG_FEWER)) != 0)
		return US_ERR_FORMAT;
	if (d.parts == 0 || d.part >= d.parts)
		return US_ERR_RANGE;
	d.fewer = (flags & FLAG_FEWER) != 0;
	err = take_records(&r, &d);
	if (err == US_OK && (flags & FLAG_COPY)) {
		d.has_copy = 1;
		d.copy_id = us_take_u64(&r);
		d.recipient = us_take_str16(&r, UINT16_MAX);
	}
	if (err == US_OK && (flags & FLAG_BATCH)) {
		d.has_batch = 1;
		d.slot = us_take_u32(&r);
		d.first = us_take_u64(&r);
		d.count = us_take_u32(&r);
		us_take_into(&r, d.manifest_root.b, US_HASH_LEN);
	}
	if (err == US_OK)
		err = us_reader_end(&r);
	if (err != US_OK) {
		us_entry_disclosure_free(&d);
		return err;
	}
	*out = d;
	return US_OK;
}

void
us_entry_disclosure_free(struct us_entry_disclosure *d)
{
	if (d->owned != NULL)
		us_wipe(d->owned, d->n_records * sizeof *d->owned);
	free(d->owned);
	d->owned = NULL;
	d->records = NULL;
	d->n_records = 0;
}

int
us_entry_query_encode(struct us_buf *out, const struct us_entry_query *q)
{
	size_t before = out->len, i;
	int err = US_OK;

	if (q->parts == 0 || q->part >= q->parts || q->n_terms > UINT32_MAX)
		return US_ERR_ARG;
	then(&err, us_buf_put_u8(out, VERSION));
	then(&err, us_buf_put_str16(out, q->purpose.p, q->purpose.n));
	then(&err, us_buf_put_str16(out, q->address.p, q->address.n));
	then(&err, us_buf_put_str32(out, q->query.p, q->query.n));
	then(&err, us_buf_put_u32(out, q->part));
	then(&err, us_buf_put_u32(out, q->parts));
	then(&err, us_buf_put_u32(out, (uint32_t)q->n_terms));
	for (i = 0; err == US_OK && i < q->n_terms; i++)
		err = us_buf_put_str16(out, q->terms[i].p, q->terms[i].n);
	if (err != US_OK)
		out->len = before;
	return err;
}

int
us_entry_query_decode(struct us_entry_query *out, const void *content, size_t n)
{
	struct us_entry_query q;
	struct us_reader r;
	unsigned version;
	size_t i, terms;
	int err;

	memset(&q, 0, sizeof q);
	*out = q;
	if (n == 0)
		return US_ERR_NOT_FOUND;
	us_reader_init(&r, content, n);
	version = us_take_u8(&r);
	q.purpose = us_take_str16(&r, UINT16_MAX);
	q.address = us_take_str16(&r, UINT16_MAX);
	q.query = us_take_str32(&r, UINT16_MAX);
	q.part = us_take_u32(&r);
	q.parts = us_take_u32(&r);
	terms = us_take_u32(&r);
	if (r.err != US_OK)
		return r.err;
	if (version != VERSION)
		return US_ERR_FORMAT;
	if (q.parts == 0 || q.part >= q.parts)
		return US_ERR_RANGE;
	if (terms > r.left / 2)
		return US_ERR_TRUNCATED;
	if (terms > 0) {
		q.owned = malloc(terms * sizeof *q.owned);
		if (q.owned == NULL)
			return US_ERR_NOMEM;
		for (i = 0; i < terms; i++)
			q.owned[i] = us_take_str16(&r, UINT16_MAX);
		q.terms = q.owned;
		q.n_terms = terms;
	}
	err = us_reader_end(&r);
	if (err != US_OK) {
		us_entry_query_free(&q);
		return err;
	}
	*out = q;
	return US_OK;
}

void
us_entry_query_free(struct us_entry_query *q)
{
	free(q->owned);
	q->owned = NULL;
	q->terms = NULL;
	q->n_terms = 0;
}
