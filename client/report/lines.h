/*
 * What `audit list` shows: lines of JSON, one an entry (client/log/entry_json.h), as they are, as
 * text with a header, or as CSV.
 */
#ifndef US_CLIENT_REPORT_LINES_H
#define US_CLIENT_REPORT_LINES_H

#include <stdio.h>

#include "client/report/report.h"

/* Shows the lines of `from` on `to`, from its beginning on; with limit, not 0, the newest of them
 * alone, which is said on stderr. form: any but HTML. US_ERR_NOMEM, US_ERR_IO. */
int us_lines_show(FILE *to, FILE *from, enum us_report_form form, uint64_t limit);

#endif
