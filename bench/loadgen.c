/*
 * Load over mutual TLS 1.3: many keep-alive connections, one request at a time on each, from one
 * thread with epoll. Used against the vault and, the same way, against its peers.
 *
 *   us_loadgen --profile DIR [--server HOST:PORT] --targets FILE [--session] [--connections N]
 *              [--seconds S] [--warm-up S] [--rate N] [--bulk N --collection C] [--purpose TEXT]
 *
 * FILE has a request target a line ("/v1/collections/demo/records/DEMO000000001"), taken in a
 * random order that is the same each run. With --bulk its lines are Bates numbers, and a request is
 * a POST of N of them. With --rate N requests are due at their times, N a second, whatever the
 * answers take: one that finds every connection busy waits, and its latency counts from when it was
 * due. Prints one JSON object: requests, records (lines of the bodies), bytes,
 * seconds, per second, latency percentiles in milliseconds, errors.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cjson/cJSON.h>
#include <openssl/ssl.h>

#include "base/base64.h"
#include "crypto/cert.h"
#include "base/err.h"
#include "base/log.h"
#include "crypto/session.h"

#define READ_SIZE 65536
#define SAMPLES_MAX 20000000u
#define HEAD_MAX 8192

struct options {
	const char *profile, *targets, *collection, *purpose;
	char host[256], port[16];
	unsigned connections, bulk;
	double seconds, warm_up, rate;
	int session;
};

enum body { HEAD, LENGTH, CHUNK_SIZE, CHUNK, CHUNK_END, TRAILER };

struct conn {
	SSL *ssl;
	int fd;
	double began;
	char *request;
	size_t request_n, request_at, request_cap;
	/* the answer */
	char head[HEAD_MAX];
	size_t head_n;
	enum body state;
	uint64_t left;
	int status;
	int wants_write;
	int failed;
	int idle; /* with --rate: has nothing to do */
};

static struct {
	struct options o;
	SSL_CTX *ctx;
	char **lines;
	size_t line_n;
	uint64_t random;
	char purpose[4096]; /* encoded */
	uint8_t vault[32];
	struct us_buf certificate;
	struct us_pkey *key;
	char buffer[READ_SIZE];
	float *samples;
	size_t sample_n;
	uint64_t requests, records, bytes, errors;
	int counting;
	int last_status;
} g;

static double
now(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* --- inputs ---------------------------------------------------------------------------- */

static char *
read_file(const char *dir, const char *name, size_t *n)
{
	char path[4096];
	char *text;
	FILE *file;
	long size;

	(void)snprintf(path, sizeof path, "%s%s%s", dir, *dir == '\0' ? "" : "/", name);
	file = fopen(path, "rb");
	if (file == NULL || fseek(file, 0, SEEK_END) != 0 || (size = ftell(file)) < 0)
		us_fatal("cannot read %s", path);
	rewind(file);
	text = malloc((size_t)size + 1);
	if (text == NULL || fread(text, 1, (size_t)size, file) != (size_t)size)
		us_fatal("cannot read %s", path);
	(void)fclose(file);
	text[size] = '\0';
	*n = (size_t)size;
	return text;
}

static void
read_lines(const char *path)
{
	size_t n, cap = 1024;
	char *text = read_file("", path, &n), *line;

	g.lines = malloc(cap * sizeof *g.lines);
	for (line = strtok(text, "\r\n"); line != NULL; line = strtok(NULL, "\r\n")) {
		if (g.line_n == cap)
			g.lines = realloc(g.lines, (cap *= 2) * sizeof *g.lines);
		if (g.lines == NULL)
			us_fatal("out of memory");
		g.lines[g.line_n++] = line;
	}
	if (g.line_n == 0)
		us_fatal("%s holds no lines", path);
}

static const char *
next_line(void)
{
	/* xorshift64* (Vigna, "An experimental exploration of Marsaglia's xorshift generators") */
	g.random ^= g.random >> 12;
	g.random ^= g.random << 25;
	g.random ^= g.random >> 27;
	return g.lines[(g.random * UINT64_C(2685821657736338717) >> 32) % g.line_n];
}

static void
read_profile(void)
{
	char *conf, *line, *pem;
	size_t n;

	pem = read_file(g.o.profile, "key.pem", &n);
	if (us_pkey_from_pem((struct us_bytes){ (uint8_t *)pem, n }, NULL, &g.key) != US_OK)
		us_fatal("cannot use %s/key.pem (a bench's key has no passphrase)", g.o.profile);
	us_wipe(pem, n);
	free(pem);
	pem = read_file(g.o.profile, "certificate.pem", &n);
	us_buf_init(&g.certificate, US_CERT_MAX);
	if (us_pem_decode((struct us_bytes){ (uint8_t *)pem, n }, "CERTIFICATE", &g.certificate) !=
	    US_OK)
		us_fatal("cannot use %s/certificate.pem", g.o.profile);
	free(pem);
	conf = read_file(g.o.profile, "profile.conf", &n);
	for (line = strtok(conf, "\r\n"); line != NULL; line = strtok(NULL, "\r\n")) {
		if (strncmp(line, "server=", 7) == 0 && g.o.host[0] == '\0')
			(void)sscanf(line + 7, "%255[^:]:%15s", g.o.host, g.o.port);
		if (strncmp(line, "vault=", 6) == 0)
			(void)us_hex_decode(line + 6, strlen(line + 6), g.vault, 32);
	}
	free(conf);
	g.ctx = SSL_CTX_new(TLS_client_method());
	if (g.ctx == NULL || SSL_CTX_set_min_proto_version(g.ctx, TLS1_3_VERSION) != 1 ||
	    SSL_CTX_use_certificate_ASN1(g.ctx, (int)g.certificate.len, g.certificate.data) != 1 ||
	    SSL_CTX_use_PrivateKey(g.ctx, us_pkey_native(g.key)) != 1)
		us_fatal("cannot set up TLS");
	/* the peers' certificates differ; who answers is not what is measured */
	SSL_CTX_set_verify(g.ctx, SSL_VERIFY_NONE, NULL);
	SSL_CTX_set_read_ahead(g.ctx, 1);
	(void)SSL_CTX_set_mode(g.ctx,
	    SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
}

static void
encode_purpose(const char *text)
{
	size_t n = 0;

	for (; text != NULL && *text != '\0' && n < sizeof g.purpose - 4; text++)
		n += (size_t)snprintf(g.purpose + n, sizeof g.purpose - n, "%%%02X",
		    (uint8_t)*text);
	g.purpose[n] = '\0';
}

/* --- requests -------------------------------------------------------------------------- */

static void
append(struct conn *c, const char *text)
{
	size_t n = strlen(text);

	if (c->request_n + n > c->request_cap) {
		c->request_cap = (c->request_n + n) * 2 + 1024;
		c->request = realloc(c->request, c->request_cap);
		if (c->request == NULL)
			us_fatal("out of memory");
	}
	memcpy(c->request + c->request_n, text, n);
	c->request_n += n;
}

static void
new_request(struct conn *c)
{
	char text[8192];

	c->request_n = c->request_at = 0;
	c->head_n = 0;
	c->state = HEAD;
	if (g.o.bulk == 0) {
		append(c, "GET ");
		append(c, next_line());
		append(c, " HTTP/1.1\r\nHost: bench\r\n");
		if (g.purpose[0] != '\0') {
			append(c, "Underseal-Purpose: ");
			append(c, g.purpose);
			append(c, "\r\n");
		}
		append(c, "\r\n");
		return;
	}
	/* the body first, to know its length: all Bates numbers are plain text */
	append(c, "{\"bates\":[");
	for (unsigned i = 0; i < g.o.bulk; i++) {
		append(c, i == 0 ? "\"" : ",\"");
		append(c, next_line());
		append(c, "\"");
	}
	append(c, "]}");
	(void)snprintf(text, sizeof text,
	    "POST /v1/collections/%s/read HTTP/1.1\r\nHost: bench\r\nUnderseal-Purpose: %s\r\n"
	    "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n",
	    g.o.collection, g.purpose, c->request_n);
	append(c, text);
	/* turn it round */
	{
		size_t head_n = strlen(text), body_n = c->request_n - head_n;

		memmove(c->request + head_n, c->request, body_n);
		memcpy(c->request, text, head_n);
	}
}

/* --- answers --------------------------------------------------------------------------- */

static void
count_lines(const char *p, size_t n)
{
	const char *end = p + n;

	if (!g.counting)
		return;
	g.bytes += n;
	while (p < end && (p = memchr(p, '\n', (size_t)(end - p))) != NULL) {
		g.records++;
		p++;
	}
}

/* Parses a head that is whole. */
static void
parse_head(struct conn *c)
{
	const char *length;

	c->head[c->head_n] = '\0';
	c->status = atoi(c->head + 9);
	g.last_status = c->status;
	length = strcasestr(c->head, "\r\ncontent-length:");
	if (length != NULL) {
		c->left = strtoull(length + 17, NULL, 10);
		c->state = LENGTH;
	} else {
		c->state = CHUNK_SIZE;
		c->left = 0;
	}
	c->head_n = 0;
}

/* Takes what was read; returns 1 when the answer is whole. */
static int
take(struct conn *c, const char *p, size_t n)
{
	size_t k;

	while (n > 0 || (c->state == LENGTH && c->left == 0)) {
		switch (c->state) {
		case HEAD:
			if (c->head_n == HEAD_MAX - 1)
				us_fatal("an answer's head is too long");
			c->head[c->head_n++] = *p++;
			n--;
			if (c->head_n >= 4 && memcmp(c->head + c->head_n - 4, "\r\n\r\n", 4) == 0)
				parse_head(c);
			break;
		case LENGTH:
			k = n < c->left ? n : (size_t)c->left;
			count_lines(p, k);
			p += k;
			n -= k;
			c->left -= k;
			if (c->left == 0)
				return 1;
			break;
		case CHUNK_SIZE:
			c->head[c->head_n++] = *p++;
			n--;
			if (c->head_n >= 2 && c->head[c->head_n - 1] == '\n') {
				c->head[c->head_n] = '\0';
				c->left = strtoull(c->head, NULL, 16);
				c->head_n = 0;
				c->state = c->left == 0 ? TRAILER : CHUNK;
			}
			break;
		case CHUNK:
			k = n < c->left ? n : (size_t)c->left;
			count_lines(p, k);
			p += k;
			n -= k;
			c->left -= k;
			if (c->left == 0)
				c->state = CHUNK_END;
			break;
		case CHUNK_END:
		case TRAILER:
			if (*p++ == '\n') {
				if (c->state == TRAILER)
					return 1;
				c->state = CHUNK_SIZE;
			}
			n--;
			break;
		}
	}
	return 0;
}

/* --- connections ----------------------------------------------------------------------- */

static void
dial(struct conn *c)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *list = NULL;
	int one = 1;

	if (getaddrinfo(g.o.host, g.o.port, &hints, &list) != 0)
		us_fatal("cannot find %s", g.o.host);
	c->fd = socket(list->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (c->fd < 0 || connect(c->fd, list->ai_addr, list->ai_addrlen) != 0)
		us_fatal("cannot connect to %s:%s: %s", g.o.host, g.o.port, strerror(errno));
	freeaddrinfo(list);
	(void)setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	c->ssl = SSL_new(g.ctx);
	if (c->ssl == NULL || SSL_set_fd(c->ssl, c->fd) != 1 || SSL_connect(c->ssl) != 1)
		us_fatal("the TLS handshake with %s:%s failed", g.o.host, g.o.port);
}

/* Blocking, for the session: sends request, returns the body (after its head). */
static char *
exchange(struct conn *c, const char *request)
{
	static char text[65536];
	const char *length;
	size_t n = 0;
	char *end;
	int k;

	if (SSL_write(c->ssl, request, (int)strlen(request)) <= 0)
		us_fatal("cannot send the session's request");
	for (;;) {
		k = SSL_read(c->ssl, text + n, (int)(sizeof text - 1 - n));
		if (k <= 0)
			us_fatal("the connection ended while a session was opened");
		n += (size_t)k;
		text[n] = '\0';
		end = strstr(text, "\r\n\r\n");
		if (end == NULL)
			continue;
		length = strcasestr(text, "content-length:");
		if (length != NULL &&
		    n >= (size_t)(end + 4 - text) + strtoull(length + 15, NULL, 10))
			break;
	}
	if (strncmp(text + 9, "200", 3) != 0 && strncmp(text + 9, "201", 3) != 0)
		us_fatal("no session: %s", end + 4);
	return end + 4;
}

static void
put_base64(struct us_buf *b, const char *name, const void *p, size_t n)
{
	if (us_buf_putf(b, "%s\"%s\":\"", b->len == 0 ? "{" : "\",", name) != US_OK ||
	    us_base64_put(b, p, n) != US_OK)
		us_fatal("out of memory");
}

static void
open_session(void)
{
	struct us_session_statement s = { 0 };
	uint8_t statement[US_SESSION_STATEMENT_SIZE], sig[US_SIGNATURE_MAX];
	struct conn c = { 0 };
	struct us_buf body, request;
	const char *nonce;
	struct timespec ts;
	size_t sig_n = 0;
	cJSON *challenge;

	dial(&c);
	challenge = cJSON_Parse(exchange(&c, "GET /v1/session HTTP/1.1\r\nHost: bench\r\n\r\n"));
	nonce = cJSON_GetStringValue(cJSON_GetObjectItem(challenge, "nonce"));
	(void)clock_gettime(CLOCK_REALTIME, &ts);
	s.issued_ns = (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
	s.expires_ns = s.issued_ns + INT64_C(14) * 60 * 1000000000;
	memcpy(s.vault, g.vault, 32);
	if (nonce == NULL || us_hex_decode(nonce, strlen(nonce), s.nonce, 32) != US_OK ||
	    us_cert_fingerprint((struct us_bytes){ g.certificate.data, g.certificate.len },
		s.credential) != US_OK)
		us_fatal("the vault's challenge is malformed");
	us_session_encode(&s, statement);
	if (us_session_sign(g.key, &s, sig, &sig_n) != US_OK)
		us_fatal("cannot sign a session");
	us_buf_init(&body, 65536);
	us_buf_init(&request, 65536);
	put_base64(&body, "statement", statement, sizeof statement);
	put_base64(&body, "signature", sig, sig_n);
	put_base64(&body, "certificate", g.certificate.data, g.certificate.len);
	if (us_buf_putf(&body, "\"}") != US_OK ||
	    us_buf_putf(&request,
		"POST /v1/session HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\n"
		"Content-Length: %zu\r\n\r\n",
		body.len) != US_OK ||
	    us_buf_put(&request, body.data, body.len) != US_OK)
		us_fatal("out of memory");
	(void)exchange(&c, us_buf_cstr(&request));
	cJSON_Delete(challenge);
	us_buf_free(&body);
	us_buf_free(&request);
	SSL_free(c.ssl);
	(void)close(c.fd);
}

/* --- the run --------------------------------------------------------------------------- */

static void
watch(int ep, struct conn *c, int write)
{
	struct epoll_event ev = { .events = write ? EPOLLIN | EPOLLOUT : EPOLLIN,
		.data = { .ptr = c } };

	if (c->wants_write != write && epoll_ctl(ep, EPOLL_CTL_MOD, c->fd, &ev) == 0)
		c->wants_write = write;
}

static void
send_request(int ep, struct conn *c)
{
	size_t k;

	while (c->request_at < c->request_n) {
		if (SSL_write_ex(c->ssl, c->request + c->request_at, c->request_n - c->request_at,
			&k) != 1) {
			watch(ep, c, 1);
			return;
		}
		c->request_at += k;
	}
	watch(ep, c, 0);
}

static void
answered(int ep, struct conn *c)
{
	double t = now();

	if (g.counting) {
		g.requests++;
		g.errors += c->status != 200;
		if (g.sample_n < SAMPLES_MAX)
			g.samples[g.sample_n++] = (float)(t - c->began);
	}
	if (g.o.rate > 0) {
		c->idle = 1;
		return;
	}
	new_request(c);
	c->began = t;
	send_request(ep, c);
}

/* Sends what is due, as far as connections are free; returns how long nothing will be. */
static double
send_due(int ep, struct conn *conns, double *due)
{
	const double t = now();

	for (unsigned i = 0; i < g.o.connections && *due <= t; i++) {
		if (!conns[i].idle)
			continue;
		conns[i].idle = 0;
		new_request(&conns[i]);
		conns[i].began = *due;
		*due += 1 / g.o.rate;
		send_request(ep, &conns[i]);
	}
	return *due > t ? *due - t : 0.01; /* all are busy: an answer wakes us */
}

static void
serve(int ep, struct conn *c)
{
	int k;

	if (c->request_at < c->request_n)
		send_request(ep, c);
	do {
		k = SSL_read(c->ssl, g.buffer, sizeof g.buffer);
		if (k <= 0) {
			k = SSL_get_error(c->ssl, k);
			if (k != SSL_ERROR_WANT_READ && k != SSL_ERROR_WANT_WRITE)
				us_fatal("a connection ended (last status %d)", g.last_status);
			return;
		}
		if (take(c, g.buffer, (size_t)k))
			answered(ep, c);
	} while (SSL_has_pending(c->ssl));
}

static int
by_value(const void *a, const void *b)
{
	float x = *(const float *)a, y = *(const float *)b;

	return x < y ? -1 : x > y;
}

static double
percentile(double p)
{
	size_t i = (size_t)(p * (double)g.sample_n);

	return g.sample_n == 0 ? 0 : 1e3 * (double)g.samples[i < g.sample_n ? i : g.sample_n - 1];
}

static void
report(double seconds)
{
	qsort(g.samples, g.sample_n, sizeof *g.samples, by_value);
	printf("{\"connections\":%u,\"seconds\":%.3f,\"requests\":%llu,\"requests_per_second\":%."
	       "0f,"
	       "\"records\":%llu,\"records_per_second\":%.0f,\"bytes\":%llu,\"p50_ms\":%.3f,\"p90_"
	       "ms\":%.3f,"
	       "\"p99_ms\":%.3f,\"max_ms\":%.3f,\"errors\":%llu,\"last_status\":%d}\n",
	    g.o.connections, seconds, (unsigned long long)g.requests, (double)g.requests / seconds,
	    (unsigned long long)g.records, (double)g.records / seconds, (unsigned long long)g.bytes,
	    percentile(0.5), percentile(0.9), percentile(0.99), percentile(1),
	    (unsigned long long)g.errors, g.last_status);
}

static void
run(void)
{
	struct conn *conns = calloc(g.o.connections, sizeof *conns);
	struct epoll_event events[64];
	struct timespec pause;
	int ep = epoll_create1(EPOLL_CLOEXEC), n;
	double start, began = 0, t, due, wait = 1;

	if (conns == NULL || ep < 0)
		us_fatal("out of memory");
	for (unsigned i = 0; i < g.o.connections; i++) {
		struct epoll_event ev = { .events = EPOLLIN, .data = { .ptr = &conns[i] } };

		dial(&conns[i]);
		(void)fcntl(conns[i].fd, F_SETFL, O_NONBLOCK);
		(void)epoll_ctl(ep, EPOLL_CTL_ADD, conns[i].fd, &ev);
	}
	start = now();
	due = start;
	for (unsigned i = 0; i < g.o.connections; i++) {
		conns[i].idle = g.o.rate > 0;
		if (conns[i].idle)
			continue;
		new_request(&conns[i]);
		conns[i].began = now();
		send_request(ep, &conns[i]);
	}
	for (;;) {
		t = now();
		if (!g.counting && t - start >= g.o.warm_up) {
			g.counting = 1;
			began = t;
		}
		if (g.counting && t - began >= g.o.seconds)
			break;
		if (g.o.rate > 0)
			wait = send_due(ep, conns, &due);
		pause.tv_sec = (time_t)wait;
		pause.tv_nsec = (long)((wait - (double)pause.tv_sec) * 1e9);
		n = epoll_pwait2(ep, events, 64, &pause, NULL);
		for (int i = 0; i < n; i++)
			serve(ep, events[i].data.ptr);
	}
	report(now() - began);
	for (unsigned i = 0; i < g.o.connections; i++) {
		SSL_free(conns[i].ssl);
		(void)close(conns[i].fd);
		free(conns[i].request);
	}
	free(conns);
	(void)close(ep);
}

static const char *
value(int argc, char **argv, int *i)
{
	if (*i + 1 >= argc)
		us_fatal("%s takes a value", argv[*i]);
	return argv[++*i];
}

int
main(int argc, char **argv)
{
	us_log_init("loadgen", US_LOG_INFO);
	g.o =
	    (struct options){ .connections = 64, .seconds = 5, .warm_up = 1, .collection = "demo" };
	g.random = 88172645463325252u;
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--profile") == 0)
			g.o.profile = value(argc, argv, &i);
		else if (strcmp(argv[i], "--targets") == 0)
			g.o.targets = value(argc, argv, &i);
		else if (strcmp(argv[i], "--collection") == 0)
			g.o.collection = value(argc, argv, &i);
		else if (strcmp(argv[i], "--purpose") == 0)
			encode_purpose(value(argc, argv, &i));
		else if (strcmp(argv[i], "--server") == 0)
			(void)sscanf(value(argc, argv, &i), "%255[^:]:%15s", g.o.host, g.o.port);
		else if (strcmp(argv[i], "--connections") == 0)
			g.o.connections = (unsigned)atoi(value(argc, argv, &i));
		else if (strcmp(argv[i], "--bulk") == 0)
			g.o.bulk = (unsigned)atoi(value(argc, argv, &i));
		else if (strcmp(argv[i], "--rate") == 0)
			g.o.rate = atof(value(argc, argv, &i));
		else if (strcmp(argv[i], "--seconds") == 0)
			g.o.seconds = atof(value(argc, argv, &i));
		else if (strcmp(argv[i], "--warm-up") == 0)
			g.o.warm_up = atof(value(argc, argv, &i));
		else if (strcmp(argv[i], "--session") == 0)
			g.o.session = 1;
		else
			us_fatal("unknown option %s", argv[i]);
	}
	if (g.o.profile == NULL || g.o.targets == NULL || g.o.connections == 0 ||
	    g.o.connections > 10000)
		us_fatal("needs --profile DIR and --targets FILE");
	g.samples = malloc(SAMPLES_MAX * sizeof *g.samples);
	if (g.samples == NULL)
		us_fatal("out of memory");
	read_lines(g.o.targets);
	read_profile();
	if (g.o.session)
		open_session();
	run();
	us_pkey_free(g.key);
	us_buf_free(&g.certificate);
	SSL_CTX_free(g.ctx);
	free(g.samples);
	return g.errors == 0 ? 0 : 1;
}
