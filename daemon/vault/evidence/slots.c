#include "daemon/vault/evidence/slots.h"

uint32_t
us_vault_slot_of_segment(const struct us_registry *reg, uint32_t collection, uint32_t segment_slot)
{
	size_t i, n = us_registry_batches(reg, collection);

	for (i = n; i-- > 0;) {
		const struct us_batch *b = us_registry_batch(reg, collection, i);

		if (b->status != US_BATCH_VOID && b->facts.segment_slot == segment_slot)
			return b->facts.slot;
	}
	return segment_slot;
}

uint32_t
us_vault_pages_of(const struct us_batch *facts, enum us_page_kind kind)
{
	size_t i;

	for (i = 0; i < facts->facts.n_pages; i++)
		if (facts->facts.pages[i].kind == (uint8_t)kind)
			return facts->facts.pages[i].pages;
	return 0;
}
