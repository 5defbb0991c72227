/* People and their credentials. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "client/core/lookup.h"
#include "base/base64.h"
#include "base/err.h"
#include "base/time.h"
#include "client/core/commands.h"

#define ROSTER_MAX (1024u * 1024u)
#define ROSTER_COLUMNS 16

/* ---- people ---- */

static int
compare_parties(const void *a, const void *b)
{
	const struct us_bytes *x = a, *y = b;
	size_t n = x->n < y->n ? x->n : y->n;
	int c = n == 0 ? 0 : memcmp(x->p, y->p, n);

	return c != 0 ? c : (x->n > y->n) - (x->n < y->n);
}

static void
show_person(const cJSON *p)
{
	if (*us_json_text(p, "person_status") != '\0')
		printf("done: %s\n", us_json_text(p, "person_status"));
	else
		printf("entered as number %.0f: %s\n", us_json_number(p, "person", 0),
		    us_json_text(p, "status"));
	if (*us_json_text(p, "docket") != '\0')
		printf("waits in the docket as %s for a roster signer's signature\n",
		    us_json_text(p, "docket"));
}

static int
add_person(struct us_client *client, const char *name, const char *capacity,
    const char *const *parties, size_t n)
{
	struct us_act *act = us_act_new(US_ACT_PERSON_ADD);
	cJSON *answer = NULL;
	int status;

	if (n > US_PERSON_PARTIES)
		us_usage_error("a person can be of at most %d parties", US_PERSON_PARTIES);
	act->u.person_add.name = us_bytes_of(name);
	if (us_capacity_of(&act->u.person_add.capacity, capacity, strlen(capacity)) != US_OK)
		us_usage_error(
		    "there is no capacity '%s': administrator, producer, outside-counsel, "
		    "counsel-staff, house-counsel, expert, vendor, witness, reporter, court, "
		    "special-master, auditor or keyholder",
		    capacity);
	for (size_t i = 0; i < n; i++)
		act->u.person_add.parties[i] = us_bytes_of(parties[i]);
	act->u.person_add.n_parties = n;
	qsort(act->u.person_add.parties, n, sizeof act->u.person_add.parties[0], compare_parties);
	status = us_client_act(client, "/v1/people", act, &answer);
	free(act);
	return us_finish(client, status, answer, show_person);
}

/* One line of the roster: name,capacity,party[;party2]. Cells may be quoted (RFC 4180). Returns the
 * number of cells, cut in place. */
static size_t
split_csv(char *line, char **cell, size_t max)
{
	size_t n = 0;
	char *from = line, *to;

	while (n < max) {
		int quoted = *from == '"';

		cell[n++] = to = quoted ? ++from : from;
		for (; *from != '\0'; from++) {
			if (quoted && *from == '"' && from[1] == '"')
				from++;
			else if (quoted && *from == '"')
				quoted = 0, from++;
			if (!quoted && (*from == ',' || *from == '\0'))
				break;
			*to++ = *from;
		}
		if (*from == '\0') {
			*to = '\0';
			break;
		}
		from++;
		*to = '\0';
	}
	return n;
}

static int
add_roster(struct us_client *client, const char *path)
{
	const char *parties[US_PERSON_PARTIES];
	int status = US_EXIT_DONE, one;
	char *line, *save = NULL, *save2, *cell[ROSTER_COLUMNS];
	struct us_buf text;

	us_buf_init(&text, ROSTER_MAX + 1);
	if (us_file_read(path, ROSTER_MAX, &text) != US_OK || us_buf_cstr(&text) == NULL)
		us_give_up(US_EXIT_OTHER, "cannot read %s", path);
	for (line = strtok_r((char *)text.data, "\r\n", &save); line != NULL;
	     line = strtok_r(NULL, "\r\n", &save)) {
		size_t n = 0, cells = split_csv(line, cell, ROSTER_COLUMNS);

		if (cells == 3 && strcmp(cell[0], "name") == 0)
			continue; /* the header */
		if (cells != 3)
			us_give_up(US_EXIT_USAGE, "a line of %s is not name,capacity,party[;party]",
			    path);
		for (char *p = strtok_r(cell[2], ";", &save2); p != NULL && n < US_PERSON_PARTIES;
		     p = strtok_r(NULL, ";", &save2))
			parties[n++] = p;
		one = add_person(client, cell[0], cell[1], parties, n);
		if (one != US_EXIT_DONE && one != US_EXIT_PENDING) {
			us_say("stopped at %s: who stands above it has been added", cell[0]);
			us_buf_free(&text);
			return one;
		}
		status = one == US_EXIT_PENDING ? one : status;
	}
	us_buf_free(&text);
	return status;
}

static int
run_person_add(struct us_client *client, const struct us_args *args)
{
	const char *parties[US_VALUES_MAX], *roster = us_arg(args, "roster");
	size_t n = 0;

	if ((roster != NULL) == (args->n_operands > 0))
		us_usage_error("give either NAME or --roster FILE");
	if (roster != NULL)
		return add_roster(client, roster);
	while ((parties[n] = us_arg_nth(args, "party", n)) != NULL)
		n++;
	if (us_arg(args, "capacity") == NULL)
		us_usage_error("in which capacity? --capacity outside-counsel, …");
	return add_person(client, args->operand[0], us_arg(args, "capacity"), parties, n);
}

static void
show_people(const cJSON *document)
{
	static const char *const columns[] = { "person", "name", "capacity", "parties", "status" };

	us_print_table(cJSON_GetObjectItemCaseSensitive(document, "items"), columns, 5);
}

static int
run_person_list(struct us_client *client, const struct us_args *args)
{
	cJSON *document = NULL;
	int status = us_client_get(client, "/v1/people", &document);

	(void)args;
	return us_finish(client, status, document, show_people);
}

static void
show_one_person(const cJSON *p)
{
	cJSON *rows = cJSON_CreateArray();
	static const char *const columns[] = { "person", "name", "capacity", "parties", "status" };

	(void)cJSON_AddItemReferenceToArray(rows, (cJSON *)(uintptr_t)p);
	us_print_table(rows, columns, 5);
	cJSON_Delete(rows);
	if (*us_json_text(p, "reason") != '\0')
		printf("reason: %s\n", us_json_text(p, "reason"));
}

static int
run_person_show(struct us_client *client, const struct us_args *args)
{
	cJSON *document = NULL;
	int status = us_get_named(client, "/v1/people/", args->operand[0], "", "person", &document);

	return us_finish(client, status, document, show_one_person);
}

static int
change_person(struct us_client *client, const struct us_args *args, enum us_act_type type)
{
	struct us_act *act = us_act_new(type);
	const char *reason = us_arg(args, "reason");
	cJSON *answer = NULL;
	int status;

	if (reason == NULL)
		us_usage_error("why? --reason TEXT stands in the log");
	act->u.change.person = us_person_id(client, args->operand[0]);
	act->u.change.reason = us_bytes_of(reason);
	status = us_client_act(client, "/v1/people", act, &answer);
	free(act);
	return us_finish(client, status, answer, show_person);
}

static int
run_person_suspend(struct us_client *client, const struct us_args *args)
{
	return change_person(client, args, US_ACT_PERSON_SUSPEND);
}

static int
run_person_reinstate(struct us_client *client, const struct us_args *args)
{
	return change_person(client, args, US_ACT_PERSON_REINSTATE);
}

static int
run_person_end(struct us_client *client, const struct us_args *args)
{
	return change_person(client, args, US_ACT_PERSON_END);
}

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
	printf("issued %s", us_json_text(c, "fingerprint"));
	putchar('\n');
	if (*us_json_text(c, "docket") != '\0')
		printf("waits in the docket as %s for a roster signer's signature\n",
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
	status = us_client_act(client, "/v1/credentials", act, &answer);
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
	puts("revoked: open connections are refused from their next request on");
}

static int
run_credential_revoke(struct us_client *client, const struct us_args *args)
{
	struct us_act *act = us_act_new(US_ACT_CREDENTIAL_REVOKE);
	const char *person = us_arg(args, "person"), *reason = us_arg(args, "reason");
	const char *lost = us_arg(args, "lost-since");
	cJSON *answer = NULL;
	int status;

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
	status = us_client_act(client, "/v1/credentials", act, &answer);
	free(act);
	return us_finish(client, status, answer, show_revoked);
}

static const struct us_option add_options[] = {
	{ "party", "P", "party the person belongs to (may be repeated)" },
	{ "capacity", "C", "outside-counsel, producer, auditor, administrator, …" },
	{ "roster", "FILE.csv", "many at once: lines name,capacity,party[;party]" },
};
static const struct us_option reason_options[] = { { "reason", "TEXT", "stands in the log" } };
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

const struct us_command us_commands_people[] = {
	{ "person add", "NAME --capacity C [--party P]... | --roster FILE.csv",
	    "enters people; they take effect when their party's roster signer has signed",
	    "underseal person add \"Ada Attorney\" --party plaintiffs --capacity outside-counsel",
	    add_options, 3, 0, 1, run_person_add },
	{ "person list", "", "everybody, with capacity, parties and status",
	    "underseal person list", NULL, 0, 0, 0, run_person_list },
	{ "person show", "NAME", "one person", "underseal person show \"Ada Attorney\"", NULL, 0, 1,
	    1, run_person_show },
	{ "person suspend", "NAME --reason TEXT", "stops a person at once, until reinstated",
	    "underseal person suspend \"Ada Attorney\" --reason \"left the firm?\"", reason_options,
	    1, 1, 1, run_person_suspend },
	{ "person reinstate", "NAME --reason TEXT", "ends a suspension",
	    "underseal person reinstate \"Ada Attorney\" --reason \"clarified\"", reason_options, 1,
	    1, 1, run_person_reinstate },
	{ "person end", "NAME --reason TEXT", "ends a person's part in the case, for good",
	    "underseal person end \"Ada Attorney\" --reason \"withdrew\"", reason_options, 1, 1, 1,
	    run_person_end },
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
