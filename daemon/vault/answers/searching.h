/* A search from its query to its last hit. search.c decides, logs and evaluates; search_answer.c
 * writes what was found. */
#ifndef US_DAEMON_VAULT_ANSWERS_SEARCHING_H
#define US_DAEMON_VAULT_ANSWERS_SEARCHING_H

#include "daemon/vault/answers/cursor.h"
#include "daemon/vault/evidence/visible.h"
#include "daemon/vault/request/request.h"

struct us_vault_searching {
	struct us_query *query;
	struct us_vault_view view;
	struct us_cursor cursor;
	int has_cursor;
	uint8_t flags;
	uint32_t limit;
	uint64_t snapshot;
	uint64_t intent;
	struct us_buf words;   /* packed: of the query and, if needed, of rules */
	struct us_bytes *word; /* views of them, sorted */
	size_t n_words;
	uint8_t *term_keys; /* us_secret_alloc() */
	size_t term_keys_n;
	size_t batch; /* the next one */
	uint64_t total;
	uint64_t withdrawn;
	uint64_t *hits;
	size_t n_hits;
	int more;
	uint8_t *keys; /* of the hits' records */
	size_t shown;
	struct us_buf text; /* scratch: of a record's messages */
	struct us_json json;
	char next[512];
	uint64_t entry;
};

/* Two steps, one behind the other, once hits, total and, for snippets, keys are there: the head of
 * the answer; then a hit in each unit, and the rest. */
enum us_vault_next us_vault_search_begin(struct us_vault_request *r);
enum us_step us_vault_search_put(struct us_vault_request *r);
/* 1 if somebody was stopped, or records withheld, since this search was decided, so that its
 * numbers would not hold: r->problem says so. */
int us_vault_search_has_changed(struct us_vault_request *r);

#endif
