#include "daemon/vault/request/opening.h"

#include <stdlib.h>

#include <event2/event.h>

#include "base/err.h"
#include "base/log.h"

/* first: all that open one or wait, in the order in which they came. */
struct us_vault_openings {
	struct us_vault_opening *first;
	struct event *turn;
	void (*go_on)(struct us_vault_request *r);
};

static struct us_vault_opening *
opener_of(const struct us_vault_openings *o, uint32_t collection)
{
	struct us_vault_opening *at = o->first;

	while (at != NULL && (at->collection != collection || at->is != US_VAULT_OPENER_IS))
		at = at->next;
	return at;
}

static void
take_out(struct us_vault_openings *o, struct us_vault_opening *opening)
{
	struct us_vault_opening **at = &o->first;

	while (*at != opening)
		at = &(*at)->next;
	*at = opening->next;
	opening->is = US_VAULT_OPENER_NONE;
}

/* The first that waits for a collection which nobody opens. */
static struct us_vault_opening *
next_one(const struct us_vault_openings *o)
{
	struct us_vault_opening *at = o->first;

	while (
	    at != NULL && (at->is != US_VAULT_OPENER_WAITS || opener_of(o, at->collection) != NULL))
		at = at->next;
	return at;
}

static void
on_turn(evutil_socket_t fd, short what, void *arg)
{
	struct us_vault_openings *o = arg;
	struct us_vault_opening *at;

	(void)fd;
	(void)what;
	while ((at = next_one(o)) != NULL) {
		take_out(o, at);
		o->go_on(at->r); /* opens it, or finds it open, or ends */
	}
}

int
us_vault_openings_new(struct us_vault_openings **out, struct event_base *base,
    void (*go_on)(struct us_vault_request *r))
{
	struct us_vault_openings *o = calloc(1, sizeof *o);

	*out = NULL;
	if (o == NULL || (o->turn = evtimer_new(base, on_turn, o)) == NULL) {
		free(o);
		return US_ERR_NOMEM;
	}
	o->go_on = go_on;
	*out = o;
	return US_OK;
}

void
us_vault_openings_free(struct us_vault_openings *o)
{
	if (o == NULL)
		return;
	event_free(o->turn);
	free(o);
}

enum us_vault_opener
us_vault_opening_enter(struct us_vault_openings *o, struct us_vault_opening *opening,
    struct us_vault_request *r, uint32_t collection)
{
	struct us_vault_opening **at = &o->first;

	*opening = (struct us_vault_opening){ .r = r,
		.collection = collection,
		.is = opener_of(o, collection) == NULL ? US_VAULT_OPENER_IS :
							 US_VAULT_OPENER_WAITS };
	while (*at != NULL)
		at = &(*at)->next;
	*at = opening;
	return opening->is;
}

void
us_vault_opening_leave(struct us_vault_openings *o, struct us_vault_opening *opening)
{
	/* in the next turn of the loop: whoever ends a request does not expect another one to
	 * begin */
	static const struct timeval at_once = { 0, 0 };

	if (opening->is == US_VAULT_OPENER_NONE)
		return;
	take_out(o, opening);
	if (o->first != NULL && event_add(o->turn, &at_once) != 0)
		us_fatal("out of memory");
}
