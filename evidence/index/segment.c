#include "evidence/index/segment.h"

#include <stdlib.h>
#include <string.h>

#include "crypto/crypto.h"
#include "base/err.h"
#include "evidence/index/segment_internal.h"

void
us_term_content(struct us_term *t, struct us_bytes word)
{
	t->b[0] = US_TERM_CONTENT;
	t->n = 1 + (word.n < US_TERM_MAX ? word.n : US_TERM_MAX - 1);
	if (t->n > 1)
		memcpy(t->b + 1, word.p, t->n - 1);
}

void
us_term_meta(struct us_term *t, enum us_query_field field, struct us_bytes value)
{
	static const char LETTERS[] = { [US_FIELD_MODEL] = 'm',
		[US_FIELD_LANGUAGE] = 'l',
		[US_FIELD_DESIGNATION] = 'd',
		[US_FIELD_ROLE] = 'r' };
	static const char *const ROLES[] = { "system", "user", "assistant", "tool" };

	t->b[0] = US_TERM_META;
	t->b[1] = (uint8_t)LETTERS[field];
	t->n = 2 + (value.n < US_TERM_MAX - 2 ? value.n : US_TERM_MAX - 2);
	if (t->n > 2)
		memcpy(t->b + 2, value.p, t->n - 2);
	if (field != US_FIELD_ROLE)
		return;
	for (uint8_t i = 0; i < 4; i++) {
		if (us_bytes_is(value, ROLES[i])) {
			t->b[2] = (uint8_t)('1' + i);
			t->n = 3;
		}
	}
}

int
us_chunk_crypt(const struct us_key *chunk_key, enum us_list list, uint64_t at, uint8_t *p, size_t n)
{
	uint8_t iv[16] = { (uint8_t)list }, skipped[16] = { 0 };
	size_t in_block = (size_t)(at % 16), head;
	int err;

	if (n == 0)
		return US_OK;
	us_store_u64(iv + 8, at / 16);
	if (in_block != 0) {
		/* into the middle of a block: through a block of its own */
		head = n < 16 - in_block ? n : 16 - in_block;
		memcpy(skipped + in_block, p, head);
		err = us_ctr_xor(chunk_key, iv, (struct us_bytes){ skipped, 16 }, skipped);
		if (err != US_OK)
			return err;
		memcpy(p, skipped + in_block, head);
		us_wipe(skipped, sizeof skipped);
		us_store_u64(iv + 8, at / 16 + 1);
		p += head;
		n -= head;
	}
	return n == 0 ? US_OK : us_ctr_xor(chunk_key, iv, (struct us_bytes){ p, n }, p);
}

int
us_term_table_key(void *ctx, struct us_bytes word, struct us_key *key)
{
	const struct us_term_table *t = ctx;
	size_t low = 0, high = t->n, middle;
	int c;

	while (low < high) {
		middle = (low + high) / 2;
		c = memcmp(word.p, t->words[middle].p,
		    word.n < t->words[middle].n ? word.n : t->words[middle].n);
		if (c == 0)
			c = (word.n > t->words[middle].n) - (word.n < t->words[middle].n);
		if (c == 0) {
			*key = t->keys[middle];
			return US_OK;
		}
		if (c < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return US_ERR_NOT_FOUND;
}
