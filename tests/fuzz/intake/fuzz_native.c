/* The native record: what is accepted has spans whose literals undo to the texts. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "daemon/intake/native.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct us_native *parser;
	struct us_native_record r;
	struct us_container c;
	struct us_buf box, text;
	enum us_defect d;
	struct us_bytes line = { data, size };

	if (parser == NULL && us_native_new(&parser) != US_OK)
		abort();
	if (us_native_parse(parser, line, INT64_C(1760000000000000000), &d, &r) != US_OK)
		abort();
	if (d != US_DEFECT_NONE)
		return 0;
	us_buf_init(&box, US_CONTAINER_MAX);
	us_buf_init(&text, US_RECORD_MAX);
	if (us_container_encode(&box, r.spans, r.messages, line) != US_OK ||
	    us_container_decode(&c, (struct us_bytes){ box.data, box.len }) != US_OK)
		abort();
	for (size_t i = 0; i < r.messages; i++) {
		us_buf_reset(&text);
		if (us_container_content(&c, i, &text) != US_OK || text.len != r.texts[i].n ||
		    (text.len > 0 && memcmp(text.data, r.texts[i].p, text.len) != 0))
			abort();
	}
	us_buf_free(&box);
	us_buf_free(&text);
	return 0;
}
