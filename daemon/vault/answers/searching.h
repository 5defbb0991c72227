/* A search from its query to its last hit. search.c decides, logs and evaluates, search_words.c
 * gathers words, search_answer.c writes what was found. */
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
	size_t batch;   /* the next one */
	int overtaken;  /* something was taken from somebody since the view was opened */
	unsigned again; /* how often the evaluation began anew */
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
#define SEARCH_WORDS_MAX 262144u /* bytes, packed */
/* Gathers words, of the query and of rules without bitmaps, into words and word, both empty.
 * US_ERR_NOMEM, US_ERR_LIMIT, errors of the view. */
int us_vault_search_words(struct us_vault_searching *s);
/* 1 if no snippet may be shown: it is text around a match, and what is masked there cannot be
 * told. */
int us_vault_search_hides_text(const struct us_vault_request *r);
/* Opens the view with the ruling that r->who has now. */
void us_vault_search_view(struct us_vault_request *r);
/* FAIL: its numbers do not hold any more. */
enum us_vault_next us_vault_search_changed(struct us_vault_request *r);

#endif
