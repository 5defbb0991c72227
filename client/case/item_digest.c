#include "client/case/item_digest.h"

#include <string.h>

#include "base/base64.h"
#include "base/err.h"
#include "registry/docket.h"

/* Fingerprints of an array, one behind the other. US_ERR_FORMAT: one is none. */
static int
take_fingerprints(const cJSON *list, struct us_buf *out)
{
	const cJSON *item;
	uint8_t one[32];
	int err = cJSON_IsArray(list) ? US_OK : US_ERR_FORMAT;

	cJSON_ArrayForEach(item, list) {
		if (err == US_OK && (!cJSON_IsString(item) || strlen(item->valuestring) != 64))
			err = US_ERR_FORMAT;
		if (err == US_OK)
			err = us_hex_decode(item->valuestring, 64, one, sizeof one);
		if (err == US_OK)
			err = us_buf_put(out, one, sizeof one);
	}
	return err;
}

static int
take_about(const cJSON *about, struct us_person_item *out)
{
	const char *capacity = us_json_text(about, "capacity");
	const cJSON *list = cJSON_GetObjectItemCaseSensitive(about, "parties"), *party;

	cJSON_ArrayForEach(party, list) {
		if (!cJSON_IsString(party) || out->n_parties == US_PERSON_PARTIES)
			return US_ERR_FORMAT;
		out->parties[out->n_parties++] = us_bytes_of(party->valuestring);
	}
	return us_capacity_of(&out->capacity, capacity, strlen(capacity));
}

/* What a signature of a person's item names. Any error: it does not show what it would have to. */
static int
person_digest(struct us_client *client, const char *id, const cJSON *item, uint8_t out[32])
{
	struct us_person_item shown = { .id = us_bytes_of(id),
		.is_new = strcmp(us_json_text(item, "kind"), "person") == 0,
		.name = us_bytes_of(us_json_text(item, "name")) };
	struct us_buf fingerprints;
	int err = take_about(cJSON_GetObjectItemCaseSensitive(item, "about"), &shown);

	us_buf_init(&fingerprints, 1 << 20);
	if (err == US_OK)
		err = take_fingerprints(cJSON_GetObjectItemCaseSensitive(item, "fingerprints"),
		    &fingerprints);
	shown.fingerprints = (struct us_bytes){ fingerprints.data, fingerprints.len };
	if (err == US_OK)
		err = us_person_item_digest(us_client_profile(client)->vault_id, &shown, out);
	us_buf_free(&fingerprints);
	return err;
}

/* The id says the kind; about a person it may be one of two. */
static int
is_of_kind(const char *id, const char *kind)
{
	const size_t n = strlen(kind);

	if (strncmp(id, "person-", 7) == 0)
		return strcmp(kind, "person") == 0 || strcmp(kind, "credential") == 0;
	return n > 0 && strncmp(id, kind, n) == 0 && id[n] == '-';
}

int
us_item_check(struct us_client *client, const char *id, const cJSON *item)
{
	const char *shown = us_json_text(item, "id");
	uint8_t own[32];
	char hex[65];

	if (strcmp(shown, id) != 0 || !is_of_kind(id, us_json_text(item, "kind"))) {
		us_say("VERIFICATION FAILED: %s was asked for, and '%s' (%s) is answered; nothing "
		       "was signed",
		    id, shown, us_json_text(item, "kind"));
		return US_EXIT_UNVERIFIED;
	}
	if (strncmp(id, "person-", 7) != 0)
		return US_EXIT_DONE;
	if (person_digest(client, id, item, own) == US_OK) {
		us_hex_encode(own, sizeof own, hex);
		if (strcmp(hex, us_json_text(item, "digest")) == 0)
			return US_EXIT_DONE;
	}
	us_say("VERIFICATION FAILED: what is to be signed of %s is not the person and the "
	       "fingerprints that are shown; nothing was signed",
	    id);
	return US_EXIT_UNVERIFIED;
}
