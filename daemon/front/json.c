#include "daemon/front/json.h"

#include <math.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "base/base64.h"
#include "base/err.h"
#include "base/utf8.h"

/* --- the check of the bytes ------------------------------------------------------------ */

struct us_front_cursor {
	const uint8_t *p;
	const uint8_t *end;
	unsigned depth;
	size_t values;
};

static void
skip_space(struct us_front_cursor *c)
{
	while (c->p < c->end && (*c->p == ' ' || *c->p == '\t' || *c->p == '\n' || *c->p == '\r'))
		c->p++;
}

static int
is_hex(uint8_t x)
{
	return (x >= '0' && x <= '9') || (x >= 'a' && x <= 'f') || (x >= 'A' && x <= 'F');
}

/* c->p stands behind the opening quote. */
static int
check_string(struct us_front_cursor *c)
{
	while (c->p < c->end) {
		uint8_t x = *c->p++;

		if (x == '"')
			return US_OK;
		if (x < 0x20)
			return US_ERR_FORMAT;
		if (x != '\\')
			continue;
		if (c->p == c->end)
			return US_ERR_FORMAT;
		x = *c->p++;
		if (x == 'u') {
			if (c->end - c->p < 4 || !is_hex(c->p[0]) || !is_hex(c->p[1]) ||
			    !is_hex(c->p[2]) || !is_hex(c->p[3]) || memcmp(c->p, "0000", 4) == 0)
				return US_ERR_FORMAT;
			c->p += 4;
		} else if (x == '\0' || strchr("\"\\/bfnrt", x) == NULL)
			return US_ERR_FORMAT;
	}
	return US_ERR_FORMAT;
}

static int
digits(struct us_front_cursor *c)
{
	const uint8_t *from = c->p;

	while (c->p < c->end && *c->p >= '0' && *c->p <= '9')
		c->p++;
	return c->p != from;
}

static int
check_number(struct us_front_cursor *c)
{
	const uint8_t *from = c->p;

	if (*c->p == '-')
		c->p++;
	if (c->p < c->end && *c->p == '0')
		c->p++;
	else if (!digits(c))
		return US_ERR_FORMAT;
	if (c->p < c->end && *c->p == '.') {
		c->p++;
		if (!digits(c))
			return US_ERR_FORMAT;
	}
	if (c->p < c->end && (*c->p == 'e' || *c->p == 'E')) {
		c->p++;
		if (c->p < c->end && (*c->p == '+' || *c->p == '-'))
			c->p++;
		if (!digits(c))
			return US_ERR_FORMAT;
	}
	return c->p - from > 32 ? US_ERR_LIMIT : US_OK;
}

static int
check_word(struct us_front_cursor *c, const char *word)
{
	size_t n = strlen(word);

	if ((size_t)(c->end - c->p) < n || memcmp(c->p, word, n) != 0)
		return US_ERR_FORMAT;
	c->p += n;
	return US_OK;
}

static int check_value(struct us_front_cursor *c);

/* c->p stands behind the bracket; close is its partner. Depth bounds the recursion. */
static int
check_list(struct us_front_cursor *c, uint8_t close)
{
	int err;

	if (++c->depth > US_JSON_IN_DEPTH)
		return US_ERR_LIMIT;
	skip_space(c);
	if (c->p < c->end && *c->p == close) {
		c->p++;
		c->depth--;
		return US_OK;
	}
	for (;;) {
		skip_space(c);
		if (close == '}') {
			if (c->p == c->end || *c->p++ != '"')
				return US_ERR_FORMAT;
			err = check_string(c);
			if (err != US_OK)
				return err;
			skip_space(c);
			if (c->p == c->end || *c->p++ != ':')
				return US_ERR_FORMAT;
		}
		err = check_value(c);
		if (err != US_OK)
			return err;
		skip_space(c);
		if (c->p == c->end || (*c->p != ',' && *c->p != close))
			return US_ERR_FORMAT;
		if (*c->p++ == close)
			break;
	}
	c->depth--;
	return US_OK;
}

static int
check_value(struct us_front_cursor *c)
{
	skip_space(c);
	if (c->p == c->end)
		return US_ERR_FORMAT;
	if (++c->values > US_JSON_IN_VALUES)
		return US_ERR_LIMIT;
	switch (*c->p) {
	case '{':
		c->p++;
		return check_list(c, '}');
	case '[':
		c->p++;
		return check_list(c, ']');
	case '"':
		c->p++;
		return check_string(c);
	case 't':
		return check_word(c, "true");
	case 'f':
		return check_word(c, "false");
	case 'n':
		return check_word(c, "null");
	default:
		return check_number(c);
	}
}

int
us_json_check(struct us_bytes text)
{
	struct us_front_cursor c = { .p = text.p, .end = text.p + text.n };
	int err;

	if (text.n == 0)
		return US_ERR_FORMAT;
	if (!us_utf8_valid(text.p, text.n))
		return US_ERR_ENCODING;
	err = check_value(&c);
	if (err != US_OK)
		return err;
	skip_space(&c);
	return c.p == c.end ? US_OK : US_ERR_FORMAT;
}

/* --- members --------------------------------------------------------------------------- */

/* Copies into the arena, whose memory was reserved and so does not move. */
static int
keep(struct us_buf *arena, const void *p, size_t n, struct us_bytes *out)
{
	uint8_t *to;

	if (n > arena->cap - arena->len || us_buf_extend(arena, n, &to) != US_OK)
		return US_ERR_LIMIT;
	if (n != 0)
		memcpy(to, p, n);
	*out = (struct us_bytes){ n == 0 ? NULL : to, n };
	return US_OK;
}

static int
take_text(const struct us_json_member *m, const cJSON *item, struct us_buf *arena)
{
	size_t n;

	if (!cJSON_IsString(item))
		return US_ERR_FORMAT;
	n = strlen(item->valuestring);
	if (n < m->min || n > m->max)
		return US_ERR_LIMIT;
	return keep(arena, item->valuestring, n, m->out);
}

static int
take_base64(const struct us_json_member *m, const cJSON *item, struct us_buf *arena)
{
	struct us_bytes *out = m->out;
	size_t text_n, n = 0;
	uint8_t *to;
	int err;

	if (!cJSON_IsString(item))
		return US_ERR_FORMAT;
	text_n = strlen(item->valuestring);
	if (text_n > US_BASE64_SIZE(m->max) || text_n > arena->cap - arena->len)
		return US_ERR_LIMIT;
	err = us_buf_reserve(arena, text_n + 1, &to);
	if (err == US_OK)
		err = us_base64_decode(item->valuestring, text_n, to, text_n, &n);
	if (err != US_OK)
		return err;
	if (n < m->min || n > m->max)
		return US_ERR_LIMIT;
	err = us_buf_extend(arena, n, NULL);
	if (err == US_OK)
		*out = (struct us_bytes){ n == 0 ? NULL : to, n };
	return err;
}

static int
take_number(const struct us_json_member *m, const cJSON *item)
{
	double v;

	if (!cJSON_IsNumber(item))
		return US_ERR_FORMAT;
	v = item->valuedouble;
	if (!(v >= 0) || v > 9007199254740992.0 || floor(v) < v)
		return US_ERR_FORMAT;
	*(uint64_t *)m->out = (uint64_t)v;
	return US_OK;
}

static int
take_strings(const struct us_json_member *m, const cJSON *item, struct us_buf *arena)
{
	struct us_bytes *out = m->out;
	size_t start = arena->len, count = 0, n;
	const cJSON *e;
	uint8_t *to;

	if (!cJSON_IsArray(item))
		return US_ERR_FORMAT;
	cJSON_ArrayForEach(e, item) {
		if (!cJSON_IsString(e))
			return US_ERR_FORMAT;
		n = strlen(e->valuestring);
		if (++count > m->max || n == 0 || n > 128 || n + 2 > arena->cap - arena->len)
			return US_ERR_LIMIT;
		if (us_buf_extend(arena, n + 2, &to) != US_OK)
			return US_ERR_LIMIT;
		us_store_u16(to, (uint16_t)n);
		memcpy(to + 2, e->valuestring, n);
	}
	if (count < m->min)
		return US_ERR_LIMIT;
	*out = (struct us_bytes){ arena->data + start, arena->len - start };
	return US_OK;
}

static int
take_member(const struct us_json_member *m, const cJSON *item, struct us_buf *arena)
{
	switch (m->kind) {
	case US_JSON_STRING:
		return take_text(m, item, arena);
	case US_JSON_BASE64:
		return take_base64(m, item, arena);
	case US_JSON_NUMBER:
		return take_number(m, item);
	case US_JSON_FLAG:
		if (!cJSON_IsBool(item))
			return US_ERR_FORMAT;
		*(int *)m->out = cJSON_IsTrue(item) ? 1 : 0;
		return US_OK;
	case US_JSON_STRINGS:
		return take_strings(m, item, arena);
	}
	return US_ERR_INTERNAL;
}

static int
take_all(const cJSON *root, const struct us_json_member *members, size_t n, struct us_buf *arena,
    const char **why)
{
	unsigned seen = 0;
	const cJSON *item;
	size_t i;

	cJSON_ArrayForEach(item, root) {
		for (i = 0; i < n && strcmp(members[i].name, item->string) != 0; i++)
			;
		if (i == n) {
			*why = "the body has a member that is not known";
			return US_ERR_FORMAT;
		}
		if (seen & 1u << i) {
			*why = "a member stands twice in the body";
			return US_ERR_FORMAT;
		}
		seen |= 1u << i;
		if (cJSON_IsNull(item) && !members[i].required)
			continue;
		*why = members[i].name;
		if (take_member(&members[i], item, arena) != US_OK)
			return US_ERR_FORMAT;
		if (members[i].given != NULL)
			*members[i].given = 1;
	}
	for (i = 0; i < n; i++)
		if (members[i].required && !(seen & 1u << i)) {
			*why = members[i].name;
			return US_ERR_FORMAT;
		}
	return US_OK;
}

int
us_json_members(struct us_bytes text, const struct us_json_member *members, size_t n,
    struct us_buf *arena, const char **why)
{
	cJSON *root = NULL;
	int err;

	us_buf_reset(arena);
	*why = "the body is not a JSON object";
	err = us_json_check(text);
	if (err != US_OK)
		return err;
	/* packed strings need two bytes of length each, less than their quotes and commas */
	err = us_buf_reserve(arena, text.n + 65536, NULL);
	if (err != US_OK)
		return err;
	root = cJSON_ParseWithLength((const char *)text.p, text.n);
	if (root == NULL) /* lone surrogates, or no memory */
		return US_ERR_FORMAT;
	err = cJSON_IsObject(root) ? take_all(root, members, n, arena, why) : US_ERR_FORMAT;
	cJSON_Delete(root);
	return err;
}
