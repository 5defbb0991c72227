#include "daemon/process/requests.h"

#include "base/array.h"

static const struct us_request_info table[] = {
#define X(message, to, sealed, needs) \
	{ #message, US_MSG_##message, US_REQUEST_##message, US_ROLE_##to, US_SEALED_##sealed, \
		US_NEEDS_##needs },
	US_REQUESTS(X)
#undef X
};

/* --- the two lists against messages.def ------------------------------------------------------ */

enum {
#define X(name, number, from, to, max) \
	TO_##name = US_ROLE_##to, \
	CARRIES_##name = US_ROLE_##from == US_ROLE_FRONT && \
	    (US_ROLE_##to == US_ROLE_VAULT || US_ROLE_##to == US_ROLE_INTAKE),
	US_MESSAGES(X)
#undef X
};

#define X(name, number, from, to, max) +CARRIES_##name
enum { FROM_FRONTS = 0 US_MESSAGES(X) };
#undef X
#define X(message, to, sealed, needs) +1
enum { REQUESTS = 0 US_REQUESTS(X) };
#undef X
#define X(message) +1
enum { NO_REQUESTS = 0 US_NO_REQUESTS(X) };
#undef X

/* Each name stands once, or the switch below has a case twice: equal numbers are equal sets. */
_Static_assert(FROM_FRONTS == REQUESTS + NO_REQUESTS,
    "a message from a front is in neither list of requests.def: who may send it?");

#define X(message, to, sealed, needs) \
	_Static_assert(CARRIES_##message && \
		(int)TO_##message == \
		    (int)(US_ROLE_##to == US_ROLE_SEALER ? US_ROLE_INTAKE : US_ROLE_VAULT), \
	    #message " does not go where requests.def says"); \
	_Static_assert((US_ROLE_##to == US_ROLE_SEALER) == (US_NEEDS_##needs == US_NEEDS_TICKET), \
	    #message ": sessions are the vault's to know, tickets the sealer's to check"); \
	_Static_assert(US_SEALED_##sealed == US_SEALED_REFUSED || \
		US_NEEDS_##needs == US_NEEDS_CERTIFICATE || US_NEEDS_##needs == US_NEEDS_TREE, \
	    #message ": a sealed vault has neither sessions nor loads");
US_REQUESTS(X)
#undef X
#define X(message) _Static_assert(CARRIES_##message, #message " is not a front's");
US_NO_REQUESTS(X)
#undef X

/* --- looking up ------------------------------------------------------------------------------ */

const struct us_request_info *
us_request_info(uint16_t type)
{
	switch (type) {
#define X(message, to, sealed, needs) \
	case US_MSG_##message: \
		return &table[US_REQUEST_##message];
		US_REQUESTS(X)
#undef X
#define X(message) case US_MSG_##message:
		US_NO_REQUESTS(X)
#undef X
	default:
		return NULL;
	}
}

const struct us_request_info *
us_request_table(size_t *n)
{
	*n = US_COUNT(table);
	return table;
}

const char *
us_needs_name(enum us_needs needs)
{
	switch (needs) {
	case US_NEEDS_CERTIFICATE:
		return "certificate";
	case US_NEEDS_TREE:
		return "tree";
	case US_NEEDS_SESSION:
		return "session";
	case US_NEEDS_TICKET:
		return "ticket";
	}
	return "unknown";
}
