#include "daemon/process/role.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/err.h"
#include "base/log.h"
#include "daemon/process/settings.h"

#define STOP_TRY_MS 10
#define STOP_TRIES 100

struct us_role_run {
	const struct us_role_process *process;
	struct event_base *base;
	struct us_channel *control;
	struct us_settings *settings;
	struct event *stop_timer;
	int stopping; /* how often the process was asked */
	int status;
};

static void
stop(struct us_role_run *run, int status)
{
	run->status = status;
	if (run->process->on_stop != NULL)
		run->process->on_stop(run->process->ctx);
	(void)event_base_loopbreak(run->base);
}

/* An orderly end, as soon as the process may. */
static void
try_stop(evutil_socket_t fd, short what, void *arg)
{
	static const struct timeval soon = { 0, STOP_TRY_MS * 1000 };
	struct us_role_run *run = arg;

	(void)fd;
	(void)what;
	if (run->control != NULL)
		us_channel_drain(run->control);
	if (run->process->may_stop != NULL && run->stopping++ < STOP_TRIES &&
	    !run->process->may_stop(run->process->ctx) && event_add(run->stop_timer, &soon) == 0)
		return;
	stop(run, 0);
}

static int
take_settings(struct us_role_run *run, struct us_bytes body)
{
	struct us_msg_config m;
	int err = us_msg_config_decode(&m, body.p, body.n);

	if (err != US_OK)
		return err;
	us_settings_free(run->settings);
	run->settings = us_settings_parse((const char *)m.settings.p, m.settings.n);
	if (run->settings == NULL)
		return US_ERR_NOMEM;
	return run->process->on_settings == NULL ?
	    US_OK :
	    run->process->on_settings(run->process->ctx, run->base, m.index, run->settings);
}

static int
take_channel(struct us_role_run *run, struct us_bytes body, int fd)
{
	struct us_msg_channel m;
	int err = us_msg_channel_decode(&m, body.p, body.n);

	if (err != US_OK || fd < 0 || run->process->on_channel == NULL) {
		if (fd >= 0)
			(void)close(fd);
		return err != US_OK ? err : US_ERR_MALFORMED;
	}
	return run->process->on_channel(run->process->ctx, (enum us_role)m.role, m.index, fd);
}

static int
on_control(void *ctx, struct us_channel *ch, uint16_t type, uint32_t tag, struct us_bytes body,
    int fd)
{
	struct us_msg_ready ready = { 0 };
	struct us_role_run *run = ctx;
	int err = US_OK;

	(void)tag;
	switch (type) {
	case US_MSG_config:
		err = take_settings(run, body);
		break;
	case US_MSG_channel:
		err = take_channel(run, body, fd);
		break;
	case US_MSG_listen:
		err = fd < 0 || run->process->on_listen == NULL ?
		    US_ERR_MALFORMED :
		    run->process->on_listen(run->process->ctx, fd);
		break;
	case US_MSG_start:
		err = run->process->on_start == NULL ? US_OK :
						       run->process->on_start(run->process->ctx);
		if (err == US_OK)
			err = us_send_ready(ch, 0, &ready);
		break;
	default:
		err = run->process->on_told == NULL ?
		    US_ERR_MALFORMED :
		    run->process->on_told(run->process->ctx, type, body);
		break;
	}
	if (err == US_OK || us_err_blame(err) == US_BLAME_PEER)
		return err;
	us_log_err(err, "cannot do what the monitor wants (\"%s\"): stopping", us_msg_name(type));
	stop(run, 1);
	return US_OK;
}

static void
on_control_close(void *ctx, struct us_channel *ch, int err)
{
	struct us_role_run *run = ctx;

	(void)ch;
	(void)err;
	run->control = NULL;
	if (run->process->on_control != NULL)
		run->process->on_control(run->process->ctx, NULL);
	try_stop(-1, 0, run);
}

/* What every role gives up before it reads its first byte. */
static void
drop_rights(void)
{
	const struct rlimit none = { 0, 0 };

	(void)umask(077);
	(void)setrlimit(RLIMIT_CORE, &none);
	(void)prctl(PR_SET_DUMPABLE, 0);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		us_fatal("cannot give up gaining rights (PR_SET_NO_NEW_PRIVS)");
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)signal(SIGPIPE, SIG_IGN);
	(void)signal(SIGINT, SIG_IGN); /* a terminal's ^C goes to the monitor, which ends us */
}

int
us_role_run(const struct us_role_process *process)
{
	static const struct us_channel_handler handler = { .on_message = on_control,
		.on_close = on_control_close };
	struct us_role_run run = { .process = process };
	struct event_config *config;
	struct event *term;

	us_log_init(us_role_name(process->role), US_LOG_INFO);
	drop_rights();
	config = event_config_new();
	if (config == NULL || event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK) != 0 ||
	    (run.base = event_base_new_with_config(config)) == NULL)
		us_fatal("cannot make an event loop");
	event_config_free(config);
	run.control = us_channel_new(run.base, US_CONTROL_FD, process->role, US_ROLE_MONITOR, 0,
	    &handler, &run);
	term = evsignal_new(run.base, SIGTERM, try_stop, &run);
	run.stop_timer = evtimer_new(run.base, try_stop, &run);
	if (run.control == NULL || term == NULL || run.stop_timer == NULL ||
	    event_add(term, NULL) != 0)
		us_fatal("cannot start: is descriptor %d the monitor's?", US_CONTROL_FD);
	if (process->on_control != NULL)
		process->on_control(process->ctx, run.control);
	(void)event_base_dispatch(run.base);
	event_free(term);
	event_free(run.stop_timer);
	us_settings_free(run.settings);
	return run.status;
}
