#include "daemon/keeper/counters.h"

#include <stdlib.h>

#include "base/err.h"
#include "daemon/keeper/internal.h"
#include "daemon/keeper/outcome.h"

struct us_counters {
	struct us_counter *of;
	size_t n;
};

int
us_counters_new(struct us_keeper *k)
{
	k->counters = calloc(1, sizeof *k->counters);
	return k->counters == NULL ? US_ERR_NOMEM : US_OK;
}

void
us_counters_free(struct us_keeper *k)
{
	if (k->counters != NULL)
		free(k->counters->of);
	free(k->counters);
	k->counters = NULL;
}

struct us_counter *
us_counter_of(struct us_keeper *k, uint32_t collection)
{
	const struct us_collection *c = us_registry_collection(k->registry, collection);
	struct us_counters *all = k->counters;
	struct us_counter *found = NULL, *more;

	for (size_t i = 0; i < all->n; i++) {
		if (all->of[i].collection == collection)
			found = &all->of[i];
	}
	if (found == NULL) {
		more = realloc(all->of, (all->n + 1) * sizeof *more);
		if (more == NULL)
			return NULL;
		all->of = more;
		found = &more[all->n++];
		*found = (struct us_counter){ .collection = collection };
	}
	/* The registry may know more than a journal that was restored. */
	if (c != NULL && c->next_record > found->record)
		found->record = c->next_record;
	if (c != NULL && c->next_slot > found->slot)
		found->slot = c->next_slot;
	if (c != NULL && c->next_slot > found->dictionary_slot)
		found->dictionary_slot = c->next_slot;
	return found;
}

int
us_counters_read(struct us_keeper *k)
{
	struct us_bytes b = us_klog_counters(k->klog);
	struct us_reader r;

	us_reader_init(&r, b.p, b.n);
	k->counters->n = 0;
	while (r.err == US_OK && r.left > 0) {
		uint32_t collection = us_take_u32(&r);
		uint32_t slot = us_take_u32(&r), dictionary_slot = us_take_u32(&r);
		uint64_t record = us_take_u64(&r);
		struct us_counter *c;

		if (collection == 0)
			continue; /* no collection's: see outcome.c */
		c = us_counter_of(k, collection);
		if (c == NULL)
			return US_ERR_NOMEM;
		if (slot > c->slot)
			c->slot = slot;
		if (dictionary_slot > c->dictionary_slot)
			c->dictionary_slot = dictionary_slot;
		if (record > c->record)
			c->record = record;
	}
	return us_reader_end(&r);
}

int
us_counters_write(struct us_keeper *k)
{
	struct us_buf b;
	int err = US_OK;

	us_buf_init(&b, US_JOURNAL_COUNTERS_MAX);
	err = us_answers_put(k, &b);
	for (size_t i = 0; err == US_OK && i < k->counters->n; i++) {
		err = us_buf_put_u32(&b, k->counters->of[i].collection);
		if (err == US_OK)
			err = us_buf_put_u32(&b, k->counters->of[i].slot);
		if (err == US_OK)
			err = us_buf_put_u32(&b, k->counters->of[i].dictionary_slot);
		if (err == US_OK)
			err = us_buf_put_u64(&b, k->counters->of[i].record);
	}
	if (err == US_OK)
		err = us_klog_set_counters(k->klog, (struct us_bytes){ b.data, b.len });
	us_buf_free(&b);
	return err;
}
