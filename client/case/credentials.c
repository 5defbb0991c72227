/* Credentials: asking for one, issuing, listing, revoking. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "client/core/table.h"
#include "client/core/commands.h"
#include "client/core/lookup.h"
#include "base/base64.h"
#include "base/err.h"
#include "base/time.h"

/* ---- credentials ---- */

static void
ask_new_passphrase(struct us_buf *passphrase)
{
	const char *file = getenv("UNDERSEAL_PASSPHRASE_FILE");
	struct us_buf again;

	us_buf_init(&again, 2048);
	if (file != NULL) {
		if (us_file_read(file, 1024, passphrase) != US_OK)
			us_give_up(US_EXIT_OTHER, "cannot read the passphrase from %s", file);
		while (passphrase->len > 0 && passphrase->data[passphrase->len - 1] == '\n')
			passphrase->len--;
	} else {
		if (us_ask_secret("Passphrase for the new key: ", passphrase) != US_OK ||
		    us_ask_secret("Again: ", &again) != US_OK)
			us_give_up(US_EXIT_OTHER,
			    "there is no terminal to ask for a passphrase: set "
			    "UNDERSEAL_PASSPHRASE_FILE, or --no-passphrase if the directory is "
			    "safe "
			    "otherwise");
		if (again.len != passphrase->len ||
		    !us_equal_secret(again.data, passphrase->data, again.len))
			us_give_up(US_EXIT_USAGE, "the two differ");
	}
	if (passphrase->len < 8)
		us_give_up(US_EXIT_USAGE, "a passphrase has at least eight characters");
	us_buf_free(&again);
}

static void
make_directory(const char *directory)
{
	if (mkdir(directory, 0700) != 0 && errno != EEXIST)
		us_give_up(US_EXIT_OTHER, "cannot make %s: %s", directory, strerror(errno));
	if (chmod(directory, 0700) != 0)
		us_give_up(US_EXIT_OTHER, "cannot close %s to others: %s", directory,
		    strerror(errno));
}

static int
run_credential_request(struct us_client *client, const struct us_args *args)
{
	const char *out = us_arg(args, "out"), *name = args->operand[0];
	struct us_buf passphrase, pem, der, request;
	struct us_pkey *key = NULL;
	char path[4096];
	int err;

	(void)client;
	if (out == NULL)
		us_usage_error("where to? --out DIR");
	make_directory(out);
	(void)snprintf(path, sizeof path, "%s/key.pem", out);
	us_buf_init(&passphrase, 2048);
	us_buf_init(&pem, 65536);
	us_buf_init(&der, US_CERT_MAX);
	us_buf_init(&request, 65536);
	if (us_profile_read(out, "key.pem", 65536, &pem) == US_OK)
		us_give_up(US_EXIT_USAGE, "%s is there already: it would be lost", path);
	if (!us_flag(args, "no-passphrase"))
		ask_new_passphrase(&passphrase);
	err = us_pkey_new(US_PKEY_P256, &key);
	if (err == US_OK)
		err = us_pkey_to_pem(key, passphrase.len == 0 ? NULL : us_buf_cstr(&passphrase),
		    &pem);
	if (err == US_OK)
		err = us_csr_create(key, name, &der);
	if (err == US_OK)
		err = us_pem_encode((struct us_bytes){ der.data, der.len }, "CERTIFICATE REQUEST",
		    &request);
	if (err == US_OK)
		err = us_profile_write(out, "key.pem", pem.data, pem.len);
	if (err == US_OK)
		err = us_profile_write(out, "request.pem", request.data, request.len);
	us_buf_free(&passphrase);
	us_buf_free(&pem);
	us_buf_free(&der);
	us_buf_free(&request);
	us_pkey_free(key);
	if (err != US_OK)
		us_give_up(US_EXIT_OTHER, "cannot make the request: %s", us_strerror(err));
	us_say("the key stays in %s; send %s/request.pem to the administrator", path, out);
	return US_EXIT_DONE;
}

/* What the new person's profile needs besides the key. */
static int
write_profile(struct us_client *client, const char *out, const char *person, const cJSON *answer)
{
	const struct us_profile *own = us_client_profile(client);
	const char *text = us_json_text(answer, "certificate");
	struct us_buf der, pem, conf;
	char hex[65];
	int err;

	us_buf_init(&der, US_CERT_MAX);
	us_buf_init(&pem, 65536);
	us_buf_init(&conf, 16384);
	err = us_base64_take(&der, text, strlen(text));
	if (err == US_OK)
		err = us_pem_encode((struct us_bytes){ der.data, der.len }, "CERTIFICATE", &pem);
	if (err == US_OK)
		err = us_profile_write(out, "certificate.pem", pem.data, pem.len);
	us_buf_reset(&pem);
	if (err == US_OK)
		err = us_pem_encode((struct us_bytes){ own->ca.data, own->ca.len }, "CERTIFICATE",
		    &pem);
	if (err == US_OK)
		err = us_profile_write(out, "ca.pem", pem.data, pem.len);
	us_hex_encode(own->vault_id, 32, hex);
	hex[64] = '\0';
	if (err == US_OK)
		err = us_buf_putf(&conf, "server=%s\nvault=%s\nvkey=%s\nperson=%s\n", own->server,
		    hex, own->vkey, person);
	if (err == US_OK)
		err = us_profile_write(out, "profile.conf", conf.data, conf.len);
	us_buf_free(&der);
	us_buf_free(&pem);
	us_buf_free(&conf);
	return err;
}

static void
show_issued(const cJSON *c)
{
	us_print("issued %s", us_json_text(c, "fingerprint"));
	us_print("\n");
	if (*us_json_text(c, "docket") != '\0')
		us_print("waits in the docket as %s for a roster signer's signature\n",
		    us_json_text(c, "docket"));
}

static int
run_credential_issue(struct us_client *client, const struct us_args *args)
{
	const char *person = us_arg(args, "person"), *out = us_arg(args, "out");
	struct us_act *act = us_act_new(US_ACT_CREDENTIAL_ISSUE);
	struct us_buf pem, der;
	cJSON *answer = NULL;
	int status;

	if (person == NULL || out == NULL)
		us_usage_error(
		    "a credential is issued to a person into a directory: --person NAME --out DIR");
	us_buf_init(&pem, 65536);
	us_buf_init(&der, US_CERT_MAX);
	if (us_file_read(args->operand[0], 65536, &pem) != US_OK ||
	    us_pem_decode((struct us_bytes){ pem.data, pem.len }, "CERTIFICATE REQUEST", &der) !=
		US_OK)
		us_give_up(US_EXIT_OTHER, "%s is not a certificate request", args->operand[0]);
	if (us_csr_check((struct us_bytes){ der.data, der.len }, NULL) != US_OK)
		us_give_up(US_EXIT_UNVERIFIED, "%s is not signed by its own key", args->operand[0]);
	act->u.issue.person = us_person_id(client, person);
	act->u.issue.days = (uint16_t)us_arg_number(args, "days", 90, 1, US_CREDENTIAL_DAYS_MAX);
	act->u.issue.csr = (struct us_bytes){ der.data, der.len };
	status = us_client_act(client, act, &answer);
	free(act);
	us_buf_free(&pem);
	us_buf_free(&der);
	if (status != US_EXIT_DONE && status != US_EXIT_PENDING)
		return status;
	make_directory(out);
	if (write_profile(client, out, person, answer) != US_OK)
		us_give_up(US_EXIT_OTHER,
		    "the credential is issued, but %s cannot be written: fix that and "
		    "get it with 'underseal credential list'",
		    out);
	return us_finish(client, status, answer, show_issued);
}

static void
show_credentials(const cJSON *document)
{
	static const char *const columns[] = { "fingerprint", "name", "status", "from", "to" };

	us_print_table(cJSON_GetObjectItemCaseSensitive(document, "items"), columns, 5);
}

static int
run_credential_list(struct us_client *client, const struct us_args *args)
{
	cJSON *document = NULL;
	int status = us_client_get(client, "/v1/credentials", &document);

	(void)args;
	return us_finish(client, status, document, show_credentials);
}

static void
show_revoked(const cJSON *document)
{
	(void)document;
	us_print("revoked: open connections are refused from their next request on\n");
}

static int
run_credential_revoke(struct us_client *client, const struct us_args *args)
{
	struct us_act *act = us_act_new(US_ACT_CREDENTIAL_REVOKE);
	const char *person = us_arg(args, "person"), *reason = us_arg(args, "reason");
	const char *lost = us_arg(args, "lost-since");

	if ((person != NULL) == (args->n_operands > 0))
		us_usage_error("give either FINGERPRINT or --person NAME");
	if (reason == NULL)
		us_usage_error("why? --reason TEXT stands in the log");
	act->u.revoke.by_person = person != NULL;
	if (person != NULL)
		act->u.revoke.person = us_person_id(client, person);
	else if (strlen(args->operand[0]) != 64 ||
	    us_hex_decode(args->operand[0], 64, act->u.revoke.fingerprint, 32) != US_OK)
		us_usage_error("a fingerprint is 64 hex digits; see 'underseal credential list'");
	act->u.revoke.reason = us_bytes_of(reason);
	if (lost != NULL &&
	    us_time_parse(lost, strlen(lost), &act->u.revoke.lost_since_ns) != US_OK)
		us_usage_error("--lost-since takes a time such as 2024-05-01T12:00:00Z");
	return us_finish_act(client, act, show_revoked);
}

static const struct us_option request_options[] = {
	{ "out", "DIR", "directory for key and request" },
	{ "no-passphrase", NULL, "leave the key unencrypted" },
};
static const struct us_option issue_options[] = {
	{ "person", "NAME", "whose credential it is" },
	{ "out", "DIR", "where certificate and profile go: beside the key" },
	{ "days", "N", "how long it is valid (90)" },
};
static const struct us_option revoke_options[] = {
	{ "person", "NAME", "every credential of this person" },
	{ "reason", "TEXT", "stands in the log" },
	{ "lost-since", "TIME", "since when it may have been in other hands" },
};

const struct us_command us_commands_credentials[] = {
	{ "credential request", "NAME --out DIR", "makes a key and a certificate request, locally",
	    "underseal credential request \"Ada Attorney\" --out ada", request_options, 2, 1, 1,
	    run_credential_request },
	{ "credential issue", "CSR --person NAME --out DIR", "issues a certificate for a request",
	    "underseal credential issue ada/request.pem --person \"Ada Attorney\" --out ada",
	    issue_options, 3, 1, 1, run_credential_issue },
	{ "credential list", "", "every credential, with person and status",
	    "underseal credential list", NULL, 0, 0, 0, run_credential_list },
	{ "credential revoke", "FINGERPRINT | --person NAME, --reason TEXT",
	    "revokes; open connections are refused at their next request",
	    "underseal credential revoke --person \"Ada Attorney\" --reason \"laptop stolen\"",
	    revoke_options, 3, 0, 1, run_credential_revoke },
	{ 0 },
};
