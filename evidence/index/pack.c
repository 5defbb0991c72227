#include "evidence/index/pack.h"

#include <string.h>

#include "base/err.h"

static unsigned
width_of(const uint32_t *v, size_t n)
{
	uint32_t all = 0;

	for (size_t i = 0; i < n; i++)
		all |= v[i];
	return all == 0 ? 0 : 32 - (unsigned)__builtin_clz(all);
}

static void
pack(uint8_t *to, const uint32_t *v, size_t n, unsigned width)
{
	uint64_t acc = 0;
	unsigned bits = 0;

	for (size_t i = 0; i < n; i++) {
		acc |= (uint64_t)v[i] << bits;
		for (bits += width; bits >= 8; bits -= 8) {
			*to++ = (uint8_t)acc;
			acc >>= 8;
		}
	}
	if (bits != 0)
		*to = (uint8_t)acc;
}

int
us_pack_put(struct us_buf *b, const uint32_t *v, size_t n)
{
	size_t groups = us_pack_groups(n), at = b->len, in_group;
	uint8_t *to;
	int err = us_buf_extend(b, groups, &to);

	for (size_t g = 0; err == US_OK && g < groups; g++) {
		const uint32_t *values = v + g * US_PACK_GROUP;
		unsigned width;

		in_group = n - g * US_PACK_GROUP < US_PACK_GROUP ? n - g * US_PACK_GROUP :
								   US_PACK_GROUP;
		width = width_of(values, in_group);
		b->data[at + g] = (uint8_t)width;
		err = us_buf_extend(b, us_pack_bytes(in_group, width), &to);
		if (err == US_OK)
			pack(to, values, in_group, width);
	}
	return err;
}

void
us_unpack(const uint8_t *p, size_t n, unsigned width, uint32_t *out)
{
	const uint64_t mask = (UINT64_C(1) << width) - 1;
	uint64_t acc = 0;
	unsigned bits = 0;

	if (width == 0) {
		memset(out, 0, n * sizeof *out);
		return;
	}
	for (size_t i = 0; i < n; i++) {
		while (bits < width) {
			acc |= (uint64_t)*p++ << bits;
			bits += 8;
		}
		out[i] = (uint32_t)(acc & mask);
		acc >>= width;
		bits -= width;
	}
}

int
us_pack_take(struct us_reader *r, size_t n, uint32_t *out)
{
	size_t groups = us_pack_groups(n), in_group;
	struct us_bytes widths = us_take(r, groups), packed;

	for (size_t g = 0; r->err == US_OK && g < groups; g++) {
		in_group = n - g * US_PACK_GROUP < US_PACK_GROUP ? n - g * US_PACK_GROUP :
								   US_PACK_GROUP;
		if (widths.p[g] > 32) {
			us_reader_fail(r, US_ERR_FORMAT);
			break;
		}
		packed = us_take(r, us_pack_bytes(in_group, widths.p[g]));
		if (r->err == US_OK)
			us_unpack(packed.p, in_group, widths.p[g], out + g * US_PACK_GROUP);
	}
	return r->err;
}

uint64_t
us_bits_get(const uint8_t *p, size_t size, uint64_t at, unsigned width)
{
	uint64_t v = 0;
	unsigned got = 0, shift = (unsigned)(at % 8), take;
	uint64_t byte = at / 8;

	while (got < width) {
		if (byte >= size)
			return 0;
		take = 8 - shift < width - got ? 8 - shift : width - got;
		v |= ((uint64_t)(p[byte] >> shift) & ((1u << take) - 1)) << got;
		got += take;
		shift = 0;
		byte++;
	}
	return v;
}

int
us_bits_put(struct us_buf *b, const uint64_t *v, size_t n, unsigned width)
{
	uint64_t bit = 0;
	uint8_t *to;
	size_t size = (n * width + 7) / 8;
	int err;

	if (size == 0)
		return US_OK;
	err = us_buf_extend(b, size, &to);
	if (err != US_OK)
		return err;
	memset(to, 0, size);
	for (size_t i = 0; i < n; i++)
		for (unsigned done = 0, shift, take; done < width; done += take, bit += take) {
			shift = (unsigned)(bit % 8);
			take = 8 - shift < width - done ? 8 - shift : width - done;
			to[bit / 8] |= (uint8_t)((v[i] >> done & ((1u << take) - 1)) << shift);
		}
	return US_OK;
}
