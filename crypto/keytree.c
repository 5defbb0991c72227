#include "crypto/keytree.h"

#include <string.h>

#include "crypto/crypto.h"
#include "base/err.h"

static const char ggm_label[] = "underseal/ggm/1";
#define GGM_LABEL_SIZE (sizeof ggm_label - 1)
#define GGM_BLOCK_SIZE (GGM_LABEL_SIZE + US_KEY_SIZE + 1)

#define SUBTREE_LEVELS (US_TREE_DEPTH - US_TREE_SUBTREE_DEPTH)

/* SHA-256(label ‖ a ‖ b). */
static int
label_hash(const char *label, const struct us_key *a, struct us_bytes b, uint8_t out[32])
{
	struct us_bytes parts[3] = { us_bytes_of(label), { a->b, sizeof a->b }, b };

	return us_sha256_parts(parts, 3, out);
}

/* The block's node is replaced level by level, so that a path costs one copy a level. */
static int
walk_down(struct us_key *node, unsigned levels, uint64_t path, struct us_key *trail)
{
	uint8_t block[GGM_BLOCK_SIZE];
	int err = US_OK;

	memcpy(block, ggm_label, GGM_LABEL_SIZE);
	memcpy(block + GGM_LABEL_SIZE, node->b, US_KEY_SIZE);
	while (levels-- != 0 && err == US_OK) {
		block[GGM_BLOCK_SIZE - 1] = (uint8_t)(path >> levels & 1);
		err = us_sha256(block, sizeof block, block + GGM_LABEL_SIZE);
		if (trail != NULL)
			memcpy(trail++, block + GGM_LABEL_SIZE, US_KEY_SIZE);
	}
	if (err == US_OK)
		memcpy(node->b, block + GGM_LABEL_SIZE, US_KEY_SIZE);
	us_wipe(block, sizeof block);
	return err;
}

int
us_keytree_path(enum us_leaf_kind kind, uint32_t slot, uint16_t item, uint64_t *out)
{
	if ((unsigned)kind > 15 || slot > US_SLOT_MAX)
		return US_ERR_RANGE;
	*out = (uint64_t)kind << 40 | (uint64_t)slot << 16 | item;
	return US_OK;
}

int
us_keytree_descend(const struct us_key *node, unsigned from, unsigned to, uint64_t path,
    struct us_key *out)
{
	if (from > to || to > US_TREE_DEPTH || path >> US_TREE_DEPTH != 0)
		return US_ERR_RANGE;
	*out = *node;
	return walk_down(out, to - from, path >> (US_TREE_DEPTH - to), NULL);
}

int
us_keytree_subtree(const struct us_key *tree_root, enum us_leaf_kind kind, uint32_t slot,
    struct us_key *out)
{
	uint64_t path;
	int err = us_keytree_path(kind, slot, 0, &path);

	return err != US_OK ? err :
			      us_keytree_descend(tree_root, 0, US_TREE_SUBTREE_DEPTH, path, out);
}

int
us_keytree_leaf_from_subtree(const struct us_key *subtree, uint16_t item, struct us_key *out)
{
	return us_keytree_descend(subtree, US_TREE_SUBTREE_DEPTH, US_TREE_DEPTH, item, out);
}

int
us_keytree_leaf(const struct us_key *tree_root, enum us_leaf_kind kind, uint32_t slot,
    uint16_t item, struct us_key *out)
{
	uint64_t path;
	int err = us_keytree_path(kind, slot, item, &path);

	return err != US_OK ? err : us_keytree_descend(tree_root, 0, US_TREE_DEPTH, path, out);
}

void
us_keytree_walk_begin(struct us_keytree_walk *w, const struct us_key *subtree)
{
	w->node[0] = *subtree;
	w->item = 0;
	w->depth = 0;
}

int
us_keytree_walk_leaf(struct us_keytree_walk *w, uint16_t item, struct us_key *out)
{
	unsigned differ = (unsigned)(w->item ^ item);
	/* levels that the way to this item shares with the way to the last one */
	unsigned shared = differ == 0 ? SUBTREE_LEVELS : (unsigned)__builtin_clz(differ) - 16;
	struct us_key node;
	int err;

	if (shared > w->depth)
		shared = w->depth;
	node = w->node[shared];
	err = walk_down(&node, SUBTREE_LEVELS - shared, item, &w->node[shared + 1]);
	if (err == US_OK) {
		w->item = item;
		w->depth = SUBTREE_LEVELS;
		*out = node;
	} else {
		w->depth = 0;
	}
	us_wipe(&node, sizeof node);
	return err;
}

int
us_root_check(const struct us_key *root, uint8_t out[32])
{
	struct us_key check;
	int err = us_key_derive(root, "underseal/root-check/1", &check);

	if (err == US_OK)
		memcpy(out, check.b, sizeof check.b);
	return err;
}

int
us_keyring_kek(const struct us_key *root, struct us_key *out)
{
	return us_key_derive(root, "underseal/keyring/1", out);
}

int
us_log_box_key(const struct us_key *root, struct us_key *out)
{
	return us_key_derive(root, "underseal/log-box/1", out);
}

int
us_log_box_private(const struct us_key *root, struct us_key *out)
{
	return us_key_derive(root, "underseal/log-x25519/1", out);
}

int
us_ca_wrap_key(const struct us_key *root, struct us_key *out)
{
	return us_key_derive(root, "underseal/ca/1", out);
}

int
us_state_key(const struct us_key *root, struct us_key *out)
{
	return us_key_derive(root, "underseal/state/1", out);
}

int
us_cursor_key(const struct us_key *root, struct us_key *out)
{
	return us_key_derive(root, "underseal/cursor/1", out);
}

int
us_ledger_key(const struct us_key *root, struct us_key *out)
{
	return us_key_derive(root, "underseal/ledger-key/1", out);
}

int
us_tree_root(const struct us_key *collection, struct us_key *out)
{
	return us_key_derive(collection, "underseal/tree/1", out);
}

int
us_term_root(const struct us_key *collection, struct us_key *out)
{
	return us_key_derive(collection, "underseal/terms/1", out);
}

int
us_duplicate_key(const struct us_key *collection, struct us_key *out)
{
	return us_key_derive(collection, "underseal/duplicates/1", out);
}

int
us_record_key(const struct us_key *leaf, const uint8_t salt[US_BATCH_SALT_SIZE], struct us_key *out)
{
	return label_hash("underseal/record-key/1", leaf,
	    (struct us_bytes){ salt, US_BATCH_SALT_SIZE }, out->b);
}

int
us_record_salt(const struct us_key *leaf, const uint8_t salt[US_BATCH_SALT_SIZE],
    uint8_t out[US_RECORD_SALT_SIZE])
{
	uint8_t digest[32];
	int err = label_hash("underseal/record-salt/1", leaf,
	    (struct us_bytes){ salt, US_BATCH_SALT_SIZE }, digest);

	if (err == US_OK)
		memcpy(out, digest, US_RECORD_SALT_SIZE);
	us_wipe(digest, sizeof digest);
	return err;
}

int
us_page_key(const struct us_key *leaf, const uint8_t salt[US_BATCH_SALT_SIZE], struct us_key *out)
{
	return label_hash("underseal/page-key/1", leaf,
	    (struct us_bytes){ salt, US_BATCH_SALT_SIZE }, out->b);
}

int
us_dictionary_key(const struct us_key *leaf, const uint8_t salt[US_BATCH_SALT_SIZE],
    struct us_key *out)
{
	return label_hash("underseal/dictionary-key/1", leaf,
	    (struct us_bytes){ salt, US_BATCH_SALT_SIZE }, out->b);
}

int
us_era_term_root(const struct us_key *term_root, uint32_t era, struct us_key *out)
{
	uint8_t number[4];
	struct us_bytes info[2] = { us_bytes_of("underseal/era/1"), { number, sizeof number } };

	us_store_u32(number, era);
	return us_hkdf_expand((struct us_bytes){ term_root->b, sizeof term_root->b }, info, 2,
	    out->b, sizeof out->b);
}

int
us_term_key(const struct us_key *era_root, struct us_bytes word, struct us_key *out)
{
	return us_hmac_sha256((struct us_bytes){ era_root->b, sizeof era_root->b }, &word, 1,
	    out->b);
}

int
us_chunk_key(const struct us_key *term_key, const uint8_t salt[US_CHUNK_SALT_SIZE],
    struct us_key *out)
{
	return label_hash("underseal/chunk/1", term_key,
	    (struct us_bytes){ salt, US_CHUNK_SALT_SIZE }, out->b);
}

static int
duplicate_tag(const struct us_key *key, const char *kind, struct us_bytes text, struct us_bytes out)
{
	struct us_bytes parts[2] = { us_bytes_of(kind), text };
	uint8_t mac[32];
	int err = us_hmac_sha256((struct us_bytes){ key->b, sizeof key->b }, parts, 2, mac);

	if (err == US_OK)
		memcpy((uint8_t *)(uintptr_t)out.p, mac, out.n);
	us_wipe(mac, sizeof mac);
	return err;
}

int
us_duplicate_tag_id(const struct us_key *duplicate_key, struct us_bytes id, uint8_t out[16])
{
	return duplicate_tag(duplicate_key, "i", id, (struct us_bytes){ out, 16 });
}

int
us_duplicate_tag_content(const struct us_key *duplicate_key, struct us_bytes source, uint8_t out[8])
{
	return duplicate_tag(duplicate_key, "c", source, (struct us_bytes){ out, 8 });
}
