#include "client/log/inclusion.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "client/core/file.h"
#include "client/core/commands.h"
#include "log/proof.h"
#include "log/tree.h"
#include "client/log/remote.h"
#include "client/log/deliver.h"
#include "base/err.h"
#include "base/number.h"
#include "verify/receipt.h"

struct us_client_keeping {
	struct us_log_remote *remote;
	struct us_log_source source;
	struct us_logtree *tree;
	struct us_bytes note; /* the checkpoint that is to be in the receipt */
	struct us_checkpoint checkpoint;
	uint64_t index;
	struct us_buf entry;
};

/* ---- the tree ---- */

static int
get_tile(void *arg, unsigned level, uint64_t n, unsigned width, struct us_digest *hashes)
{
	struct us_client_keeping *k = arg;
	const struct us_tile tile = { .level = level, .n = n, .width = width };
	char path[US_TILE_PATH_MAX];
	struct us_buf bytes;
	int err = us_tile_path(&tile, path, sizeof path);

	us_buf_init(&bytes, US_TILE_WIDTH * US_HASH_LEN);
	if (err == US_OK)
		err = k->source.get(k->source.arg, path, &bytes);
	if (err == US_OK && bytes.len != width * (size_t)US_HASH_LEN)
		err = US_ERR_FORMAT;
	if (err == US_OK)
		memcpy(hashes, bytes.data, bytes.len);
	us_buf_free(&bytes);
	return err;
}

static int
put_no_tile(void *arg, unsigned level, uint64_t n, const struct us_digest *hashes)
{
	(void)arg;
	(void)level;
	(void)n;
	(void)hashes;
	return US_OK;
}

static int
get_bundle(struct us_client_keeping *k, uint64_t n, struct us_buf *out)
{
	const struct us_tile tile = { .entries = 1,
		.n = n,
		.width = us_tile_width(k->remote->size, 0, n) };
	char path[US_TILE_PATH_MAX];
	int err = us_tile_path(&tile, path, sizeof path);

	return err == US_OK ? k->source.get(k->source.arg, path, out) : err;
}

/* The whole log's tree, from its full tiles and its last entries. */
static int
open_tree(struct us_client_keeping *k)
{
	const struct us_logtree_store store = { k, get_tile, put_no_tile };
	const uint64_t full = k->remote->size - k->remote->size % US_TILE_WIDTH;
	struct us_digest leaf;
	struct us_buf bundle;
	struct us_reader r;
	int err = us_logtree_new(&k->tree, &store, 0);

	us_buf_init(&bundle, US_BUNDLE_MAX);
	if (err == US_OK && full > 0)
		err = us_logtree_load(k->tree, full, NULL);
	if (err == US_OK && full < k->remote->size)
		err = get_bundle(k, full / US_TILE_WIDTH, &bundle);
	us_reader_init(&r, bundle.data, bundle.len);
	while (err == US_OK && r.left > 0 && us_logtree_size(k->tree) < k->remote->size) {
		const struct us_bytes entry = us_bundle_take(&r);

		us_merkle_leaf(&leaf, entry.p, entry.n);
		err = r.err == US_OK ? us_logtree_append(k->tree, &leaf) : r.err;
	}
	us_buf_free(&bundle);
	return err;
}

/* ---- which checkpoint ---- */

/* The newest, or the largest that a quorum cosigned. */
static int
choose(struct us_client_keeping *k, const struct us_tlog_policy *policy)
{
	const struct us_log_remote *remote = k->remote;
	struct us_note_key key;
	struct us_tlog_verdict v;
	int err = us_note_key_parse(&key, remote->log.client->profile.vkey,
	    strlen(remote->log.client->profile.vkey));

	k->note = (struct us_bytes){ remote->checkpoint.data, remote->checkpoint.len };
	if (err == US_OK)
		err = us_checkpoint_open(&k->checkpoint, NULL, k->note.p, k->note.n, &key, 1);
	if (err != US_OK || policy == NULL)
		return err;
	k->checkpoint.size = 0;
	for (size_t i = 0; i < remote->n_witnessed; i++) {
		const struct us_bytes note = { remote->witnessed[i].data,
			remote->witnessed[i].len };

		err = us_tlog_policy_check(policy, &key, note, &v);
		if (err == US_OK && v.checkpoint.size > k->checkpoint.size) {
			k->note = note;
			k->checkpoint = v.checkpoint;
		} else if (err != US_OK && err != US_ERR_INCOMPLETE) {
			return err;
		}
	}
	return k->index < k->checkpoint.size ? US_OK : US_ERR_INCOMPLETE;
}

/* ---- the file ---- */

static int
make(struct us_client_keeping *k, struct us_buf *out)
{
	struct us_tlog_proof proof = { .index = k->index, .checkpoint = k->note };
	int err = open_tree(k);

	if (err == US_OK)
		err = us_log_fetch_entry(&k->remote->log, k->index, k->remote->size, &k->entry);
	if (err == US_ERR_INCOMPLETE || err == US_ERR_CLOSED)
		err = US_ERR_IO;
	if (err == US_OK)
		err = us_logtree_inclusion(k->tree, k->index, k->checkpoint.size, proof.hashes,
		    &proof.n_hashes);
	proof.extra = (struct us_bytes){ k->entry.data, k->entry.len };
	return err == US_OK ? us_tlog_proof_encode(out, &proof) : err;
}

/* What is written is what a stranger would verify. */
static int
check(struct us_client_keeping *k, const struct us_tlog_policy *policy, const struct us_buf *text)
{
	const struct us_verify_options options = { .vkey = k->remote->log.client->profile.vkey,
		.policy = policy };
	struct us_verify_report report;

	if (us_entry_receipt_verify(&report, (struct us_bytes){ text->data, text->len },
		(struct us_bytes){ NULL, 0 }, &options) != US_OK)
		us_give_up(US_EXIT_OTHER, "out of memory");
	if (report.verdict != US_VERDICT_OK)
		us_say("VERIFICATION FAILED: the log does not prove entry %llu: %s",
		    (unsigned long long)k->index, report.detail);
	return us_verdict_exit(report.verdict);
}

int
us_inclusion_keep(struct us_client *client, uint64_t entry, const char *policy_file,
    const char *path)
{
	struct us_tlog_policy *policy = policy_file == NULL ?
	    NULL :
	    us_policy_read(policy_file, US_EXIT_USAGE);
	struct us_log_remote remote;
	struct us_client_keeping k = { .remote = &remote, .index = entry };
	struct us_buf text;
	int err, status = US_EXIT_OTHER;

	us_buf_init(&k.entry, US_ENTRY_MAX);
	us_buf_init(&text, US_RECEIPT_MAX);
	if (policy != NULL)
		us_log_remote_open_witnessed(&remote, client);
	else
		us_log_remote_open(&remote, client);
	k.source = us_log_remote_source(&remote);
	err = entry < remote.size ? choose(&k, policy) : US_ERR_RANGE;
	if (err == US_OK)
		err = make(&k, &text);
	if (err == US_OK)
		status = check(&k, policy, &text);
	else if (err == US_ERR_INCOMPLETE)
		us_say("entry %llu is not witnessed as the policy wants yet",
		    (unsigned long long)entry);
	else if (err == US_ERR_RANGE)
		us_say("the log has %llu entries", (unsigned long long)remote.size);
	else
		us_say("the log gives no receipt of entry %llu: %s", (unsigned long long)entry,
		    us_strerror(err));
	if (err == US_ERR_INCOMPLETE || err == US_ERR_RANGE)
		status = err == US_ERR_INCOMPLETE ? US_EXIT_INCOMPLETE : US_EXIT_USAGE;
	if (status == US_EXIT_DONE)
		us_file_write_new(path, text.data, text.len);
	us_logtree_free(k.tree);
	us_log_remote_close(&remote);
	us_buf_free(&k.entry);
	us_buf_free(&text);
	us_tlog_policy_free(policy);
	return status;
}

/* ---- the command ---- */

static int
run_receipt(struct us_client *client, const struct us_args *args)
{
	const char *out = us_arg(args, "output"), *text = args->operand[0];
	uint64_t index;
	int status;

	if (out == NULL)
		us_usage_error("where to? -o FILE");
	if (us_number_digits(text, strlen(text), UINT64_MAX, &index) != US_OK)
		us_usage_error("%s is no index of a log entry", text);
	status = us_inclusion_keep(client, index, us_arg(args, "policy"), out);
	if (status == US_EXIT_DONE && client->json) {
		cJSON *said = cJSON_CreateObject();

		(void)cJSON_AddNumberToObject(said, "entry", (double)index);
		(void)cJSON_AddStringToObject(said, "file", out);
		us_print_json(stdout, said);
		cJSON_Delete(said);
	} else if (status == US_EXIT_DONE)
		us_print("%s proves that entry %" PRIu64
			 " is in the log, to whoever has the log's key:\n"
			 "    underseal-verify --receipt %s --vkey KEY\n",
		    out, index, out);
	return status;
}

static const struct us_option options[] = {
	{ "output", "FILE", "the receipt (also -o); must not exist" },
	{ "policy", "FILE",
	    "against a checkpoint that witnesses enough have cosigned (C2SP tlog-policy)" },
};

const struct us_command us_commands_inclusion[] = {
	{ "audit receipt", "INDEX -o FILE [--policy FILE]",
	    "an entry with the proof that it is in the log, as one file that verifies offline",
	    "underseal audit receipt 4711 -o 4711.receipt", options, 2, 1, 1, run_receipt },
	{ 0 },
};
