#include "verify/head.h"

#include <string.h>

#define VKEY_FILE_MAX 1024

int
us_verify_head_key(struct us_note_key *key, const char *text, struct us_verify_finding *finding)
{
	size_t n = strlen(text);

	if (n > 0 && text[n - 1] == '\n')
		n--;
	return us_note_key_parse(key, text, n) == US_OK && key->type == US_NOTE_ED25519 ?
	    US_OK :
	    us_verify_found(finding, US_VERDICT_UNVERIFIABLE, US_ENTRY_NONE,
		"the key given is not the key of a log");
}

static int
get_key(const struct us_log_source *source, const char *text, struct us_note_key *key,
    struct us_verify_finding *finding)
{
	struct us_buf file;
	int err;

	if (text != NULL)
		return us_verify_head_key(key, text, finding);
	us_buf_init(&file, VKEY_FILE_MAX);
	err = source->get(source->arg, "log.vkey", &file);
	if (err == US_OK && us_buf_cstr(&file) == NULL)
		err = US_ERR_NOMEM;
	if (err == US_OK)
		err = us_verify_head_key(key, us_buf_cstr(&file), finding);
	else if (err != US_ERR_NOMEM)
		err = us_verify_found(finding, US_VERDICT_UNVERIFIABLE, US_ENTRY_NONE,
		    "there is no key to verify with: log.vkey: %s", us_strerror(err));
	us_buf_free(&file);
	return err;
}

int
us_verify_head_checkpoint(struct us_checkpoint *c, const struct us_note_key *key,
    struct us_bytes note, struct us_verify_finding *finding)
{
	int err = us_checkpoint_open(c, NULL, note.p, note.n, key, 1);

	c->extensions = (struct us_bytes){ NULL, 0 };
	if (err == US_OK || err == US_ERR_NOMEM)
		return err;
	if (err == US_ERR_NOT_FOUND)
		return us_verify_found(finding, US_VERDICT_TAMPERED, US_ENTRY_NONE,
		    "the checkpoint is not signed by the key %s", key->name);
	if (err == US_ERR_VERIFY)
		return us_verify_found(finding, US_VERDICT_TAMPERED, US_ENTRY_NONE,
		    "the checkpoint is of another log than %s", key->name);
	return us_verify_found(finding, US_VERDICT_TAMPERED, US_ENTRY_NONE, "the checkpoint: %s",
	    us_strerror(err));
}

/* Whether the policy says whose log it is. */
static int
is_named(const struct us_tlog_policy *policy, const struct us_note_key *key)
{
	size_t n = 0;
	const struct us_note_key *logs = policy == NULL ? NULL : us_tlog_policy_logs(policy, &n);

	for (size_t i = 0; i < n; i++)
		if (memcmp(logs[i].pub, key->pub, sizeof key->pub) == 0 &&
		    strcmp(logs[i].name, key->name) == 0)
			return 1;
	return 0;
}

int
us_verify_head_open(struct us_verify_report *report, struct us_note_key *key,
    struct us_verify_succession *handed, struct us_buf *note, const struct us_log_source *source,
    const struct us_verify_options *options, struct us_verify_finding *finding)
{
	int err = get_key(source, options->vkey, key, finding);

	report->own_vkey = options->vkey == NULL &&
	    !(err == US_OK && is_named(options->policy, key));
	if (err == US_OK)
		err = us_verify_succession_open(handed, source, options->foreign, key, finding);
	if (err != US_OK)
		return err;
	err = source->get(source->arg, "checkpoint", note);
	if (err != US_OK && err != US_ERR_NOMEM)
		err = us_verify_found(finding, US_VERDICT_UNVERIFIABLE, US_ENTRY_NONE,
		    "there is no checkpoint: %s", us_strerror(err));
	return err == US_OK ? us_verify_head_checkpoint(&report->checkpoint, key,
				  (struct us_bytes){ note->data, note->len }, finding) :
			      err;
}
