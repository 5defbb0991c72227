#include "daemon/keeper/approve.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "policy/usage.h"
#include "registry/docket.h"

static int
compare(const void *a, const void *b)
{
	const uint64_t x = us_load_u64(a), y = us_load_u64(b);

	return (x > y) - (x < y);
}

/* Ascending, each once: what an approval names. */
static size_t
sort_records(uint8_t *packed, size_t n)
{
	size_t kept = 0;

	qsort(packed, n, 8, compare);
	for (size_t i = 0; i < n; i++)
		if (kept == 0 ||
		    us_load_u64(packed + (kept - 1) * 8) != us_load_u64(packed + i * 8))
			memmove(packed + kept++ * 8, packed + i * 8, 8);
	return kept;
}

int
us_approval_find(const struct us_keeper *k, const struct us_person *person,
    const struct us_act_approval *request, struct us_approved *out)
{
	struct us_act_approval sorted = *request;
	const struct us_filing *filing;
	uint8_t digest[32], *packed;
	int err;

	memset(out, 0, sizeof *out);
	if (request->query.n > US_APPROVAL_QUERY_MAX)
		return US_OK;
	packed = malloc(request->records.n + 1);
	if (packed == NULL)
		return US_ERR_NOMEM;
	if (request->records.n > 0)
		memcpy(packed, request->records.p, request->records.n);
	sorted.n = (uint32_t)sort_records(packed, request->records.n / 8);
	sorted.records = (struct us_bytes){ packed, (size_t)sorted.n * 8 };
	err = us_request_digest(k->registry, person->id, &sorted, digest);
	free(packed);
	if (err != US_OK)
		return err;
	filing = us_registry_approval(k->registry, digest, out->approvers, &out->n);
	if (filing == NULL || k->usage == NULL ||
	    us_usage_approval_used(k->usage, filing->number) != UINT64_MAX)
		out->n = 0;
	else
		out->number = filing->number;
	return US_OK;
}

int
us_approval_take(struct us_usage *usage, const struct us_entry_access *access, uint64_t index)
{
	int err;

	if (access->decision != US_DECISION_ALLOW || access->event.form != US_EVENT_APPROVAL ||
	    usage == NULL)
		return US_OK;
	err = us_usage_approval_use(usage, access->event.approval.number, index);
	return err == US_ERR_EXISTS ? US_OK : err;
}
