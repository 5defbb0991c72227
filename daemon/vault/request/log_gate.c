#include "daemon/vault/request/log_gate.h"

#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "base/time.h"
#include "daemon/vault/internal.h"

/* A credential that has anything under way or waiting. Those that wait hang off first, oldest
 * first. */
struct us_vault_log_party {
	struct us_vault_log_party *next;
	uint8_t credential[32];
	size_t under_way, waiting;
	struct us_vault_request *first, *last;
};

/* parties: whose turn it is stands first. turn: pending when somebody may have one. */
struct us_vault_log_gate {
	struct us_vault_log_party *parties;
	size_t under_way, waiting;
	struct event *turn;
};

static int
is_open(const struct us_vault_log_gate *g, const struct us_vault_log_party *p)
{
	return p->under_way < LOG_GATE_OWN &&
	    (g->under_way < LOG_GATE_ALL || (p->under_way == 0 && g->under_way < LOG_GATE_MOST));
}

static struct us_vault_log_party **
place_of(struct us_vault_log_gate *g, const uint8_t credential[32])
{
	struct us_vault_log_party **at = &g->parties;

	while (*at != NULL && memcmp((*at)->credential, credential, 32) != 0)
		at = &(*at)->next;
	return at;
}

static struct us_vault_log_party *
party_of(struct us_vault_log_gate *g, const uint8_t credential[32])
{
	struct us_vault_log_party **at = place_of(g, credential), *p = *at;

	if (p != NULL)
		return p;
	p = calloc(1, sizeof *p);
	if (p == NULL)
		return NULL;
	memcpy(p->credential, credential, 32);
	*at = p;
	return p;
}

static void
drop_if_idle(struct us_vault_log_gate *g, struct us_vault_log_party *p)
{
	if (p->under_way > 0 || p->waiting > 0)
		return;
	*place_of(g, p->credential) = p->next;
	free(p);
}

static void
let_in(struct us_vault_log_gate *g, struct us_vault_log_party *p, struct us_vault_request *r)
{
	r->log_party = p;
	r->log_waits = 0;
	p->under_way++;
	g->under_way++;
}

/* --- waiting -------------------------------------------------------------------------- */

static void
append(struct us_vault_log_gate *g, struct us_vault_log_party *p, struct us_vault_request *r)
{
	r->log_party = p;
	r->log_waits = 1;
	r->log_next = NULL;
	if (p->last == NULL)
		p->first = r;
	else
		p->last->log_next = r;
	p->last = r;
	p->waiting++;
	g->waiting++;
}

static void
take_out(struct us_vault_log_gate *g, struct us_vault_log_party *p, struct us_vault_request *r)
{
	struct us_vault_request *before = NULL;

	for (struct us_vault_request *at = p->first; at != r; at = at->log_next)
		before = at;
	if (before == NULL)
		p->first = r->log_next;
	else
		before->log_next = r->log_next;
	if (p->last == r)
		p->last = before;
	p->waiting--;
	g->waiting--;
}

/* The next credential whose turn it is and that may have one goes to the end of the line. NULL:
 * nobody may. */
static struct us_vault_log_party *
next_party(struct us_vault_log_gate *g)
{
	struct us_vault_log_party **at = &g->parties, *p;

	while ((p = *at) != NULL && (p->waiting == 0 || !is_open(g, p)))
		at = &p->next;
	if (p == NULL)
		return NULL;
	*at = p->next;
	p->next = NULL;
	while (*at != NULL)
		at = &(*at)->next;
	*at = p;
	return p;
}

static void
on_turn(evutil_socket_t fd, short what, void *arg)
{
	struct us_vault *v = arg;
	struct us_vault_log_gate *g = v->log_gate;
	struct us_vault_log_party *p;

	(void)fd;
	(void)what;
	if (v->state == VAULT_OPEN)
		(void)us_registry_at(v->registry, us_time_now_ns());
	while (!v->leaving && (p = next_party(g)) != NULL) {
		struct us_vault_request *r = p->first;

		take_out(g, p, r);
		let_in(g, p, r);
		r->log_pass(r); /* may end r, and p with it */
	}
}

/* --- the gate ------------------------------------------------------------------------- */

static struct us_vault_log_gate *
gate_of(struct us_vault *v)
{
	struct us_vault_log_gate *g = v->log_gate;

	if (g != NULL)
		return g;
	g = calloc(1, sizeof *g);
	if (g == NULL || (g->turn = evtimer_new(v->base, on_turn, v)) == NULL) {
		free(g);
		return NULL;
	}
	return v->log_gate = g;
}

void
us_vault_log_gate_enter(struct us_vault_request *r, void (*pass)(struct us_vault_request *r))
{
	static const struct us_vault_problem too_many = { .status = 429,
		.type = "too-many",
		.title = "Too much of the log is under way for this credential",
		.reason = US_REASON_OVER_LIMIT,
		.entry = NO_ENTRY,
		.position = -1,
		.retry_after = 1 };
	struct us_vault_log_gate *g = gate_of(r->vault);
	struct us_vault_log_party *p = g == NULL ? NULL : party_of(g, r->credential);

	r->log_pass = pass;
	if (p == NULL) {
		us_vault_reply_error(r, US_ERR_NOMEM, US_REASON_ERROR, NO_ENTRY);
	} else if (p->waiting == 0 && is_open(g, p)) {
		let_in(g, p, r);
		pass(r);
	} else if (p->waiting < LOG_GATE_WAITING) {
		append(g, p, r);
	} else {
		us_vault_reply_problem(r, &too_many);
	}
}

void
us_vault_log_gate_leave(struct us_vault_request *r)
{
	/* in the next turn of the loop: whoever ends a request does not expect another one to
	 * begin */
	static const struct timeval at_once = { 0, 0 };
	struct us_vault_log_party *p = r->log_party;
	struct us_vault_log_gate *g = r->vault->log_gate;

	if (p == NULL)
		return;
	r->log_party = NULL;
	if (r->log_waits) {
		take_out(g, p, r);
	} else {
		p->under_way--;
		g->under_way--;
	}
	drop_if_idle(g, p);
	if (g->waiting > 0 && event_add(g->turn, &at_once) != 0)
		us_fatal("out of memory");
}

size_t
us_vault_log_gate_under_way(const struct us_vault *v)
{
	return v->log_gate == NULL ? 0 : v->log_gate->under_way;
}

size_t
us_vault_log_gate_waiting(const struct us_vault *v)
{
	return v->log_gate == NULL ? 0 : v->log_gate->waiting;
}

void
us_vault_log_gate_free(struct us_vault *v)
{
	struct us_vault_log_gate *g = v->log_gate;

	if (g == NULL)
		return;
	event_free(g->turn);
	free(g);
	v->log_gate = NULL;
}
