/*
 * The table of routes: method and path to a route, its body's limit and media type. Said in full in
 * schema/openapi.yaml. Pure functions.
 */
#ifndef US_DAEMON_FRONT_ROUTE_H
#define US_DAEMON_FRONT_ROUTE_H

#include "daemon/front/http.h"
#include "daemon/front/target.h"

/* Digits of base64 of the largest sealed share, statement, ... are well below these. */
#define US_BODY_SMALL 8192
#define US_BODY_SESSION 32768
#define US_BODY_SEARCH 98304
#define US_BODY_READ 1048576
#define US_BODY_ACT (1048576 + 4 + 2 + 256)
#define US_BODY_PART 4194304
#define US_BODY_COSIGN 16384

enum us_route_kind {
	US_ROUTE_STATUS,
	US_ROUTE_CHALLENGE,
	US_ROUTE_SESSION,
	US_ROUTE_UNSEAL,
	US_ROUTE_ACT,
	US_ROUTE_LIST,
	US_ROUTE_SEARCH,
	US_ROUTE_READ_ONE,
	US_ROUTE_READ,
	US_ROUTE_LOAD_OPEN,
	US_ROUTE_PART,
	US_ROUTE_LOAD_END,
	US_ROUTE_LOAD_TICKET,
	US_ROUTE_LOG,
	US_ROUTE_LOG_KEYS,
	US_ROUTE_QUESTION,
	US_ROUTE_COSIGN,
};

enum us_route_media { US_MEDIA_NONE, US_MEDIA_JSON, US_MEDIA_OCTETS };

/* pattern: segments, "*" for any one, "**" last for one or more. detail: by kind: what is listed
 * or asked, how a load ends, or 0. act_mask: bit n set if acts of type n are accepted, 0 for all. */
struct us_route_info {
	enum us_http_method method;
	enum us_route_kind kind;
	const char *pattern;
	enum us_route_media media;
	uint32_t body_max;
	uint8_t detail;
	uint32_t act_mask;
};

/* The route, or NULL with *status 404 or 405. */
const struct us_route_info *us_route_find(const struct us_target *target, enum us_http_method method,
    int *status);
/* The whole table, for tests and fuzzing. */
const struct us_route_info *us_route_table(size_t *n);

#endif
