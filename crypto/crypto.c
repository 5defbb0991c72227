#include "crypto/crypto.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/rand.h>

#include "crypto/crypto_internal.h"
#include "base/err.h"

/* Fetched once, read only afterwards. */
struct us_crypto_algorithms {
	EVP_MD *sha256;
	EVP_MD *sha512;
	EVP_CIPHER *gcm;
	EVP_CIPHER *ctr;
};

static struct us_crypto_algorithms algorithms;
static int fetched;
static pthread_once_t fetch_once = PTHREAD_ONCE_INIT;
static pthread_key_t thread_key;
static _Thread_local struct us_crypto_thread *self;

struct us_hash {
	EVP_MD_CTX *ctx;
};

static void
thread_free(void *p)
{
	struct us_crypto_thread *t = p;

	if (t == NULL)
		return;
	EVP_MD_CTX_free(t->sha256);
	EVP_MD_CTX_free(t->sha512);
	EVP_CIPHER_CTX_free(t->seal);
	EVP_CIPHER_CTX_free(t->open);
	EVP_CIPHER_CTX_free(t->ctr);
	free(t);
}

static void
fetch(void)
{
	uint8_t drawn[1];

	algorithms.sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
	algorithms.sha512 = EVP_MD_fetch(NULL, "SHA512", NULL);
	algorithms.gcm = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);
	algorithms.ctr = EVP_CIPHER_fetch(NULL, "AES-256-CTR", NULL);
	fetched = algorithms.sha256 != NULL && algorithms.sha512 != NULL &&
	    algorithms.gcm != NULL && algorithms.ctr != NULL &&
	    pthread_key_create(&thread_key, thread_free) == 0 &&
	    RAND_bytes(drawn, sizeof drawn) == 1;
}

/* NULL if fetching failed. */
static const struct us_crypto_algorithms *
fetched_algorithms(void)
{
	(void)pthread_once(&fetch_once, fetch);
	return fetched ? &algorithms : NULL;
}

static int
thread_setup(struct us_crypto_thread *t, const struct us_crypto_algorithms *a)
{
	static const uint8_t zero[32];

	t->sha256 = EVP_MD_CTX_new();
	t->sha512 = EVP_MD_CTX_new();
	t->seal = EVP_CIPHER_CTX_new();
	t->open = EVP_CIPHER_CTX_new();
	t->ctr = EVP_CIPHER_CTX_new();
	return t->sha256 != NULL && t->sha512 != NULL && t->seal != NULL && t->open != NULL &&
	    t->ctr != NULL && EVP_DigestInit_ex(t->sha256, a->sha256, NULL) == 1 &&
	    EVP_DigestInit_ex(t->sha512, a->sha512, NULL) == 1 &&
	    EVP_EncryptInit_ex(t->seal, a->gcm, NULL, zero, zero) == 1 &&
	    EVP_DecryptInit_ex(t->open, a->gcm, NULL, zero, zero) == 1 &&
	    EVP_EncryptInit_ex(t->ctr, a->ctr, NULL, zero, zero) == 1;
}

struct us_crypto_thread *
us_crypto_thread(void)
{
	const struct us_crypto_algorithms *a;
	struct us_crypto_thread *t;

	if (self != NULL)
		return self;
	a = fetched_algorithms();
	if (a == NULL)
		return NULL;
	t = calloc(1, sizeof *t);
	if (t == NULL)
		return NULL;
	if (!thread_setup(t, a) || pthread_setspecific(thread_key, t) != 0) {
		thread_free(t);
		return NULL;
	}
	self = t;
	return t;
}

int
us_crypto_init(void)
{
	return us_crypto_thread() == NULL ? US_ERR_CRYPTO : US_OK;
}

/* Not inlined, so that its frame lies where the frames of finished calls lay. */
static __attribute__((noinline)) void
burn_stack(void)
{
	uint8_t frame[16384];

	us_wipe(frame, sizeof frame);
}

void
us_crypto_scrub(void)
{
	if (self != NULL) {
		(void)pthread_setspecific(thread_key, NULL);
		thread_free(self);
		self = NULL;
	}
	burn_stack();
}

int
us_random(void *out, size_t n)
{
	uint8_t *p = out;

	while (n != 0) {
		int step = n > 1 << 20 ? 1 << 20 : (int)n;

		if (RAND_bytes(p, step) != 1)
			return US_ERR_CRYPTO;
		p += step;
		n -= (size_t)step;
	}
	return US_OK;
}

int
us_key_random(struct us_key *out)
{
	return us_random(out->b, sizeof out->b);
}

int
us_digest_parts(EVP_MD_CTX *ctx, const struct us_bytes *parts, size_t n, uint8_t *out)
{
	int ok = 1;

	for (size_t i = 0; i < n; i++) {
		if (parts[i].n != 0)
			ok &= EVP_DigestUpdate(ctx, parts[i].p, parts[i].n);
	}
	ok = ok && EVP_DigestFinal_ex(ctx, out, NULL) == 1;
	/* as the next call needs it, and so that no digest (often a key) stays in the state */
	if (EVP_DigestInit_ex(ctx, NULL, NULL) != 1)
		ok = 0;
	return ok ? US_OK : US_ERR_CRYPTO;
}

int
us_sha256_parts(const struct us_bytes *parts, size_t n, uint8_t out[US_DIGEST_SIZE])
{
	struct us_crypto_thread *t = us_crypto_thread();

	return t == NULL ? US_ERR_CRYPTO : us_digest_parts(t->sha256, parts, n, out);
}

int
us_sha256(const void *p, size_t n, uint8_t out[US_DIGEST_SIZE])
{
	struct us_bytes part = { p, n };

	return us_sha256_parts(&part, 1, out);
}

int
us_hash_new(struct us_hash **out)
{
	const struct us_crypto_algorithms *a = fetched_algorithms();
	struct us_hash *h;

	*out = NULL;
	if (a == NULL)
		return US_ERR_CRYPTO;
	h = calloc(1, sizeof *h);
	if (h == NULL)
		return US_ERR_NOMEM;
	h->ctx = EVP_MD_CTX_new();
	if (h->ctx == NULL || EVP_DigestInit_ex(h->ctx, a->sha256, NULL) != 1) {
		us_hash_free(h);
		return US_ERR_CRYPTO;
	}
	*out = h;
	return US_OK;
}

int
us_hash_update(struct us_hash *h, const void *p, size_t n)
{
	return n == 0 || EVP_DigestUpdate(h->ctx, p, n) == 1 ? US_OK : US_ERR_CRYPTO;
}

int
us_hash_final(struct us_hash *h, uint8_t out[US_DIGEST_SIZE])
{
	return us_digest_parts(h->ctx, NULL, 0, out);
}

int
us_hash_copy(const struct us_hash *from, struct us_hash **out)
{
	int err = us_hash_new(out);

	if (err == US_OK && EVP_MD_CTX_copy_ex((*out)->ctx, from->ctx) != 1) {
		us_hash_free(*out);
		*out = NULL;
		err = US_ERR_CRYPTO;
	}
	return err;
}

void
us_hash_free(struct us_hash *h)
{
	if (h == NULL)
		return;
	EVP_MD_CTX_free(h->ctx);
	free(h);
}

uint64_t
us_padme(uint64_t n)
{
	unsigned e, s;
	uint64_t mask;

	if (n < 2)
		return n;
	e = 63u - (unsigned)__builtin_clzll(n);            /* floor(log2 n) */
	s = e == 0 ? 0 : 32u - (unsigned)__builtin_clz(e); /* floor(log2 e) + 1 */
	mask = (UINT64_C(1) << (e - s)) - 1;
	if (n > UINT64_MAX - mask)
		return n;
	return (n + mask) & ~mask;
}
