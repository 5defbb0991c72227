/*
 * record_pages: prints the digests of what stands on the disk for fixed records under fixed keys
 * and salts: keys that follow from a root and a collection's key, containers, sealed records, the
 * pages of a batch and of an index segment. For tests/recording/record.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "evidence/batch/record.h"
#include "evidence/batch/writer.h"
#include "base/base64.h"
#include "crypto/crypto.h"
#include "base/err.h"
#include "crypto/keytree.h"
#include "evidence/index/doc.h"
#include "evidence/index/segment.h"

#define RECORDS 600u

static const uint8_t vault_id[32] = { 0x11 };
static const char *const words[] = { "harbour", "paywall", "court", "Stra\303\237e",
	"\321\201\321\203\320\264", "1984", "well-known", "water" };

static void
must(int err, const char *what)
{
	if (err != US_OK) {
		(void)fprintf(stderr, "%s: %s\n", what, us_strerror(err));
		exit(1);
	}
}

static void
put(const char *what, unsigned long number, const void *p, size_t n)
{
	uint8_t digest[32];
	char hex[65];

	must(us_sha256(p, n, digest), "SHA-256");
	us_hex_encode(digest, sizeof(digest), hex);
	(void)printf("%s %lu: %zu bytes, %s\n", what, number, n, hex);
}

static void
put_key(const char *what, const struct us_key *key)
{
	char hex[65];

	us_hex_encode(key->b, sizeof(key->b), hex);
	(void)printf("%s %s\n", what, hex);
}

/* Record i: one of each role in turn, words of its own. */
static size_t
compose(unsigned i, char *out, size_t size)
{
	return (size_t)snprintf(out, size, "%s %s, number %u; %s %s", words[i % 8],
	    words[i / 8 % 8], i, words[i / 64 % 8], words[i % 3]);
}

static void
derivations(struct us_key *subtree, struct us_key *page_key)
{
	static int (*const from_root[])(const struct us_key *, struct us_key *) = { us_keyring_kek,
		us_log_box_key, us_log_box_private, us_ca_wrap_key, us_state_key, us_cursor_key,
		us_tree_root, us_term_root, us_duplicate_key };
	const uint8_t salt[US_BATCH_SALT_SIZE] = { 0x22 };
	struct us_key fixed, key, era;
	uint8_t tag[16];

	memset(fixed.b, 0x5a, sizeof(fixed.b)); /* a key of nothing */
	for (size_t i = 0; i < sizeof(from_root) / sizeof(from_root[0]); i++) {
		must(from_root[i](&fixed, &key), "derivation");
		put_key("derived", &key);
	}
	must(us_keytree_subtree(&fixed, US_LEAF_RECORD, 77, subtree), "subtree");
	put_key("subtree", subtree);
	must(us_keytree_leaf(&fixed, US_LEAF_SEGMENT, 78, 79, &key), "leaf");
	put_key("leaf", &key);
	must(us_page_key(&key, salt, page_key), "page key");
	put_key("page key", page_key);
	must(us_dictionary_key(&key, salt, &era), "dictionary key");
	put_key("dictionary key", &era);
	must(us_era_term_root(&fixed, 3, &era), "era");
	must(us_term_key(&era, us_bytes_of("harbour"), &key), "term key");
	put_key("term key", &key);
	must(us_duplicate_tag_id(&fixed, us_bytes_of("c-1"), tag), "tag");
	put("tag", 0, tag, sizeof(tag));
}

static int
take_page(void *ctx, enum us_page_kind kind, uint32_t number, struct us_bytes page)
{
	(void)ctx;
	(void)printf("kind %u ", (unsigned)kind);
	put("page", number, page.p, page.n);
	return US_OK;
}

static void
add_record(struct us_batch_writer *w, struct us_packer *packer, const struct us_key *subtree,
    unsigned i)
{
	const uint8_t salt[US_BATCH_SALT_SIZE] = { 0x22 };
	const struct us_record_place place = { vault_id, 4, 1000 + i, 1 };
	struct us_buf container, packed;
	struct us_span span = { .role = (uint8_t)(1 + i % 4), .offset = 1 };
	struct us_key leaf, key;
	uint8_t *sealed, hash[32];
	char text[256] = "\"";
	size_t n = compose(i, text + 1, sizeof(text) - 2);

	text[n + 1] = '"';
	span.length = (uint32_t)n;
	us_buf_init(&container, US_CONTAINER_MAX);
	us_buf_init(&packed, US_CONTAINER_MAX);
	must(us_container_encode(&container, &span, 1, (struct us_bytes){ (uint8_t *)text, n + 2 }),
	    "container");
	must(us_packer_pack(packer, (struct us_bytes){ container.data, container.len }, &packed),
	    "packing");
	must(us_keytree_leaf_from_subtree(subtree, (uint16_t)i, &leaf), "leaf");
	must(us_record_key(&leaf, salt, &key), "record key");
	sealed = malloc(packed.len + US_RECORD_SEAL_OVERHEAD);
	must(sealed == NULL ?
		US_ERR_NOMEM :
		us_record_seal(&key, &place, (struct us_bytes){ packed.data, packed.len }, sealed),
	    "seal");
	if (i % 100 == 0) {
		put("container", i, container.data, container.len);
		put("sealed record", i, sealed, packed.len + US_RECORD_SEAL_OVERHEAD);
	}
	must(us_sha256(sealed, packed.len + US_RECORD_SEAL_OVERHEAD, hash), "SHA-256");
	must(us_batch_writer_add(w,
		 (struct us_bytes){ sealed, packed.len + US_RECORD_SEAL_OVERHEAD }, hash),
	    "record");
	free(sealed);
	us_buf_free(&container);
	us_buf_free(&packed);
}

static void
batch(const struct us_key *subtree, const struct us_key *page_key)
{
	const struct us_batch_writer_options options = { .place = { vault_id, 4, 77 },
		.page_key = page_key,
		.records = RECORDS,
		.emit = take_page };
	struct us_tag tags[40];
	struct us_batch_totals totals;
	struct us_batch_writer *w;
	struct us_packer *packer;
	uint32_t pages;

	must(us_batch_writer_new(&w, &options), "batch");
	must(us_packer_new(&packer, 0, (struct us_bytes){ NULL, 0 }), "packer");
	for (unsigned i = 0; i < RECORDS; i++)
		add_record(w, packer, subtree, i);
	must(us_batch_writer_finish(w, &totals), "batch");
	put("manifest root", totals.records, totals.manifest_root, sizeof(totals.manifest_root));
	us_packer_free(packer);
	us_batch_writer_free(w);
	for (unsigned i = 0; i < 40; i++) {
		memset(&tags[i], (int)(255 - 5 * i), sizeof(tags[i]));
		tags[i].content[0] = (uint8_t)i;
	}
	must(us_tags_write(tags, 40, take_page, NULL, &pages), "tags");
}

static int
term_key(void *ctx, struct us_bytes word, struct us_key *key)
{
	(void)ctx;
	return us_sha256(word.p, word.n, key->b);
}

static int
take_segment_page(void *ctx, uint32_t number, const uint8_t page[US_PAGE_PLAIN])
{
	(void)ctx;
	put("segment page", number, page, US_PAGE_PLAIN);
	return US_OK;
}

static void
segment(void)
{
	const struct us_segment_options options = { .docs_max = RECORDS,
		.salt = { 0x33 },
		.term_key = term_key };
	struct us_segment_writer *w;
	struct us_doc_builder *builder;
	struct us_buf doc;
	uint32_t pages;
	char text[256];

	us_buf_init(&doc, US_DOC_MAX);
	must(us_segment_writer_new(&options, &w), "segment");
	must(us_doc_builder_new(&builder), "document");
	for (unsigned i = 0; i < RECORDS; i++) {
		const struct us_doc_meta meta = { .created_ns = INT64_C(1700000000000000000) + i,
			.model = us_bytes_of(i % 2 ? "gpt-4" : "gpt-3.5"),
			.language = us_bytes_of("en"),
			.designation = us_bytes_of(i % 5 ? "" : "AEO") };
		size_t n = compose(i, text, sizeof(text));

		us_buf_reset(&doc);
		must(us_doc_begin(builder, &meta), "document");
		must(us_doc_message(builder, (enum us_message_role)(1 + i % 4), text, n),
		    "message");
		must(us_doc_message(builder, US_MESSAGE_USER, "water and harbour", 17), "message");
		must(us_doc_end(builder, &doc), "document");
		if (i % 100 == 0)
			put("document", i, doc.data, doc.len);
		must(us_segment_writer_add(w, (struct us_bytes){ doc.data, doc.len }), "document");
	}
	must(us_segment_writer_finish(w, take_segment_page, NULL, &pages), "segment");
	us_doc_builder_free(builder);
	us_segment_writer_free(w);
	us_buf_free(&doc);
}

int
main(void)
{
	struct us_key subtree, page_key;

	must(us_crypto_init(), "crypto");
	derivations(&subtree, &page_key);
	batch(&subtree, &page_key);
	segment();
	return 0;
}
