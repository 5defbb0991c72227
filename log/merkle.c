#include "log/merkle.h"

#include <string.h>

#include "base/buf.h"
#include "crypto/crypto.h"
#include "base/err.h"
#include "base/log.h"

static void
must(int err)
{
	if (err != US_OK)
		us_fatal("SHA-256: %s", us_strerror(err));
}

void
us_merkle_leaf(struct us_digest *out, const void *entry, size_t n)
{
	const uint8_t prefix = 0x00;
	const struct us_bytes parts[2] = { { &prefix, 1 }, { entry, n } };

	must(us_sha256_parts(parts, 2, out->b));
}

void
us_merkle_node(struct us_digest *out, const struct us_digest *left, const struct us_digest *right)
{
	uint8_t block[1 + 2 * US_HASH_LEN];

	block[0] = 0x01;
	memcpy(block + 1, left->b, US_HASH_LEN);
	memcpy(block + 1 + US_HASH_LEN, right->b, US_HASH_LEN);
	must(us_sha256(block, sizeof block, out->b));
}

void
us_merkle_empty(struct us_digest *out)
{
	must(us_sha256("", 0, out->b));
}

void
us_merkle_stream_init(struct us_merkle_stream *s)
{
	s->size = 0;
}

void
us_merkle_stream_add(struct us_merkle_stream *s, const struct us_digest *leaf)
{
	struct us_digest h = *leaf;
	uint64_t size = s->size;
	unsigned level = 0;

	/* A carry of the binary counter joins two trees of equal height. */
	for (; size & 1; size >>= 1, level++)
		us_merkle_node(&h, &s->peak[level], &h);
	s->peak[level] = h;
	s->size++;
}

void
us_merkle_stream_root(const struct us_merkle_stream *s, struct us_digest *root)
{
	struct us_digest h;
	unsigned level = 0;

	if (s->size == 0) {
		us_merkle_empty(root);
		return;
	}
	while (!(s->size >> level & 1))
		level++;
	h = s->peak[level];
	while (++level < 64 && s->size >> level != 0)
		if (s->size >> level & 1)
			us_merkle_node(&h, &s->peak[level], &h);
	*root = h;
}

void
us_merkle_root(struct us_digest *out, const struct us_digest *leaves, size_t n)
{
	struct us_merkle_stream s;
	size_t i;

	us_merkle_stream_init(&s);
	for (i = 0; i < n; i++)
		us_merkle_stream_add(&s, &leaves[i]);
	us_merkle_stream_root(&s, out);
}

/* The largest power of two below n, for n > 1. */
static size_t
split(size_t n)
{
	size_t k = 1;

	while (k < n - k)
		k <<= 1;
	return k;
}

int
us_merkle_prove(const struct us_digest *leaves, size_t n, size_t index, struct us_digest *proof,
    size_t *n_proof)
{
	struct us_digest down[US_PROOF_MAX];
	size_t depth = 0, i, k;

	if (index >= n)
		return US_ERR_RANGE;
	while (n > 1) {
		k = split(n);
		if (index < k) {
			us_merkle_root(&down[depth++], leaves + k, n - k);
			n = k;
		} else {
			us_merkle_root(&down[depth++], leaves, k);
			leaves += k;
			index -= k;
			n -= k;
		}
	}
	for (i = 0; i < depth; i++)
		proof[i] = down[depth - 1 - i];
	*n_proof = depth;
	return US_OK;
}

static int
same(const struct us_digest *a, const struct us_digest *b)
{
	return memcmp(a->b, b->b, US_HASH_LEN) == 0;
}

int
us_merkle_verify_inclusion(const struct us_digest *leaf, uint64_t index, uint64_t size,
    const struct us_digest *proof, size_t n_proof, const struct us_digest *root)
{
	struct us_digest r = *leaf;
	uint64_t fn = index, sn;
	size_t i;

	if (size > US_MERKLE_SIZE_MAX || index >= size)
		return US_ERR_RANGE;
	sn = size - 1;
	for (i = 0; i < n_proof; i++) {
		if (sn == 0)
			return US_ERR_VERIFY;
		if ((fn & 1) || fn == sn) {
			us_merkle_node(&r, &proof[i], &r);
			while (!(fn & 1) && fn != 0) {
				fn >>= 1;
				sn >>= 1;
			}
		} else {
			us_merkle_node(&r, &r, &proof[i]);
		}
		fn >>= 1;
		sn >>= 1;
	}
	return sn == 0 && same(&r, root) ? US_OK : US_ERR_VERIFY;
}

int
us_merkle_verify_consistency(uint64_t size1, const struct us_digest *root1, uint64_t size2,
    const struct us_digest *root2, const struct us_digest *proof, size_t n_proof)
{
	if (size1 == 0 || size1 > size2 || size2 > US_MERKLE_SIZE_MAX)
		return US_ERR_RANGE;
	if (size1 == size2)
		return n_proof == 0 && same(root1, root2) ? US_OK : US_ERR_VERIFY;
	/* [0, size1) is a subtree, and for it the algorithm below is that of 2.1.4.2. */
	return us_merkle_verify_subtree_consistency(0, size1, root1, size2, root2, proof, n_proof);
}

int
us_merkle_subtree_valid(uint64_t start, uint64_t end)
{
	uint64_t span = 1;

	if (end > US_MERKLE_SIZE_MAX || start >= end)
		return 0;
	while (span < end - start)
		span <<= 1;
	return (start & (span - 1)) == 0;
}

int
us_merkle_verify_subtree_inclusion(const struct us_digest *leaf, uint64_t index, uint64_t start,
    uint64_t end, const struct us_digest *proof, size_t n_proof, const struct us_digest *root)
{
	if (!us_merkle_subtree_valid(start, end) || index < start || index >= end)
		return US_ERR_RANGE;
	return us_merkle_verify_inclusion(leaf, index - start, end - start, proof, n_proof, root);
}

int
us_merkle_verify_subtree_consistency(uint64_t start, uint64_t end, const struct us_digest *root,
    uint64_t size, const struct us_digest *tree_root, const struct us_digest *proof, size_t n_proof)
{
	struct us_digest fr, sr;
	uint64_t fn, sn, tn;
	size_t i = 0;

	if (size > US_MERKLE_SIZE_MAX || end > size)
		return US_ERR_RANGE;
	if (start == end) {
		/* No leaves: part of every tree, and there is nothing to prove. */
		us_merkle_empty(&fr);
		return n_proof == 0 && same(&fr, root) ? US_OK : US_ERR_VERIFY;
	}
	if (!us_merkle_subtree_valid(start, end))
		return US_ERR_RANGE;
	fn = start;
	sn = end - 1;
	tn = size - 1;
	/* Up to where the subtree is one node of the tree, or else to its last full left child. */
	while (fn != sn && (sn == tn || (sn & 1))) {
		fn >>= 1;
		sn >>= 1;
		tn >>= 1;
	}
	if (fn == sn) {
		fr = sr = *root;
	} else {
		if (n_proof == 0)
			return US_ERR_VERIFY;
		fr = sr = proof[i++];
	}
	for (; i < n_proof; i++) {
		if (tn == 0)
			return US_ERR_VERIFY;
		if ((sn & 1) || sn == tn) {
			if (fn < sn)
				us_merkle_node(&fr, &proof[i], &fr);
			us_merkle_node(&sr, &proof[i], &sr);
			while (!(sn & 1) && sn != 0) {
				fn >>= 1;
				sn >>= 1;
				tn >>= 1;
			}
		} else {
			us_merkle_node(&sr, &sr, &proof[i]);
		}
		fn >>= 1;
		sn >>= 1;
		tn >>= 1;
	}
	return tn == 0 && same(&fr, root) && same(&sr, tree_root) ? US_OK : US_ERR_VERIFY;
}
