/*
 * A roster: the people of a case in a table, a line each, name,capacity,party[;party]. It comes out
 * of a spreadsheet: UTF-8 with or without a byte order mark, lines ended by LF or CR LF, cells as
 * RFC 4180 has them (in quotes with commas and doubled quotes), a header line or none, empty lines.
 */
#ifndef US_CLIENT_CASE_ROSTER_H
#define US_CLIENT_CASE_ROSTER_H

#include <stddef.h>

#include "client/core/lookup.h"

#define US_ROSTER_MAX (1024u * 1024u)
#define US_ROSTER_WHY 512

/* Views of the text that was read. */
struct us_roster_person {
	unsigned line; /* from 1 */
	const char *name;
	enum us_capacity capacity;
	const char *parties[US_PERSON_PARTIES]; /* in the order of their bytes */
	size_t n_parties;
};

struct us_roster {
	struct us_roster_person *people;
	size_t n;
};

/*
 * Reads the whole of text, which it changes and keeps pointing into. US_OK, and the caller frees
 * the roster; else US_ERR_FORMAT, US_ERR_ENCODING or US_ERR_NOMEM with a sentence in why that
 * begins with the line, and nothing to free. Nobody stands in it twice.
 */
int us_roster_parse(struct us_roster *roster, char *text, size_t n, char why[US_ROSTER_WHY]);
/* The zero roster, too. */
void us_roster_free(struct us_roster *roster);

#endif
