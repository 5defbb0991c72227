/*
 * RFC 6962 Merkle trees over SHA-256: hashing (section 2.1) and verification of inclusion and
 * consistency proofs by the algorithms of RFC 9162, 2.1.3.2 and 2.1.4.2. Subtree proofs: see
 * below. Pure functions, no allocation; safe in any number of threads.
 *
 * Hashing cannot be refused for a reason of the caller's; should the cryptographic library fail
 * (memory is out), these functions stop the process rather than give a wrong hash.
 *
 * Proofs are arrays of hashes from the leaf upwards, as in RFC 6962. Sizes are at most 2^63 - 1.
 */
#ifndef US_LOG_MERKLE_H
#define US_LOG_MERKLE_H

#include <stddef.h>
#include <stdint.h>

#define US_HASH_LEN 32
/* No proof in a tree of at most 2^63 - 1 leaves is longer (consistency: 64 + 1). */
#define US_PROOF_MAX 65
#define US_MERKLE_SIZE_MAX INT64_MAX

struct us_digest {
	uint8_t b[US_HASH_LEN];
};

/* SHA-256(0x00 || entry). */
void us_merkle_leaf(struct us_digest *out, const void *entry, size_t n);
/* SHA-256(0x01 || left || right). out may be left or right. */
void
us_merkle_node(struct us_digest *out, const struct us_digest *left, const struct us_digest *right);
/* The tree head over no leaves: SHA-256(""). */
void us_merkle_empty(struct us_digest *out);
/* The tree head over n leaf hashes in order. Needs no memory beyond the stack. */
void us_merkle_root(struct us_digest *out, const struct us_digest *leaves, size_t n);

/* The inclusion proof of leaf index among n leaf hashes, into at most US_PROOF_MAX hashes (costs
 * n - 1 hashings: for batches and tests; the log itself uses log/tree.h). US_ERR_RANGE. */
int us_merkle_prove(const struct us_digest *leaves, size_t n, size_t index, struct us_digest *proof,
    size_t *n_proof);

/* Whether the proof shows that leaf stands at index in the tree of that size and root.
 * US_OK, US_ERR_RANGE (index >= size), US_ERR_VERIFY. */
int us_merkle_verify_inclusion(const struct us_digest *leaf, uint64_t index, uint64_t size,
    const struct us_digest *proof, size_t n_proof, const struct us_digest *root);

/* Whether the tree (size1, root1) is a prefix of (size2, root2). Size 0 says nothing and is
 * refused, as in the Go library; equal sizes need an empty proof and equal roots.
 * US_OK, US_ERR_RANGE (size1 is 0 or more than size2), US_ERR_VERIFY. */
int us_merkle_verify_consistency(uint64_t size1, const struct us_digest *root1, uint64_t size2,
    const struct us_digest *root2, const struct us_digest *proof, size_t n_proof);

/*
 * Subtrees [start, end) of draft-ietf-plants-merkle-tree-certs, section 4: end > start and start
 * is a multiple of the smallest power of two that is not less than end - start. A subtree's hash is
 * the tree head over its leaves.
 */
int us_merkle_subtree_valid(uint64_t start, uint64_t end);
/* Whether leaf stands at index (counted in the whole log) in the subtree. Errors as above. */
int us_merkle_verify_subtree_inclusion(const struct us_digest *leaf, uint64_t index, uint64_t start,
    uint64_t end, const struct us_digest *proof, size_t n_proof, const struct us_digest *root);
/* Whether the subtree with that root is part of the tree (size, tree_root). The empty subtree is
 * part of every tree, by an empty proof. */
int us_merkle_verify_subtree_consistency(uint64_t start, uint64_t end, const struct us_digest *root,
    uint64_t size, const struct us_digest *tree_root, const struct us_digest *proof,
    size_t n_proof);

/*
 * A streaming tree head: leaves go in one by one, in memory of 64 hashes. The verifier's own way
 * to a root, which shares nothing with tree.c.
 */
struct us_merkle_stream {
	uint64_t size;
	struct us_digest peak[64]; /* peak[h] is valid exactly if bit h of size is set */
};
/* A tree without leaves. */
void us_merkle_stream_init(struct us_merkle_stream *s);
/* Appends a leaf hash. */
void us_merkle_stream_add(struct us_merkle_stream *s, const struct us_digest *leaf);
/* The root over all leaves so far; of none, the hash of nothing. More may follow. */
void us_merkle_stream_root(const struct us_merkle_stream *s, struct us_digest *root);

#endif
