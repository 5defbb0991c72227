/* Entries, contents and bundles: the first byte says which. What decodes must encode again to the
 * same bytes, since each value has one form. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "log/entry.h"
#include "log/tiles.h"
#include "base/err.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
same(const struct us_buf *out, int err, const uint8_t *p, size_t n)
{
	if (err != US_OK || out->len != n || memcmp(out->data, p, n) != 0)
		abort();
}

static void
entry(const uint8_t *p, size_t n)
{
	struct us_entry_view v;
	struct us_key key = { { 0 } };
	struct us_buf content;
	size_t box;

	if (us_entry_decode(&v, p, n) != US_OK)
		return;
	us_buf_init(&content, US_ENTRY_CONTENT_MAX);
	for (box = 0; box < US_BOXES; box++)
		if (us_entry_open(&v, (enum us_box)box, &key, &content) == US_OK)
			abort();
	us_buf_free(&content);
}

static void
contents(uint8_t which, const uint8_t *p, size_t n)
{
	struct us_entry_access access;
	struct us_entry_disclosure disclosure;
	struct us_entry_query query;
	struct us_buf out;

	us_buf_init(&out, 1u << 20);
	if (which == US_BOX_ACCESS) {
		/* what was written before it said who tells it is read, and not written any more */
		if (us_entry_access_decode(&access, p, n) == US_OK && p[0] == 2)
			same(&out, us_entry_access_encode(&out, &access), p, n);
	} else if (which == US_BOX_DISCLOSURE) {
		/* the same of what was before a disclosure named its collection */
		if (us_entry_disclosure_decode(&disclosure, p, n) == US_OK && p[0] == 2)
			same(&out, us_entry_disclosure_encode(&out, &disclosure), p, n);
		us_entry_disclosure_free(&disclosure);
	} else {
		if (us_entry_query_decode(&query, p, n) == US_OK)
			same(&out, us_entry_query_encode(&out, &query), p, n);
		us_entry_query_free(&query);
	}
	us_buf_free(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct us_reader r;

	if (size == 0)
		return 0;
	switch (data[0] % 5) {
	case 0:
		entry(data + 1, size - 1);
		break;
	case 1:
		us_reader_init(&r, data + 1, size - 1);
		while (r.left > 0 && r.err == US_OK) {
			struct us_bytes e = us_bundle_take(&r);

			if (r.err == US_OK)
				entry(e.p, e.n);
		}
		break;
	default:
		contents((uint8_t)(data[0] % 5 - 2), data + 1, size - 1);
		break;
	}
	return 0;
}
