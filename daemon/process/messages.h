/*
 * Typed messages between roles: messages.def lists them. A struct us_msg_NAME, an encoder and a
 * decoder of each are in messages_generated.h, which the build makes of that list. Decoders are
 * pure functions from bytes to a struct whose views point into those bytes. A frame is
 * u32 body length ‖ u16 type ‖ u16 zero ‖ u32 tag ‖ body.
 */
#ifndef US_DAEMON_PROCESS_MESSAGES_H
#define US_DAEMON_PROCESS_MESSAGES_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "case/limits.h"
#include "daemon/process/messages_generated.h"

#define US_FRAME_HEADER 12u
/* Bytes of a reply that may be under way without credit from the front. */
#define US_REPLY_WINDOW (1024u * 1024u)
/* Bytes of page keys in one answer, at most. */
#define US_PAGE_KEYS_MAX 65536u
/* Bytes of pages that may be under way between sealer and vault. */
#define US_PAGES_WINDOW (8u * 1024u * 1024u)

/* More trusted is larger. A malformed message from a less trusted role drops that role's
 * channel; one from a more trusted role stops the process (process/channel.h). */
enum us_role {
	US_ROLE_ANY = 0,
	US_ROLE_FRONT = 1,
	US_ROLE_INTAKE = 2,
	US_ROLE_SEALER = 3,
	US_ROLE_VAULT = 4,
	US_ROLE_KEEPER = 5,
	US_ROLE_MONITOR = 6,
};

#define US_LISTS(X) \
	X(PEOPLE, 1) \
	X(CREDENTIALS, 2) \
	X(COLLECTIONS, 3) \
	X(BATCHES, 4) \
	X(DOCKET, 5) \
	X(COPIES, 6) \
	X(ORDER, 7)   /* the order in force: source text and digests */ \
	X(ORDERS, 8)  /* all its versions; with an argument that one, with its source text */ \
	X(FILINGS, 9) /* the docket with what is closed */ \
	X(ACKNOWLEDGEMENTS, 10) \
	X(DOCUMENTS, 11) \
	X(RELABELS, 12)

enum us_list_what {
#define X(name, number) US_LIST_##name = number,
	US_LISTS(X)
#undef X
};

/* What can be asked about the order (question_request). */
#define US_QUESTIONS(X) \
	X(DIFF, 1)     /* version to version */ \
	X(EXPLAIN, 2)  /* may person do action, on a record if one is given */ \
	X(WHO, 3)      /* who may do action on a record */ \
	X(CLAWBACK, 4) /* how many people had records of clawback number first */ \
	X(DOCUMENT, 5) /* the bytes of a document; argument: its digest in hex */ \
	X(ACTS, 6)     /* the committed acts behind number first */

enum us_question {
#define X(name, number) US_QUESTION_##name = number,
	US_QUESTIONS(X)
#undef X
};

enum us_search_flags { US_SEARCH_COUNT = 1, US_SEARCH_NO_SNIPPETS = 2 };
enum us_load_flags { US_LOAD_DRY_RUN = 1, US_LOAD_SKIP_DEFECTS = 2, US_LOAD_HOLD = 4 };
enum us_content_type {
	US_TYPE_JSON = 0,
	US_TYPE_JSON_LINES = 1,
	US_TYPE_PROBLEM = 2, /* application/problem+json */
	US_TYPE_TEXT = 3,
	US_TYPE_OCTETS = 4,
};
enum us_keeper_state {
	US_KEEPER_SEALED = 0,
	US_KEEPER_REPLAYING = 1, /* unsealed, waiting for the vault's state */
	US_KEEPER_OPEN = 2,
	US_KEEPER_REFUSING = 3, /* the vault's state is not the one the log ends in */
};

/* What the table says of a type. hand_on: to whom its receiver hands it on, unopened, of a person's
 * request; else ANY. */
struct us_msg_info {
	const char *name;
	enum us_role from, to, hand_on;
	uint32_t max;
};
/* 1, and *info filled, if there is such a type; else 0. */
int us_msg_info(uint16_t type, struct us_msg_info *info);
/* 1 if one role may send it to the other. */
int us_msg_may_go(const struct us_msg_info *info, enum us_role from, enum us_role to);
/* Decodes a body of any type and throws the result away. US_OK or US_ERR_MALFORMED. */
int us_msg_check(uint16_t type, const void *p, size_t n);
/* The name of a type, "unknown" if there is none. */
const char *us_msg_name(uint16_t type);
/* The head of a frame whose body has n bytes. */
void us_frame_header(uint8_t out[US_FRAME_HEADER], uint16_t type, uint32_t tag, uint32_t n);
/* "front", "vault", ...; "unknown" for what is none. Static text. */
const char *us_role_name(enum us_role role);

#endif
