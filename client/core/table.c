#include "client/core/table.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/array.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/time.h"
#include "client/core/out.h"
#include "client/core/show.h"

#define GAP 2
#define WHOLE_MAX 40
#define LOCAL_TIME_SIZE 40

/* ---- cells ---- */

char *
us_table_value(const cJSON *value)
{
	struct us_buf b;
	const cJSON *element;
	int err = US_OK;
	char *text;

	us_buf_init(&b, SIZE_MAX / 2);
	if (cJSON_IsString(value))
		err = us_buf_putf(&b, "%s", value->valuestring);
	else if (cJSON_IsNumber(value))
		err = us_buf_putf(&b, "%.15g", value->valuedouble);
	else if (cJSON_IsBool(value))
		err = us_buf_putf(&b, "%s", cJSON_IsTrue(value) ? "yes" : "no");
	else if (cJSON_IsArray(value))
		cJSON_ArrayForEach(element, value)
			if (cJSON_IsString(element) && err == US_OK)
				err = us_buf_putf(&b, "%s%s", b.len == 0 ? "" : ",",
				    element->valuestring);
	text = err == US_OK && us_buf_cstr(&b) != NULL ? strdup(us_buf_cstr(&b)) : NULL;
	us_buf_free(&b);
	if (text == NULL)
		us_give_up(US_EXIT_OTHER, "out of memory");
	return text;
}

const char *
us_local_time(const char *text, char out[LOCAL_TIME_SIZE])
{
	struct tm local;
	time_t seconds;
	char zone[8];
	int64_t ns;
	size_t n;

	if (strlen(text) < 20 || us_time_parse(text, strlen(text), &ns) != US_OK)
		return text;
	seconds = (time_t)(ns / US_NS_PER_SECOND);
	if (localtime_r(&seconds, &local) == NULL || local.tm_gmtoff == 0)
		return text;
	n = strftime(out, LOCAL_TIME_SIZE, "%Y-%m-%dT%H:%M:%S", &local);
	if (strftime(zone, sizeof zone, "%z", &local) != 5)
		return text;
	/* the fraction as it stands, then the zone */
	(void)snprintf(out + n, LOCAL_TIME_SIZE - n, "%.*s%.3s:%s",
	    (int)strspn(text + 19, ".0123456789"), text + 19, zone, zone + 3);
	return out;
}

static char *
shown_value(const cJSON *row, const char *column)
{
	char *text = us_table_value(cJSON_GetObjectItemCaseSensitive(row, column)),
	     local[LOCAL_TIME_SIZE];
	const char *shown = us_local_time(text, local);

	if (shown != text) {
		free(text);
		text = strdup(shown);
		if (text == NULL)
			us_give_up(US_EXIT_OTHER, "out of memory");
	}
	return text;
}

/* ---- text ---- */

struct us_client_layout {
	size_t width[US_TABLE_COLUMNS], least[US_TABLE_COLUMNS];
};

/* Bytes up to where a line may end: behind a blank, or a comma of a list that is not of digits. */
static size_t
piece_of(const char *text)
{
	size_t n = 0;

	while (text[n] != '\0' && strchr(" \t\r\n", text[n]) == NULL) {
		n++;
		if (text[n - 1] == ',' && !isdigit((unsigned char)text[n]))
			return n;
	}
	return n;
}

static void
measure(FILE *to, const struct us_client_table *t, struct us_client_layout *l)
{
	const cJSON *row;

	for (size_t i = 0; i < t->n; i++) {
		l->width[i] = l->least[i] = strlen(t->columns[i]);
		cJSON_ArrayForEach(row, t->rows) {
			char *text = shown_value(row, t->columns[i]), *at = text;
			size_t w = us_text_width(to, text, strlen(text));

			l->width[i] = w > l->width[i] ? w : l->width[i];
			while (*at != '\0') {
				size_t n = piece_of(at);

				w = us_text_width(to, at, n);
				l->least[i] = w > l->least[i] ? w : l->least[i];
				at += n;
				at += strspn(at, " \t\r\n");
			}
			free(text);
		}
	}
}

/* Takes from the widest columns what is too much for that many. Returns whether it fits. */
static int
fit(const struct us_client_table *t, struct us_client_layout *l, size_t columns)
{
	size_t total = t->n == 0 ? 0 : (t->n - 1) * GAP;

	for (size_t i = 0; i < t->n; i++)
		total += l->width[i];
	while (total > columns) {
		size_t widest = t->n;

		for (size_t i = 0; i < t->n; i++)
			if (l->width[i] > l->least[i] &&
			    (widest == t->n || l->width[i] > l->width[widest]))
				widest = i;
		if (widest == t->n)
			return 0;
		l->width[widest]--;
		total--;
	}
	return 1;
}

/* Bytes of the next line of a cell. */
static size_t
line_of(FILE *to, const char *text, size_t width)
{
	size_t n = piece_of(text), all = strlen(text);

	if (us_text_width(to, text, all) <= width)
		return all;
	for (;;) {
		size_t blank = strspn(text + n, " \t\r\n"), more = piece_of(text + n + blank);

		if (more == 0 || us_text_width(to, text, n + blank + more) > width)
			return n;
		n += blank + more;
	}
}

static void
print_row(FILE *to, const struct us_client_table *t, const struct us_client_layout *l, char **cells)
{
	const char *at[US_TABLE_COLUMNS];
	size_t left;

	for (size_t i = 0; i < t->n; i++)
		at[i] = cells[i];
	do {
		left = 0;
		for (size_t i = 0; i < t->n; i++) {
			size_t n = line_of(to, at[i], l->width[i]);

			us_print_to(to, i + 1 == t->n ? "%*.*s\n" : "%*.*s  ",
			    i + 1 == t->n ? 0 : -(int)l->width[i], (int)n, at[i]);
			at[i] += n;
			at[i] += *at[i] == '\0' ? 0 : strspn(at[i], " \t\r\n");
			left += strlen(at[i]);
		}
	} while (left > 0);
}

/* A line for each cell: what is too wide for columns beside each other. */
static void
print_list(FILE *to, const struct us_client_table *t, char **cells)
{
	size_t width = 0;

	for (size_t i = 0; i < t->n; i++)
		width = strlen(t->columns[i]) > width ? strlen(t->columns[i]) : width;
	for (size_t i = 0; i < t->n; i++)
		if (*cells[i] != '\0')
			us_print_to(to, "%-*s  %s\n", (int)width, t->columns[i], cells[i]);
	us_print_to(to, "\n");
}

void
us_table_text(FILE *to, const struct us_client_table *t)
{
	struct us_client_layout l;
	size_t columns = us_terminal_columns(to);
	char *cells[US_TABLE_COLUMNS];
	const cJSON *row;
	int fits;

	if (t->none != NULL && cJSON_GetArraySize(t->rows) == 0) {
		us_print_to(to, "%s\n", t->none);
		return;
	}
	measure(to, t, &l);
	fits = columns == 0 || fit(t, &l, columns);
	for (size_t i = 0; i < t->n && fits; i++)
		us_print_to(to, i + 1 == t->n ? "%-*s\n" : "%-*s  ",
		    i + 1 == t->n ? 0 : (int)l.width[i], t->columns[i]);
	cJSON_ArrayForEach(row, t->rows) {
		for (size_t i = 0; i < t->n; i++)
			cells[i] = shown_value(row, t->columns[i]);
		if (fits)
			print_row(to, t, &l, cells);
		else
			print_list(to, t, cells);
		for (size_t i = 0; i < t->n; i++)
			free(cells[i]);
	}
}

void
us_print_table(const cJSON *rows, const char *const *columns, size_t n)
{
	us_table_text(stdout, &(struct us_client_table){ rows, columns, n, NULL });
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
us_csv_cell(FILE *to, const char *text)
{
	int quoted = strpbrk(text, ",\"\r\n") != NULL;

	if (quoted)
		us_print_to(to, "\"");
	if (begins_formula(text))
		us_print_to(to, "'");
	while (*text != '\0') {
		size_t n = strcspn(text, "\"");

		(void)us_print_bytes(to, text, n);
		text += n;
		if (*text == '"') {
			us_print_to(to, "\"\"");
			text++;
		}
	}
	if (quoted)
		us_print_to(to, "\"");
}

void
us_csv_end(FILE *to)
{
	(void)us_print_bytes(to, "\r\n", 2);
}

void
us_table_csv(FILE *to, const struct us_client_table *t, const char *leading)
{
	const cJSON *row;
	size_t number = 0;

	if (leading != NULL)
		us_print_to(to, "%s,", leading);
	for (size_t i = 0; i < t->n; i++)
		us_print_to(to, "%s%s", i == 0 ? "" : ",", t->columns[i]);
	us_csv_end(to);
	cJSON_ArrayForEach(row, t->rows) {
		if (leading != NULL)
			us_print_to(to, "%zu,", ++number);
		for (size_t i = 0; i < t->n; i++) {
			const cJSON *value = cJSON_GetObjectItemCaseSensitive(row, t->columns[i]);
			char *text = us_table_value(value);

			if (cJSON_IsNumber(value))
				us_print_to(to, "%s", text);
			else
				us_csv_cell(to, text);
			free(text);
			us_print_to(to, "%s", i + 1 == t->n ? "" : ",");
		}
		us_csv_end(to);
	}
}

/* ---- a page ---- */

void
us_html_text(FILE *to, const char *text)
{
	while (*text != '\0') {
		size_t plain = strcspn(text, "&<>\"'");

		us_print_to(to, "%.*s", (int)plain, text);
		text += plain;
		if (*text != '\0')
			us_print_to(to, "&#%d;", *text++);
	}
}

void
us_table_html(FILE *to, const struct us_client_table *t)
{
	const cJSON *row;

	us_print_to(to, "<table>\n<thead><tr>");
	for (size_t i = 0; i < t->n; i++)
		us_print_to(to, "<th scope=\"col\">%s</th>", t->columns[i]);
	us_print_to(to, "</tr></thead>\n<tbody>\n");
	cJSON_ArrayForEach(row, t->rows) {
		us_print_to(to, "<tr>");
		for (size_t i = 0; i < t->n; i++) {
			char *text = shown_value(row, t->columns[i]);

			/* numbers, dates, Bates numbers do not break; what is longer may */
			us_print_to(to,
			    strpbrk(text, " \t\r\n,") == NULL && strlen(text) <= WHOLE_MAX ?
				"<td class=\"whole\">" :
				"<td>");
			us_html_text(to, text);
			us_print_to(to, "</td>");
			free(text);
		}
		us_print_to(to, "</tr>\n");
	}
	if (t->none != NULL && cJSON_GetArraySize(t->rows) == 0)
		us_print_to(to, "<tr><td colspan=\"%zu\">%s</td></tr>\n", t->n, t->none);
	us_print_to(to, "</tbody>\n</table>\n");
}
