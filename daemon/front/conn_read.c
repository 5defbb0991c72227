/* From bytes of the client to requests: heads, bodies, and what comes behind one under way. */
#include <string.h>

#include "base/err.h"
#include "daemon/front/front_internal.h"

/* One head, whole. Leads to BODY, or to the request's being relayed or refused. */
static void
take_head(struct us_conn *c, const uint8_t *p, size_t n)
{
	static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";
	struct us_bytes interim = { (const uint8_t *)go_on, sizeof go_on - 1 };
	struct us_front *f = c->front;
	struct us_route *route = us_front_route_get(f);
	struct us_problem problem;
	struct us_http_head head;

	memset(&c->scan, 0, sizeof c->scan);
	if (route == NULL) {
		us_conn_drop(c);
		return;
	}
	if (us_request_head(p, n, &head, route, &problem) != 0 ||
	    us_relay_admit(c, route, &problem) != 0) {
		/* A body that is not read would be taken for the next request. Without one, a
		 * request that was understood is no reason to part. */
		int go = problem.status == 404 || problem.status == 405 || problem.status == 429 ||
		    problem.status == 503 || problem.status == 415;

		us_front_route_put(f, route);
		c->close = (uint8_t)(c->close | head.close);
		us_relay_problem(c, &problem, !go || head.content_length != 0);
		return;
	}
	c->close = (uint8_t)head.close;
	if (route->body_n == 0) {
		us_relay_request(c, route, (struct us_bytes){ NULL, 0 });
		us_front_route_put(f, route);
		return;
	}
	c->route = route;
	us_conn_move(c, US_CONN_BODY);
	c->body_deadline = f->now + US_BODY_SECONDS;
	c->deadline = f->now + US_BODY_STALL_SECONDS;
	if (head.expect_continue)
		us_conn_send(c, &interim, 1);
}

/* Takes what belongs to the body; returns how much that was. */
static size_t
take_body(struct us_conn *c, const uint8_t *p, size_t n)
{
	struct us_front *f = c->front;
	size_t want = c->route->body_n - c->body.len;
	size_t take = n < want ? n : want;
	struct us_route *route;
	struct us_buf body;

	/* charged as it comes: what is announced costs nothing */
	if (us_conn_charge_body(c, take) != US_OK) {
		us_relay_problem(c, &us_relay_too_many, 1);
		return n;
	}
	if (us_buf_put(&c->body, p, take) != US_OK) {
		us_conn_drop(c);
		return take;
	}
	c->deadline = f->now + US_BODY_STALL_SECONDS;
	if (c->deadline > c->body_deadline)
		c->deadline = c->body_deadline;
	if (take < want)
		return take;
	route = c->route;
	body = c->body;
	c->route = NULL;
	us_buf_init(&c->body, body.max);
	us_relay_request(c, route, (struct us_bytes){ body.data, body.len });
	us_buf_free(&body);
	us_front_route_put(f, route);
	return take;
}

static void
refuse_head(struct us_conn *c, int err)
{
	static const struct us_problem too_large = { .status = 431,
		.type = "too-large",
		.detail = "the head of the request is too large" };
	static const struct us_problem malformed = { .status = 400,
		.type = "bad-request",
		.detail = "not an HTTP/1.1 request" };

	us_relay_problem(c, err == US_ERR_LIMIT ? &too_large : &malformed, 1);
}

/* Looks for the end of a head, in p alone if nothing came before; returns how much of p is used. */
static size_t
take_head_bytes(struct us_conn *c, const uint8_t *p, size_t n)
{
	size_t before = c->in.len, end = 0;
	struct us_buf whole;
	int err;

	if (before == 0) {
		err = us_http_scan(&c->scan, p, n, &end);
		if (err == US_OK) {
			take_head(c, p, end);
			return end;
		}
	}
	if (before == 0 && err != US_ERR_TRUNCATED) {
		refuse_head(c, err);
		return n;
	}
	if (us_buf_put(&c->in, p, n) != US_OK) {
		refuse_head(c, US_ERR_LIMIT);
		return n;
	}
	if (before == 0) {
		c->deadline = c->front->now + US_HEAD_SECONDS;
		return n;
	}
	err = us_http_scan(&c->scan, c->in.data, c->in.len, &end);
	if (err == US_ERR_TRUNCATED)
		return n;
	whole = c->in;
	us_buf_init(&c->in, whole.max);
	if (err == US_OK)
		take_head(c, whole.data, end);
	else
		refuse_head(c, err);
	us_buf_free(&whole);
	return err == US_OK ? end - before : n;
}

void
us_conn_consume(struct us_conn *c, const uint8_t *p, size_t n)
{
	size_t used;

	c->consuming = 1;
	while (n > 0 && (c->state == US_CONN_HEAD || c->state == US_CONN_BODY)) {
		used = c->state == US_CONN_HEAD ? take_head_bytes(c, p, n) : take_body(c, p, n);
		p += used;
		n -= used;
	}
	c->consuming = 0;
	if (n > 0 && (c->state == US_CONN_WAIT || c->state == US_CONN_FLUSH)) {
		if (us_buf_put(&c->in, p, n) != US_OK)
			us_conn_drop(c);
		else
			us_conn_pause(c);
	} else if (c->state == US_CONN_HEAD || c->state == US_CONN_BODY)
		us_conn_resume(c);
}
