#include "daemon/vault/request/front.h"

#include <stdlib.h>

#include "base/err.h"
#include "daemon/vault/request/request.h"

#define TAG_BUCKETS 1024

struct us_vault_front {
	struct us_channel *channel;
	size_t n_requests;
	struct us_vault_request *by_tag[TAG_BUCKETS];
	size_t next_bucket; /* whose requests come first when the front has room again */
};

int
us_vault_front_new(struct us_vault_front **out)
{
	*out = calloc(1, sizeof **out);
	return *out == NULL ? US_ERR_NOMEM : US_OK;
}

void
us_vault_front_free(struct us_vault_front *f)
{
	free(f);
}

void
us_vault_front_connect(struct us_vault_front *f, struct us_channel *channel)
{
	f->channel = channel;
}

struct us_channel *
us_vault_front_channel(const struct us_vault_front *f)
{
	return f->channel;
}

static struct us_vault_request **
place_of(struct us_vault_front *f, uint32_t tag)
{
	struct us_vault_request **at = &f->by_tag[tag % TAG_BUCKETS];

	while (*at != NULL && (*at)->tag != tag)
		at = &(*at)->tag_next;
	return at;
}

void
us_vault_front_link(struct us_vault_front *f, struct us_vault_request *r)
{
	r->tag_next = f->by_tag[r->tag % TAG_BUCKETS];
	f->by_tag[r->tag % TAG_BUCKETS] = r;
	f->n_requests++;
}

void
us_vault_front_unlink(struct us_vault_front *f, struct us_vault_request *r)
{
	*place_of(f, r->tag) = r->tag_next;
	f->n_requests--;
}

struct us_vault_request *
us_vault_front_find(struct us_vault_front *f, uint32_t tag)
{
	return *place_of(f, tag);
}

struct us_vault_request *
us_vault_front_any(struct us_vault_front *f)
{
	for (size_t i = 0; i < TAG_BUCKETS && f->n_requests > 0; i++)
		if (f->by_tag[i] != NULL)
			return f->by_tag[i];
	return NULL;
}

size_t
us_vault_front_requests(const struct us_vault_front *f)
{
	return f->n_requests;
}

void
us_vault_front_drained(struct us_vault_front *f)
{
	struct us_vault_request *r, *next;

	/* in turn: who was first this time comes last the next */
	for (size_t i = 0; i < TAG_BUCKETS && !us_channel_is_high(f->channel); i++) {
		for (r = f->by_tag[f->next_bucket]; r != NULL; r = next) {
			next = r->tag_next;
			if (!us_channel_is_high(f->channel))
				us_work_credit(&r->work, 0);
		}
		f->next_bucket = (f->next_bucket + 1) % TAG_BUCKETS;
	}
}
