/* Copies that a person is to give back or destroy, as the vault says it of them. */
#ifndef US_CLIENT_CORE_RECALLS_H
#define US_CLIENT_CORE_RECALLS_H

#include <stdio.h>

#include <cjson/cJSON.h>

/* For each of "recalls" of the answer (of status, or to a new session): which copy, which numbers,
 * why, until when, and what to type. Nothing if there are none. */
void us_recalls_print(FILE *to, const cJSON *answer);

#endif
