/*
 * Whose files they are: roles run as users of their own where these exist and the program was
 * started as root (docs/OPERATING.md). Commands that work on a vault's directory must leave files
 * that the roles can read. Failures end the program.
 */
#ifndef US_DAEMON_PROCESS_OWNER_H
#define US_DAEMON_PROCESS_OWNER_H

/* The directory and everything below it become this user's, if the caller is root and the user
 * exists. Links are not followed. */
void us_owner_give(const char *path, const char *user);
/* From here on files are read and made as the owner of that directory, an open descriptor, if the
 * caller is root; and as the caller again. By its name the owner may not reach it: who works in
 * it opens it before, and goes there by the descriptor. */
void us_owner_act_as(int directory);
/* Ends what us_owner_act_as() began. */
void us_owner_act_as_self(void);

#endif
