/* Keys of the log's boxes, from the vault and from beside the mirror. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/err.h"
#include "client/core/progress.h"
#include "client/log/remote_internal.h"

#define BOX_ALL ((1u << US_BOXES) - 1)
#define RUN 16u /* bundles that are asked for at once: what one answer holds */

static int
take_boxes(struct us_box_keys *k, const cJSON *boxes)
{
	static const char *const names[US_BOXES] = { "access", "disclosure", "query" };

	for (unsigned box = 0; box < US_BOXES; box++) {
		const char *text = us_json_text(boxes, names[box]);
		size_t n;

		if (*text == '\0')
			continue;
		if (us_base64_decode(text, strlen(text), k->key[box], 32, &n) != US_OK || n != 32)
			return US_ERR_FORMAT;
		k->present |= (uint8_t)(1u << box);
	}
	return US_OK;
}

/* One answer: {"from", "next", "boxes": [{"access", "disclosure", "query"}]}, a box each from
 * "from" on; keys is that of *next. */
static int
take_keys(const struct us_log_remote *remote, const struct us_buf *body, uint64_t *next,
    uint64_t end, struct us_box_keys *keys)
{
	cJSON *answer = cJSON_ParseWithLength((const char *)body->data, body->len);
	const cJSON *boxes = cJSON_GetObjectItemCaseSensitive(answer, "boxes"), *item;
	uint64_t to = (uint64_t)us_json_number(answer, "next", 0), at = *next;
	int err = US_OK;

	if ((uint64_t)us_json_number(answer, "from", -1) != *next || to <= *next || to > end ||
	    to > remote->size)
		err = US_ERR_FORMAT;
	cJSON_ArrayForEach(item, boxes) {
		if (err == US_OK && at >= to)
			err = US_ERR_FORMAT;
		if (err == US_OK)
			err = take_boxes(&keys[at++ - *next], item);
	}
	if (err == US_OK && at != to)
		err = US_ERR_FORMAT;
	*next = to;
	cJSON_Delete(answer);
	return err;
}

/* Keys of the entries from .. to - 1, from the vault, which logs it. Returns an exit status. */
static int
fetch_keys(struct us_log_remote *remote, uint64_t from, uint64_t to, struct us_box_keys *keys)
{
	struct us_reply reply;
	int status = US_EXIT_DONE;

	memset(keys, 0, (size_t)(to - from) * sizeof *keys);
	us_reply_init(&reply);
	for (uint64_t next = from; next < to && status == US_EXIT_DONE;) {
		const uint64_t before = next;
		char path[128];
		const struct us_client_request request = { .method = "GET", .path = path };

		(void)snprintf(path, sizeof path, "/v1/log/keys?from=%llu&to=%llu",
		    (unsigned long long)next, (unsigned long long)to);
		status = us_client_do(remote->log.client, &request, &reply);
		if (status == US_EXIT_DONE &&
		    take_keys(remote, &reply.body, &next, to, keys + (before - from)) != US_OK) {
			us_say("the vault's answer with the keys is malformed");
			status = US_EXIT_OTHER;
		}
		us_progress_at(&remote->progress, next, next);
	}
	us_reply_free(&reply);
	return status;
}

int
us_log_remote_keys_range(struct us_log_remote *remote, uint64_t from, uint64_t to)
{
	int status;

	if (remote->size == 0)
		return US_EXIT_DONE;
	if (remote->keys == NULL)
		remote->keys = calloc(remote->size, sizeof *remote->keys);
	if (remote->keys == NULL)
		us_give_up(US_EXIT_OTHER, "out of memory");
	us_progress_start(&remote->progress, "keys", to);
	status = fetch_keys(remote, from, to, remote->keys + from);
	us_progress_end(&remote->progress);
	for (uint64_t i = from; i < to; i++)
		remote->withheld |= remote->keys[i].present != BOX_ALL;
	return status;
}

/* ---- beside the mirror ---- */

static void
note_withheld(struct us_log_remote *remote, const struct us_box_keys *keys, size_t n)
{
	for (size_t i = 0; i < n; i++)
		remote->withheld |= keys[i].present != BOX_ALL;
}

/* Whether these are the keys that the entries of a full bundle commit to. */
static int
are_keys_of(struct us_log_remote *remote, uint64_t n, const struct us_box_keys *keys)
{
	const struct us_tile tile = { .entries = 1, .n = n, .width = US_TILE_WIDTH };
	struct us_entry_view view;
	struct us_buf bundle;
	struct us_reader r;
	struct us_key key;
	uint8_t commitment[32];
	int err;

	us_buf_init(&bundle, US_BUNDLE_MAX);
	err = us_mirror_get(remote->mirror, &tile, &bundle);
	us_reader_init(&r, bundle.data, bundle.len);
	for (size_t i = 0; err == US_OK && i < US_TILE_WIDTH; i++) {
		const struct us_bytes e = us_bundle_take(&r);

		err = r.err != US_OK ? r.err : us_entry_decode(&view, e.p, e.n);
		for (unsigned box = 0; err == US_OK && box < US_BOXES; box++) {
			if ((keys[i].present >> box & 1) == 0)
				continue;
			memcpy(key.b, keys[i].key[box], sizeof key.b);
			err = us_entry_commitment(commitment, (enum us_box)box, view.index, &key);
			if (err == US_OK &&
			    memcmp(commitment, view.boxes[box].commitment, sizeof commitment) != 0)
				err = US_ERR_VERIFY;
		}
	}
	us_wipe(&key, sizeof key);
	us_buf_free(&bundle);
	return err == US_OK;
}

/* Keeps the keys of n full bundles from the first on, if they are theirs. Returns an exit
 * status. */
static int
keep(struct us_log_remote *remote, uint64_t first, uint64_t n, const struct us_box_keys *keys)
{
	for (uint64_t i = 0; i < n && remote->unwritable == 0; i++) {
		if (!are_keys_of(remote, first + i, keys + i * US_TILE_WIDTH)) {
			us_say("VERIFICATION FAILED: the vault gave keys for the entries %llu to "
			       "%llu that are not those which they commit to",
			    (unsigned long long)((first + i) * US_TILE_WIDTH),
			    (unsigned long long)((first + i + 1) * US_TILE_WIDTH - 1));
			return US_EXIT_UNVERIFIED;
		}
		if (us_key_store_put(remote->store, first + i, keys + i * US_TILE_WIDTH) != US_OK)
			remote->unwritable = errno;
	}
	return US_EXIT_DONE;
}

/* So many bundles from the first on have no keys here, up to RUN. */
static uint64_t
missing(const struct us_log_remote *remote, uint64_t first, struct us_box_keys *keys)
{
	const uint64_t bundles = remote->size / US_TILE_WIDTH;
	uint64_t n = 0;

	while (n < RUN && first + n < bundles &&
	    us_key_store_get(remote->store, first + n, keys + n * US_TILE_WIDTH) != US_OK)
		n++;
	return n;
}

/* Those of full bundles stay in files, those behind them in memory. */
static int
bring_keys(struct us_log_remote *remote)
{
	const uint64_t bundles = remote->size / US_TILE_WIDTH, behind = bundles * US_TILE_WIDTH;
	struct us_box_keys *keys = calloc(RUN * US_TILE_WIDTH, sizeof *keys);
	int status = US_EXIT_DONE;

	if (keys == NULL)
		us_give_up(US_EXIT_OTHER, "out of memory");
	us_progress_start(&remote->progress, "keys", remote->size);
	for (uint64_t i = remote->keys_known; i < bundles && status == US_EXIT_DONE;) {
		const uint64_t n = missing(remote, i, keys);

		if (n > 0)
			status = fetch_keys(remote, i * US_TILE_WIDTH, (i + n) * US_TILE_WIDTH,
			    keys);
		if (n > 0 && status == US_EXIT_DONE)
			status = keep(remote, i, n, keys);
		note_withheld(remote, keys, (size_t)(n > 0 ? n : 1) * US_TILE_WIDTH);
		i += n > 0 ? n : 1;
	}
	if (status == US_EXIT_DONE && behind < remote->size) {
		status = fetch_keys(remote, behind, remote->size, remote->tail_keys);
		note_withheld(remote, remote->tail_keys, (size_t)(remote->size - behind));
	}
	us_progress_end(&remote->progress);
	us_wipe(keys, RUN * US_TILE_WIDTH * sizeof *keys);
	free(keys);
	return status;
}

int
us_log_remote_keys(struct us_log_remote *remote)
{
	int status;

	if (remote->mirror == NULL)
		return us_log_remote_keys_range(remote, 0, remote->size);
	if (remote->store == NULL &&
	    us_key_store_new(&remote->store, us_client_profile(remote->log.client)) != US_OK)
		us_give_up(US_EXIT_OTHER, "out of memory");
	remote->bundle_keys_n = UINT64_MAX;
	status = bring_keys(remote);
	if (status != US_EXIT_DONE || remote->unwritable == 0)
		return status;
	us_say("keys cannot be kept beside the mirror (%s): they are fetched again each time",
	    strerror(remote->unwritable));
	us_key_store_free(remote->store);
	remote->store = NULL;
	return us_log_remote_keys_range(remote, 0, remote->size);
}

/* Those of a full bundle, whose file is not what it was: asked for again. */
static int
bring_again(struct us_log_remote *remote, uint64_t n)
{
	int status;

	us_mirror_hold(remote->mirror);
	status = fetch_keys(remote, n * US_TILE_WIDTH, (n + 1) * US_TILE_WIDTH,
	    remote->bundle_keys);
	us_mirror_release(remote->mirror);
	if (status == US_EXIT_DONE)
		status = keep(remote, n, 1, remote->bundle_keys);
	return status == US_EXIT_DONE ? US_OK : US_ERR_IO;
}

const struct us_box_keys *
us_log_remote_keys_of(struct us_log_remote *remote, uint64_t index)
{
	const uint64_t n = index / US_TILE_WIDTH;

	if (remote->store == NULL)
		return &remote->keys[index];
	if (n == remote->size / US_TILE_WIDTH)
		return &remote->tail_keys[index % US_TILE_WIDTH];
	if (remote->bundle_keys_n != n &&
	    us_key_store_get(remote->store, n, remote->bundle_keys) != US_OK &&
	    bring_again(remote, n) != US_OK)
		return NULL;
	remote->bundle_keys_n = n;
	return &remote->bundle_keys[index % US_TILE_WIDTH];
}

int
us_log_remote_next_keys(void *arg, char line[US_EXPORT_KEYS_LINE_MAX], size_t *n)
{
	struct us_log_remote *remote = arg;
	const struct us_box_keys *k = NULL;
	struct us_key key[US_BOXES];
	struct us_buf text;
	int err;

	for (; remote->next_line < remote->size; remote->next_line++) {
		k = us_log_remote_keys_of(remote, remote->next_line);
		if (k == NULL)
			return US_ERR_IO;
		if (k->present != 0)
			break;
	}
	if (k == NULL || remote->next_line >= remote->size)
		return US_ERR_NOT_FOUND;
	us_buf_init(&text, US_EXPORT_KEYS_LINE_MAX);
	for (unsigned box = 0; box < US_BOXES; box++)
		memcpy(key[box].b, k->key[box], 32);
	err = us_export_keys_line(&text, remote->next_line, (k->present & 1) != 0 ? &key[0] : NULL,
	    (k->present & 2) != 0 ? &key[1] : NULL, (k->present & 4) != 0 ? &key[2] : NULL);
	while (err == US_OK && text.len > 0 && text.data[text.len - 1] == '\n')
		text.len--;
	if (err == US_OK) {
		memcpy(line, text.data, text.len);
		*n = text.len;
		remote->next_line++;
	}
	us_wipe(key, sizeof key);
	us_buf_free(&text);
	return err;
}

void
us_log_remote_keys_close(struct us_log_remote *remote)
{
	if (remote->keys != NULL)
		us_wipe(remote->keys, remote->size * sizeof *remote->keys);
	free(remote->keys);
	us_key_store_free(remote->store);
	us_wipe(remote->tail_keys, sizeof remote->tail_keys);
	us_wipe(remote->bundle_keys, sizeof remote->bundle_keys);
}
