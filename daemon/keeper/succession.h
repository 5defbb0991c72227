/*
 * The keys that this log has had: the file "handovers" beside it (log/succession.h), and what the
 * keeper's start makes of it. Paths are relative to the working directory, which is the keeper's.
 */
#ifndef US_DAEMON_KEEPER_SUCCESSION_H
#define US_DAEMON_KEEPER_SUCCESSION_H

#include "log/succession.h"
#include "daemon/keeper/files.h"
#include "log/disk/klog.h"

#define US_LINEAGE_FILE "handovers"
#define US_LINEAGE_NEXT "handovers.next" /* of a hand-over that has begun (handover.h) */
/* in a backup: the old key's word for the key in boot.keys */
#define US_LINEAGE_SUCCESSION "succession"

struct us_keeper_succession {
	struct us_buf text;         /* the file; empty: never handed over */
	struct us_handovers *chain; /* of text; no items if it is empty */
	struct us_klog_former former[US_HANDOVERS_MAX + 1];
};

/* Reads the file; no file is an empty chain. US_ERR_VERIFY: it does not verify; it has been said.
 * Free with us_keeper_succession_free(), also after a failure. */
int us_keeper_succession_read(struct us_keeper_succession *l, const char *name);
/* A chain that was made in memory. */
int us_keeper_succession_of(struct us_keeper_succession *l, struct us_bytes text);
/* Gives back what l holds, of zeros nothing. */
void us_keeper_succession_free(struct us_keeper_succession *l);

/* The newest hand-over; NULL: there is none. */
const struct us_handover *us_keeper_succession_newest(const struct us_keeper_succession *l);
/* The key in boot.keys, under the origin of vault.conf. */
int us_keeper_succession_key(struct us_note_key *out, const char *origin,
    const struct us_boot_keys *boot);
/* That vault.conf, boot.keys and the chain name one key, before the log is opened. US_ERR_VERIFY;
 * what to do has been said. */
int us_keeper_succession_check(const struct us_keeper_succession *l,
    const struct us_vault_conf *conf, const struct us_boot_keys *boot);
/* Fills in former keys and the served file; l must live until the log is open. */
void us_keeper_succession_options(struct us_keeper_succession *l, struct us_klog_options *o);
/* Once the log is open: its tree is at each hand-over the one that was handed over; the entry that
 * begins the newest one is written and committed if it is not there. US_ERR_VERIFY; it has been
 * said. */
int us_keeper_succession_begin(const struct us_keeper_succession *l, struct us_klog *log);

#endif
