#include "client/log/acts.h"

#include "log/entry.h"
#include "log/state.h"
#include "log/tiles.h"
#include "base/err.h"

int
us_log_acts_are_open(const struct us_log_remote *remote)
{
	return (remote->keys != NULL || remote->store != NULL) && !remote->withheld;
}

/* Counts the acts of one answer; 0 too if it is malformed. */
static uint64_t
count(const struct us_buf *acts)
{
	struct us_reader r;
	uint64_t n = 0;

	us_reader_init(&r, acts->data, acts->len);
	for (; r.left > 0 && r.err == US_OK; n++)
		(void)us_take_str32(&r, US_ACT_COMMITTED_MAX);
	return r.err == US_OK ? n : 0;
}

int
us_log_acts_fetch(struct us_client *client, struct us_buf *out)
{
	struct us_reply reply;
	uint64_t after = 0, n = 1;
	int status = US_EXIT_DONE;

	us_reply_init(&reply);
	while (status == US_EXIT_DONE && n > 0) {
		char path[64];
		const struct us_client_request request = { .method = "GET", .path = path };

		(void)snprintf(path, sizeof path, "/v1/log/acts?after=%llu",
		    (unsigned long long)after);
		status = us_client_do(client, &request, &reply);
		if (status != US_EXIT_DONE)
			break;
		n = count(&reply.body);
		if (n == 0 && reply.body.len > 0) {
			us_say("the vault's answer with the acts is malformed");
			status = US_EXIT_OTHER;
		} else if (us_buf_put(out, reply.body.data, reply.body.len) != US_OK) {
			us_give_up(US_EXIT_OTHER, "out of memory");
		}
		after += n;
	}
	us_reply_free(&reply);
	return status;
}

uint64_t
us_log_acts_in_bundle(struct us_bytes bundle)
{
	struct us_entry_view view;
	struct us_reader r;
	uint64_t n = 0;

	us_reader_init(&r, bundle.p, bundle.n);
	while (r.left > 0 && r.err == US_OK) {
		const struct us_bytes entry = us_bundle_take(&r);

		n += r.err == US_OK && us_entry_decode(&view, entry.p, entry.n) == US_OK &&
		    view.entry_class == US_CLASS_STATE;
	}
	return n;
}

int
us_log_acts_cut(struct us_buf *acts, uint64_t n)
{
	struct us_reader r;

	us_reader_init(&r, acts->data, acts->len);
	for (; n > 0 && r.left > 0; n--) {
		(void)us_take_str32(&r, US_ACT_COMMITTED_MAX);
		if (r.err != US_OK)
			return r.err;
	}
	acts->len -= r.left;
	return US_OK;
}
