/* First byte: the classes wanted. The rest as text: spans are in order, within, at borders; fewer
 * classes hide no more. */
#include <stdint.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/utf8.h"
#include "evidence/mask/identifiers.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint8_t *
find(struct us_bytes text, uint32_t wanted)
{
	uint8_t *hidden = calloc(1, text.n + 1);
	struct us_identifier_span *spans;
	int utf8 = us_utf8_valid(text.p, text.n);
	size_t n, at = 0;

	if (hidden == NULL || us_identifiers_find(text, wanted, &spans, &n) != US_OK)
		abort();
	for (size_t i = 0; i < n; i++) {
		if (spans[i].start < at || spans[i].start >= spans[i].end ||
		    spans[i].end > text.n || (US_IDENTIFIER_BIT(spans[i].identifier) & wanted) == 0)
			abort();
		if (utf8 &&
		    ((text.p[spans[i].start] & 0xc0) == 0x80 ||
			(spans[i].end < text.n && (text.p[spans[i].end] & 0xc0) == 0x80)))
			abort();
		for (size_t k = spans[i].start; k < spans[i].end; k++)
			hidden[k] = 1;
		at = spans[i].end;
	}
	free(spans);
	return hidden;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct us_bytes text;
	uint8_t *some, *all;

	if (size == 0)
		return 0;
	text = (struct us_bytes){ data + 1, size - 1 };
	some = find(text, data[0]);
	all = find(text, US_IDENTIFIERS_ALL);
	for (size_t i = 0; i < text.n; i++)
		if (some[i] && !all[i] && text.p[i] < 0x80 && text.p[i] > ' ')
			abort();
	free(some);
	free(all);
	return 0;
}
