#include "daemon/process/requests.h"

#include "base/err.h"

static const struct us_request_info table[] = {
#define X(message, to, action, sealed, needs) \
	{ #message, US_MSG_##message, US_REQUEST_##message, US_ROLE_##to, US_ACTION_##action, \
		US_SEALED_##sealed, US_NEEDS_##needs },
	US_REQUESTS(X)
#undef X
};

/* --- the columns against each other ---------------------------------------------------------- */

enum {
#define X(name, number, from, to, max) \
	IS_FRONTS_##name = US_ROLE_##from == US_ROLE_FRONT && \
	    (US_ROLE_##to == US_ROLE_VAULT || US_ROLE_##to == US_ROLE_INTAKE),
	US_MESSAGES(X)
#undef X
};

#define X(name, number, from, to, max) +IS_FRONTS_##name
enum { FROM_FRONTS = 0 US_MESSAGES(X) };
#undef X
#define X(message) +1
enum { NO_REQUESTS = 0 US_NO_REQUESTS(X) };
#undef X

#define X(message) _Static_assert(IS_FRONTS_##message, #message " is not a front's");
US_NO_REQUESTS(X)
#undef X

/* Each name stands once, or the switch below has a case twice: equal numbers are equal sets. */
_Static_assert(FROM_FRONTS == US_REQUEST_COUNT + NO_REQUESTS,
    "a message from a front is neither a request nor listed as none: who may send it?");

#define X(message, to, action, sealed, needs) \
	_Static_assert(US_ROLE_##to == US_ROLE_VAULT || US_ROLE_##to == US_ROLE_KEEPER || \
		US_ROLE_##to == US_ROLE_SEALER, \
	    #message ": requests are decided by vault, keeper or sealer"); \
	_Static_assert((US_ROLE_##to == US_ROLE_SEALER) == (US_NEEDS_##needs == US_NEEDS_TICKET), \
	    #message ": sessions are the vault's to know, tickets the sealer's to check"); \
	_Static_assert(US_SEALED_##sealed == US_SEALED_REFUSED || \
		US_NEEDS_##needs == US_NEEDS_CERTIFICATE || US_NEEDS_##needs == US_NEEDS_TREE, \
	    #message ": a sealed vault has neither sessions nor loads");
US_REQUESTS(X)
#undef X

/* --- looking up ------------------------------------------------------------------------------ */

const struct us_request_info *
us_request_info(uint16_t type)
{
	switch (type) {
#define X(message, to, action, sealed, needs) \
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
us_request_table(void)
{
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

/* --- any of them ----------------------------------------------------------------------------- */

int
us_request_take(union us_request_message *m, uint16_t type, const void *p, size_t n)
{
	switch (type) {
#define X(message, to, action, sealed, needs) \
	case US_MSG_##message: \
		return us_msg_##message##_decode(&m->message, p, n);
		US_REQUESTS(X)
#undef X
	default:
		return US_ERR_MALFORMED;
	}
}

int
us_request_send(struct us_channel *ch, uint32_t tag, uint16_t type,
    const union us_request_message *m)
{
	switch (type) {
#define X(message, to, action, sealed, needs) \
	case US_MSG_##message: \
		return us_send_##message(ch, tag, &m->message);
		US_REQUESTS(X)
#undef X
	default:
		return US_ERR_INTERNAL;
	}
}
