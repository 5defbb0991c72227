/*
 * The keeper's directory, opened offline: what the commands that hand the log over do in common
 * (handover.h has the steps). Each returns an error of which the desk's detail, or the operator's
 * log, says more.
 */
#ifndef US_DAEMON_KEEPER_DESK_H
#define US_DAEMON_KEEPER_DESK_H

#include "crypto/key.h"
#include "daemon/keeper/files.h"
#include "daemon/keeper/succession.h"
#include "log/disk/klog.h"

struct us_keeper_desk {
	struct us_vault_conf conf;
	struct us_boot_keys boot;
	struct us_keeper_succession lineage;
	struct us_note_key key; /* that vault.conf names */
	struct us_klog *log;    /* NULL: not open */
	int unbegun;            /* when the log was opened, the newest hand-over had no entry yet */
	char *detail;           /* gets a sentence where the operator's log has none */
	size_t room;
};

/* Reads the files of the working directory. detail: of room bytes. Close it also after a failure.
 * */
int us_desk_open(struct us_keeper_desk *d, char *detail, size_t room);
/* Gives back what the desk holds, keys wiped. */
void us_desk_close(struct us_keeper_desk *d);
/* Says why, for the person at the terminal, and returns err. */
int us_desk_refuse(struct us_keeper_desk *d, int err, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Opens the log under an origin and its key; former keys and the served chain come from lineage. */
int us_desk_open_log(struct us_keeper_desk *d, struct us_keeper_succession *lineage,
    const char *origin, const struct us_key *seed);

/* That witnesses cosigned this log, not another, before what they signed is put aside.
 * US_ERR_VERIFY, US_ERR_FORMAT. */
int us_desk_check_cosigned(struct us_keeper_desk *d);
/* The largest checkpoint of the old key that is known among n signed notes; NULL: none is larger
 * than the log. US_ERR_VERIFY: one contradicts the log, or another. */
int us_desk_choose_last(struct us_keeper_desk *d, const struct us_bytes *notes, size_t n,
    const struct us_bytes **last);

/* Why the log is handed over, and the largest checkpoint that is known, or NULL. */
struct us_handover_origin {
	enum us_handover_reason reason;
	const struct us_bytes *last;
};
/* Makes the desk's chain with one more hand-over. Free chain, which is zeros, also after a
 * failure. */
int us_desk_extend(struct us_keeper_succession *chain, const struct us_keeper_desk *d,
    struct us_bytes succession, const struct us_note_signer *signer,
    const struct us_handover_origin *origin);
/* Steps 3 to 5: from files in which the new key is in boot.keys already. */
int us_desk_finish(struct us_keeper_desk *d, const struct us_keeper_succession *chain);
/* Step 6. */
int us_desk_begin(struct us_keeper_desk *d, struct us_keeper_succession *chain);

/* The key that comes next. */
struct us_keeper_successor {
	struct us_key *seed;
	struct us_note_signer *signer;
};
/* Draws one for the origin that follows, at host (NULL: the old one's). Free it also after a
 * failure. US_ERR_ARG: of that host no origin can be made. */
int us_desk_draw(struct us_keeper_successor *s, struct us_keeper_desk *d, const char *host);
/* Gives it back, wiped. */
void us_successor_free(struct us_keeper_successor *s);
/* The old key's word for the successor, at the log as it is. US_ERR_STATE: the log is empty. */
int us_desk_sign_succession(struct us_buf *note, struct us_keeper_desk *d,
    const struct us_keeper_successor *s, int64_t time_ns);

#endif
