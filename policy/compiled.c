#include "policy/compiled.h"

struct us_bytes
us_order_keep_text(struct us_order *order, struct us_reader *r, struct us_bytes text)
{
	struct us_bytes kept = { NULL, 0 };

	if (r->err != US_OK)
		return kept;
	size_t at = order->texts.len;
	if (us_buf_put(&order->texts, text.p, text.n) != US_OK ||
	    us_buf_put_u8(&order->texts, 0) != US_OK) {
		us_reader_fail(r, US_ERR_INTERNAL);
		return kept;
	}
	kept.p = order->texts.data + at;
	kept.n = text.n;
	return kept;
}

struct us_bytes
us_order_take_text(struct us_order *order, struct us_reader *r, enum us_order_form form, size_t max)
{
	struct us_bytes text = us_take_str16(r, max);

	if (r->err != US_OK)
		return text;
	if (form == FORM_ID ?
		!us_id_ok(text, max) :
		!(form == FORM_TEXT_OR_EMPTY && text.n == 0) && !us_text_ok(text, max))
		us_reader_fail(r, US_ERR_ENCODING);
	return us_order_keep_text(order, r, text);
}

size_t
us_order_take_small_count(struct us_reader *r, size_t max)
{
	size_t n = us_take_u8(r);

	if (n > max)
		us_reader_fail(r, US_ERR_LIMIT);
	return r->err == US_OK ? n : 0;
}

uint8_t
us_order_take_reference(struct us_reader *r, size_t n)
{
	uint8_t at = us_take_u8(r);

	if (at > n)
		us_reader_fail(r, US_ERR_RANGE);
	return r->err == US_OK ? at : 0;
}

int
us_order_take_flag(struct us_reader *r)
{
	unsigned flag = us_take_u8(r);

	if (flag > 1)
		us_reader_fail(r, US_ERR_RANGE);
	return flag == 1;
}

uint64_t
us_order_take_parties(const struct us_order *order, struct us_reader *r)
{
	uint64_t parties = us_take_u64(r);

	if (order->n_parties < 64 && parties >> order->n_parties != 0)
		us_reader_fail(r, US_ERR_RANGE);
	return parties;
}

size_t
us_order_take_count(struct us_reader *r, size_t max, size_t least)
{
	size_t n = us_take_u16(r);

	if (n > max)
		us_reader_fail(r, US_ERR_LIMIT);
	else if (n * least > r->left)
		us_reader_fail(r, US_ERR_TRUNCATED);
	return r->err == US_OK ? n : 0;
}

enum us_capacity
us_order_take_capacity(struct us_reader *r)
{
	unsigned c = us_take_u8(r);

	if (us_capacity_name(c) == NULL)
		us_reader_fail(r, US_ERR_RANGE);
	return r->err == US_OK ? (enum us_capacity)c : US_CAPACITY_AUDITOR;
}
