/* The vault's process: the read side. Its parts: daemon/vault/state/rooms.h. */
#ifndef US_DAEMON_VAULT_VAULT_H
#define US_DAEMON_VAULT_VAULT_H

/* Runs the role until its end; returns the exit status (daemon/process/role.h). Its working
 * directory is its own: the store is the file store.db in it. */
int us_vault_main(void);

#endif
