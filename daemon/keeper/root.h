/* The keys that come from the root, in locked memory. docs/PROTOCOL.md section 2. */
#ifndef US_DAEMON_KEEPER_ROOT_H
#define US_DAEMON_KEEPER_ROOT_H

#include "crypto/key.h"

struct us_root_keys {
	struct us_key keyring_kek;
	struct us_key log_box;
	struct us_key log_box_private;
	struct us_key ca_wrap;
	struct us_key state;
	struct us_key cursor;
	struct us_key ledger;
};

/* Derives them into fresh secret memory; us_root_keys_free(). US_ERR_NOMEM, US_ERR_CRYPTO. */
int us_root_keys_new(struct us_root_keys **out, const struct us_key *root);
/* Wipes them. keys may be NULL. */
void us_root_keys_free(struct us_root_keys *keys);
/* What vault.conf knows the root by. US_ERR_CRYPTO. */
int us_root_check_value(const struct us_key *root, unsigned char out[32]);

#endif
