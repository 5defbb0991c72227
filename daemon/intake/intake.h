/*
 * The intake: takes parts of a load from fronts, parses and tokenises them, hands the documents to
 * the sealer, and gives its answer back. No keys, no files, no network; it holds the plaintext of
 * one part at a time.
 */
#ifndef US_DAEMON_INTAKE_INTAKE_H
#define US_DAEMON_INTAKE_INTAKE_H

/* The role's process: returns its exit status. */
int us_intake_main(void);

#endif
