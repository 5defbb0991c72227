/* The files that init writes, and those for the people of a new vault. */
#ifndef US_DAEMON_OFFLINE_HANDOUT_H
#define US_DAEMON_OFFLINE_HANDOUT_H

#include <sys/types.h>

#include "daemon/keeper/create.h"

/* Makes a directory with that mode. Fatal on failure, with the path. */
void us_handout_directory(const char *path, mode_t mode);
/* Writes a file and syncs it. Fatal on failure, with the path; also if it is there already. */
void us_handout_write(const char *path, mode_t mode, const void *p, size_t n);

struct us_handout {
	const char *out, *listen, *host;
	int demo;
	size_t people;
	const struct us_create_person *person;
	const struct us_created *made;
	const struct us_pkey *admin_key;
};

/* Writes everything under out. Fatal on failure. */
void us_hand_out(const struct us_handout *h);

#endif
