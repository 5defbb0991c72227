/*
 * The keeper: holds every key, writes the log, and answers from its own parse of each entry. It
 * speaks with the vault, the sealer and (TLS identity alone) the fronts; it has no network. Its
 * working directory is its own. A single-threaded event loop: what a turn's messages ask for goes
 * into one group of entries; the group is committed at the turn's end, then answered.
 *
 * Settings: "keeper.reserve" (MiB that must stay free on the log's disk, default 256: below it no
 * key is released), "keeper.fail-sync" (tests: the n-th sync of the journal from the start fails;
 * it can only stop the process).
 */
#ifndef US_DAEMON_KEEPER_KEEPER_H
#define US_DAEMON_KEEPER_KEEPER_H

/* Runs the role until its end; the process's exit status (US_EXIT_SEALED after a seal). */
int us_keeper_main(void);

#endif
