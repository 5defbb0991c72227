/*
 * A vault whose front, keeper and sealer are the test (stage.c), and every request that it takes
 * (stage_requests.c). Messages and allocations go through `plan`, which makes one of them fail.
 * Link with --wrap for all that stage.c wraps.
 */
#ifndef US_TESTS_UNIT_VAULT_STAGE_H
#define US_TESTS_UNIT_VAULT_STAGE_H

#include "daemon/vault/answers/record_line.h"
#include "tests/unit/vault/rooms.h"
#include "tests/unit/registry/docket_acts.h"

#define STAGE_TAG 7u /* of a request; those that follow it have the next ones */
#define STAGE_TAGS 4
#define STAGE_QUESTIONS 16
#define STAGE_REQUESTS 8

/* What the keeper answers. */
enum mode {
	GOOD,
	REFUSES,
	FAILS,     /* after it has given something */
	EMPTY,     /* without the keys that were asked for */
	MALFORMED, /* a message of another type */
	MODES
};

struct question {
	struct us_msg_page_keys_request pages;
	uint16_t type;
	uint32_t tag;
	size_t records, terms; /* that it asks keys of */
};

/* What is to happen, and what has happened. */
struct plan {
	struct us_buf
	    *said; /* what the vault says is appended, a line a message; NULL: it is not */
	unsigned send_fails, allocation_fails; /* the which-th, from 1; 0: none */
	unsigned sends, allocations;
	int quiet; /* > 0: allocations are the test's own */
	struct question questions[STAGE_QUESTIONS];
	size_t n_questions;
	unsigned disclosures, denials; /* entries of these kinds */
	uint8_t action;                /* of the newest entry */
	size_t named;                  /* records in it */
	unsigned acts;                 /* that the keeper was asked to prepare */
	uint64_t load;                 /* that the sealer was told of */
	uint64_t answered; /* the entry behind the newest one that the keeper answered about */
	uint64_t ended;    /* the entry behind all whose answers have ended, as the keeper knows */
	void (*meanwhile)(void *ctx); /* before each turn of work; NULL: nothing */
	void *ctx;
	unsigned lasts[STAGE_TAGS];     /* last pieces of answers */
	uint16_t status;                /* of the newest answer */
	void *requests[STAGE_REQUESTS]; /* memory of requests */
	size_t n_requests;
};
extern struct plan plan;
void plan_reset(unsigned send_fails, unsigned allocation_fails);
/* What was said, from there on, without chance: digests, keys and numbers of loads are #. */
void as_text(struct us_buf *said, size_t from);

struct scene {
	struct world *world;
	struct rooms *rooms;
	struct us_writer *writer; /* owns the store */
	struct us_store *store;
	struct event_base *base;
	char dir[32];
};
/* For cmocka: a world of docket.yaml with an empty collection "none" besides, and a second version
 * of the order; a store without pages. */
int scene_open(void **state);
int scene_close(void **state);
/* From now on it is the world's hour: acts have been added. */
void scene_hour(const struct scene *s);

/* Who asks for what. */
struct asking {
	const struct actor *who;
	int in_session;
	uint16_t type;
	size_t variant; /* of the requests of that type, from 0 */
};
/* Appends the request's message. Returns 0 if there is no such variant. */
int put_request(struct us_buf *b, const struct scene *s, const struct asking *a);
/* In a vault of its own: asks, answers the vault's questions in that mode, takes the answer. Then
 * no request may be left, nothing on the queue, and what has ended must not have been touched.
 * Returns 0 if there is no such variant. */
int ask(struct scene *s, const struct asking *a, enum mode mode);

/* What an initialiser of text needs. */
#define TEXT(s) \
	{ \
		(const uint8_t *)(s), sizeof(s) - 1 \
	}
#define PEER TEXT("127.0.0.1")

#endif
