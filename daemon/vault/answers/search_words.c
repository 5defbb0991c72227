/* The words whose keys a search needs. */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "daemon/vault/answers/searching.h"
#include "daemon/vault/evidence/words.h"

int
us_vault_search_words(struct us_vault_searching *s)
{
	const size_t n_query = s->query->n_words;
	struct us_bytes *rule = NULL, *all = NULL;
	struct us_buf rules;
	size_t n_rules = 0;
	int err;

	us_buf_init(&rules, SEARCH_WORDS_MAX);
	err = us_vault_view_words(&s->view, &rules, &n_rules);
	if (err == US_OK)
		err = us_vault_words_split(&rules, &rule, &n_rules);
	if (err == US_OK) {
		all = calloc(n_query + n_rules + 1, sizeof *all);
		err = all == NULL ? US_ERR_NOMEM : US_OK;
	}
	if (err == US_OK) {
		if (n_query > 0)
			memcpy(all, s->query->words, n_query * sizeof *all);
		if (n_rules > 0)
			memcpy(all + n_query, rule, n_rules * sizeof *all);
		err = us_vault_words_pack(all, n_query + n_rules, &s->words, &s->n_words);
	}
	free(all);
	free(rule);
	us_buf_free(&rules);
	return err != US_OK ? err : us_vault_words_split(&s->words, &s->word, &s->n_words);
}
