#include "daemon/vault/evidence/pages.h"

uint32_t
us_vault_pages_of(const struct us_batch *facts, enum us_page_kind kind)
{
	size_t i;

	for (i = 0; i < facts->facts.n_pages; i++)
		if (facts->facts.pages[i].kind == (uint8_t)kind)
			return facts->facts.pages[i].pages;
	return 0;
}
