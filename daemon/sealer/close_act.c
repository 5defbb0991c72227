/* What the closing act says of a batch, as far as the sealer knows it. */
#include <stdlib.h>
#include <string.h>

#include "evidence/batch/batch.h"
#include "base/err.h"
#include "registry/act.h"
#include "daemon/sealer/close_act.h"

int
us_sealer_close_act_encode(const struct us_sealer_close_act *f, struct us_buf *out)
{
	struct us_act *act = calloc(1, sizeof *act);
	struct us_act_batch_close *a;
	int err;

	if (act == NULL)
		return US_ERR_NOMEM;
	act->type = US_ACT_BATCH_CLOSE;
	a = &act->u.batch_close;
	a->collection = f->collection;
	a->slot = f->slot;
	a->load = f->load;
	a->loaded_by = UINT32_MAX; /* the keeper knows, and puts it in */
	a->first = f->first;
	a->count = f->count;
	a->era = (uint32_t)(f->first >> US_ERA_SHIFT);
	memcpy(a->salt, f->salt, 32);
	a->segment_slot = f->slot;
	memcpy(a->segment_salt, f->segment_salt, 32);
	memcpy(a->manifest_root, f->manifest_root, 32);
	for (unsigned kind = 1; kind < US_BATCH_KINDS; kind++) {
		if (f->pages[kind] == 0)
			continue;
		a->pages[a->n_pages].kind = (uint8_t)kind;
		a->pages[a->n_pages].pages = f->pages[kind];
		memcpy(a->pages[a->n_pages].root, f->roots[kind], 32);
		a->n_pages++;
	}
	a->held = f->held;
	a->dictionary_version = f->dictionary_version;
	a->raw_bytes = f->raw_bytes;
	a->duplicates = f->duplicates;
	a->refused = f->refused;
	a->first_part = f->first_part;
	a->parts = f->parts;
	memcpy(a->parts_digest, f->parts_digest, 32);
	err = us_act_encode(out, act);
	free(act);
	return err;
}
