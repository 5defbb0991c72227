/*
 * The front: terminates TLS, reads HTTP/1.1, turns routes into the typed messages of
 * daemon/proto, and passes the vault's answers on. It holds no files, no store and no keys: the
 * TLS private key stays in the keeper, which signs handshakes on a channel of its own.
 *
 *   target.c   request target, percent-decoding      tls.c     context, the keeper's signature
 *   http.c     head of a request                     conn.c    one connection's life
 *   json.c     flat JSON bodies                      answer.c  responses and problems
 *   route.c    table of routes                       relay.c   requests under way, replies, credit
 *   request.c  route and body to a typed message     front.c   the process
 *
 * Settings: "connections" (most at a time, 8192).
 */
#ifndef US_DAEMON_FRONT_FRONT_H
#define US_DAEMON_FRONT_FRONT_H

/* Runs the front in this process until its end; returns its exit status. */
int us_front_main(void);

#endif
