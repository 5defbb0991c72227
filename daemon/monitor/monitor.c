#include "daemon/monitor/monitor.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/array.h"
#include "base/err.h"
#include "base/log.h"
#include "base/time.h"
#include "daemon/monitor/internal.h"

#define SETTINGS_BYTES_MAX 32768
#define END_GRACE_MS 3000
#define NS_PER_MS INT64_C(1000000)
#define UNCOUNTED_MAX 8000u /* of all fronts, once each */

struct us_monitor {
	const struct us_monitor_options *options;
	struct us_settings *settings;
	struct us_buf text; /* the settings, as sent to the roles */
	struct event_base *base;
	struct us_child child[US_CHILDREN_MAX];
	size_t children;
	int listen_fd[US_PER_ROLE_MAX];
	int shared_user;
	/* what fronts counted and could tell nobody: for the next keeper */
	struct us_buf uncounted;
	int ending; /* roles are being ended; deaths are expected */
	int announced;
	int status;
};

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

/* --- settings -------------------------------------------------------------------------- */

static void
append_file(struct us_buf *text, const char *path, int required)
{
	FILE *f = fopen(path, "re");
	char line[1024];

	if (f == NULL) {
		if (required)
			us_fatal("cannot read %s: %s", path, strerror(errno));
		return;
	}
	while (fgets(line, sizeof line, f) != NULL)
		if (us_buf_put(text, line, strlen(line)) != US_OK)
			us_fatal("%s is too large", path);
	(void)fclose(f);
	(void)us_buf_put(text, "\n", 1);
}

static void
read_settings(struct us_monitor *m)
{
	char path[4096];

	us_buf_init(&m->text, SETTINGS_BYTES_MAX);
	(void)snprintf(path, sizeof path, "%s/undersealed.conf", m->options->data);
	append_file(&m->text, path, 1);
	if (m->options->config != NULL)
		append_file(&m->text, m->options->config, 1);
	if (m->options->frozen && us_buf_put(&m->text, "frozen=1\n", 9) != US_OK)
		us_fatal("the settings are too large");
	m->settings = us_settings_parse((const char *)m->text.data, m->text.len);
	if (m->settings == NULL)
		us_fatal("out of memory");
	m->shared_user = geteuid() != 0 ||
	    strcmp(us_setting(m->settings, "users", "own"), "shared") == 0;
	if (m->shared_user)
		us_log(US_LOG_WARNING,
		    "all roles share one user%s: a role that is broken into can "
		    "reach the others' files",
		    geteuid() == 0 ? " (users=shared)" :
				     ", since the daemon was not started as root");
	else
		us_users_check();
}

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

	if (!m->shared_user)
		how.user = us_role_user(c->role);
	if (c->role == US_ROLE_KEEPER || c->role == US_ROLE_VAULT) {
		(void)snprintf(directory, sizeof directory, "%s/%s", m->options->data,
		    us_role_name(c->role));
		how.directory = directory;
	}
	us_backoff_started(&c->backoff, us_time_mono_ns() / NS_PER_MS);
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

static void
carry(struct us_monitor *m, struct us_child *keeper)
{
	const struct us_msg_carried carried = { .counts = { m->uncounted.data, m->uncounted.len } };

	if (m->uncounted.len == 0 || keeper->pid == 0 || keeper->control == NULL)
		return;
	if (us_send_carried(keeper->control, 0, &carried) == US_OK)
		us_buf_reset(&m->uncounted);
	us_channel_flush(keeper->control);
}

static void
configure_child(struct us_monitor *m, struct us_child *c)
{
	const struct us_msg_config config = { .index = c->index,
		.settings = { m->text.data, m->text.len } };
	const struct us_msg_listen listen = { 0 };

	told(c, us_send_config(c->control, 0, &config));
	if (c->role == US_ROLE_KEEPER)
		carry(m, c);
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

static void start_child(struct us_monitor *m, struct us_child *c);

static void
on_again(evutil_socket_t fd, short what, void *arg)
{
	struct us_child *c = arg;

	(void)fd;
	(void)what;
	if (c->pid == 0 && !c->monitor->ending)
		start_child(c->monitor, c);
}

static void
start_after(struct us_child *c, int64_t ms)
{
	const struct timeval wait = { (time_t)(ms / 1000), (suseconds_t)(ms % 1000 * 1000) };

	if (c->again == NULL)
		c->again = evtimer_new(c->monitor->base, on_again, c);
	if (c->again == NULL || event_add(c->again, &wait) != 0)
		us_fatal("out of memory");
}

static void
start_child(struct us_monitor *m, struct us_child *c)
{
	if (!spawn_child(m, c)) {
		(void)us_backoff_ended(&c->backoff, us_time_mono_ns() / NS_PER_MS);
		start_after(c, US_BACKOFF_MOST_MS);
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

/* The more trusted first: a role may talk to them as soon as it starts. */
static void
start_all(struct us_monitor *m)
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

static void
add_children(struct us_monitor *m, enum us_role role, int64_t count)
{
	for (int64_t i = 0; i < count && m->children < US_CHILDREN_MAX; i++)
		m->child[m->children++] = (struct us_child){ .monitor = m,
			.role = role,
			.index = (uint8_t)i };
}

/* --- ending ---------------------------------------------------------------------------- */

/*
 * The vault goes first: answers under way are cut by it, and what they come to is not taken for
 * clients that went away because a front was quicker. The keeper goes last: what the others still
 * say reaches it.
 */
enum us_monitor_stage { VAULT, OTHERS, KEEPER, STAGES };

static enum us_monitor_stage
stage_of(enum us_role role)
{
	return role == US_ROLE_VAULT ? VAULT : role == US_ROLE_KEEPER ? KEEPER : OTHERS;
}

static size_t
running(const struct us_monitor *m, enum us_monitor_stage stage)
{
	size_t n = 0;

	for (size_t i = 0; i < m->children; i++)
		n += m->child[i].pid != 0 && stage_of(m->child[i].role) == stage;
	return n;
}

static void
ask_to_end(struct us_monitor *m, enum us_monitor_stage stage, int signal_number)
{
	for (size_t i = m->children; i > 0; i--) {
		struct us_child *c = &m->child[i - 1];

		if (c->pid == 0 || stage_of(c->role) != stage)
			continue;
		if (stage == KEEPER && signal_number == SIGTERM)
			carry(m, c);
		(void)kill(c->pid, signal_number);
	}
}

/* One that has ended: its last words are in the channel. */
static void
reap(struct us_monitor *m, pid_t pid)
{
	for (size_t i = 0; i < m->children; i++) {
		if (m->child[i].pid != pid)
			continue;
		m->child[i].pid = 0;
		if (m->child[i].control != NULL)
			us_channel_drain(m->child[i].control);
	}
}

/* Ends every role: asks, waits a little, then insists. */
static void
end_all(struct us_monitor *m)
{
	const struct timespec tick = { 0, 10 * 1000 * 1000 };
	int status;
	pid_t pid;

	m->ending = 1;
	for (enum us_monitor_stage stage = VAULT; stage < STAGES; stage++) {
		int waited = 0;

		ask_to_end(m, stage, SIGTERM);
		while (running(m, stage) > 0) {
			pid = waitpid(-1, &status, WNOHANG);
			if (pid > 0) {
				reap(m, pid);
				continue;
			}
			(void)nanosleep(&tick, NULL);
			waited += 10;
			if (waited > END_GRACE_MS)
				ask_to_end(m, stage, SIGKILL);
		}
	}
	for (size_t i = 0; i < m->children; i++) {
		us_channel_free(m->child[i].control);
		m->child[i].control = NULL;
		if (m->child[i].again != NULL)
			(void)event_del(m->child[i].again);
	}
	m->ending = 0;
}

static void
end_daemon(struct us_monitor *m, int status)
{
	us_notify_manager("STOPPING=1");
	end_all(m);
	m->status = status;
	(void)event_base_loopbreak(m->base);
}

static void
describe(char *out, size_t n, int status)
{
	if (WIFSIGNALED(status))
		(void)snprintf(out, n, "was ended by signal %d", WTERMSIG(status));
	else
		(void)snprintf(out, n, "ended with status %d", WEXITSTATUS(status));
}

/* For the log. */
static void
tell_keeper(struct us_monitor *m, const struct us_child *c, int status)
{
	const struct us_msg_died died = { .role = (uint8_t)c->role,
		.index = c->index,
		.by_signal = WIFSIGNALED(status) != 0,
		.status = (uint8_t)(WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status)) };

	for (size_t i = 0; i < m->children; i++) {
		if (m->child[i].role == US_ROLE_KEEPER && m->child[i].control != NULL &&
		    us_send_died(m->child[i].control, 0, &died) != US_OK)
			us_log(US_LOG_WARNING, "the log will not say that %s %u died",
			    us_role_name(c->role), c->index);
	}
}

static void
on_death(struct us_monitor *m, struct us_child *c, int status)
{
	char how[64];
	int64_t wait_ms;

	if (c->control != NULL)
		us_channel_drain(c->control); /* its last words */
	us_channel_free(c->control);
	c->control = NULL;
	c->pid = 0;
	describe(how, sizeof how, status);
	if (c->role == US_ROLE_KEEPER || c->role == US_ROLE_VAULT) {
		if (WIFEXITED(status) && WEXITSTATUS(status) == US_EXIT_SEALED) {
			const struct timespec grace = { 0, 200 * 1000 * 1000 };

			us_log(US_LOG_NOTICE, "sealed: every role starts in a fresh address space");
			(void)nanosleep(&grace, NULL); /* the last answers leave */
			end_all(m);
			start_all(m);
			return;
		}
		us_log(US_LOG_ERROR, "%s %s: ending the daemon", us_role_name(c->role), how);
		/* a disk that failed is not cured by starting again: whoever starts us must be able
		 * to tell */
		end_daemon(m,
		    WIFEXITED(status) && WEXITSTATUS(status) == US_EXIT_IO ? US_EXIT_IO : 1);
		return;
	}
	wait_ms = us_backoff_ended(&c->backoff, us_time_mono_ns() / NS_PER_MS);
	if (wait_ms == 0)
		us_log(US_LOG_ERROR, "%s %u %s: starting it anew", us_role_name(c->role), c->index,
		    how);
	else
		us_log(US_LOG_ERROR, "%s %u %s: starting it anew in %lld ms", us_role_name(c->role),
		    c->index, how, (long long)wait_ms);
	tell_keeper(m, c, status);
	if (wait_ms == 0)
		start_child(m, c);
	else
		start_after(c, wait_ms);
}

static void
on_sigchld(evutil_socket_t fd, short what, void *arg)
{
	struct us_monitor *m = arg;
	int status;
	pid_t pid;

	(void)fd;
	(void)what;
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		for (size_t i = 0; i < m->children; i++)
			if (m->child[i].pid == pid) {
				on_death(m, &m->child[i], status);
				break;
			}
	}
}

static void
on_sigterm(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	us_log(US_LOG_NOTICE, "asked to end");
	end_daemon(arg, 0);
}

/* --- the whole ------------------------------------------------------------------------- */

/* Held until the process ends; a second daemon on the directory stops here. */
static void
lock_directory(const char *data)
{
	char path[4096];
	int fd;

	(void)snprintf(path, sizeof path, "%s/lock", data);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		us_fatal("cannot open %s: %s (is %s a vault made by 'undersealed init'?)", path,
		    strerror(errno), data);
	if (flock(fd, LOCK_EX | LOCK_NB) != 0)
		us_fatal("another undersealed is running on %s: end it first", data);
}

int
us_monitor_main(const struct us_monitor_options *options)
{
	struct us_monitor m = { .options = options };
	struct event *events[3];
	int64_t cores = sysconf(_SC_NPROCESSORS_ONLN), fronts;

	us_log_init("monitor", US_LOG_INFO);
	(void)umask(077);
	(void)signal(SIGPIPE, SIG_IGN);
	lock_directory(options->data);
	read_settings(&m);
	us_buf_init(&m.uncounted, UNCOUNTED_MAX);
	cores = cores < 1 ? 1 : cores > US_PER_ROLE_MAX ? US_PER_ROLE_MAX : cores;
	fronts = us_setting_number(m.settings, "fronts", cores, 1, US_PER_ROLE_MAX);
	us_listen_check(us_setting(m.settings, "listen", "127.0.0.1:8443"));
	for (int64_t i = 0; i < fronts; i++)
		m.listen_fd[i] = us_listen_socket(
		    us_setting(m.settings, "listen", "127.0.0.1:8443"));
	add_children(&m, US_ROLE_KEEPER, 1);
	add_children(&m, US_ROLE_VAULT, 1);
	add_children(&m, US_ROLE_SEALER, 1);
	add_children(&m, US_ROLE_INTAKE,
	    us_setting_number(m.settings, "intakes", cores, 1, US_PER_ROLE_MAX));
	add_children(&m, US_ROLE_FRONT, fronts);
	m.base = event_base_new();
	if (m.base == NULL)
		us_fatal("cannot make an event loop");
	events[0] = evsignal_new(m.base, SIGCHLD, on_sigchld, &m);
	events[1] = evsignal_new(m.base, SIGTERM, on_sigterm, &m);
	events[2] = evsignal_new(m.base, SIGINT, on_sigterm, &m);
	for (size_t i = 0; i < 3; i++)
		if (events[i] == NULL || event_add(events[i], NULL) != 0)
			us_fatal("cannot watch signals");
	start_all(&m);
	(void)event_base_dispatch(m.base);
	for (size_t i = 0; i < 3; i++)
		event_free(events[i]);
	for (size_t i = 0; i < m.children; i++)
		if (m.child[i].again != NULL)
			event_free(m.child[i].again);
	us_settings_free(m.settings);
	us_buf_free(&m.text);
	us_buf_free(&m.uncounted);
	event_base_free(m.base);
	return m.status;
}
