/*
 * From a request's head and body to the typed message it stands for: everything a client says is
 * decoded and bounded here, before another role sees it. Two steps, as a body comes after its head:
 * us_request_head() when the head is there, us_request_decode() when the body is.
 *
 * Pure but for the arena; single-threaded.
 */
#ifndef US_DAEMON_FRONT_REQUEST_H
#define US_DAEMON_FRONT_REQUEST_H

#include "daemon/process/ticket.h"
#include "daemon/front/route.h"
#include "daemon/process/messages.h"

#define US_LIST_LIMIT 1000
#define US_SEARCH_LIMIT 10000
#define US_READ_LIMIT 65536

/* What a request is refused with. type: last part of urn:underseal:problem:...; detail, member:
 * static texts, member (NULL if none) names the part of the request that is wrong. */
struct us_problem {
	int status;
	const char *type;
	const char *detail;
	const char *member;
	uint16_t retry_after;
	unsigned allow; /* 405: as us_route_find() said */
};

/* What is kept of a head until its body is there. Not to be copied: views point into it. */
struct us_route {
	const struct us_route_info *info;
	struct us_target target;
	uint8_t purpose_text[US_PURPOSE_MAX];
	struct us_bytes purpose; /* of the header or the query */
	uint64_t first_line;
	uint8_t digest[32];
	uint8_t ticket[US_TICKET_SIZE]; /* of a part: as it was sent */
	uint8_t encoding;               /* of a part: 0 plain, 1 zstd */
	uint32_t body_n;                /* length of the body to come */
	struct us_route *next;          /* free list */
};

/* Who asks. */
struct us_who {
	uint8_t credential[32];
	struct us_bytes peer;
};

struct us_request {
	uint16_t type; /* which of u; part goes to an intake, all else to the vault */
	union us_request_message u;
};

/* Decodes a head that us_http_scan() found whole. 0, or the status of *problem. */
int us_request_head(const uint8_t *p, size_t n, struct us_http_head *head, struct us_route *route,
    struct us_problem *problem);
#define US_REQUEST_ARENA (2u * 1048576u)
/* The same for what has its body. Views in *request point into route, body and arena (a us_buf of
 * at least US_REQUEST_ARENA). */
int us_request_decode(const struct us_route *route, struct us_bytes body, const struct us_who *who,
    struct us_buf *arena, struct us_request *request, struct us_problem *problem);

#endif
