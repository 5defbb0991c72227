#include "daemon/intake/native.h"

#include <stdlib.h>
#include <string.h>

#include <yajl/yajl_parse.h>

#include "base/array.h"
#include "base/err.h"
#include "base/time.h"
#include "daemon/intake/scan.h"
#include "evidence/query/words.h"

/* 1990-01-01T00:00:00Z: no conversation with a machine of the kind that is in evidence is older. */
#define CREATED_MIN (INT64_C(631152000) * US_NS_PER_SECOND)

enum us_intake_key {
	KEY_OTHER = 0,
	/* of a record */
	KEY_ID = 1 << 0,
	KEY_CREATED = 1 << 1,
	KEY_MODEL = 1 << 2,
	KEY_LANGUAGE = 1 << 3,
	KEY_DESIGNATION = 1 << 4,
	KEY_MESSAGES = 1 << 5,
	/* of a message */
	KEY_ROLE = 1 << 6,
	KEY_CONTENT = 1 << 7,
	KEY_TIME = 1 << 8,
};

/* Where the parser stands. */
enum us_intake_place { TOP, RECORD, MESSAGES, MESSAGE };

struct us_intake_name {
	const char *text;
	unsigned key;
};

static const struct us_intake_name record_keys[] = {
	{ "id", KEY_ID },
	{ "created", KEY_CREATED },
	{ "model", KEY_MODEL },
	{ "language", KEY_LANGUAGE },
	{ "designation", KEY_DESIGNATION },
	{ "messages", KEY_MESSAGES },
	{ NULL, 0 },
};
static const struct us_intake_name message_keys[] = {
	{ "role", KEY_ROLE },
	{ "content", KEY_CONTENT },
	{ "time", KEY_TIME },
	{ NULL, 0 },
};

struct us_intake_part {
	size_t at, n; /* in the text buffer */
};

/* The keys of one open object that have no name above, for the search of duplicates. */
struct us_intake_others {
	struct us_buf text;
	struct us_intake_part *key;
	size_t n, cap;
};

/* Invariant: skip counts the containers open below what is understood; while it is not 0,
 * nothing is looked at. */
struct us_native {
	struct us_bytes line;
	int64_t now_ns;
	yajl_handle yajl;
	enum us_intake_place place;
	unsigned skip;
	unsigned key; /* of the value to come */
	unsigned record_seen, message_seen;
	struct us_intake_others record_others, message_others;
	enum us_defect defect;
	int err;
	struct us_buf text; /* decoded strings */
	struct us_intake_part id, model, language, designation;
	int64_t created_ns;
	uint8_t role;
	int assistants;
	struct us_span *spans;
	struct us_intake_part *contents;
	struct us_bytes *texts;
	size_t messages, cap;
};

static void
defect(struct us_native *p, enum us_defect d)
{
	if (p->defect == US_DEFECT_NONE)
		p->defect = d;
}

static int
keep(struct us_native *p, const unsigned char *s, size_t n, struct us_intake_part *out)
{
	*out = (struct us_intake_part){ p->text.len, n };
	p->err = us_buf_put(&p->text, s, n);
	return p->err == US_OK;
}

/* A value that has nothing left once it is folded would be no designation in the index: one that
 * was meant, and lost. */
static int
is_blank(struct us_native *p, const unsigned char *s, size_t n)
{
	uint8_t folded[US_WORD_MAX];
	size_t folded_n = 0;
	int err = us_value_fold(s, n, folded, &folded_n);

	if (err != US_OK)
		p->err = err;
	return folded_n == 0;
}

/* --- duplicate keys -------------------------------------------------------------------- */

static int
others_add(struct us_intake_others *o, const unsigned char *s, size_t n)
{
	if (us_grow(&o->key, o->n, &o->cap, sizeof *o->key) != US_OK)
		return US_ERR_NOMEM;
	o->key[o->n++] = (struct us_intake_part){ o->text.len, n };
	return us_buf_put(&o->text, s, n);
}

static int
key_order(const void *a, const void *b, void *text)
{
	const struct us_intake_part *x = a, *y = b;
	const uint8_t *t = text;
	size_t n = x->n < y->n ? x->n : y->n;
	int c = n == 0 ? 0 : memcmp(t + x->at, t + y->at, n);

	return c != 0 ? c : x->n < y->n ? -1 : x->n > y->n;
}

/* Forgets the keys; returns whether two were the same. */
static int
others_end(struct us_intake_others *o)
{
	int twice = 0;

	if (o->n > 1)
		qsort_r(o->key, o->n, sizeof *o->key, key_order, o->text.data);
	for (size_t i = 1; i < o->n && !twice; i++)
		twice = key_order(&o->key[i - 1], &o->key[i], o->text.data) == 0;
	o->n = 0;
	us_buf_reset(&o->text);
	return twice;
}

/* --- values ---------------------------------------------------------------------------- */

/* Whether the text begins with a year that us_time_parse() reads: then it is the rest that is
 * wrong. */
static int
year_is_ours(const unsigned char *s, size_t n)
{
	int year = 0;

	for (size_t i = 0; i < 4 && i < n; i++)
		year = 10 * year + (s[i] - '0');
	return year >= 1970 && year <= 2261;
}

static void
check_time(struct us_native *p, const unsigned char *s, size_t n, int64_t *out)
{
	int64_t ns;
	int err = us_time_parse((const char *)s, n, &ns);

	if (err == US_ERR_RANGE && !year_is_ours(s, n)) {
		defect(p, US_DEFECT_TIMESTAMP_OUT_OF_RANGE);
	} else if (err != US_OK) {
		defect(p, US_DEFECT_BAD_TIMESTAMP);
	} else if (ns < CREATED_MIN || ns > p->now_ns + US_NS_PER_DAY) {
		defect(p, US_DEFECT_TIMESTAMP_OUT_OF_RANGE);
	} else if (out != NULL) {
		*out = ns;
	}
}

static uint8_t
role_of(const unsigned char *s, size_t n)
{
	for (unsigned r = US_MESSAGE_SYSTEM; r <= US_MESSAGE_TOOL; r++) {
		if (us_bytes_is((struct us_bytes){ s, n }, us_message_role_name(r)))
			return (uint8_t)r;
	}
	return 0;
}

/* The literal that yajl has just read ends before the byte it stands at; inside it every quote
 * has an odd number of backslashes before it, the opening one has none. */
static struct us_span
literal(const struct us_native *p)
{
	const uint8_t *l = p->line.p;
	size_t end = yajl_get_bytes_consumed(p->yajl) - 1, at = end, slashes;

	do {
		at--;
		slashes = 0;
		while (l[at] == '"' && slashes < at && l[at - 1 - slashes] == '\\')
			slashes++;
	} while (l[at] != '"' || slashes % 2 != 0);
	return (struct us_span){ 0, (uint32_t)(at + 1), (uint32_t)(end - at - 1) };
}

static int
content(struct us_native *p, const unsigned char *s, size_t n)
{
	const uint8_t *at = (const uint8_t *)s;

	if (at >= p->line.p && at + n <= p->line.p + p->line.n)
		p->spans[p->messages] = (struct us_span){ 0, (uint32_t)(at - p->line.p),
			(uint32_t)n };
	else
		p->spans[p->messages] = literal(p);
	return keep(p, s, n, &p->contents[p->messages]);
}

static int
record_string(struct us_native *p, const unsigned char *s, size_t n)
{
	switch (p->key) {
	case KEY_ID:
		if (n == 0 || n > US_SOURCE_ID_MAX) {
			defect(p, US_DEFECT_BAD_ID);
			return 1;
		}
		return keep(p, s, n, &p->id);
	case KEY_CREATED:
		check_time(p, s, n, &p->created_ns);
		return 1;
	case KEY_MODEL:
		return keep(p, s, n, &p->model);
	case KEY_LANGUAGE:
		return keep(p, s, n, &p->language);
	case KEY_DESIGNATION:
		if (n == 0 || n > US_DESIGNATION_MAX || is_blank(p, s, n))
			defect(p, US_DEFECT_UNKNOWN_DESIGNATION);
		return p->err == US_OK ? keep(p, s, n, &p->designation) : 0;
	case KEY_MESSAGES:
		defect(p, US_DEFECT_WRONG_TYPE);
		return 1;
	default:
		return 1;
	}
}

static int
on_string(void *ctx, const unsigned char *s, size_t n)
{
	struct us_native *p = ctx;

	if (p->skip > 0)
		return 1;
	switch (p->place) {
	case TOP:
		defect(p, US_DEFECT_NOT_AN_OBJECT);
		return 1;
	case RECORD:
		return record_string(p, s, n);
	case MESSAGES:
		defect(p, US_DEFECT_WRONG_TYPE);
		return 1;
	case MESSAGE:
		break;
	}
	if (p->key == KEY_ROLE) {
		p->role = role_of(s, n);
		if (p->role == 0)
			defect(p, US_DEFECT_UNKNOWN_ROLE);
	} else if (p->key == KEY_CONTENT) {
		return content(p, s, n);
	} else if (p->key == KEY_TIME) {
		check_time(p, s, n, NULL);
	}
	return 1;
}

/* A value that is neither string nor what its place wants; null stands for "not known". */
static int
other_value(struct us_native *p, int is_null)
{
	const unsigned optional = KEY_CREATED | KEY_MODEL | KEY_LANGUAGE | KEY_DESIGNATION |
	    KEY_TIME;

	if (p->skip > 0)
		return 1;
	switch (p->place) {
	case TOP:
		defect(p, US_DEFECT_NOT_AN_OBJECT);
		break;
	case MESSAGES:
		defect(p, US_DEFECT_WRONG_TYPE);
		break;
	case RECORD:
	case MESSAGE:
		if (p->key != KEY_OTHER && !(is_null && (p->key & optional) != 0))
			defect(p, US_DEFECT_WRONG_TYPE);
		break;
	}
	return 1;
}

static int
on_null(void *ctx)
{
	return other_value(ctx, 1);
}

static int
on_boolean(void *ctx, int value)
{
	(void)value;
	return other_value(ctx, 0);
}

static int
on_number(void *ctx, const char *s, size_t n)
{
	(void)s;
	(void)n;
	return other_value(ctx, 0);
}

/* --- containers ------------------------------------------------------------------------ */

static int
room_for_message(struct us_native *p)
{
	size_t spans = p->cap, contents = p->cap, texts = p->cap; /* the three grow alike */

	if (us_grow(&p->spans, p->messages, &spans, sizeof *p->spans) != US_OK ||
	    us_grow(&p->contents, p->messages, &contents, sizeof *p->contents) != US_OK ||
	    us_grow(&p->texts, p->messages, &texts, sizeof *p->texts) != US_OK) {
		p->err = US_ERR_NOMEM;
		return 0;
	}
	p->cap = spans;
	return 1;
}

static int
on_start_map(void *ctx)
{
	struct us_native *p = ctx;

	if (p->skip > 0) {
		p->skip++;
	} else if (p->place == TOP) {
		p->place = RECORD;
	} else if (p->place == MESSAGES) {
		if (p->messages == US_MESSAGES_MAX) {
			defect(p, US_DEFECT_TOO_MANY_MESSAGES);
			p->skip++;
			return 1;
		}
		p->place = MESSAGE;
		p->message_seen = 0;
		p->role = 0;
		return room_for_message(p);
	} else {
		(void)other_value(p, 0);
		p->skip++;
	}
	return 1;
}

static void
end_message(struct us_native *p)
{
	if (others_end(&p->message_others))
		defect(p, US_DEFECT_DUPLICATE_KEY);
	if ((p->message_seen & KEY_ROLE) == 0 || (p->message_seen & KEY_CONTENT) == 0)
		defect(p, US_DEFECT_MISSING_FIELD);
	p->spans[p->messages].role = p->role;
	if (p->role == US_MESSAGE_ASSISTANT)
		p->assistants = 1;
	p->messages++;
	p->place = MESSAGES;
}

static int
on_end_map(void *ctx)
{
	struct us_native *p = ctx;

	if (p->skip > 0) {
		p->skip--;
		return 1;
	}
	if (p->place == MESSAGE) {
		end_message(p);
		return 1;
	}
	p->place = TOP;
	if (others_end(&p->record_others))
		defect(p, US_DEFECT_DUPLICATE_KEY);
	if ((p->record_seen & KEY_ID) == 0 || (p->record_seen & KEY_MESSAGES) == 0)
		defect(p, US_DEFECT_MISSING_FIELD);
	return 1;
}

static int
on_start_array(void *ctx)
{
	struct us_native *p = ctx;

	if (p->skip == 0 && p->place == RECORD && p->key == KEY_MESSAGES) {
		p->place = MESSAGES;
		return 1;
	}
	if (p->skip == 0)
		(void)other_value(p, 0);
	p->skip++;
	return 1;
}

static int
on_end_array(void *ctx)
{
	struct us_native *p = ctx;

	if (p->skip > 0) {
		p->skip--;
		return 1;
	}
	p->place = RECORD;
	if (p->messages == 0)
		defect(p, US_DEFECT_NO_MESSAGES);
	else if (!p->assistants)
		defect(p, US_DEFECT_NO_OUTPUT_TURN);
	return 1;
}

static int
on_key(void *ctx, const unsigned char *s, size_t n)
{
	struct us_native *p = ctx;
	int in_record = p->place == RECORD;
	const struct us_intake_name *name = in_record ? record_keys : message_keys;
	unsigned *seen = in_record ? &p->record_seen : &p->message_seen;

	if (p->skip > 0)
		return 1;
	while (name->text != NULL && !us_bytes_is((struct us_bytes){ s, n }, name->text))
		name++;
	p->key = name->key;
	if (p->key == KEY_OTHER) {
		p->err = others_add(in_record ? &p->record_others : &p->message_others, s, n);
		return p->err == US_OK;
	}
	if ((*seen & p->key) != 0) {
		defect(p, US_DEFECT_DUPLICATE_KEY);
		p->key = KEY_OTHER; /* its value is not looked at */
	}
	*seen |= p->key;
	return 1;
}

static const yajl_callbacks callbacks = {
	on_null,
	on_boolean,
	NULL,
	NULL,
	on_number,
	on_string,
	on_start_map,
	on_key,
	on_end_map,
	on_start_array,
	on_end_array,
};

/* --- the parser ------------------------------------------------------------------------ */

int
us_native_new(struct us_native **out)
{
	struct us_native *p = calloc(1, sizeof *p);

	*out = p;
	if (p == NULL)
		return US_ERR_NOMEM;
	us_buf_init(&p->text, US_RECORD_MAX);
	us_buf_init(&p->record_others.text, US_RECORD_MAX);
	us_buf_init(&p->message_others.text, US_RECORD_MAX);
	return US_OK;
}

void
us_native_free(struct us_native *p)
{
	if (p == NULL)
		return;
	us_buf_free(&p->text);
	us_buf_free(&p->record_others.text);
	us_buf_free(&p->message_others.text);
	free(p->record_others.key);
	free(p->message_others.key);
	free(p->spans);
	free(p->contents);
	free(p->texts);
	free(p);
}

static void
begin(struct us_native *p, struct us_bytes line, int64_t now_ns)
{
	const struct us_intake_part none = { 0, 0 };

	p->line = line;
	p->now_ns = now_ns;
	p->place = TOP;
	p->skip = 0;
	p->key = KEY_OTHER;
	p->record_seen = p->message_seen = 0;
	(void)others_end(&p->record_others);
	(void)others_end(&p->message_others);
	p->defect = US_DEFECT_NONE;
	p->err = US_OK;
	us_buf_reset(&p->text);
	p->id = p->model = p->language = p->designation = none;
	p->created_ns = US_NATIVE_NO_TIME;
	p->assistants = 0;
	p->messages = 0;
}

/* Grammar and meaning, by yajl. */
static int
run(struct us_native *p)
{
	yajl_status status;

	p->yajl = yajl_alloc(&callbacks, NULL, p);
	if (p->yajl == NULL)
		return US_ERR_NOMEM;
	status = yajl_parse(p->yajl, p->line.p, p->line.n);
	if (status != yajl_status_ok)
		p->defect = US_DEFECT_INVALID_JSON;
	else if (yajl_complete_parse(p->yajl) != yajl_status_ok)
		p->defect = US_DEFECT_TRUNCATED_JSON;
	yajl_free(p->yajl);
	p->yajl = NULL;
	return p->err;
}

static struct us_bytes
view(const struct us_native *p, struct us_intake_part part)
{
	return part.n == 0 ? (struct us_bytes){ NULL, 0 } :
			     (struct us_bytes){ p->text.data + part.at, part.n };
}

int
us_native_parse(struct us_native *p, struct us_bytes line, int64_t now_ns, enum us_defect *out,
    struct us_native_record *record)
{
	int err;

	if (line.n > US_RECORD_MAX) {
		*out = US_DEFECT_TOO_LARGE;
		return US_OK;
	}
	*out = us_scan_line(line, US_NATIVE_DEPTH_MAX);
	if (*out != US_DEFECT_NONE)
		return US_OK;
	begin(p, line, now_ns);
	err = run(p);
	if (err != US_OK)
		return err;
	*out = p->defect;
	if (p->defect != US_DEFECT_NONE)
		return US_OK;
	for (size_t i = 0; i < p->messages; i++)
		p->texts[i] = view(p, p->contents[i]);
	*record = (struct us_native_record){
		.id = view(p, p->id),
		.created_ns = p->created_ns,
		.model = view(p, p->model),
		.language = view(p, p->language),
		.designation = view(p, p->designation),
		.messages = p->messages,
		.spans = p->spans,
		.texts = p->texts,
	};
	return US_OK;
}
