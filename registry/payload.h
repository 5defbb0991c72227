/* What the codecs of payloads share (payload.c, payload_order.c): takers with their checks, and
 * putters with a sticky error. */
#ifndef US_REGISTRY_PAYLOAD_H
#define US_REGISTRY_PAYLOAD_H

#include <string.h>

#include "registry/act.h"

static inline struct us_bytes
take_text(struct us_reader *r, size_t max)
{
	struct us_bytes text = us_take_str16(r, max);

	if (r->err == US_OK && !us_text_ok(text, max))
		us_reader_fail(r, US_ERR_ENCODING);
	return text;
}

static inline struct us_bytes
take_text_or_empty(struct us_reader *r, size_t max)
{
	struct us_bytes text = us_take_str16(r, max);

	if (r->err == US_OK && text.n > 0 && !us_text_ok(text, max))
		us_reader_fail(r, US_ERR_ENCODING);
	return text;
}

static inline uint32_t
take_id(struct us_reader *r)
{
	uint32_t id = us_take_u32(r);

	if (id == 0)
		us_reader_fail(r, US_ERR_RANGE);
	return id;
}

static inline uint32_t
take_slot(struct us_reader *r)
{
	uint32_t slot = us_take_u32(r);

	if (slot > US_SLOT_MAX)
		us_reader_fail(r, US_ERR_RANGE);
	return slot;
}

struct us_registry_writer {
	struct us_buf *b;
	int err;
};

static inline void
put(struct us_registry_writer *w, int err)
{
	if (w->err == US_OK)
		w->err = err;
}

static inline void
put_u8(struct us_registry_writer *w, unsigned v)
{
	put(w, us_buf_put_u8(w->b, (uint8_t)v));
}
static inline void
put_u16(struct us_registry_writer *w, unsigned v)
{
	put(w, us_buf_put_u16(w->b, (uint16_t)v));
}
static inline void
put_u32(struct us_registry_writer *w, uint32_t v)
{
	put(w, us_buf_put_u32(w->b, v));
}
static inline void
put_u64(struct us_registry_writer *w, uint64_t v)
{
	put(w, us_buf_put_u64(w->b, v));
}
static inline void
put_raw(struct us_registry_writer *w, const void *p, size_t n)
{
	put(w, us_buf_put(w->b, p, n));
}
static inline void
put_s16(struct us_registry_writer *w, struct us_bytes s)
{
	put(w, us_buf_put_str16(w->b, s.p, s.n));
}
static inline void
put_s32(struct us_registry_writer *w, struct us_bytes s)
{
	put(w, us_buf_put_str32(w->b, s.p, s.n));
}

/* payload_order.c: acts of the order and its docket. 0 if the type is none of them. */
int us_payload_order_take(struct us_reader *r, struct us_act *a);
/* Appends the payload of such an act; 0 if the type is none of them. */
int us_payload_order_put(struct us_registry_writer *w, const struct us_act *a);

#endif
