/*
 * What people and scripts see, and how a program ends.
 */
#ifndef US_CLIENT_CORE_SHOW_H
#define US_CLIENT_CORE_SHOW_H

#include <stddef.h>
#include <stdio.h>

#include <cjson/cJSON.h>

#include "base/buf.h"
#include "client/core/out.h"

/* Exit status that scripts rely on. */
enum us_exit {
	US_EXIT_DONE = 0,
	US_EXIT_OTHER = 1,
	US_EXIT_USAGE = 2,
	US_EXIT_REFUSED = 3,
	US_EXIT_VAULT_SEALED = 4,
	US_EXIT_UNVERIFIED = 5,
	US_EXIT_INCOMPLETE = 6,
	US_EXIT_PENDING = 7,
};

/* Says it and ends the program with US_EXIT_USAGE. */
_Noreturn void us_usage_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Says it and ends the program with that status. */
_Noreturn void
us_give_up(int status, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* A line on stderr, as us_print_to() shows it. */
void us_say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Text member of a JSON object, "" if there is none. It is the object's. */
const char *us_json_text(const cJSON *object, const char *name);
/* Number member of a JSON object, fallback if there is none. */
double us_json_number(const cJSON *object, const char *name, double fallback);
/* What the vault remarks on an answer ("notes"), a line each on stderr. */
void us_say_notes(const cJSON *answer);
/* How wide the labels of us_print_line() are. */
#define US_LABEL_WIDTH 14
/* A label and a text on stdout, as a line; nothing if the text is empty. */
void us_print_line(const char *label, struct us_bytes text);
/* Asks on stdout and reads a line from stdin; what was typed before the question is dropped. 1: it
 * is "y" or "yes". */
int us_ask_yes(const char *question);
/* Asks on the terminal without echo; the answer is wiped by the caller. US_ERR_IO if there is no
 * terminal. */
int us_ask_secret(const char *prompt, struct us_buf *answer);

#endif
