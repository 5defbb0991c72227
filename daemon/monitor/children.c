/* The processes of the roles: their start, and what connects them. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/array.h"
#include "base/err.h"
#include "base/log.h"
#include "base/time.h"
#include "daemon/monitor/internal.h"
#include "daemon/process/settings.h"

/* Who is connected with whom. */
static const enum us_role pairs[][2] = {
	{ US_ROLE_FRONT, US_ROLE_VAULT },
	{ US_ROLE_FRONT, US_ROLE_KEEPER },
	{ US_ROLE_FRONT, US_ROLE_INTAKE },
	{ US_ROLE_INTAKE, US_ROLE_SEALER },
	{ US_ROLE_SEALER, US_ROLE_VAULT },
	{ US_ROLE_SEALER, US_ROLE_KEEPER },
	{ US_ROLE_VAULT, US_ROLE_KEEPER },
};

/* --- connecting ------------------------------------------------------------------------ */

static int
connected(enum us_role a, enum us_role b)
{
	for (size_t i = 0; i < US_COUNT(pairs); i++)
		if ((pairs[i][0] == a && pairs[i][1] == b) ||
		    (pairs[i][1] == a && pairs[i][0] == b))
			return 1;
	return 0;
}

static int
encode_channel(struct us_buf *b, const void *m)
{
	return us_msg_channel_encode(b, m);
}

static int
encode_listen(struct us_buf *b, const void *m)
{
	return us_msg_listen_encode(b, m);
}

/* err: of telling a role what it needs. Without it the role is of no use, and its end brings
 * another. One that is gone already is known by SIGCHLD. */
static void
told(const struct us_child *c, int err)
{
	if (err == US_OK || err == US_ERR_CLOSED || c->pid == 0)
		return;
	us_log_err(err, "%s %u cannot be told what it needs, ending it", us_role_name(c->role),
	    c->index);
	(void)kill(c->pid, SIGKILL);
}

static int
send_end(struct us_child *to, const struct us_child *peer, int fd)
{
	const struct us_msg_channel m = { .role = (uint8_t)peer->role, .index = peer->index };

	return us_channel_send_fd(to->control, US_MSG_channel, 0, encode_channel, &m, fd);
}

/* a is the one that has just been started. */
static void
connect_pair(struct us_child *a, struct us_child *b)
{
	const int size = 4 * 1024 * 1024;
	int fd[2], err;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd) != 0)
		us_fatal("cannot make a channel: %s", strerror(errno));
	for (int i = 0; i < 2; i++) /* as much as the system allows */
		if (setsockopt(fd[i], SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof size) != 0)
			(void)setsockopt(fd[i], SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
	err = send_end(a, b, fd[0]);
	if (err == US_OK)
		/* BUSY: b stands still, and has been told too much already */
		err = send_end(b, a, fd[1]);
	told(a, err);
	(void)close(fd[0]);
	(void)close(fd[1]);
}

static void
on_control_close(void *ctx, struct us_channel *ch, int err)
{
	struct us_monitor *m = ctx;

	(void)err;
	for (size_t i = 0; i < m->children; i++)
		if (m->child[i].control == ch)
			m->child[i].control = NULL;
}

static int
on_control(void *ctx, struct us_channel *ch, uint16_t type, uint32_t tag, struct us_bytes body,
    int fd)
{
	struct us_monitor *m = ctx;
	size_t ready = 0;

	(void)tag;
	if (fd >= 0)
		(void)close(fd);
	if (type == US_MSG_uncounted) {
		struct us_msg_uncounted counts;
		int err = us_msg_uncounted_decode(&counts, body.p, body.n);

		if (err == US_OK &&
		    us_buf_put(&m->uncounted, counts.counts.p, counts.counts.n) != US_OK)
			us_log(US_LOG_WARNING, "more was refused than can be counted");
		return err;
	}
	if (type != US_MSG_ready)
		return US_ERR_MALFORMED;
	for (size_t i = 0; i < m->children; i++) {
		if (m->child[i].control == ch)
			m->child[i].ready = 1;
		ready += (size_t)m->child[i].ready;
	}
	if (ready == m->children && !m->announced) {
		m->announced = 1;
		us_log(US_LOG_NOTICE, "ready on %s", us_setting(m->settings, "listen", ""));
		us_notify_manager("READY=1");
	}
	return US_OK;
}

static const struct us_channel_handler control_handler = { .on_message = on_control,
	.on_close = on_control_close };

/* --- starting -------------------------------------------------------------------------- */

/* 0: there is no process to be had now. */
static int
spawn_child(struct us_monitor *m, struct us_child *c)
{
	char directory[4096];
	struct us_spawn how = { .directory = "/" };
	pid_t pid;
	int fd;

	how.user = us_users_of(m, c->role);
	if (c->role == US_ROLE_KEEPER || c->role == US_ROLE_VAULT) {
		(void)snprintf(directory, sizeof directory, "%s/%s", m->data,
		    us_role_name(c->role));
		how.directory = directory;
	}
	us_backoff_started(&c->backoff, us_time_mono_ns() / US_MONITOR_NS_PER_MS);
	pid = us_spawn_role(c->role, &how, &fd);
	if (pid < 0)
		return 0;
	c->pid = pid;
	c->ready = 0;
	c->control = us_channel_new(m->base, fd, US_ROLE_MONITOR, c->role, c->index,
	    &control_handler, m);
	if (c->control == NULL)
		us_fatal("out of memory");
	return 1;
}

void
us_child_carry(struct us_monitor *m, struct us_child *keeper)
{
	const struct us_msg_carried carried = { .counts = { m->uncounted.data, m->uncounted.len } };

	if (m->uncounted.len == 0 || keeper->pid == 0 || keeper->control == NULL)
		return;
	if (us_send_carried(keeper->control, 0, &carried) != US_OK)
		return;
	/* one that has ended, or has hung up because it does, has not got them */
	us_channel_flush(keeper->control);
	if (!us_channel_is_gone(keeper->control))
		us_buf_reset(&m->uncounted);
}

static void
configure_child(struct us_monitor *m, struct us_child *c)
{
	const struct us_msg_config config = { .index = c->index,
		.settings = { m->text.data, m->text.len } };
	const struct us_msg_listen listen = { 0 };

	told(c, us_send_config(c->control, 0, &config));
	if (c->role == US_ROLE_KEEPER)
		us_child_carry(m, c);
	if (c->role == US_ROLE_FRONT)
		told(c,
		    us_channel_send_fd(c->control, US_MSG_listen, 0, encode_listen, &listen,
			m->listen_fd[c->index]));
}

static void
release_child(struct us_child *c)
{
	const struct us_msg_start start = { 0 };

	if (c->control != NULL)
		told(c, us_send_start(c->control, 0, &start));
}

static void
on_again(evutil_socket_t fd, short what, void *arg)
{
	struct us_child *c = arg;

	(void)fd;
	(void)what;
	if (c->pid == 0 && !c->monitor->ending)
		us_child_start(c->monitor, c);
}

void
us_child_start_after(struct us_child *c, int64_t ms)
{
	const struct timeval wait = { (time_t)(ms / 1000), (suseconds_t)(ms % 1000 * 1000) };

	if (c->again == NULL)
		c->again = evtimer_new(c->monitor->base, on_again, c);
	if (c->again == NULL || event_add(c->again, &wait) != 0)
		us_fatal("out of memory");
}

void
us_child_start(struct us_monitor *m, struct us_child *c)
{
	if (!spawn_child(m, c)) {
		(void)us_backoff_ended(&c->backoff, us_time_mono_ns() / US_MONITOR_NS_PER_MS);
		us_child_start_after(c, US_BACKOFF_MOST_MS);
		return;
	}
	configure_child(m, c);
	for (size_t i = 0; i < m->children; i++) {
		struct us_child *peer = &m->child[i];

		if (peer != c && peer->pid != 0 && peer->control != NULL &&
		    connected(c->role, peer->role))
			connect_pair(c, peer);
	}
	release_child(c);
}

void
us_children_start(struct us_monitor *m)
{
	for (size_t i = 0; i < m->children; i++) {
		if (!spawn_child(m, &m->child[i]))
			us_fatal("not all roles can be started");
		configure_child(m, &m->child[i]);
	}
	for (size_t i = 0; i < m->children; i++)
		for (size_t j = i + 1; j < m->children; j++)
			if (connected(m->child[i].role, m->child[j].role))
				connect_pair(&m->child[i], &m->child[j]);
	for (size_t i = 0; i < m->children; i++)
		release_child(&m->child[i]);
}
