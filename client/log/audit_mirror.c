/* `audit mirror`: the profile's mirror of the log, and the keys beside it. */
#include <string.h>

#include "base/err.h"
#include "client/core/commands.h"
#include "client/log/mirror_files.h"
#include "client/log/remote.h"
#include "verify/verify.h"

static void
show_mirror(const cJSON *d)
{
	us_print("entries in full bundles  %.0f of %.0f\n", us_json_number(d, "mirrored", 0),
	    us_json_number(d, "entries", 0));
	us_print("fetched now              %.0f bundles, %.0f bytes\n",
	    us_json_number(d, "fetched", 0), us_json_number(d, "bytes", 0));
	us_print("found damaged            %.0f%s\n", us_json_number(d, "damaged", 0),
	    us_json_number(d, "damaged", 0) > 0 ? ", fetched again" : "");
}

static int
show_counts(struct us_client *client, const struct us_log_remote *remote)
{
	const struct us_mirror_counts c = us_mirror_counts(remote->mirror);
	cJSON *d = cJSON_CreateObject();
	int status;

	(void)cJSON_AddNumberToObject(d, "entries", (double)remote->size);
	(void)cJSON_AddNumberToObject(d, "mirrored", (double)(c.bundles * US_TILE_WIDTH));
	(void)cJSON_AddNumberToObject(d, "fetched", (double)c.fetched);
	(void)cJSON_AddNumberToObject(d, "bytes", (double)c.bytes);
	(void)cJSON_AddNumberToObject(d, "damaged", (double)c.damaged);
	status = us_show(client, d, show_mirror);
	us_log_remote_said(remote);
	return status == US_EXIT_DONE && c.unwritable != 0 ? US_EXIT_OTHER : status;
}

static int
run_mirror(struct us_client *client, const struct us_args *args)
{
	struct us_log_remote remote;
	int err = US_OK, status;

	if (us_flag(args, "remove")) {
		if (us_mirror_remove(us_client_profile(client)->directory) != US_OK)
			us_give_up(US_EXIT_OTHER, "the mirror in %s cannot be removed",
			    client->profile.directory);
		return US_EXIT_DONE;
	}
	us_log_remote_open(&remote, client);
	us_log_remote_mirror(&remote);
	if (remote.mirror == NULL)
		us_give_up(remote.log.status == US_EXIT_DONE ? US_EXIT_UNVERIFIED :
							       remote.log.status,
		    "the vault does not give its log whole, or not as its checkpoint signs it: "
		    "'underseal audit verify' says where");
	if (us_flag(args, "all"))
		err = us_mirror_check(remote.mirror, us_verify_processors());
	if (err != US_OK)
		us_give_up(US_EXIT_INCOMPLETE, "the mirror cannot be read, nor fetched again: %s",
		    us_strerror(err));
	status = us_flag(args, "keys") ? us_log_remote_keys(&remote) : US_EXIT_DONE;
	if (status == US_EXIT_DONE)
		status = show_counts(client, &remote);
	us_log_remote_close(&remote);
	return status;
}

static const struct us_option mirror_options[] = {
	{ "all", NULL, "read every bundle of it anew" },
	{ "keys", NULL, "with the keys of the boxes that you may open" },
	{ "remove", NULL, "remove it from the profile, with the keys and all that was derived" },
};

const struct us_command us_commands_audit_mirror[] = {
	{ "audit mirror", "[--all] [--keys] | --remove",
	    "brings the profile's mirror of the log up to date, or removes it",
	    "underseal audit mirror", mirror_options, 3, 0, 0, run_mirror },
	{ 0 },
};
