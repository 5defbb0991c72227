/* The verifier as a command of the client: over the log of the vault, or over an export. */
#include "client/log/audit_verify.h"

#include <string.h>

#include "client/core/commands.h"
#include "log/proof.h"
#include "client/core/progress.h"
#include "client/log/succession.h"
#include "client/log/log_index.h"
#include "client/log/deliver.h"
#include "base/err.h"
#include "verify/receipt.h"
#include "verify/show.h"

#define VKEY_MAX_BYTES 4000

int
us_verdict_print(struct us_client *client, const struct us_verify_report *r,
    const struct us_tlog_policy *policy)
{
	if ((client->json ? us_verdict_json(stdout, r, policy) :
			    us_verdict_text(stdout, r, policy)) != US_OK)
		us_give_up(US_EXIT_OTHER, "cannot write the verdict");
	return us_verdict_exit(r->verdict);
}

/* ---- the command ---- */

static void
on_progress(void *arg, uint64_t done, uint64_t size)
{
	struct us_progress *progress = arg;

	progress->total = size;
	us_progress_at(progress, done, done);
}

/* The log's key from a file, without its end. */
static const char *
read_vkey(const char *file, struct us_buf *vkey)
{
	if (us_file_read(file, VKEY_MAX_BYTES, vkey) != US_OK)
		us_give_up(US_EXIT_OTHER, "cannot read the log key %s", file);
	while (vkey->len > 0 &&
	    (vkey->data[vkey->len - 1] == '\n' || vkey->data[vkey->len - 1] == ' '))
		vkey->len--;
	return us_buf_cstr(vkey);
}

/* Whether the order lets this person have the keys of the log's boxes. Asked rather than tried: a
 * refusal would stand in the log as if somebody had wanted them. */
static int
may_open(struct us_client *client)
{
	struct us_client_request request = { .method = "GET" };
	struct us_reply reply;
	struct us_buf path;
	cJSON *answer;
	int may = 0;

	us_buf_init(&path, 4096);
	us_reply_init(&reply);
	if (us_buf_putf(&path, "/v1/order/explain?action=audit-keys&person=") == US_OK &&
	    us_put_escaped(&path, us_client_profile(client)->person) == US_OK &&
	    (request.path = us_buf_cstr(&path)) != NULL &&
	    us_client_request(client, &request, &reply) == US_OK && reply.status == 200) {
		answer = cJSON_ParseWithLength((const char *)reply.body.data, reply.body.len);
		may = strcmp(us_json_text(answer, "decision"), "allow") == 0;
		cJSON_Delete(answer);
	}
	us_buf_free(&path);
	us_reply_free(&reply);
	return may;
}

/* From where the index beside the mirror ends, and every byte of the mirror against the hashes that
 * the checkpoint signs. US_ERR_NOT_FOUND: there is no index, or it is not enough. */
static int
verify_what_is_new(struct us_log_remote *remote, struct us_verify_report *report)
{
	struct us_log_index *index;
	int err = us_log_index_open(&index, remote, report);

	if (err == US_OK && index != NULL)
		err = us_mirror_check(remote->mirror, us_verify_processors());
	else if (err == US_OK)
		err = US_ERR_NOT_FOUND;
	us_log_index_close(index);
	return err;
}

/* The boxes of whoever may open them. Returns an exit status. */
static int
open_boxes(struct us_client *client, const struct us_args *args, struct us_log_remote *remote)
{
	if (remote->mirror != NULL && us_flag(args, "all"))
		us_log_index_forget(remote);
	if (us_flag(args, "keys") || may_open(client))
		return us_log_index_keys(remote);
	us_say("the boxes stay closed: the order does not give their keys to %s, or the vault is "
	       "not open",
	    us_client_profile(client)->person);
	return US_EXIT_DONE;
}

static int
verify_vault(struct us_client *client, const struct us_args *args,
    struct us_verify_options *options, struct us_verify_report *report, int *status)
{
	struct us_log_remote remote;
	struct us_log_source source;
	int err = US_ERR_NOT_FOUND;

	if (options->policy != NULL)
		us_log_remote_open_witnessed(&remote, client);
	else
		us_log_remote_open(&remote, client);
	if (!us_flag(args, "no-mirror"))
		us_log_remote_mirror(&remote);
	*status = open_boxes(client, args, &remote);
	if (*status == US_EXIT_DONE && options->policy == NULL && options->vkey == NULL)
		err = verify_what_is_new(&remote, report);
	if (options->vkey == NULL)
		options->vkey = client->profile.vkey;
	if (*status == US_EXIT_DONE && err != US_OK) {
		source = us_log_remote_source(&remote);
		err = us_log_verify(report, &source, options);
	}
	us_log_remote_said(&remote);
	if (*status == US_EXIT_DONE)
		*status = remote.log.status;
	else
		err = US_OK; /* it has been said */
	us_log_remote_close(&remote);
	return err;
}

/* A file that the user names, whole. */
static void
read_whole(const char *file, size_t max, struct us_buf *out)
{
	us_buf_init(out, max + 1);
	if (us_file_read(file, max, out) != US_OK)
		us_give_up(US_EXIT_USAGE, "cannot read %s", file);
}

/* A receipt of before a hand-over that this profile has followed is judged by the key of then. */
static void
take_former(const struct us_client *client, struct us_bytes receipt,
    struct us_verify_options *options, char vkey[US_NOTE_VKEY_MAX])
{
	struct us_tlog_proof proof;
	uint64_t until;

	if (options->vkey == NULL || options->vkey != client->profile.vkey ||
	    us_tlog_proof_parse(&proof, receipt.p, receipt.n) != US_OK ||
	    us_client_succession_former(client->profile.directory, proof.checkpoint, vkey,
		&until) != US_OK)
		return;
	options->vkey = vkey;
	if (proof.index < until)
		us_say("the receipt is by the key that the log had before it was handed over at "
		       "entry %llu",
		    (unsigned long long)until);
	else
		us_say("WARNING: the receipt is by the key that the log had before it was handed "
		       "over at entry %llu: the log signed this entry, and has "
		       "lost it since",
		    (unsigned long long)until);
}

static int
verify_receipt(struct us_client *client, const struct us_args *args,
    struct us_verify_options *options, struct us_verify_report *report)
{
	const char *entry_file = us_arg(args, "entry");
	char former[US_NOTE_VKEY_MAX];
	struct us_buf receipt, entry;
	int err;

	if (options->vkey == NULL && options->policy == NULL)
		us_usage_error("a receipt is verified with the log's key: --vkey FILE, --profile "
			       "DIR, or a policy that names it");
	read_whole(us_arg(args, "receipt"), US_RECEIPT_MAX, &receipt);
	us_buf_init(&entry, 1);
	if (entry_file != NULL)
		read_whole(entry_file, US_ENTRY_MAX, &entry);
	take_former(client, (struct us_bytes){ receipt.data, receipt.len }, options, former);
	err = us_entry_receipt_verify(report, (struct us_bytes){ receipt.data, receipt.len },
	    (struct us_bytes){ entry_file == NULL ? NULL : entry.data, entry.len }, options);
	us_buf_free(&receipt);
	us_buf_free(&entry);
	return err;
}

void
us_authorities_read(const struct us_args *args, const char *option,
    struct us_authority *out[US_VALUES_MAX], size_t *n)
{
	const char *file;
	struct us_buf pem;

	for (*n = 0; *n < US_VALUES_MAX && (file = us_arg_nth(args, option, *n)) != NULL; ++*n) {
		read_whole(file, US_AUTHORITY_PEM_MAX, &pem);
		if (us_authority_new(&out[*n], file, (struct us_bytes){ pem.data, pem.len }) !=
		    US_OK)
			us_give_up(US_EXIT_USAGE, "%s holds no certificates of an authority (PEM)",
			    file);
		us_buf_free(&pem);
	}
}

static int
run_verify(struct us_client *client, const struct us_args *args)
{
	const char *dir = us_arg(args, "dir"), *vkey_file = us_arg(args, "vkey");
	struct us_progress progress;
	struct us_verify_options options = { .on_progress = on_progress,
		.arg = &progress,
		.threads = us_verify_processors() };
	struct us_tlog_policy *policy = us_arg(args, "policy") == NULL ?
	    NULL :
	    us_policy_read(us_arg(args, "policy"), US_EXIT_USAGE);
	struct us_verify_report report;
	struct us_authority *authorities[US_VALUES_MAX];
	struct us_buf vkey;
	int err, status = US_EXIT_DONE;

	us_buf_init(&vkey, VKEY_MAX_BYTES + 1);
	if (vkey_file != NULL) {
		options.vkey = read_vkey(vkey_file, &vkey);
	} else if ((dir != NULL || us_arg(args, "receipt") != NULL) &&
	    client->profile_directory != NULL) {
		us_profile_open_public(&client->profile, client->profile_directory);
		options.vkey = client->profile.vkey;
	}
	options.policy = policy;
	us_authorities_read(args, "tsa", authorities, &options.n_authorities);
	options.authorities = authorities;
	options.stamps_needed = (unsigned)us_arg_number(args, "tsa-needed", 0, 1, US_VALUES_MAX);
	if (options.stamps_needed > options.n_authorities ||
	    (options.n_authorities > 0 && dir == NULL))
		us_usage_error("--tsa FILE is given once for each authority, at least as often as "
			       "--tsa-needed says, and with --dir");
	us_progress_start(&progress, "entries", 0);
	if (us_arg(args, "receipt") != NULL)
		err = verify_receipt(client, args, &options, &report);
	else
		err = dir != NULL ? us_export_verify(&report, dir, &options) :
				    verify_vault(client, args, &options, &report, &status);
	us_progress_end(&progress);
	if (err != US_OK)
		us_give_up(US_EXIT_OTHER, "cannot verify: %s", us_strerror(err));
	if (status == US_EXIT_DONE)
		status = us_verdict_print(client, &report, policy);
	us_tlog_policy_free(policy);
	while (options.n_authorities > 0)
		us_authority_free(authorities[--options.n_authorities]);
	us_buf_free(&vkey);
	return status;
}

static const struct us_option verify_options[] = {
	{ "dir", "DIR", "an export, offline" },
	{ "vkey", "FILE", "the log's key, from a source you trust" },
	{ "policy", "FILE",
	    "which witnesses are enough (C2SP tlog-policy); without it cosignatures are not "
	    "judged" },
	{ "tsa", "FILE",
	    "certificates (PEM) of an authority whose timestamps in the export count; may be "
	    "repeated" },
	{ "tsa-needed", "K", "how many of them must have stamped a part of the log (1)" },
	{ "receipt", "FILE", "not a log, but one entry's receipt, offline" },
	{ "entry", "FILE", "the entry, if the receipt does not hold it" },
	{ "keys", NULL,
	    "fail if the boxes that this profile may open cannot be opened; they are by whoever "
	    "has the right" },
	{ "all", NULL, "everything anew, whatever was verified before" },
	US_OPTION_NO_MIRROR,
};

const struct us_command us_commands_audit_verify[] = {
	{ "audit verify",
	    "[--dir DIR] [--vkey FILE] [--policy FILE] [--keys] [--all] | --receipt FILE",
	    "checks every hash, proof and signature of the log",
	    "underseal audit verify --dir export --vkey log.vkey", verify_options, 10, 0, 0,
	    run_verify },
	{ 0 },
};
