/* Goal: the front over real sockets and real TLS, with a vault, an intake and a keeper played by
 * the test: who gets in, what a slow, greedy, vanishing or idle client does, and what becomes of a
 * request whose other end dies. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <openssl/err.h>

#include <cmocka.h>

#include "crypto/cert.h"
#include "base/err.h"
#include "daemon/front/front_internal.h"

#define STREAM_BYTES (8u * 1048576u)
#define PIECE 65536u
#define DAY INT64_C(86400000000000)

enum who { GOOD, FOREIGN, EXPIRED, NOT_YET, SERVER_ONLY, WHO_N };

static struct {
	struct us_pkey *ca_key, *server_key, *client_key;
	struct us_buf ca, server, client[WHO_N];
	uint8_t credential[32];
	struct event_base *base;
	struct us_front *front;
	struct us_channel *vault, *intake;
	struct event *control;
	pthread_t front_thread, keeper_thread;
	int control_fd[2], done_fd[2], keeper_fd[2];
	_Atomic int late_signature;
	int ended; /* the front's thread */
	uint16_t port;
	/* what the vault saw; the stream it is sending */
	uint32_t stream_tag;
	size_t stream_left;
	size_t stream_out;
	atomic_size_t stream_out_max, stream_sent;
	atomic_uint bar; /* the keeper says of every credential that it is revoked */
	atomic_uint requests, cancelled, counts[UINT8_MAX + 1], handshake_messages, parts;
	atomic_int hold_parts;
} t;

/* --- the other roles ------------------------------------------------------------------- */

static void
pump(void)
{
	static const uint8_t piece[PIECE] = { 'x' };
	struct us_msg_reply_more m = { .body = { piece, PIECE } };

	while (t.stream_left > 0 && t.stream_out + PIECE <= US_REPLY_WINDOW) {
		t.stream_left -= PIECE;
		t.stream_out += PIECE;
		if (t.stream_out > t.stream_out_max)
			t.stream_out_max = t.stream_out;
		t.stream_sent += PIECE;
		m.last = t.stream_left == 0;
		assert_int_equal(us_send_reply_more(t.vault, t.stream_tag, &m), US_OK);
	}
}

static void
vault_read(uint32_t tag, const struct us_msg_read_request *m)
{
	static const uint8_t record[1000] = { 'r' };
	struct us_msg_reply reply = { .status = 200,
		.last = 1,
		.entry = 41,
		.body = { record, sizeof record } };
	char what = m->bates.n > 2 ? (char)m->bates.p[2] : '?';

	assert_memory_equal(m->credential, t.credential, 32);
	assert_true(m->peer.n > 10 && memcmp(m->peer.p, "127.0.0.1:", 10) == 0);
	if (what == 'H')
		return;
	if (what == 'S') {
		t.stream_tag = tag;
		t.stream_left = STREAM_BYTES;
		t.stream_out = t.stream_sent = t.stream_out_max = 0;
		reply.last = 0;
		reply.type = US_TYPE_JSON_LINES;
		reply.body.n = 0;
	}
	assert_int_equal(us_send_reply(t.vault, tag, &reply), US_OK);
	if (what == 'S')
		pump();
}

static int
on_vault(void *ctx, struct us_channel *ch, uint16_t type, uint32_t tag, struct us_bytes body,
    int fd)
{
	struct us_msg_reply reply = { .status = 200, .last = 1, .entry = UINT64_MAX };
	struct us_msg_read_request read;
	struct us_msg_handshakes hands;
	struct us_msg_credit credit;
	struct us_msg_search_request search;

	(void)ctx;
	(void)ch;
	(void)fd;
	if (type != US_MSG_cancel && type != US_MSG_credit && type != US_MSG_handshakes &&
	    type != US_MSG_shares)
		t.requests++;
	switch (type) {
	case US_MSG_status_request:
		reply.body = us_bytes_of("{\"sealed\":true}");
		return us_send_reply(t.vault, tag, &reply);
	case US_MSG_search_request:
		assert_int_equal(us_msg_search_request_decode(&search, body.p, body.n), US_OK);
		reply.body = search.query;
		return us_send_reply(t.vault, tag, &reply);
	case US_MSG_read_request:
		assert_int_equal(us_msg_read_request_decode(&read, body.p, body.n), US_OK);
		vault_read(tag, &read);
		return US_OK;
	case US_MSG_credit:
		assert_int_equal(us_msg_credit_decode(&credit, body.p, body.n), US_OK);
		if (tag == t.stream_tag) {
			assert_true(credit.bytes <= t.stream_out);
			t.stream_out -= credit.bytes;
			pump();
		}
		return US_OK;
	case US_MSG_cancel:
		if (tag == t.stream_tag)
			t.stream_left = 0;
		t.cancelled++;
		return US_OK;
	case US_MSG_shares:
		return us_msg_check(type, body.p, body.n);
	case US_MSG_handshakes:
		assert_int_equal(us_msg_handshakes_decode(&hands, body.p, body.n), US_OK);
		t.handshake_messages++;
		for (size_t i = 0; i < hands.counts.n; i += 5)
			t.counts[hands.counts.p[i]] += us_load_u32(hands.counts.p + i + 1);
		return US_OK;
	default:
		return US_ERR_FORMAT;
	}
}

static int
on_intake(void *ctx, struct us_channel *ch, uint16_t type, uint32_t tag, struct us_bytes body,
    int fd)
{
	struct us_msg_part_done done = { .status = 200, .body = us_bytes_of("{\"part\":0}") };
	struct us_msg_part m;

	(void)ctx;
	(void)fd;
	assert_int_equal(type, US_MSG_part);
	assert_int_equal(us_msg_part_decode(&m, body.p, body.n), US_OK);
	t.parts++;
	return t.hold_parts ? US_OK : us_send_part_done(ch, tag, &done);
}

static void
on_gone(void *ctx, struct us_channel *ch, int err)
{
	(void)ctx;
	(void)err;
	if (ch == t.vault)
		t.vault = NULL;
	if (ch == t.intake)
		t.intake = NULL;
}

static const struct us_channel_handler vault_handler = { .on_message = on_vault,
	.on_close = on_gone };
static const struct us_channel_handler intake_handler = { .on_message = on_intake,
	.on_close = on_gone };

static void
new_intake(void)
{
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	t.intake = us_channel_new(t.base, pair[0], US_ROLE_INTAKE, US_ROLE_FRONT, 0,
	    &intake_handler, NULL);
	assert_non_null(t.intake);
	assert_int_equal(us_front_set_intake(t.front, 0, pair[1]), US_OK);
}

static int
read_all(int fd, void *p, size_t n)
{
	uint8_t *to = p;

	while (n > 0) {
		ssize_t k = read(fd, to, n);

		if (k <= 0)
			return -1;
		to += k;
		n -= (size_t)k;
	}
	return 0;
}

static void
keeper_answer(uint16_t type, uint32_t tag, const struct us_buf *body)
{
	uint8_t header[US_FRAME_HEADER];

	us_frame_header(header, type, tag, (uint32_t)body->len);
	assert_int_equal(write(t.keeper_fd[1], header, sizeof header), sizeof header);
	assert_int_equal(write(t.keeper_fd[1], body->data, body->len), body->len);
}

static void *
keeper(void *arg)
{
	uint8_t header[US_FRAME_HEADER], body[300], sig[128];

	while (read_all(t.keeper_fd[1], header, sizeof header) == 0) {
		uint32_t n = us_load_u32(header);
		const uint32_t tag = us_load_u32(header + 8);
		struct us_buf out;
		size_t sig_n = sizeof sig;

		assert_true(n <= sizeof body);
		if (read_all(t.keeper_fd[1], body, n) != 0)
			break;
		us_buf_init(&out, 65536);
		if (us_load_u16(header + 4) == US_MSG_tls_identity) {
			struct us_msg_tls_identity_reply m = {
				.certificate = { t.server.data, t.server.len },
				.ca = { t.ca.data, t.ca.len },
			};

			assert_int_equal(us_msg_tls_identity_reply_encode(&out, &m), US_OK);
			keeper_answer(US_MSG_tls_identity_reply, tag, &out);
		} else if (us_load_u16(header + 4) == US_MSG_standing) {
			const struct us_msg_standing_reply m = {
				.reason = t.bar ? US_REASON_REVOKED : US_REASON_NONE
			};

			assert_int_equal(us_msg_standing_reply_encode(&out, &m), US_OK);
			keeper_answer(US_MSG_standing_reply, tag, &out);
		} else {
			EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(us_pkey_native(t.server_key), NULL);
			struct us_msg_tls_signature m = { 0 };
			struct us_msg_tls_sign ask;

			assert_int_equal(us_msg_tls_sign_decode(&ask, body, n), US_OK);
			assert_int_equal(EVP_PKEY_sign_init(ctx), 1);
			assert_int_equal(EVP_PKEY_sign(ctx, sig, &sig_n, ask.digest.p,
					     ask.digest.n),
			    1);
			EVP_PKEY_CTX_free(ctx);
			m.signature = (struct us_bytes){ sig, sig_n };
			assert_int_equal(us_msg_tls_signature_encode(&out, &m), US_OK);
			if (t.late_signature) { /* one that nobody waits for any more comes first */
				out.data[out.len - 1] ^= 1;
				keeper_answer(US_MSG_tls_signature, tag - 1, &out);
				out.data[out.len - 1] ^= 1;
			}
			keeper_answer(US_MSG_tls_signature, tag, &out);
		}
		us_buf_free(&out);
	}
	return arg;
}

/* --- control of the front's thread ----------------------------------------------------- */

static void
on_control(evutil_socket_t fd, short what, void *arg)
{
	uint8_t order;

	(void)what;
	(void)arg;
	assert_int_equal(read(fd, &order, 1), 1);
	if (order == 0)
		(void)event_base_loopbreak(t.base);
	else if (order == 255) {
		us_channel_free(t.intake);
		t.intake = NULL;
	} else if (order == 254)
		new_intake();
	else
		us_front_tick(t.front, t.front->now + order - 1);
	assert_int_equal(write(t.done_fd[1], &order, 1), 1);
}

static void
command(uint8_t order)
{
	assert_int_equal(write(t.control_fd[1], &order, 1), 1);
	assert_int_equal(read(t.done_fd[0], &order, 1), 1);
}

static void
pass(unsigned seconds)
{
	command((uint8_t)(seconds + 1));
}

static void *
front_main(void *arg)
{
	(void)event_base_dispatch(t.base);
	return arg;
}

/* --- certificates ---------------------------------------------------------------------- */

static int64_t
now_ns(void)
{
	return (int64_t)time(NULL) * 1000000000;
}

static void
issue(enum who who, const struct us_issuer *issuer, struct us_bytes csr, int64_t from, int64_t to)
{
	struct us_cert_validity v = { now_ns() + from, now_ns() + to };

	us_buf_init(&t.client[who], US_CERT_MAX);
	assert_int_equal(us_cert_issue_client(issuer, csr, "Ann", v, &t.client[who]), US_OK);
}

static void
make_certificates(void)
{
	const struct us_cert_validity years = { now_ns() - DAY, now_ns() + 100 * DAY };
	static const char *const hosts[] = { "localhost" };
	struct us_pkey *foreign_key;
	struct us_buf foreign, csr;
	struct us_issuer ours, theirs;

	assert_int_equal(us_pkey_new(US_PKEY_P256, &t.ca_key), US_OK);
	assert_int_equal(us_pkey_new(US_PKEY_P256, &foreign_key), US_OK);
	assert_int_equal(us_pkey_new(US_PKEY_P256, &t.server_key), US_OK);
	assert_int_equal(us_pkey_new(US_PKEY_P256, &t.client_key), US_OK);
	us_buf_init(&t.ca, US_CERT_MAX);
	us_buf_init(&foreign, US_CERT_MAX);
	us_buf_init(&t.server, US_CERT_MAX);
	us_buf_init(&csr, US_CERT_MAX);
	us_buf_init(&t.client[SERVER_ONLY], US_CERT_MAX);
	assert_int_equal(us_ca_create(t.ca_key, "vault", years, &t.ca), US_OK);
	assert_int_equal(us_ca_create(foreign_key, "vault", years, &foreign), US_OK);
	ours = (struct us_issuer){ t.ca_key, { t.ca.data, t.ca.len } };
	theirs = (struct us_issuer){ foreign_key, { foreign.data, foreign.len } };
	assert_int_equal(us_cert_issue_server(&ours, t.server_key, hosts, 1, years, &t.server),
	    US_OK);
	assert_int_equal(us_csr_create(t.client_key, "Ann", &csr), US_OK);
	issue(GOOD, &ours, (struct us_bytes){ csr.data, csr.len }, -DAY, DAY);
	issue(FOREIGN, &theirs, (struct us_bytes){ csr.data, csr.len }, -DAY, DAY);
	issue(EXPIRED, &ours, (struct us_bytes){ csr.data, csr.len }, -DAY, -DAY / 2);
	issue(NOT_YET, &ours, (struct us_bytes){ csr.data, csr.len }, DAY, 2 * DAY);
	assert_int_equal(us_cert_issue_server(&ours, t.client_key, hosts, 1, years,
			     &t.client[SERVER_ONLY]),
	    US_OK);
	assert_int_equal(us_cert_fingerprint((struct us_bytes){ t.client[GOOD].data,
						 t.client[GOOD].len },
			     t.credential),
	    US_OK);
	us_pkey_free(foreign_key);
	us_buf_free(&foreign);
	us_buf_free(&csr);
}

/* --- the client ------------------------------------------------------------------------ */

struct client {
	int fd;
	SSL *ssl;
	char text[200000];
	size_t n;
};

static int
dial(void)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
		.sin_port = htons(t.port),
		.sin_addr = { htonl(INADDR_LOOPBACK) } };
	struct timeval limit = { 20, 0 };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_true(fd >= 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit), 0);
	return fd;
}

/* who: enum who, or -1 for no certificate. max_version: 0 for any. */
static SSL_CTX *
client_context(int who, int max_version)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());

	assert_non_null(ctx);
	if (max_version != 0)
		assert_int_equal(SSL_CTX_set_max_proto_version(ctx, max_version), 1);
	if (who >= 0) {
		assert_int_equal(SSL_CTX_use_certificate_ASN1(ctx, (int)t.client[who].len,
				     t.client[who].data),
		    1);
		assert_int_equal(SSL_CTX_use_PrivateKey(ctx, us_pkey_native(t.client_key)), 1);
	}
	return ctx;
}

static int
client_open(struct client *c, SSL_CTX *ctx)
{
	c->fd = dial();
	c->n = 0;
	c->ssl = SSL_new(ctx);
	assert_non_null(c->ssl);
	assert_int_equal(SSL_set_fd(c->ssl, c->fd), 1);
	return SSL_connect(c->ssl) == 1 ? 0 : -1;
}

static void
client_close(struct client *c)
{
	SSL_free(c->ssl);
	(void)close(c->fd);
	ERR_clear_error();
}

static struct client *
good_client(void)
{
	static struct client c;
	SSL_CTX *ctx = client_context(GOOD, 0);

	assert_int_equal(client_open(&c, ctx), 0);
	SSL_CTX_free(ctx);
	return &c;
}

static void
say(struct client *c, const char *text)
{
	assert_int_equal(SSL_write(c->ssl, text, (int)strlen(text)), (int)strlen(text));
}

/* Reads one answer with a Content-Length; returns its status, 0 if the connection ended. The
 * body stands in *body. */
static int
hear(struct client *c, char *body, size_t max)
{
	char *end, *length;
	size_t head_n, body_n;
	int k, status;

	for (;;) {
		c->text[c->n] = '\0';
		end = strstr(c->text, "\r\n\r\n");
		if (end != NULL) {
			length = strstr(c->text, "Content-Length: ");
			head_n = (size_t)(end + 4 - c->text);
			body_n = length != NULL && length < end ? strtoul(length + 16, NULL, 10) :
								  0;
			if (c->n >= head_n + body_n)
				break;
		}
		k = SSL_read(c->ssl, c->text + c->n, (int)(sizeof c->text - 1 - c->n));
		if (k <= 0)
			return 0;
		c->n += (size_t)k;
	}
	assert_int_equal(sscanf(c->text, "HTTP/1.1 %d ", &status), 1);
	if (body != NULL) {
		assert_true(head_n + body_n < max);
		memcpy(body, c->text, head_n + body_n);
		body[head_n + body_n] = '\0';
	}
	memmove(c->text, c->text + head_n + body_n, c->n - head_n - body_n);
	c->n -= head_n + body_n;
	return status;
}

#define GET(path) "GET " path " HTTP/1.1\r\nHost: h\r\n\r\n"

static void
wait_for(atomic_uint *what, unsigned value)
{
	for (unsigned i = 0; i < 1000 && *what < value; i++)
		(void)poll(NULL, 0, 10);
	assert_true(*what >= value);
}

/* --- tests ----------------------------------------------------------------------------- */

static void
answers(void **state)
{
	struct client *c = good_client();
	char text[4000];

	(void)state;
	say(c, GET("/v1/status"));
	assert_int_equal(hear(c, text, sizeof text), 200);
	assert_non_null(strstr(text, "{\"sealed\":true}"));
	assert_non_null(strstr(text, "Cache-Control: no-store\r\n"));
	assert_null(strstr(text, "Underseal-Entry"));
	assert_null(strstr(text, "Server:"));
	say(c, GET("/v1/collections/demo/records/A1"));
	assert_int_equal(hear(c, text, sizeof text), 200);
	assert_non_null(strstr(text, "Underseal-Entry: 41\r\n"));
	say(c, GET("/v1/nothing"));
	assert_int_equal(hear(c, text, sizeof text), 404);
	assert_non_null(strstr(text, "\"urn:underseal:problem:not-found\""));
	assert_non_null(strstr(text, "application/problem+json"));
	say(c,
	    "POST /v1/collections/demo/search HTTP/1.1\r\nHost: h\r\nContent-Type: "
	    "application/json\r\n"
	    "Content-Length: 13\r\nExpect: 100-continue\r\n\r\n");
	assert_int_equal(hear(c, text, sizeof text), 100);
	say(c, "{\"query\"");
	say(c, ":\"x\"}");
	assert_int_equal(hear(c, text, sizeof text), 200);
	say(c, "GET /v1/status HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
	assert_int_equal(hear(c, text, sizeof text), 200);
	assert_non_null(strstr(text, "Connection: close"));
	assert_int_equal(hear(c, text, sizeof text), 0);
	client_close(c);
}

static void
pipelined(void **state)
{
	static const char one[] = GET("/v1/status") GET("/v1/nothing");
	struct client *c = good_client();
	char many[20 * sizeof one] = "";

	(void)state;
	for (unsigned i = 0; i < 20; i++)
		strcat(many, one);
	say(c, many);
	for (unsigned i = 0; i < 20; i++) {
		assert_int_equal(hear(c, NULL, 0), 200);
		assert_int_equal(hear(c, NULL, 0), 404);
	}
	client_close(c);
}

static void
byte_by_byte(void **state)
{
	static const char text[] = GET(
	    "/v1/status") "POST /v1/collections/demo/search HTTP/1.1\r\nHost: h\r\n"
			  "Content-Type: application/json\r\nContent-Length: "
			  "13\r\n\r\n{\"query\":\"x\"}" GET("/v1/status");
	struct client *c = good_client();

	(void)state;
	for (const char *p = text; *p != '\0'; p++)
		assert_int_equal(SSL_write(c->ssl, p, 1), 1);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(hear(c, NULL, 0), 200);
	client_close(c);
}

static void
malformed(void **state)
{
	struct client *c = good_client();

	(void)state;
	say(c, "GET /v1/status HTTP/1.1\nHost: h\n\n");
	assert_int_equal(hear(c, NULL, 0), 400);
	assert_int_equal(hear(c, NULL, 0), 0);
	client_close(c);
	c = good_client();
	say(c,
	    "POST /v1/unseal HTTP/1.1\r\nHost: h\r\nContent-Type: "
	    "application/json\r\nContent-Length: 99999\r\n\r\n{");
	assert_int_equal(hear(c, NULL, 0), 413);
	assert_int_equal(hear(c, NULL, 0), 0);
	client_close(c);
}

static void
refused_and_counted(void **state)
{
	static const struct {
		int who, version;
		enum us_reason why;
	} cases[] = {
		{ -1, 0, US_REASON_NO_CERTIFICATE },
		{ FOREIGN, 0, US_REASON_FOREIGN_CA },
		{ EXPIRED, 0, US_REASON_EXPIRED },
		{ NOT_YET, 0, US_REASON_NOT_YET_VALID },
		{ SERVER_ONLY, 0, US_REASON_WRONG_USAGE },
		{ GOOD, TLS1_2_VERSION, US_REASON_MALFORMED },
	};
	static struct client c;
	unsigned messages = t.handshake_messages;
	unsigned before[UINT8_MAX + 1];
	char byte;
	int fd;

	(void)state;
	/* what the tests before have left is told with one more */
	fd = dial();
	assert_int_equal(write(fd, "GET / HTTP/1.1\r\n\r\n", 18), 18);
	while (read(fd, &byte, 1) > 0)
		;
	(void)close(fd);
	pass(11);
	pass(0);
	wait_for(&t.handshake_messages, messages + 1);
	messages = t.handshake_messages;
	for (unsigned i = 0; i <= UINT8_MAX; i++)
		before[i] = t.counts[i];
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		for (unsigned twice = 0; twice < 2; twice++) {
			SSL_CTX *ctx = client_context(cases[i].who, cases[i].version);

			if (client_open(&c, ctx) == 0) {
				(void)SSL_write(c.ssl, GET("/v1/status"),
				    sizeof GET("/v1/status") - 1);
				assert_true(SSL_read(c.ssl, c.text, 1) <= 0);
			}
			client_close(&c);
			SSL_CTX_free(ctx);
		}
	}
	t.bar = 1; /* the keeper says so; the client is told in the handshake */
	{
		SSL_CTX *ctx = client_context(GOOD, 0);

		if (client_open(&c, ctx) == 0)
			assert_true(SSL_read(c.ssl, c.text, 1) <= 0);
		client_close(&c);
		SSL_CTX_free(ctx);
	}
	t.bar = 0;
	fd = dial();
	assert_int_equal(write(fd, "GET / HTTP/1.1\r\n\r\n", 18), 18);
	while (read(fd, &byte, 1) > 0)
		;
	(void)close(fd);
	fd = dial(); /* says nothing at all */
	assert_int_equal(poll(NULL, 0, 50), 0);
	pass(11);
	pass(0);
	wait_for(&t.handshake_messages, messages + 1);
	(void)close(fd);
	assert_int_equal(t.handshake_messages, messages + 1);
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		assert_int_equal(t.counts[cases[i].why] - before[cases[i].why],
		    cases[i].why == US_REASON_MALFORMED ? 3 : 2);
	assert_int_equal(t.counts[US_REASON_TIMEOUT] - before[US_REASON_TIMEOUT], 1);
}

static size_t
read_stream(struct client *c)
{
	size_t body = 0;

	/* counts the x of the pieces: each begins with one, zeros follow */
	for (;;) {
		int k = SSL_read(c->ssl, c->text, sizeof c->text);

		if (k <= 0)
			return 0;
		for (int i = 0; i < k; i++)
			body += c->text[i] == '\0';
		if (k >= 5 && memcmp(c->text + k - 5, "0\r\n\r\n", 5) == 0)
			return body;
	}
}

static void
client_stops_reading(void **state)
{
	struct client *c = good_client();
	size_t sent;

	(void)state;
	say(c, GET("/v1/collections/demo/records/S1"));
	do {
		sent = t.stream_sent;
		(void)poll(NULL, 0, 300);
	} while (sent != t.stream_sent || sent == 0);
	assert_true(t.stream_out_max <= US_REPLY_WINDOW);
	assert_int_equal(read_stream(c), STREAM_BYTES - STREAM_BYTES / PIECE);
	assert_true(t.stream_sent == STREAM_BYTES);
	say(c, GET("/v1/status"));
	assert_int_equal(hear(c, NULL, 0), 200);
	client_close(c);
}

static void
client_never_reads(void **state)
{
	struct client *c = good_client();
	unsigned before = t.cancelled;
	int small = 4096;

	(void)state;
	(void)setsockopt(c->fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
	say(c, GET("/v1/collections/demo/records/S1"));
	(void)poll(NULL, 0, 300);
	assert_true(t.stream_sent < STREAM_BYTES);
	pass(61);
	wait_for(&t.cancelled, before + 1);
	client_close(c);
}

static void
client_gone(void **state)
{
	struct client *c = good_client();
	unsigned before = t.cancelled, requests = t.requests;

	(void)state;
	say(c, GET("/v1/collections/demo/records/H1") GET("/v1/status"));
	wait_for(&t.requests, requests + 1);
	client_close(c);
	wait_for(&t.cancelled, before + 1);
	assert_int_equal(t.requests, requests + 1); /* what was sent ahead is not done */
}

static void
slow_client(void **state)
{
	struct client *c = good_client();

	(void)state;
	say(c, "GET /v1/status HT");
	(void)poll(NULL, 0, 100);
	pass(16);
	assert_int_equal(hear(c, NULL, 0), 408);
	assert_int_equal(hear(c, NULL, 0), 0);
	client_close(c);
	c = good_client();
	say(c, GET("/v1/status"));
	assert_int_equal(hear(c, NULL, 0), 200);
	pass(200);
	pass(99);
	say(c, GET("/v1/status"));
	assert_int_equal(hear(c, NULL, 0), 200);
	pass(200);
	pass(101); /* idle too long */
	assert_int_equal(hear(c, NULL, 0), 0);
	client_close(c);
}

#define TICKET \
	"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKi" \
	"ssLS4vMDEyMzQ1Njc4OTo7PD0+P0BBQkNERUZHSElKS0xNTk9QUVJTVA=="
#define PART \
	"POST /v1/loads/1/parts/0 HTTP/1.1\r\nHost: h\r\nContent-Type: " \
	"application/octet-stream\r\n" \
	"Underseal-Ticket: " TICKET "\r\nUnderseal-First-Line: 0\r\nUnderseal-Digest: " \
	"0000000000000000000000000000000000000000000000000000000000000000\r\nContent-Length: " \
	"4\r\n\r\n{}\n\n"

static void
parts(void **state)
{
	struct client *c = good_client();
	char text[2000];
	unsigned n;

	(void)state;
	say(c, PART);
	assert_int_equal(hear(c, text, sizeof text), 200);
	assert_non_null(strstr(text, "{\"part\":0}"));
	t.hold_parts = 1;
	n = t.parts;
	say(c, PART);
	wait_for(&t.parts, n + 1);
	command(255); /* the intake dies */
	assert_int_equal(hear(c, text, sizeof text), 503);
	assert_non_null(strstr(text, "send it again"));
	say(c, PART);
	assert_int_equal(hear(c, text, sizeof text), 503);
	assert_non_null(strstr(text, "Retry-After: 1"));
	command(254); /* and is started anew */
	t.hold_parts = 0;
	client_close(c);
	c = good_client();
	say(c, PART);
	assert_int_equal(hear(c, text, sizeof text), 200);
	client_close(c);
}

static size_t
resident(void)
{
	unsigned long size = 0, pages = 0;
	FILE *file = fopen("/proc/self/statm", "r");

	if (file != NULL) {
		if (fscanf(file, "%lu %lu", &size, &pages) != 2)
			pages = 0;
		(void)fclose(file);
	}
	return pages * 4096;
}

/* A thousand that say nothing, and one that is served among them. */
static void
idle_connections(void **state)
{
	enum { N = 1000 };
	SSL_CTX *ctx = client_context(GOOD, 0);
	struct rlimit files;
	struct client *c;
	SSL **idle = calloc(N, sizeof *idle);
	int *fds = calloc(N, sizeof *fds);
	size_t before = resident();
	struct rlimit old;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	files = old;
	files.rlim_cur = files.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &files), 0);
	if (files.rlim_cur < 2 * N + 100)
		skip();
	for (unsigned i = 0; i < N; i++) {
		fds[i] = dial();
		idle[i] = SSL_new(ctx);
		assert_int_equal(SSL_set_fd(idle[i], fds[i]), 1);
		assert_int_equal(SSL_connect(idle[i]), 1);
	}
	c = good_client();
	for (unsigned i = 0; i < 100; i++) {
		say(c, GET("/v1/collections/demo/records/A1"));
		assert_int_equal(hear(c, NULL, 0), 200);
	}
	client_close(c);
	print_message("%u idle connections: %zu KiB each, both ends together\n", (unsigned)N,
	    (resident() - before) / N / 1024);
	for (unsigned i = 0; i < N; i++) {
		SSL_free(idle[i]);
		(void)close(fds[i]);
	}
	free(idle);
	free(fds);
	SSL_CTX_free(ctx);
}

/* --- the keeper's signatures ----------------------------------------------------------- */

static void
late_signature_is_dropped(void **state)
{
	static struct client c;

	(void)state;
	t.late_signature = 1;
	for (unsigned i = 0; i < 3; i++) {
		SSL_CTX *ctx = client_context(GOOD, 0);

		assert_int_equal(client_open(&c, ctx), 0);
		client_close(&c);
		SSL_CTX_free(ctx);
	}
	t.late_signature = 0;
	assert_false(us_tls_is_lost(t.front->tls));
}

/* Last of all: the front's event loop ends, as its process would. */
static void
keeper_that_is_gone_ends_the_front(void **state)
{
	static struct client c;
	SSL_CTX *ctx = client_context(GOOD, 0);

	(void)state;
	assert_int_equal(shutdown(t.keeper_fd[1], SHUT_RDWR), 0);
	assert_int_not_equal(client_open(&c, ctx), 0);
	client_close(&c);
	SSL_CTX_free(ctx);
	(void)pthread_join(t.front_thread, NULL);
	t.ended = 1;
	assert_true(us_tls_is_lost(t.front->tls));
	assert_true(t.front->failed);
}

/* --- set-up ---------------------------------------------------------------------------- */

static int
set_up(void **state)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	struct event_config *config = event_config_new();
	socklen_t at_n = sizeof at;
	int pair[2], listen_fd;

	(void)state;
	make_certificates();
	(void)signal(SIGPIPE, SIG_IGN);
	(void)event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK);
	t.base = event_base_new_with_config(config);
	event_config_free(config);
	t.front = us_front_new(t.base, 2048);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	t.vault = us_channel_new(t.base, pair[0], US_ROLE_VAULT, US_ROLE_FRONT, 0, &vault_handler,
	    NULL);
	assert_int_equal(us_front_set_vault(t.front, pair[1]), US_OK);
	new_intake();
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, t.keeper_fd), 0);
	assert_int_equal(us_front_set_keeper(t.front, t.keeper_fd[0]), US_OK);
	assert_int_equal(pthread_create(&t.keeper_thread, NULL, keeper, NULL), 0);
	listen_fd = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(bind(listen_fd, (struct sockaddr *)&at, sizeof at), 0);
	assert_int_equal(listen(listen_fd, 128), 0);
	assert_int_equal(getsockname(listen_fd, (struct sockaddr *)&at, &at_n), 0);
	t.port = ntohs(at.sin_port);
	assert_int_equal(us_front_listen(t.front, listen_fd), US_OK);
	assert_int_equal(us_front_start(t.front), US_OK);
	assert_int_equal(event_del(t.front->tick_event), 0); /* the test tells the time */
	assert_int_equal(pipe(t.control_fd), 0);
	assert_int_equal(pipe(t.done_fd), 0);
	t.control = event_new(t.base, t.control_fd[0], EV_READ | EV_PERSIST, on_control, NULL);
	assert_int_equal(event_add(t.control, NULL), 0);
	assert_int_equal(pthread_create(&t.front_thread, NULL, front_main, NULL), 0);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	if (!t.ended) {
		command(0);
		(void)pthread_join(t.front_thread, NULL);
	}
	us_channel_free(t.vault);
	us_channel_free(t.intake);
	us_front_free(t.front);
	(void)pthread_join(t.keeper_thread, NULL);
	event_free(t.control);
	event_base_free(t.base);
	for (unsigned i = 0; i < 2; i++) {
		(void)close(t.control_fd[i]);
		(void)close(t.done_fd[i]);
	}
	(void)close(t.keeper_fd[1]);
	for (unsigned i = 0; i < WHO_N; i++)
		us_buf_free(&t.client[i]);
	us_buf_free(&t.ca);
	us_buf_free(&t.server);
	us_pkey_free(t.ca_key);
	us_pkey_free(t.server_key);
	us_pkey_free(t.client_key);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers),
		cmocka_unit_test(pipelined),
		cmocka_unit_test(byte_by_byte),
		cmocka_unit_test(malformed),
		cmocka_unit_test(refused_and_counted),
		cmocka_unit_test(client_stops_reading),
		cmocka_unit_test(client_never_reads),
		cmocka_unit_test(client_gone),
		cmocka_unit_test(slow_client),
		cmocka_unit_test(parts),
		cmocka_unit_test(idle_connections),
		cmocka_unit_test(late_signature_is_dropped),
		cmocka_unit_test(keeper_that_is_gone_ends_the_front),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
