#include "registry/codec.h"

#include <string.h>

#include "crypto/cert.h"

#define RECORD_LAST ((UINT64_C(1) << 52) - 1)

int
us_code_read(struct us_act *out, enum us_act_type type,
    void (*code)(struct us_act_codec *c, struct us_act *act), struct us_bytes payload)
{
	struct us_reader r;
	struct us_act_codec c = { .in = &r };
	int err;

	memset(out, 0, sizeof *out);
	out->type = type;
	us_reader_init(&r, payload.p, payload.n);
	code(&c, out);
	err = us_reader_end(&r);
	if (err != US_OK)
		memset(out, 0, sizeof *out);
	return err;
}

int
us_code_write(struct us_buf *out, const struct us_act *act,
    void (*code)(struct us_act_codec *c, struct us_act *act))
{
	struct us_act again = *act;
	struct us_buf b;
	struct us_act_codec c = { .out = &b };

	us_buf_init(&b, US_ACT_SIGNED_MAX);
	code(&c, &again);
	/* reading it back is the check: what we write is never what we would refuse */
	if (c.err == US_OK)
		c.err = us_code_read(&again, act->type, code, (struct us_bytes){ b.data, b.len });
	if (c.err == US_OK)
		c.err = us_buf_put(out, b.data, b.len);
	us_buf_free(&b);
	return c.err;
}

int
us_code_ok(const struct us_act_codec *c)
{
	return (c->in != NULL ? c->in->err : c->err) == US_OK;
}

static void
put(struct us_act_codec *c, int err)
{
	if (c->err == US_OK)
		c->err = err;
}

void
us_code_require(struct us_act_codec *c, int holds, int err)
{
	if (holds)
		return;
	if (c->in != NULL)
		us_reader_fail(c->in, err);
	else
		put(c, err);
}

/* ---- numbers ---- */

void
us_code_u8(struct us_act_codec *c, unsigned *v)
{
	if (c->in != NULL)
		*v = us_take_u8(c->in);
	else
		put(c, us_buf_put_u8(c->out, (uint8_t)*v));
}

void
us_code_choice(struct us_act_codec *c, unsigned *v, unsigned first, unsigned last)
{
	us_code_u8(c, v);
	us_code_require(c, *v >= first && *v <= last, US_ERR_RANGE);
}

void
us_code_u16(struct us_act_codec *c, uint16_t *v)
{
	if (c->in != NULL)
		*v = us_take_u16(c->in);
	else
		put(c, us_buf_put_u16(c->out, *v));
}

void
us_code_u32(struct us_act_codec *c, uint32_t *v)
{
	if (c->in != NULL)
		*v = us_take_u32(c->in);
	else
		put(c, us_buf_put_u32(c->out, *v));
}

void
us_code_u64(struct us_act_codec *c, uint64_t *v)
{
	if (c->in != NULL)
		*v = us_take_u64(c->in);
	else
		put(c, us_buf_put_u64(c->out, *v));
}

void
us_code_id(struct us_act_codec *c, uint32_t *v)
{
	us_code_u32(c, v);
	us_code_require(c, *v != 0, US_ERR_RANGE);
}

void
us_code_slot(struct us_act_codec *c, uint32_t *v)
{
	us_code_u32(c, v);
	us_code_require(c, *v <= US_SLOT_MAX, US_ERR_RANGE);
}

void
us_code_time(struct us_act_codec *c, int64_t *ns)
{
	uint64_t v = (uint64_t)*ns;

	us_code_u64(c, &v);
	us_code_require(c, v <= INT64_MAX, US_ERR_RANGE);
	*ns = us_code_ok(c) ? (int64_t)v : 0;
}

void
us_code_count(struct us_act_codec *c, size_t *n, size_t max)
{
	unsigned v = (unsigned)*n;

	us_code_require(c, c->in != NULL || *n <= max, US_ERR_LIMIT);
	us_code_u8(c, &v);
	us_code_require(c, v <= max, US_ERR_LIMIT);
	*n = us_code_ok(c) ? v : 0;
}

/* ---- bytes and texts ---- */

void
us_code_fixed(struct us_act_codec *c, void *p, size_t n)
{
	if (c->in != NULL)
		us_take_into(c->in, p, n);
	else
		put(c, us_buf_put(c->out, p, n));
}

/* n bytes as a view, which has so many if it is written (US_ERR_LIMIT). */
static void
view(struct us_act_codec *c, struct us_bytes *v, size_t n)
{
	if (c->in != NULL)
		*v = us_take(c->in, n);
	else
		put(c, v->n == n ? us_buf_put(c->out, v->p, n) : US_ERR_LIMIT);
}

void
us_code_str16(struct us_act_codec *c, struct us_bytes *v, size_t max)
{
	if (c->in != NULL)
		*v = us_take_str16(c->in, max);
	else
		put(c, v->n <= max ? us_buf_put_str16(c->out, v->p, v->n) : US_ERR_LIMIT);
}

void
us_code_str32(struct us_act_codec *c, struct us_bytes *v, size_t max)
{
	if (c->in != NULL)
		*v = us_take_str32(c->in, max);
	else
		put(c, v->n <= max ? us_buf_put_str32(c->out, v->p, v->n) : US_ERR_LIMIT);
}

void
us_code_text(struct us_act_codec *c, struct us_bytes *v, size_t max)
{
	us_code_str16(c, v, max);
	us_code_require(c, us_text_ok(*v, max), US_ERR_ENCODING);
}

void
us_code_text_or_empty(struct us_act_codec *c, struct us_bytes *v, size_t max)
{
	us_code_str16(c, v, max);
	us_code_require(c, v->n == 0 || us_text_ok(*v, max), US_ERR_ENCODING);
}

void
us_code_name(struct us_act_codec *c, struct us_bytes *v, size_t max)
{
	us_code_str16(c, v, max);
	us_code_require(c, us_id_ok(*v, max), US_ERR_ENCODING);
}

void
us_code_der(struct us_act_codec *c, struct us_bytes *v)
{
	us_code_str32(c, v, US_CERT_MAX);
	us_code_require(c, v->n > 0, US_ERR_FORMAT);
}

/* ---- people ---- */

void
us_code_capacity(struct us_act_codec *c, enum us_capacity *capacity)
{
	unsigned v = (unsigned)*capacity;

	us_code_u8(c, &v);
	us_code_require(c, us_capacity_name(v) != NULL, US_ERR_RANGE);
	*capacity = us_code_ok(c) ? (enum us_capacity)v : US_CAPACITY_WITNESS;
}

static int
compare(struct us_bytes a, struct us_bytes b)
{
	int c = memcmp(a.p, b.p, a.n < b.n ? a.n : b.n);

	return c != 0 ? c : (a.n > b.n) - (a.n < b.n);
}

void
us_code_parties(struct us_act_codec *c, size_t *n, struct us_bytes *parties)
{
	us_code_count(c, n, US_PERSON_PARTIES);
	for (size_t i = 0; i < *n && us_code_ok(c); i++) {
		us_code_name(c, &parties[i], US_ORDER_ID_MAX);
		if (us_code_ok(c) && i > 0)
			us_code_require(c, compare(parties[i - 1], parties[i]) < 0, US_ERR_FORMAT);
	}
	if (!us_code_ok(c))
		*n = 0;
}

/* ---- records ---- */

void
us_code_records(struct us_act_codec *c, uint32_t *n, struct us_bytes *records, uint32_t least)
{
	us_code_u32(c, n);
	us_code_require(c, *n >= least && *n <= US_COPY_RECORDS_MAX, US_ERR_LIMIT);
	if (!us_code_ok(c))
		return;
	view(c, records, (size_t)*n * 8);
	for (uint32_t i = 1; i < *n && us_code_ok(c); i++)
		us_code_require(c,
		    us_load_u64(records->p + (size_t)(i - 1) * 8) <
			us_load_u64(records->p + (size_t)i * 8),
		    US_ERR_FORMAT);
}

uint64_t
us_act_copy_record(const struct us_act_copy *copy, uint32_t i)
{
	return us_load_u64(copy->records.p + (size_t)i * 8);
}

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

void
us_code_selection(struct us_act_codec *c, struct us_selection *s)
{
	unsigned by = s->is_batch ? 2 : 1;

	us_code_id(c, &s->collection);
	us_code_choice(c, &by, 1, 2);
	s->is_batch = by == 2;
	if (!us_code_ok(c))
		return;
	if (s->is_batch) {
		us_code_slot(c, &s->slot);
		return;
	}
	us_code_u32(c, &s->n_runs);
	us_code_require(c, s->n_runs > 0 && s->n_runs <= US_SELECTION_RUNS, US_ERR_LIMIT);
	if (c->in != NULL)
		take_runs(c->in, s);
	else
		put(c, us_buf_put(c->out, s->runs.p, s->runs.n));
}
