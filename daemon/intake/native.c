#include "daemon/intake/native.h"

#include <stdlib.h>

#include "base/array.h"
#include "base/err.h"
#include "daemon/intake/native_value.h"
#include "daemon/intake/scan.h"

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
			us_native_defect(p, US_DEFECT_TOO_MANY_MESSAGES);
			p->skip++;
			return 1;
		}
		p->place = MESSAGE;
		p->message_seen = 0;
		p->role = 0;
		return room_for_message(p);
	} else {
		(void)us_native_other(p, 0);
		p->skip++;
	}
	return 1;
}

static void
end_message(struct us_native *p)
{
	if (us_intake_keys_end(&p->message_others))
		us_native_defect(p, US_DEFECT_DUPLICATE_KEY);
	if ((p->message_seen & KEY_ROLE) == 0 || (p->message_seen & KEY_CONTENT) == 0)
		us_native_defect(p, US_DEFECT_MISSING_FIELD);
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
	if (us_intake_keys_end(&p->record_others))
		us_native_defect(p, US_DEFECT_DUPLICATE_KEY);
	if ((p->record_seen & KEY_ID) == 0 || (p->record_seen & KEY_MESSAGES) == 0)
		us_native_defect(p, US_DEFECT_MISSING_FIELD);
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
		(void)us_native_other(p, 0);
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
		us_native_defect(p, US_DEFECT_NO_MESSAGES);
	else if (!p->assistants)
		us_native_defect(p, US_DEFECT_NO_OUTPUT_TURN);
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
		p->err = us_intake_keys_add(in_record ? &p->record_others : &p->message_others, s,
		    n);
		return p->err == US_OK;
	}
	if ((*seen & p->key) != 0) {
		us_native_defect(p, US_DEFECT_DUPLICATE_KEY);
		p->key = KEY_OTHER; /* its value is not looked at */
	}
	*seen |= p->key;
	return 1;
}

static const yajl_callbacks callbacks = {
	us_native_null,
	us_native_boolean,
	NULL,
	NULL,
	us_native_number,
	us_native_string,
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
	us_intake_keys_init(&p->record_others, US_RECORD_MAX);
	us_intake_keys_init(&p->message_others, US_RECORD_MAX);
	return US_OK;
}

void
us_native_free(struct us_native *p)
{
	if (p == NULL)
		return;
	us_buf_free(&p->text);
	us_intake_keys_free(&p->record_others);
	us_intake_keys_free(&p->message_others);
	free(p->spans);
	free(p->contents);
	free(p->texts);
	free(p);
}

static void
begin(struct us_native *p, struct us_bytes line, int64_t now_ns)
{
	const struct us_intake_text none = { 0, 0 };

	p->line = line;
	p->now_ns = now_ns;
	p->place = TOP;
	p->skip = 0;
	p->key = KEY_OTHER;
	p->record_seen = p->message_seen = 0;
	(void)us_intake_keys_end(&p->record_others);
	(void)us_intake_keys_end(&p->message_others);
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
view(const struct us_native *p, struct us_intake_text part)
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
