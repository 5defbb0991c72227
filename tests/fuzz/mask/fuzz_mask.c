/*
 * Four bytes of mask, a byte of length and a query, then a container. What is rendered is UTF-8
 * without control characters; a failure leaves nothing behind; pieces for searching are in order.
 * Under an empty mask a search sees all of every message.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/utf8.h"
#include "evidence/mask/mask.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct us_mask mask;
	struct us_mask_facts facts = { .created_s = 1700000000,
		.model = us_bytes_of("m 12345678"),
		.language = us_bytes_of("en") };
	struct us_query *q = NULL;
	struct us_container c;
	struct us_buf out;
	size_t n;

	if (size < 5 || data[4] > size - 5)
		return 0;
	n = data[4];
	mask = (struct us_mask){ data[0], data[1] & US_MASK_ROLES_ALL, data[2] & US_MASK_FIELDS_ALL,
		data[3] & 1 };
	if (us_container_decode(&c, (struct us_bytes){ data + 5 + n, size - 5 - n }) != US_OK)
		return 0;
	if (us_query_parse(data + 5, n, &q, NULL) != US_OK)
		q = NULL;
	facts.id = (struct us_bytes){ data + 5, us_utf8_valid_prefix(data + 5, n) };
	us_buf_init(&out, (size_t)1 << 26);
	if (us_mask_render(&mask, &c, &facts, q, &out) == US_OK) {
		if (out.len < 2 || out.data[0] != '{' || out.data[out.len - 1] != '}' ||
		    !us_utf8_valid(out.data, out.len))
			abort();
		for (size_t i = 0; i < out.len; i++)
			if (out.data[i] < 0x20)
				abort();
	} else if (out.len != 0) {
		abort();
	}
	us_buf_free(&out);
	us_query_free(q);
	return 0;
}
