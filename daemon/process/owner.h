/*
 * Whose files they are: roles run as users of their own where these exist and the program was
 * started as root (docs/OPERATING.md). Commands that work on a vault's directory must leave files
 * that the roles can read. Failures end the program.
 */
#ifndef US_DAEMON_PROCESS_OWNER_H
#define US_DAEMON_PROCESS_OWNER_H

#define US_OWNER_KEEPER "underseal-keeper"
#define US_OWNER_VAULT "underseal-vault"
#define US_OWNER_WHY 5120

/* The directory and everything below it become this user's, if the caller is root and the user
 * exists. Links are not followed. */
void us_owner_give(const char *path, const char *user);
/* From here on files are read and made as the owner of that directory, an open descriptor, if the
 * caller is root; and as the caller again. By its name the owner may not reach it: who works in
 * it opens it before, and goes there by the descriptor. */
void us_owner_act_as(int directory);
/* Ends what us_owner_act_as() began. */
void us_owner_act_as_self(void);
/* For good; the caller is root, the user is not. */
void us_owner_become(const char *user);
/*
 * Tries, in a process of its own, what a role does first: to enter the directory as that user (as
 * the caller if NULL) and to make a file there, which is removed. As root the directory is found
 * with root's rights, so those above it need not be open to the user. US_OK; else US_ERR_DENIED or
 * US_ERR_IO, with a sentence in why that names the directory, the user and the remedy.
 */
int us_owner_try(const char *path, const char *user, char why[US_OWNER_WHY]);

#endif
