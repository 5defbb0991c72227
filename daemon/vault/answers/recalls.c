#include "daemon/vault/answers/recalls.h"

#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "daemon/vault/answers/listing.h"
#include "registry/recalls.h"

#define ITEMS_SHOWN 32  /* an answer has an end, whatever somebody has copied */
#define RANGES_SHOWN 32 /* of an item: the numbers, where they are not all in a row */

struct us_vault_recalling {
	const struct us_registry *reg;
	struct us_json *j;
	uint64_t n;
};

/* "DEMO000000001" or "DEMO000000001..DEMO000000009" */
static void
put_range(struct us_json *j, const char *prefix, uint64_t first, uint64_t last)
{
	char text[2 * US_BATES_MAX + 3], end[US_BATES_MAX + 1];

	if (us_bates_format(prefix, first, text) != US_OK ||
	    us_bates_format(prefix, last, end) != US_OK)
		return;
	if (last > first) {
		const size_t n = strlen(text);

		(void)snprintf(text + n, sizeof text - n, "..%s", end);
	}
	us_json_cstr(j, text);
}

/* Ranges of what was taken back; returns how many records that are, those not shown too. */
static uint64_t
put_numbers(struct us_json *j, const struct us_recall *recall, const char *prefix)
{
	const struct us_copy *c = recall->copy;
	uint64_t records = 0;
	size_t ranges = 0;

	us_json_array(j);
	for (uint32_t i = 0, last; i < c->n; i = last + 1) {
		last = i;
		if (!us_recall_has(recall, c->records[i]))
			continue;
		while (last + 1 < c->n && c->records[last + 1] == c->records[last] + 1 &&
		    us_recall_has(recall, c->records[last + 1]))
			last++;
		records += last - i + 1u;
		if (ranges++ < RANGES_SHOWN)
			put_range(j, prefix, c->records[i], c->records[last]);
	}
	us_json_close(j);
	return records;
}

static void
put_recall(void *ctx, const struct us_recall *recall)
{
	struct us_vault_recalling *r = ctx;
	const struct us_collection *c = us_registry_collection(r->reg, recall->copy->collection);
	char by[US_COLLECTION_NAME_MAX + 32];

	if (r->n++ >= ITEMS_SHOWN || c == NULL)
		return;
	if (r->n == 1) {
		us_json_key(r->j, "recalls");
		us_json_array(r->j);
	}
	if (recall->clawback != NULL)
		(void)snprintf(by, sizeof by, "%s", recall->clawback->id);
	else
		(void)snprintf(by, sizeof by, "%s/%u", c->name, recall->batch->facts.slot);
	us_json_object(r->j);
	us_json_kv_uint(r->j, "copy", recall->copy->id);
	us_json_kv_cstr(r->j, "recipient", recall->copy->recipient);
	us_json_kv_cstr(r->j, "collection", c->name);
	us_json_kv_cstr(r->j, "why", recall->clawback != NULL ? "clawed-back" : "withdrawn");
	us_json_kv_cstr(r->j, "by", by);
	us_vault_list_put_time(r->j, "since", recall->since_ns);
	us_vault_list_put_time(r->j, "due", recall->due_ns);
	us_json_key(r->j, "bates");
	us_json_kv_uint(r->j, "records", put_numbers(r->j, recall, c->prefix));
	us_json_close(r->j);
}

void
us_vault_put_recalls(const struct us_registry *reg, const struct us_person *who, struct us_json *j)
{
	struct us_vault_recalling r = { .reg = reg, .j = j };

	us_registry_recalls(reg, who, put_recall, &r);
	if (r.n == 0)
		return;
	us_json_close(j);
	us_json_kv_uint(j, "recalled", r.n);
}
