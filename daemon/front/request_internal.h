/*
 * What the files of the request decoder share: values of paths, queries and bodies, each refused
 * with a problem of its own.
 *
 *   request_head.c   the head: route, length, media type, headers
 *   request.c        sessions, acts, lists, evidence, loads, the log
 *   request_order.c  questions about the order and its docket
 *   request_value.c  the values
 */
#ifndef US_DAEMON_FRONT_REQUEST_INTERNAL_H
#define US_DAEMON_FRONT_REQUEST_INTERNAL_H

#include <string.h>

#include "daemon/front/json.h"
#include "daemon/front/request.h"

/* One request being decoded; out and problem are what its caller gets. */
struct us_decode {
	const struct us_route *route;
	const struct us_target *target;
	struct us_bytes body;
	const struct us_who *who;
	struct us_buf *arena;
	struct us_request *out;
	struct us_problem *problem;
};

/* Both fill *p and return its status; bad is a 400. */
int us_decode_refuse(struct us_problem *p, int status, const char *type, const char *detail,
    const char *member);
int us_decode_bad(struct us_problem *p, const char *detail, const char *member);

/* The rest returns 0 or the status of the problem. */

/* A number of the query; fallback if it is absent. */
int us_decode_query_number(struct us_decode *d, const char *name, uint64_t fallback, uint64_t max,
    uint64_t *out);
/* Queries are few: every one must be in the route's list (NULL at its end). */
int us_decode_check_query(struct us_decode *d, const char *const *known);
int us_decode_no_query(struct us_decode *d);
/* The body's members, into the arena. */
int us_decode_members(struct us_decode *d, const struct us_json_member *m, size_t n);
/* The i-th segment of the path, counted from 0; empty behind the last. */
struct us_bytes us_decode_segment(const struct us_decode *d, size_t i);

/* us_decode_read_request(), ...: each message, into its member of d->out->u. */
typedef int us_decode_fn(struct us_decode *d);
#define X(message, to, action, sealed, needs) us_decode_fn us_decode_##message;
US_REQUESTS(X)
#undef X

/* Who asks, into a message that has US_WHO. */
#define US_DECODE_WHO(d, m) \
	do { \
		memcpy((m)->credential, (d)->who->credential, 32); \
		(m)->peer = (d)->who->peer; \
	} while (0)

#endif
