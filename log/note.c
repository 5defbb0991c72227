#include "log/note.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "crypto/cert.h"
#include "crypto/crypto.h"
#include "base/err.h"
#include "base/utf8.h"

#define DASH "\xe2\x80\x94 " /* em dash, space */
#define DASH_LEN 4
#define SIG_MAX 8192 /* of a stranger: post-quantum signatures have almost 5 kB */

struct us_note_signer {
	struct us_note_key key;
	struct us_pkey *pkey;
};

/* Unicode's White_Space property, as golang's unicode.IsSpace reads it. */
static int
is_space(uint32_t c)
{
	return (c >= 0x09 && c <= 0x0d) || c == 0x20 || c == 0x85 || c == 0xa0 || c == 0x1680 ||
	    (c >= 0x2000 && c <= 0x200a) || c == 0x2028 || c == 0x2029 || c == 0x202f ||
	    c == 0x205f || c == 0x3000;
}

static int
check_name(const char *name, size_t n)
{
	size_t at, len;
	uint32_t c;

	if (n == 0)
		return US_ERR_FORMAT;
	for (at = 0; at < n; at += len) {
		len = us_utf8_next(name + at, n - at, &c);
		if (len == 0)
			return US_ERR_FORMAT;
		if (is_space(c) || c == '+' || c < 0x20)
			return US_ERR_FORMAT;
	}
	return US_OK;
}

static int
known_type(unsigned type)
{
	return type == US_NOTE_ED25519 || type == US_NOTE_COSIGNATURE;
}

int
us_note_key_init(struct us_note_key *out, const char *name, enum us_note_type type,
    const uint8_t pub[32])
{
	uint8_t digest[32], sep[2];
	struct us_bytes parts[3];
	size_t n = strlen(name);
	struct us_note_key k;
	int err;

	if (!known_type(type))
		return US_ERR_FORMAT;
	err = check_name(name, n);
	if (err != US_OK)
		return err;
	if (n > US_NOTE_NAME_MAX)
		return US_ERR_LIMIT;
	sep[0] = '\n';
	sep[1] = (uint8_t)type;
	parts[0] = us_bytes_of(name);
	parts[1] = (struct us_bytes){ sep, 2 };
	parts[2] = (struct us_bytes){ pub, 32 };
	err = us_sha256_parts(parts, 3, digest);
	if (err != US_OK)
		return err;
	memset(&k, 0, sizeof k);
	memcpy(k.name, name, n);
	k.id = us_load_u32(digest);
	k.type = type;
	memcpy(k.pub, pub, 32);
	*out = k;
	return US_OK;
}

/* Eight lower-case hexadecimal digits. */
static int
parse_id(const char *s, uint32_t *id)
{
	uint8_t raw[4];
	size_t i;

	for (i = 0; i < 8; i++)
		if (s[i] >= 'A' && s[i] <= 'F')
			return US_ERR_FORMAT;
	if (us_hex_decode(s, 8, raw, 4) != US_OK)
		return US_ERR_FORMAT;
	*id = us_load_u32(raw);
	return US_OK;
}

int
us_note_key_parse(struct us_note_key *out, const char *vkey, size_t n)
{
	char name[US_NOTE_NAME_MAX + 1];
	const char *plus = n == 0 ? NULL : memchr(vkey, '+', n);
	struct us_note_key k;
	uint8_t raw[33];
	size_t len, got;
	uint32_t id;
	int err;

	if (plus == NULL)
		return US_ERR_FORMAT;
	len = (size_t)(plus - vkey);
	if (len > US_NOTE_NAME_MAX)
		return US_ERR_LIMIT;
	if (n - len != 1 + 8 + 1 + US_BASE64_SIZE(33) || plus[9] != '+' || memchr(vkey, 0, n))
		return US_ERR_FORMAT;
	memcpy(name, vkey, len);
	name[len] = '\0';
	if (parse_id(plus + 1, &id) != US_OK ||
	    us_base64_decode(plus + 10, US_BASE64_SIZE(33), raw, sizeof raw, &got) != US_OK ||
	    got != sizeof raw)
		return US_ERR_FORMAT;
	if (!known_type(raw[0]))
		return US_ERR_FORMAT;
	err = us_note_key_init(&k, name, (enum us_note_type)raw[0], raw + 1);
	if (err != US_OK)
		return err;
	if (k.id != id)
		return US_ERR_FORMAT;
	*out = k;
	return US_OK;
}

int
us_note_key_format(const struct us_note_key *key, char *out, size_t cap)
{
	char b64[US_BASE64_SIZE(33) + 1];
	uint8_t raw[33];
	int n;

	raw[0] = (uint8_t)key->type;
	memcpy(raw + 1, key->pub, 32);
	us_base64_encode(raw, sizeof raw, b64);
	n = snprintf(out, cap, "%s+%08x+%s", key->name, (unsigned)key->id, b64);
	return n > 0 && (size_t)n < cap ? US_OK : US_ERR_LIMIT;
}

/* What a note or its text may consist of. */
static int
check_text(const uint8_t *p, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (p[i] < 0x20 && p[i] != '\n')
			return US_ERR_FORMAT;
	return us_utf8_valid(p, n) ? US_OK : US_ERR_ENCODING;
}

int
us_note_split(struct us_bytes *text, struct us_bytes *sigs, const void *note, size_t n)
{
	const uint8_t *p = note;
	size_t i;
	int err;

	if (n > US_NOTE_MAX)
		return US_ERR_LIMIT;
	err = check_text(p, n);
	if (err != US_OK)
		return err;
	if (n < 3 || p[n - 1] != '\n')
		return US_ERR_FORMAT;
	/* The last empty line parts the text from the signatures. */
	for (i = n - 1; i >= 1; i--)
		if (p[i] == '\n' && p[i - 1] == '\n')
			break;
	if (i < 1 || i + 1 == n)
		return US_ERR_FORMAT;
	text->p = p;
	text->n = i;
	sigs->p = p + i + 1;
	sigs->n = n - i - 1;
	return US_OK;
}

/* One signature line, taken apart. */
struct us_log_line {
	const char *name;
	size_t name_n;
	uint32_t id;
	uint8_t sig[SIG_MAX];
	size_t sig_n;
};

static int
parse_line(struct us_log_line *l, const uint8_t *p, size_t n)
{
	const uint8_t *space;
	uint8_t raw[4 + SIG_MAX];
	size_t got, rest;

	if (n < DASH_LEN || memcmp(p, DASH, DASH_LEN) != 0)
		return US_ERR_FORMAT;
	p += DASH_LEN;
	n -= DASH_LEN;
	space = memchr(p, ' ', n);
	if (space == NULL)
		return US_ERR_FORMAT;
	l->name = (const char *)p;
	l->name_n = (size_t)(space - p);
	rest = n - l->name_n - 1;
	if (check_name(l->name, l->name_n) != US_OK)
		return US_ERR_FORMAT;
	if (us_base64_decode((const char *)space + 1, rest, raw, sizeof raw, &got) != US_OK ||
	    got < 5)
		return US_ERR_FORMAT;
	l->id = us_load_u32(raw);
	l->sig_n = got - 4;
	memcpy(l->sig, raw + 4, l->sig_n);
	return US_OK;
}

/* "cosignature/v1\ntime N\n" || text */
static int
cosigned(struct us_buf *msg, struct us_bytes text, uint64_t time_s)
{
	int err;

	if (time_s > INT64_MAX)
		return US_ERR_RANGE;
	err = us_buf_putf(msg, "cosignature/v1\ntime %llu\n", (unsigned long long)time_s);
	if (err == US_OK)
		err = us_buf_put(msg, text.p, text.n);
	return err;
}

static int
verify_line(const struct us_note_key *key, const struct us_log_line *l, struct us_bytes text,
    uint64_t *time_s)
{
	struct us_bytes sig = { l->sig, l->sig_n };
	struct us_buf msg;
	int err = US_ERR_SIGNATURE;

	*time_s = 0;
	switch (key->type) {
	case US_NOTE_ED25519:
		return sig.n == 64 ? us_ed25519_verify(key->pub, text, sig) : US_ERR_SIGNATURE;
	case US_NOTE_COSIGNATURE:
		if (sig.n != 8 + 64)
			return US_ERR_SIGNATURE;
		*time_s = us_load_u64(sig.p);
		if (*time_s > INT64_MAX)
			return US_ERR_SIGNATURE;
		us_buf_init(&msg, text.n + 64);
		err = cosigned(&msg, text, *time_s);
		if (err == US_OK) {
			sig.p += 8;
			sig.n -= 8;
			err = us_ed25519_verify(key->pub, (struct us_bytes){ msg.data, msg.len },
			    sig);
		}
		us_buf_free(&msg);
		break;
	}
	return err;
}

/* The one key of that name and id: US_ERR_NOT_FOUND, US_ERR_ARG if there are two. */
static int
find_key(const struct us_log_line *l, const struct us_note_key *keys, size_t n_keys, size_t *key)
{
	size_t i, found = n_keys;

	for (i = 0; i < n_keys; i++) {
		if (keys[i].id != l->id || strlen(keys[i].name) != l->name_n ||
		    memcmp(keys[i].name, l->name, l->name_n) != 0)
			continue;
		if (found != n_keys)
			return US_ERR_ARG;
		found = i;
	}
	*key = found;
	return found == n_keys ? US_ERR_NOT_FOUND : US_OK;
}

static int
seen(const struct us_note *note, size_t key)
{
	size_t i;

	for (i = 0; i < note->n_sigs; i++)
		if (note->sigs[i].key == key)
			return 1;
	return 0;
}

/* Whether the same line stands further up among the signatures. */
static int
repeated(const uint8_t *first, const uint8_t *line, size_t n)
{
	const uint8_t *end;

	for (; first < line; first = end + 1) {
		end = memchr(first, '\n', (size_t)(line - first));
		if (end == NULL)
			return 0;
		if ((size_t)(end - first) == n && memcmp(first, line, n) == 0)
			return 1;
	}
	return 0;
}

int
us_note_open(struct us_note *out, const void *note, size_t n, const struct us_note_key *keys,
    size_t n_keys)
{
	struct us_bytes sigs;
	struct us_note o;
	struct us_log_line l;
	const uint8_t *end;
	size_t key, len, lines = 0;
	uint64_t time_s;
	int err;

	memset(&o, 0, sizeof o);
	err = us_note_split(&o.text, &sigs, note, n);
	if (err != US_OK)
		return err;
	for (; sigs.n > 0; sigs.p += len + 1, sigs.n -= len + 1) {
		end = memchr(sigs.p, '\n', sigs.n);
		if (end == NULL)
			return US_ERR_FORMAT;
		len = (size_t)(end - sigs.p);
		err = parse_line(&l, sigs.p, len);
		if (err != US_OK)
			return err;
		if (++lines > US_NOTE_SIGS_MAX)
			return US_ERR_LIMIT;
		err = find_key(&l, keys, n_keys, &key);
		if (err == US_ERR_NOT_FOUND) {
			o.n_unknown += !repeated(o.text.p + o.text.n + 1, sigs.p, len);
			continue;
		}
		if (err != US_OK)
			return err;
		if (seen(&o, key))
			continue;
		err = verify_line(&keys[key], &l, o.text, &time_s);
		if (err != US_OK)
			return err;
		o.sigs[o.n_sigs].key = key;
		o.sigs[o.n_sigs++].timestamp = time_s;
	}
	if (o.n_sigs == 0)
		return US_ERR_NOT_FOUND;
	*out = o;
	return US_OK;
}

int
us_note_signer_new(struct us_note_signer **out, const char *name, enum us_note_type type,
    const struct us_key *seed)
{
	struct us_note_signer *s = calloc(1, sizeof *s);
	uint8_t pub[32];
	int err;

	*out = NULL;
	if (s == NULL)
		return US_ERR_NOMEM;
	err = us_pkey_from_seed(seed, &s->pkey);
	if (err == US_OK)
		err = us_pkey_ed25519_public(s->pkey, pub);
	if (err == US_OK)
		err = us_note_key_init(&s->key, name, type, pub);
	if (err != US_OK) {
		us_note_signer_free(s);
		return err;
	}
	*out = s;
	return US_OK;
}

void
us_note_signer_free(struct us_note_signer *s)
{
	if (s == NULL)
		return;
	us_pkey_free(s->pkey);
	free(s);
}

const struct us_note_key *
us_note_signer_key(const struct us_note_signer *s)
{
	return &s->key;
}

/* Writes sig with its timestamp if it has one: the part of the line behind the key id. */
static int
sign_text(const struct us_note_signer *s, struct us_bytes text, uint64_t time_s, uint8_t *sig,
    size_t *sig_n)
{
	struct us_buf msg;
	size_t n;
	int err = US_ERR_INTERNAL;

	switch (s->key.type) {
	case US_NOTE_ED25519:
		return us_pkey_sign(s->pkey, text, sig, sig_n);
	case US_NOTE_COSIGNATURE:
		us_buf_init(&msg, text.n + 64);
		err = cosigned(&msg, text, time_s);
		if (err == US_OK)
			err = us_pkey_sign(s->pkey, (struct us_bytes){ msg.data, msg.len }, sig + 8,
			    &n);
		if (err == US_OK) {
			us_store_u64(sig, time_s);
			*sig_n = n + 8;
		}
		us_buf_free(&msg);
		break;
	}
	return err;
}

int
us_note_sign_line(struct us_buf *out, const struct us_note_signer *s, const void *text, size_t n,
    uint64_t time_s)
{
	uint8_t raw[4 + 8 + US_SIGNATURE_MAX];
	char b64[US_BASE64_SIZE(sizeof raw) + 1];
	const uint8_t *p = text;
	size_t sig_n;
	int err;

	if (n == 0 || p[n - 1] != '\n')
		return US_ERR_FORMAT;
	err = check_text(p, n);
	if (err == US_OK)
		err = sign_text(s, (struct us_bytes){ p, n }, time_s, raw + 4, &sig_n);
	if (err != US_OK)
		return err;
	us_store_u32(raw, s->key.id);
	us_base64_encode(raw, 4 + sig_n, b64);
	return us_buf_putf(out, DASH "%s %s\n", s->key.name, b64);
}

int
us_note_sign(struct us_buf *out, const struct us_note_signer *s, const void *text, size_t n,
    uint64_t time_s)
{
	size_t before = out->len;
	int err;

	err = us_buf_put(out, text, n);
	if (err == US_OK)
		err = us_buf_put_u8(out, '\n');
	if (err == US_OK)
		err = us_note_sign_line(out, s, text, n, time_s);
	if (err != US_OK)
		out->len = before;
	return err;
}
