#include "daemon/monitor/monitor.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/err.h"
#include "base/log.h"
#include "base/time.h"
#include "daemon/monitor/internal.h"
#include "daemon/process/listen.h"
#include "daemon/process/settings.h"

#define SETTINGS_BYTES_MAX 32768
#define END_GRACE_MS 3000
#define UNCOUNTED_MAX 8000u /* of all fronts, once each */

/* --- settings -------------------------------------------------------------------------- */

/* Fatal, with file and line, unless it is a comment, an empty line or a setting that there is. */
static void
check_line(const char *path, unsigned number, const char *line)
{
	char name[64], why[US_SETTING_WHY];
	const char *equals = strchr(line, '=');

	if (*line == '#' || line[strspn(line, " \t\r")] == '\0')
		return;
	if (equals == NULL)
		us_fatal("%s:%u: this is neither NAME=VALUE nor a comment (# ...)", path, number);
	(void)snprintf(name, sizeof name, "%.*s", (int)(equals - line < 63 ? equals - line : 63),
	    line);
	if (us_setting_check(name, equals + 1, why) != US_OK)
		us_fatal("%s:%u: %s (docs/OPERATING.md, \"Settings\")", path, number, why);
}

static void
append_file(struct us_buf *text, const char *path)
{
	FILE *f = fopen(path, "re");
	char *line = NULL;
	size_t room = 0;
	ssize_t n;

	if (f == NULL)
		us_fatal("cannot read %s: %s", path, strerror(errno));
	for (unsigned number = 1; (n = getline(&line, &room, f)) > 0; number++) {
		if (line[n - 1] == '\n')
			line[--n] = '\0';
		check_line(path, number, line);
		if (us_buf_put(text, line, (size_t)n) != US_OK ||
		    us_buf_put_u8(text, '\n') != US_OK)
			us_fatal("%s is too large", path);
	}
	free(line);
	(void)fclose(f);
}

static void
read_settings(struct us_monitor *m, const struct us_monitor_options *options)
{
	char path[4096];

	us_buf_init(&m->text, SETTINGS_BYTES_MAX);
	(void)snprintf(path, sizeof path, "%s/undersealed.conf", options->data);
	append_file(&m->text, path);
	if (options->config != NULL)
		append_file(&m->text, options->config);
	if (options->frozen && us_buf_putf(&m->text, "frozen=1\n") != US_OK)
		us_fatal("the settings are too large");
	m->settings = us_settings_parse((const char *)m->text.data, m->text.len);
	if (m->settings == NULL)
		us_fatal("out of memory");
	us_users_choose(m);
}

/* --- starting -------------------------------------------------------------------------- */

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
			us_child_carry(m, c);
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
			us_children_start(m);
			return;
		}
		us_log(US_LOG_ERROR, "%s %s: ending the daemon", us_role_name(c->role), how);
		/* a disk that failed is not cured by starting again: whoever starts us must be able
		 * to tell */
		end_daemon(m,
		    WIFEXITED(status) && WEXITSTATUS(status) == US_EXIT_IO ? US_EXIT_IO : 1);
		return;
	}
	wait_ms = us_backoff_ended(&c->backoff, us_time_mono_ns() / US_MONITOR_NS_PER_MS);
	if (wait_ms == 0)
		us_log(US_LOG_ERROR, "%s %u %s: starting it anew", us_role_name(c->role), c->index,
		    how);
	else
		us_log(US_LOG_ERROR, "%s %u %s: starting it anew in %lld ms", us_role_name(c->role),
		    c->index, how, (long long)wait_ms);
	tell_keeper(m, c, status);
	if (wait_ms == 0)
		us_child_start(m, c);
	else
		us_child_start_after(c, wait_ms);
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
	struct us_monitor m = { .data = options->data };
	struct event *events[3];
	int64_t cores = sysconf(_SC_NPROCESSORS_ONLN), fronts;

	us_log_init("monitor", US_LOG_INFO);
	(void)umask(077);
	(void)signal(SIGPIPE, SIG_IGN);
	lock_directory(options->data);
	read_settings(&m, options);
	us_buf_init(&m.uncounted, UNCOUNTED_MAX);
	cores = cores < 1 ? 1 : cores > US_PER_ROLE_MAX ? US_PER_ROLE_MAX : cores;
	fronts = us_setting_number(m.settings, "fronts", cores);
	us_listen_check(us_setting(m.settings, "listen", "127.0.0.1:8443"),
	    "is another daemon running there? set listen= to another port");
	for (int64_t i = 0; i < fronts; i++)
		m.listen_fd[i] = us_listen_socket(
		    us_setting(m.settings, "listen", "127.0.0.1:8443"));
	add_children(&m, US_ROLE_KEEPER, 1);
	add_children(&m, US_ROLE_VAULT, 1);
	add_children(&m, US_ROLE_SEALER, 1);
	add_children(&m, US_ROLE_INTAKE, us_setting_number(m.settings, "intakes", cores));
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
	us_children_start(&m);
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
