#include "evidence/mask/mask.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/err.h"
#include "base/json_out.h"
#include "base/time.h"

#define HIDDEN "[\xe2\x80\xa6]" /* […] */
#define MASKED "[masked]"
/* Dates of model versions are no accounts, and values of these two fields are few and open to
 * search anyway. */
#define VALUE_IDENTIFIERS (US_IDENTIFIERS_ALL & ~US_IDENTIFIER_BIT(US_IDENTIFIER_NUMBER))

struct us_mask_render {
	const struct us_mask *mask;
	const struct us_query *query; /* NULL: everything, or nothing with except_match */
	struct us_json json;
	struct us_buf shown; /* a text under the mask */
	uint64_t identifiers[US_IDENTIFIERS];
	uint64_t messages;
};

static int
is_role_masked(const struct us_mask *mask, unsigned role)
{
	/* a role that nobody knows is masked where any is */
	return role >= 1 && role <= 4 ? mask->roles >> role & 1 : mask->roles != 0;
}

/* What was written before a failure is no answer. */
static void
cut_back(struct us_buf *out, size_t had)
{
	if (out->len > had)
		us_wipe(out->data + had, out->len - had);
	out->len = had;
}

/* ---- for reading ---- */

static int
put_text(struct us_buf *b, const char *text)
{
	return us_buf_put(b, text, strlen(text));
}

/* Text with a placeholder for each identifier of the wanted classes. */
static int
put_without(struct us_mask_render *r, struct us_bytes text, uint32_t wanted)
{
	struct us_identifier_span *spans = NULL;
	size_t n = 0, at = 0;
	int err;

	if (text.n == 0)
		return US_OK;
	err = us_identifiers_find(text, wanted, &spans, &n);
	for (size_t i = 0; err == US_OK && i < n; i++) {
		r->identifiers[spans[i].identifier]++;
		err = us_buf_put(&r->shown, text.p + at, spans[i].start - at);
		if (err == US_OK)
			err = us_buf_putf(&r->shown, "[masked: %s]",
			    us_identifier_name(spans[i].identifier));
		at = spans[i].end;
	}
	if (err == US_OK)
		err = us_buf_put(&r->shown, text.p + at, text.n - at);
	free(spans);
	return err;
}

/* What matches of one piece between identifiers; *hidden is 1 while the text before stands as one
 * […] already. */
static int
put_matches_of(struct us_mask_render *r, struct us_bytes piece, int *hidden)
{
	struct us_match_span *spans = NULL;
	size_t n = 0, at = 0;
	int err = us_match_spans(r->query, piece, &spans, &n);

	for (size_t i = 0; err == US_OK && i <= n; i++) {
		size_t start = i < n ? spans[i].start : piece.n;

		if (start != at && !*hidden) {
			err = put_text(&r->shown, HIDDEN);
			*hidden = 1;
		}
		if (err != US_OK || i == n)
			break;
		err = us_buf_put(&r->shown, piece.p + start, spans[i].end - start);
		at = spans[i].end;
		*hidden = 0;
	}
	free(spans);
	return err;
}

/* Only what matches. Matches are looked for between identifiers, so that a query cannot ask for
 * what is masked. */
static int
put_matches(struct us_mask_render *r, struct us_bytes text)
{
	struct us_identifier_span *spans = NULL;
	size_t n = 0, at = 0, end;
	int err, hidden = 0;

	if (text.n == 0)
		return US_OK;
	if (r->query == NULL)
		return put_text(&r->shown, HIDDEN);
	err = us_identifiers_find(text, r->mask->identifiers, &spans, &n);
	for (size_t i = 0; err == US_OK && i <= n; i++) {
		end = i < n ? spans[i].start : text.n;
		err = put_matches_of(r, (struct us_bytes){ text.p + at, end - at }, &hidden);
		if (err != US_OK || i == n)
			break;
		if (!hidden)
			err = put_text(&r->shown, HIDDEN);
		hidden = 1;
		at = spans[i].end;
	}
	free(spans);
	return err;
}

static int
put_message(struct us_mask_render *r, const struct us_container *c, size_t i)
{
	struct us_span span = us_container_span(c, i);
	struct us_buf content;
	int err = US_OK;

	us_buf_reset(&r->shown);
	us_buf_init(&content, US_RECORD_MAX);
	if (is_role_masked(r->mask, span.role)) {
		r->messages++;
		err = us_buf_putf(&r->shown, "[masked: message of %s]",
		    us_message_role_name(span.role));
	} else {
		err = us_container_content(c, i, &content);
		if (err == US_OK && r->mask->except_match)
			err = put_matches(r, (struct us_bytes){ content.data, content.len });
		else if (err == US_OK)
			err = put_without(r, (struct us_bytes){ content.data, content.len },
			    r->mask->identifiers);
	}
	if (err == US_OK) {
		us_json_object(&r->json);
		us_json_kv_cstr(&r->json, "role", us_message_role_name(span.role));
		us_json_kv_str(&r->json, "content",
		    (struct us_bytes){ r->shown.data, r->shown.len });
		us_json_close(&r->json);
		err = r->json.err;
	}
	us_buf_free(&content);
	return err;
}

/* A value that is masked says so also where it is not known. */
static int
put_value(struct us_mask_render *r, unsigned field, struct us_bytes value, uint32_t identifiers)
{
	const char *name = us_mask_field_name(field);
	int err;

	if ((r->mask->fields & field) != 0 || value.n == 0) {
		us_json_kv_cstr(&r->json, name, (r->mask->fields & field) != 0 ? MASKED : NULL);
		return r->json.err;
	}
	us_buf_reset(&r->shown);
	err = put_without(r, value, r->mask->identifiers & identifiers);
	if (err == US_OK) {
		us_json_kv_str(&r->json, name, (struct us_bytes){ r->shown.data, r->shown.len });
		err = r->json.err;
	}
	return err;
}

static void
put_created(struct us_mask_render *r, int64_t created_s)
{
	char text[US_TIME_TEXT_SIZE];
	const char *shown = NULL;

	if ((r->mask->fields & US_MASK_CREATED) != 0)
		shown = MASKED;
	else if (created_s >= 0 && created_s <= INT64_MAX / US_NS_PER_SECOND)
		shown = us_time_format_s(created_s * US_NS_PER_SECOND, text);
	us_json_kv_cstr(&r->json, us_mask_field_name(US_MASK_CREATED), shown);
}

static void
put_counts(struct us_mask_render *r)
{
	struct us_json *j = &r->json;

	us_json_key(j, "masked");
	us_json_object(j);
	us_json_key(j, "identifiers");
	us_json_object(j);
	for (unsigned i = 0; i < US_IDENTIFIERS; i++)
		if (r->identifiers[i] != 0)
			us_json_kv_uint(j, us_identifier_name(i), r->identifiers[i]);
	us_json_close(j);
	us_json_kv_uint(j, "messages", r->messages);
	us_json_key(j, "fields");
	us_json_array(j);
	for (unsigned bit = 1; bit <= US_MASK_FIELDS_ALL; bit <<= 1)
		if ((r->mask->fields & bit) != 0)
			us_json_cstr(j, us_mask_field_name(bit));
	us_json_close(j);
	us_json_kv_bool(j, "outside_match", r->mask->except_match);
	us_json_close(j);
}

int
us_mask_render(const struct us_mask *mask, const struct us_container *container,
    const struct us_mask_facts *facts, const struct us_query *query, struct us_buf *out)
{
	struct us_mask_render r = { .mask = mask, .query = query };
	size_t had = out->len;
	int err;

	/* a placeholder is at most ten times what it stands for */
	us_buf_init(&r.shown, (size_t)16 * US_RECORD_MAX);
	us_json_begin(&r.json, out);
	us_json_object(&r.json);
	err = put_value(&r, US_MASK_ID, facts->id, US_IDENTIFIERS_ALL);
	if (err == US_OK) {
		put_created(&r, facts->created_s);
		err = put_value(&r, US_MASK_MODEL, facts->model, VALUE_IDENTIFIERS);
	}
	if (err == US_OK)
		err = put_value(&r, US_MASK_LANGUAGE, facts->language, VALUE_IDENTIFIERS);
	us_json_key(&r.json, "messages");
	us_json_array(&r.json);
	for (size_t i = 0; err == US_OK && i < container->messages; i++)
		err = put_message(&r, container, i);
	us_json_close(&r.json);
	put_counts(&r);
	us_json_close(&r.json);
	if (err == US_OK)
		err = us_json_end(&r.json);
	us_buf_free(&r.shown);
	us_wipe(&r, sizeof r);
	if (err != US_OK)
		cut_back(out, had);
	return err;
}
