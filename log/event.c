#include "log/event.h"

#include <stddef.h>
#include <string.h>

#include "base/array.h"
#include "base/err.h"
#include "crypto/crypto.h"

#define FIELDS_MAX 4

enum us_event_type {
#define X(type, text) TYPE_##type,
	US_EVENT_TYPES(X)
#undef X
};

struct us_event_field {
	enum us_event_type type;
	size_t offset; /* in struct us_event */
	const char *name;
};

struct us_event_row {
	enum us_event_form form;
	int kind, decision;
	int actions[US_EVENT_ACTIONS]; /* US_ACTION_NONE behind the last */
	size_t n;
	struct us_event_field fields[FIELDS_MAX];
};

#define AT_MEMBER(member, field) offsetof(struct us_event, member.field)
#define AT_U8 AT_MEMBER
#define AT_U32 AT_MEMBER
#define AT_U64 AT_MEMBER
#define AT_I64 AT_MEMBER
#define AT_WORD(member, field) 0
#define AT_FLAG AT_MEMBER
#define AT_BYTES AT_MEMBER
#define AT_COUNTS AT_MEMBER
#define AT_COSIGNERS AT_MEMBER
#define AT_KEYS AT_MEMBER

#define FIELD(type, member, field) { TYPE_##type, AT_##type(member, field), #field },
#define ONE(type, member, field) +1
#define X(name, member, of_kind, of_decision, ...) \
	{ .form = US_EVENT_##name, \
		.kind = of_kind, \
		.decision = of_decision, \
		.actions = { __VA_ARGS__ }, \
		.n = 0 US_EVENT_FIELDS_##member(ONE), \
		.fields = { US_EVENT_FIELDS_##member(FIELD) } },
static const struct us_event_row rows[] = { US_EVENT_LIST(X) };
#undef X

static int
fits(const struct us_event_row *row, const struct us_event_place *p)
{
	if ((row->kind != US_EVENT_ANY && row->kind != (int)p->kind) ||
	    (row->decision != US_EVENT_ANY && row->decision != (int)p->decision))
		return 0;
	if (row->actions[0] == US_EVENT_ANY)
		return row->form != US_EVENT_ACT || p->has_act;
	for (size_t i = 0; i < US_EVENT_ACTIONS; i++)
		if (row->actions[i] == (int)p->action)
			return p->action != US_ACTION_NONE;
	return 0;
}

static const struct us_event_row *
row_of(enum us_event_form form)
{
	for (size_t i = 0; i < US_COUNT(rows); i++)
		if (rows[i].form == form)
			return &rows[i];
	return NULL;
}

static void
take_view(struct us_reader *r, size_t item, struct us_bytes *to)
{
	if (r->left % item != 0)
		us_reader_fail(r, US_ERR_FORMAT);
	*to = us_take(r, r->left);
}

/* 1 if the word comes next, which is then taken. */
static int
take_word(struct us_reader *r, const char *word)
{
	const size_t n = strlen(word);

	return r->left >= n && memcmp(r->p, word, n) == 0 && us_take(r, n).n == n;
}

static void
take_field(struct us_reader *r, const struct us_event_field *f, struct us_event *e)
{
	void *to = (uint8_t *)e + f->offset;

	switch (f->type) {
	case TYPE_U8:
		*(uint8_t *)to = us_take_u8(r);
		break;
	case TYPE_U32:
		*(uint32_t *)to = us_take_u32(r);
		break;
	case TYPE_U64:
		*(uint64_t *)to = us_take_u64(r);
		break;
	case TYPE_I64:
		*(int64_t *)to = (int64_t)us_take_u64(r);
		break;
	case TYPE_WORD:
		if (!take_word(r, f->name))
			us_reader_fail(r, US_ERR_FORMAT);
		break;
	case TYPE_FLAG:
		*(int *)to = take_word(r, f->name);
		break;
	case TYPE_BYTES:
		take_view(r, 1, to);
		break;
	case TYPE_COUNTS:
		take_view(r, US_EVENT_COUNT_SIZE, to);
		break;
	case TYPE_COSIGNERS:
		take_view(r, US_EVENT_COSIGNER_SIZE, to);
		break;
	case TYPE_KEYS:
		take_view(r, US_EVENT_KEY_SIZE, to);
		break;
	}
}

void
us_event_decode(struct us_event *out, const struct us_event_place *place, struct us_bytes summary)
{
	struct us_reader r;

	for (size_t i = 0; i < US_COUNT(rows); i++) {
		if (!fits(&rows[i], place))
			continue;
		memset(out, 0, sizeof *out);
		out->form = rows[i].form;
		us_reader_init(&r, summary.p, summary.n);
		for (size_t f = 0; f < rows[i].n; f++)
			take_field(&r, &rows[i].fields[f], out);
		if (us_reader_end(&r) == US_OK)
			return;
	}
	memset(out, 0, sizeof *out);
	if (summary.n > 0)
		*out = (struct us_event){ .form = US_EVENT_OTHER, .other = summary };
}

static size_t
field_size(const struct us_event_field *f, const struct us_event *e)
{
	const void *from = (const uint8_t *)e + f->offset;

	switch (f->type) {
	case TYPE_U8:
		return 1;
	case TYPE_U32:
		return 4;
	case TYPE_U64:
	case TYPE_I64:
		return 8;
	case TYPE_WORD:
		return strlen(f->name);
	case TYPE_FLAG:
		return *(const int *)from ? strlen(f->name) : 0;
	case TYPE_BYTES:
	case TYPE_COUNTS:
	case TYPE_COSIGNERS:
	case TYPE_KEYS:
		return ((const struct us_bytes *)from)->n;
	}
	return 0;
}

size_t
us_event_size(const struct us_event *e)
{
	const struct us_event_row *row = row_of(e->form);
	size_t n = 0;

	if (row == NULL)
		return e->form == US_EVENT_OTHER ? e->other.n : 0;
	for (size_t i = 0; i < row->n; i++)
		n += field_size(&row->fields[i], e);
	return n;
}

static int
put_field(struct us_buf *out, const struct us_event_field *f, const struct us_event *e)
{
	const void *from = (const uint8_t *)e + f->offset;

	switch (f->type) {
	case TYPE_U8:
		return us_buf_put_u8(out, *(const uint8_t *)from);
	case TYPE_U32:
		return us_buf_put_u32(out, *(const uint32_t *)from);
	case TYPE_U64:
	case TYPE_I64:
		return us_buf_put_u64(out, *(const uint64_t *)from);
	case TYPE_WORD:
	case TYPE_FLAG:
		return us_buf_put(out, f->name, field_size(f, e));
	case TYPE_BYTES:
	case TYPE_COUNTS:
	case TYPE_COSIGNERS:
	case TYPE_KEYS:
		return us_buf_put(out, ((const struct us_bytes *)from)->p, field_size(f, e));
	}
	return US_ERR_INTERNAL;
}

int
us_event_encode(struct us_buf *out, const struct us_event_place *place, const struct us_event *e)
{
	const struct us_event_row *row = row_of(e->form);
	int err = US_OK;

	if (e->form == US_EVENT_NONE)
		return US_OK;
	if (e->form == US_EVENT_OTHER)
		return us_buf_put(out, e->other.p, e->other.n);
	if (row == NULL || !fits(row, place))
		return US_ERR_ARG;
	for (size_t i = 0; err == US_OK && i < row->n; i++)
		err = put_field(out, &row->fields[i], e);
	return err;
}

struct us_bytes *
us_event_view(struct us_event *e)
{
	const struct us_event_row *row = row_of(e->form);

	if (e->form == US_EVENT_OTHER)
		return &e->other;
	/* what takes the rest is the last field */
	if (row == NULL || row->fields[row->n - 1].type < TYPE_BYTES)
		return NULL;
	return (void *)((uint8_t *)e + row->fields[row->n - 1].offset);
}

int
us_event_of_act(struct us_event *out, struct us_bytes committed, uint8_t digest[32])
{
	int err = US_OK;

	*out = (struct us_event){ .form = US_EVENT_ACT, .act = { committed } };
	if (committed.n > US_EVENT_ACT_MAX) {
		err = us_sha256(committed.p, committed.n, digest);
		out->act.act = (struct us_bytes){ digest, 32 };
	}
	return err;
}

int
us_event_next_count(struct us_bytes *counts, uint8_t *reason, uint32_t *n)
{
	if (counts->n < US_EVENT_COUNT_SIZE)
		return 0;
	*reason = counts->p[0];
	*n = us_load_u32(counts->p + 1);
	counts->p += US_EVENT_COUNT_SIZE;
	counts->n -= US_EVENT_COUNT_SIZE;
	return 1;
}

void
us_event_pack_cosigner(uint8_t out[US_EVENT_COSIGNER_SIZE], uint32_t key, uint64_t time_s)
{
	us_store_u32(out, key);
	us_store_u64(out + 4, time_s);
}

const char *
us_gap_name(unsigned cause)
{
	switch (cause) {
#define X(name, number, text) \
	case number: \
		return text;
		US_GAP_LIST(X)
#undef X
	default:
		return "";
	}
}
