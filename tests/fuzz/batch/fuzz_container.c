/* Containers, packed records and the documents of an intake, from hostile bytes. */
#include <stdint.h>
#include <stdlib.h>

#include "evidence/batch/intake_record.h"
#include "evidence/batch/record.h"
#include "base/err.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
contents(struct us_bytes bytes)
{
	struct us_container c;
	struct us_buf text;

	if (us_container_decode(&c, bytes) != US_OK)
		return;
	us_buf_init(&text, 1 << 20);
	for (size_t i = 0; i < c.messages && i < 100; i++) {
		us_buf_reset(&text);
		(void)us_container_content(&c, i, &text);
	}
	us_buf_free(&text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct us_unpacker *u;
	struct us_intake_record rec;
	struct us_reader r;
	struct us_buf box;

	if (u == NULL &&
	    (us_unpacker_new(&u) != US_OK ||
		us_unpacker_add(u, 1, us_bytes_of("a dictionary of few bytes")) != US_OK))
		abort();
	contents((struct us_bytes){ data, size });
	us_buf_init(&box, US_CONTAINER_MAX);
	if (us_unpacker_unpack(u, (struct us_bytes){ data, size }, &box) == US_OK)
		contents((struct us_bytes){ box.data, box.len });
	us_buf_free(&box);
	us_reader_init(&r, data, size);
	while (r.left > 0 && us_intake_record_take(&r, &rec) == US_OK)
		contents(rec.container);
	return 0;
}
