/* A small authority made here, and each way in which a certificate can be wrong. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "crypto/cert.h"
#include "crypto/crypto.h"
#include "base/err.h"
#include "crypto/session.h"
#include "base/time.h"

#define T0 (INT64_C(1800000000) * US_NS_PER_SECOND)

static const struct us_cert_validity ten_days = { T0, T0 + 10 * US_NS_PER_DAY };
static const struct us_cert_validity one_day = { T0, T0 + US_NS_PER_DAY };

static struct {
	struct us_pkey *ca_key, *client_key, *server_key;
	struct us_buf ca, csr, client, server;
} made;

static struct us_bytes
view(const struct us_buf *b)
{
	return (struct us_bytes){ b->data, b->len };
}

static struct us_issuer
issuer(void)
{
	return (struct us_issuer){ made.ca_key, view(&made.ca) };
}

static int
setup(void **state)
{
	const char *hosts[] = { "vault.example", "127.0.0.1", "::1" };
	struct us_issuer ca;

	(void)state;
	us_buf_init(&made.ca, US_CERT_MAX);
	us_buf_init(&made.csr, US_CERT_MAX);
	us_buf_init(&made.client, US_CERT_MAX);
	us_buf_init(&made.server, US_CERT_MAX);
	assert_int_equal(us_pkey_new(US_PKEY_P256, &made.ca_key), US_OK);
	assert_int_equal(us_pkey_new(US_PKEY_P256, &made.client_key), US_OK);
	assert_int_equal(us_pkey_new(US_PKEY_P256, &made.server_key), US_OK);
	assert_int_equal(us_ca_create(made.ca_key, "Test CA", ten_days, &made.ca), US_OK);
	ca = issuer();
	assert_int_equal(us_csr_create(made.client_key, "whoever", &made.csr), US_OK);
	assert_int_equal(us_cert_issue_client(&ca, view(&made.csr), "Ada Álvarez", one_day,
			     &made.client),
	    US_OK);
	assert_int_equal(us_cert_issue_server(&ca, made.server_key, hosts, 3, one_day,
			     &made.server),
	    US_OK);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	us_pkey_free(made.ca_key);
	us_pkey_free(made.client_key);
	us_pkey_free(made.server_key);
	us_buf_free(&made.ca);
	us_buf_free(&made.csr);
	us_buf_free(&made.client);
	us_buf_free(&made.server);
	return 0;
}

static void
certificates_say_what_was_asked(void **state)
{
	struct us_cert_info info, ca;
	struct us_csr_info csr;

	(void)state;
	assert_int_equal(us_csr_check(view(&made.csr), &csr), US_OK);
	assert_string_equal(csr.name, "whoever");
	assert_int_equal(csr.type, US_PKEY_P256);
	assert_int_equal(us_cert_parse(view(&made.client), &info), US_OK);
	assert_string_equal(info.name, "Ada Álvarez");
	assert_int_equal(info.validity.from_ns, one_day.from_ns);
	assert_int_equal(info.validity.to_ns, one_day.to_ns);
	assert_int_equal(info.serial_n, 16);
	assert_memory_equal(info.key_digest, csr.key_digest, 32);
	assert_int_equal(info.is_ca, 0);
	assert_int_equal(us_cert_parse(view(&made.ca), &ca), US_OK);
	assert_int_equal(ca.is_ca, 1);
	assert_memory_not_equal(ca.fingerprint, info.fingerprint, 32);
}

static void
verification_has_distinct_errors(void **state)
{
	struct us_bytes ca = view(&made.ca), client = view(&made.client),
			server = view(&made.server);

	(void)state;
	assert_int_equal(us_cert_verify(client, ca, US_CERT_CLIENT, T0), US_OK);
	assert_int_equal(us_cert_verify(client, ca, US_CERT_ANY, T0), US_OK);
	assert_int_equal(us_cert_verify(server, ca, US_CERT_SERVER, T0), US_OK);
	assert_int_equal(us_cert_verify(client, ca, US_CERT_CLIENT, T0 - 1), US_ERR_NOT_YET);
	assert_int_equal(us_cert_verify(client, ca, US_CERT_CLIENT, one_day.to_ns), US_OK);
	assert_int_equal(us_cert_verify(client, ca, US_CERT_CLIENT,
			     one_day.to_ns + US_NS_PER_SECOND),
	    US_ERR_EXPIRED);
	assert_int_equal(us_cert_verify(client, ca, US_CERT_SERVER, T0), US_ERR_DENIED);
	assert_int_equal(us_cert_verify(server, ca, US_CERT_CLIENT, T0), US_ERR_DENIED);
	assert_int_equal(us_cert_verify(ca, ca, US_CERT_CLIENT, T0), US_ERR_DENIED);
	assert_int_equal(us_cert_verify(server, client, US_CERT_SERVER, T0), US_ERR_SIGNATURE);
}

static void
an_expired_authority_is_noticed(void **state)
{
	struct us_issuer old;
	struct us_buf ca, cert;

	(void)state;
	us_buf_init(&ca, US_CERT_MAX);
	us_buf_init(&cert, US_CERT_MAX);
	assert_int_equal(us_ca_create(made.ca_key, "Test CA", one_day, &ca), US_OK);
	old = (struct us_issuer){ made.ca_key, view(&ca) };
	assert_int_equal(us_cert_issue_client(&old, view(&made.csr), "Ada", ten_days, &cert),
	    US_OK);
	assert_int_equal(us_cert_verify(view(&cert), view(&ca), US_CERT_CLIENT, T0), US_OK);
	assert_int_equal(us_cert_verify(view(&cert), view(&ca), US_CERT_CLIENT,
			     T0 + 2 * US_NS_PER_DAY),
	    US_ERR_EXPIRED);
	us_buf_free(&ca);
	us_buf_free(&cert);
}

/* The same names, another key. */
static void
a_foreign_authority_is_refused(void **state)
{
	struct us_pkey *key;
	struct us_issuer foreign;
	struct us_buf ca, cert;

	(void)state;
	us_buf_init(&ca, US_CERT_MAX);
	us_buf_init(&cert, US_CERT_MAX);
	assert_int_equal(us_pkey_new(US_PKEY_P256, &key), US_OK);
	assert_int_equal(us_ca_create(key, "Test CA", ten_days, &ca), US_OK);
	foreign = (struct us_issuer){ key, view(&ca) };
	assert_int_equal(us_cert_issue_client(&foreign, view(&made.csr), "Ada Álvarez", one_day,
			     &cert),
	    US_OK);
	assert_int_equal(us_cert_verify(view(&cert), view(&made.ca), US_CERT_CLIENT, T0),
	    US_ERR_SIGNATURE);
	us_pkey_free(key);
	us_buf_free(&ca);
	us_buf_free(&cert);
}

static void
changed_bytes_do_not_verify(void **state)
{
	uint8_t der[4096];
	size_t n = made.client.len;

	(void)state;
	assert_in_range(n, 1, sizeof der);
	memcpy(der, made.client.data, n);
	for (size_t i = 0; i < n; i++) {
		der[i] ^= 0x01;
		assert_int_not_equal(us_cert_verify((struct us_bytes){ der, n }, view(&made.ca),
					 US_CERT_CLIENT, T0),
		    US_OK);
		der[i] ^= 0x01;
	}
	memcpy(der, made.csr.data, made.csr.len);
	for (size_t i = 0; i < made.csr.len; i++) {
		der[i] ^= 0x01;
		assert_int_not_equal(us_csr_check((struct us_bytes){ der, made.csr.len }, NULL),
		    US_OK);
		der[i] ^= 0x01;
	}
	der[made.csr.len] = 0;
	assert_int_equal(us_csr_check((struct us_bytes){ der, made.csr.len + 1 }, NULL),
	    US_ERR_TRAILING);
	for (size_t i = 0; i < made.csr.len; i++)
		assert_int_not_equal(us_csr_check((struct us_bytes){ der, i }, NULL), US_OK);
	assert_int_equal(us_csr_check((struct us_bytes){ der, US_CERT_MAX + 1 }, NULL),
	    US_ERR_LIMIT);
}

static void
names_and_times_have_limits(void **state)
{
	const struct us_cert_validity backwards = { T0, T0 };
	const char *bad_host[] = { "a b" }, *good_host[] = { "a" };
	struct us_issuer ca = issuer();
	struct us_buf out;
	char name[66];

	(void)state;
	us_buf_init(&out, US_CERT_MAX);
	memset(name, 'n', sizeof name);
	name[65] = '\0';
	assert_int_equal(us_cert_issue_client(&ca, view(&made.csr), name, one_day, &out),
	    US_ERR_LIMIT);
	name[64] = '\0';
	assert_int_equal(us_cert_issue_client(&ca, view(&made.csr), name, one_day, &out), US_OK);
	assert_int_equal(us_cert_issue_client(&ca, view(&made.csr), "", one_day, &out),
	    US_ERR_LIMIT);
	assert_int_equal(us_cert_issue_client(&ca, view(&made.csr), "a\nb", one_day, &out),
	    US_ERR_ENCODING);
	assert_int_equal(us_cert_issue_client(&ca, view(&made.csr), "\xff", one_day, &out),
	    US_ERR_ENCODING);
	assert_int_equal(us_cert_issue_client(&ca, view(&made.csr), "a", backwards, &out),
	    US_ERR_RANGE);
	assert_int_equal(us_cert_issue_server(&ca, made.server_key, bad_host, 1, one_day, &out),
	    US_ERR_FORMAT);
	assert_int_equal(us_cert_issue_server(&ca, made.server_key, good_host, 0, one_day, &out),
	    US_ERR_ARG);
	us_buf_free(&out);
}

static void
keys_are_written_and_read(void **state)
{
	static const enum us_pkey_type types[] = { US_PKEY_P256, US_PKEY_ED25519 };
	struct us_pkey *key, *back;
	struct us_buf pem, der;
	uint8_t sig[US_SIGNATURE_MAX];
	size_t n;

	(void)state;
	us_buf_init(&pem, 8192);
	us_buf_init(&der, 8192);
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(us_pkey_new(types[i], &key), US_OK);
		assert_int_equal(us_pkey_sign(key, us_bytes_of("text"), sig, &n), US_OK);

		assert_int_equal(us_pkey_to_pem(key, "correct horse", &pem), US_OK);
		assert_non_null(strstr(us_buf_cstr(&pem), "BEGIN ENCRYPTED PRIVATE KEY"));
		assert_int_equal(us_pkey_from_pem(view(&pem), NULL, &back), US_ERR_STATE);
		assert_int_equal(us_pkey_from_pem(view(&pem), "wrong", &back), US_ERR_AUTH);
		assert_null(back);
		assert_int_equal(us_pkey_from_pem(view(&pem), "correct horse", &back), US_OK);
		assert_int_equal(us_pkey_verify(back, us_bytes_of("text"),
				     (struct us_bytes){ sig, n }),
		    US_OK);
		us_pkey_free(back);

		us_buf_reset(&pem);
		assert_int_equal(us_pkey_to_pem(key, NULL, &pem), US_OK);
		assert_int_equal(us_pkey_from_pem(view(&pem), NULL, &back), US_OK);
		us_pkey_free(back);
		assert_int_equal(us_pkey_to_der(key, &der), US_OK);
		assert_int_equal(us_buf_put_u8(&der, 0), US_OK);
		assert_int_equal(us_pkey_from_der(view(&der), &back), US_ERR_TRAILING);

		der.len--;
		assert_int_equal(us_pkey_from_der(view(&der), &back), US_OK);
		assert_int_equal(us_pkey_verify(back, us_bytes_of("text"),
				     (struct us_bytes){ sig, n }),
		    US_OK);
		assert_int_equal(us_pkey_verify(back, us_bytes_of("other"),
				     (struct us_bytes){ sig, n }),
		    US_ERR_SIGNATURE);
		sig[n - 1] ^= 1;
		assert_int_equal(us_pkey_verify(back, us_bytes_of("text"),
				     (struct us_bytes){ sig, n }),
		    US_ERR_SIGNATURE);
		assert_int_equal(us_pkey_verify(back, us_bytes_of("text"),
				     (struct us_bytes){ sig, 0 }),
		    US_ERR_SIGNATURE);
		us_pkey_free(back);
		us_pkey_free(key);
		us_buf_reset(&pem);
		us_buf_reset(&der);
	}
	assert_int_equal(us_pkey_from_pem(us_bytes_of("not a key"), NULL, &back), US_ERR_FORMAT);
	us_buf_free(&pem);
	us_buf_free(&der);
}

static void
pem_wraps_and_unwraps(void **state)
{
	struct us_buf pem, der;

	(void)state;
	us_buf_init(&pem, 8192);
	us_buf_init(&der, 8192);
	assert_int_equal(us_pem_encode(view(&made.client), "CERTIFICATE", &pem), US_OK);
	assert_int_equal(us_pem_decode(view(&pem), "CERTIFICATE REQUEST", &der), US_ERR_NOT_FOUND);
	assert_int_equal(us_pem_decode(view(&pem), "CERTIFICATE", &der), US_OK);
	assert_int_equal(der.len, made.client.len);
	assert_memory_equal(der.data, made.client.data, der.len);
	us_buf_reset(&der);
	assert_int_equal(us_pem_decode(view(&made.client), "CERTIFICATE", &der), US_OK);
	assert_int_equal(der.len, made.client.len);
	assert_int_equal(us_pem_decode((struct us_bytes){ NULL, 0 }, "CERTIFICATE", &der),
	    US_ERR_NOT_FOUND);
	us_buf_free(&pem);
	us_buf_free(&der);
}

static void
ed25519_people_can_be_certified(void **state)
{
	struct us_issuer ca = issuer();
	struct us_pkey *key;
	struct us_buf csr, cert;
	uint8_t sig[US_SIGNATURE_MAX];
	size_t n;

	(void)state;
	us_buf_init(&csr, US_CERT_MAX);
	us_buf_init(&cert, US_CERT_MAX);
	assert_int_equal(us_pkey_new(US_PKEY_ED25519, &key), US_OK);
	assert_int_equal(us_csr_create(key, "Ed", &csr), US_OK);
	assert_int_equal(us_cert_issue_client(&ca, view(&csr), "Ed", one_day, &cert), US_OK);
	assert_int_equal(us_cert_verify(view(&cert), view(&made.ca), US_CERT_CLIENT, T0), US_OK);
	assert_int_equal(us_pkey_sign(key, us_bytes_of("act"), sig, &n), US_OK);
	assert_int_equal(us_cert_verify_signature(view(&cert), us_bytes_of("act"),
			     (struct us_bytes){ sig, n }),
	    US_OK);
	assert_int_equal(us_cert_verify_signature(view(&made.client), us_bytes_of("act"),
			     (struct us_bytes){ sig, n }),
	    US_ERR_SIGNATURE);
	us_pkey_free(key);
	us_buf_free(&csr);
	us_buf_free(&cert);
}

static void
sessions(void **state)
{
	struct us_session_statement s = { .issued_ns = T0,
		.expires_ns = T0 + 60 * US_NS_PER_SECOND };
	struct us_session_statement back;
	uint8_t statement[US_SESSION_STATEMENT_SIZE + 1] = { 0 }, sig[US_SIGNATURE_MAX], id[16];
	struct us_session_proof proof = { { statement, US_SESSION_STATEMENT_SIZE }, { sig, 0 },
		view(&made.client) };
	uint8_t vault[32] = { 7 };

	(void)state;
	memcpy(s.vault, vault, 32);
	assert_int_equal(us_random(s.nonce, 32), US_OK);
	assert_int_equal(us_cert_fingerprint(view(&made.client), s.credential), US_OK);
	us_session_encode(&s, statement);
	assert_memory_equal(statement, "underseal/session/1\n", 20);
	assert_int_equal(us_session_sign(made.client_key, &s, sig, &proof.signature.n), US_OK);
	assert_int_equal(us_session_verify(&proof, vault, T0, &back), US_OK);
	assert_memory_equal(&back, &s, sizeof s);
	assert_int_equal(us_session_id(proof.statement, id), US_OK);

	assert_int_equal(us_session_verify(&proof, vault, T0 - 119 * US_NS_PER_SECOND, &back),
	    US_OK);
	assert_int_equal(us_session_verify(&proof, vault, T0 - 121 * US_NS_PER_SECOND, &back),
	    US_ERR_NOT_YET);
	assert_int_equal(us_session_verify(&proof, vault, s.expires_ns, &back), US_ERR_EXPIRED);
	vault[0] = 8;
	assert_int_equal(us_session_verify(&proof, vault, T0, &back), US_ERR_DENIED);
	vault[0] = 7;
	proof.cert = view(&made.server);
	assert_int_equal(us_session_verify(&proof, vault, T0, &back), US_ERR_DENIED);
	proof.cert = view(&made.client);
	for (size_t i = 0; i < US_SESSION_STATEMENT_SIZE; i++) {
		statement[i] ^= 1;
		assert_int_not_equal(us_session_verify(&proof, vault, T0, &back), US_OK);
		statement[i] ^= 1;
	}
	for (size_t n = 0; n < US_SESSION_STATEMENT_SIZE; n++)
		assert_int_equal(us_session_decode((struct us_bytes){ statement, n }, &back),
		    US_ERR_TRUNCATED);
	assert_int_equal(us_session_decode((struct us_bytes){ statement, sizeof statement }, &back),
	    US_ERR_TRAILING);
	s.expires_ns = T0 + (15 * 60) * US_NS_PER_SECOND;
	us_session_encode(&s, statement);
	assert_int_equal(us_session_decode(proof.statement, &back), US_OK);
	s.expires_ns++;
	us_session_encode(&s, statement);
	assert_int_equal(us_session_decode(proof.statement, &back), US_ERR_RANGE);
	s.expires_ns = T0;
	us_session_encode(&s, statement);
	assert_int_equal(us_session_decode(proof.statement, &back), US_ERR_RANGE);
	s.issued_ns = INT64_MIN;
	s.expires_ns = INT64_MAX;
	us_session_encode(&s, statement);
	assert_int_equal(us_session_decode(proof.statement, &back), US_ERR_RANGE);
}

static void
ends_are_told(void **state)
{
	int64_t end = 0;
	char text[US_CERT_END_SIZE];

	(void)state;
	assert_int_equal(us_time_parse("2027-11-30T12:00:00Z", 20, &end), US_OK);
	assert_int_equal(us_cert_days_left(end, end - 29 * US_NS_PER_DAY), 29);
	assert_int_equal(us_cert_days_left(end, end - US_NS_PER_DAY + 1), 0);
	assert_int_equal(us_cert_days_left(end, end), -1);
	assert_string_equal(us_cert_end_text(end, end - 29 * US_NS_PER_DAY, text),
	    "ends on 2027-11-30, in 29 days");
	assert_string_equal(us_cert_end_text(end, end + 1, text), "ended on 2027-11-30");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(certificates_say_what_was_asked),
		cmocka_unit_test(verification_has_distinct_errors),
		cmocka_unit_test(an_expired_authority_is_noticed),
		cmocka_unit_test(a_foreign_authority_is_refused),
		cmocka_unit_test(changed_bytes_do_not_verify),
		cmocka_unit_test(names_and_times_have_limits),
		cmocka_unit_test(keys_are_written_and_read),
		cmocka_unit_test(pem_wraps_and_unwraps),
		cmocka_unit_test(ed25519_people_can_be_certified),
		cmocka_unit_test(sessions),
		cmocka_unit_test(ends_are_told),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
