#include "client/report/lines.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/buf.h"
#include "base/err.h"
#include "client/core/table.h"

#define CELL_MAX_BYTES ((size_t)16 << 20)

static const cJSON *
member(const cJSON *e, const char *name)
{
	return cJSON_GetObjectItemCaseSensitive(e, name);
}

/* What a refused request was about. */
static int
put_asked(struct us_buf *b, const cJSON *e)
{
	const cJSON *asked = member(e, "asked");
	const char *first = cJSON_GetStringValue(cJSON_GetArrayItem(asked, 0));
	int err;

	if (first == NULL)
		return US_OK;
	err = us_buf_putf(b, "  asked for %s", first);
	if (err == US_OK && cJSON_GetArraySize(asked) > 1)
		err = us_buf_putf(b, " and %d more", cJSON_GetArraySize(asked) - 1);
	return err;
}

/* How earlier answers ended. */
static int
put_ending(struct us_buf *b, const cJSON *e)
{
	const double from = us_json_number(e, "from", -1), to = us_json_number(e, "to", -1);

	if (strcmp(us_json_text(e, "class"), "access") == 0 &&
	    strcmp(us_json_text(e, "kind"), "outcome") == 0)
		return us_buf_putf(b, "  entry %.0f: %.0f records had left",
		    us_json_number(e, "related", 0), us_json_number(e, "total", 0));
	if (from >= 0 && strcmp(us_json_text(e, "decision"), "failed") == 0)
		return us_buf_putf(b, "  entries %.0f to %.0f: not known", from, to - 1);
	return from < 0 ? US_OK : us_buf_putf(b, "  entries %.0f to %.0f", from, to - 1);
}

/* What was counted: "3 timeout, 1 foreign-ca". */
static int
put_counts(struct us_buf *b, const cJSON *e)
{
	const cJSON *count;
	const char *between = "  ";
	int err = US_OK;

	cJSON_ArrayForEach(count, member(e, "counts")) {
		if (err == US_OK)
			err = us_buf_putf(b, "%s%.0f %s", between, count->valuedouble,
			    count->string);
		between = ", ";
	}
	return err;
}

/* Connections that failed before it was known whose they were are nobody's refusal. */
static int
is_connections(const cJSON *e)
{
	return strcmp(us_json_text(e, "action"), "handshakes") == 0;
}

/* All that an entry says behind who did what: each part begins with two blanks. */
static int
put_about(struct us_buf *b, const cJSON *e)
{
	const int records = cJSON_GetArraySize(member(e, "records"));
	const char *reason = us_json_text(e, "reason"), *paragraph = us_json_text(e, "paragraph");
	int err = US_OK;

	if (*paragraph != '\0')
		err = us_buf_putf(b, "  (%s)", paragraph);
	if (err == US_OK && *reason != '\0' && strcmp(reason, "none") != 0)
		err = us_buf_putf(b, "  %s", reason);
	if (err == US_OK && *us_json_text(e, "as_told") != '\0')
		err = us_buf_putf(b, ", as told %s", us_json_text(e, "as_told"));
	if (err == US_OK && records > 0)
		err = us_buf_putf(b, "  %d records", records);
	if (err == US_OK)
		err = put_counts(b, e);
	if (err == US_OK)
		err = put_asked(b, e);
	if (err == US_OK)
		err = put_ending(b, e);
	if (err == US_OK && *us_json_text(e, "query") != '\0')
		err = us_buf_putf(b, "  %s", us_json_text(e, "query"));
	return err;
}

/* The texts of a list, one behind the other. */
static int
put_joined(struct us_buf *b, const cJSON *list)
{
	const cJSON *item;
	int err = US_OK;

	cJSON_ArrayForEach(item, list)
		if (err == US_OK)
			err = cJSON_IsNumber(item) ?
			    us_buf_putf(b, "%s%.0f", b->len == 0 ? "" : " ", item->valuedouble) :
			    us_buf_putf(b, "%s%s", b->len == 0 ? "" : " ",
				cJSON_IsString(item) ? item->valuestring : "");
	return err;
}

/* ---- text ---- */

static void
text_header(FILE *to)
{
	us_print_to(to, "%-6s  %-20s  %-20s  %-20s  %-7s  %-16s  %s\n", "entry", "time", "person",
	    "action", "", "purpose", "about");
}

static int
text_line(FILE *to, const cJSON *e)
{
	char time[24];
	struct us_buf about;
	int err;

	us_buf_init(&about, CELL_MAX_BYTES);
	err = put_about(&about, e);
	if (err == US_OK && us_buf_cstr(&about) == NULL)
		err = US_ERR_NOMEM;
	if (err == US_OK) {
		const char *text = us_buf_cstr(&about);

		(void)snprintf(time, sizeof time, "%.19sZ", us_json_text(e, "time"));
		us_print_to(to, "%-6.0f  ", us_json_number(e, "index", 0));
		us_print_to(to, "%-20s  ", time);
		us_print_to(to, "%-20s  ", us_json_text(e, "person"));
		us_print_to(to, "%-20s  ",
		    is_connections(e) ? "connections" : us_json_text(e, "action"));
		us_print_to(to, "%-7s  ",
		    is_connections(e) ? "failed" : us_json_text(e, "decision"));
		us_print_to(to, "%-16s  ", us_json_text(e, "purpose"));
		us_print_to(to, "%s", text + strspn(text, " "));
		us_print_to(to, "\n");
	}
	us_buf_free(&about);
	return err;
}

/* ---- CSV ---- */

static const char *const csv_columns[] = { "index", "time", "class", "order", "person", "party",
	"action", "decision", "reason", "rule", "paragraph", "collection", "credential", "records",
	"purpose", "query", "address", "as_told" };

static int
csv_cell(FILE *to, const cJSON *value)
{
	struct us_buf text;
	int err = US_OK;

	us_buf_init(&text, CELL_MAX_BYTES);
	if (cJSON_IsArray(value))
		err = put_joined(&text, value);
	else if (cJSON_IsNumber(value))
		err = us_buf_putf(&text, "%.0f", value->valuedouble);
	else if (cJSON_IsString(value))
		err = us_buf_putf(&text, "%s", value->valuestring);
	if (err == US_OK && us_buf_cstr(&text) == NULL)
		err = US_ERR_NOMEM;
	if (err == US_OK && cJSON_IsNumber(value))
		us_print_to(to, "%s", us_buf_cstr(&text));
	else if (err == US_OK)
		us_csv_cell(to, us_buf_cstr(&text));
	us_buf_free(&text);
	return err;
}

static int
csv_line(FILE *to, const cJSON *e)
{
	struct us_buf about;
	const char *text;
	int err = US_OK;

	for (size_t i = 0; err == US_OK && i < US_COUNT(csv_columns); i++) {
		err = csv_cell(to, member(e, csv_columns[i]));
		us_print_to(to, ",");
	}
	us_buf_init(&about, CELL_MAX_BYTES);
	if (err == US_OK)
		err = put_counts(&about, e);
	if (err == US_OK)
		err = put_asked(&about, e);
	if (err == US_OK)
		err = put_ending(&about, e);
	text = us_buf_cstr(&about);
	if (err == US_OK && text == NULL)
		err = US_ERR_NOMEM;
	if (err == US_OK)
		us_csv_cell(to, text + strspn(text, " "));
	us_csv_end(to);
	us_buf_free(&about);
	return err;
}

static void
csv_header(FILE *to)
{
	for (size_t i = 0; i < US_COUNT(csv_columns); i++)
		us_print_to(to, "%s,", csv_columns[i]);
	us_print_to(to, "about");
	us_csv_end(to);
}

/* ---- all ---- */

static int
show_line(FILE *to, const char *line, enum us_report_form form)
{
	cJSON *e;
	int err;

	if (form == US_REPORT_JSON)
		return us_print_json_line(to, line, strcspn(line, "\n"));
	e = cJSON_Parse(line);
	err = e == NULL ? US_ERR_NOMEM : form == US_REPORT_CSV ? csv_line(to, e) : text_line(to, e);
	cJSON_Delete(e);
	return err;
}

void
us_lines_begin(struct us_lines *l)
{
	l->n = 0;
	if (l->form == US_REPORT_CSV)
		csv_header(l->to);
}

int
us_lines_put(struct us_lines *l, const char *line)
{
	if (l->n++ == 0 && l->form == US_REPORT_TEXT)
		text_header(l->to);
	return show_line(l->to, line, l->form);
}

int
us_lines_show(FILE *to, FILE *from, enum us_report_form form, uint64_t limit)
{
	struct us_lines l = { .to = to, .form = form };
	char *line = NULL;
	size_t cap = 0;
	uint64_t n = 0, skip = 0;
	int err = US_OK;

	rewind(from);
	for (int c; limit > 0 && (c = fgetc(from)) != EOF;)
		n += c == '\n';
	if (limit > 0 && n > limit) {
		skip = n - limit;
		us_say("--limit: the newest %llu of %llu entries", (unsigned long long)limit,
		    (unsigned long long)n);
	}
	rewind(from);
	us_lines_begin(&l);
	for (n = 0; err == US_OK && getline(&line, &cap, from) > 0; n++)
		if (n >= skip)
			err = us_lines_put(&l, line);
	free(line);
	return err == US_OK && (ferror(from) || fflush(to) != 0) ? US_ERR_IO : err;
}
