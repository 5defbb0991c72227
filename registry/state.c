/* What the registry is in memory: made, emptied, freed. */
#include <stdlib.h>
#include <string.h>

#include "registry/internal.h"
#include "registry/versions_internal.h"
#include "registry/withheld.h"

int
us_registry_new(struct us_registry **out)
{
	struct us_registry *reg = calloc(1, sizeof *reg);

	if (reg == NULL)
		return US_ERR_NOMEM;
	us_buf_init(&reg->init_bytes, US_ACT_SIGNED_MAX);
	*out = reg;
	return US_OK;
}

void
us_registry_empty(struct us_registry *reg)
{
	for (size_t i = 0; i < reg->n_people; i++)
		free(reg->people[i]);
	free(reg->people);
	for (size_t i = 0; i < reg->n_credentials; i++) {
		us_buf_free(&reg->credentials[i]->der);
		free(reg->credentials[i]);
	}
	free(reg->credentials);
	for (size_t i = 0; i < reg->n_collections; i++) {
		struct us_collection_full *c = reg->collections[i];
		for (size_t j = 0; j < c->n_batches; j++)
			free(c->batches[j]);
		free(c->batches);
		free(c->slots.bits);
		free(c->segment_slots.bits);
		free(c->dictionary_slots.bits);
		free(c->dictionaries);
		free(c);
	}
	free(reg->collections);
	for (size_t i = 0; i < reg->n_copies; i++) {
		us_buf_free(&reg->copies[i]->purpose);
		free(reg->copies[i]->records);
		free(reg->copies[i]);
	}
	free(reg->copies);
	for (size_t i = 0; i < reg->n_versions; i++) {
		us_order_free(reg->versions[i]->order);
		us_buf_free(&reg->versions[i]->source);
		free(reg->versions[i]);
	}
	free(reg->versions);
	for (size_t i = 0; i < reg->n_filings; i++)
		us_filing_free(reg->filings[i]);
	free(reg->filings);
	for (size_t i = 0; i < reg->n_acknowledgements; i++)
		free(reg->acknowledgements[i]);
	free(reg->acknowledgements);
	for (size_t i = 0; i < reg->n_documents; i++) {
		us_hash_free(reg->documents[i]->hash);
		free(reg->documents[i]);
	}
	free(reg->documents);
	for (size_t i = 0; i < reg->n_relabels; i++) {
		free(reg->relabels[i]->set);
		free(reg->relabels[i]);
	}
	free(reg->relabels);
	us_table_free(&reg->by_fingerprint);
	us_table_free(&reg->nonces);
	us_buf_free(&reg->init_bytes);
	memset(reg, 0, sizeof *reg);
	us_buf_init(&reg->init_bytes, US_ACT_SIGNED_MAX);
}

void
us_registry_free(struct us_registry *reg)
{
	if (reg == NULL)
		return;
	us_registry_empty(reg);
	free(reg);
}

uint64_t
us_registry_sequence(const struct us_registry *reg)
{
	return reg->sequence;
}

const uint8_t *
us_registry_digest(const struct us_registry *reg)
{
	return reg->digest;
}
