/* Content words whose keys are asked for: sorted, each once, packed as str16 for the keeper. */
#ifndef US_DAEMON_VAULT_EVIDENCE_WORDS_H
#define US_DAEMON_VAULT_EVIDENCE_WORDS_H

#include "base/buf.h"

/* Sorts the n words and appends each once; *n_out: how many. Errors of the buffer. */
int us_vault_words_pack(struct us_bytes *words, size_t n, struct us_buf *out, size_t *n_out);
/* *out: views of packed words, the caller's to free; NULL if there are none. *n: how many.
 * US_ERR_NOMEM, US_ERR_FORMAT. */
int us_vault_words_split(const struct us_buf *packed, struct us_bytes **out, size_t *n);

#endif
