/* Pages from a hostile store. Sealed ones are made here, with the input as their text: as if the
 * key had leaked. */
#include <stdint.h>
#include <stdlib.h>

#include "evidence/batch/reader.h"
#include "base/err.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint8_t vault[32];
static const struct us_key key;

struct input {
	struct us_bytes bytes;
	uint8_t page[US_PAGE_MAX];
};

static int
get(void *ctx, enum us_page_kind kind, uint32_t number, struct us_bytes *page)
{
	struct us_batch_place place = { vault, 1, 1 };
	struct input *in = ctx;
	int err;

	if (in->bytes.n > US_PAGE_PLAIN_MAX)
		return US_ERR_NOT_FOUND;
	if (kind == US_PAGE_RECORDS) {
		*page = in->bytes;
		return US_OK;
	}
	err = us_page_seal(&key, &place, kind, number, in->bytes, in->page);
	*page = (struct us_bytes){ in->page, in->bytes.n + US_PAGE_TAG };
	return err;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct input in;
	struct us_batch_source source = { { vault, 1, 1 }, &key, get, &in };
	struct us_batch_directory *d;
	struct us_manifest_reader *m;
	struct us_batch_proof proof;
	struct us_bytes sealed;
	struct us_buf out;
	size_t n;

	in.bytes = (struct us_bytes){ data, size };
	us_buf_init(&out, US_SEALED_RECORD_MAX);
	for (uint32_t item = 0; item < 4; item++)
		(void)us_record_page_find(in.bytes, item, &sealed);
	(void)us_tags_page_check(in.bytes, &n);
	if (size >= 9 &&
	    us_batch_directory_open(&d, &source, us_load_u32(data + 1), us_load_u32(data + 5)) ==
		US_OK) {
		for (uint32_t item = 0; item < 4; item++)
			(void)us_batch_record(d, &source, item, &out);
		us_batch_directory_free(d);
	}
	if (size >= 4 && us_manifest_open(&m, &source, us_load_u16(data + 2)) == US_OK) {
		(void)us_manifest_proof(m, 0, &proof);
		us_manifest_close(m);
	}
	us_buf_free(&out);
	return 0;
}
