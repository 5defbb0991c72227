/*
 * What `audit list` shows: lines of JSON, one an entry (client/log/entry_json.h), as they are, as
 * text with a header, or as CSV.
 */
#ifndef US_CLIENT_REPORT_LINES_H
#define US_CLIENT_REPORT_LINES_H

#include <stdio.h>

#include "client/report/report.h"

/* Lines that are shown as they come. */
struct us_lines {
	FILE *to;
	enum us_report_form form; /* any but HTML */
	uint64_t n;               /* so far */
};

/* What stands before the first. */
void us_lines_begin(struct us_lines *l);
/* The next line, one of JSON. US_ERR_NOMEM, US_ERR_IO. */
int us_lines_put(struct us_lines *l, const char *line);
/* Shows the lines of `from` on `to`, from its beginning on; with limit, not 0, the newest of them
 * alone, which is said on stderr. form: any but HTML. US_ERR_NOMEM, US_ERR_IO. */
int us_lines_show(FILE *to, FILE *from, enum us_report_form form, uint64_t limit);

#endif
