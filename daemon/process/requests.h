/*
 * Who may make which request (requests.def), as every role knows it. Pure functions.
 */
#ifndef US_DAEMON_PROCESS_REQUESTS_H
#define US_DAEMON_PROCESS_REQUESTS_H

#include "case/action.h"
#include "daemon/process/messages.h"

/* What a front sends in its own name: of requests under way, and of what it refused itself. All
 * else that it sends to vault or intake is a REQUEST, or does not compile. */
#define US_NO_REQUESTS(X) \
	X(credit) \
	X(cancel) \
	X(handshakes) \
	X(shares)

/* What a request needs before anything of it is done. 0 is none of them. */
enum us_needs {
	US_NEEDS_CERTIFICATE = 1, /* one that this vault has issued: the handshake saw to it */
	US_NEEDS_TREE = 2,        /* and while the vault is open a live credential and person */
	US_NEEDS_SESSION = 3,     /* a live session of a live credential of a live person */
	US_NEEDS_TICKET = 4,      /* a live ticket of the load, made for this very credential */
};

enum us_while_sealed { US_SEALED_REFUSED = 1, US_SEALED_ANSWERED = 2 };

/* Kinds, to be switched over without a default; counted from 0. */
enum us_request_kind {
#define X(message, to, action, sealed, needs) US_REQUEST_##message,
	US_REQUESTS(X)
#undef X
};

#define X(message, to, action, sealed, needs) +1
enum { US_REQUEST_COUNT = 0 US_REQUESTS(X) };
#undef X

struct us_request_info {
	const char *name; /* of the message */
	uint16_t type;
	enum us_request_kind kind;
	enum us_role to;
	enum us_action action;
	enum us_while_sealed sealed;
	enum us_needs needs;
};

/* The row of a message type. NULL if it is no request of a person. */
const struct us_request_info *us_request_info(uint16_t type);
/* All rows, by kind: US_REQUEST_COUNT. */
const struct us_request_info *us_request_table(void);
/* "certificate", "tree", "session", "ticket"; "unknown" for what is none. Static text. */
const char *us_needs_name(enum us_needs needs);

/* The message of any request. */
union us_request_message {
#define X(message, to, action, sealed, needs) struct us_msg_##message message;
	US_REQUESTS(X)
#undef X
};

/* us_msg_NAME_decode() of that type, which is that of a request. */
int us_request_take(union us_request_message *m, uint16_t type, const void *p, size_t n);
/* us_send_NAME(). */
int us_request_send(struct us_channel *ch, uint32_t tag, uint16_t type,
    const union us_request_message *m);

#endif
