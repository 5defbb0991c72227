#include "daemon/vault/request/log_gate.h"

#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "base/err.h"
#include "base/log.h"
#include "daemon/vault/state/state.h"

/* A credential that has anything under way or waiting. Those that wait hang off first, oldest
 * first. */
struct us_vault_log_party {
	struct us_vault_log_party *next;
	uint8_t credential[32];
	size_t under_way, waiting;
	struct us_vault_pass *first, *last;
};

/* parties: whose turn it is stands first. turn: pending when somebody may have one. */
struct us_vault_log_gate {
	struct us_vault_log_party *parties;
	size_t under_way, waiting;
	struct event *turn;
	const struct us_vault_state *state;
	void (*go_on)(struct us_vault_request *r);
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
let_in(struct us_vault_log_gate *g, struct us_vault_log_party *p, struct us_vault_pass *pass)
{
	pass->party = p;
	pass->waits = 0;
	p->under_way++;
	g->under_way++;
}

/* --- waiting -------------------------------------------------------------------------- */

static void
append(struct us_vault_log_gate *g, struct us_vault_log_party *p, struct us_vault_pass *pass)
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
take_out(struct us_vault_log_gate *g, struct us_vault_log_party *p, struct us_vault_pass *pass)
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
	struct us_vault_log_gate *g = arg;
	struct us_vault_log_party *p;

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
us_vault_log_gate_new(struct us_vault_log_gate **out, struct event_base *base,
    const struct us_vault_state *state, void (*go_on)(struct us_vault_request *r))
{
	struct us_vault_log_gate *g = calloc(1, sizeof *g);

	*out = NULL;
	if (g == NULL || (g->turn = evtimer_new(base, on_turn, g)) == NULL) {
		free(g);
		return US_ERR_NOMEM;
	}
	g->state = state;
	g->go_on = go_on;
	*out = g;
	return US_OK;
}

enum us_vault_gate
us_vault_log_gate_enter(struct us_vault_log_gate *g, struct us_vault_pass *pass,
    struct us_vault_request *r, const uint8_t *credential)
{
	struct us_vault_log_party *p = party_of(g, credential);

	pass->r = r;
	if (p == NULL)
		return US_VAULT_GATE_FAILED;
	if (p->waiting == 0 && is_open(g, p)) {
		let_in(g, p, pass);
		return US_VAULT_GATE_PASSED;
	}
	if (p->waiting >= LOG_GATE_WAITING)
		return US_VAULT_GATE_SHUT;
	append(g, p, pass);
	return US_VAULT_GATE_WAITS;
}

void
us_vault_log_gate_leave(struct us_vault_log_gate *g, struct us_vault_pass *pass)
{
	/* in the next turn of the loop: whoever ends a request does not expect another one to
	 * begin */
	static const struct timeval at_once = { 0, 0 };
	struct us_vault_log_party *p = pass->party;

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
us_vault_log_gate_under_way(const struct us_vault_log_gate *g)
{
	return g->under_way;
}

size_t
us_vault_log_gate_waiting(const struct us_vault_log_gate *g)
{
	return g->waiting;
}

void
us_vault_log_gate_free(struct us_vault_log_gate *g)
{
	if (g == NULL)
		return;
	event_free(g->turn);
	free(g);
}
