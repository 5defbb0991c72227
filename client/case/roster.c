#include "client/case/roster.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/err.h"
#include "base/guess.h"
#include "base/utf8.h"

#define COLUMNS 3
#define BOM "\xef\xbb\xbf"

/* What is left of the text, and the line that it begins with. */
struct us_roster_reader {
	char *at, *end;
	unsigned line;
	char *why;
};

static int refuse(const struct us_roster_reader *r, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static int
refuse(const struct us_roster_reader *r, const char *format, ...)
{
	int n = snprintf(r->why, US_ROSTER_WHY, "line %u: ", r->line);
	va_list args;

	va_start(args, format);
	if (n > 0 && n < US_ROSTER_WHY)
		(void)vsnprintf(r->why + n, US_ROSTER_WHY - (size_t)n, format, args);
	va_end(args);
	return US_ERR_FORMAT;
}

/* --- cells ----------------------------------------------------------------------------- */

/* What stands behind a cell: ',' of another, '\n' of the line's end; 0 if something else does. */
static char
take_separator(struct us_roster_reader *r)
{
	if (r->at < r->end && *r->at == ',')
		return *r->at++;
	if (r->at < r->end && *r->at == '\r')
		r->at++;
	if (r->at == r->end)
		return '\n';
	return *r->at == '\n' ? *r->at++ : '\0';
}

/* A quoted cell, in place: its quotes go, and of two in it one stays. */
static int
take_quoted(struct us_roster_reader *r, char **cell, char *separator)
{
	char *to = ++r->at;

	*cell = to;
	for (; r->at < r->end && *r->at != '\n'; r->at++) {
		if (*r->at != '"') {
			*to++ = *r->at;
		} else if (r->at + 1 < r->end && r->at[1] == '"') {
			*to++ = *r->at++;
		} else {
			r->at++;
			*separator = take_separator(r);
			*to = '\0';
			return *separator != '\0' ?
			    US_OK :
			    refuse(r, "something stands behind a closing quote");
		}
	}
	return refuse(r, "a quote is not closed");
}

static int
take_cell(struct us_roster_reader *r, char **cell, char *separator)
{
	char *end;

	if (r->at < r->end && *r->at == '"')
		return take_quoted(r, cell, separator);
	*cell = r->at;
	while (r->at < r->end && *r->at != ',' && *r->at != '\n' && *r->at != '\r')
		r->at++;
	end = r->at;
	*separator = take_separator(r);
	*end = '\0';
	return *separator != '\0' ? US_OK : refuse(r, "a stray carriage return");
}

/* Blanks around it are a spreadsheet's. */
static char *
trimmed(char *cell)
{
	size_t n;

	cell += strspn(cell, " \t");
	for (n = strlen(cell); n > 0 && (cell[n - 1] == ' ' || cell[n - 1] == '\t'); n--)
		cell[n - 1] = '\0';
	return cell;
}

/* Of a line: up to COLUMNS of its cells, and how many it has. */
static int
take_line(struct us_roster_reader *r, char *cell[COLUMNS], size_t *n)
{
	char separator = ',';
	int err = US_OK;

	for (*n = 0; err == US_OK && separator == ','; (*n)++) {
		char *one;

		err = take_cell(r, &one, &separator);
		if (err == US_OK && *n < COLUMNS)
			cell[*n] = trimmed(one);
	}
	return err;
}

/* --- people ---------------------------------------------------------------------------- */

static int
take_capacity(struct us_roster_reader *r, struct us_roster_person *p, const char *text)
{
	struct us_guess guess = us_guess_of(us_bytes_of(text));

	if (us_capacity_of(&p->capacity, text, strlen(text)) == US_OK)
		return US_OK;
	for (unsigned c = 1; c <= US_CAPACITY_LAST; c++)
		us_guess_consider(&guess, us_capacity_name(c), strlen(us_capacity_name(c)));
	return refuse(r, "%.100s: there is no capacity \"%.60s\"%s%s%s", p->name, text,
	    us_guess_is_near(&guess) ? ": did you mean \"" : "",
	    us_guess_is_near(&guess) ? guess.best : "", us_guess_is_near(&guess) ? "\"?" : "");
}

static int
compare_texts(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int
take_parties(struct us_roster_reader *r, struct us_roster_person *p, char *text)
{
	char *save = NULL;

	for (char *one = strtok_r(text, ";", &save); one != NULL;
	     one = strtok_r(NULL, ";", &save)) {
		one = trimmed(one);
		if (*one == '\0')
			continue;
		if (p->n_parties == US_PERSON_PARTIES)
			return refuse(r, "%.100s: a person can be of at most %d parties", p->name,
			    US_PERSON_PARTIES);
		p->parties[p->n_parties++] = one;
	}
	qsort(p->parties, p->n_parties, sizeof p->parties[0], compare_texts);
	for (size_t i = 1; i < p->n_parties; i++)
		if (strcmp(p->parties[i - 1], p->parties[i]) == 0)
			return refuse(r, "%.100s: the party %.60s stands there twice", p->name,
			    p->parties[i]);
	return US_OK;
}

static int
take_person(struct us_roster_reader *r, struct us_roster *roster, char *const cell[COLUMNS],
    size_t n)
{
	struct us_roster_person *p = &roster->people[roster->n];
	int err;

	if (n != COLUMNS)
		return refuse(r, "%zu cells, where name,capacity,party[;party] are three", n);
	if (*cell[0] == '\0')
		return refuse(r, "there is no name");
	*p = (struct us_roster_person){ .line = r->line, .name = cell[0] };
	for (size_t i = 0; i < roster->n; i++)
		if (strcmp(roster->people[i].name, p->name) == 0)
			return refuse(r, "%.100s stands in line %u already", p->name,
			    roster->people[i].line);
	err = take_capacity(r, p, cell[1]);
	if (err == US_OK)
		err = take_parties(r, p, cell[2]);
	roster->n += err == US_OK;
	return err;
}

static int
take_all(struct us_roster_reader *r, struct us_roster *roster)
{
	int err = US_OK;

	for (; err == US_OK && r->at < r->end; r->line++) {
		char *cell[COLUMNS] = { NULL, NULL, NULL };
		size_t n = 0;

		err = take_line(r, cell, &n);
		if (err != US_OK || (n == 1 && *cell[0] == '\0') ||
		    (roster->n == 0 && n == COLUMNS && strcmp(cell[0], "name") == 0 &&
			strcmp(cell[1], "capacity") == 0))
			continue; /* nothing, or the header */
		if (us_grow_bare(&roster->people, roster->n, sizeof *roster->people) != US_OK)
			err = US_ERR_NOMEM;
		else
			err = take_person(r, roster, cell, n);
		if (err != US_OK)
			break;
	}
	if (err == US_OK && roster->n == 0)
		err = refuse(r, "nobody stands in it");
	return err;
}

int
us_roster_parse(struct us_roster *roster, char *text, size_t n, char why[US_ROSTER_WHY])
{
	struct us_roster_reader r = { .at = text, .end = text + n, .line = 1, .why = why };
	const size_t valid = us_utf8_valid_prefix(text, n);
	int err;

	*roster = (struct us_roster){ 0 };
	(void)snprintf(why, US_ROSTER_WHY, "%s", us_strerror(US_ERR_NOMEM));
	for (size_t i = 0; i < n; i++) {
		r.line += i < valid && text[i] == '\n';
		if (i >= valid || text[i] == '\0') {
			(void)refuse(&r, "this is not UTF-8 text: save it as \"CSV UTF-8\"");
			return US_ERR_ENCODING;
		}
	}
	r.line = 1;
	if (n >= sizeof BOM - 1 && memcmp(text, BOM, sizeof BOM - 1) == 0)
		r.at += sizeof BOM - 1;
	err = take_all(&r, roster);
	if (err != US_OK)
		us_roster_free(roster);
	return err;
}

void
us_roster_free(struct us_roster *roster)
{
	free(roster->people);
	*roster = (struct us_roster){ 0 };
}
