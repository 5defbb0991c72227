/*
 * From sealed to open. A share arrives sealed to the X25519 key of this sealed period, is
 * recognised by its digest, and is kept in locked memory for fifteen minutes at most; the k-th one
 * gives the root, which must fit the root check. Then the vault shows its acts (replay.h).
 */
#ifndef US_DAEMON_KEEPER_UNSEAL_H
#define US_DAEMON_KEEPER_UNSEAL_H

#include "base/buf.h"

#define US_SHARE_SECONDS (15 * 60)

struct us_keeper;
struct us_msg_keeper_status_reply;

/* k->unsealing, with the key of a sealed period, signed by the log's. US_ERR_NOMEM,
 * US_ERR_CRYPTO. */
int us_unsealing_new(struct us_keeper *k);
/* Wipes what is left of it. */
void us_unsealing_free(struct us_keeper *k);
/* Drops shares that are too old. */
void us_unsealing_expire(struct us_keeper *k);
/* Fills in how many shares there are, how long they are kept, and to which key more are sealed. */
void us_unsealing_tell(const struct us_keeper *k, struct us_msg_keeper_status_reply *r);
/* The committed act 1, once the root has opened it; empty until then. */
struct us_bytes us_unsealing_init_act(const struct us_keeper *k);

#endif
