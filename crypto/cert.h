/*
 * Private keys, certificate requests and X.509 certificates (RFC 5280, 5958, 2986), and
 * signatures with them. Keys are ECDSA P-256 (signatures: SHA-256, DER) or Ed25519; nothing else
 * is read. Certificates and requests are DER bytes everywhere; PEM only at the border to files.
 *
 * Untrusted DER is at most US_CERT_MAX bytes (US_ERR_LIMIT) and must have nothing left over
 * (US_ERR_TRAILING); what is not of the form is US_ERR_FORMAT. Times are nanoseconds since the
 * epoch, cut to seconds in certificates. Thread safe; a struct us_pkey may be used by several
 * threads.
 */
#ifndef US_CRYPTO_CERT_H
#define US_CRYPTO_CERT_H

#include "base/buf.h"
#include "crypto/key.h"

#define US_CERT_MAX 16384
#define US_CERT_NAME_MAX 64 /* bytes of a common name: X.520's upper bound */
#define US_CERT_SERIAL_SIZE 16
#define US_SIGNATURE_MAX 128

/* ---- keys ---- */

enum us_pkey_type { US_PKEY_P256 = 1, US_PKEY_ED25519 = 2 };

struct us_pkey; /* a key pair, or a public key alone */

/* Makes a new key pair. US_ERR_CRYPTO, US_ERR_NOMEM; *out is then NULL. Free with
 * us_pkey_free(), as after the functions below. */
int us_pkey_new(enum us_pkey_type type, struct us_pkey **out);
/* The Ed25519 key pair of a private key of 32 bytes. US_ERR_CRYPTO, US_ERR_NOMEM. */
int us_pkey_from_seed(const struct us_key *ed25519_seed, struct us_pkey **out);
/* PKCS#8 DER, unencrypted. */
int us_pkey_from_der(struct us_bytes der, struct us_pkey **out);
/* Appends PKCS#8 DER: secret, so out should be wiped soon. */
int us_pkey_to_der(const struct us_pkey *key, struct us_buf *out);
/* PEM of PKCS#8. passphrase not NULL: encrypted with PBES2, AES-256-CBC, scrypt (N 2^14, r 8, p
 * 1). */
int us_pkey_to_pem(const struct us_pkey *key, const char *passphrase, struct us_buf *out);
/* US_ERR_STATE: it is encrypted and passphrase is NULL; US_ERR_AUTH: wrong passphrase. */
int us_pkey_from_pem(struct us_bytes pem, const char *passphrase, struct us_pkey **out);
/* The raw public key of an Ed25519 key. US_ERR_ARG for others. */
int us_pkey_ed25519_public(const struct us_pkey *key, uint8_t out[32]);
/* OpenSSL's EVP_PKEY *, borrowed: for the TLS modules. */
void *us_pkey_native(const struct us_pkey *key);
/* NULL is allowed. */
void us_pkey_free(struct us_pkey *key);

/* Signs msg; writes at most US_SIGNATURE_MAX bytes. */
int us_pkey_sign(const struct us_pkey *key, struct us_bytes msg, uint8_t *out, size_t *out_n);
/* US_ERR_SIGNATURE. */
int us_pkey_verify(const struct us_pkey *key, struct us_bytes msg, struct us_bytes sig);
/* With the public key of a certificate (DER), which is not verified here. US_ERR_SIGNATURE. */
int us_cert_verify_signature(struct us_bytes cert, struct us_bytes msg, struct us_bytes sig);

/* ---- requests ---- */

struct us_csr_info {
	char name[US_CERT_NAME_MAX + 1]; /* common name as requested, valid UTF-8; may be "" */
	enum us_pkey_type type;
	uint8_t key_digest[32]; /* SHA-256 of SubjectPublicKeyInfo */
};

/* Appends a PKCS#10 DER for the key with this common name. */
int us_csr_create(const struct us_pkey *key, const char *name, struct us_buf *out);
/* Parses and verifies the proof of possession (US_ERR_SIGNATURE). out may be NULL. */
int us_csr_check(struct us_bytes csr, struct us_csr_info *out);

/* ---- certificates ---- */

enum us_cert_usage { US_CERT_ANY = 0, US_CERT_CLIENT = 1, US_CERT_SERVER = 2 };

struct us_cert_validity {
	int64_t from_ns;
	int64_t to_ns;
};

struct us_cert_info {
	char name[US_CERT_NAME_MAX + 1]; /* common name of the subject */
	enum us_pkey_type type;
	struct us_cert_validity validity;
	uint8_t serial[20];
	size_t serial_n;
	uint8_t fingerprint[32];
	uint8_t key_digest[32]; /* SHA-256 of SubjectPublicKeyInfo */
	int is_ca;
};

/* Appends a self-signed CA certificate: CN = name, path length 0, keyCertSign and cRLSign. */
int us_ca_create(const struct us_pkey *key, const char *name, struct us_cert_validity validity,
    struct us_buf *out);

/* Who issues: certificate (DER) and its key. */
struct us_issuer {
	const struct us_pkey *key;
	struct us_bytes cert;
};

/* Appends a client certificate for the key of the request, whose proof is checked first
 * (US_ERR_SIGNATURE). Only the key is taken from the request: CN = name, extended usage clientAuth
 * alone, serial 16 random bytes. US_ERR_ENCODING, US_ERR_LIMIT for the name; US_ERR_RANGE for times
 * out of order. */
int us_cert_issue_client(const struct us_issuer *issuer, struct us_bytes csr, const char *name,
    struct us_cert_validity validity, struct us_buf *out);
/* The same for a server: hosts are DNS names or IP addresses (as text), 1 .. 64 of them. */
int us_cert_issue_server(const struct us_issuer *issuer, const struct us_pkey *key,
    const char *const *hosts, size_t host_n, struct us_cert_validity validity, struct us_buf *out);

/* SHA-256 of the DER bytes: the credential. */
int us_cert_fingerprint(struct us_bytes cert, uint8_t out[32]);
/* Reads what we use of a DER certificate; checks no signature. US_ERR_LIMIT, US_ERR_FORMAT,
 * US_ERR_TRAILING and others: *out then means nothing. */
int us_cert_parse(struct us_bytes cert, struct us_cert_info *out);
/*
 * Checks cert against the one CA: signature and chain, then usage, then time. US_ERR_SIGNATURE: not
 * issued by this CA; US_ERR_DENIED: wrong usage, or a CA; US_ERR_NOT_YET, US_ERR_EXPIRED: of the
 * certificate or the CA at now_ns.
 */
int
us_cert_verify(struct us_bytes cert, struct us_bytes ca, enum us_cert_usage usage, int64_t now_ns);

/* ---- the end of a certificate ---- */

#define US_CERT_TELL_DAYS 60 /* before its end it is spoken of */
#define US_CERT_END_SIZE 64

/* Whole days until the end, rounded down; below 0: it has ended. */
int64_t us_cert_days_left(int64_t to_ns, int64_t now_ns);
/* "ends on 2027-11-30, in 29 days" or "ended on 2027-11-30". Returns text. */
const char *us_cert_end_text(int64_t to_ns, int64_t now_ns, char text[US_CERT_END_SIZE]);

/* ---- PEM ---- */

/* Appends the DER of the first block with this label ("CERTIFICATE", "CERTIFICATE REQUEST").
 * US_ERR_NOT_FOUND if there is none; input at most 64 KiB. Input that is DER already (0x30) is
 * passed on. */
int us_pem_decode(struct us_bytes pem, const char *label, struct us_buf *out);
/* Appends der as a PEM block with that label. */
int us_pem_encode(struct us_bytes der, const char *label, struct us_buf *out);

#endif
