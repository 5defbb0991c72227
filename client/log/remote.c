#include "client/log/remote.h"

#include <stdlib.h>
#include <string.h>

#include "client/log/proofs.h"
#include "client/log/remote_internal.h"
#include "base/err.h"
#include "base/number.h"

#define WITNESSED "checkpoint.witnessed"

static void
open_newest(struct us_log_remote *remote)
{
	struct us_proofs *proofs = us_proofs_of(remote->log.client);
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
		exit(us_proofs_failed("the log's checkpoint", err));
	remote->size = checkpoint.size;
	remote->tree = checkpoint;
	remote->tree.extensions = (struct us_bytes){ NULL, 0 };
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
	us_log_remote_keys_close(remote);
	us_mirror_close(remote->mirror);
	remote->mirror = NULL;
}

void
us_log_remote_said(const struct us_log_remote *remote)
{
	struct us_mirror_counts c;

	if (remote->mirror == NULL)
		return;
	c = us_mirror_counts(remote->mirror);
	if (c.damaged > 0)
		us_say("%llu files of the log's mirror in %s were not what they were when they "
		       "were verified, and were fetched again",
		    (unsigned long long)c.damaged, remote->log.client->profile.directory);
	if (c.unwritable != 0)
		us_say("the log's mirror in %s cannot be written (%s): what is missing is fetched "
		       "again each time",
		    remote->log.client->profile.directory, strerror(c.unwritable));
}

void
us_log_remote_mirror(struct us_log_remote *remote)
{
	int err = us_mirror_open(&remote->mirror, &remote->log, &remote->tree);

	if (err == US_OK)
		err = us_mirror_fetch(remote->mirror);
	if (err == US_ERR_NOMEM)
		us_give_up(US_EXIT_OTHER, "out of memory");
	if (err == US_OK)
		return;
	us_mirror_close(remote->mirror);
	remote->mirror = NULL;
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
	return remote->mirror != NULL ? us_mirror_file(remote->mirror, path, out) :
					us_log_get(&remote->log, path, out);
}

struct us_log_source
us_log_remote_source(struct us_log_remote *remote)
{
	remote->next_line = 0;
	return (struct us_log_source){ .arg = remote,
		.get = get_file,
		.next_keys = remote->keys == NULL && remote->store == NULL ?
		    NULL :
		    us_log_remote_next_keys,
		.shared = remote->mirror != NULL };
}
