#include "log/entry.h"

#include <string.h>

#include "crypto/crypto.h"
#include "base/err.h"

#define MAGIC "USE1"
#define SEALED_MAX 1024
#define PREFIX_MAX (4 + 4 + 4 + 8 + 8 + 32 + US_ENTRY_SALT + 2 + SEALED_MAX)
#define PAD_MIN 128
#define PAD_DOUBLING_MAX 4096

static struct us_bytes
label(const char *s)
{
	return us_bytes_of(s);
}

size_t
us_entry_padded(size_t n)
{
	size_t want = n + 2, size = PAD_MIN;

	if (want > PAD_DOUBLING_MAX)
		return (size_t)us_padme(want);
	while (size < want)
		size *= 2;
	return size;
}

int
us_entry_box_keys(struct us_key keys[US_BOXES], const struct us_key *secret,
    const uint8_t vault_id[32], uint64_t index, const uint8_t salt[US_ENTRY_SALT])
{
	uint8_t number[8];
	struct us_bytes info[4];

	us_store_u64(number, index);
	info[0] = label("underseal/entry-boxes/1");
	info[1] = (struct us_bytes){ vault_id, 32 };
	info[2] = (struct us_bytes){ number, 8 };
	info[3] = (struct us_bytes){ salt, US_ENTRY_SALT };
	return us_hkdf_expand((struct us_bytes){ secret->b, sizeof secret->b }, info, 4, keys[0].b,
	    US_BOXES * sizeof keys[0]);
}

int
us_entry_commitment(uint8_t out[32], enum us_box box, uint64_t index, const struct us_key *key)
{
	uint8_t place[9];
	struct us_bytes parts[3];

	place[0] = (uint8_t)box;
	us_store_u64(place + 1, index);
	parts[0] = label("underseal/box/1");
	parts[1] = (struct us_bytes){ place, sizeof place };
	parts[2] = (struct us_bytes){ key->b, sizeof key->b };
	return us_sha256_parts(parts, 3, out);
}

int
us_entry_state_commitment(uint8_t out[32], const uint8_t state_digest[32],
    const uint8_t manifest_root[32])
{
	struct us_bytes parts[3];

	parts[0] = label("underseal/entry-state/1");
	parts[1] = (struct us_bytes){ state_digest, 32 };
	parts[2] = (struct us_bytes){ manifest_root, 32 };
	return us_sha256_parts(parts, 3, out);
}

/* Everything before the first box. */
static int
put_prefix(struct us_buf *out, const struct us_entry_in *in)
{
	uint8_t *p;
	int err, state = in->entry_class == US_CLASS_STATE, boot = in->sealed.n > 0;

	err = us_buf_extend(out, 28, &p);
	if (err != US_OK)
		return err;
	memcpy(p, MAGIC, 4);
	p[4] = (uint8_t)in->entry_class;
	p[5] = boot ? US_ENTRY_BOOT : 0;
	us_store_u16(p + 6, 0);
	us_store_u32(p + 8, in->order_version);
	us_store_u64(p + 12, in->index);
	us_store_u64(p + 20, (uint64_t)in->time_ns);
	if (state) {
		err = us_buf_extend(out, 32, &p);
		if (err == US_OK)
			err = us_entry_state_commitment(p, in->state_digest, in->manifest_root);
	}
	if (err == US_OK)
		err = us_buf_put(out, in->salt, US_ENTRY_SALT);
	if (err == US_OK && boot)
		err = us_buf_put_str16(out, in->sealed.p, in->sealed.n);
	return err;
}

static int
put_content(struct us_buf *out, const struct us_entry_in *in, enum us_box box)
{
	int err = US_OK;

	switch (box) {
	case US_BOX_ACCESS:
		if (in->access != NULL)
			err = us_entry_access_encode(out, in->access);
		break;
	case US_BOX_DISCLOSURE:
		if (in->disclosure != NULL)
			err = us_entry_disclosure_encode(out, in->disclosure);
		break;
	case US_BOX_QUERY:
		if (in->query != NULL)
			err = us_entry_query_encode(out, in->query);
		break;
	case US_BOXES:
		err = US_ERR_ARG;
		break;
	}
	return err;
}

/* Appends one box; the content is written in place, then padded and sealed over itself. aad is the
 * prefix, with room for the box's number behind it. */
static int
put_box(struct us_buf *out, const struct us_entry_in *in, enum us_box box, const struct us_key *key,
    uint8_t *aad, size_t aad_n)
{
	struct us_gcm gcm = { key, NULL, { aad, aad_n + 1 } };
	size_t head = out->len, start = head + 34, content, size;
	uint8_t *p;
	int err;

	err = us_buf_extend(out, 34 + 2, &p);
	if (err == US_OK)
		err = put_content(out, in, box);
	if (err != US_OK)
		return err;
	content = out->len - start - 2;
	if (content > US_ENTRY_CONTENT_MAX)
		return US_ERR_LIMIT;
	size = us_entry_padded(content);
	if (size + US_GCM_TAG_SIZE > UINT16_MAX)
		return US_ERR_LIMIT;
	err = us_buf_extend(out, size - content - 2 + US_GCM_TAG_SIZE, &p);
	if (err != US_OK)
		return err;
	memset(p, 0, size - content - 2 + US_GCM_TAG_SIZE);
	p = out->data + head;
	us_store_u16(p + 32, (uint16_t)(size + US_GCM_TAG_SIZE));
	us_store_u16(p + 34, (uint16_t)content);
	err = us_entry_commitment(p, box, in->index, key);
	aad[aad_n] = (uint8_t)box;
	if (err == US_OK)
		err = us_gcm_seal(&gcm, (struct us_bytes){ p + 34, size }, p + 34);
	return err;
}

int
us_entry_encode(struct us_buf *out, const struct us_entry_in *in)
{
	uint8_t aad[PREFIX_MAX + 1];
	struct us_key keys[US_BOXES];
	size_t before = out->len, aad_n = 0, box;
	int err;

	if (us_entry_class_name(in->entry_class) == NULL || in->index > INT64_MAX ||
	    in->time_ns < 0 || in->sealed.n > SEALED_MAX || in->vault_id == NULL ||
	    in->secret == NULL)
		return US_ERR_ARG;
	err = us_entry_box_keys(keys, in->secret, in->vault_id, in->index, in->salt);
	if (err == US_OK)
		err = put_prefix(out, in);
	if (err == US_OK) {
		aad_n = out->len - before;
		memcpy(aad, out->data + before, aad_n);
	}
	for (box = 0; err == US_OK && box < US_BOXES; box++)
		err = put_box(out, in, (enum us_box)box, &keys[box], aad, aad_n);
	if (err == US_OK && out->len - before > US_ENTRY_MAX)
		err = US_ERR_LIMIT;
	if (err != US_OK && out->len > before) {
		us_wipe(out->data + before, out->len - before);
		out->len = before;
	}
	us_wipe(keys, sizeof keys);
	return err;
}

static int
take_box(struct us_reader *r, struct us_box_view *box)
{
	size_t plain;

	box->commitment = us_take(r, 32).p;
	box->ciphertext = us_take_str16(r, UINT16_MAX);
	if (r->err != US_OK)
		return r->err;
	if (box->ciphertext.n < PAD_MIN + US_GCM_TAG_SIZE)
		return US_ERR_FORMAT;
	/* Any other length than a padded one would say more of the content than it may. */
	plain = box->ciphertext.n - US_GCM_TAG_SIZE;
	return us_entry_padded(plain - 2) == plain ? US_OK : US_ERR_FORMAT;
}

int
us_entry_decode(struct us_entry_view *out, const void *entry, size_t n)
{
	struct us_entry_view v;
	struct us_reader r;
	struct us_bytes magic;
	uint8_t entry_class, flags;
	uint16_t zero;
	uint64_t time_ns;
	size_t i;
	int err;

	memset(&v, 0, sizeof v);
	if (n > US_ENTRY_MAX)
		return US_ERR_LIMIT;
	us_reader_init(&r, entry, n);
	magic = us_take(&r, 4);
	entry_class = us_take_u8(&r);
	flags = us_take_u8(&r);
	zero = us_take_u16(&r);
	v.order_version = us_take_u32(&r);
	v.index = us_take_u64(&r);
	time_ns = us_take_u64(&r);
	if (r.err != US_OK)
		return r.err;
	if (memcmp(magic.p, MAGIC, 4) != 0 || zero != 0 || (flags & ~US_ENTRY_BOOT) != 0)
		return US_ERR_FORMAT;
	if (us_entry_class_name(entry_class) == NULL || time_ns > INT64_MAX || v.index > INT64_MAX)
		return US_ERR_RANGE;
	v.entry_class = (enum us_entry_class)entry_class;
	v.boot = (flags & US_ENTRY_BOOT) != 0;
	v.time_ns = (int64_t)time_ns;
	if (v.entry_class == US_CLASS_STATE)
		v.state = us_take(&r, 32).p;
	v.salt = us_take(&r, US_ENTRY_SALT).p;
	if (v.boot) {
		v.sealed = us_take_str16(&r, SEALED_MAX);
		if (r.err == US_OK && v.sealed.n == 0)
			return US_ERR_FORMAT;
	}
	if (r.err != US_OK)
		return r.err;
	v.prefix.p = entry;
	v.prefix.n = n - r.left;
	for (i = 0; i < US_BOXES; i++) {
		err = take_box(&r, &v.boxes[i]);
		if (err != US_OK)
			return err;
	}
	err = us_reader_end(&r);
	if (err == US_OK)
		*out = v;
	return err;
}

int
us_entry_check_key(const struct us_entry_view *v, enum us_box box, const struct us_key *key)
{
	uint8_t commitment[32];
	int err = us_entry_commitment(commitment, box, v->index, key);

	if (err != US_OK)
		return err;
	return memcmp(commitment, v->boxes[box].commitment, 32) == 0 ? US_OK : US_ERR_COMMITMENT;
}

/* The content inside a box's plaintext, whose padding must be zeros and no longer than needed. */
static int
unpad(const uint8_t *p, size_t size, struct us_bytes *content)
{
	const size_t n = us_load_u16(p);
	const uint8_t *at;
	size_t pad;

	if (n + 2 > size || us_entry_padded(n) != size)
		return US_ERR_FORMAT;
	at = p + n + 2;
	pad = size - n - 2;
	/* the first is zero, and each is as the one before it */
	if (pad > 0 && (*at != 0 || memcmp(at, at + 1, pad - 1) != 0))
		return US_ERR_FORMAT;
	content->p = p + 2;
	content->n = n;
	return US_OK;
}

int
us_entry_open_next(const struct us_entry_view *v, enum us_box box, const struct us_key *key,
    uint8_t *plain, struct us_bytes *content)
{
	uint8_t aad[PREFIX_MAX + 1];
	const struct us_gcm gcm = { .key = key, .aad = { aad, v->prefix.n + 1 } };
	const struct us_bytes sealed = v->boxes[box].ciphertext;
	int err;

	if (v->prefix.n > PREFIX_MAX)
		return US_ERR_ARG;
	err = us_entry_check_key(v, box, key);
	if (err != US_OK)
		return err;
	memcpy(aad, v->prefix.p, v->prefix.n);
	aad[v->prefix.n] = (uint8_t)box;
	err = us_gcm_open_next(&gcm, sealed, plain);
	return err == US_OK ? unpad(plain, sealed.n - US_GCM_TAG_SIZE, content) : err;
}

int
us_entry_open(const struct us_entry_view *v, enum us_box box, const struct us_key *key,
    struct us_buf *content)
{
	struct us_bytes inner;
	struct us_buf plain;
	uint8_t *p;
	int err, forgotten;

	us_buf_init(&plain, US_ENTRY_PLAIN_MAX);
	err = us_buf_extend(&plain, v->boxes[box].ciphertext.n, &p);
	if (err == US_OK)
		err = us_entry_open_next(v, box, key, p, &inner);
	forgotten = us_gcm_forget();
	if (err == US_OK)
		err = forgotten;
	if (err == US_OK)
		err = us_buf_put(content, inner.p, inner.n);
	us_buf_free(&plain);
	return err;
}
