/*
 * `undersealed init`: makes a new vault. The keeper's directory is made by the keeper's own code
 * (daemon/keeper/create.h); here are the command line, the order's file, and what is handed out.
 *
 * Under --out:
 *   log.vkey, ca.pem
 *   admin/                 the first administrator's profile
 *   signers/NAME/          certificate.pem, ca.pem, profile.conf: to be put beside the signer's key
 *   keyholders/NAME/       the same
 *   share-N.p7m            share N, CMS for the N-th keyholder
 *   share-N.txt            with --demo: the plain words
 */
#ifndef US_DAEMON_OFFLINE_INIT_H
#define US_DAEMON_OFFLINE_INIT_H

/* argv: what stands behind "init". Returns the exit status. */
int us_init_main(int argc, char **argv);

#endif
