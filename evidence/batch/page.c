/* Seals of pages and dictionaries, and the tags pages. */
#include "evidence/batch/batch.h"

#include <string.h>

#include "crypto/crypto.h"
#include "base/err.h"

static const char page_label[] = "underseal/page/1";
static const char dictionary_label[] = "underseal/dictionary/1";

#define PAGE_AAD (sizeof page_label - 1 + 32 + 4 + 4 + 1 + 4)
#define DICTIONARY_AAD (sizeof dictionary_label - 1 + 32 + 4 + 4)

struct us_batch_page_seal {
	uint8_t nonce[US_GCM_NONCE_SIZE];
	uint8_t aad[PAGE_AAD];
};

static void
page_seal_fill(struct us_batch_page_seal *s, const struct us_batch_place *place,
    enum us_page_kind kind, uint32_t number)
{
	uint8_t *p = s->aad;

	memset(s->nonce, 0, sizeof s->nonce);
	s->nonce[0] = (uint8_t)kind;
	us_store_u32(s->nonce + 8, number);

	memcpy(p, page_label, sizeof page_label - 1);
	p += sizeof page_label - 1;
	memcpy(p, place->vault, 32);
	us_store_u32(p + 32, place->collection);
	us_store_u32(p + 36, place->slot);
	p[40] = (uint8_t)kind;
	us_store_u32(p + 41, number);
}

int
us_page_seal(const struct us_key *page_key, const struct us_batch_place *place,
    enum us_page_kind kind, uint32_t number, struct us_bytes plain, uint8_t *out)
{
	struct us_batch_page_seal s;
	struct us_gcm g;

	if (plain.n > US_PAGE_PLAIN_MAX)
		return US_ERR_LIMIT;
	page_seal_fill(&s, place, kind, number);
	g = (struct us_gcm){ .key = page_key, .nonce = s.nonce, .aad = { s.aad, sizeof s.aad } };
	return us_gcm_seal(&g, plain, out);
}

int
us_page_open(const struct us_key *page_key, const struct us_batch_place *place,
    enum us_page_kind kind, uint32_t number, struct us_bytes page, uint8_t *out)
{
	struct us_batch_page_seal s;
	struct us_gcm g;

	if (page.n > US_PAGE_MAX)
		return US_ERR_LIMIT;
	if (page.n < US_PAGE_TAG)
		return US_ERR_TRUNCATED;
	page_seal_fill(&s, place, kind, number);
	g = (struct us_gcm){ .key = page_key, .nonce = s.nonce, .aad = { s.aad, sizeof s.aad } };
	return us_gcm_open(&g, page, out);
}

static void
dictionary_aad(uint8_t aad[DICTIONARY_AAD], const uint8_t vault[32], uint32_t collection,
    uint32_t version)
{
	uint8_t *p = aad;

	memcpy(p, dictionary_label, sizeof dictionary_label - 1);
	p += sizeof dictionary_label - 1;
	memcpy(p, vault, 32);
	us_store_u32(p + 32, collection);
	us_store_u32(p + 36, version);
}

int
us_dictionary_seal(const struct us_key *key, const uint8_t vault[32], uint32_t collection,
    uint32_t version, struct us_bytes plain, struct us_buf *out)
{
	uint8_t aad[DICTIONARY_AAD], *p;
	struct us_gcm g = { .key = key, .nonce = NULL, .aad = { aad, sizeof aad } };
	size_t had = out->len;
	int err;

	if (plain.n > US_DICTIONARY_MAX)
		return US_ERR_LIMIT;
	dictionary_aad(aad, vault, collection, version);
	err = us_buf_extend(out, plain.n + US_PAGE_TAG, &p);
	if (err != US_OK)
		return err;
	err = us_gcm_seal(&g, plain, p);
	if (err != US_OK)
		out->len = had;
	return err;
}

int
us_dictionary_open(const struct us_key *key, const uint8_t vault[32], uint32_t collection,
    uint32_t version, struct us_bytes sealed, struct us_buf *out)
{
	uint8_t aad[DICTIONARY_AAD], *p;
	struct us_gcm g = { .key = key, .nonce = NULL, .aad = { aad, sizeof aad } };
	size_t had = out->len;
	int err;

	if (sealed.n < US_PAGE_TAG)
		return US_ERR_TRUNCATED;
	if (sealed.n > US_DICTIONARY_MAX + US_PAGE_TAG)
		return US_ERR_LIMIT;
	dictionary_aad(aad, vault, collection, version);
	err = us_buf_extend(out, sealed.n - US_PAGE_TAG, &p);
	if (err != US_OK)
		return err;
	err = us_gcm_open(&g, sealed, p);
	if (err != US_OK)
		out->len = had;
	return err;
}

int
us_tags_page_check(struct us_bytes page, size_t *n)
{
	size_t count, i;
	const uint8_t *tag;

	if (page.n < 2)
		return US_ERR_TRUNCATED;
	count = us_load_u16(page.p);
	if (count == 0 || count > US_TAGS_PER_PAGE)
		return US_ERR_FORMAT;
	if (page.n != 2 + count * sizeof(struct us_tag))
		return page.n < 2 + count * sizeof(struct us_tag) ? US_ERR_TRUNCATED :
								    US_ERR_TRAILING;
	tag = page.p + 2;
	for (i = 1; i < count; i++, tag += sizeof(struct us_tag)) {
		if (memcmp(tag, tag + sizeof(struct us_tag), sizeof(((struct us_tag *)0)->id)) >= 0)
			return US_ERR_FORMAT;
	}
	*n = count;
	return US_OK;
}
