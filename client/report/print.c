/* A report as text, CSV (RFC 4180), JSON, or one page to print. */
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "client/report/report.h"
#include "base/base64.h"
#include "base/time.h"
#include "base/utf8.h"

#define COLUMNS_MAX 20
#define NAME_MAX_BYTES 32

struct us_client_columns {
	char name[COLUMNS_MAX][NAME_MAX_BYTES];
	size_t n;
};

static void
split_columns(struct us_client_columns *c, const char *names)
{
	c->n = 0;
	while (*names != '\0' && c->n < COLUMNS_MAX) {
		size_t n = strcspn(names, " ");

		(void)snprintf(c->name[c->n++], NAME_MAX_BYTES, "%.*s", (int)n, names);
		names += n;
		names += strspn(names, " ");
	}
}

/* A value as text; number has room for those. */
static const char *
value_text(const cJSON *item, char number[40])
{
	if (cJSON_IsString(item))
		return item->valuestring;
	if (!cJSON_IsNumber(item))
		return "";
	(void)snprintf(number, 40, "%.15g", item->valuedouble);
	return number;
}

static const char *
cell_text(const cJSON *row, const char *column, char number[40])
{
	return value_text(cJSON_GetObjectItemCaseSensitive(row, column), number);
}

/* ---- what every form says of the log ---- */

struct us_client_footer {
	char made[US_TIME_TEXT_SIZE], size[32], root[US_BASE64_SIZE(32) + 1],
	    from[US_TIME_TEXT_SIZE], to[US_TIME_TEXT_SIZE];
	char range[160], asked[160], withheld[64];
};

static void
make_footer(struct us_client_footer *f, const struct us_report *r, int64_t made_ns)
{
	const struct us_verify_report *v = &r->trail->verified;
	char since[US_TIME_TEXT_SIZE], until[US_TIME_TEXT_SIZE];

	memset(f, 0, sizeof *f);
	(void)us_time_format_s(made_ns, f->made);
	(void)snprintf(f->size, sizeof f->size, "%llu", (unsigned long long)v->checkpoint.size);
	us_base64_encode(v->checkpoint.root.b, sizeof v->checkpoint.root.b, f->root);
	if (v->entries > 0)
		(void)snprintf(f->range, sizeof f->range, "entries 0 to %llu, %s to %s",
		    (unsigned long long)v->entries - 1, us_time_format(v->first_ns, f->from),
		    us_time_format(v->last_ns, f->to));
	else
		(void)snprintf(f->range, sizeof f->range, "no entries");
	if (r->ask->since_ns != 0 || r->ask->until_ns != 0)
		(void)snprintf(f->asked, sizeof f->asked, "%s to %s",
		    r->ask->since_ns == 0 ? "the beginning" :
					    us_time_format(r->ask->since_ns, since),
		    r->ask->until_ns == 0 ? "the end" : us_time_format(r->ask->until_ns, until));
	(void)snprintf(f->withheld, sizeof f->withheld, "%llu entries withheld",
	    (unsigned long long)r->withheld);
}

/* ---- text ---- */

/* Characters as a terminal shows them: what us_print_text() puts out, counted. */
static size_t
width_of(const char *text)
{
	size_t n = strlen(text), width = 0;

	for (size_t at = 0; at < n; width++) {
		uint32_t c;
		size_t k = us_utf8_next(text + at, n - at, &c);

		at += k == 0 ? 1 : k;
	}
	return width;
}

static void
print_padded(FILE *to, const char *text, size_t width)
{
	us_print_text(to, text, strlen(text), 0);
	for (size_t n = width_of(text); n < width; n++)
		(void)fputc(' ', to);
}

static void
print_rows(FILE *to, const struct us_report *r, const struct us_client_columns *c)
{
	size_t width[COLUMNS_MAX];
	char number[40];
	const cJSON *row;

	for (size_t i = 0; i < c->n; i++) {
		width[i] = strlen(c->name[i]);
		cJSON_ArrayForEach(row, r->rows) {
			size_t w = width_of(cell_text(row, c->name[i], number));

			width[i] = w > width[i] ? w : width[i];
		}
	}
	for (size_t i = 0; i < c->n; i++)
		fprintf(to, "%-*s%s", i + 1 == c->n ? 0 : (int)width[i], c->name[i],
		    i + 1 == c->n ? "\n" : "  ");
	cJSON_ArrayForEach(row, r->rows)
		for (size_t i = 0; i < c->n; i++) {
			print_padded(to, cell_text(row, c->name[i], number),
			    i + 1 == c->n ? 0 : width[i]);
			fputs(i + 1 == c->n ? "\n" : "  ", to);
		}
}

static void
print_text(FILE *to, const struct us_report *r, const struct us_client_columns *c,
    const struct us_client_footer *f)
{
	const struct us_verify_report *v = &r->trail->verified;
	const cJSON *item;
	char number[40];

	fprintf(to, "%s: %s\n\n", r->kind->name, r->kind->question);
	if (cJSON_GetArraySize(r->rows) > 0)
		print_rows(to, r, c);
	else
		fputs("no entries of this kind\n", to);
	fputc('\n', to);
	cJSON_ArrayForEach(item, r->summary) {
		fprintf(to, "%s: ", item->string);
		print_padded(to, value_text(item, number), 0);
		fputc('\n', to);
	}
	cJSON_ArrayForEach(item, r->notes) {
		fputs("note: ", to);
		print_padded(to, value_text(item, number), 0);
		fputc('\n', to);
	}
	fputs("log: ", to);
	print_padded(to, v->checkpoint.origin, 0);
	fprintf(to, ", %s entries, root %s, %s\nrange: %s\n", f->size, f->root,
	    us_verdict_name(v->verdict), f->range);
	if (f->asked[0] != '\0')
		fprintf(to, "asked: %s\n", f->asked);
	fprintf(to, "%s\nmade: %s\n", f->withheld, f->made);
}

/* ---- CSV ---- */

/* What spreadsheets take for the beginning of a formula, also as full-width characters. */
static int
begins_formula(const char *text)
{
	static const char *const wide[] = { "\xef\xbc\x9d", "\xef\xbc\x8b", "\xef\xbc\x8d",
		"\xef\xbc\xa0" };

	if (*text != '\0' && strchr("=+-@\t\r\n", *text) != NULL)
		return 1;
	for (size_t i = 0; i < US_COUNT(wide); i++)
		if (strncmp(text, wide[i], strlen(wide[i])) == 0)
			return 1;
	return 0;
}

void
us_report_csv_cell(FILE *to, const char *text)
{
	int quoted = strpbrk(text, ",\"\r\n") != NULL;

	if (quoted)
		fputc('"', to);
	if (begins_formula(text))
		fputc('\'', to);
	for (; *text != '\0'; text++) {
		if (*text == '"')
			fputc('"', to);
		fputc(*text, to);
	}
	if (quoted)
		fputc('"', to);
}

/* A line about the report: two cells, then as many empty ones as the others have more. */
static void
csv_about(FILE *to, const struct us_client_columns *c, const char *name, const char *value)
{
	us_report_csv_cell(to, name);
	fputc(',', to);
	us_report_csv_cell(to, value);
	for (size_t i = 1; i < c->n; i++)
		fputc(',', to);
	fputs("\r\n", to);
}

static void
print_csv(FILE *to, const struct us_report *r, const struct us_client_columns *c,
    const struct us_client_footer *f)
{
	const cJSON *row, *item;
	char number[40];
	size_t n = 0;

	fputs("row", to);
	for (size_t i = 0; i < c->n; i++)
		fprintf(to, ",%s", c->name[i]);
	fputs("\r\n", to);
	cJSON_ArrayForEach(row, r->rows) {
		fprintf(to, "%zu", ++n);
		for (size_t i = 0; i < c->n; i++) {
			fputc(',', to);
			us_report_csv_cell(to, cell_text(row, c->name[i], number));
		}
		fputs("\r\n", to);
	}
	cJSON_ArrayForEach(item, r->summary)
		csv_about(to, c, item->string, value_text(item, number));
	cJSON_ArrayForEach(item, r->notes)
		csv_about(to, c, "note", value_text(item, number));
	csv_about(to, c, "report", r->kind->name);
	csv_about(to, c, "log origin", r->trail->verified.checkpoint.origin);
	csv_about(to, c, "log size", f->size);
	csv_about(to, c, "log root", f->root);
	csv_about(to, c, "verdict", us_verdict_name(r->trail->verified.verdict));
	csv_about(to, c, "range", f->range);
	if (f->asked[0] != '\0')
		csv_about(to, c, "asked", f->asked);
	csv_about(to, c, "withheld", f->withheld);
	csv_about(to, c, "made", f->made);
}

/* ---- JSON ---- */

static void
print_json(FILE *to, const struct us_report *r, const struct us_client_footer *f)
{
	const struct us_verify_report *v = &r->trail->verified;
	cJSON *document = cJSON_CreateObject(), *log;
	char *text;

	(void)cJSON_AddStringToObject(document, "report", r->kind->name);
	(void)cJSON_AddStringToObject(document, "question", r->kind->question);
	(void)cJSON_AddItemReferenceToObject(document, "rows", r->rows);
	(void)cJSON_AddItemReferenceToObject(document, "summary", r->summary);
	(void)cJSON_AddItemReferenceToObject(document, "notes", r->notes);
	(void)cJSON_AddNumberToObject(document, "withheld", (double)r->withheld);
	log = cJSON_AddObjectToObject(document, "log");
	us_report_text(log, "origin", v->checkpoint.origin);
	us_report_number(log, "size", v->checkpoint.size);
	us_report_text(log, "root", f->root);
	us_report_text(log, "verdict", us_verdict_name(v->verdict));
	us_report_text(log, "first", f->from);
	us_report_text(log, "last", f->to);
	us_report_text(document, "asked", f->asked);
	us_report_text(document, "made", f->made);
	text = cJSON_PrintUnformatted(document);
	fprintf(to, "%s\n", text == NULL ? "{}" : text);
	cJSON_free(text);
	cJSON_Delete(document);
}

/* ---- a page ---- */

void
us_report_html_text(FILE *to, const char *text)
{
	for (size_t n = strlen(text); n > 0;) {
		size_t plain = strcspn(text, "&<>\"'");

		us_print_text(to, text, plain, 0);
		text += plain;
		n -= plain;
		if (n == 0)
			break;
		fprintf(to, "&#%d;", *text);
		text++;
		n--;
	}
}

static void
html_about(FILE *to, const char *name, const char *value)
{
	fputs("<tr><th scope=\"row\">", to);
	us_report_html_text(to, name);
	fputs("</th><td>", to);
	us_report_html_text(to, value);
	fputs("</td></tr>\n", to);
}

static void
html_rows(FILE *to, const struct us_report *r, const struct us_client_columns *c)
{
	const cJSON *row;
	char number[40];

	fputs("<table>\n<thead><tr>", to);
	for (size_t i = 0; i < c->n; i++)
		fprintf(to, "<th scope=\"col\">%s</th>", c->name[i]);
	fputs("</tr></thead>\n<tbody>\n", to);
	cJSON_ArrayForEach(row, r->rows) {
		fputs("<tr>", to);
		for (size_t i = 0; i < c->n; i++) {
			fputs("<td>", to);
			us_report_html_text(to, cell_text(row, c->name[i], number));
			fputs("</td>", to);
		}
		fputs("</tr>\n", to);
	}
	if (cJSON_GetArraySize(r->rows) == 0)
		fprintf(to, "<tr><td colspan=\"%zu\">no entries of this kind</td></tr>\n", c->n);
	fputs("</tbody>\n</table>\n", to);
}

static void
print_html(FILE *to, const struct us_report *r, const struct us_client_columns *c,
    const struct us_client_footer *f)
{
	const cJSON *item;
	char number[40];

	fprintf(to,
	    "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
	    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
	    "'unsafe-inline'\">\n"
	    "<title>%s</title>\n<style>\nbody { font: 10pt/1.35 sans-serif; margin: 1.5em }\n"
	    "table { border-collapse: collapse; width: 100%% }\n"
	    "th, td { border: 1px solid #999; padding: 2px 5px; text-align: left }\n"
	    "th, td { vertical-align: top; overflow-wrap: anywhere }\n"
	    "thead { display: table-header-group }\ntr { break-inside: avoid }\n"
	    "footer { margin-top: 1.5em; font-size: 9pt }\n@page { size: A4 landscape; margin: "
	    "12mm }\n"
	    "</style>\n</head>\n<body>\n<h1>",
	    r->kind->name);
	us_report_html_text(to, r->kind->question);
	fputs("</h1>\n", to);
	html_rows(to, r, c);
	fputs("<footer>\n<table>\n", to);
	cJSON_ArrayForEach(item, r->summary)
		html_about(to, item->string, value_text(item, number));
	cJSON_ArrayForEach(item, r->notes)
		html_about(to, "note", value_text(item, number));
	html_about(to, "made", f->made);
	html_about(to, "log origin", r->trail->verified.checkpoint.origin);
	html_about(to, "log size", f->size);
	html_about(to, "log root", f->root);
	html_about(to, "verdict", us_verdict_name(r->trail->verified.verdict));
	html_about(to, "range", f->range);
	if (f->asked[0] != '\0')
		html_about(to, "asked", f->asked);
	html_about(to, "withheld", f->withheld);
	fputs("</table>\n</footer>\n</body>\n</html>\n", to);
}

void
us_report_print(FILE *to, const struct us_report *r, enum us_report_form form, int64_t made_ns)
{
	struct us_client_columns c;
	struct us_client_footer f;

	split_columns(&c, r->kind->columns);
	make_footer(&f, r, made_ns);
	switch (form) {
	case US_REPORT_TEXT:
		print_text(to, r, &c, &f);
		break;
	case US_REPORT_CSV:
		print_csv(to, r, &c, &f);
		break;
	case US_REPORT_JSON:
		print_json(to, r, &f);
		break;
	case US_REPORT_HTML:
		print_html(to, r, &c, &f);
		break;
	}
}
