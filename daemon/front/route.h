/*
 * The table of routes: method and path to a request, its body's limit and media type: the ROUTEs of
 * daemon/process/requests.def. Said in full in schema/openapi.yaml. Pure functions.
 */
#ifndef US_DAEMON_FRONT_ROUTE_H
#define US_DAEMON_FRONT_ROUTE_H

#include "daemon/front/http.h"
#include "daemon/front/target.h"
#include "daemon/process/requests.h"
#include "registry/act.h"

#define US_BODY_ACT (1048576 + 4 + 2 + 256)
#define US_BODY_PART 4194304

enum us_route_media { US_MEDIA_NONE, US_MEDIA_JSON, US_MEDIA_OCTETS };

/* The columns of a ROUTE. kind: of its message, which it is decoded to. */
struct us_route_info {
	enum us_http_method method;
	enum us_request_kind kind;
	const char *pattern;
	enum us_route_media media;
	uint32_t body_max;
	uint8_t detail;
};

/* The route, or NULL; *allow then has bit 1 << method set for each method that the path has: none,
 * there is no such path. */
const struct us_route_info *
us_route_find(const struct us_target *target, enum us_http_method method, unsigned *allow);
/* 1 if a route of an act_request takes acts of this type: those of its path (registry/acts.def), or
 * at v1/acts every act of a person. */
int us_route_takes(const struct us_route_info *route, enum us_act_type type);
/* The whole table, for tests and fuzzing. */
const struct us_route_info *us_route_table(size_t *n);

#endif
