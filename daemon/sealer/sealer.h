/*
 * The sealer: the write side. Takes documents from intakes, leaves out duplicates, numbers what is
 * new, compresses it, and when a batch closes asks the keeper for its keys, seals records and
 * index, and hands the pages to the vault. No network, no files; holds the plaintext of the open
 * batch and the keys of the batch it is sealing.
 */
#ifndef US_DAEMON_SEALER_SEALER_H
#define US_DAEMON_SEALER_SEALER_H

/* The role's process: returns its exit status. */
int us_sealer_main(void);

#endif
