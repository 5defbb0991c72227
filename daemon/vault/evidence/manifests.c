#include "daemon/vault/evidence/manifests.h"

#include <stdlib.h>

#include "base/err.h"

#define SLOTS 1024 /* of 32 KiB each */

struct us_vault_manifest_slot {
	const struct us_batch_source *source; /* NULL: empty */
	uint32_t page;
	struct us_manifest_reader *reader;
};

struct us_vault_manifests {
	struct us_vault_manifest_slot slots[SLOTS]; /* by a hash of batch and page */
};

int
us_vault_manifests_new(struct us_vault_manifests **out)
{
	*out = calloc(1, sizeof **out);
	return *out == NULL ? US_ERR_NOMEM : US_OK;
}

static void
drop(struct us_vault_manifest_slot *s)
{
	us_manifest_close(s->reader);
	*s = (struct us_vault_manifest_slot){ NULL, 0, NULL };
}

void
us_vault_manifests_free(struct us_vault_manifests *m)
{
	for (size_t i = 0; m != NULL && i < SLOTS; i++)
		drop(&m->slots[i]);
	free(m);
}

void
us_vault_manifests_forget(struct us_vault_manifests *m, const struct us_batch_source *source)
{
	for (size_t i = 0; i < SLOTS; i++)
		if (m->slots[i].source == source)
			drop(&m->slots[i]);
}

int
us_vault_manifests_proof(struct us_vault_manifests *m, const struct us_batch_source *source,
    uint32_t records, uint32_t item, struct us_batch_proof *proof)
{
	const uint32_t page = item / US_MANIFEST_PER_PAGE;
	struct us_vault_manifest_slot *s =
	    &m->slots[(source->place.collection * 31u + source->place.slot * 257u + page) % SLOTS];

	if (s->source != source || s->page != page) {
		int err;

		drop(s);
		err = us_manifest_open(&s->reader, source, records);
		if (err != US_OK)
			return err;
		s->source = source;
		s->page = page;
	}
	return us_manifest_proof(s->reader, item, proof);
}
