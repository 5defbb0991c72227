/* Looking up collections, batches, dictionaries, copies; Bates numbers. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "registry/internal.h"

const char *
us_batch_status_name(enum us_batch_status status)
{
	switch (status) {
	case US_BATCH_LIVE:
		return "live";
	case US_BATCH_HELD:
		return "held";
	case US_BATCH_WITHDRAWN:
		return "withdrawn";
	case US_BATCH_VOID:
		return "void";
	}
	return "unknown";
}

const char *
us_copy_status_name(enum us_copy_status status)
{
	switch (status) {
	case US_COPY_OUT:
		return "out";
	case US_COPY_GIVEN_BACK:
		return "returned";
	case US_COPY_GONE:
		return "destroyed";
	}
	return "unknown";
}

struct us_collection_full *
us_collection_full(const struct us_registry *reg, uint32_t id)
{
	return id == 0 || id > reg->n_collections ? NULL : reg->collections[id - 1];
}

const struct us_collection *
us_registry_collection(const struct us_registry *reg, uint32_t id)
{
	const struct us_collection_full *c = us_collection_full(reg, id);

	return c == NULL ? NULL : &c->shown;
}

const struct us_collection *
us_registry_collection_named(const struct us_registry *reg, struct us_bytes name)
{
	for (size_t i = 0; i < reg->n_collections; i++)
		if (us_names_equal(reg->collections[i]->shown.name, name))
			return &reg->collections[i]->shown;
	return NULL;
}

uint32_t
us_registry_collections(const struct us_registry *reg)
{
	return (uint32_t)reg->n_collections;
}

size_t
us_registry_batches(const struct us_registry *reg, uint32_t collection)
{
	const struct us_collection_full *c = us_collection_full(reg, collection);

	return c == NULL ? 0 : c->n_batches;
}

const struct us_batch *
us_registry_batch(const struct us_registry *reg, uint32_t collection, size_t i)
{
	const struct us_collection_full *c = us_collection_full(reg, collection);

	return c == NULL || i >= c->n_batches ? NULL : c->batches[i];
}

/* How many batches begin at or before record. */
static size_t
batches_until(const struct us_collection_full *c, uint64_t record)
{
	size_t low = 0, high = c->n_batches;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (c->batches[middle]->facts.first <= record)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

const struct us_batch *
us_registry_batch_of(const struct us_registry *reg, uint32_t collection, uint64_t record)
{
	const struct us_collection_full *c = us_collection_full(reg, collection);
	size_t n = c == NULL ? 0 : batches_until(c, record);

	if (n == 0)
		return NULL;
	const struct us_batch *b = c->batches[n - 1];
	return b->status != US_BATCH_VOID && record - b->facts.first < b->facts.count ? b : NULL;
}

int
us_batch_place(const struct us_collection_full *c, uint64_t first, uint32_t count, size_t *at)
{
	size_t n = batches_until(c, first);

	if (n > 0 && first - c->batches[n - 1]->facts.first < c->batches[n - 1]->facts.count)
		return US_ERR_EXISTS;
	if (n < c->n_batches && c->batches[n]->facts.first - first < count)
		return US_ERR_EXISTS;
	*at = n;
	return US_OK;
}

const struct us_batch *
us_registry_batch_slot(const struct us_registry *reg, uint32_t collection, uint32_t slot)
{
	const struct us_collection_full *c = us_collection_full(reg, collection);

	for (size_t i = 0; c != NULL && i < c->n_batches; i++)
		if (c->batches[i]->facts.slot == slot)
			return c->batches[i];
	return NULL;
}

const struct us_dictionary *
us_registry_dictionary(const struct us_registry *reg, uint32_t collection, uint32_t version)
{
	const struct us_collection_full *c = us_collection_full(reg, collection);

	if (c == NULL || c->n_dictionaries == 0 || version > c->n_dictionaries)
		return NULL;
	return &c->dictionaries[(version == 0 ? c->n_dictionaries : version) - 1];
}

uint64_t
us_registry_copies(const struct us_registry *reg)
{
	return reg->n_copies;
}

const struct us_copy *
us_registry_copy(const struct us_registry *reg, uint64_t id)
{
	return id == 0 || id > reg->n_copies ? NULL : &reg->copies[id - 1]->shown;
}
