/*
 * The one way out: nothing else in the client puts a byte on a stream. What comes from outside
 * (the vault, evidence, names, files) reaches a terminal only as text that shows and does
 * nothing: control characters, escape sequences, bidirectional and invisible controls are spelt
 * (\x1b, \u202e), and so are bytes that are not UTF-8. A terminal that does not take UTF-8 gets
 * ASCII, the rest spelt.
 */
#ifndef US_CLIENT_CORE_OUT_H
#define US_CLIENT_CORE_OUT_H

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cjson/cJSON.h>

/* printf() of d i u x f g s c and %%, with flags - and 0, width (columns of a terminal) and
 * precision (bytes). The format stands as it is; what comes in by %s and %c stays on its line:
 * blanks for line ends and tabs, the rest spelt as above. */
void us_print(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* The same to that stream. */
void us_print_to(FILE *to, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The same. */
void us_print_v(FILE *to, const char *format, va_list ap) __attribute__((format(printf, 2, 0)));
/* Text of many lines: line ends remain, tabs become blanks up to every eighth column. */
void us_print_lines(FILE *to, const void *text, size_t n);
/* A JSON value and a line end, "{}" for NULL. On a terminal, what would be spelt is a JSON escape.
 */
void us_print_json(FILE *to, const cJSON *value);
/* The same of a line that is JSON already, byte for byte if not on a terminal. US_ERR_IO if it was
 * not written whole. */
int us_print_json_line(FILE *to, const char *line, size_t n);
/* Bytes, as they are unless to is a terminal: there as us_print_lines() shows them. US_ERR_IO if
 * they were not written whole. */
int us_print_bytes(FILE *to, const void *bytes, size_t n);

/* How many columns the terminal has (COLUMNS, then what it says, then 80); 0: to is none. */
size_t us_terminal_columns(FILE *to);
/* Columns that n bytes of text take on one line as %s shows them on that stream. */
size_t us_text_width(FILE *to, const char *text, size_t n);

#endif
