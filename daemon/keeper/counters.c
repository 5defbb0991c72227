#include "daemon/keeper/counters.h"

#include <stdlib.h>

#include "base/array.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/log.h"
#include "daemon/keeper/internal.h"

#define GROUP_SIZE 20u

struct us_counters {
	struct us_counter *of;
	size_t n;
	struct us_counted_answers answers;
	int changed; /* the journal does not say it of answers yet */
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
	struct us_counter *found = NULL;

	for (size_t i = 0; i < all->n; i++) {
		if (all->of[i].collection == collection)
			found = &all->of[i];
	}
	if (found == NULL) {
		if (us_grow_bare(&all->of, all->n, sizeof *all->of) != US_OK)
			return NULL;
		found = &all->of[all->n++];
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
			continue; /* of answers */
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

static int
put_answers(const struct us_keeper *k, struct us_buf *b)
{
	int err = us_buf_put_u32(b, 0);

	if (err == US_OK)
		err = us_buf_put_u64(b, k->counters->answers.settled);
	return err != US_OK ? err : us_buf_put_u64(b, k->counters->answers.granted);
}

int
us_counters_write(struct us_keeper *k)
{
	struct us_buf b;
	int err = US_OK;

	us_buf_init(&b, US_JOURNAL_COUNTERS_MAX);
	err = put_answers(k, &b);
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

/* --- answers ------------------------------------------------------------------------------- */

/* The group's place, or the end. */
static size_t
place(struct us_bytes counters)
{
	size_t at = 0;

	while (counters.n - at >= GROUP_SIZE && us_load_u32(counters.p + at) != 0)
		at += GROUP_SIZE;
	return at;
}

struct us_counted_answers
us_counters_answers(struct us_keeper *k)
{
	const struct us_bytes counters = us_klog_counters(k->klog);
	const struct us_counted_answers none = { 0, 0 };
	struct us_counted_answers answers;
	const size_t at = place(counters);

	if (counters.n - at < GROUP_SIZE)
		return none;
	answers.settled = us_load_u64(counters.p + at + 4);
	answers.granted = us_load_u64(counters.p + at + 12);
	if (answers.settled > us_klog_size(k->klog) || answers.granted > us_klog_size(k->klog))
		return none;
	k->counters->answers = answers;
	return answers;
}

void
us_counters_set_answers(struct us_keeper *k, struct us_counted_answers answers)
{
	k->counters->answers = answers;
	k->counters->changed = 1;
}

void
us_counters_save(struct us_keeper *k)
{
	const struct us_bytes old = us_klog_counters(k->klog);
	const size_t at = place(old);
	struct us_buf b;
	int err;

	if (!k->counters->changed)
		return;
	us_buf_init(&b, US_JOURNAL_COUNTERS_MAX);
	err = put_answers(k, &b);
	if (err == US_OK && at > 0)
		err = us_buf_put(&b, old.p, at);
	if (err == US_OK && old.n - at > GROUP_SIZE)
		err = us_buf_put(&b, old.p + at + GROUP_SIZE, old.n - at - GROUP_SIZE);
	if (err == US_OK)
		err = us_klog_set_counters(k->klog, (struct us_bytes){ b.data, b.len });
	us_buf_free(&b);
	if (err != US_OK)
		us_fatal("the journal's counters cannot be kept: %s. Stopping", us_strerror(err));
	k->counters->changed = 0;
}
