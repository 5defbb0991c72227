#include "client/log/fetch.h"

#include <string.h>

#include "base/base64.h"
#include "base/err.h"
#include "log/cosignature.h"
#include "log/entry.h"
#include "log/merkle.h"
#include "log/tiles.h"

#define PROOF_MAX 65536

int
us_log_fetch(struct us_log_fetcher *from, const char *path, struct us_buf *out)
{
	char url[256];
	const struct us_client_request request = { .method = "GET",
		.path = url,
		.quiet = from->quiet };
	int err, patience = US_LOG_PATIENCE_SECONDS;
	struct us_reply reply;

	(void)snprintf(url, sizeof url, "/v1/log/%s", path);
	us_reply_init(&reply);
	do
		err = from->http != NULL ? us_http_exchange(from->http, &request, &reply) :
					   us_client_request(from->client, &request, &reply);
	while (err == US_OK && from->http != NULL &&
	    us_client_wait_put_off(&request, &reply, &patience));
	from->answered = err == US_OK ? reply.status : 0;
	if (err == US_OK && reply.status / 100 == 2) {
		err = us_buf_put(out, reply.body.data, reply.body.len);
	} else if (err == US_OK && reply.status == 404) {
		err = US_ERR_NOT_FOUND;
	} else if (err == US_OK) {
		err = US_ERR_INCOMPLETE;
		if (from->http == NULL && from->status == US_EXIT_DONE)
			from->status = us_client_problem(from->client, &reply);
	}
	us_reply_free(&reply);
	return err;
}

int
us_log_get(struct us_log_fetcher *from, const char *path, struct us_buf *out)
{
	const int err = us_log_fetch(from, path, out);

	return err == US_ERR_INCOMPLETE || err == US_ERR_CLOSED ? US_ERR_IO : err;
}

int
us_log_fetch_entry(struct us_log_fetcher *from, uint64_t index, uint64_t size, struct us_buf *entry)
{
	const uint64_t n = index / US_TILE_WIDTH;
	const struct us_tile tile = { .entries = 1, .n = n, .width = us_tile_width(size, 0, n) };
	struct us_bytes e = { NULL, 0 };
	char path[US_TILE_PATH_MAX];
	struct us_buf bundle;
	struct us_reader r;
	int err = us_tile_path(&tile, path, sizeof path);

	us_buf_init(&bundle, US_BUNDLE_MAX);
	if (err == US_OK)
		err = us_log_fetch(from, path, &bundle);
	us_reader_init(&r, bundle.data, bundle.len);
	for (uint64_t i = n * US_TILE_WIDTH; err == US_OK && i <= index; i++) {
		e = us_bundle_take(&r);
		err = r.err;
	}
	if (err == US_OK)
		err = us_buf_put(entry, e.p, e.n);
	us_buf_free(&bundle);
	return err;
}

/* Lines of base64. */
static int
parse_hashes(struct us_bytes text, struct us_digest proof[US_PROOF_MAX], size_t *n)
{
	struct us_bytes line;
	size_t got;
	int err;

	for (*n = 0; (err = us_cosignature_next(&text, &line)) == US_OK; (*n)++)
		if (*n == US_PROOF_MAX ||
		    us_base64_decode((const char *)line.p, line.n - 1, proof[*n].b, US_HASH_LEN,
			&got) != US_OK ||
		    got != US_HASH_LEN)
			return US_ERR_FORMAT;
	return err == US_ERR_NOT_FOUND ? US_OK : err;
}

int
us_log_prove(struct us_log_fetcher *by, const struct us_checkpoint *from,
    const struct us_checkpoint *to)
{
	struct us_digest proof[US_PROOF_MAX];
	struct us_buf lines;
	char path[64];
	size_t n = 0;
	int err;

	if (from->size == 0)
		return US_OK;
	if (from->size == to->size)
		return memcmp(from->root.b, to->root.b, US_HASH_LEN) == 0 ? US_OK : US_ERR_VERIFY;
	us_buf_init(&lines, PROOF_MAX);
	(void)snprintf(path, sizeof path, "consistency/%llu/%llu", (unsigned long long)from->size,
	    (unsigned long long)to->size);
	err = us_log_fetch(by, path, &lines);
	if (err == US_OK)
		err = parse_hashes((struct us_bytes){ lines.data, lines.len }, proof, &n);
	us_buf_free(&lines);
	if (err == US_OK &&
	    us_merkle_verify_consistency(from->size, &from->root, to->size, &to->root, proof, n) !=
		US_OK)
		err = US_ERR_VERIFY;
	return err;
}
