#include "log/succession.h"

#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "base/base64.h"
#include "crypto/crypto.h"
#include "base/err.h"
#include "base/number.h"
#include "base/time.h"

#define HEAD "underseal/handed-over/1 "
#define SUCCESSION "underseal/succession/1"
#define HANDOVER "underseal/handover/1"

#define X(name, text) text,
static const char *const reasons[] = { US_HANDOVER_REASON_LIST(X) };
#undef X

const char *
us_handover_reason_name(enum us_handover_reason reason)
{
	return reasons[reason];
}

int
us_handover_reason_of(enum us_handover_reason *out, const char *name, size_t n)
{
	for (size_t i = 0; i < US_COUNT(reasons); i++)
		if (strlen(reasons[i]) == n && memcmp(reasons[i], name, n) == 0) {
			*out = (enum us_handover_reason)i;
			return US_OK;
		}
	return US_ERR_NOT_FOUND;
}

/* ---- small readers ---- */

/* The next line without its end. */
static struct us_bytes
take_line(struct us_reader *r)
{
	const uint8_t *end = r->left == 0 ? NULL : memchr(r->p, '\n', r->left);
	struct us_bytes line = { NULL, 0 };

	if (end == NULL || r->err != US_OK) {
		us_reader_fail(r, US_ERR_FORMAT);
		return line;
	}
	line = (struct us_bytes){ r->p, (size_t)(end - r->p) }; /* an empty one has a place, too */
	(void)us_take(r, line.n + 1);
	return line;
}

static uint64_t
take_number_line(struct us_reader *r)
{
	struct us_bytes line = take_line(r);
	uint64_t v = 0;
	int err = r->err != US_OK ? r->err : us_number_parse(line.p, line.n, INT64_MAX, &v);

	if (err != US_OK)
		us_reader_fail(r, err);
	return v;
}

static void
take_hash_line(struct us_reader *r, uint8_t out[US_HASH_LEN])
{
	struct us_bytes line = take_line(r);
	size_t got;

	if (r->err == US_OK &&
	    (us_base64_decode((const char *)line.p, line.n, out, US_HASH_LEN, &got) != US_OK ||
		got != US_HASH_LEN))
		us_reader_fail(r, US_ERR_FORMAT);
}

/* The one form that us_time_format_s() writes. */
static int64_t
take_time_line(struct us_reader *r)
{
	struct us_bytes line = take_line(r);
	char again[US_TIME_TEXT_SIZE];
	int64_t ns = 0;

	if (r->err == US_OK &&
	    (us_time_parse((const char *)line.p, line.n, &ns) != US_OK ||
		!us_bytes_is(line, us_time_format_s(ns, again))))
		us_reader_fail(r, US_ERR_FORMAT);
	return ns;
}

static void
take_key_line(struct us_reader *r, struct us_note_key *key)
{
	struct us_bytes line = take_line(r);

	if (r->err == US_OK &&
	    (us_note_key_parse(key, (const char *)line.p, line.n) != US_OK ||
		key->type != US_NOTE_ED25519))
		us_reader_fail(r, US_ERR_FORMAT);
}

static void
take_label(struct us_reader *r, const char *label)
{
	if (!us_bytes_is(take_line(r), label))
		us_reader_fail(r, US_ERR_FORMAT);
}

/* A note with exactly one signature, by that key: one hand-over has one form. */
static int
open_one(struct us_bytes *text, struct us_bytes note, const struct us_note_key *key)
{
	struct us_bytes sigs;
	struct us_note n;
	int err = us_note_split(text, &sigs, note.p, note.n);

	if (err == US_OK && memchr(sigs.p, '\n', sigs.n) != sigs.p + sigs.n - 1)
		err = US_ERR_FORMAT;
	return err != US_OK ? err : us_note_open(&n, note.p, note.n, key, 1);
}

int
us_note_key_same(const struct us_note_key *a, const struct us_note_key *b)
{
	return a->type == b->type && strcmp(a->name, b->name) == 0 &&
	    memcmp(a->pub, b->pub, sizeof a->pub) == 0;
}

/* ---- the succession ---- */

/* A line with a base64 of 32 bytes. */
static int
put_hash(struct us_buf *b, const uint8_t hash[US_HASH_LEN])
{
	int err = us_base64_put(b, hash, US_HASH_LEN);

	return err != US_OK ? err : us_buf_put_u8(b, '\n');
}

int
us_succession_sign(struct us_buf *out, const struct us_note_signer *old_signer,
    const struct us_note_key *new_key, uint64_t size, const struct us_digest *root, int64_t time_ns)
{
	const struct us_note_key *old_key = us_note_signer_key(old_signer);
	char old_vkey[US_NOTE_VKEY_MAX], new_vkey[US_NOTE_VKEY_MAX], time_text[US_TIME_TEXT_SIZE];
	struct us_buf text;
	int err;

	if (!us_origin_follows(old_key->name, new_key->name) || size == 0)
		return US_ERR_FORMAT;
	err = us_note_key_format(old_key, old_vkey, sizeof old_vkey);
	if (err == US_OK)
		err = us_note_key_format(new_key, new_vkey, sizeof new_vkey);
	us_buf_init(&text, US_HANDOVER_MAX);
	if (err == US_OK)
		err = us_buf_putf(&text, SUCCESSION "\n%s\n%s\n%llu\n", old_vkey, new_vkey,
		    (unsigned long long)size);
	if (err == US_OK)
		err = put_hash(&text, root->b);
	if (err == US_OK)
		err = us_buf_putf(&text, "%s\n", us_time_format_s(time_ns, time_text));
	if (err == US_OK)
		err = us_note_sign(out, old_signer, text.data, text.len, 0);
	us_buf_free(&text);
	return err;
}

int
us_succession_open(struct us_succession *out, struct us_bytes note)
{
	struct us_bytes text, sigs;
	struct us_succession s;
	struct us_reader r;
	int err = us_note_split(&text, &sigs, note.p, note.n);

	if (err != US_OK)
		return err;
	memset(&s, 0, sizeof s);
	us_reader_init(&r, text.p, text.n);
	take_label(&r, SUCCESSION);
	take_key_line(&r, &s.old_key);
	take_key_line(&r, &s.new_key);
	s.size = take_number_line(&r);
	take_hash_line(&r, s.root.b);
	s.time_ns = take_time_line(&r);
	err = us_reader_end(&r);
	if (err != US_OK)
		return err == US_ERR_TRAILING ? US_ERR_FORMAT : err;
	if (s.size == 0 || !us_origin_follows(s.old_key.name, s.new_key.name) ||
	    memcmp(s.old_key.pub, s.new_key.pub, sizeof s.old_key.pub) == 0)
		return US_ERR_FORMAT;
	err = open_one(&text, note, &s.old_key);
	if (err == US_OK)
		*out = s;
	return err;
}

/* ---- the hand-over ---- */

/* Opens the old key's checkpoint, which must be of a larger tree than was handed over, and puts it
 * down with its own signature alone. */
static int
put_last(struct us_buf *out, struct us_checkpoint *c, const struct us_succession *s,
    struct us_bytes note)
{
	struct us_bytes text, sigs, line;
	int err = us_checkpoint_open(c, NULL, note.p, note.n, &s->old_key, 1);

	if (err == US_OK && c->size <= s->size)
		err = US_ERR_VERIFY;
	if (err == US_OK)
		err = us_note_split(&text, &sigs, note.p, note.n);
	if (err != US_OK)
		return err == US_ERR_NOT_FOUND || err == US_ERR_SIGNATURE ? US_ERR_VERIFY : err;
	for (err = US_ERR_VERIFY; sigs.n > 0 && err != US_OK; sigs.p += line.n, sigs.n -= line.n) {
		struct us_bytes one;

		line = (struct us_bytes){ sigs.p,
			(size_t)((const uint8_t *)memchr(sigs.p, '\n', sigs.n) - sigs.p) + 1 };
		us_buf_reset(out);
		err = us_buf_put(out, text.p, text.n);
		if (err == US_OK)
			err = us_buf_put_u8(out, '\n');
		if (err == US_OK)
			err = us_buf_put(out, line.p, line.n);
		if (err == US_OK)
			err = open_one(&one, (struct us_bytes){ out->data, out->len }, &s->old_key);
	}
	return err;
}

static int
sign_handover(struct us_buf *out, struct us_bytes succession, const struct us_note_signer *signer,
    const struct us_handover *h)
{
	char time_text[US_TIME_TEXT_SIZE];
	uint8_t digest[32];
	struct us_buf text;
	int err = us_sha256(succession.p, succession.n, digest);

	us_buf_init(&text, US_HANDOVER_MAX);
	if (err == US_OK)
		err = us_buf_putf(&text, HANDOVER "\n");
	if (err == US_OK)
		err = put_hash(&text, digest);
	if (err == US_OK)
		err = us_buf_putf(&text, "%s\n%s\n%llu\n", reasons[h->reason],
		    us_time_format_s(h->time_ns, time_text), (unsigned long long)h->last_size);
	if (err == US_OK)
		err = put_hash(&text, h->last_root.b);
	if (err == US_OK)
		err = us_note_sign(out, signer, text.data, text.len, 0);
	us_buf_free(&text);
	return err;
}

int
us_handover_sign(struct us_buf *out, struct us_bytes succession,
    const struct us_note_signer *new_signer, enum us_handover_reason reason, int64_t time_ns,
    const struct us_bytes *last)
{
	struct us_handover h = { .reason = reason, .time_ns = time_ns };
	struct us_buf signed_note, checkpoint;
	struct us_checkpoint c;
	size_t before = out->len;
	int err = us_succession_open(&h.succession, succession);

	if (err != US_OK)
		return err;
	if (!us_note_key_same(&h.succession.new_key, us_note_signer_key(new_signer)))
		return US_ERR_ARG;
	if (h.time_ns < h.succession.time_ns)
		h.time_ns = h.succession.time_ns;
	h.last_size = h.succession.size;
	h.last_root = h.succession.root;
	us_buf_init(&signed_note, US_HANDOVER_MAX);
	us_buf_init(&checkpoint, US_HANDOVER_MAX);
	if (last != NULL) {
		err = put_last(&checkpoint, &c, &h.succession, *last);
		if (err == US_OK) {
			h.last_size = c.size;
			h.last_root = c.root;
		}
	}
	if (err == US_OK)
		err = sign_handover(&signed_note, succession, new_signer, &h);
	if (err == US_OK)
		err = us_buf_putf(out, HEAD "%zu %zu %zu\n", succession.n, signed_note.len,
		    checkpoint.len);
	if (err == US_OK)
		err = us_buf_put(out, succession.p, succession.n);
	if (err == US_OK)
		err = us_buf_put(out, signed_note.data, signed_note.len);
	if (err == US_OK)
		err = us_buf_put(out, checkpoint.data, checkpoint.len);
	if (err == US_OK && out->len - before > US_HANDOVER_MAX)
		err = US_ERR_LIMIT;
	if (err != US_OK)
		out->len = before;
	us_buf_free(&signed_note);
	us_buf_free(&checkpoint);
	return err;
}

/* ---- chains ---- */

/* The three lengths behind the label, parted by one blank each. */
static int
parse_head(struct us_bytes line, uint64_t lengths[3])
{
	const size_t skip = sizeof HEAD - 1;
	int err = US_OK;

	if (line.n <= skip || memcmp(line.p, HEAD, skip) != 0)
		return US_ERR_FORMAT;
	line = (struct us_bytes){ line.p + skip, line.n - skip };
	for (size_t i = 0; i < 3 && err == US_OK; i++) {
		const uint8_t *end = i == 2 ? line.p + line.n : memchr(line.p, ' ', line.n);
		size_t n;

		if (end == NULL)
			return US_ERR_FORMAT;
		n = (size_t)(end - line.p);
		err = us_number_parse(line.p, n, INT64_MAX, &lengths[i]);
		if (err == US_OK && lengths[i] > US_HANDOVER_MAX)
			err = US_ERR_LIMIT;
		if (i < 2)
			line = (struct us_bytes){ end + 1, line.n - n - 1 };
	}
	return err;
}

/* What the new key says, and that the old key's checkpoint is there exactly if it must be. */
static int
open_handover(struct us_handover *h, struct us_bytes succession, struct us_bytes note,
    struct us_bytes last)
{
	uint8_t digest[32], named[32];
	struct us_checkpoint c;
	struct us_bytes text, line;
	struct us_reader r;
	int err = open_one(&text, note, &h->succession.new_key);

	if (err == US_OK)
		err = us_sha256(succession.p, succession.n, digest);
	if (err != US_OK)
		return err;
	us_reader_init(&r, text.p, text.n);
	take_label(&r, HANDOVER);
	take_hash_line(&r, named);
	line = take_line(&r);
	if (r.err == US_OK &&
	    us_handover_reason_of(&h->reason, (const char *)line.p, line.n) != US_OK)
		return US_ERR_FORMAT;
	h->time_ns = take_time_line(&r);
	h->last_size = take_number_line(&r);
	take_hash_line(&r, h->last_root.b);
	err = us_reader_end(&r);
	if (err != US_OK)
		return err == US_ERR_TRAILING ? US_ERR_FORMAT : err;
	if (memcmp(digest, named, sizeof digest) != 0 || h->time_ns < h->succession.time_ns ||
	    h->last_size < h->succession.size)
		return US_ERR_VERIFY;
	if (h->last_size == h->succession.size)
		return last.n == 0 &&
			memcmp(h->last_root.b, h->succession.root.b, US_HASH_LEN) == 0 ?
		    US_OK :
		    US_ERR_VERIFY;
	err = open_one(&text, last, &h->succession.old_key);
	if (err == US_OK)
		err = us_checkpoint_open(&c, NULL, last.p, last.n, &h->succession.old_key, 1);
	if (err == US_OK &&
	    (c.extensions.n > 0 || c.size != h->last_size ||
		memcmp(c.root.b, h->last_root.b, US_HASH_LEN) != 0))
		err = US_ERR_VERIFY;
	return err;
}

static int
open_next(struct us_handover *h, struct us_reader *r)
{
	const uint8_t *start = r->p;
	struct us_bytes head = take_line(r), note[3];
	uint64_t lengths[3];
	int err = r->err != US_OK ? r->err : parse_head(head, lengths);

	for (size_t i = 0; i < 3 && err == US_OK; i++) {
		note[i] = us_take(r, (size_t)lengths[i]);
		err = r->err != US_OK ? US_ERR_FORMAT : US_OK;
	}
	if (err == US_OK && (size_t)(r->p - start) > US_HANDOVER_MAX)
		err = US_ERR_LIMIT;
	if (err == US_OK)
		err = us_succession_open(&h->succession, note[0]);
	if (err == US_OK)
		err = open_handover(h, note[0], note[1], note[2]);
	h->text = (struct us_bytes){ start, (size_t)(r->p - start) };
	return err;
}

/* A key that has handed over never signs again, so it cannot be anybody's successor either. */
static int
follows(const struct us_handovers *h, size_t i)
{
	const struct us_succession *s = &h->item[i].succession;

	if (i > 0 &&
	    (!us_note_key_same(&h->item[i - 1].succession.new_key, &s->old_key) ||
		s->size <= h->item[i - 1].succession.size))
		return 0;
	for (size_t j = 0; j < i; j++)
		if (memcmp(h->item[j].succession.old_key.pub, s->new_key.pub,
			sizeof s->new_key.pub) == 0)
			return 0;
	return 1;
}

int
us_handovers_open(struct us_handovers *out, struct us_bytes text)
{
	struct us_reader r;
	int err = text.n == 0 ? US_ERR_FORMAT : US_OK;

	us_reader_init(&r, text.p, text.n);
	out->n = 0;
	while (err == US_OK && r.left > 0) {
		if (out->n == US_HANDOVERS_MAX)
			return US_ERR_LIMIT;
		memset(&out->item[out->n], 0, sizeof out->item[0]);
		err = open_next(&out->item[out->n], &r);
		if (err == US_OK && !follows(out, out->n))
			err = US_ERR_VERIFY;
		out->n += err == US_OK;
	}
	return err;
}

int
us_handovers_place(size_t *place, const struct us_handovers *h, const struct us_note_key *key)
{
	for (size_t i = 0; i < h->n; i++)
		if (us_note_key_same(&h->item[i].succession.old_key, key)) {
			*place = i;
			return US_OK;
		}
	if (h->n == 0 || !us_note_key_same(&h->item[h->n - 1].succession.new_key, key))
		return US_ERR_NOT_FOUND;
	*place = h->n;
	return US_OK;
}

enum us_handover_memory
us_handover_judge(const struct us_handover *h, uint64_t size, const struct us_digest *root)
{
	const struct us_succession *s = &h->succession;

	if (size == s->size && memcmp(root->b, s->root.b, US_HASH_LEN) != 0)
		return US_HANDOVER_FORKED;
	if (size <= s->size)
		return US_HANDOVER_KEPT;
	if (size > h->last_size)
		return US_HANDOVER_HIDDEN;
	return size == h->last_size && memcmp(root->b, h->last_root.b, US_HASH_LEN) != 0 ?
	    US_HANDOVER_FORKED :
	    US_HANDOVER_LOST;
}
