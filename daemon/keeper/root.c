#include "daemon/keeper/root.h"

#include "base/err.h"
#include "crypto/keytree.h"

int
us_root_keys_new(struct us_root_keys **out, const struct us_key *root)
{
	struct us_root_keys *k = us_secret_alloc(sizeof *k);
	int err;

	*out = NULL;
	if (k == NULL)
		return US_ERR_NOMEM;
	err = us_keyring_kek(root, &k->keyring_kek);
	if (err == US_OK)
		err = us_log_box_key(root, &k->log_box);
	if (err == US_OK)
		err = us_log_box_private(root, &k->log_box_private);
	if (err == US_OK)
		err = us_ca_wrap_key(root, &k->ca_wrap);
	if (err == US_OK)
		err = us_state_key(root, &k->state);
	if (err == US_OK)
		err = us_cursor_key(root, &k->cursor);
	if (err == US_OK)
		err = us_ledger_key(root, &k->ledger);
	if (err != US_OK)
		us_secret_free(k);
	else
		*out = k;
	return err;
}

void
us_root_keys_free(struct us_root_keys *keys)
{
	us_secret_free(keys);
}

int
us_root_check_value(const struct us_key *root, unsigned char out[32])
{
	return us_root_check(root, out);
}
