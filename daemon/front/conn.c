#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/err.h>

#include "base/array.h"
#include "base/err.h"
#include "daemon/front/front_internal.h"

static void on_readable(evutil_socket_t fd, short what, void *arg);
static void on_writable(evutil_socket_t fd, short what, void *arg);
static void on_closed(evutil_socket_t fd, short what, void *arg);

/* --- states ---------------------------------------------------------------------------- */

#define ANSWERED (US_TO(US_CONN_HEAD) | US_TO(US_CONN_FLUSH) | US_TO(US_CONN_LINGER))
#define GONE US_TO(US_CONN_DEAD)

static const struct us_state_row states[] = {
	[US_CONN_HANDSHAKE] = { "handshake", US_TO(US_CONN_HEAD) | US_TO(US_CONN_LINGER) | GONE },
	[US_CONN_HEAD] = { "head", US_TO(US_CONN_BODY) | US_TO(US_CONN_WAIT) | ANSWERED | GONE },
	[US_CONN_BODY] = { "body", US_TO(US_CONN_WAIT) | ANSWERED | GONE },
	[US_CONN_WAIT] = { "wait", ANSWERED | GONE },
	[US_CONN_FLUSH] = { "flush", US_TO(US_CONN_HEAD) | US_TO(US_CONN_LINGER) | GONE },
	[US_CONN_LINGER] = { "linger", GONE },
	[US_CONN_DEAD] = { "dead", 0 },
};
const struct us_transitions us_conn_transitions = { "a connection", states, US_COUNT(states) };

void
us_conn_move(struct us_conn *c, enum us_conn_state to)
{
	c->state = us_transition(&us_conn_transitions, c->state, to);
	us_conn_heard(c);
}

/* --- life ------------------------------------------------------------------------------ */

struct us_conn *
us_conn_new(struct us_front *f, int fd, struct us_share_holder *holder, const char *peer)
{
	struct us_conn *c = NULL;
	size_t peer_n = strlen(peer);

	if (us_conn_take_place(f, holder) == US_OK && (c = calloc(1, sizeof *c)) == NULL)
		us_share_give(f->shares, holder, US_SHARE_connections, 1);
	if (c == NULL) {
		us_share_leave(f->shares, holder);
		us_relay_refused(f, US_REASON_OVER_LIMIT);
		(void)close(fd);
		return NULL;
	}
	c->holder = holder;
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
	us_conn_heard(c);
	c->read_event = event_new(f->base, fd, EV_READ | EV_PERSIST, on_readable, c);
	c->write_event = event_new(f->base, fd, EV_WRITE, on_writable, c);
	c->closed_event = event_new(f->base, fd, EV_CLOSED, on_closed, c);
	if (c->read_event == NULL || c->write_event == NULL || c->closed_event == NULL ||
	    event_add(c->read_event, NULL) != 0) {
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
	us_relay_cancel(c);
	us_relay_release(c);
	us_conn_move(c, US_CONN_DEAD);
	us_conn_leave_place(c);
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

void
us_conn_pause(struct us_conn *c)
{
	if (c->paused)
		return;
	c->paused = 1;
	(void)event_del(c->read_event);
	(void)event_add(c->closed_event, NULL);
}

void
us_conn_resume(struct us_conn *c)
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

	us_conn_turn_forget(c);
	if (c->state != US_CONN_HANDSHAKE) {
		(void)SSL_shutdown(c->ssl);
		ERR_clear_error();
	}
	us_relay_cancel(c);
	us_relay_release(c);
	(void)shutdown(c->fd, SHUT_WR);
	us_conn_move(c, US_CONN_LINGER);
	c->deadline = f->now + US_LINGER_SECONDS;
	(void)event_del(c->write_event);
	us_conn_resume(c);
}

static void
drain(struct us_conn *c)
{
	ssize_t n = recv(c->fd, c->front->in, sizeof c->front->in, MSG_DONTWAIT);

	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
		us_conn_drop(c);
}

/* --- answers --------------------------------------------------------------------------- */

void
us_conn_send(struct us_conn *c, const struct us_bytes *parts, size_t n)
{
	if (us_conn_out_send(c, parts, n) != US_OK)
		us_conn_drop(c);
}

void
us_conn_answered(struct us_conn *c)
{
	struct us_buf ahead;

	us_relay_release(c);
	c->streaming = 0;
	if (us_conn_out_left(c) > 0) {
		us_conn_move(c, US_CONN_FLUSH);
		us_conn_pause(c);
		return;
	}
	if (c->close || c->front->now - c->born >= US_AGE_SECONDS) {
		linger(c);
		return;
	}
	us_conn_move(c, US_CONN_HEAD);
	c->deadline = c->front->now + US_IDLE_SECONDS;
	if (c->consuming)
		return; /* the loop below us goes on */
	us_conn_resume(c);
	if (c->in.len > 0) {
		ahead = c->in;
		us_buf_init(&c->in, ahead.max);
		us_conn_consume(c, ahead.data, ahead.len);
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
	if (us_conn_out_flush(c) != US_OK) {
		us_conn_drop(c);
		return;
	}
	if (c->state == US_CONN_WAIT)
		us_relay_credit(c);
	else if (c->state == US_CONN_FLUSH && us_conn_out_left(c) == 0)
		us_conn_answered(c);
}

/* --- events ---------------------------------------------------------------------------- */

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
		us_conn_heard(c);
		us_conn_consume(c, f->in, n);
	} while ((c->state == US_CONN_HEAD || c->state == US_CONN_BODY) && SSL_has_pending(c->ssl));
}

static void
handshake(struct us_conn *c)
{
	struct us_front *f = c->front;
	int rc;

	if (!us_conn_has_turn(c))
		return;
	us_conn_heard(c);
	if (c->ssl == NULL && (c->ssl = us_tls_accept(f->tls, c->fd)) == NULL) {
		us_conn_drop(c);
		return;
	}
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
	us_conn_is_verified(c);
	us_conn_move(c, US_CONN_HEAD);
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
		us_conn_pause(c);
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
	if (f->now < c->deadline || (c->state == US_CONN_WAIT && us_conn_out_left(c) == 0))
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
