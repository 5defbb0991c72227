/*
 * Why there is no connection, in a person's words: who must do what. From what TLS and libcurl
 * report; the peer is nobody yet, so nothing of what it sent is repeated.
 */
#ifndef US_CLIENT_CORE_HTTP_WHY_H
#define US_CLIENT_CORE_HTTP_WHY_H

#include <stddef.h>
#include <stdint.h>

#define US_HTTP_WHY_MAX 512

struct us_http_failure {
	const char *server; /* "vault.example:8443" */
	int code;           /* CURLcode */
	const char *text;   /* libcurl's; only looked into */
	/* of the server's certificate: X509_V_OK or why it is not good, and its dates (0: none) */
	int verify;
	int64_t server_from_ns, server_to_ns;
	int64_t own_from_ns, own_to_ns; /* of the profile's certificate, 0: unknown */
	int64_t ca_from_ns, ca_to_ns;   /* of the vault's CA */
	int64_t now_ns;
};

/* 1 if that text of libcurl's says that the vault refused the certificate of somebody whose
 * credential has ended. */
int us_http_is_refusal(const char *text);
/* One sentence or two, without an end of line. */
void us_http_why(const struct us_http_failure *failure, char out[US_HTTP_WHY_MAX]);

#endif
