/* Shared by the slip39*.c files alone. */
#ifndef US_CRYPTO_SLIP39_INTERNAL_H
#define US_CRYPTO_SLIP39_INTERNAL_H

#include "crypto/slip39.h"

extern const char us_slip39_words[1024][9];

/* A share as its mnemonic encodes it. */
struct us_slip39_share {
	struct us_slip39_info info;
	uint8_t value[US_SLIP39_SECRET_MAX];
};

/* From mnemonic text: checks words, checksum, padding, and numbers. US_ERR_SHARE. */
int us_slip39_decode(const char *mnemonic, struct us_slip39_share *out);
/* To mnemonic text, NUL-terminated. The share is one that is right: nothing is checked. */
void us_slip39_encode(const struct us_slip39_share *share, char out[US_SLIP39_TEXT_MAX]);

#endif
