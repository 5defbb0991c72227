/*
 * TLS of the front: TLS 1.3 only, client certificate required and issued by the vault's own CA, no
 * resumption of any kind. The server's private key is not here: a signature is a blocking
 * question to the keeper (about 0.1 ms; five seconds at most), one a handshake. If one is not
 * answered the keeper is lost to this process: there are no further handshakes in it.
 */
#ifndef US_DAEMON_FRONT_TLS_H
#define US_DAEMON_FRONT_TLS_H

#include <openssl/ssl.h>

#include "case/action.h"
#include "base/buf.h"
#include "daemon/process/messages.h"

struct us_tls;

/* keeper_fd: the front's own channel to the keeper, which stays the caller's and must outlive
 * the result. Asks the keeper who we are, and waits a minute for that: it may be opening its log,
 * and nobody is served yet. Errors: of us_line_ask(), US_ERR_CRYPTO, US_ERR_STATE (the keeper has
 * no identity), US_ERR_NOMEM. */
int us_tls_new(int keeper_fd, struct us_tls **out);
/* As us_tls_new with the identity at hand: DER of the server's certificate and the CA. */
int us_tls_new_with(int keeper_fd, struct us_bytes certificate, struct us_bytes ca,
    struct us_tls **out);
/* tls may be NULL. */
void us_tls_free(struct us_tls *tls);
/* 1 if the keeper did not answer a question: every handshake fails from then on. */
int us_tls_is_lost(const struct us_tls *tls);
/* Server side of a connection on fd; NULL if memory is out. fd stays the caller's. */
SSL *us_tls_accept(struct us_tls *tls, int fd);
/* Why the handshake failed. Call right after SSL_do_handshake, before anything else of OpenSSL;
 * ssl_error is SSL_get_error(). Empties the thread's error queue. */
enum us_reason us_tls_failure(const SSL *ssl, int ssl_error);
/* SHA-256 of the DER of the certificate that the peer showed. US_ERR_CRYPTO. */
int us_tls_credential(const SSL *ssl, uint8_t out[32]);

#endif
