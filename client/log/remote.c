#include "client/log/remote.h"

#include <stdlib.h>
#include <string.h>

#include "client/core/progress.h"
#include "client/log/proofs.h"
#include "base/base64.h"
#include "base/err.h"
#include "base/number.h"

#define WITNESSED "checkpoint.witnessed"

static void
open_newest(struct us_log_remote *remote)
{
	struct us_proofs *proofs = us_proofs_open(remote->log.client);
	struct us_checkpoint checkpoint;
	int err;

	us_buf_init(&remote->checkpoint, 65536);
	err = us_log_fetch(&remote->log, "checkpoint", &remote->checkpoint);
	if (err != US_OK && err != US_ERR_CLOSED && remote->log.status == US_EXIT_DONE)
		us_say("the request failed: %s", us_strerror(err));
	if (err != US_OK)
		exit(remote->log.status == US_EXIT_DONE ? US_EXIT_OTHER : remote->log.status);
	err = us_proofs_checkpoint(proofs,
	    (struct us_bytes){ remote->checkpoint.data, remote->checkpoint.len }, &checkpoint);
	if (err != US_OK)
		us_give_up(err == US_ERR_INCOMPLETE || err == US_ERR_CLOSED ? US_EXIT_INCOMPLETE :
									      US_EXIT_UNVERIFIED,
		    "the log's checkpoint does not follow from the one this profile "
		    "remembers, or is not signed by its key: %s",
		    us_strerror(err));
	remote->size = checkpoint.size;
	us_proofs_close(proofs);
}

void
us_log_remote_open(struct us_log_remote *remote, struct us_client *client)
{
	memset(remote, 0, sizeof *remote);
	remote->log.client = client;
	open_newest(remote);
}

void
us_log_remote_open_witnessed(struct us_log_remote *remote, struct us_client *client)
{
	int err = US_OK;

	memset(remote, 0, sizeof *remote);
	remote->log.client = client;
	while (err == US_OK && remote->n_witnessed < US_COSIGNERS_MAX) {
		struct us_buf *note = &remote->witnessed[remote->n_witnessed];
		char path[64];

		us_buf_init(note, US_COSIGNED_MAX);
		(void)snprintf(path, sizeof path, WITNESSED "/%zu", remote->n_witnessed + 1);
		err = us_log_get(&remote->log, path, note);
		remote->n_witnessed += err == US_OK;
	}
	if (err != US_OK && err != US_ERR_NOT_FOUND)
		us_give_up(remote->log.status == US_EXIT_DONE ? US_EXIT_OTHER : remote->log.status,
		    "the vault does not give the checkpoints that were cosigned: %s",
		    us_strerror(err));
	open_newest(remote);
}

void
us_log_remote_close(struct us_log_remote *remote)
{
	us_buf_free(&remote->checkpoint);
	for (size_t i = 0; i < remote->n_witnessed; i++)
		us_buf_free(&remote->witnessed[i]);
	if (remote->keys != NULL)
		us_wipe(remote->keys, remote->size * sizeof *remote->keys);
	free(remote->keys);
}

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
 * "from" on. */
static int
take_keys(struct us_log_remote *remote, const struct us_buf *body, uint64_t *next)
{
	cJSON *answer = cJSON_ParseWithLength((const char *)body->data, body->len);
	const cJSON *boxes = cJSON_GetObjectItemCaseSensitive(answer, "boxes"), *item;
	uint64_t to = (uint64_t)us_json_number(answer, "next", 0), at = *next;
	int err = US_OK;

	if ((uint64_t)us_json_number(answer, "from", -1) != *next || to <= *next ||
	    to > remote->size)
		err = US_ERR_FORMAT;
	cJSON_ArrayForEach(item, boxes) {
		if (err == US_OK && at >= to)
			err = US_ERR_FORMAT;
		if (err == US_OK)
			err = take_boxes(&remote->keys[at++], item);
	}
	if (err == US_OK && at != to)
		err = US_ERR_FORMAT;
	*next = to;
	cJSON_Delete(answer);
	return err;
}

int
us_log_remote_keys(struct us_log_remote *remote)
{
	return us_log_remote_keys_range(remote, 0, remote->size);
}

int
us_log_remote_keys_range(struct us_log_remote *remote, uint64_t from, uint64_t to)
{
	uint64_t next = from;
	struct us_reply reply;
	int status = US_EXIT_DONE;

	if (remote->size == 0)
		return US_EXIT_DONE;
	if (remote->keys == NULL)
		remote->keys = calloc(remote->size, sizeof *remote->keys);
	if (remote->keys == NULL)
		us_give_up(US_EXIT_OTHER, "out of memory");
	us_reply_init(&reply);
	us_progress_start(&remote->progress, "keys", to);
	while (next < to && status == US_EXIT_DONE) {
		char path[128];
		const struct us_client_request request = { .method = "GET", .path = path };

		(void)snprintf(path, sizeof path, "/v1/log/keys?from=%llu&to=%llu",
		    (unsigned long long)next, (unsigned long long)to);
		status = us_client_do(remote->log.client, &request, &reply);
		if (status == US_EXIT_DONE && take_keys(remote, &reply.body, &next) != US_OK) {
			us_say("the vault's answer with the keys is malformed");
			status = US_EXIT_OTHER;
		}
		us_progress_at(&remote->progress, next, next);
	}
	us_progress_end(&remote->progress);
	us_reply_free(&reply);
	return status;
}

/* "" or ".K": as the files of an export are called. */
static int
get_witnessed(const struct us_log_remote *remote, const char *suffix, struct us_buf *out)
{
	uint64_t k = 1;

	if (*suffix != '\0' &&
	    us_number_digits(suffix + 1, strlen(suffix + 1), US_COSIGNERS_MAX, &k) != US_OK)
		k = 0;
	return k < 1 || k > remote->n_witnessed ?
	    US_ERR_NOT_FOUND :
	    us_buf_put(out, remote->witnessed[k - 1].data, remote->witnessed[k - 1].len);
}

static int
get_file(void *arg, const char *path, struct us_buf *out)
{
	struct us_log_remote *remote = arg;

	if (strcmp(path, "checkpoint") == 0)
		return us_buf_put(out, remote->checkpoint.data, remote->checkpoint.len);
	if (strncmp(path, WITNESSED, sizeof WITNESSED - 1) == 0)
		return get_witnessed(remote, path + sizeof WITNESSED - 1, out);
	if (strcmp(path, "log.vkey") == 0)
		return us_buf_putf(out, "%s\n", remote->log.client->profile.vkey);
	if (strcmp(path, "acts") == 0) /* part by part, and logged: client/log/acts.h */
		return US_ERR_NOT_FOUND;
	return us_log_get(&remote->log, path, out);
}

static int
next_keys(void *arg, char line[US_EXPORT_KEYS_LINE_MAX], size_t *n)
{
	struct us_log_remote *remote = arg;
	struct us_key key[US_BOXES];
	struct us_buf text;
	int err = US_ERR_NOT_FOUND;

	while (remote->keys != NULL && remote->next_line < remote->size &&
	    remote->keys[remote->next_line].present == 0)
		remote->next_line++;
	if (remote->keys == NULL || remote->next_line >= remote->size)
		return US_ERR_NOT_FOUND;
	us_buf_init(&text, US_EXPORT_KEYS_LINE_MAX);
	for (unsigned box = 0; box < US_BOXES; box++)
		memcpy(key[box].b, remote->keys[remote->next_line].key[box], 32);
	err = us_export_keys_line(&text, remote->next_line,
	    (remote->keys[remote->next_line].present & 1) != 0 ? &key[0] : NULL,
	    (remote->keys[remote->next_line].present & 2) != 0 ? &key[1] : NULL,
	    (remote->keys[remote->next_line].present & 4) != 0 ? &key[2] : NULL);
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

struct us_log_source
us_log_remote_source(struct us_log_remote *remote)
{
	remote->next_line = 0;
	return (struct us_log_source){ .arg = remote,
		.get = get_file,
		.next_keys = remote->keys == NULL ? NULL : next_keys };
}
