/* The key of a witness, in its profile. */
#include <string.h>

#include "client/log/witness_key.h"
#include "base/base64.h"
#include "crypto/crypto.h"
#include "base/err.h"

#define KEY_PREFIX "PRIVATE+KEY+"
#define KEY_TEXT_MAX 1024

/* One line: PRIVATE+KEY+name+id+base64(type || seed), as other programs for signed notes have
 * it. */
static int
write_key(const char *directory, const struct us_note_key *key, const struct us_key *seed)
{
	uint8_t raw[33] = { US_NOTE_COSIGNATURE };
	struct us_buf text;
	int err;

	memcpy(raw + 1, seed->b, 32);
	us_buf_init(&text, KEY_TEXT_MAX);
	err = us_buf_putf(&text, KEY_PREFIX "%s+%08x+", key->name, (unsigned)key->id);
	if (err == US_OK)
		err = us_base64_put(&text, raw, sizeof raw);
	if (err == US_OK)
		err = us_buf_put_u8(&text, '\n');
	if (err == US_OK)
		err = us_profile_write(directory, US_WITNESS_KEY_FILE, text.data, text.len);
	us_wipe(raw, sizeof raw);
	us_buf_free(&text);
	return err;
}

static void
make_key(struct us_note_signer **signer, const struct us_profile *profile, const char *name)
{
	char own_name[64];
	struct us_key *seed;
	int err = us_key_new(&seed);

	if (err == US_OK)
		err = us_key_random(seed);
	if (name == NULL) {
		(void)snprintf(own_name, sizeof own_name, "witness/");
		us_hex_encode(profile->credential, 8, own_name + strlen(own_name));
		name = own_name;
	}
	if (err == US_OK)
		err = us_note_signer_new(signer, name, US_NOTE_COSIGNATURE, seed);
	if (err == US_ERR_FORMAT || err == US_ERR_LIMIT)
		us_usage_error("--name takes a name without blanks and '+'");
	if (err == US_OK)
		err = write_key(profile->directory, us_note_signer_key(*signer), seed);
	us_key_free(seed);
	if (err != US_OK)
		us_give_up(US_EXIT_OTHER, "cannot make %s/" US_WITNESS_KEY_FILE ": %s",
		    profile->directory, us_strerror(err));
}

static int
parse_key(struct us_note_signer **signer, const struct us_buf *text)
{
	const size_t skip = sizeof KEY_PREFIX - 1;
	const char *at = (const char *)text->data + skip, *plus;
	char name[US_NOTE_NAME_MAX + 1], id[9];
	uint8_t raw[33];
	struct us_key *seed;
	size_t n, got;
	int err;

	if (text->len <= skip + 1 || memcmp(text->data, KEY_PREFIX, skip) != 0 ||
	    text->data[text->len - 1] != '\n')
		return US_ERR_FORMAT;
	n = text->len - skip - 1;
	plus = memchr(at, '+', n);
	if (plus == NULL || (size_t)(plus - at) > US_NOTE_NAME_MAX ||
	    n - (size_t)(plus - at) != 1 + 8 + 1 + US_BASE64_SIZE(33) || plus[9] != '+')
		return US_ERR_FORMAT;
	(void)snprintf(name, sizeof name, "%.*s", (int)(plus - at), at);
	err = us_base64_decode(plus + 10, US_BASE64_SIZE(33), raw, sizeof raw, &got);
	if (err == US_OK && (got != sizeof raw || raw[0] != US_NOTE_COSIGNATURE))
		err = US_ERR_FORMAT;
	if (err == US_OK)
		err = us_key_new(&seed);
	if (err == US_OK)
		memcpy(seed->b, raw + 1, 32);
	us_wipe(raw, sizeof raw);
	if (err != US_OK)
		return err;
	err = us_note_signer_new(signer, name, US_NOTE_COSIGNATURE, seed);
	us_key_free(seed);
	if (err == US_OK) {
		(void)snprintf(id, sizeof id, "%08x", (unsigned)us_note_signer_key(*signer)->id);
		if (memcmp(id, plus + 1, 8) != 0)
			err = US_ERR_FORMAT;
	}
	return err;
}

struct us_note_signer *
us_witness_key(const struct us_profile *profile, const char *name)
{
	struct us_note_signer *signer = NULL;
	struct us_buf text;
	int err;

	us_buf_init(&text, KEY_TEXT_MAX);
	err = us_profile_read(profile->directory, US_WITNESS_KEY_FILE, KEY_TEXT_MAX, &text);
	if (err == US_ERR_NOT_FOUND)
		make_key(&signer, profile, name);
	else if (err == US_OK)
		err = parse_key(&signer, &text);
	us_buf_free(&text);
	if (err != US_OK && err != US_ERR_NOT_FOUND)
		us_give_up(US_EXIT_OTHER, "%s/" US_WITNESS_KEY_FILE " is not a witness's key: %s",
		    profile->directory, us_strerror(err));
	if (name != NULL && strcmp(us_note_signer_key(signer)->name, name) != 0)
		us_usage_error("this witness is named %s already",
		    us_note_signer_key(signer)->name);
	return signer;
}
