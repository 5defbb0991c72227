#include "daemon/vault/answers/answer.h"

#include <string.h>

#include "base/err.h"
#include "log/proof.h"

struct us_registry *
us_vault_registry_of(const struct us_vault_request *r)
{
	return us_vault_registry(r->vault->state);
}

void
us_vault_json_begin(struct us_json *j, struct us_buf *b, size_t max)
{
	us_buf_init(b, max);
	us_json_begin(j, b);
	us_json_object(j);
}

void
us_vault_put_head(const struct us_vault_request *r, struct us_json *j, uint64_t snapshot,
    uint64_t entry)
{
	us_json_kv_uint(j, "snapshot", snapshot);
	us_json_kv_uint(j, "order", us_registry_order(us_vault_registry_of(r))->version);
	us_json_kv_uint(j, "entry", entry);
	us_json_key(j, "quota");
	us_vault_put_quota(j, &r->who.left);
}

int
us_vault_put_proof(uint64_t index, struct us_bytes hashes, struct us_bytes checkpoint,
    struct us_buf *out)
{
	struct us_tlog_proof p = { .index = index,
		.n_hashes = hashes.n / US_HASH_LEN,
		.checkpoint = checkpoint };

	if (hashes.n % US_HASH_LEN != 0 || p.n_hashes > US_PROOF_MAX)
		return US_ERR_FORMAT;
	if (hashes.n > 0)
		memcpy(p.hashes, hashes.p, hashes.n);
	return us_tlog_proof_encode(out, &p);
}

enum us_vault_next
us_vault_bad_query(struct us_vault_request *r, int err, const struct us_query_error *e)
{
	if (err == US_ERR_NOMEM)
		return us_vault_fail(r, err, US_REASON_ERROR, NO_ENTRY);
	us_vault_problem_set(&r->problem, 400, "query", "The query is not understood",
	    US_REASON_MALFORMED)
	    ->position = (int64_t)e->at;
	us_vault_problem_detail(&r->problem, e->message);
	return US_VAULT_FAIL;
}

uint64_t
us_vault_snapshot(const struct us_vault_request *r, uint64_t asked)
{
	const uint64_t newest = us_vault_newest(r->vault->state);

	return asked == 0 || asked - 1 > newest ? newest : asked - 1;
}
