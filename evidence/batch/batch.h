/*
 * The pages of a batch, byte-exact. A batch is up to 65,536 records of one collection under one
 * slot (docs/PROTOCOL.md section 1); the sealer writes its pages, the vault stores them as they
 * are and reads them back. The store is not trusted: every reader here takes hostile bytes.
 *
 * A stored page is at most US_PAGE_MAX bytes and is named by (collection, slot, kind, number);
 * numbers of a kind count from 0. Integers are big-endian.
 *
 * kind        sealed by                    holds
 * records     the records, one by one      directory in clear, then sealed records
 * directory   page key                     the first record of each record page
 * manifest    page key                     the nodes of the batch's RFC 6962 tree
 * segment     page key (evidence/index/segment.h)   the level-0 index segment
 * tags        not sealed: keyed digests    sorted duplicate tags
 * dictionary  dictionary key               a compression dictionary; slot is its *version*
 * act         state key                    the vault's own rows; no page of a batch
 *
 * Seal of a page under the page key: AES-256-GCM, stored as ciphertext ‖ tag(16), with
 *
 *   nonce (12) = u8 kind ‖ 7 zero bytes ‖ u32 number
 *   additional data = "underseal/page/1" ‖ vault id(32) ‖ u32 collection ‖ u32 slot ‖ u8 kind ‖ u32
 *   number
 *
 * Kind and number stand in the nonce, and a page key belongs to one slot and one salt, so no
 * (key, nonce) seals twice.
 *
 * A dictionary is AES-256-GCM under the dictionary key (drawn fresh, used once), nonce 12 zero
 * bytes, additional data "underseal/dictionary/1" ‖ vault id ‖ u32 collection ‖ u32 version; the
 * ciphertext and its tag are cut into pages of US_PAGE_MAX bytes, the last one shorter.
 *
 * Record page. Records stand in order of their item (place in the batch, 0 .. 65,535); each is
 * the sealed record of docs/PROTOCOL.md section 5. First byte:
 *   1  whole records: u8 1 ‖ u32 first item ‖ u16 n (1 or more) ‖ n × u16 length ‖ n records
 *   2  the begin of one that is larger than a page: u8 2 ‖ u32 item ‖ u32 length ‖ bytes, page full
 *   3  its continuation: u8 3 ‖ u32 item ‖ u32 offset of the first byte here ‖ bytes; full but for
 *      the last
 * Nothing may be left over in a page. No other record stands in the pages of a large one.
 *
 * Directory page: u8 1 ‖ u32 records of the batch ‖ u32 record pages of the batch ‖ u32 first
 * record page told here ‖ n × u16 first item. All directory pages but the last hold
 * US_DIRECTORY_PER_PAGE items.
 *
 * Manifest pages. The tree over n leaf hashes as levels: level 0 is the leaves, a node of level
 * l + 1 is SHA-256(0x01 ‖ left ‖ right) of two neighbours of level l, and a last one without
 * neighbour goes up unchanged; that gives the tree head and the inclusion paths of RFC 6962.
 *   leaf page p (number p): u8 1 ‖ u8 0 ‖ u16 m ‖ levels 0 .. 6 over the m leaves from 256 p on,
 *     level after level, each of ceil(m / 2^l) hashes; m is 256 but for the last page
 *   upper page (number ceil(n / 256), only if n > 256): u8 1 ‖ u8 1 ‖ u16 k ‖ levels 8 .. 13 in
 *     the same way, where level 8 has k = ceil(n / 256) hashes
 * A path needs one leaf page and the upper page, and at most four further hashings.
 *
 * Tags page: u16 n (1 or more) ‖ n × { id tag(16) ‖ content tag(8) }, in strictly ascending order
 * of the id tag over all pages; all pages but the last hold US_TAGS_PER_PAGE.
 */
#ifndef US_EVIDENCE_BATCH_BATCH_H
#define US_EVIDENCE_BATCH_BATCH_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "case/limits.h"
#include "crypto/key.h"

#define US_PAGE_MAX 16320u /* stored bytes of a page */
#define US_PAGE_TAG 16u
#define US_PAGE_PLAIN_MAX (US_PAGE_MAX - US_PAGE_TAG) /* 16,304 bytes inside a sealed page */
/* A sealed record: its container is at most US_RECORD_MAX and some, zstd never grows it much. */
#define US_SEALED_RECORD_MAX (9u * 1024u * 1024u)
#define US_DIRECTORY_PER_PAGE 8145u /* (16,304 - 13) / 2 */
#define US_MANIFEST_PER_PAGE 256u
#define US_TAGS_PER_PAGE 679u /* (16,320 - 2) / 24 */
#define US_DICTIONARY_MAX (112u * 1024u)
#define US_BATCH_KINDS 8 /* one more than the largest kind */

enum us_page_kind {
	US_PAGE_RECORDS = 1,
	US_PAGE_DIRECTORY = 2,
	US_PAGE_MANIFEST = 3,
	US_PAGE_SEGMENT = 4,
	US_PAGE_TAGS = 5,
	US_PAGE_DICTIONARY = 6,
	US_PAGE_ACT = 7,
};

/* Where a batch stands. vault: 32 bytes that outlive the struct. */
struct us_batch_place {
	const uint8_t *vault;
	uint32_t collection;
	uint32_t slot;
};

/* Seals one page: writes plain.n + 16 bytes. US_ERR_LIMIT if plain.n > US_PAGE_PLAIN_MAX. */
int us_page_seal(const struct us_key *page_key, const struct us_batch_place *place,
    enum us_page_kind kind, uint32_t number, struct us_bytes plain, uint8_t *out);
/* Opens one: writes page.n - 16 bytes. US_ERR_TRUNCATED, US_ERR_LIMIT, US_ERR_AUTH. */
int us_page_open(const struct us_key *page_key, const struct us_batch_place *place,
    enum us_page_kind kind, uint32_t number, struct us_bytes page, uint8_t *out);

/* A whole dictionary: appends plain.n + 16 bytes to out. US_ERR_LIMIT above US_DICTIONARY_MAX. */
int us_dictionary_seal(const struct us_key *key, const uint8_t vault[32], uint32_t collection,
    uint32_t version, struct us_bytes plain, struct us_buf *out);
/* Appends the plain dictionary to out. US_ERR_TRUNCATED, US_ERR_LIMIT, US_ERR_AUTH. */
int us_dictionary_open(const struct us_key *key, const uint8_t vault[32], uint32_t collection,
    uint32_t version, struct us_bytes sealed, struct us_buf *out);

/* A duplicate tag (docs/PROTOCOL.md section 2). */
struct us_tag {
	uint8_t id[16];
	uint8_t content[8];
};
/* Number of tags of a stored tags page; they begin at page.p + 2, 24 bytes each, and are in
 * order. US_ERR_TRUNCATED, US_ERR_TRAILING, US_ERR_FORMAT (none, too many, not ascending). */
int us_tags_page_check(struct us_bytes page, size_t *n);

#endif
