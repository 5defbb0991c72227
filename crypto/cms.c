#include "crypto/cms.h"

#include <openssl/pem.h>
/* declares its PEM functions only behind pem.h */
#include <openssl/cms.h>
#include <openssl/err.h>
#include <openssl/x509.h>

#include "base/err.h"

static X509 *
parse_cert(struct us_bytes der)
{
	const unsigned char *p = der.p;

	return der.n > US_CERT_MAX ? NULL : d2i_X509(NULL, &p, (long)der.n);
}

/* Appends what a memory BIO holds. */
static int
take_bio(BIO *bio, struct us_buf *out)
{
	char *p;
	long n = BIO_get_mem_data(bio, &p);

	return n <= 0 ? US_ERR_CRYPTO : us_buf_put(out, p, (size_t)n);
}

int
us_cms_encrypt(struct us_bytes cert, struct us_bytes secret, struct us_buf *out)
{
	STACK_OF(X509) *recipients = sk_X509_new_null();
	X509 *x = parse_cert(cert);
	BIO *in = BIO_new_mem_buf(secret.p, (int)secret.n), *pem = BIO_new(BIO_s_mem());
	CMS_ContentInfo *cms = NULL;
	int err = US_ERR_CRYPTO;

	if (x == NULL) {
		err = US_ERR_FORMAT;
		goto out;
	}
	if (secret.n > US_CMS_MAX || recipients == NULL || in == NULL || pem == NULL ||
	    !sk_X509_push(recipients, x))
		goto out;
	cms = CMS_encrypt(recipients, in, EVP_aes_256_cbc(), CMS_BINARY);
	if (cms != NULL && PEM_write_bio_CMS(pem, cms))
		err = take_bio(pem, out);
out:
	ERR_clear_error();
	CMS_ContentInfo_free(cms);
	sk_X509_free(recipients);
	X509_free(x);
	BIO_free(in);
	BIO_free(pem);
	return err;
}

int
us_cms_decrypt(const struct us_pkey *key, struct us_bytes cert, struct us_bytes pem,
    struct us_buf *out)
{
	BIO *in = pem.n > US_CMS_MAX ? NULL : BIO_new_mem_buf(pem.p, (int)pem.n);
	BIO *plain = BIO_new(BIO_s_secmem());
	CMS_ContentInfo *cms = in == NULL ? NULL : PEM_read_bio_CMS(in, NULL, NULL, NULL);
	X509 *x = parse_cert(cert);
	int err = US_ERR_FORMAT;

	if (cms == NULL || x == NULL || plain == NULL)
		goto out;
	err = US_ERR_AUTH;
	if (CMS_decrypt(cms, us_pkey_native(key), x, NULL, plain, CMS_BINARY))
		err = take_bio(plain, out);
out:
	ERR_clear_error();
	CMS_ContentInfo_free(cms);
	X509_free(x);
	BIO_free(in);
	BIO_free(plain);
	return err;
}
