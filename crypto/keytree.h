/*
 * Every key derivation of docs/PROTOCOL.md section 2, by name. The tree is that of Goldreich,
 * Goldwasser and Micali ("How to construct random functions", J. ACM 33(4), 1986):
 * child(node, bit) = SHA-256("underseal/ggm/1" ‖ node ‖ u8 bit), one compression. A leaf's path
 * has 44 bits: 4 kind, 24 slot, 16 item.
 *
 * All functions are thread safe, return US_OK, US_ERR_RANGE (a slot or kind too large) or
 * US_ERR_CRYPTO. An output may be the same memory as an input.
 */
#ifndef US_CRYPTO_KEYTREE_H
#define US_CRYPTO_KEYTREE_H

#include "base/buf.h"
#include "crypto/key.h"

#define US_TREE_DEPTH 44
#define US_TREE_SUBTREE_DEPTH 28
#define US_SLOT_MAX 0xffffffu /* 24 bits of the tree's path */
#define US_BATCH_SALT_SIZE 32
#define US_RECORD_SALT_SIZE 16
#define US_CHUNK_SALT_SIZE 16
#define US_ERA_SHIFT 20

enum us_leaf_kind { US_LEAF_RECORD = 0, US_LEAF_SEGMENT = 1, US_LEAF_DICTIONARY = 2 };

/* From the root R. */
int us_root_check(const struct us_key *root, uint8_t out[32]);
/* The key that wraps collection keys in the keyring. */
int us_keyring_kek(const struct us_key *root, struct us_key *out);
/* The secret from which the keys of an entry's boxes come. */
int us_log_box_key(const struct us_key *root, struct us_key *out);
int us_log_box_private(const struct us_key *root, struct us_key *out); /* X25519 */
/* The key that wraps the private key of the vault's CA. */
int us_ca_wrap_key(const struct us_key *root, struct us_key *out);
/* The key that seals acts in the vault's store. */
int us_state_key(const struct us_key *root, struct us_key *out);
/* The key that seals the cursors of searches. */
int us_cursor_key(const struct us_key *root, struct us_key *out);
/* The key that seals the ledger when it is written down. */
int us_ledger_key(const struct us_key *root, struct us_key *out);

/* From the collection key C. */
int us_tree_root(const struct us_key *collection, struct us_key *out);
/* The root of all term keys of the collection. */
int us_term_root(const struct us_key *collection, struct us_key *out);
/* The key of the tags by which duplicates are found. */
int us_duplicate_key(const struct us_key *collection, struct us_key *out);

/* The path of a leaf as a number of 44 bits; its first depth bits name an inner node. */
int us_keytree_path(enum us_leaf_kind kind, uint32_t slot, uint16_t item, uint64_t *out);
/* The node at depth `to` on the way to `path`, from its ancestor at depth `from`
 * (from <= to <= 44). For punctured trees, whose cover is a set of inner nodes. */
int us_keytree_descend(const struct us_key *node, unsigned from, unsigned to, uint64_t path,
    struct us_key *out);
/* A batch's subtree key: the node at depth 28. */
int us_keytree_subtree(const struct us_key *tree_root, enum us_leaf_kind kind, uint32_t slot,
    struct us_key *out);
/* A leaf from the subtree key of its batch, of depth US_TREE_SUBTREE_DEPTH. */
int us_keytree_leaf_from_subtree(const struct us_key *subtree, uint16_t item, struct us_key *out);
/* A leaf from the root of the tree: kind, slot and item say which. US_ERR_RANGE if the slot is
 * above US_SLOT_MAX. */
int us_keytree_leaf(const struct us_key *tree_root, enum us_leaf_kind kind, uint32_t slot,
    uint16_t item, struct us_key *out);

/*
 * Many leaves of one subtree: remembers the way to the last leaf, so that neighbours share it
 * (items in ascending order cost two hashes a leaf instead of sixteen). Holds keys: lives in
 * us_secret_alloc() memory, or on the stack; wiped by its owner.
 */
struct us_keytree_walk {
	struct us_key node[17]; /* node[i] is i levels below the subtree key; node[0] is the key */
	uint16_t item;          /* the way that node[1 .. depth] stand for */
	unsigned depth;
};
/* Begins a walk below a subtree key, which is copied. */
void us_keytree_walk_begin(struct us_keytree_walk *w, const struct us_key *subtree);
/* The leaf of the item, any item in any order. After an error the walk goes on from its subtree
 * key. */
int us_keytree_walk_leaf(struct us_keytree_walk *w, uint16_t item, struct us_key *out);

/* From a leaf and the batch's (segment's, dictionary's) salt. */
int us_record_key(const struct us_key *leaf, const uint8_t salt[US_BATCH_SALT_SIZE],
    struct us_key *out);
/* The salt in the record's manifest leaf. */
int us_record_salt(const struct us_key *leaf, const uint8_t salt[US_BATCH_SALT_SIZE],
    uint8_t out[US_RECORD_SALT_SIZE]);
/* The key of the pages of a segment. */
int
us_page_key(const struct us_key *leaf, const uint8_t salt[US_BATCH_SALT_SIZE], struct us_key *out);
/* The key of a dictionary for compression. */
int us_dictionary_key(const struct us_key *leaf, const uint8_t salt[US_BATCH_SALT_SIZE],
    struct us_key *out);

/* Terms. An era is 2^20 record numbers. */
static inline uint32_t
us_era_of(uint64_t record)
{
	return (uint32_t)(record >> US_ERA_SHIFT);
}
/* The root of the term keys of one era, from us_term_root(). */
int us_era_term_root(const struct us_key *term_root, uint32_t era, struct us_key *out);
/* The key of one folded word in an era. */
int us_term_key(const struct us_key *era_root, struct us_bytes word, struct us_key *out);
/* The key of one stored chunk of a word's list. */
int us_chunk_key(const struct us_key *term_key, const uint8_t salt[US_CHUNK_SALT_SIZE],
    struct us_key *out);

/* The tag of a record's own id: equal ids have equal tags. */
int us_duplicate_tag_id(const struct us_key *duplicate_key, struct us_bytes id, uint8_t out[16]);
/* The tag of a record's source bytes. */
int us_duplicate_tag_content(const struct us_key *duplicate_key, struct us_bytes source,
    uint8_t out[8]);

#endif
