/*
 * What programs for tests can do and the programs that are shipped cannot: roles that keep the
 * environment of whoever started them (a clock that a test moves, a sanitizer's options), and a log
 * whose disk fails at a chosen moment. Which of the two a program has is decided where it is
 * linked, by one object: hooks.c beside this file has none, tests/hooks/hooks.c has all
 * (CMake option US_TEST_HOOKS). No setting and no variable turns one into the other.
 */
#ifndef US_DAEMON_PROCESS_HOOKS_H
#define US_DAEMON_PROCESS_HOOKS_H

struct us_settings;

/* The environment that a role starts with, ended by NULL: empty, but for tests. */
char **us_hooks_environment(void);
/* 1 if a setting of this name is one of programs for tests. */
int us_hooks_know(const char *name);
/* From here on us_hooks_sync() goes by these settings. */
void us_hooks_configure(const struct us_settings *settings);
/* errno that the sync of the log which is now to be made fails with; 0: it is made. */
int us_hooks_sync(void);

#endif
