/*
 * The keeper's small files, all in its working directory:
 *
 *   vault.conf    lines "name=value": what is no secret (struct us_vault_conf)
 *   boot.keys     "USB1" ‖ log's Ed25519 seed(32) ‖ str16 TLS server key (PKCS#8) ‖ str16 its
 *                 certificate; mode 0600
 *   root.wrapped  the CA's private key (PKCS#8), Cobblestone-256 under the CA wrap key, context
 *                 "underseal/ca/1" ‖ vault id
 *   init.act      committed act 1 (it names people), Cobblestone-256 under the state key, context
 *                 "underseal/init/1" ‖ vault id
 *   keyring       see keyring.h
 *   ledger        see ledger_file.h
 *   handovers     how the log was handed over to another key: see succession.h
 *   started, ended  what the last start and the last orderly end left: see machine_events.h
 *   barred        fingerprints of credentials that have ended: see barred.h
 *   lock          held (flock) by the process that owns the directory
 *
 * Files are replaced whole: written beside, synced, renamed, directory synced.
 */
#ifndef US_DAEMON_KEEPER_FILES_H
#define US_DAEMON_KEEPER_FILES_H

#include "log/note.h"
#include "base/buf.h"
#include "crypto/cert.h"
#include "crypto/key.h"
#include "crypto/slip39.h"

#define US_SHARES_MAX US_SLIP39_SHARES_MAX

struct us_vault_conf {
	uint8_t vault_id[32];
	char origin[US_NOTE_NAME_MAX + 1];
	unsigned shares, threshold;
	uint8_t share_digests[US_SHARES_MAX][32];
	uint8_t root_check[32];
	uint8_t box_public[32];
	char vkey[US_NOTE_VKEY_MAX];
	struct us_buf ca; /* certificate, DER */
};

struct us_boot_keys {
	struct us_key *log_seed;
	struct us_pkey *tls_key;
	struct us_buf tls_certificate; /* DER */
};

/* Appends a whole file of the working directory, of at most max bytes. US_ERR_NOT_FOUND,
 * US_ERR_LIMIT, US_ERR_IO. */
int us_keeper_read(const char *name, size_t max, struct us_buf *out);
/* Replaces a file of the working directory. US_ERR_IO, US_ERR_NOSPACE. */
int us_keeper_write(const char *name, struct us_bytes data);
/* Renames a file, and syncs the directory. US_ERR_IO. */
int us_keeper_rename(const char *from, const char *to);

/* Writes vault.conf. Errors of us_keeper_write(). */
int us_vault_conf_write(const struct us_vault_conf *conf);
/* Reads vault.conf. US_ERR_FORMAT if a name is missing or wrong. Free with us_vault_conf_free(),
 * also after a failure. */
int us_vault_conf_read(struct us_vault_conf *conf);
/* Gives back what conf holds, of zeros nothing. */
void us_vault_conf_free(struct us_vault_conf *conf);
/* Writes boot.keys. Errors of us_keeper_write(). */
int us_boot_keys_write(const struct us_boot_keys *keys);
/* The file's bytes, appended. */
int us_boot_keys_encode(const struct us_boot_keys *keys, struct us_buf *out);
/* Reads it into fresh secret memory. US_ERR_FORMAT. Free with us_boot_keys_free(), also after a
 * failure. */
int us_boot_keys_read(struct us_boot_keys *keys);
/* Gives back what keys holds, wiped, of zeros nothing. */
void us_boot_keys_free(struct us_boot_keys *keys);
/* Writes root.wrapped: the CA's key under the wrap key. */
int
us_ca_key_write(const struct us_pkey *ca, const struct us_key *wrap, const uint8_t vault_id[32]);
/* Reads it, into *out. US_ERR_COMMITMENT: under another key. Free with us_pkey_free(). */
int us_ca_key_read(struct us_pkey **out, const struct us_key *wrap, const uint8_t vault_id[32]);
/* Writes init.act: committed act 1 under the state key. */
int us_init_act_write(struct us_bytes committed, const struct us_key *state,
    const uint8_t vault_id[32]);
/* Appends it to out, whose limit must be US_ACT_COMMITTED_MAX at least. US_ERR_COMMITMENT. */
int us_init_act_read(struct us_buf *out, const struct us_key *state, const uint8_t vault_id[32]);
/* Takes the lock for the rest of the process: US_ERR_BUSY if another process holds it. */
int us_keeper_lock(int *fd);

#endif
