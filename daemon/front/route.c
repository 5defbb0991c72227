#include "daemon/front/route.h"

#include <string.h>

#include "base/array.h"
#include "daemon/process/messages.h"
#include "registry/act.h"

#define GET US_HTTP_GET
#define POST US_HTTP_POST
#define DELETE US_HTTP_DELETE

enum { LOAD_FINISH = 0, LOAD_ABORT = 1, LOAD_TELL = 2 };

/* NEEDS_OF_ROUTE_SEARCH, ...: a kind whose message has no row in requests.def does not compile. */
enum {
#define X(kind, message) NEEDS_OF_ROUTE_##kind = US_NEEDS_OF_##message,
	US_ROUTE_KINDS(X)
#undef X
};

/* A row's kind, and what that needs. */
#define KIND(kind) US_ROUTE_##kind, (enum us_needs)NEEDS_OF_ROUTE_##kind
#define LIST(pattern, what) \
	{ \
		GET, KIND(LIST), pattern, US_MEDIA_NONE, 0, what \
	}
#define QUESTION(pattern, what) \
	{ \
		GET, KIND(QUESTION), pattern, US_MEDIA_NONE, 0, what \
	}
#define ACTS(pattern) \
	{ \
		POST, KIND(ACT), pattern, US_MEDIA_OCTETS, US_BODY_ACT, 0 \
	}

/* The most used first. */
static const struct us_route_info table[] = {
	{ GET, KIND(READ_ONE), "v1/collections/*/records/*", US_MEDIA_NONE, 0, 0 },
	{ POST, KIND(SEARCH), "v1/collections/*/search", US_MEDIA_JSON, US_BODY_SEARCH, 0 },
	{ POST, KIND(READ), "v1/collections/*/read", US_MEDIA_JSON, US_BODY_READ, 0 },
	{ POST, KIND(PART), "v1/loads/*/parts/*", US_MEDIA_OCTETS, US_BODY_PART, 0 },
	{ GET, KIND(STATUS), "v1/status", US_MEDIA_NONE, 0, 0 },
	{ GET, KIND(CHALLENGE), "v1/session", US_MEDIA_NONE, 0, 0 },
	{ POST, KIND(SESSION), "v1/session", US_MEDIA_JSON, US_BODY_SESSION, 0 },
	{ POST, KIND(UNSEAL), "v1/unseal", US_MEDIA_JSON, US_BODY_SMALL, 0 },
	ACTS("v1/acts"),
	ACTS("v1/people"),
	ACTS("v1/credentials"),
	ACTS("v1/collections"),
	ACTS("v1/docket"),
	ACTS("v1/copies"),
	ACTS("v1/batches"),
	ACTS("v1/seal"),
	ACTS("v1/documents"),
	ACTS("v1/orders"),
	ACTS("v1/acknowledgements"),
	ACTS("v1/clearances"),
	ACTS("v1/challenges"),
	ACTS("v1/designations"),
	ACTS("v1/clawbacks"),
	ACTS("v1/freezes"),
	ACTS("v1/approvals"),
	ACTS("v1/matter"),
	LIST("v1/people", US_LIST_PEOPLE),
	LIST("v1/people/*", US_LIST_PEOPLE),
	LIST("v1/credentials", US_LIST_CREDENTIALS),
	LIST("v1/collections", US_LIST_COLLECTIONS),
	LIST("v1/collections/*", US_LIST_COLLECTIONS),
	LIST("v1/collections/*/batches", US_LIST_BATCHES),
	LIST("v1/collections/*/batches/*", US_LIST_BATCHES),
	LIST("v1/docket", US_LIST_DOCKET),
	LIST("v1/docket/*", US_LIST_DOCKET),
	LIST("v1/copies", US_LIST_COPIES),
	LIST("v1/copies/*", US_LIST_COPIES),
	LIST("v1/order", US_LIST_ORDER),
	LIST("v1/orders", US_LIST_ORDERS),
	LIST("v1/orders/*", US_LIST_ORDERS),
	LIST("v1/filings", US_LIST_FILINGS),
	LIST("v1/filings/*", US_LIST_FILINGS),
	LIST("v1/acknowledgements", US_LIST_ACKNOWLEDGEMENTS),
	LIST("v1/documents", US_LIST_DOCUMENTS),
	LIST("v1/designations", US_LIST_RELABELS),
	QUESTION("v1/orders/*/diff/*", US_QUESTION_DIFF),
	QUESTION("v1/order/explain", US_QUESTION_EXPLAIN),
	QUESTION("v1/order/who", US_QUESTION_WHO),
	QUESTION("v1/clawbacks/*/report", US_QUESTION_CLAWBACK),
	QUESTION("v1/documents/*", US_QUESTION_DOCUMENT),
	QUESTION("v1/log/acts", US_QUESTION_ACTS),
	{ POST, KIND(LOAD_OPEN), "v1/collections/*/loads", US_MEDIA_JSON, US_BODY_SMALL, 0 },
	{ POST, KIND(LOAD_END), "v1/loads/*/finish", US_MEDIA_NONE, 64, LOAD_FINISH },
	{ POST, KIND(LOAD_TICKET), "v1/loads/*/ticket", US_MEDIA_NONE, 64, 0 },
	{ DELETE, KIND(LOAD_END), "v1/loads/*", US_MEDIA_NONE, 0, LOAD_ABORT },
	{ GET, KIND(LOAD_END), "v1/loads/*", US_MEDIA_NONE, 0, LOAD_TELL },
	{ GET, KIND(LOG), "v1/log/checkpoint", US_MEDIA_NONE, 0, 0 },
	{ GET, KIND(LOG), "v1/log/checkpoint.witnessed", US_MEDIA_NONE, 0, 0 },
	{ GET, KIND(LOG), "v1/log/checkpoint.witnessed/*", US_MEDIA_NONE, 0, 0 },
	{ POST, KIND(COSIGN), "v1/log/cosignature", US_MEDIA_OCTETS, US_BODY_COSIGN, 0 },
	{ GET, KIND(LOG), "v1/log/vkey", US_MEDIA_NONE, 0, 0 },
	{ GET, KIND(LOG), "v1/log/handovers", US_MEDIA_NONE, 0, 0 },
	{ GET, KIND(LOG), "v1/log/entry-proof/*", US_MEDIA_NONE, 0, 0 },
	{ GET, KIND(LOG), "v1/log/consistency/*/*", US_MEDIA_NONE, 0, 0 },
	{ GET, KIND(LOG), "v1/log/tile/**", US_MEDIA_NONE, 0, 0 },
	{ GET, KIND(LOG_KEYS), "v1/log/keys", US_MEDIA_NONE, 0, 0 },
};

static int
matches(const char *pattern, const struct us_target *t)
{
	size_t n, i;

	for (i = 0; *pattern != '\0'; i++) {
		if (strcmp(pattern, "**") == 0)
			return i < t->segment_n;
		if (i == t->segment_n)
			return 0;
		n = strcspn(pattern, "/");
		if (!(n == 1 && pattern[0] == '*') &&
		    (t->segment[i].n != n || memcmp(t->segment[i].p, pattern, n) != 0))
			return 0;
		pattern += n + (pattern[n] == '/');
	}
	return i == t->segment_n;
}

const struct us_route_info *
us_route_find(const struct us_target *target, enum us_http_method method, unsigned *allow)
{
	*allow = 0;
	for (size_t i = 0; i < US_COUNT(table); i++) {
		if (!matches(table[i].pattern, target))
			continue;
		if (table[i].method == method)
			return &table[i];
		*allow |= 1u << table[i].method;
	}
	return NULL;
}

int
us_route_takes(const struct us_route_info *route, enum us_act_type type)
{
	const char *path = us_act_path(type);

	return path != NULL &&
	    (strcmp(route->pattern, "v1/acts") == 0 || strcmp(route->pattern + 3, path) == 0);
}

enum us_msg_type
us_route_message(enum us_route_kind kind)
{
	switch (kind) {
#define X(name, message) \
	case US_ROUTE_##name: \
		return US_MSG_##message;
		US_ROUTE_KINDS(X)
#undef X
	}
	return (enum us_msg_type)0;
}

const char *
us_route_kind_name(enum us_route_kind kind)
{
	switch (kind) {
#define X(name, message) \
	case US_ROUTE_##name: \
		return #name;
		US_ROUTE_KINDS(X)
#undef X
	}
	return "unknown";
}

const struct us_route_info *
us_route_table(size_t *n)
{
	*n = US_COUNT(table);
	return table;
}
