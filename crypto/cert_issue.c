/* Making requests and certificates (RFC 2986, RFC 5280). */
#include <string.h>

#include <openssl/err.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "crypto/cert_internal.h"
#include "crypto/crypto.h"
#include "base/err.h"
#include "base/time.h"

#define HOSTS_MAX 64
#define HOST_MAX 253

int
us_csr_create(const struct us_pkey *key, const char *name, struct us_buf *out)
{
	X509_REQ *req;
	int err;

	if (!key->is_private)
		return US_ERR_ARG;
	req = X509_REQ_new();
	if (req == NULL)
		return US_ERR_NOMEM;
	err = us_x509_set_common_name(X509_REQ_get_subject_name(req), name);
	if (err == US_OK &&
	    (X509_REQ_set_version(req, X509_REQ_VERSION_1) != 1 ||
		X509_REQ_set_pubkey(req, key->evp) != 1 ||
		X509_REQ_sign(req, key->evp, us_pkey_digest(key->type)) <= 0))
		err = US_ERR_CRYPTO;
	if (err == US_OK)
		err = us_put_der(out, us_i2d_x509_req, req);
	X509_REQ_free(req);
	return err;
}

static int
add_extension(X509 *x, X509 *issuer, int nid, const char *value)
{
	X509V3_CTX ctx;
	X509_EXTENSION *ext;
	int ok;

	X509V3_set_ctx(&ctx, issuer, x, NULL, NULL, 0);
	ext = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	ok = ext != NULL && X509_add_ext(x, ext, -1) == 1;
	X509_EXTENSION_free(ext);
	return ok ? US_OK : US_ERR_CRYPTO;
}

/* 16 random bytes, the first bit clear and the next set: positive, and always 16 bytes long. */
static int
set_serial(X509 *x)
{
	uint8_t serial[US_CERT_SERIAL_SIZE];
	ASN1_INTEGER *number = X509_get_serialNumber(x);
	int err = us_random(serial, sizeof serial);

	if (err != US_OK)
		return err;
	serial[0] = (uint8_t)((serial[0] & 0x3f) | 0x40);
	return ASN1_STRING_set(number, serial, sizeof serial) == 1 ? US_OK : US_ERR_CRYPTO;
}

static int
set_times(X509 *x, struct us_cert_validity v)
{
	if (v.from_ns < 0 || v.to_ns <= v.from_ns)
		return US_ERR_RANGE;
	/* UTCTime to 2049, GeneralizedTime after: ASN1_TIME_set chooses (RFC 5280, 4.1.2.5) */
	return ASN1_TIME_set(X509_getm_notBefore(x), (time_t)(v.from_ns / US_NS_PER_SECOND)) !=
		    NULL &&
		ASN1_TIME_set(X509_getm_notAfter(x), (time_t)(v.to_ns / US_NS_PER_SECOND)) != NULL ?
	    US_OK :
	    US_ERR_CRYPTO;
}

/* Version, serial, times, subject, key. */
static int
begin(EVP_PKEY *key, const char *name, struct us_cert_validity validity, X509 **out)
{
	X509 *x = X509_new();
	int err;

	*out = NULL;
	if (x == NULL)
		return US_ERR_NOMEM;
	err = set_serial(x);
	if (err == US_OK)
		err = set_times(x, validity);
	if (err == US_OK)
		err = us_x509_set_common_name(X509_get_subject_name(x), name);
	if (err == US_OK &&
	    (X509_set_version(x, X509_VERSION_3) != 1 || X509_set_pubkey(x, key) != 1))
		err = US_ERR_CRYPTO;
	if (err != US_OK) {
		X509_free(x);
		return err;
	}
	*out = x;
	return US_OK;
}

static int
finish(X509 *x, const struct us_pkey *key, struct us_buf *out)
{
	if (X509_sign(x, key->evp, us_pkey_digest(key->type)) <= 0)
		return US_ERR_CRYPTO;
	return us_put_der(out, us_i2d_x509, x);
}

int
us_ca_create(const struct us_pkey *key, const char *name, struct us_cert_validity validity,
    struct us_buf *out)
{
	X509 *x;
	int err;

	if (!key->is_private)
		return US_ERR_ARG;
	err = begin(key->evp, name, validity, &x);
	if (err != US_OK)
		return err;
	if (X509_set_issuer_name(x, X509_get_subject_name(x)) != 1)
		err = US_ERR_CRYPTO;
	if (err == US_OK)
		err = add_extension(x, x, NID_basic_constraints, "critical,CA:TRUE,pathlen:0");
	if (err == US_OK)
		err = add_extension(x, x, NID_key_usage, "critical,keyCertSign,cRLSign");
	if (err == US_OK)
		err = add_extension(x, x, NID_subject_key_identifier, "hash");
	if (err == US_OK)
		err = finish(x, key, out);
	X509_free(x);
	if (err != US_OK)
		ERR_clear_error();
	return err;
}

/* What client and server certificates share: issuer, constraints, usage. */
static int
add_leaf_extensions(X509 *x, X509 *ca, const char *extended_usage)
{
	int err = US_OK;

	if (X509_set_issuer_name(x, X509_get_subject_name(ca)) != 1)
		err = US_ERR_CRYPTO;
	if (err == US_OK)
		err = add_extension(x, ca, NID_basic_constraints, "critical,CA:FALSE");
	if (err == US_OK)
		err = add_extension(x, ca, NID_key_usage, "critical,digitalSignature");
	if (err == US_OK)
		err = add_extension(x, ca, NID_ext_key_usage, extended_usage);
	if (err == US_OK)
		err = add_extension(x, ca, NID_subject_key_identifier, "hash");
	if (err == US_OK)
		err = add_extension(x, ca, NID_authority_key_identifier, "keyid:always");
	return err;
}

int
us_cert_issue_client(const struct us_issuer *issuer, struct us_bytes csr, const char *name,
    struct us_cert_validity validity, struct us_buf *out)
{
	const unsigned char *p = csr.p;
	X509_REQ *req = NULL;
	X509 *ca = NULL, *x = NULL;
	int err = us_csr_check(csr, NULL);

	if (err == US_OK)
		err = us_x509_parse(issuer->cert, &ca);
	if (err != US_OK)
		goto out;
	req = d2i_X509_REQ(NULL, &p, (long)csr.n);
	if (req == NULL) {
		err = US_ERR_FORMAT;
		goto out;
	}
	err = begin(X509_REQ_get0_pubkey(req), name, validity, &x);
	if (err == US_OK)
		err = add_leaf_extensions(x, ca, "critical,clientAuth");
	if (err == US_OK)
		err = finish(x, issuer->key, out);
out:
	X509_free(x);
	X509_free(ca);
	X509_REQ_free(req);
	if (err != US_OK)
		ERR_clear_error();
	return err;
}

/* A DNS name or the octets of an address; refuses what could smuggle another name in. */
static int
general_name(const char *host, GENERAL_NAME **out)
{
	size_t n = strlen(host);
	GENERAL_NAME *name;
	ASN1_OCTET_STRING *ip = a2i_IPADDRESS(host);
	ASN1_IA5STRING *dns = NULL;

	*out = NULL;
	if (ip == NULL) {
		ERR_clear_error();
		if (n == 0 || n > HOST_MAX ||
		    strspn(host,
			"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.") != n)
			return US_ERR_FORMAT;
		dns = ASN1_IA5STRING_new();
		if (dns == NULL || ASN1_STRING_set(dns, host, (int)n) != 1) {
			ASN1_IA5STRING_free(dns);
			return US_ERR_NOMEM;
		}
	}
	name = GENERAL_NAME_new();
	if (name == NULL) {
		ASN1_OCTET_STRING_free(ip);
		ASN1_IA5STRING_free(dns);
		return US_ERR_NOMEM;
	}
	GENERAL_NAME_set0_value(name, ip != NULL ? GEN_IPADD : GEN_DNS,
	    ip != NULL ? (void *)ip : (void *)dns);
	*out = name;
	return US_OK;
}

static int
add_hosts(X509 *x, const char *const *hosts, size_t n)
{
	GENERAL_NAMES *names = GENERAL_NAMES_new();
	int err = names == NULL ? US_ERR_NOMEM : US_OK;

	for (size_t i = 0; i < n && err == US_OK; i++) {
		GENERAL_NAME *name;

		err = general_name(hosts[i], &name);
		if (err == US_OK && sk_GENERAL_NAME_push(names, name) <= 0) {
			GENERAL_NAME_free(name);
			err = US_ERR_NOMEM;
		}
	}
	if (err == US_OK && X509_add1_ext_i2d(x, NID_subject_alt_name, names, 0, 0) != 1)
		err = US_ERR_CRYPTO;
	GENERAL_NAMES_free(names);
	return err;
}

int
us_cert_issue_server(const struct us_issuer *issuer, const struct us_pkey *key,
    const char *const *hosts, size_t host_n, struct us_cert_validity validity, struct us_buf *out)
{
	X509 *ca = NULL, *x = NULL;
	int err;

	if (host_n == 0 || host_n > HOSTS_MAX)
		return US_ERR_ARG;
	err = us_x509_parse(issuer->cert, &ca);
	/* names count in the extension alone (RFC 6125), the subject is a label */
	if (err == US_OK)
		err = begin(key->evp, "underseal server", validity, &x);
	if (err == US_OK)
		err = add_leaf_extensions(x, ca, "critical,serverAuth");
	if (err == US_OK)
		err = add_hosts(x, hosts, host_n);
	if (err == US_OK)
		err = finish(x, issuer->key, out);
	X509_free(x);
	X509_free(ca);
	if (err != US_OK)
		ERR_clear_error();
	return err;
}
