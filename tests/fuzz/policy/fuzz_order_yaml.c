/* Any text: findings or an order; what compiles is canonical. */
#include <stdlib.h>
#include <string.h>

#include "policy/yaml/yaml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct us_findings *f = calloc(1, sizeof(*f));
	struct us_order *order = NULL;
	struct us_buf compiled;

	if (f == NULL)
		abort();
	us_buf_init(&compiled, US_ORDER_COMPILED_MAX);
	int err = us_order_compile((struct us_bytes){ data, size }, &compiled, f);
	if ((err == US_OK) != (compiled.len > 0) || (err == US_ERR_FORMAT && f->errors == 0))
		abort();
	if (err == US_OK && us_order_decode(compiled.data, compiled.len, &order) != US_OK)
		abort();
	us_order_free(order);
	us_buf_free(&compiled);
	free(f);
	return 0;
}
