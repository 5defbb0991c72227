#include "daemon/keeper/refused.h"

#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "daemon/keeper/internal.h"

int
us_refused_terms(const struct us_keeper *k, uint32_t collection, struct us_bytes records,
    uint64_t all, struct us_buf *terms)
{
	const struct us_collection *c = us_registry_collection(k->registry, collection);
	char text[US_BATES_MAX + 1];
	int err = US_OK;

	for (size_t i = 0; c != NULL && err == US_OK && i < records.n / 8 && i < US_ENTRY_REFUSED;
	     i++) {
		if (us_bates_format(c->prefix, us_load_u64(records.p + 8 * i), text) == US_OK)
			err = us_buf_put_str16(terms, text, strlen(text));
	}
	if (c == NULL || err != US_OK || all <= US_ENTRY_REFUSED)
		return err;
	(void)snprintf(text, sizeof text, "+%llu", (unsigned long long)(all - US_ENTRY_REFUSED));
	return us_buf_put_str16(terms, text, strlen(text));
}
