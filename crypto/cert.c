/* Reading and checking certificates and requests. Issuing is in cert_issue.c. */
#include "crypto/cert.h"

#include <stdio.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "crypto/cert_internal.h"
#include "crypto/crypto.h"
#include "base/err.h"
#include "base/time.h"
#include "base/utf8.h"

int
us_x509_parse(struct us_bytes der, X509 **out)
{
	const unsigned char *p = der.p;

	*out = NULL;
	if (der.n > US_CERT_MAX)
		return US_ERR_LIMIT;
	*out = d2i_X509(NULL, &p, (long)der.n);
	if (*out == NULL) {
		ERR_clear_error();
		return US_ERR_FORMAT;
	}
	if (p != der.p + der.n) {
		X509_free(*out);
		*out = NULL;
		return US_ERR_TRAILING;
	}
	return US_OK;
}

static int
name_ok(const char *text, size_t n)
{
	if (n > US_CERT_NAME_MAX)
		return US_ERR_LIMIT;
	if (!us_utf8_valid(text, n))
		return US_ERR_ENCODING;
	for (size_t i = 0; i < n; i++) {
		if ((uint8_t)text[i] < 0x20 || text[i] == 0x7f)
			return US_ERR_ENCODING;
	}
	return US_OK;
}

int
us_x509_common_name(const X509_NAME *name, char out[US_CERT_NAME_MAX + 1])
{
	int at = X509_NAME_get_index_by_NID(name, NID_commonName, -1);
	unsigned char *text = NULL;
	int n, err;

	out[0] = '\0';
	if (at < 0)
		return US_OK;
	if (X509_NAME_get_index_by_NID(name, NID_commonName, at) >= 0)
		return US_ERR_FORMAT; /* two names are no name */
	n = ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at)));
	if (n < 0) {
		ERR_clear_error();
		return US_ERR_ENCODING;
	}
	err = name_ok((const char *)text, (size_t)n);
	if (err == US_OK) {
		memcpy(out, text, (size_t)n);
		out[n] = '\0';
	}
	OPENSSL_free(text);
	return err;
}

int
us_x509_set_common_name(X509_NAME *name, const char *text)
{
	size_t n = strlen(text);
	int err = n == 0 ? US_ERR_LIMIT : name_ok(text, n);

	if (err != US_OK)
		return err;
	return X509_NAME_add_entry_by_NID(name, NID_commonName, MBSTRING_UTF8,
		   (const unsigned char *)text, (int)n, -1, 0) == 1 ?
	    US_OK :
	    US_ERR_ENCODING;
}

int
us_x509_key_digest(const EVP_PKEY *evp, uint8_t out[32])
{
	struct us_buf der;
	int err;

	us_buf_init(&der, US_CERT_MAX);
	err = us_put_der(&der, us_i2d_pubkey, evp);
	if (err == US_OK)
		err = us_sha256(der.data, der.len, out);
	us_buf_free(&der);
	return err;
}

int
us_csr_check(struct us_bytes csr, struct us_csr_info *out)
{
	const unsigned char *p = csr.p;
	struct us_csr_info info;
	X509_REQ *req;
	EVP_PKEY *evp;
	int err;

	memset(&info, 0, sizeof info);
	if (csr.n > US_CERT_MAX)
		return US_ERR_LIMIT;
	req = d2i_X509_REQ(NULL, &p, (long)csr.n);
	evp = req == NULL ? NULL : X509_REQ_get0_pubkey(req);
	if (evp == NULL)
		err = US_ERR_FORMAT;
	else if (p != csr.p + csr.n)
		err = US_ERR_TRAILING;
	else
		err = us_pkey_kind(evp, &info.type);
	if (err == US_OK && X509_REQ_verify(req, evp) != 1)
		err = US_ERR_SIGNATURE;
	if (err == US_OK)
		err = us_x509_common_name(X509_REQ_get_subject_name(req), info.name);
	if (err == US_OK)
		err = us_x509_key_digest(evp, info.key_digest);
	if (err == US_OK && out != NULL)
		*out = info;
	X509_REQ_free(req);
	if (err != US_OK)
		ERR_clear_error();
	return err;
}

int
us_cert_fingerprint(struct us_bytes cert, uint8_t out[32])
{
	return cert.n > US_CERT_MAX ? US_ERR_LIMIT : us_sha256(cert.p, cert.n, out);
}

static int
time_of(const ASN1_TIME *t, int64_t *ns)
{
	ASN1_TIME *epoch = ASN1_TIME_set(NULL, 0);
	int days = 0, seconds = 0;
	int ok = epoch != NULL && ASN1_TIME_diff(&days, &seconds, epoch, t) == 1;

	ASN1_TIME_free(epoch);
	if (!ok)
		return US_ERR_FORMAT;
	*ns = us_time_add_days((int64_t)seconds * US_NS_PER_SECOND, days);
	return US_OK;
}

static int
read_validity(const X509 *x, struct us_cert_validity *out)
{
	int err = time_of(X509_get0_notBefore(x), &out->from_ns);

	return err != US_OK ? err : time_of(X509_get0_notAfter(x), &out->to_ns);
}

static int
read_serial(const X509 *x, struct us_cert_info *info)
{
	const ASN1_INTEGER *serial = X509_get0_serialNumber(x);
	int n = ASN1_STRING_length(serial);

	if (n < 0 || (size_t)n > sizeof info->serial)
		return US_ERR_FORMAT;
	memcpy(info->serial, ASN1_STRING_get0_data(serial), (size_t)n);
	info->serial_n = (size_t)n;
	return US_OK;
}

int
us_cert_parse(struct us_bytes cert, struct us_cert_info *out)
{
	struct us_cert_info info;
	EVP_PKEY *evp;
	X509 *x;
	int err = us_x509_parse(cert, &x);

	if (err != US_OK)
		return err;
	memset(&info, 0, sizeof info);
	evp = X509_get0_pubkey(x);
	err = evp == NULL ? US_ERR_FORMAT : us_pkey_kind(evp, &info.type);
	if (err == US_OK)
		err = us_x509_common_name(X509_get_subject_name(x), info.name);
	if (err == US_OK)
		err = read_validity(x, &info.validity);
	if (err == US_OK)
		err = read_serial(x, &info);
	if (err == US_OK)
		err = us_x509_key_digest(evp, info.key_digest);
	if (err == US_OK)
		err = us_cert_fingerprint(cert, info.fingerprint);
	info.is_ca = (X509_get_extension_flags(x) & EXFLAG_CA) != 0;
	X509_free(x);
	if (err == US_OK)
		*out = info;
	else
		ERR_clear_error();
	return err;
}

/* One extended usage and no other: a certificate that can be both sides is of neither. */
static int
check_usage(X509 *x, enum us_cert_usage usage)
{
	uint32_t flags = X509_get_extension_flags(x), wanted = 0;

	if (flags & (EXFLAG_INVALID | EXFLAG_CRITICAL))
		return US_ERR_DENIED;
	switch (usage) {
	case US_CERT_ANY:
		return US_OK;
	case US_CERT_CLIENT:
		wanted = XKU_SSL_CLIENT;
		break;
	case US_CERT_SERVER:
		wanted = XKU_SSL_SERVER;
		break;
	}
	if ((flags & EXFLAG_CA) != 0 || (flags & EXFLAG_XKUSAGE) == 0 || wanted == 0 ||
	    X509_get_extended_key_usage(x) != wanted)
		return US_ERR_DENIED;
	if ((flags & EXFLAG_KUSAGE) != 0 && (X509_get_key_usage(x) & KU_DIGITAL_SIGNATURE) == 0)
		return US_ERR_DENIED;
	return US_OK;
}

static int
check_times(const X509 *x, int64_t now_ns)
{
	struct us_cert_validity v;
	int err = read_validity(x, &v);

	if (err != US_OK)
		return err;
	if (now_ns < v.from_ns)
		return US_ERR_NOT_YET;
	/* notAfter is the last second that counts (RFC 5280, 4.1.2.5) */
	return now_ns - US_NS_PER_SECOND >= v.to_ns ? US_ERR_EXPIRED : US_OK;
}

/* There is one CA and no path to build, so the chain is this one step. */
static int
check_chain(X509 *x, X509 *ca)
{
	EVP_PKEY *key = X509_get0_pubkey(ca);
	enum us_pkey_type type;

	if (key == NULL || us_pkey_kind(key, &type) != US_OK || X509_check_ca(ca) != 1)
		return US_ERR_SIGNATURE;
	if (X509_check_issued(ca, x) != X509_V_OK || X509_verify(x, key) != 1)
		return US_ERR_SIGNATURE;
	return US_OK;
}

int
us_cert_verify(struct us_bytes cert, struct us_bytes ca, enum us_cert_usage usage, int64_t now_ns)
{
	X509 *x = NULL, *issuer = NULL;
	enum us_pkey_type type;
	EVP_PKEY *key;
	int err = us_x509_parse(cert, &x);

	if (err == US_OK)
		err = us_x509_parse(ca, &issuer);
	if (err != US_OK)
		goto out;
	key = X509_get0_pubkey(x);
	err = key == NULL ? US_ERR_FORMAT : us_pkey_kind(key, &type);
	if (err == US_OK)
		err = check_chain(x, issuer);
	if (err == US_OK)
		err = check_usage(x, usage);
	if (err == US_OK)
		err = check_times(issuer, now_ns);
	if (err == US_OK)
		err = check_times(x, now_ns);
out:
	X509_free(x);
	X509_free(issuer);
	if (err != US_OK)
		ERR_clear_error();
	return err;
}

int
us_cert_verify_signature(struct us_bytes cert, struct us_bytes msg, struct us_bytes sig)
{
	struct us_pkey key = { NULL, US_PKEY_P256, 0 };
	X509 *x;
	int err = us_x509_parse(cert, &x);

	if (err != US_OK)
		return err;
	key.evp = X509_get0_pubkey(x);
	err = key.evp == NULL ? US_ERR_FORMAT : us_pkey_kind(key.evp, &key.type);
	if (err == US_OK)
		err = us_pkey_verify(&key, msg, sig);
	X509_free(x);
	return err;
}

int64_t
us_cert_days_left(int64_t to_ns, int64_t now_ns)
{
	/* times of certificates are far from the ends of the range */
	const int64_t left = to_ns - now_ns;

	return left > 0 ? left / US_NS_PER_DAY : -1 + left / US_NS_PER_DAY;
}

const char *
us_cert_end_text(int64_t to_ns, int64_t now_ns, char text[US_CERT_END_SIZE])
{
	const int64_t days = us_cert_days_left(to_ns, now_ns);
	char date[11];

	(void)us_time_format_date(to_ns, date);
	if (days < 0)
		(void)snprintf(text, US_CERT_END_SIZE, "ended on %s", date);
	else
		(void)snprintf(text, US_CERT_END_SIZE, "ends on %s, in %lld day%s", date,
		    (long long)days, days == 1 ? "" : "s");
	return text;
}
