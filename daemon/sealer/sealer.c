#include "daemon/sealer/sealer.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>

#include "crypto/crypto.h"
#include "base/err.h"
#include "base/log.h"
#include "daemon/process/role.h"
#include "daemon/sealer/internal.h"

#define LOST_SECONDS 1

static const struct us_channel_handler handler;

static void
on_step(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	us_sealer_step(arg);
}

static int
on_settings(void *ctx, struct event_base *base, uint8_t index, const struct us_settings *settings)
{
	struct us_sealer *s = ctx;

	(void)index;
	(void)settings;
	s->base = base;
	if (s->step == NULL)
		s->step = event_new(base, -1, 0, on_step, s);
	return s->step == NULL ? US_ERR_NOMEM : US_OK;
}

static int
on_channel(void *ctx, enum us_role peer, uint8_t index, int fd)
{
	struct us_sealer *s = ctx;
	struct us_channel *ch;

	if (peer != US_ROLE_INTAKE && peer != US_ROLE_VAULT && peer != US_ROLE_KEEPER) {
		(void)close(fd);
		return US_ERR_MALFORMED;
	}
	ch = us_channel_new(s->base, fd, US_ROLE_SEALER, peer, index, &handler, s);
	if (ch == NULL) {
		(void)close(fd);
		return US_ERR_NOMEM;
	}
	if (peer == US_ROLE_INTAKE)
		s->intake[index] = ch;
	else if (peer == US_ROLE_VAULT)
		s->vault = ch;
	else
		s->keeper = ch;
	return US_OK;
}

static int
from_vault(struct us_sealer *s, uint16_t type, uint32_t tag, struct us_bytes body)
{
	struct us_msg_pages_credit credit;
	int err;

	switch (type) {
	case US_MSG_load_start:
		return us_sealer_on_load_start(s, tag, body);
	case US_MSG_load_end:
		return us_sealer_on_load_end(s, tag, body);
	case US_MSG_known_reply:
		return us_sealer_on_known(s, tag, body);
	case US_MSG_batch_stored:
		return us_sealer_on_batch_stored(s, body);
	case US_MSG_pages_credit:
		err = us_msg_pages_credit_decode(&credit, body.p, body.n);
		if (err != US_OK)
			return err;
		us_sealer_pages_credit(s, credit.bytes);
		us_sealer_step(s);
		return US_OK;
	default:
		return US_ERR_MALFORMED;
	}
}

static int
from_keeper(struct us_sealer *s, uint16_t type, uint32_t tag, struct us_bytes body)
{
	switch (type) {
	case US_MSG_load_keys:
		return us_sealer_on_load_keys(s, body);
	case US_MSG_batch_keys:
		return us_sealer_on_batch_keys(s, body);
	case US_MSG_batch_sealed_ok:
		return us_sealer_on_batch_sealed_ok(s, body);
	case US_MSG_dictionary_key:
		return us_sealer_on_dictionary_key(s, body);
	case US_MSG_load_stop:
		return us_sealer_on_load_stop(s, tag, body);
	default:
		return US_ERR_MALFORMED;
	}
}

static int
on_message(void *ctx, struct us_channel *ch, uint16_t type, uint32_t tag, struct us_bytes body,
    int fd)
{
	struct us_sealer *s = ctx;

	(void)fd;
	if (us_channel_peer(ch) == US_ROLE_VAULT)
		return from_vault(s, type, tag, body);
	if (us_channel_peer(ch) == US_ROLE_KEEPER)
		return from_keeper(s, type, tag, body);
	if (type == US_MSG_documents)
		return us_sealer_on_documents(s, ch, tag, body);
	return US_ERR_MALFORMED;
}

/* Without vault or keeper there is nothing to do here, and neither is given to a process that runs:
 * the monitor starts another, unless it is ending all of them, for which it gets the time. */
static void
on_lost(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	us_fatal("a sealer is of no use without vault and keeper. Stopping");
}

static void
forget_intake(struct us_sealer_part *part, const struct us_channel *ch)
{
	for (; part != NULL; part = part->next) {
		if (part->intake == ch)
			part->intake = NULL;
	}
}

/* An intake that dies takes no load with it: what it had handed over goes on, and the client, who
 * got no answer, sends the part again. Without vault or keeper nothing can go on: the process ends,
 * and the monitor starts another, with channels to both, if they are there. */
static void
on_close(void *ctx, struct us_channel *ch, int err)
{
	static const struct timeval a_moment = { LOST_SECONDS, 0 };
	struct us_sealer *s = ctx;

	(void)err;
	if (us_channel_peer(ch) == US_ROLE_INTAKE) {
		for (struct us_sealer_load *l = s->loads; l != NULL; l = l->next) {
			forget_intake(l->current, ch);
			forget_intake(l->queue, ch);
		}
		for (size_t i = 0; i < SEALER_INTAKES_MAX; i++) {
			if (s->intake[i] == ch)
				s->intake[i] = NULL;
		}
		return;
	}
	if (s->vault == ch)
		s->vault = NULL;
	if (s->keeper == ch)
		s->keeper = NULL;
	while (s->loads != NULL)
		us_sealer_load_free(s->loads);
	s->under_way = 0;
	us_sealer_pages_drop_all(s);
	if (event_base_once(s->base, -1, EV_TIMEOUT, on_lost, NULL, &a_moment) != 0)
		on_lost(-1, 0, NULL);
}

static const struct us_channel_handler handler = { .on_message = on_message, .on_close = on_close };

/* Wipes and frees what is held of loads. */
static void
sealer_clear(struct us_sealer *s)
{
	struct us_sealer_collection *c;

	while (s->loads != NULL)
		us_sealer_load_free(s->loads);
	while ((c = s->collections) != NULL) {
		s->collections = c->next;
		free(c);
	}
	us_sealer_pages_drop_all(s);
}

static void
on_stop(void *ctx)
{
	struct us_sealer *s = ctx;

	sealer_clear(s);
	if (s->step != NULL)
		event_free(s->step);
	s->step = NULL;
}

int
us_sealer_main(void)
{
	struct us_sealer *s = calloc(1, sizeof *s);
	struct us_role_process process = { .role = US_ROLE_SEALER,
		.on_settings = on_settings,
		.on_channel = on_channel,
		.on_stop = on_stop,
		.ctx = s };
	int status;

	if (s == NULL)
		us_fatal("no memory");
	if (us_crypto_init() != US_OK)
		us_fatal("cannot set up the sealer");
	status = us_role_run(&process);
	free(s);
	return status;
}
