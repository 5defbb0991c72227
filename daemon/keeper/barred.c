#include "daemon/keeper/barred.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/log.h"
#include "crypto/crypto.h"
#include "daemon/keeper/handlers.h"
#include "daemon/keeper/internal.h"

#define BARRED "barred"
#define MAGIC "USBAR1\n"
#define MAGIC_SIZE 7u
#define FINGERPRINT 32u
#define MAX (MAGIC_SIZE + (1u << 20) * FINGERPRINT + US_DIGEST_SIZE)

struct us_barred {
	struct us_buf list; /* fingerprints, ascending */
};

static int
compare(const void *a, const void *b)
{
	return memcmp(a, b, FINGERPRINT);
}

/* --- the file -------------------------------------------------------------------------- */

static int
parse(struct us_bytes file, struct us_buf *list)
{
	uint8_t digest[US_DIGEST_SIZE];
	const uint8_t *p = file.p + MAGIC_SIZE;
	size_t n;

	if (file.n < MAGIC_SIZE + US_DIGEST_SIZE || memcmp(file.p, MAGIC, MAGIC_SIZE) != 0)
		return US_ERR_FORMAT;
	n = file.n - MAGIC_SIZE - US_DIGEST_SIZE;
	if (us_sha256(file.p, file.n - US_DIGEST_SIZE, digest) != US_OK ||
	    memcmp(digest, file.p + file.n - US_DIGEST_SIZE, US_DIGEST_SIZE) != 0 ||
	    n % FINGERPRINT != 0)
		return US_ERR_FORMAT;
	for (size_t i = FINGERPRINT; i < n; i += FINGERPRINT)
		if (compare(p + i - FINGERPRINT, p + i) >= 0)
			return US_ERR_FORMAT;
	return us_buf_put(list, p, n);
}

static int
store(const struct us_barred *b)
{
	uint8_t digest[US_DIGEST_SIZE];
	struct us_buf file;
	int err;

	us_buf_init(&file, MAX);
	err = us_buf_put(&file, MAGIC, MAGIC_SIZE);
	if (err == US_OK)
		err = us_buf_put(&file, b->list.data, b->list.len);
	if (err == US_OK)
		err = us_sha256(file.data, file.len, digest);
	if (err == US_OK)
		err = us_buf_put(&file, digest, sizeof digest);
	if (err == US_OK)
		err = us_keeper_write(BARRED, (struct us_bytes){ file.data, file.len });
	us_buf_free(&file);
	return err;
}

int
us_barred_new(struct us_keeper *k)
{
	struct us_buf file;
	int err;

	k->barred = calloc(1, sizeof *k->barred);
	if (k->barred == NULL)
		return US_ERR_NOMEM;
	us_buf_init(&k->barred->list, MAX);
	us_buf_init(&file, MAX);
	err = us_keeper_read(BARRED, MAX, &file);
	if (err == US_OK)
		err = parse((struct us_bytes){ file.data, file.len }, &k->barred->list);
	else if (err == US_ERR_NOT_FOUND)
		err = US_OK; /* of a vault where none has ended, or that is older than this file */
	if (err != US_OK)
		us_log_err(err, "the file of credentials that have ended, keeper/%s", BARRED);
	us_buf_free(&file);
	return err;
}

void
us_barred_free(struct us_keeper *k)
{
	if (k->barred == NULL)
		return;
	us_buf_free(&k->barred->list);
	free(k->barred);
	k->barred = NULL;
}

/* --- what the registry says ------------------------------------------------------------ */

static int
has_ended(const struct us_registry *reg, const struct us_credential *c)
{
	const struct us_person *person = us_registry_person(reg, c->person);

	return us_credential_status(c) == US_CREDENTIAL_REVOKED ||
	    (person != NULL && person->status == US_PERSON_ENDED);
}

static int
gather(const struct us_registry *reg, struct us_buf *list)
{
	int err = US_OK;

	for (size_t i = 0; err == US_OK && i < us_registry_credentials(reg); i++) {
		const struct us_credential *c = us_registry_credential(reg, i);

		if (has_ended(reg, c))
			err = us_buf_put(list, c->fingerprint, FINGERPRINT);
	}
	if (err == US_OK && list->len > 0)
		qsort(list->data, list->len / FINGERPRINT, FINGERPRINT, compare);
	return err;
}

void
us_barred_review(struct us_keeper *k)
{
	struct us_barred *b = k->barred;
	struct us_buf now;
	int err;

	us_buf_init(&now, MAX);
	err = gather(k->registry, &now);
	if (err != US_OK)
		us_fatal("credentials that have ended cannot be listed. Stopping");
	if (now.len == b->list.len &&
	    (now.len == 0 || memcmp(now.data, b->list.data, now.len) == 0)) {
		us_buf_free(&now);
		return;
	}
	us_buf_free(&b->list);
	b->list = now;
	err = store(b);
	if (err == US_ERR_NOSPACE)
		us_log(US_LOG_WARNING,
		    "no room to write down who is barred: after a restart, until it is unsealed, "
		    "the vault may let a revoked credential as far as its status");
	else if (err != US_OK)
		us_fatal("keeper/%s cannot be written. Stopping", BARRED);
}

/* --- questions ------------------------------------------------------------------------- */

int
us_on_standing(struct us_keeper *k, struct us_channel *ch, uint32_t tag, struct us_bytes body)
{
	const struct us_buf *list = &k->barred->list;
	struct us_msg_standing_reply r = { .reason = US_REASON_NONE };
	struct us_msg_standing m;
	const int err = us_msg_standing_decode(&m, body.p, body.n);

	if (err != US_OK)
		return err;
	if (list->len > 0 &&
	    bsearch(m.credential, list->data, list->len / FINGERPRINT, FINGERPRINT, compare) !=
		NULL)
		r.reason = US_REASON_REVOKED;
	return us_send_standing_reply(ch, tag, &r);
}
