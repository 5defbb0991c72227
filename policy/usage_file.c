#include "policy/usage_file.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/err.h"
#include "policy/usage_internal.h"

enum { ITEM_METER = 1, ITEM_APPROVALS = 2 };

/* keys[i] names meters[i]. */
struct us_usage_writer {
	const struct us_usage *usage;
	struct us_order_meter_key *keys;
	const struct us_order_meter **meters;
	size_t n, next;
	int ended;
};

/* --- writing ---------------------------------------------------------------------------------- */

int
us_usage_writer_new(struct us_usage_writer **out, const struct us_usage *u)
{
	struct us_usage_writer *w = calloc(1, sizeof *w);
	struct us_order_meter *const *m;
	const void *key;
	size_t n = 0;

	*out = NULL;
	for (size_t at = 0; us_map_next(&u->meters, &at, NULL) != NULL;)
		n++;
	if (w != NULL) {
		w->keys = calloc(n + 1, sizeof *w->keys);
		w->meters = calloc(n + 1, sizeof *w->meters);
	}
	if (w == NULL || w->keys == NULL || w->meters == NULL) {
		us_usage_writer_free(w);
		return US_ERR_NOMEM;
	}
	for (size_t at = 0; (m = us_map_next(&u->meters, &at, &key)) != NULL; w->n++) {
		memcpy(&w->keys[w->n], key, sizeof w->keys[0]);
		w->meters[w->n] = *m;
	}
	w->usage = u;
	*out = w;
	return US_OK;
}

void
us_usage_writer_free(struct us_usage_writer *w)
{
	if (w == NULL)
		return;
	free(w->keys);
	free(w->meters);
	free(w);
}

static int
put_set(struct us_buf *out, const roaring_bitmap_t *set)
{
	const size_t n = roaring_bitmap_portable_size_in_bytes(set);
	uint8_t *p;
	int err = n > UINT32_MAX ? US_ERR_LIMIT : us_buf_put_u32(out, (uint32_t)n);

	if (err == US_OK)
		err = us_buf_extend(out, n, &p);
	if (err == US_OK)
		(void)roaring_bitmap_portable_serialize(set, (char *)p);
	return err;
}

static int
put_meter(struct us_buf *out, const struct us_order_meter_key *key, const struct us_order_meter *m)
{
	int err = us_buf_put_u8(out, ITEM_METER);

	if (err == US_OK)
		err = us_buf_put_u32(out, key->person);
	if (err == US_OK)
		err = us_buf_put_str16(out, key->party, key->party_n);
	if (err == US_OK)
		err = us_buf_put_u32(out, key->collection);
	if (err == US_OK)
		err = us_buf_put_u8(out, (uint8_t)key->kind);
	if (err == US_OK)
		err = put_set(out, m->ever);
	if (err == US_OK)
		err = us_buf_put_u32(out, (uint32_t)m->n_days);
	for (size_t i = 0; err == US_OK && i < m->n_days; i++) {
		err = us_buf_put_u32(out, (uint32_t)m->days[i].day);
		if (err == US_OK)
			err = put_set(out, m->days[i].set);
	}
	return err;
}

static int
put_approvals(struct us_buf *out, const struct us_usage *u)
{
	int err = us_buf_put_u8(out, ITEM_APPROVALS);

	if (err == US_OK)
		err = us_buf_put_u32(out, (uint32_t)u->n_used);
	for (size_t i = 0; err == US_OK && i < u->n_used; i++) {
		err = us_buf_put_u32(out, u->used[i].approval);
		if (err == US_OK)
			err = us_buf_put_u64(out, u->used[i].index);
	}
	return err;
}

int
us_usage_writer_next(struct us_usage_writer *w, struct us_buf *out)
{
	if (w->next < w->n) {
		const size_t i = w->next++;

		return put_meter(out, &w->keys[i], w->meters[i]);
	}
	if (w->ended)
		return US_ERR_NOT_FOUND;
	w->ended = 1;
	return put_approvals(out, w->usage);
}

/* --- reading ---------------------------------------------------------------------------------- */

/* In the place of an empty set. */
static int
take_set(struct us_reader *r, roaring_bitmap_t **set, uint64_t *n)
{
	const struct us_bytes bytes = us_take(r, us_take_u32(r));
	roaring_bitmap_t *read;

	if (r->err != US_OK ||
	    roaring_bitmap_portable_deserialize_size((const char *)bytes.p, bytes.n) != bytes.n)
		return US_ERR_FORMAT;
	read = roaring_bitmap_portable_deserialize_safe((const char *)bytes.p, bytes.n);
	if (read == NULL)
		return US_ERR_NOMEM;
	if (*set != NULL)
		roaring_bitmap_free(*set);
	*set = read;
	*n = roaring_bitmap_get_cardinality(read);
	return US_OK;
}

static int
take_days(struct us_reader *r, struct us_order_meter *m)
{
	const uint32_t n = us_take_u32(r);
	int err = US_OK;

	for (uint32_t i = 0; err == US_OK && r->err == US_OK && i < n; i++) {
		struct us_order_day day = { .day = (int32_t)us_take_u32(r) };

		if (m->n_days > 0 && day.day <= m->days[m->n_days - 1].day)
			return US_ERR_FORMAT;
		err = us_grow(&m->days, m->n_days, &m->room, sizeof *m->days);
		if (err == US_OK)
			err = take_set(r, &day.set, &day.n);
		if (err == US_OK)
			m->days[m->n_days++] = day;
	}
	return err != US_OK ? err : r->err;
}

static int
take_meter(struct us_usage *u, struct us_reader *r)
{
	struct us_order_name who = { .person = us_take_u32(r) };
	struct us_order_meter *m;
	uint8_t kind;
	int err;

	who.party = us_take_str16(r, US_ORDER_ID_MAX);
	who.collection = us_take_u32(r);
	kind = us_take_u8(r);
	if (r->err != US_OK || kind >= US_METER_KINDS || who.collection == 0 ||
	    (who.person == 0) != (who.party.n > 0))
		return US_ERR_FORMAT;
	who.kind = (enum us_meter_kind)kind;
	m = us_order_meter_make(u, &who);
	if (m == NULL)
		return US_ERR_NOMEM;
	if (m->n_days > 0 || m->n > 0)
		return US_ERR_FORMAT; /* twice */
	err = take_set(r, &m->ever, &m->n);
	return err != US_OK ? err : take_days(r, m);
}

static int
take_approvals(struct us_usage *u, struct us_reader *r)
{
	const uint32_t n = us_take_u32(r);
	int err = US_OK;

	for (uint32_t i = 0; err == US_OK && r->err == US_OK && i < n; i++) {
		const uint32_t approval = us_take_u32(r);
		const uint64_t index = us_take_u64(r);

		if (r->err == US_OK)
			err = us_usage_approval_use(u, approval, index);
	}
	return err == US_ERR_EXISTS ? US_ERR_FORMAT : err != US_OK ? err : r->err;
}

int
us_usage_take(struct us_usage *u, struct us_reader *r)
{
	int err;

	switch (us_take_u8(r)) {
	case ITEM_METER:
		err = take_meter(u, r);
		break;
	case ITEM_APPROVALS:
		err = take_approvals(u, r);
		break;
	default:
		err = US_ERR_FORMAT;
	}
	return err == US_ERR_NOMEM || err == US_OK ? err : US_ERR_FORMAT;
}
