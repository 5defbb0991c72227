/*
 * Numbers in decimal digits: this is the only place that reads them.
 *
 * Texts of protocols and files have a length, no sign and no white space. us_number_parse() is for
 * those where one number has one text, us_number_digits() for those with zeros in front ("007").
 * us_number_text() is for what a person writes: an option, a setting.
 */
#ifndef US_BASE_NUMBER_H
#define US_BASE_NUMBER_H

#include <stddef.h>
#include <stdint.h>

/* Reads all n bytes at p as one number of at most max, without zeros in front ("0" is a number,
 * "00" is none). US_ERR_FORMAT if they are no such number, US_ERR_RANGE if it is above max;
 * *out is then untouched. p may be NULL if n is 0. */
int us_number_parse(const void *p, size_t n, uint64_t max, uint64_t *out);

/* The same, but any number of zeros may stand in front. How many digits there may be, the caller
 * says by n. */
int us_number_digits(const void *p, size_t n, uint64_t max, uint64_t *out);

/* How many digits the n bytes at p begin with, 0 .. n. */
size_t us_number_span(const void *p, size_t n);

/* How many digits the n bytes at p end with, 0 .. n. */
size_t us_number_tail(const void *p, size_t n);

/* Reads all of text as a number from min to max; white space, then a sign, may stand in front.
 * US_ERR_FORMAT or US_ERR_RANGE; *out is then untouched. */
int us_number_text(const char *text, int64_t min, int64_t max, int64_t *out);

#endif
