/* SLIP-0039 mnemonics as text: words, RS1024 checksum, bit fields. */
#include <string.h>

#include "crypto/crypto.h"
#include "base/err.h"
#include "crypto/slip39_internal.h"

#define RADIX_BITS 10
#define HEAD_WORDS 4
#define CHECKSUM_WORDS 3
#define META_WORDS (HEAD_WORDS + CHECKSUM_WORDS)
#define WORDS_MIN 20 /* 128 bits */

const char *
us_slip39_word(unsigned index)
{
	return index < 1024 ? us_slip39_words[index] : NULL;
}

/* The index of the word whose first four letters these are, and whose other letters, if more are
 * given, are these; 1024 if there is none. */
static unsigned
find_word(const char *p, size_t n)
{
	unsigned lo = 0, hi = 1024;

	if (n < 4 || n > 8)
		return 1024;
	while (lo < hi) {
		unsigned mid = (lo + hi) / 2;
		int order = memcmp(us_slip39_words[mid], p, 4);

		if (order == 0) {
			const char *word = us_slip39_words[mid];

			return n == 4 || (strlen(word) == n && memcmp(word, p, n) == 0) ? mid :
											  1024;
		}
		if (order < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return 1024;
}

static int
is_space(uint8_t c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

int
us_slip39_normalise(struct us_bytes typed, char out[US_SLIP39_TEXT_MAX])
{
	size_t i = 0, len = 0, words = 0;
	int err = US_OK;

	while (err == US_OK) {
		char word[9] = { 0 };
		size_t n = 0;
		unsigned index;

		while (i < typed.n && is_space(typed.p[i]))
			i++;
		if (i == typed.n)
			break;
		for (; i < typed.n && !is_space(typed.p[i]) && n < sizeof word; i++) {
			uint8_t c = typed.p[i];

			word[n++] = (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
		}
		index = find_word(word, n);
		if (index == 1024) {
			err = US_ERR_SHARE;
		} else if (++words > US_SLIP39_WORDS_MAX) {
			err = US_ERR_LIMIT;
		} else {
			n = strlen(us_slip39_words[index]);
			if (len != 0)
				out[len++] = ' ';
			memcpy(out + len, us_slip39_words[index], n);
			len += n;
		}
		us_wipe(word, sizeof word);
	}
	if (err == US_OK && words == 0)
		err = US_ERR_SHARE;
	if (err == US_OK)
		out[len] = '\0';
	else
		us_wipe(out, US_SLIP39_TEXT_MAX);
	return err;
}

/* RS1024 over GF(1024), SLIP-0039 "Checksum". */
static uint32_t
polymod_step(uint32_t chk, uint32_t v)
{
	static const uint32_t gen[10] = {
		0x00e0e040,
		0x01c1c080,
		0x03838100,
		0x07070200,
		0x0e0e0009,
		0x1c0c2412,
		0x38086c24,
		0x3090fc48,
		0x21b1f890,
		0x03f3f120,
	};
	uint32_t b = chk >> 20;

	chk = (chk & 0xfffff) << 10 ^ v;
	for (unsigned i = 0; i < 10; i++)
		chk ^= (0u - (b >> i & 1)) & gen[i];
	return chk;
}

static uint32_t
polymod(int extendable, const uint16_t *words, size_t n)
{
	const char *customisation = extendable ? "shamir_extendable" : "shamir";
	uint32_t chk = 1;

	for (const char *c = customisation; *c != '\0'; c++)
		chk = polymod_step(chk, (uint8_t)*c);
	for (size_t i = 0; i < n; i++)
		chk = polymod_step(chk, words[i]);
	return chk;
}

/* Splits the text; exactly one blank between words. */
static int
split_words(const char *text, uint16_t words[US_SLIP39_WORDS_MAX], size_t *n)
{
	*n = 0;
	for (;;) {
		size_t len = strcspn(text, " ");
		unsigned index = find_word(text, len);

		/* abbreviations are for typing only: a mnemonic has one text */
		if (index == 1024 || strlen(us_slip39_words[index]) != len ||
		    *n == US_SLIP39_WORDS_MAX)
			return US_ERR_SHARE;
		words[(*n)++] = (uint16_t)index;
		text += len;
		if (*text == '\0')
			return US_OK;
		text++;
	}
}

static int
decode_head(const uint16_t *words, struct us_slip39_info *info)
{
	uint32_t a = (uint32_t)words[0] << 10 | words[1];
	uint32_t b = (uint32_t)words[2] << 10 | words[3];

	info->id = (uint16_t)(a >> 5);
	info->extendable = a >> 4 & 1;
	info->exponent = a & 15;
	info->group_index = b >> 16 & 15;
	info->group_threshold = (b >> 12 & 15) + 1;
	info->group_count = (b >> 8 & 15) + 1;
	info->member_index = b >> 4 & 15;
	info->member_threshold = (b & 15) + 1;
	return info->group_threshold > info->group_count ? US_ERR_SHARE : US_OK;
}

/* The value stands right-aligned in its words; what is left over at the front must be zero. */
static int
decode_value(const uint16_t *words, size_t n, struct us_slip39_share *out)
{
	size_t bits = n * RADIX_BITS, padding = bits % 16;
	uint32_t acc = 0;
	unsigned have = 0;
	size_t at = 0;

	if (padding > 8)
		return US_ERR_SHARE;
	out->info.secret_size = (bits - padding) / 8;
	if (out->info.secret_size > US_SLIP39_SECRET_MAX || words[0] >> (RADIX_BITS - padding) != 0)
		return US_ERR_SHARE;
	for (size_t i = 0; i < n; i++) {
		acc = acc << RADIX_BITS | words[i];
		have += i == 0 ? RADIX_BITS - (unsigned)padding : RADIX_BITS;
		while (have >= 8) {
			have -= 8;
			out->value[at++] = (uint8_t)(acc >> have);
		}
	}
	return US_OK;
}

int
us_slip39_decode(const char *mnemonic, struct us_slip39_share *out)
{
	uint16_t words[US_SLIP39_WORDS_MAX];
	size_t n;
	int err = split_words(mnemonic, words, &n);

	if (err == US_OK && n < WORDS_MIN)
		err = US_ERR_SHARE;
	if (err == US_OK)
		err = decode_head(words, &out->info);
	if (err == US_OK && polymod((int)out->info.extendable, words, n) != 1)
		err = US_ERR_SHARE;
	if (err == US_OK)
		err = decode_value(words + HEAD_WORDS, n - META_WORDS, out);
	us_wipe(words, sizeof words);
	if (err != US_OK)
		us_wipe(out, sizeof *out);
	return err;
}

void
us_slip39_encode(const struct us_slip39_share *share, char out[US_SLIP39_TEXT_MAX])
{
	const struct us_slip39_info *info = &share->info;
	uint16_t words[US_SLIP39_WORDS_MAX] = { 0 };
	size_t value_words = (info->secret_size * 8 + RADIX_BITS - 1) / RADIX_BITS;
	size_t n = HEAD_WORDS + value_words, len = 0;
	unsigned have = (unsigned)(value_words * RADIX_BITS - info->secret_size * 8);
	uint32_t acc = 0, chk;

	words[0] = (uint16_t)(info->id >> 5);
	words[1] = (uint16_t)((info->id & 31u) << 5 | info->extendable << 4 | info->exponent);
	words[2] = (uint16_t)(info->group_index << 6 | (info->group_threshold - 1) << 2 |
	    (info->group_count - 1) >> 2);
	words[3] = (uint16_t)(((info->group_count - 1) & 3) << 8 | info->member_index << 4 |
	    (info->member_threshold - 1));
	for (size_t i = 0, at = HEAD_WORDS; i < info->secret_size; i++) {
		acc = acc << 8 | share->value[i];
		have += 8;
		if (have >= RADIX_BITS) {
			have -= RADIX_BITS;
			words[at++] = (uint16_t)(acc >> have & 1023);
		}
	}
	chk = polymod((int)info->extendable, words, n + CHECKSUM_WORDS) ^ 1;
	words[n++] = (uint16_t)(chk >> 20 & 1023);
	words[n++] = (uint16_t)(chk >> 10 & 1023);
	words[n++] = (uint16_t)(chk & 1023);
	for (size_t i = 0; i < n; i++) {
		const char *word = us_slip39_words[words[i]];
		size_t word_len = strlen(word);

		if (i != 0)
			out[len++] = ' ';
		memcpy(out + len, word, word_len);
		len += word_len;
	}
	out[len] = '\0';
	us_wipe(words, sizeof words);
	us_wipe(&acc, sizeof acc);
}

int
us_slip39_parse(const char *mnemonic, struct us_slip39_info *out)
{
	struct us_slip39_share share;
	int err = us_slip39_decode(mnemonic, &share);

	if (err == US_OK)
		*out = share.info;
	us_wipe(&share, sizeof share);
	return err;
}

int
us_share_digest(const uint8_t vault[32], const char *mnemonic, uint8_t out[32])
{
	struct us_bytes parts[3] = {
		us_bytes_of("underseal/share/1"),
		{ vault, 32 },
		us_bytes_of(mnemonic),
	};

	return us_sha256_parts(parts, 3, out);
}
