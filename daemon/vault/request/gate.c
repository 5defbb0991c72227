#include "daemon/vault/request/gate.h"

#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "base/err.h"
#include "base/log.h"
#include "base/time.h"
#include "daemon/vault/state/state.h"

/* A credential that has anything under way or waiting. Those that wait hang off first, oldest
 * first. */
struct us_vault_gate_party {
	struct us_vault_gate_party *next;
	uint8_t credential[32];
	size_t under_way, waiting;
	struct us_vault_pass *first, *last;
};

/* parties: whose turn it is stands first. turn: pending when somebody may have one. */
struct us_vault_gate {
	struct us_vault_gate_party *parties;
	size_t under_way, waiting;
	struct event *turn;
	int64_t shared_ns; /* when two had something here, on the monotonic clock */
	const struct us_vault_gate_limits *limits;
	const struct us_vault_state *state;
	void (*go_on)(struct us_vault_request *r);
};

const struct us_vault_gate_limits us_vault_log_gate_limits = { .own = LOG_GATE_OWN,
	.alone = LOG_GATE_OWN,
	.all = LOG_GATE_ALL,
	.most = LOG_GATE_MOST,
	.waiting = LOG_GATE_WAITING };
const struct us_vault_gate_limits us_vault_turn_limits = { .own = TURN_GATE_OWN,
	.alone = SIZE_MAX,
	.all = SIZE_MAX,
	.most = SIZE_MAX,
	.waiting = TURN_GATE_WAITING };

/* How many one may have now. */
static size_t
own_now(struct us_vault_gate *g)
{
	const struct us_vault_gate_limits *l = g->limits;
	int64_t now;

	if (l->own == l->alone)
		return l->own;
	now = us_time_mono_ns();
	if (g->parties != NULL && g->parties->next != NULL)
		g->shared_ns = now;
	return now - g->shared_ns < US_NS_PER_SECOND ? l->own : l->alone;
}

static int
is_open(const struct us_vault_gate *g, const struct us_vault_gate_party *p, size_t own)
{
	const struct us_vault_gate_limits *l = g->limits;

	return p->under_way < own &&
	    (g->under_way < l->all || (p->under_way == 0 && g->under_way < l->most));
}

static struct us_vault_gate_party **
place_of(struct us_vault_gate *g, const uint8_t credential[32])
{
	struct us_vault_gate_party **at = &g->parties;

	while (*at != NULL && memcmp((*at)->credential, credential, 32) != 0)
		at = &(*at)->next;
	return at;
}

static struct us_vault_gate_party *
party_of(struct us_vault_gate *g, const uint8_t credential[32])
{
	struct us_vault_gate_party **at = place_of(g, credential), *p = *at;

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
drop_if_idle(struct us_vault_gate *g, struct us_vault_gate_party *p)
{
	if (p->under_way > 0 || p->waiting > 0)
		return;
	*place_of(g, p->credential) = p->next;
	free(p);
}

static void
let_in(struct us_vault_gate *g, struct us_vault_gate_party *p, struct us_vault_pass *pass)
{
	pass->party = p;
	pass->waits = 0;
	p->under_way++;
	g->under_way++;
}

/* --- waiting -------------------------------------------------------------------------- */

static void
append(struct us_vault_gate *g, struct us_vault_gate_party *p, struct us_vault_pass *pass)
{
	pass->party = p;
	pass->waits = 1;
	pass->next = NULL;
	if (p->last == NULL)
		p->first = pass;
	else
		p->last->next = pass;
	p->last = pass;
	p->waiting++;
	g->waiting++;
}

static void
take_out(struct us_vault_gate *g, struct us_vault_gate_party *p, struct us_vault_pass *pass)
{
	struct us_vault_pass *before = NULL;

	for (struct us_vault_pass *at = p->first; at != pass; at = at->next)
		before = at;
	if (before == NULL)
		p->first = pass->next;
	else
		before->next = pass->next;
	if (p->last == pass)
		p->last = before;
	p->waiting--;
	g->waiting--;
}

/* The next credential whose turn it is and that may have one goes to the end of the line. NULL:
 * nobody may. */
static struct us_vault_gate_party *
next_party(struct us_vault_gate *g)
{
	struct us_vault_gate_party **at = &g->parties, *p;
	const size_t own = own_now(g);

	while ((p = *at) != NULL && (p->waiting == 0 || !is_open(g, p, own)))
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
	struct us_vault_gate *g = arg;
	struct us_vault_gate_party *p;

	(void)fd;
	(void)what;
	while (!us_vault_is_leaving(g->state) && (p = next_party(g)) != NULL) {
		struct us_vault_pass *r = p->first;

		take_out(g, p, r);
		let_in(g, p, r);
		g->go_on(r->r); /* may end it, and p with it */
	}
}

/* --- the gate ------------------------------------------------------------------------- */

int
us_vault_gate_new(struct us_vault_gate **out, struct event_base *base,
    const struct us_vault_gate_limits *limits, const struct us_vault_state *state,
    void (*go_on)(struct us_vault_request *r))
{
	struct us_vault_gate *g = calloc(1, sizeof *g);

	*out = NULL;
	if (g == NULL || (g->turn = evtimer_new(base, on_turn, g)) == NULL) {
		free(g);
		return US_ERR_NOMEM;
	}
	g->limits = limits;
	g->shared_ns = us_time_mono_ns() - US_NS_PER_SECOND;
	g->state = state;
	g->go_on = go_on;
	*out = g;
	return US_OK;
}

enum us_vault_gate_answer
us_vault_gate_enter(struct us_vault_gate *g, struct us_vault_pass *pass, struct us_vault_request *r,
    const uint8_t *credential)
{
	struct us_vault_gate_party *p = party_of(g, credential);

	pass->r = r;
	if (p == NULL)
		return US_VAULT_GATE_FAILED;
	if (p->waiting == 0 && is_open(g, p, own_now(g))) {
		let_in(g, p, pass);
		return US_VAULT_GATE_PASSED;
	}
	if (p->waiting >= g->limits->waiting)
		return US_VAULT_GATE_SHUT;
	append(g, p, pass);
	return US_VAULT_GATE_WAITS;
}

void
us_vault_gate_leave(struct us_vault_gate *g, struct us_vault_pass *pass)
{
	/* in the next turn of the loop: whoever ends a request does not expect another one to
	 * begin */
	static const struct timeval at_once = { 0, 0 };
	struct us_vault_gate_party *p = pass->party;

	if (p == NULL)
		return;
	pass->party = NULL;
	if (pass->waits) {
		take_out(g, p, pass);
	} else {
		p->under_way--;
		g->under_way--;
	}
	drop_if_idle(g, p);
	if (g->waiting > 0 && event_add(g->turn, &at_once) != 0)
		us_fatal("out of memory");
}

size_t
us_vault_gate_under_way(const struct us_vault_gate *g)
{
	return g->under_way;
}

size_t
us_vault_gate_waiting(const struct us_vault_gate *g)
{
	return g->waiting;
}

void
us_vault_gate_free(struct us_vault_gate *g)
{
	if (g == NULL)
		return;
	event_free(g->turn);
	free(g);
}
