/*
 * The daemon's commands about a vault that does not run: handing its log over to another key,
 * backing it up, restoring it. As `init`, each holds keys in a process of its own, which ends with
 * it.
 */
#ifndef US_DAEMON_OFFLINE_BACKUP_H
#define US_DAEMON_OFFLINE_BACKUP_H

/* argv[0] is the command. Exit status: 0 done, 2 usage, 5 something does not verify, 1 anything
 * else. */
int us_handover_main(int argc, char **argv);
/* The same of the command `backup`. */
int us_backup_main(int argc, char **argv);
/* The same of the command `restore`. */
int us_restore_main(int argc, char **argv);

#endif
