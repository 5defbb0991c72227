#include "daemon/front/front.h"

#include <arpa/inet.h>
#include <errno.h>
#include <malloc.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"
#include "base/log.h"
#include "daemon/front/front_internal.h"
#include "daemon/process/role.h"
#include "daemon/process/settings.h"

/* --- accepting ------------------------------------------------------------------------- */

static void
peer_text(const struct sockaddr_storage *ss, char *out, size_t n)
{
	char host[INET6_ADDRSTRLEN] = "?";

	(void)snprintf(out, n, "local");
	if (ss->ss_family == AF_INET) {
		const struct sockaddr_in *in = (const struct sockaddr_in *)(const void *)ss;

		(void)inet_ntop(AF_INET, &in->sin_addr, host, sizeof host);
		(void)snprintf(out, n, "%s:%u", host, ntohs(in->sin_port));
	} else if (ss->ss_family == AF_INET6) {
		const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)(const void *)ss;

		(void)inet_ntop(AF_INET6, &in6->sin6_addr, host, sizeof host);
		(void)snprintf(out, n, "[%s]:%u", host, ntohs(in6->sin6_port));
	}
}

/* One at a time: the fronts share the socket, and a handshake costs far more than a wake-up. */
static void
on_acceptable(evutil_socket_t listen_fd, short what, void *arg)
{
	struct sockaddr_storage ss = { 0 };
	socklen_t ss_n = sizeof ss;
	struct us_front *f = arg;
	char peer[64];
	int fd, one = 1;

	(void)what;
	fd = accept4(listen_fd, (struct sockaddr *)&ss, &ss_n, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd < 0) {
		if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS) {
			us_log(US_LOG_WARNING, "cannot accept a connection: %s", strerror(errno));
			if (!us_conn_make_room(f))
				(void)event_del(f->listen_event); /* the tick tries again */
		}
		return;
	}
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	(void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof one);
	peer_text(&ss, peer, sizeof peer);
	(void)us_conn_new(f, fd, us_share_at_address(f->shares, (struct sockaddr *)&ss), peer);
}

static void
on_tick(evutil_socket_t fd, short what, void *arg)
{
	struct timespec ts;

	(void)fd;
	(void)what;
	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	us_front_tick(arg, ts.tv_sec);
}

void
us_front_tick(struct us_front *f, int64_t now)
{
	f->now = now;
	us_answer_date((int64_t)time(NULL), f->date);
	for (uint32_t i = 0; i < f->connections_max; i++)
		if (f->slots[i] != NULL)
			us_conn_tick(f->slots[i]);
	us_conn_reap(f);
	us_relay_handshakes(f);
	us_relay_shares(f);
	for (unsigned i = 0; i < f->intake_n; i++)
		if (f->intakes[i] == NULL && f->now - f->intake_lost[i] >= US_INTAKE_SECONDS)
			us_front_fail(f, "an intake has not come back");
	if (f->listen_event != NULL && !event_pending(f->listen_event, EV_READ, NULL))
		(void)event_add(f->listen_event, NULL);
}

/* --- the front ------------------------------------------------------------------------- */

struct us_front *
us_front_new(struct event_base *base, uint32_t connections_max)
{
	struct us_front *f = calloc(1, sizeof *f);
	struct timespec ts;

	if (f == NULL)
		return NULL;
	f->base = base;
	f->listen_fd = f->keeper_fd = -1;
	f->connections_max = connections_max;
	f->slots = calloc(connections_max, sizeof *f->slots);
	f->generations = calloc(connections_max, sizeof *f->generations);
	f->free_slots = calloc(connections_max, sizeof *f->free_slots);
	if (f->slots == NULL || f->generations == NULL || f->free_slots == NULL ||
	    us_shares_new(&f->shares, US_HOLDERS, US_HOLDERS) != US_OK ||
	    us_conn_turns_new(f) != US_OK) {
		us_front_free(f);
		return NULL;
	}
	us_shares_limit(f->shares, US_SHARE_connections, connections_max);
	while (f->free_n < connections_max) {
		f->free_slots[f->free_n] = connections_max - 1 - f->free_n;
		f->free_n++;
	}
	us_buf_init(&f->arena, US_REQUEST_ARENA);
	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	f->now = ts.tv_sec;
	f->last_handshakes = f->now - US_HANDSHAKES_SECONDS;
	us_answer_date((int64_t)time(NULL), f->date);
	return f;
}

void
us_front_free(struct us_front *f)
{
	struct us_route *route;

	if (f == NULL)
		return;
	for (uint32_t i = 0; f->slots != NULL && i < f->connections_max; i++)
		if (f->slots[i] != NULL)
			us_conn_drop(f->slots[i]);
	us_conn_reap(f);
	while ((route = f->routes) != NULL) {
		f->routes = route->next;
		free(route);
	}
	if (f->listen_event != NULL)
		event_free(f->listen_event);
	if (f->tick_event != NULL)
		event_free(f->tick_event);
	if (f->turns_event != NULL)
		event_free(f->turns_event);
	us_channel_free(f->vault);
	for (unsigned i = 0; i < f->intake_n; i++)
		us_channel_free(f->intakes[i]);
	us_tls_free(f->tls);
	if (f->listen_fd >= 0)
		(void)close(f->listen_fd);
	if (f->keeper_fd >= 0)
		(void)close(f->keeper_fd);
	us_buf_free(&f->arena);
	us_shares_free(f->shares);
	free(f->slots);
	free(f->generations);
	free(f->free_slots);
	free(f);
}

void
us_front_fail(struct us_front *f, const char *why)
{
	if (f->failed)
		return;
	f->failed = 1;
	us_log(US_LOG_ERROR, "%s: stopping", why);
	us_relay_last_words(f);
	(void)event_base_loopbreak(f->base);
}

struct us_route *
us_front_route_get(struct us_front *f)
{
	struct us_route *route = f->routes;

	if (route == NULL)
		return calloc(1, sizeof *route);
	f->routes = route->next;
	route->target.text_n = 0;
	route->purpose.n = 0;
	return route;
}

void
us_front_route_put(struct us_front *f, struct us_route *route)
{
	/* the text of the target may name evidence, the purpose is work product */
	us_wipe(route->target.text, route->target.text_n);
	us_wipe(route->purpose_text, route->purpose.n);
	route->next = f->routes;
	f->routes = route;
}

int
us_front_listen(struct us_front *f, int fd)
{
	f->listen_fd = fd;
	(void)evutil_make_socket_nonblocking(fd);
	f->listen_event = event_new(f->base, fd, EV_READ | EV_PERSIST, on_acceptable, f);
	return f->listen_event == NULL ? US_ERR_NOMEM : US_OK;
}

int
us_front_set_vault(struct us_front *f, int fd)
{
	if (f->vault != NULL) {
		(void)close(fd);
		return US_ERR_STATE; /* a vault is not replaced under a running front */
	}
	f->vault = us_channel_new(f->base, fd, US_ROLE_FRONT, US_ROLE_VAULT, 0,
	    &us_relay_vault_handler, f);
	if (f->vault == NULL)
		(void)close(fd);
	return f->vault == NULL ? US_ERR_NOMEM : US_OK;
}

int
us_front_set_intake(struct us_front *f, uint8_t index, int fd)
{
	struct us_channel *ch = us_channel_new(f->base, fd, US_ROLE_FRONT, US_ROLE_INTAKE, index,
	    &us_relay_intake_handler, f);
	struct us_channel *old = f->intakes[index];

	if (ch == NULL) {
		(void)close(fd);
		return US_ERR_NOMEM;
	}
	if (old != NULL) {
		us_relay_intake_handler.on_close(f, old, US_ERR_CLOSED);
		us_channel_free(old);
	}
	f->intakes[index] = ch;
	if (index >= f->intake_n)
		f->intake_n = index + 1u;
	return US_OK;
}

int
us_front_set_keeper(struct us_front *f, int fd)
{
	if (f->keeper_fd >= 0) {
		(void)close(fd);
		return US_ERR_STATE;
	}
	f->keeper_fd = fd;
	return US_OK;
}

int
us_front_start(struct us_front *f)
{
	const struct timeval second = { 1, 0 };
	int err;

	if (f->vault == NULL || f->keeper_fd < 0 || f->listen_event == NULL)
		return US_ERR_STATE;
	err = us_tls_new(f->keeper_fd, &f->tls);
	if (err != US_OK) {
		us_log_err(err, "cannot get the server's identity from the keeper");
		return err;
	}
	f->tick_event = event_new(f->base, -1, EV_PERSIST, on_tick, f);
	if (f->tick_event == NULL || event_add(f->tick_event, &second) != 0 ||
	    event_add(f->listen_event, NULL) != 0)
		return US_ERR_NOMEM;
	return US_OK;
}

/* --- the process ----------------------------------------------------------------------- */

struct us_front_process {
	struct us_front *front;
	struct us_channel *control; /* to the monitor */
};

static int
on_settings(void *ctx, struct event_base *base, uint8_t index, const struct us_settings *settings)
{
	struct us_front_process *p = ctx;
	int64_t n = us_setting_number(settings, "connections", US_CONNECTIONS_DEFAULT);

	(void)index;
	if (p->front != NULL)
		return US_ERR_STATE;
	/* OpenSSL takes and gives back a buffer of 16 KiB a request: keep some of the heap's top */
	(void)mallopt(M_TRIM_THRESHOLD, 8 * 1024 * 1024);
	p->front = us_front_new(base, (uint32_t)n);
	if (p->front == NULL)
		return US_ERR_NOMEM;
	us_shares_set(p->front->shares, settings);
	us_shares_limit(p->front->shares, US_SHARE_connections, (uint64_t)n);
	p->front->control = p->control;
	return US_OK;
}

static int
on_channel(void *ctx, enum us_role peer, uint8_t index, int fd)
{
	struct us_front *f = ((struct us_front_process *)ctx)->front;

	if (f != NULL && peer == US_ROLE_VAULT)
		return us_front_set_vault(f, fd);
	if (f != NULL && peer == US_ROLE_KEEPER)
		return us_front_set_keeper(f, fd);
	if (f != NULL && peer == US_ROLE_INTAKE)
		return us_front_set_intake(f, index, fd);
	(void)close(fd);
	return US_ERR_STATE;
}

static int
on_listen(void *ctx, int fd)
{
	struct us_front *f = ((struct us_front_process *)ctx)->front;

	if (f == NULL || f->listen_fd >= 0) {
		(void)close(fd);
		return US_ERR_STATE;
	}
	return us_front_listen(f, fd);
}

static int
on_start(void *ctx)
{
	struct us_front *f = ((struct us_front_process *)ctx)->front;

	return f == NULL ? US_ERR_STATE : us_front_start(f);
}

static void
on_stop(void *ctx)
{
	struct us_front *f = ((struct us_front_process *)ctx)->front;

	if (f != NULL)
		us_relay_last_words(f);
}

static void
on_control(void *ctx, struct us_channel *control)
{
	struct us_front_process *p = ctx;

	p->control = control;
	if (p->front != NULL)
		p->front->control = control;
}

int
us_front_main(void)
{
	struct us_front_process p = { NULL, NULL };
	int status;
	const struct us_role_process process = {
		.role = US_ROLE_FRONT,
		.on_settings = on_settings,
		.on_channel = on_channel,
		.on_listen = on_listen,
		.on_start = on_start,
		.on_stop = on_stop,
		.on_control = on_control,
		.ctx = &p,
	};

	status = us_role_run(&process);
	return p.front != NULL && p.front->failed ? 1 : status;
}
