/*
 * Credentials that have ended for good: revoked, or of a person whose access has ended. A front
 * asks about each certificate that it has verified, so that they get no further than the handshake,
 * on a sealed vault too, and after a restart, since their fingerprints stand in a file that needs
 * no root:
 *
 *   barred    "USBAR1\n" ‖ fingerprints, 32 bytes each, in ascending order ‖ SHA-256 of all before
 *
 * The file follows the registry: it is written when the vault has been opened and after each act
 * that adds to it. One that is not there is an empty one; one that is damaged stops the start.
 */
#ifndef US_DAEMON_KEEPER_BARRED_H
#define US_DAEMON_KEEPER_BARRED_H

struct us_keeper;

/* k->barred, as the file has it. US_ERR_NOMEM, US_ERR_FORMAT, US_ERR_IO. */
int us_barred_new(struct us_keeper *k);
/* Gives it back. */
void us_barred_free(struct us_keeper *k);
/* Makes it what the registry says, and the file too if that is more. Ends the process if the disk
 * fails; on a full one the file stays as it was, which is said. */
void us_barred_review(struct us_keeper *k);

#endif
