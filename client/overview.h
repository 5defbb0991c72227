/*
 * All commands, grouped by what a person does: finding one, and what is said of all of them.
 */
#ifndef US_CLIENT_OVERVIEW_H
#define US_CLIENT_OVERVIEW_H

#include <stdio.h>

#include "client/client.h"

/* The command whose name is the first one or two of n words; *used is how many. NULL: there is
 * none. */
const struct us_command *us_command_find(char **words, int n, int *used);
/* Every command, a group at a time, and what each capacity uses every day. */
void us_overview_print(FILE *to);
/* The commands that have a first word in common. Returns how many there are. */
size_t us_overview_print_of(FILE *to, const char *word);
/* Says on stderr that n words name no command, and the nearest that there is. */
void us_overview_complain(char **words, int n);

#endif
