#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/err.h>

#include "base/err.h"
#include "daemon/front/front_internal.h"

static void on_readable(evutil_socket_t fd, short what, void *arg);
static void on_writable(evutil_socket_t fd, short what, void *arg);
static void on_closed(evutil_socket_t fd, short what, void *arg);
static void consume(struct us_conn *c, const uint8_t *p, size_t n);

/* --- life ------------------------------------------------------------------------------ */

struct us_conn *
us_conn_new(struct us_front *f, int fd, const char *peer)
{
	struct us_conn *c = NULL;
	size_t peer_n = strlen(peer);

	if (f->free_n == 0 || f->handshaking > f->connections_max / 2 ||
	    (c = calloc(1, sizeof *c)) == NULL) {
		us_relay_refused(f, US_REASON_OVER_LIMIT);
		(void)close(fd);
		return NULL;
	}
	c->front = f;
	c->fd = fd;
	c->state = US_CONN_HANDSHAKE;
	c->intake = -1;
	c->born = f->now;
	c->deadline = f->now + US_HANDSHAKE_SECONDS;
	us_buf_init(&c->in, US_HTTP_HEAD_MAX + US_READ_SIZE);
	us_buf_init(&c->body, US_BODY_PART);
	us_buf_init(&c->out, US_OUT_MAX);
	c->peer_n = (uint8_t)(peer_n < sizeof c->peer ? peer_n : sizeof c->peer);
	memcpy(c->peer, peer, c->peer_n);
	c->slot = f->free_slots[--f->free_n];
	c->generation = ++f->generations[c->slot];
	f->slots[c->slot] = c;
	f->connections++;
	f->handshaking++;
	c->ssl = us_tls_accept(f->tls, fd);
	c->read_event = event_new(f->base, fd, EV_READ | EV_PERSIST, on_readable, c);
	c->write_event = event_new(f->base, fd, EV_WRITE, on_writable, c);
	c->closed_event = event_new(f->base, fd, EV_CLOSED, on_closed, c);
	if (c->ssl == NULL || c->read_event == NULL || c->write_event == NULL ||
	    c->closed_event == NULL || event_add(c->read_event, NULL) != 0) {
		us_conn_drop(c);
		return NULL;
	}
	return c;
}

void
us_conn_drop(struct us_conn *c)
{
	struct us_front *f = c->front;

	if (c->state == US_CONN_DEAD)
		return;
	if (c->state == US_CONN_HANDSHAKE)
		f->handshaking--;
	us_relay_cancel(c);
	us_relay_release(c);
	c->state = US_CONN_DEAD;
	SSL_free(c->ssl);
	if (c->read_event != NULL)
		event_free(c->read_event);
	if (c->write_event != NULL)
		event_free(c->write_event);
	if (c->closed_event != NULL)
		event_free(c->closed_event);
	c->ssl = NULL;
	c->read_event = c->write_event = c->closed_event = NULL;
	(void)close(c->fd);
	us_buf_free(&c->in);
	us_buf_free(&c->out);
	f->slots[c->slot] = NULL;
	f->free_slots[f->free_n++] = c->slot;
	f->connections--;
	c->next_dead = f->dead;
	f->dead = c;
}

void
us_conn_reap(struct us_front *f)
{
	while (f->dead != NULL) {
		struct us_conn *c = f->dead;

		f->dead = c->next_dead;
		free(c);
	}
}

/* While a request is under way nothing is read; then only the client's going matters. */
static void
pause_reading(struct us_conn *c)
{
	if (c->paused)
		return;
	c->paused = 1;
	(void)event_del(c->read_event);
	(void)event_add(c->closed_event, NULL);
}

static void
resume_reading(struct us_conn *c)
{
	if (!c->paused)
		return;
	c->paused = 0;
	(void)event_del(c->closed_event);
	(void)event_add(c->read_event, NULL);
}

/* Says goodbye and waits a little for the peer to read it. */
static void
linger(struct us_conn *c)
{
	struct us_front *f = c->front;

	if (c->state == US_CONN_HANDSHAKE)
		f->handshaking--;
	else {
		(void)SSL_shutdown(c->ssl);
		ERR_clear_error();
	}
	us_relay_cancel(c);
	us_relay_release(c);
	(void)shutdown(c->fd, SHUT_WR);
	c->state = US_CONN_LINGER;
	c->deadline = f->now + US_LINGER_SECONDS;
	(void)event_del(c->write_event);
	resume_reading(c);
}

static void
drain(struct us_conn *c)
{
	ssize_t n = recv(c->fd, c->front->in, sizeof c->front->in, MSG_DONTWAIT);

	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
		us_conn_drop(c);
}

/* --- writing --------------------------------------------------------------------------- */

static size_t
out_left(const struct us_conn *c)
{
	return c->out.len - c->out_at;
}

/* Writes once. US_OK: *taken bytes are gone, possibly none; else the connection is beyond help. */
static int
write_some(struct us_conn *c, const uint8_t *p, size_t n, size_t *taken)
{
	int rc;

	*taken = 0;
	ERR_clear_error();
	rc = SSL_write_ex(c->ssl, p, n, taken);
	if (rc == 1)
		return US_OK;
	*taken = 0;
	rc = SSL_get_error(c->ssl, rc);
	/* SSL_ERROR_WANT_READ cannot be: TLS 1.3 does not renegotiate */
	return rc == SSL_ERROR_WANT_WRITE ? US_OK : US_ERR_CLOSED;
}

/* Drops c if the socket is broken. */
static void
flush(struct us_conn *c)
{
	size_t taken;

	while (out_left(c) > 0) {
		if (write_some(c, c->out.data + c->out_at, out_left(c), &taken) != US_OK) {
			us_conn_drop(c);
			return;
		}
		if (taken == 0) {
			(void)event_add(c->write_event, NULL);
			return;
		}
		c->out_at += taken;
		c->deadline = c->front->now + US_STALL_SECONDS;
	}
	us_buf_free(&c->out); /* evidence does not stay behind */
	c->out_at = 0;
}

static void
queue(struct us_conn *c, const struct us_bytes *parts, size_t n, size_t skip)
{
	size_t total = 0;

	for (size_t i = 0; i < n; i++)
		total += parts[i].n;
	if (c->out_at > 0) {
		us_buf_consume(&c->out, c->out_at);
		c->out_at = 0;
	}
	if (us_buf_reserve(&c->out, total - skip, NULL) != US_OK) {
		us_conn_drop(c); /* the vault went beyond its window, or memory is out */
		return;
	}
	for (size_t i = 0; i < n; i++) {
		size_t off = skip < parts[i].n ? skip : parts[i].n;

		skip -= off;
		(void)us_buf_put(&c->out, parts[i].p + off, parts[i].n - off);
	}
	c->deadline = c->front->now + US_STALL_SECONDS;
}

void
us_conn_send(struct us_conn *c, const struct us_bytes *parts, size_t n)
{
	struct us_front *f = c->front;
	size_t total = 0, taken = 0;

	for (size_t i = 0; i < n; i++)
		total += parts[i].n;
	if (out_left(c) == 0 && total <= sizeof f->small) {
		total = 0;
		for (size_t i = 0; i < n; i++) {
			if (parts[i].n != 0)
				memcpy(f->small + total, parts[i].p, parts[i].n);
			total += parts[i].n;
		}
		if (write_some(c, f->small, total, &taken) != US_OK) {
			us_wipe(f->small, total);
			us_conn_drop(c);
			return;
		}
		us_wipe(f->small, total);
		if (taken == total)
			return;
	}
	queue(c, parts, n, taken);
	if (c->state != US_CONN_DEAD)
		flush(c);
}

void
us_conn_answered(struct us_conn *c)
{
	struct us_buf ahead;

	us_relay_release(c);
	c->streaming = 0;
	if (out_left(c) > 0) {
		c->state = US_CONN_FLUSH;
		pause_reading(c);
		return;
	}
	if (c->close || c->front->now - c->born >= US_AGE_SECONDS) {
		linger(c);
		return;
	}
	c->state = US_CONN_HEAD;
	c->deadline = c->front->now + US_IDLE_SECONDS;
	if (c->consuming)
		return; /* the loop below us goes on */
	resume_reading(c);
	if (c->in.len > 0) {
		ahead = c->in;
		us_buf_init(&c->in, ahead.max);
		consume(c, ahead.data, ahead.len);
		us_buf_free(&ahead);
	}
	if (c->state == US_CONN_HEAD || c->state == US_CONN_BODY)
		if (SSL_has_pending(c->ssl))
			event_active(c->read_event, EV_READ, 1);
}

static void
on_writable(evutil_socket_t fd, short what, void *arg)
{
	struct us_conn *c = arg;

	(void)fd;
	(void)what;
	if (c->state == US_CONN_HANDSHAKE) {
		on_readable(fd, EV_READ, c);
		return;
	}
	flush(c);
	if (c->state == US_CONN_DEAD)
		return;
	if (c->state == US_CONN_WAIT)
		us_relay_credit(c);
	else if (c->state == US_CONN_FLUSH && out_left(c) == 0)
		us_conn_answered(c);
}

/* --- reading --------------------------------------------------------------------------- */

/* One head, whole. Leads to BODY, or to the request's being relayed or refused. */
static void
take_head(struct us_conn *c, const uint8_t *p, size_t n)
{
	static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";
	struct us_bytes interim = { (const uint8_t *)go_on, sizeof go_on - 1 };
	struct us_front *f = c->front;
	struct us_route *route = us_front_route_get(f);
	struct us_problem problem;
	struct us_http_head head;

	memset(&c->scan, 0, sizeof c->scan);
	if (route == NULL) {
		us_conn_drop(c);
		return;
	}
	if (us_request_head(p, n, &head, route, &problem) != 0 ||
	    us_relay_admit(c, route, &problem) != 0) {
		/* A body that is not read would be taken for the next request. Without one, a
		 * request that was understood is no reason to part. */
		int go = problem.status == 404 || problem.status == 405 || problem.status == 503 ||
		    problem.status == 415;

		us_front_route_put(f, route);
		c->close = (uint8_t)(c->close | head.close);
		us_relay_problem(c, &problem, !go || head.content_length != 0);
		return;
	}
	c->close = (uint8_t)head.close;
	if (route->body_n == 0) {
		us_relay_request(c, route, (struct us_bytes){ NULL, 0 });
		us_front_route_put(f, route);
		return;
	}
	if (us_buf_reserve(&c->body, route->body_n, NULL) != US_OK) {
		us_front_route_put(f, route);
		us_conn_drop(c);
		return;
	}
	c->route = route;
	c->state = US_CONN_BODY;
	c->body_deadline = f->now + US_BODY_SECONDS;
	c->deadline = f->now + US_BODY_STALL_SECONDS;
	if (head.expect_continue)
		us_conn_send(c, &interim, 1);
}

/* Takes what belongs to the body; returns how much that was. */
static size_t
take_body(struct us_conn *c, const uint8_t *p, size_t n)
{
	struct us_front *f = c->front;
	size_t want = c->route->body_n - c->body.len;
	size_t take = n < want ? n : want;
	struct us_route *route;
	struct us_buf body;

	if (us_buf_put(&c->body, p, take) != US_OK) {
		us_conn_drop(c);
		return take;
	}
	c->deadline = f->now + US_BODY_STALL_SECONDS;
	if (c->deadline > c->body_deadline)
		c->deadline = c->body_deadline;
	if (take < want)
		return take;
	route = c->route;
	body = c->body;
	c->route = NULL;
	us_buf_init(&c->body, body.max);
	us_relay_request(c, route, (struct us_bytes){ body.data, body.len });
	us_buf_free(&body);
	us_front_route_put(f, route);
	return take;
}

static void
refuse_head(struct us_conn *c, int err)
{
	static const struct us_problem too_large = { .status = 431,
		.type = "too-large",
		.detail = "the head of the request is too large" };
	static const struct us_problem malformed = { .status = 400,
		.type = "bad-request",
		.detail = "not an HTTP/1.1 request" };

	us_relay_problem(c, err == US_ERR_LIMIT ? &too_large : &malformed, 1);
}

/* Looks for the end of a head, in p alone if nothing came before; returns how much of p is used. */
static size_t
take_head_bytes(struct us_conn *c, const uint8_t *p, size_t n)
{
	size_t before = c->in.len, end = 0;
	struct us_buf whole;
	int err;

	if (before == 0) {
		err = us_http_scan(&c->scan, p, n, &end);
		if (err == US_OK) {
			take_head(c, p, end);
			return end;
		}
	}
	if (before == 0 && err != US_ERR_TRUNCATED) {
		refuse_head(c, err);
		return n;
	}
	if (us_buf_put(&c->in, p, n) != US_OK) {
		refuse_head(c, US_ERR_LIMIT);
		return n;
	}
	if (before == 0) {
		c->deadline = c->front->now + US_HEAD_SECONDS;
		return n;
	}
	err = us_http_scan(&c->scan, c->in.data, c->in.len, &end);
	if (err == US_ERR_TRUNCATED)
		return n;
	whole = c->in;
	us_buf_init(&c->in, whole.max);
	if (err == US_OK)
		take_head(c, whole.data, end);
	else
		refuse_head(c, err);
	us_buf_free(&whole);
	return err == US_OK ? end - before : n;
}

/* Takes requests out of what was read, as long as each is answered at once. What comes
 * behind a request under way waits in c->in. */
static void
consume(struct us_conn *c, const uint8_t *p, size_t n)
{
	size_t used;

	c->consuming = 1;
	while (n > 0 && (c->state == US_CONN_HEAD || c->state == US_CONN_BODY)) {
		used = c->state == US_CONN_HEAD ? take_head_bytes(c, p, n) : take_body(c, p, n);
		p += used;
		n -= used;
	}
	c->consuming = 0;
	if (n > 0 && (c->state == US_CONN_WAIT || c->state == US_CONN_FLUSH)) {
		if (us_buf_put(&c->in, p, n) != US_OK)
			us_conn_drop(c);
		else
			pause_reading(c);
	} else if (c->state == US_CONN_HEAD || c->state == US_CONN_BODY)
		resume_reading(c);
}

static void
read_more(struct us_conn *c)
{
	struct us_front *f = c->front;
	size_t n = 0;
	int rc;

	do {
		ERR_clear_error();
		rc = SSL_read_ex(c->ssl, f->in, sizeof f->in, &n);
		if (rc != 1) {
			rc = SSL_get_error(c->ssl, rc);
			if (rc == SSL_ERROR_ZERO_RETURN)
				linger(c);
			else if (rc != SSL_ERROR_WANT_READ && rc != SSL_ERROR_WANT_WRITE)
				us_conn_drop(c);
			ERR_clear_error();
			return;
		}
		consume(c, f->in, n);
	} while ((c->state == US_CONN_HEAD || c->state == US_CONN_BODY) && SSL_has_pending(c->ssl));
}

static void
handshake(struct us_conn *c)
{
	struct us_front *f = c->front;
	int rc;

	ERR_clear_error();
	rc = SSL_do_handshake(c->ssl);
	if (rc != 1) {
		rc = SSL_get_error(c->ssl, rc);
		if (rc == SSL_ERROR_WANT_READ)
			return;
		if (rc == SSL_ERROR_WANT_WRITE) {
			(void)event_add(c->write_event, NULL);
			return;
		}
		if (us_tls_is_lost(f->tls)) {
			us_relay_refused(f, US_REASON_ERROR);
			us_front_fail(f, "the keeper does not sign any more");
			us_conn_drop(c);
			return;
		}
		us_relay_refused(f, us_tls_failure(c->ssl, rc));
		linger(c); /* the alert tells the client why */
		return;
	}
	if (us_tls_credential(c->ssl, c->credential) != US_OK) {
		us_relay_refused(f, US_REASON_NO_CERTIFICATE);
		us_conn_drop(c);
		return;
	}
	f->handshaking--;
	c->state = US_CONN_HEAD;
	c->deadline = f->now + US_HEAD_SECONDS;
	if (SSL_has_pending(c->ssl))
		read_more(c);
}

/* A request is under way: has the client gone, or does it send ahead? */
static void
look_ahead(struct us_conn *c)
{
	uint8_t byte;
	ssize_t n = recv(c->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);

	if (n > 0)
		pause_reading(c);
	else if (n == 0 || (errno != EAGAIN && errno != EINTR))
		us_conn_drop(c);
}

static void
on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct us_conn *c = arg;

	(void)fd;
	(void)what;
	switch (c->state) {
	case US_CONN_HANDSHAKE:
		handshake(c);
		break;
	case US_CONN_HEAD:
	case US_CONN_BODY:
		read_more(c);
		break;
	case US_CONN_WAIT:
	case US_CONN_FLUSH:
		look_ahead(c);
		break;
	case US_CONN_LINGER:
		drain(c);
		break;
	case US_CONN_DEAD:
		break;
	}
}

static void
on_closed(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	us_conn_drop(arg);
}

/* --- time ------------------------------------------------------------------------------ */

void
us_conn_tick(struct us_conn *c)
{
	static const struct us_problem late = { .status = 408,
		.type = "timeout",
		.detail = "the request did not come in time" };
	struct us_front *f = c->front;

	if (c->state == US_CONN_HEAD && f->now - c->born >= US_AGE_SECONDS && c->in.len == 0) {
		linger(c);
		return;
	}
	/* a request under way has no deadline but for a client that does not take its answer */
	if (f->now < c->deadline || (c->state == US_CONN_WAIT && out_left(c) == 0))
		return;
	switch (c->state) {
	case US_CONN_HANDSHAKE:
		us_relay_refused(f, US_REASON_TIMEOUT);
		us_conn_drop(c);
		break;
	case US_CONN_HEAD:
		if (c->in.len == 0) {
			linger(c);
			break;
		}
		us_relay_problem(c, &late, 1);
		break;
	case US_CONN_BODY:
		us_relay_problem(c, &late, 1);
		break;
	case US_CONN_WAIT:
	case US_CONN_FLUSH:
	case US_CONN_LINGER:
		us_conn_drop(c);
		break;
	case US_CONN_DEAD:
		break;
	}
}
