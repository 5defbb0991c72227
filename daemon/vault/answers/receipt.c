#include "daemon/vault/answers/receipt.h"

#include <stdio.h>

#include "base/base64.h"
#include "base/err.h"

static void
put_batches(const struct us_registry *reg, const struct us_vault_load_facts *l, struct us_json *j)
{
	const struct us_collection *c = us_registry_collection(reg, l->collection);
	char bates[US_BATES_MAX + 1], name[US_COLLECTION_NAME_MAX + 16];
	size_t i;

	us_json_key(j, "batches");
	us_json_array(j);
	for (i = 0; i < l->n_stored; i++) {
		const struct us_batch *b = us_registry_batch_slot(reg, l->collection,
		    l->stored[i].slot);

		if (b == NULL)
			continue;
		us_json_object(j);
		(void)snprintf(name, sizeof name, "%s/%u", c->name, b->facts.slot);
		us_json_kv_cstr(j, "batch", name);
		us_json_kv_uint(j, "slot", b->facts.slot);
		us_json_kv_uint(j, "records", b->facts.count);
		if (us_bates_format(c, b->facts.first, bates) == US_OK)
			us_json_kv_cstr(j, "first", bates);
		if (us_bates_format(c, b->facts.first + b->facts.count - 1, bates) == US_OK)
			us_json_kv_cstr(j, "last", bates);
		us_json_kv_cstr(j, "status", us_batch_status_name(b->status));
		us_json_kv_hex(j, "manifest_root", b->facts.manifest_root, 32);
		us_json_kv_uint(j, "entry", l->stored[i].entry);
		us_json_kv_uint(j, "raw_bytes", b->facts.raw_bytes);
		us_json_kv_hex(j, "before", l->stored[i].before, sizeof l->stored[i].before);
		us_json_key(j, "act");
		us_json_base64(j, l->stored[i].committed.data, l->stored[i].committed.len);
		us_json_close(j);
	}
	us_json_close(j);
}

void
us_vault_receipt_put(const struct us_registry *reg, const struct us_vault_load_facts *l,
    const struct us_msg_load_ended *m, struct us_json *j)
{
	us_json_kv_uint(j, "load", l->id);
	us_json_kv_bool(j, "dry_run", (l->flags & US_LOAD_DRY_RUN) != 0);
	us_json_kv_bool(j, "ended", m != NULL);
	if (m != NULL) {
		us_json_kv_uint(j, "received", m->received);
		us_json_kv_uint(j, "admitted", m->admitted);
		us_json_kv_uint(j, "duplicates", m->duplicates);
		us_json_kv_uint(j, "refused", m->refused);
	}
	put_batches(reg, l, j);
}
