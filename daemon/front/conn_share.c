/* What a connection has of what people share: its place, its turn for a handshake, its bytes. */
#include <stddef.h>

#include <event2/event.h>

#include "base/err.h"
#include "base/time.h"
#include "daemon/front/front_internal.h"

#define TURNS_EVERY_US 10000

static struct us_conn *
conn_of(struct us_share_item *item)
{
	return (struct us_conn *)(void *)((char *)item - offsetof(struct us_conn, silent));
}

static int64_t
now_ms(void)
{
	return us_time_mono_ns() / US_FRONT_NS_PER_MS;
}

/* --- places ---------------------------------------------------------------------------- */

/* The oldest silent connection of the largest holder goes. 0: there is none. */
int
us_conn_make_room(struct us_front *f)
{
	struct us_share_holder *largest = us_share_largest(f->shares, US_SHARE_connections);
	struct us_share_item *oldest = largest == NULL ? NULL : us_share_oldest(largest);

	if (oldest == NULL)
		return 0;
	us_relay_refused(f, US_REASON_OVER_LIMIT);
	us_conn_drop(conn_of(oldest));
	return 1;
}

int
us_conn_take_place(struct us_front *f, struct us_share_holder *h)
{
	while (us_share_take(f->shares, h, US_SHARE_connections, 1) != US_OK)
		if (!us_conn_make_room(f))
			return US_ERR_FULL;
	if (f->free_n > 0 || us_conn_make_room(f))
		return US_OK;
	us_share_give(f->shares, h, US_SHARE_connections, 1);
	return US_ERR_FULL;
}

void
us_conn_is_verified(struct us_conn *c)
{
	struct us_shares *s = c->front->shares;
	struct us_share_holder *h = us_share_at_credential(s, c->credential);

	us_share_give(s, c->holder, US_SHARE_connections, 1);
	us_share_line_leave(&c->silent);
	us_share_leave(s, c->holder);
	c->holder = h;
	/* there is room: it was just given back */
	(void)us_share_take(s, h, US_SHARE_connections, 1);
}

void
us_conn_leave_place(struct us_conn *c)
{
	struct us_shares *s = c->front->shares;

	us_conn_turn_forget(c);
	us_share_line_leave(&c->silent);
	us_share_give(s, c->holder, US_SHARE_unread, c->unread);
	c->unread = 0;
	us_share_give(s, c->holder, US_SHARE_connections, 1);
	us_share_leave(s, c->holder);
}

void
us_conn_heard(struct us_conn *c)
{
	if (c->state == US_CONN_WAIT || c->state == US_CONN_DEAD)
		us_share_line_leave(&c->silent);
	else
		us_share_line_up(c->holder, &c->silent);
}

/* --- turns for a handshake -------------------------------------------------------------- */

/* The newest of the holder that has had least. So that where many come from one address each of
 * them has a chance, whatever waits there already. */
static struct us_conn *
whose_turn(const struct us_front *f, int64_t now)
{
	struct us_conn *best = NULL;
	uint64_t least = UINT64_MAX;

	for (struct us_conn *c = f->turn_first; c != NULL; c = c->turn_next) {
		const uint64_t has = us_share_has(c->holder, US_SHARE_handshakes, now);

		if (has < least) {
			best = c;
			least = has;
		}
	}
	return best;
}

static void
on_turns(evutil_socket_t fd, short what, void *arg)
{
	const struct timeval soon = { 0, TURNS_EVERY_US };
	struct us_front *f = arg;
	const int64_t now = now_ms();
	struct us_conn *c;

	(void)fd;
	(void)what;
	while ((c = whose_turn(f, now)) != NULL &&
	    us_share_turn(f->shares, c->holder, US_SHARE_handshakes, now)) {
		us_conn_turn_forget(c);
		c->has_turn = 1;
		us_conn_resume(c);
		event_active(c->read_event, EV_READ, 1);
	}
	if (f->turn_first != NULL)
		(void)event_add(f->turns_event, &soon);
}

int
us_conn_turns_new(struct us_front *f)
{
	f->turns_event = evtimer_new(f->base, on_turns, f);
	return f->turns_event == NULL ? US_ERR_NOMEM : US_OK;
}

static void
wait_for_turn(struct us_conn *c)
{
	const struct timeval soon = { 0, TURNS_EVERY_US };
	struct us_front *f = c->front;

	us_share_refused(f->shares, US_SHARE_handshakes);
	us_conn_pause(c);
	c->turn_waits = 1;
	c->turn_before = NULL;
	c->turn_next = f->turn_first;
	if (f->turn_first != NULL)
		f->turn_first->turn_before = c;
	f->turn_first = c;
	if (!event_pending(f->turns_event, EV_TIMEOUT, NULL))
		(void)event_add(f->turns_event, &soon);
}

void
us_conn_turn_forget(struct us_conn *c)
{
	if (!c->turn_waits)
		return;
	c->turn_waits = 0;
	*(c->turn_before != NULL ? &c->turn_before->turn_next :
				   &c->front->turn_first) = c->turn_next;
	if (c->turn_next != NULL)
		c->turn_next->turn_before = c->turn_before;
}

int
us_conn_has_turn(struct us_conn *c)
{
	struct us_front *f = c->front;

	/* who waits already goes first */
	if (!c->has_turn && f->turn_first == NULL)
		c->has_turn = (uint8_t)us_share_turn(f->shares, c->holder, US_SHARE_handshakes,
		    now_ms());
	if (!c->has_turn && !c->turn_waits)
		wait_for_turn(c);
	return c->has_turn;
}

/* --- bytes ----------------------------------------------------------------------------- */

int
us_conn_charge_body(struct us_conn *c, size_t n)
{
	if (us_share_take(c->front->shares, c->holder, US_SHARE_bodies, n) != US_OK)
		return US_ERR_FULL;
	c->body_n += n;
	return US_OK;
}

int
us_conn_charge_part(struct us_conn *c)
{
	if (us_share_take(c->front->shares, c->holder, US_SHARE_parts, 1) != US_OK)
		return US_ERR_FULL;
	c->part = 1;
	return US_OK;
}

void
us_conn_give_back(struct us_conn *c)
{
	struct us_shares *s = c->front->shares;

	us_share_give(s, c->holder, US_SHARE_bodies, c->body_n);
	us_share_give(s, c->holder, US_SHARE_parts, c->part);
	c->body_n = 0;
	c->part = 0;
}

int
us_conn_charge_unread(struct us_conn *c)
{
	const size_t left = us_conn_out_left(c), before = c->unread;
	struct us_shares *s = c->front->shares;

	if (left > before && us_share_take(s, c->holder, US_SHARE_unread, left - before) != US_OK)
		return US_ERR_FULL;
	if (left < before)
		us_share_give(s, c->holder, US_SHARE_unread, before - left);
	c->unread = left;
	return US_OK;
}
