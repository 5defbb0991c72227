/*
 * SLIP-0039, "Shamir's Secret-Sharing for Mnemonic Codes" (SatoshiLabs; final, with the extendable
 * backup flag): a secret of 16 to 64 bytes as English words. We split into one group of k of n;
 * combining takes any set of groups. GF(256) arithmetic uses no table and no branch on secrets.
 *
 * Mnemonics are text: lower-case words with one space between, no NUL inside, ended by NUL.
 * All memory for secrets is the caller's (us_secret_alloc); functions wipe their own copies.
 * Thread safe.
 */
#ifndef US_CRYPTO_SLIP39_H
#define US_CRYPTO_SLIP39_H

#include "base/buf.h"
#include "crypto/key.h"

#define US_SLIP39_SHARES_MAX 16
#define US_SLIP39_SECRET_MAX 64
#define US_SLIP39_WORDS_MAX 59
/* Room for any mnemonic and its NUL. */
#define US_SLIP39_TEXT_MAX 544

struct us_slip39_plan {
	unsigned threshold;     /* k, 1 .. n; k = 1 only with n = 1 (SLIP-0039 forbids 1 of many) */
	unsigned shares;        /* n, 1 .. 16 */
	unsigned exponent;      /* 10000 * 2^exponent PBKDF2 rounds in all; 0 .. 15 */
	int extendable;         /* not 0: the id does not salt the encryption */
	const char *passphrase; /* printable ASCII; NULL: none */
};

/* What a mnemonic says of itself, without its value. */
struct us_slip39_info {
	uint16_t id;
	unsigned extendable, exponent;
	unsigned group_index, group_threshold, group_count;
	unsigned member_index, member_threshold;
	size_t secret_size;
};

/* The words at index 0 .. 1023; NULL beyond. */
const char *us_slip39_word(unsigned index);
/* Writes the mnemonic of typed text: lower case, runs of white space as one blank, none at the
 * ends; words may be given by their first four letters. US_ERR_SHARE if a word is unknown,
 * US_ERR_LIMIT if too long. */
int us_slip39_normalise(struct us_bytes typed, char out[US_SLIP39_TEXT_MAX]);
/* Checks words, checksum, padding. US_ERR_SHARE. */
int us_slip39_parse(const char *mnemonic, struct us_slip39_info *out);
/* Writes plan->shares mnemonics to out[0 ..]. US_ERR_ARG for an impossible plan or secret. */
int us_slip39_split(const struct us_slip39_plan *plan, struct us_bytes secret,
    char (*out)[US_SLIP39_TEXT_MAX]);
/* The secret of exactly the mnemonics needed (all groups needed, each with its threshold). out has
 * US_SLIP39_SECRET_MAX bytes. US_ERR_INCOMPLETE: too few; US_ERR_SHARE: they do not belong
 * together, one is invalid or given twice, or the digest does not match. A wrong passphrase cannot
 * be noticed: it gives another secret. */
int us_slip39_combine(const char *const *mnemonics, size_t n, const char *passphrase, uint8_t *out,
    size_t *out_size);
/* SHA-256("underseal/share/1" ‖ vault id ‖ mnemonic), docs/PROTOCOL.md section 2. */
int us_share_digest(const uint8_t vault[32], const char *mnemonic, uint8_t out[32]);

#endif
