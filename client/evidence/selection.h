/*
 * The records that an act is about, by collection: from Bates numbers, from a batch, or from
 * everything that a query of this person finds now. Keeper and vault get exact sets and open
 * nothing; records that are loaded later are in none of them.
 */
#ifndef US_CLIENT_EVIDENCE_SELECTION_H
#define US_CLIENT_EVIDENCE_SELECTION_H

#include "client/core/client.h"

/* Records of one collection. */
struct us_chosen {
	char name[US_COLLECTION_NAME_MAX + 1];
	uint32_t collection;
	int is_batch;
	uint32_t slot; /* if is_batch */
	/* record numbers: a Bates number less one; ascending and without repeats once packed */
	uint64_t *records;
	size_t n, room;
	struct us_buf runs; /* packed: what the act's selection views */
	uint32_t n_runs;
};

struct us_choice {
	struct us_chosen *items;
	size_t n;
};

/* ---- pure ---- */

/* Takes "OAI000000017" apart: the length of its prefix, and its record number. US_ERR_FORMAT. */
int us_bates_split(const char *bates, size_t *prefix_n, uint64_t *record);
/* Adds the record to the collection with that Bates prefix ("items" of /v1/collections).
 * US_ERR_FORMAT: no Bates number; US_ERR_NOT_FOUND: no collection has the prefix; US_ERR_NOMEM. */
int us_choice_add(struct us_choice *choice, const cJSON *collections, const char *bates);
/* Sorts the records, drops repeats, packs the runs. US_ERR_LIMIT: more separate runs than an act
 * can hold. */
int us_chosen_pack(struct us_chosen *chosen);
/* Frees what was chosen. */
void us_choice_free(struct us_choice *choice);

/* Where a freeze reaches, as it is written after --scope. */
struct us_scope {
	enum us_freeze_scope scope;
	/* of US_FREEZE_RECORDS: not US_BY_NAME */
	enum us_scope_by { US_BY_NAME, US_BY_QUERY, US_BY_BATCH, US_BY_BATES } by;
	const char *text; /* behind the colon; "" for all */
};
/* "all", "party:P", "person:N", "collection:C", "query:Q", "batch:C/N", "records:BATES,…". text
 * points into it. US_ERR_FORMAT. */
int us_scope_parse(const char *text, struct us_scope *out);

/* ---- asked of the vault ---- */

/* One of the three. */
struct us_choosing {
	cJSON *bates;           /* array of texts, not empty; or NULL */
	const char *query;      /* or NULL */
	const char *batch;      /* "demo/3"; or NULL */
	const char *collection; /* of a query; NULL: every collection */
	const char *purpose;    /* of its searches; or NULL */
};
/* Fills and packs *out, and says on stderr how many records that are. Exit status; a usage error
 * ends the program. */
int us_choose(struct us_client *client, const struct us_choosing *how, struct us_choice *out);
/* What an act gets: views into chosen. */
struct us_selection us_chosen_selection(const struct us_chosen *chosen);

#endif
