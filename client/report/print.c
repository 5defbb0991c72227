/* A report as text, CSV (RFC 4180), JSON, or one page to print. */
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "client/core/table.h"
#include "client/report/report.h"
#include "base/base64.h"
#include "base/time.h"

#define NAME_MAX_BYTES 32

struct us_client_columns {
	char name[US_TABLE_COLUMNS][NAME_MAX_BYTES];
	const char *names[US_TABLE_COLUMNS];
	struct us_client_table table;
};

static void
make_table(struct us_client_columns *c, const struct us_report *r)
{
	const char *names = r->kind->columns;

	c->table = (struct us_client_table){ r->rows, c->names, 0, "no entries of this kind" };
	while (*names != '\0' && c->table.n < US_TABLE_COLUMNS) {
		char *name = c->name[c->table.n];
		size_t n = strcspn(names, " ");

		(void)snprintf(name, NAME_MAX_BYTES, "%.*s", (int)n, names);
		c->names[c->table.n++] = name;
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

static void
print_text(FILE *to, const struct us_report *r, const struct us_client_columns *c,
    const struct us_client_footer *f)
{
	const struct us_verify_report *v = &r->trail->verified;
	const cJSON *item;
	char number[40], local[40];

	us_print_to(to, "%s: %s\n\n", r->kind->name, r->kind->question);
	us_table_text(to, &c->table);
	us_print_to(to, "\n");
	cJSON_ArrayForEach(item, r->summary) {
		us_print_to(to, "%s: ", item->string);
		us_print_to(to, "%s", value_text(item, number));
		us_print_to(to, "\n");
	}
	cJSON_ArrayForEach(item, r->notes) {
		us_print_to(to, "note: ");
		us_print_to(to, "%s", value_text(item, number));
		us_print_to(to, "\n");
	}
	us_print_to(to, "log: ");
	us_print_to(to, "%s", v->checkpoint.origin);
	us_print_to(to, ", %s entries, root %s, %s\nrange: %s\n", f->size, f->root,
	    us_verdict_name(v->verdict), f->range);
	if (f->asked[0] != '\0')
		us_print_to(to, "asked: %s\n", f->asked);
	us_print_to(to, "%s\nmade: %s\n", f->withheld, us_local_time(f->made, local));
}

/* ---- CSV ---- */

/* A line about the report: two cells, then as many empty ones as the others have more. */
static void
csv_about(FILE *to, const struct us_client_columns *c, const char *name, const char *value)
{
	us_csv_cell(to, name);
	us_print_to(to, ",");
	us_csv_cell(to, value);
	for (size_t i = 1; i < c->table.n; i++)
		us_print_to(to, ",");
	us_csv_end(to);
}

static void
print_csv(FILE *to, const struct us_report *r, const struct us_client_columns *c,
    const struct us_client_footer *f)
{
	const cJSON *item;
	char number[40];

	us_table_csv(to, &c->table, "row");
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
	us_print_to(to, "%s\n", text == NULL ? "{}" : text);
	cJSON_free(text);
	cJSON_Delete(document);
}

/* ---- a page ---- */

static void
html_about(FILE *to, const char *name, const char *value)
{
	us_print_to(to, "<tr><th scope=\"row\">");
	us_html_text(to, name);
	us_print_to(to, "</th><td>");
	us_html_text(to, value);
	us_print_to(to, "</td></tr>\n");
}

/* A line of what stands over the page. */
static void
html_case(FILE *to, const char *text, const char *before)
{
	if (text == NULL)
		return;
	us_print_to(to, "<p class=\"case\">%s", before);
	us_html_text(to, text);
	us_print_to(to, "</p>\n");
}

static void
print_html(FILE *to, const struct us_report *r, const struct us_client_columns *c,
    const struct us_client_footer *f)
{
	const cJSON *item;
	char number[40], local[40];

	us_print_to(to,
	    "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
	    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
	    "'unsafe-inline'\">\n"
	    "<title>%s</title>\n<style>\nbody { font: 10pt/1.35 sans-serif; margin: 1.5em }\n"
	    "table { border-collapse: collapse; width: 100%% }\n"
	    "th, td { border: 1px solid #999; padding: 2px 5px; text-align: left }\n"
	    "th, td { vertical-align: top; overflow-wrap: break-word; "
	    "hyphens: none }\n.whole { white-space: nowrap }\n"
	    "thead { display: table-header-group }\ntr { break-inside: avoid }\n"
	    "footer { margin-top: 1.5em; font-size: 9pt }\n@page { size: %s landscape; margin: "
	    "12mm }\n"
	    "</style>\n</head>\n<body>\n",
	    r->kind->name, r->ask->paper);
	html_case(to, r->ask->caption, "");
	html_case(to, r->ask->docket, "No. ");
	us_print_to(to, "<h1>");
	us_html_text(to, r->kind->question);
	us_print_to(to, "</h1>\n");
	us_table_html(to, &c->table);
	us_print_to(to, "<footer>\n<table>\n");
	cJSON_ArrayForEach(item, r->summary)
		html_about(to, item->string, value_text(item, number));
	cJSON_ArrayForEach(item, r->notes)
		html_about(to, "note", value_text(item, number));
	html_about(to, "made", us_local_time(f->made, local));
	html_about(to, "log origin", r->trail->verified.checkpoint.origin);
	html_about(to, "log size", f->size);
	html_about(to, "log root", f->root);
	html_about(to, "verdict", us_verdict_name(r->trail->verified.verdict));
	html_about(to, "range", f->range);
	if (f->asked[0] != '\0')
		html_about(to, "asked", f->asked);
	html_about(to, "withheld", f->withheld);
	us_print_to(to, "</table>\n</footer>\n</body>\n</html>\n");
}

void
us_report_print(FILE *to, const struct us_report *r, enum us_report_form form, int64_t made_ns)
{
	struct us_client_columns c;
	struct us_client_footer f;

	make_table(&c, r);
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
