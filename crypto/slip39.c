#include "crypto/slip39.h"

#include <string.h>

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

#include "crypto/crypto.h"
#include "base/err.h"
#include "crypto/slip39_internal.h"

#define ROUNDS 4
#define ROUND_ITERATIONS 2500u /* 10,000 over the four rounds, times 2^exponent */
#define SECRET_X 255
#define DIGEST_X 254
#define DIGEST_SIZE 4
#define PASSPHRASE_MAX 256
#define POINTS_MAX US_SLIP39_SHARES_MAX
#define SHARES_GIVEN_MAX 256

/* A polynomial's value at x, byte by byte. */
struct us_crypto_point {
	uint8_t x;
	uint8_t y[US_SLIP39_SECRET_MAX];
};

/* GF(2^8) mod x^8 + x^4 + x^3 + x + 1, by masks: time and addresses do not depend on a or b. */
static uint8_t
gf_mul(uint8_t a, uint8_t b)
{
	unsigned r = 0, x = a;

	for (unsigned i = 0; i < 8; i++) {
		r ^= x & (0u - ((unsigned)b >> i & 1u));
		x = x << 1 ^ (0x11bu & (0u - (x >> 7 & 1u)));
	}
	return (uint8_t)r;
}

/* a^254. */
static uint8_t
gf_inverse(uint8_t a)
{
	uint8_t r = 1, square = a;

	for (unsigned i = 0; i < 7; i++) {
		square = gf_mul(square, square);
		r = gf_mul(r, square);
	}
	return r;
}

/* Lagrange's interpolation at x of n points with different x. */
static void
interpolate(const struct us_crypto_point *points, size_t n, uint8_t x, size_t size, uint8_t *out)
{
	uint8_t sum[US_SLIP39_SECRET_MAX] = { 0 };

	for (size_t i = 0; i < n; i++) {
		uint8_t above = 1, below = 1, basis;

		for (size_t k = 0; k < n; k++) {
			if (k == i)
				continue;
			above = gf_mul(above, x ^ points[k].x);
			below = gf_mul(below, points[i].x ^ points[k].x);
		}
		basis = gf_mul(above, gf_inverse(below));
		for (size_t b = 0; b < size; b++)
			sum[b] ^= gf_mul(basis, points[i].y[b]);
	}
	memcpy(out, sum, size);
	us_wipe(sum, sizeof sum);
}

/* First four bytes of HMAC-SHA-256(random part, secret). */
static int
share_digest(const uint8_t *random, size_t random_size, struct us_bytes secret,
    uint8_t out[DIGEST_SIZE])
{
	uint8_t mac[32];
	int err = us_hmac_sha256((struct us_bytes){ random, random_size }, &secret, 1, mac);

	memcpy(out, mac, DIGEST_SIZE);
	us_wipe(mac, sizeof mac);
	return err;
}

static int
pbkdf2(struct us_bytes password, struct us_bytes salt, uint64_t iterations, uint8_t *out,
    size_t out_n)
{
	EVP_KDF *kdf = EVP_KDF_fetch(NULL, "PBKDF2", NULL);
	EVP_KDF_CTX *ctx = kdf == NULL ? NULL : EVP_KDF_CTX_new(kdf);
	int unchecked = 1; /* the standard's rounds are below SP 800-132's minimum */
	char digest[] = "SHA256";
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_PASSWORD,
		    (void *)(uintptr_t)password.p, password.n),
		OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SALT, (void *)(uintptr_t)salt.p,
		    salt.n),
		OSSL_PARAM_construct_uint64(OSSL_KDF_PARAM_ITER, &iterations),
		OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0),
		OSSL_PARAM_construct_int(OSSL_KDF_PARAM_PKCS5, &unchecked),
		OSSL_PARAM_construct_end(),
	};
	int ok = ctx != NULL && EVP_KDF_derive(ctx, out, out_n, params) == 1;

	EVP_KDF_CTX_free(ctx);
	EVP_KDF_free(kdf);
	return ok ? US_OK : US_ERR_CRYPTO;
}

/* F(i, half) = PBKDF2(password = u8 i ‖ passphrase, salt = prefix ‖ half). */
static int
round_function(const struct us_slip39_info *info, const char *passphrase, unsigned i,
    const uint8_t *half, uint8_t *out)
{
	uint8_t password[1 + PASSPHRASE_MAX], salt[8 + US_SLIP39_SECRET_MAX / 2];
	size_t password_n = strlen(passphrase), salt_n = 0, n = info->secret_size / 2;
	int err;

	password[0] = (uint8_t)i;
	memcpy(password + 1, passphrase, password_n);
	if (!info->extendable) {
		memcpy(salt, "shamir", 6);
		us_store_u16(salt + 6, info->id);
		salt_n = 8;
	}
	memcpy(salt + salt_n, half, n);
	err = pbkdf2((struct us_bytes){ password, password_n + 1 },
	    (struct us_bytes){ salt, salt_n + n }, (uint64_t)ROUND_ITERATIONS << info->exponent,
	    out, n);
	us_wipe(password, sizeof password);
	us_wipe(salt, sizeof salt);
	return err;
}

/* The four-round Feistel network over the halves of secret, in place; rounds run backwards to
 * decrypt. */
static int
feistel(const struct us_slip39_info *info, const char *passphrase, int decrypt, uint8_t *secret)
{
	size_t half = info->secret_size / 2;
	uint8_t l[US_SLIP39_SECRET_MAX / 2], r[US_SLIP39_SECRET_MAX / 2],
	    f[US_SLIP39_SECRET_MAX / 2];
	int err = US_OK;

	memcpy(l, secret, half);
	memcpy(r, secret + half, half);
	for (unsigned i = 0; i < ROUNDS && err == US_OK; i++) {
		err = round_function(info, passphrase, decrypt ? ROUNDS - 1 - i : i, r, f);
		for (size_t k = 0; k < half; k++) {
			uint8_t mixed = l[k] ^ f[k];

			l[k] = r[k];
			r[k] = mixed;
		}
	}
	memcpy(secret, r, half);
	memcpy(secret + half, l, half);
	us_wipe(l, sizeof l);
	us_wipe(r, sizeof r);
	us_wipe(f, sizeof f);
	return err;
}

static int
passphrase_ok(const char *passphrase)
{
	size_t n = strlen(passphrase);

	if (n >= PASSPHRASE_MAX)
		return 0;
	for (size_t i = 0; i < n; i++) {
		if (passphrase[i] < 0x20 || passphrase[i] > 0x7e)
			return 0;
	}
	return 1;
}

/* Values at x = 0 .. n - 1 of a polynomial through (255, secret) and (254, digest ‖ random). */
static int
split_secret(unsigned threshold, unsigned n, struct us_bytes secret, struct us_crypto_point *out)
{
	struct us_crypto_point base[POINTS_MAX];
	unsigned drawn = threshold < 2 ? 0 : threshold - 2;
	int err = US_OK;

	if (threshold == 1) {
		for (unsigned i = 0; i < n; i++) {
			out[i].x = (uint8_t)i;
			memcpy(out[i].y, secret.p, secret.n);
		}
		return US_OK;
	}
	memset(base, 0, sizeof base);
	for (unsigned i = 0; i < drawn && err == US_OK; i++) {
		base[i].x = (uint8_t)i;
		err = us_random(base[i].y, secret.n);
	}
	base[drawn].x = DIGEST_X;
	if (err == US_OK)
		err = us_random(base[drawn].y + DIGEST_SIZE, secret.n - DIGEST_SIZE);
	if (err == US_OK)
		err = share_digest(base[drawn].y + DIGEST_SIZE, secret.n - DIGEST_SIZE, secret,
		    base[drawn].y);
	base[drawn + 1].x = SECRET_X;
	memcpy(base[drawn + 1].y, secret.p, secret.n);
	for (unsigned i = 0; i < n && err == US_OK; i++) {
		out[i].x = (uint8_t)i;
		if (i < drawn)
			memcpy(out[i].y, base[i].y, secret.n);
		else
			interpolate(base, threshold, (uint8_t)i, secret.n, out[i].y);
	}
	us_wipe(base, sizeof base);
	return err;
}

static int
recover_secret(unsigned threshold, const struct us_crypto_point *points, size_t size, uint8_t *out)
{
	uint8_t digest[US_SLIP39_SECRET_MAX], expected[DIGEST_SIZE];
	int err;

	if (threshold == 1) {
		memcpy(out, points[0].y, size);
		return US_OK;
	}
	interpolate(points, threshold, SECRET_X, size, out);
	interpolate(points, threshold, DIGEST_X, size, digest);
	err = share_digest(digest + DIGEST_SIZE, size - DIGEST_SIZE, (struct us_bytes){ out, size },
	    expected);
	if (err == US_OK && !us_equal_secret(digest, expected, DIGEST_SIZE))
		err = US_ERR_SHARE;
	us_wipe(digest, sizeof digest);
	return err;
}

static int
plan_ok(const struct us_slip39_plan *plan, size_t secret_n)
{
	return plan->shares >= 1 && plan->shares <= US_SLIP39_SHARES_MAX && plan->threshold >= 1 &&
	    plan->threshold <= plan->shares && (plan->threshold != 1 || plan->shares == 1) &&
	    plan->exponent <= 15 && secret_n >= 16 && secret_n <= US_SLIP39_SECRET_MAX &&
	    secret_n % 2 == 0 && (plan->passphrase == NULL || passphrase_ok(plan->passphrase));
}

int
us_slip39_split(const struct us_slip39_plan *plan, struct us_bytes secret,
    char (*out)[US_SLIP39_TEXT_MAX])
{
	const char *passphrase = plan->passphrase == NULL ? "" : plan->passphrase;
	struct us_slip39_share share;
	struct us_crypto_point *points;
	uint8_t encrypted[US_SLIP39_SECRET_MAX], id[2];
	int err;

	if (!plan_ok(plan, secret.n))
		return US_ERR_ARG;
	points = us_secret_alloc(plan->shares * sizeof *points);
	if (points == NULL)
		return US_ERR_NOMEM;
	err = us_random(id, sizeof id);
	share.info = (struct us_slip39_info){
		.id = us_load_u16(id) & 0x7fff,
		.extendable = plan->extendable != 0,
		.exponent = plan->exponent,
		.group_threshold = 1,
		.group_count = 1,
		.member_threshold = plan->threshold,
		.secret_size = secret.n,
	};
	memcpy(encrypted, secret.p, secret.n);
	if (err == US_OK)
		err = feistel(&share.info, passphrase, 0, encrypted);
	if (err == US_OK)
		err = split_secret(plan->threshold, plan->shares,
		    (struct us_bytes){ encrypted, secret.n }, points);
	for (unsigned i = 0; i < plan->shares && err == US_OK; i++) {
		share.info.member_index = i;
		memcpy(share.value, points[i].y, secret.n);
		us_slip39_encode(&share, out[i]);
	}
	us_wipe(&share, sizeof share);
	us_wipe(encrypted, sizeof encrypted);
	us_secret_free(points);
	return err;
}

/* What must be the same in all shares of a secret. */
static int
same_set(const struct us_slip39_info *a, const struct us_slip39_info *b)
{
	return a->id == b->id && a->extendable == b->extendable && a->exponent == b->exponent &&
	    a->group_threshold == b->group_threshold && a->group_count == b->group_count &&
	    a->secret_size == b->secret_size;
}

/* Recovers the share of one group into *out. US_ERR_NOT_FOUND if no share of it was given. */
static int
recover_group(const struct us_slip39_share *shares, size_t n, unsigned group,
    struct us_crypto_point *out)
{
	struct us_crypto_point points[POINTS_MAX];
	const struct us_slip39_info *first = NULL;
	size_t count = 0;
	int err = US_OK;

	for (size_t i = 0; i < n && err == US_OK; i++) {
		const struct us_slip39_info *info = &shares[i].info;

		if (info->group_index != group)
			continue;
		if (first == NULL)
			first = info;
		if (info->member_threshold != first->member_threshold || count == POINTS_MAX)
			err = US_ERR_SHARE;
		for (size_t k = 0; k < count; k++) {
			if (points[k].x == info->member_index)
				err = US_ERR_SHARE;
		}
		if (err != US_OK)
			break;
		points[count].x = (uint8_t)info->member_index;
		memcpy(points[count].y, shares[i].value, info->secret_size);
		count++;
	}
	if (err == US_OK && first == NULL)
		return US_ERR_NOT_FOUND;
	if (err == US_OK && count != first->member_threshold)
		err = count < first->member_threshold ? US_ERR_INCOMPLETE : US_ERR_SHARE;
	if (err == US_OK) {
		out->x = (uint8_t)group;
		err = recover_secret(first->member_threshold, points, first->secret_size, out->y);
	}
	us_wipe(points, sizeof points);
	return err;
}

static int
recover_all(const struct us_slip39_share *shares, size_t n, uint8_t *out)
{
	const struct us_slip39_info *info = &shares[0].info;
	struct us_crypto_point groups[POINTS_MAX];
	size_t count = 0;
	int err = US_OK;

	for (unsigned g = 0; g < POINTS_MAX && err == US_OK; g++) {
		err = recover_group(shares, n, g, &groups[count]);
		if (err == US_OK)
			count++;
		else if (err == US_ERR_NOT_FOUND)
			err = US_OK;
	}
	if (err == US_OK && count != info->group_threshold)
		err = count < info->group_threshold ? US_ERR_INCOMPLETE : US_ERR_SHARE;
	if (err == US_OK)
		err = recover_secret(info->group_threshold, groups, info->secret_size, out);
	us_wipe(groups, sizeof groups);
	return err;
}

int
us_slip39_combine(const char *const *mnemonics, size_t n, const char *passphrase, uint8_t *out,
    size_t *out_size)
{
	struct us_slip39_share *shares;
	int err = US_OK;

	if (passphrase == NULL)
		passphrase = "";
	if (n == 0)
		return US_ERR_INCOMPLETE;
	if (n > SHARES_GIVEN_MAX || !passphrase_ok(passphrase))
		return US_ERR_ARG;
	shares = us_secret_alloc(n * sizeof *shares);
	if (shares == NULL)
		return US_ERR_NOMEM;
	for (size_t i = 0; i < n && err == US_OK; i++) {
		err = us_slip39_decode(mnemonics[i], &shares[i]);
		if (err == US_OK && !same_set(&shares[0].info, &shares[i].info))
			err = US_ERR_SHARE;
	}
	if (err == US_OK)
		err = recover_all(shares, n, out);
	if (err == US_OK)
		err = feistel(&shares[0].info, passphrase, 1, out);
	if (err == US_OK)
		*out_size = shares[0].info.secret_size;
	else
		us_wipe(out, US_SLIP39_SECRET_MAX);
	us_secret_free(shares);
	return err;
}
