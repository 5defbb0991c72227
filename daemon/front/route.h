/*
 * The table of routes: method and path to a route, its body's limit and media type. Said in full in
 * schema/openapi.yaml. Pure functions.
 */
#ifndef US_DAEMON_FRONT_ROUTE_H
#define US_DAEMON_FRONT_ROUTE_H

#include "daemon/front/http.h"
#include "daemon/front/target.h"
#include "daemon/process/requests.h"
#include "registry/act.h"

/* Digits of base64 of the largest sealed share, statement, ... are well below these. */
#define US_BODY_SMALL 8192
#define US_BODY_SESSION 32768
#define US_BODY_SEARCH 98304
#define US_BODY_READ 1048576
#define US_BODY_ACT (1048576 + 4 + 2 + 256)
#define US_BODY_PART 4194304
#define US_BODY_COSIGN 16384

/* Kinds of routes, and the message that each becomes (who may send it:
 * daemon/process/requests.def). */
#define US_ROUTE_KINDS(X) \
	X(STATUS, status_request) \
	X(CHALLENGE, challenge_request) \
	X(SESSION, session_request) \
	X(UNSEAL, share_request) \
	X(ACT, act_request) \
	X(LIST, list_request) \
	X(SEARCH, search_request) \
	X(READ_ONE, read_request) \
	X(READ, read_request) \
	X(LOAD_OPEN, load_open_request) \
	X(PART, part) \
	X(LOAD_END, load_end_request) \
	X(LOAD_TICKET, load_ticket_request) \
	X(LOG, log_request) \
	X(LOG_KEYS, log_keys_request) \
	X(QUESTION, question_request) \
	X(COSIGN, cosign_request)

enum us_route_kind {
#define X(kind, message) US_ROUTE_##kind,
	US_ROUTE_KINDS(X)
#undef X
};

enum us_route_media { US_MEDIA_NONE, US_MEDIA_JSON, US_MEDIA_OCTETS };

/* pattern: segments, "*" for any one, "**" last for one or more. needs: the column of the kind's
 * message: it says who may call the route, and decides nothing here. detail: by kind: what is
 * listed or asked, how a load ends, or 0. */
struct us_route_info {
	enum us_http_method method;
	enum us_route_kind kind;
	enum us_needs needs;
	const char *pattern;
	enum us_route_media media;
	uint32_t body_max;
	uint8_t detail;
};

/* The route, or NULL; *allow then has bit 1 << method set for each method that the path has: none,
 * there is no such path. */
const struct us_route_info *
us_route_find(const struct us_target *target, enum us_http_method method, unsigned *allow);
/* 1 if a route of kind ACT takes acts of this type: those of its path (registry/acts.def), or at
 * v1/acts every act of a person. */
int us_route_takes(const struct us_route_info *route, enum us_act_type type);
/* What a route of that kind is to the other roles. */
enum us_msg_type us_route_message(enum us_route_kind kind);
/* "STATUS", "ACT", ...: static text, for tests. */
const char *us_route_kind_name(enum us_route_kind kind);
/* The whole table, for tests and fuzzing. */
const struct us_route_info *us_route_table(size_t *n);

#endif
