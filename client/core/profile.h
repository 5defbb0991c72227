/* The profile on disk: whose keys the client uses, and what it remembers of the vault. */
#ifndef US_CLIENT_CORE_PROFILE_H
#define US_CLIENT_CORE_PROFILE_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "crypto/cert.h"

/*
 * A directory that nobody else can read (0700), with
 *   profile.conf     server=HOST:PORT, vault=HEX (the vault id), vkey=LOG KEY, person=NAME,
 *                    purpose=TEXT
 *   key.pem          PKCS#8, encrypted by default
 *   certificate.pem  the person's certificate,   ca.pem  the vault's CA
 *   checkpoint       the last checkpoint of this vault's log that was verified
 *   handovers        how the log was handed over to the key that stands in profile.conf
 *                    (client/log/succession.h)
 *   checkpoint.N     the last one by the log's N-th key, which is no longer its
 *   mirror           what was fetched of the log (client/log/mirror.h)
 *   batches          manifest roots that were verified against the log (client/log/proofs.h)
 */
struct us_profile {
	char *directory;
	char *server;
	char *person;
	char *purpose; /* or NULL */
	char *vkey;
	uint8_t vault_id[32];
	uint8_t credential[32];    /* fingerprint of certificate */
	struct us_buf certificate; /* DER */
	struct us_buf ca;          /* DER */
	struct us_pkey *key;
};

/* Opens the profile named by --profile or UNDERSEAL_PROFILE; asks for the passphrase if the key has
 * one (or takes it from the file that UNDERSEAL_PASSPHRASE_FILE names). Ends the program with a
 * message if it can't. */
void us_profile_open(struct us_profile *profile, const char *directory);
/* The same without the private key: for commands that stay offline. */
void us_profile_open_public(struct us_profile *profile, const char *directory);
/* Frees what it holds; a zeroed one may be closed. */
void us_profile_close(struct us_profile *profile);
/* Writes a file of the profile: temporary file, sync, rename; mode 0600. US_ERR_IO. */
int us_profile_write(const char *directory, const char *name, const void *p, size_t n);
/* Replaces the line "vkey=" of profile.conf, and profile->vkey. US_ERR_FORMAT (there is none),
 * US_ERR_IO, US_ERR_NOMEM. */
int us_profile_set_vkey(struct us_profile *profile, const char *vkey);
/* Reads a file of at most max bytes (out is reset first). US_ERR_NOT_FOUND, US_ERR_LIMIT,
 * US_ERR_IO. */
int us_profile_read(const char *directory, const char *name, size_t max, struct us_buf *out);
/* Reads a whole file, "-" for standard input. The same errors. */
int us_file_read(const char *path, size_t max, struct us_buf *out);

#endif
