/*
 * Who may make which request (requests.def), as every role knows it. Pure functions.
 */
#ifndef US_DAEMON_PROCESS_REQUESTS_H
#define US_DAEMON_PROCESS_REQUESTS_H

#include "daemon/process/messages.h"
#include "daemon/process/requests.def"

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
#define X(message, to, sealed, needs) US_REQUEST_##message,
	US_REQUESTS(X)
#undef X
};

/* US_NEEDS_OF_act_request, ...: a kind's column, for other tables. */
enum {
#define X(message, to, sealed, needs) US_NEEDS_OF_##message = US_NEEDS_##needs,
	US_REQUESTS(X)
#undef X
};

struct us_request_info {
	const char *name; /* of the message */
	uint16_t type;
	enum us_request_kind kind;
	enum us_role to;
	enum us_while_sealed sealed;
	enum us_needs needs;
};

/* The row of a message type. NULL if it is no request of a person. */
const struct us_request_info *us_request_info(uint16_t type);
/* All rows, by kind. */
const struct us_request_info *us_request_table(size_t *n);
/* "certificate", "tree", "session", "ticket"; "unknown" for what is none. Static text. */
const char *us_needs_name(enum us_needs needs);

#endif
