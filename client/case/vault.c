/* Running the vault: status, shares, seal. */
#include <stdlib.h>
#include <string.h>

#include "client/core/client.h"
#include "client/core/commands.h"
#include "client/core/recalls.h"
#include "client/log/succession.h"
#include "log/note.h"
#include "base/base64.h"
#include "crypto/cms.h"
#include "crypto/crypto.h"
#include "base/err.h"
#include "crypto/slip39.h"

#define SHARE_TEXT_MAX 16384

static void
show_status(const cJSON *s)
{
	const cJSON *shares = cJSON_GetObjectItemCaseSensitive(s, "shares");
	const cJSON *order = cJSON_GetObjectItemCaseSensitive(s, "order");
	const cJSON *log = cJSON_GetObjectItemCaseSensitive(s, "log");

	us_print("state    %s\n", us_json_text(s, "state"));
	if (*us_json_text(s, "since") != '\0')
		us_print("since    %s\n", us_json_text(s, "since"));
	if (*us_json_text(s, "why") != '\0')
		us_print("why      %s\n", us_json_text(s, "why"));
	if (cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(s, "sealed")))
		us_print("shares   %.0f of %.0f given%s%s\n", us_json_number(shares, "given", 0),
		    us_json_number(shares, "wanted", 0),
		    *us_json_text(shares, "expires") ? ", until " : "",
		    us_json_text(shares, "expires"));
	if (cJSON_IsObject(order))
		us_print("order    %s, version %.0f\n", us_json_text(order, "title"),
		    us_json_number(order, "version", 0));
	us_print("log      %.0f entries, root %s\n", us_json_number(log, "size", 0),
	    us_json_text(log, "root"));
	us_print("version  %s\n", us_json_text(s, "version"));
	if (us_json_number(s, "waiting", 0) > 0)
		us_print("docket   %.0f wait for you: 'underseal docket list'\n",
		    us_json_number(s, "waiting", 0));
	us_recalls_print(stdout, s);
}

static int
run_status(struct us_client *client, const struct us_args *args)
{
	cJSON *document = NULL;
	int status = us_client_get(client, "/v1/status", &document);

	(void)args;
	return status == US_EXIT_DONE ? us_show(client, document, show_status) : status;
}

/* ---- shares ---- */

/* A share as `undersealed init` hands it out: CMS for the keyholder's certificate. */
static void
decrypt_share(struct us_client *client, struct us_buf *raw)
{
	const struct us_profile *profile = us_client_profile(client);
	struct us_buf plain;

	us_buf_init(&plain, SHARE_TEXT_MAX);
	if (us_cms_decrypt(profile->key,
		(struct us_bytes){ profile->certificate.data, profile->certificate.len },
		(struct us_bytes){ raw->data, raw->len }, &plain) != US_OK)
		us_give_up(US_EXIT_UNVERIFIED,
		    "this share is encrypted to somebody else, or was changed");
	us_buf_free(raw);
	*raw = plain; /* transferred */
}

/* The share as canonical words, from a file or the terminal; its checksum is checked before it goes
 * anywhere. */
static int
read_share(struct us_client *client, const char *path, char words[US_SLIP39_TEXT_MAX])
{
	struct us_slip39_info info;
	struct us_buf raw;
	int err;

	us_buf_init(&raw, SHARE_TEXT_MAX);
	err = path != NULL ? us_file_read(path, SHARE_TEXT_MAX, &raw) :
			     us_ask_secret("Share (all its words): ", &raw);
	if (err != US_OK)
		us_give_up(US_EXIT_OTHER, "cannot read the share: %s", us_strerror(err));
	if (raw.len > strlen(US_CMS_BEGIN) &&
	    memcmp(raw.data, US_CMS_BEGIN, strlen(US_CMS_BEGIN)) == 0)
		decrypt_share(client, &raw);
	err = us_slip39_normalise((struct us_bytes){ raw.data, raw.len }, words);
	us_buf_free(&raw);
	return err == US_OK ? us_slip39_parse(words, &info) : err;
}

/* Whether the log key of the profile signed it. */
static int
is_signed(const struct us_profile *profile, struct us_bytes message, const uint8_t signature[64])
{
	struct us_note_key vkey;

	return us_note_key_parse(&vkey, profile->vkey, strlen(profile->vkey)) == US_OK &&
	    us_ed25519_verify(vkey.pub, message, (struct us_bytes){ signature, 64 }) == US_OK;
}

/* The keeper's key of this sealed period, believed only with the log key's signature. */
static void
unseal_key(struct us_client *client, uint8_t key[32])
{
	const struct us_profile *profile = us_client_profile(client);
	static const char label[] = "underseal/unseal-key/1";
	uint8_t message[sizeof label - 1 + 32 + 32], signature[64];
	const char *key_text, *signature_text;
	size_t key_n, signature_n;
	cJSON *s = NULL;
	int status = us_client_get(client, "/v1/status", &s);

	if (status != US_EXIT_DONE)
		exit(status);
	if (!cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(s, "sealed"))) {
		us_say("the vault is not sealed");
		exit(US_EXIT_DONE);
	}
	key_text = us_json_text(s, "unseal_key");
	signature_text = us_json_text(s, "unseal_signature");
	memcpy(message, label, sizeof label - 1);
	memcpy(message + sizeof label - 1, profile->vault_id, 32);
	if (us_base64_decode(key_text, strlen(key_text), key, 32, &key_n) != US_OK || key_n != 32 ||
	    us_base64_decode(signature_text, strlen(signature_text), signature, sizeof signature,
		&signature_n) != US_OK ||
	    signature_n != sizeof signature)
		us_give_up(US_EXIT_UNVERIFIED,
		    "the vault gives no key that a share could be sealed to");
	memcpy(message + sizeof label - 1 + 32, key, 32);
	if (!is_signed(profile, (struct us_bytes){ message, sizeof message }, signature)) {
		/* the log may have been handed over; who gives a share must have heard of that, and
		 * not in passing */
		if (us_client_succession_newest(client) == US_OK &&
		    is_signed(profile, (struct us_bytes){ message, sizeof message }, signature))
			us_give_up(US_EXIT_OTHER,
			    "the share has NOT been sent. If you know that this vault was "
			    "restored, moved or got a "
			    "new key, give the same command again");
		us_give_up(US_EXIT_UNVERIFIED,
		    "the key the vault shows is not signed by the log key of "
		    "this profile: the share has not been sent");
	}
	cJSON_Delete(s);
}

static void
show_unseal(const cJSON *s)
{
	const cJSON *shares = cJSON_GetObjectItemCaseSensitive(s, "shares");

	us_print("%.0f of %.0f shares given%s\n", us_json_number(shares, "given", 0),
	    us_json_number(shares, "wanted", 0),
	    cJSON_IsFalse(cJSON_GetObjectItemCaseSensitive(s, "sealed")) ? ": the vault opens" :
									   "");
}

static int
run_unseal(struct us_client *client, const struct us_args *args)
{
	static const char label[] = "underseal/share-in-transit/1";
	const char *path = args->n_operands > 0 ? args->operand[0] : NULL;
	uint8_t key[32], context[sizeof label - 1 + 32];
	char words[US_SLIP39_TEXT_MAX];
	struct us_buf sealed, text;
	cJSON *body = cJSON_CreateObject(), *answer = NULL;
	int status;

	unseal_key(client, key);
	if (read_share(client, path, words) != US_OK)
		us_give_up(US_EXIT_UNVERIFIED,
		    "this is not a whole share (a word is wrong or missing): it "
		    "has not been sent");
	us_buf_init(&sealed, 1024);
	us_buf_init(&text, 4096);
	memcpy(context, label, sizeof label - 1);
	memcpy(context + sizeof label - 1, us_client_profile(client)->vault_id, 32);
	if (us_seal_to_public(key, (struct us_bytes){ context, sizeof context }, us_bytes_of(words),
		&sealed) != US_OK ||
	    us_base64_put(&text, sealed.data, sealed.len) != US_OK || us_buf_cstr(&text) == NULL)
		us_give_up(US_EXIT_OTHER, "cannot seal the share for its way");
	us_wipe(words, sizeof words);
	us_buf_free(&sealed);
	(void)cJSON_AddStringToObject(body, "share", us_buf_cstr(&text));
	us_buf_free(&text);
	status = us_client_post(client, "/v1/unseal", body, &answer);
	return status == US_EXIT_DONE ? us_show(client, answer, show_unseal) : status;
}

static int
run_share_check(struct us_client *client, const struct us_args *args)
{
	char words[US_SLIP39_TEXT_MAX];
	int err = read_share(client, args->operand[0], words);

	us_wipe(words, sizeof words);
	if (err != US_OK) {
		us_say("this is not a whole share: a word is wrong or missing");
		return US_EXIT_UNVERIFIED;
	}
	us_print("the share is whole: its checksum fits\n");
	return US_EXIT_DONE;
}

static void
show_sealed(const cJSON *s)
{
	(void)s;
	us_print("the vault is sealed\n");
}

static int
run_seal(struct us_client *client, const struct us_args *args)
{
	const char *reason = us_arg(args, "reason");
	struct us_act *act = calloc(1, sizeof *act);
	cJSON *answer = NULL;
	int status;

	if (act == NULL)
		us_give_up(US_EXIT_OTHER, "out of memory");
	act->type = US_ACT_SEAL;
	act->u.seal.reason = us_bytes_of(reason == NULL ? "sealed by hand" : reason);
	status = us_client_act(client, act, &answer);
	free(act);
	return status == US_EXIT_DONE ? us_show(client, answer, show_sealed) : status;
}

static const struct us_option seal_options[] = {
	{ "reason", "TEXT", "why, for the log" },
};

const struct us_command us_commands_vault[] = {
	{ "status", "", "whether the vault is sealed, the order in force, size and root of the log",
	    "underseal status --json", NULL, 0, 0, 0, run_status },
	{ "unseal", "[FILE]", "gives one key share, sealed to the keeper's key of this period",
	    "underseal unseal share-1.txt", NULL, 0, 0, 1, run_unseal },
	{ "share check", "FILE", "tells whether a share is whole, without sending it",
	    "underseal share check share-1.txt", NULL, 0, 1, 1, run_share_check },
	{ "seal", "[--reason TEXT]", "seals the vault: every key leaves memory",
	    "underseal seal --reason \"end of the day\"", seal_options, 1, 0, 0, run_seal },
	{ 0 },
};
