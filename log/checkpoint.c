#include "log/checkpoint.h"

#include <string.h>

#include "base/base64.h"
#include "base/err.h"
#include "base/number.h"

int
us_checkpoint_encode(struct us_buf *out, const struct us_checkpoint *c)
{
	char root[US_BASE64_SIZE(US_HASH_LEN) + 1];
	size_t i, n = strlen(c->origin), before = out->len;
	int err;

	if (n == 0)
		return US_ERR_FORMAT;
	for (i = 0; i < n; i++)
		if ((unsigned char)c->origin[i] < 0x20)
			return US_ERR_FORMAT;
	us_base64_encode(c->root.b, US_HASH_LEN, root);
	err = us_buf_putf(out, "%s\n%llu\n%s\n", c->origin, (unsigned long long)c->size, root);
	if (err == US_OK)
		err = us_buf_put(out, c->extensions.p, c->extensions.n);
	if (err != US_OK)
		out->len = before;
	return err;
}

/* The next line without its end; 0 if there is none or it is empty. */
static int
take_line(const char **p, size_t *left, const char **line, size_t *n)
{
	const char *end = *left == 0 ? NULL : memchr(*p, '\n', *left);

	if (end == NULL || end == *p)
		return 0;
	*line = *p;
	*n = (size_t)(end - *p);
	*left -= *n + 1;
	*p = end + 1;
	return 1;
}

int
us_checkpoint_parse(struct us_checkpoint *out, const void *text, size_t n)
{
	struct us_checkpoint c;
	const char *p = text, *line, *rest;
	size_t left = n, len, got;
	int err;

	memset(&c, 0, sizeof c);
	if (!take_line(&p, &left, &line, &len))
		return US_ERR_FORMAT;
	if (len > US_NOTE_NAME_MAX)
		return US_ERR_LIMIT;
	if (memchr(line, '\0', len) != NULL)
		return US_ERR_FORMAT;
	memcpy(c.origin, line, len);
	if (!take_line(&p, &left, &line, &len))
		return US_ERR_FORMAT;
	err = us_number_parse(line, len, INT64_MAX, &c.size);
	if (err != US_OK)
		return err;
	if (!take_line(&p, &left, &line, &len) ||
	    us_base64_decode(line, len, c.root.b, US_HASH_LEN, &got) != US_OK || got != US_HASH_LEN)
		return US_ERR_FORMAT;
	rest = p;
	c.extensions.n = left;
	c.extensions.p = left > 0 ? (const uint8_t *)rest : NULL;
	while (left > 0)
		if (!take_line(&p, &left, &line, &len))
			return US_ERR_FORMAT;
	*out = c;
	return US_OK;
}

int
us_checkpoint_sign(struct us_buf *out, const struct us_checkpoint *c,
    const struct us_note_signer *s)
{
	struct us_buf text;
	int err;

	us_buf_init(&text, US_NOTE_MAX);
	err = us_checkpoint_encode(&text, c);
	if (err == US_OK)
		err = us_note_sign(out, s, text.data, text.len, 0);
	us_buf_free(&text);
	return err;
}

int
us_checkpoint_open(struct us_checkpoint *out, struct us_note *note, const void *file, size_t n,
    const struct us_note_key *keys, size_t n_keys)
{
	struct us_checkpoint c;
	struct us_note o;
	size_t i;
	int err;

	if (n_keys == 0)
		return US_ERR_ARG;
	err = us_note_open(&o, file, n, keys, n_keys);
	if (err != US_OK)
		return err;
	for (i = 0; i < o.n_sigs && o.sigs[i].key != 0; i++)
		;
	if (i == o.n_sigs)
		return US_ERR_NOT_FOUND;
	err = us_checkpoint_parse(&c, o.text.p, o.text.n);
	if (err != US_OK)
		return err;
	if (strcmp(c.origin, keys[0].name) != 0)
		return US_ERR_VERIFY;
	*out = c;
	if (note != NULL)
		*note = o;
	return US_OK;
}
