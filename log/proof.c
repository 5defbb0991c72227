#include "log/proof.h"

#include <string.h>

#include "base/base64.h"
#include "base/err.h"
#include "base/number.h"

#define HEAD "c2sp.org/tlog-proof@v1\n"

int
us_tlog_proof_encode(struct us_buf *out, const struct us_tlog_proof *p)
{
	char b64[US_BASE64_SIZE(US_HASH_LEN) + 1];
	size_t i, before = out->len;
	int err;

	if (p->n_hashes > US_PROOF_MAX || p->extra.n > US_TLOG_PROOF_EXTRA_MAX)
		return US_ERR_LIMIT;
	err = us_buf_put(out, HEAD, strlen(HEAD));
	if (err == US_OK && p->extra.p != NULL) {
		err = us_buf_put(out, "extra ", 6);
		if (err == US_OK)
			err = us_base64_put(out, p->extra.p, p->extra.n);
		if (err == US_OK)
			err = us_buf_put_u8(out, '\n');
	}
	if (err == US_OK)
		err = us_buf_putf(out, "index %llu\n", (unsigned long long)p->index);
	for (i = 0; err == US_OK && i < p->n_hashes; i++) {
		us_base64_encode(p->hashes[i].b, US_HASH_LEN, b64);
		b64[sizeof b64 - 1] = '\n';
		err = us_buf_put(out, b64, sizeof b64);
	}
	if (err == US_OK)
		err = us_buf_put_u8(out, '\n');
	if (err == US_OK)
		err = us_buf_put(out, p->checkpoint.p, p->checkpoint.n);
	if (err != US_OK)
		out->len = before;
	return err;
}

/* Lines are taken with take(); an empty line has n == 0. */
static int
take(const uint8_t **p, size_t *left, struct us_bytes *line)
{
	const uint8_t *end = *left == 0 ? NULL : memchr(*p, '\n', *left);

	if (end == NULL)
		return 0;
	line->p = *p;
	line->n = (size_t)(end - *p);
	*left -= line->n + 1;
	*p = end + 1;
	return 1;
}

static int
has_prefix(struct us_bytes line, const char *prefix)
{
	size_t n = strlen(prefix);

	return line.n >= n && memcmp(line.p, prefix, n) == 0;
}

static int
parse_index(struct us_bytes line, uint64_t *out)
{
	static const char name[] = "index ";
	const size_t n = sizeof name - 1;

	return has_prefix(line, name) ? us_number_parse(line.p + n, line.n - n, INT64_MAX, out) :
					US_ERR_FORMAT;
}

int
us_tlog_proof_parse(struct us_tlog_proof *out, const void *text, size_t n)
{
	struct us_tlog_proof o;
	struct us_bytes line;
	const uint8_t *p = text;
	size_t left = n, got;
	int err;

	memset(&o, 0, sizeof o);
	if (left < strlen(HEAD) || memcmp(p, HEAD, strlen(HEAD)) != 0)
		return US_ERR_FORMAT;
	p += strlen(HEAD);
	left -= strlen(HEAD);
	if (!take(&p, &left, &line))
		return US_ERR_FORMAT;
	if (has_prefix(line, "extra ")) {
		o.extra.p = line.p + 6;
		o.extra.n = line.n - 6;
		if (o.extra.n > US_BASE64_SIZE(US_TLOG_PROOF_EXTRA_MAX))
			return US_ERR_LIMIT;
		if (!take(&p, &left, &line))
			return US_ERR_FORMAT;
	}
	err = parse_index(line, &o.index);
	if (err != US_OK)
		return err;
	for (;;) {
		if (!take(&p, &left, &line))
			return US_ERR_FORMAT;
		if (line.n == 0)
			break;
		if (o.n_hashes == US_PROOF_MAX)
			return US_ERR_LIMIT;
		if (us_base64_decode((const char *)line.p, line.n, o.hashes[o.n_hashes].b,
			US_HASH_LEN, &got) != US_OK ||
		    got != US_HASH_LEN)
			return US_ERR_FORMAT;
		o.n_hashes++;
	}
	if (left == 0)
		return US_ERR_FORMAT;
	o.checkpoint.p = p;
	o.checkpoint.n = left;
	*out = o;
	return US_OK;
}

int
us_tlog_proof_verify(const void *text, size_t n, const struct us_digest *leaf,
    const struct us_note_key *keys, size_t n_keys, struct us_tlog_proof *proof,
    struct us_checkpoint *checkpoint)
{
	struct us_tlog_proof p;
	struct us_checkpoint c;
	int err;

	err = us_tlog_proof_parse(&p, text, n);
	if (err == US_OK)
		err = us_checkpoint_open(&c, NULL, p.checkpoint.p, p.checkpoint.n, keys, n_keys);
	if (err == US_OK)
		err = us_merkle_verify_inclusion(leaf, p.index, c.size, p.hashes, p.n_hashes,
		    &c.root);
	if (err != US_OK)
		return err;
	if (proof != NULL)
		*proof = p;
	if (checkpoint != NULL)
		*checkpoint = c;
	return US_OK;
}
