/*
 * The one writer of tables: for a terminal, as CSV, as a page to print.
 */
#ifndef US_CLIENT_CORE_TABLE_H
#define US_CLIENT_CORE_TABLE_H

#include <stddef.h>
#include <stdio.h>

#include <cjson/cJSON.h>

#define US_TABLE_COLUMNS 20

struct us_client_table {
	const cJSON *rows;          /* array of objects with members of the columns' names: text,
				     * number, bool, array of text, or nothing */
	const char *const *columns; /* names */
	size_t n;                   /* of columns, at most US_TABLE_COLUMNS */
	const char *none;           /* said instead of rows if there are none, or NULL */
};

/* A value as text: numbers as they are, yes or no, arrays joined with commas. The caller frees it
 * with free(); "" for what is none of these. Ends the program if memory is short. */
char *us_table_value(const cJSON *value);

/* Text, times in local time with their zone. On a terminal it is as wide as that: cells break at
 * blanks and behind commas, never in a number or a word; what cannot be made to fit has a line for
 * each cell. Elsewhere nothing breaks. */
void us_table_text(FILE *to, const struct us_client_table *table);
/* The same on stdout, of that many columns. */
void us_print_table(const cJSON *rows, const char *const *columns, size_t n);
/* RFC 4180, with a header. leading: a name for a first column of row numbers, or NULL. */
void us_table_csv(FILE *to, const struct us_client_table *table, const char *leading);
/* A table of HTML, times in local time with their zone. */
void us_table_html(FILE *to, const struct us_client_table *table);

/* One cell of CSV: quoted where it has to be, text that a spreadsheet takes for a formula behind
 * an apostrophe. */
void us_csv_cell(FILE *to, const char *text);
/* The end of a record of CSV. */
void us_csv_end(FILE *to);
/* Text in HTML, with controls spelt as us_print_to() does. */
void us_html_text(FILE *to, const char *text);
/* A time, and nothing else, in UTC: the same instant in local time with its zone; other text as it
 * is. out has room for 40. */
const char *us_local_time(const char *text, char out[40]);

#endif
