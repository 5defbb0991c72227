/* A vault directory and a real keeper process, with the test as its monitor, its vault and its
 * sealer. Failures end the test. */
#ifndef US_TESTS_UNIT_KEEPER_RIG_H
#define US_TESTS_UNIT_KEEPER_RIG_H

#include <sys/types.h>

#include "log/entry.h"
#include "daemon/keeper/create.h"
#include "daemon/process/channel.h"
#include "daemon/process/messages.h"

enum { RIG_ADMIN, RIG_ATTORNEY, RIG_PRODUCER, RIG_AUDITOR, RIG_PEOPLE };

struct rig_person {
	struct us_pkey *key;
	struct us_buf cert;
	uint8_t credential[32];
	uint8_t session[16];
};

struct rig {
	char dir[64];
	struct us_created made;
	struct rig_person people[RIG_PEOPLE];
	pid_t pid;
	int control, vault, sealer, front;
	uint8_t vault_id[32];
	uint64_t tree_size;     /* of the last checkpoint seen */
	struct us_buf body;     /* of the last frame read */
	uint32_t tag;           /* and its tag */
	struct us_buf acts[16]; /* the vault's: committed acts, from the second on */
	size_t n_acts;
	uint8_t nonce;
};

/* To be called first in main(): turns this process into a keeper if it was started as one. */
void rig_main(int argc, char **argv);
void rig_create(struct rig *r);
/* With the demonstration's order, pieces of it exchanged wherever they stand: old, new, old, new …,
 * NULL. */
void rig_create_order(struct rig *r, const char *const *pieces);
void rig_destroy(struct rig *r);
/* settings: lines, or "". */
void rig_start(struct rig *r, const char *settings);
/* Ends it by SIGTERM (0) or SIGKILL; the exit status, or -1 if it was killed. */
int rig_stop(struct rig *r, int signal_number);
/* Waits for it to end by itself: exit status. */
int rig_wait(struct rig *r);

/* As a role's monitor: fd, which is closed here, is its channel to the peer. */
void rig_give(int control, enum us_role peer, int fd);
/* Sends a message on a descriptor. */
void rig_send(int fd, uint16_t type, us_encode_fn encode, const void *m);
void rig_send_tagged(int fd, uint16_t type, uint32_t tag, us_encode_fn encode, const void *m);
/* Reads until a frame of that type comes: 1, body in r->body; 0 if the channel ended. Others must
 * be checkpoints. */
int rig_read(struct rig *r, int fd, uint16_t type);
/* 1 if anything but checkpoints comes within so many milliseconds. Takes the checkpoints. */
int rig_has(struct rig *r, int fd, int ms);

/* shares: how many to give. The reply of the last one. */
void rig_unseal(struct rig *r, unsigned shares, struct us_msg_share_reply *reply);
/* Shows the acts from the second on, at most n of them. What the keeper says. */
int rig_replay(struct rig *r, size_t n);
/* Opens a session; lifetime in seconds. err of the reply. */
int rig_session(struct rig *r, int who, int64_t lifetime, struct us_msg_session_opened *out);
/* A message "log" with the person's credential and session. */
void rig_log_init(struct rig *r, struct us_msg_log *m, int who);
/* Sends it; 1 and *out (views into r->body), 0 if the keeper is gone. */
int rig_log(struct rig *r, const struct us_msg_log *m, struct us_msg_logged *out);
/* A signed act through both phases. err of prepare. */
int rig_act(struct rig *r, int who, struct us_act *act);
struct rig_signed {
	struct us_buf bytes; /* to be freed */
	uint8_t signature[US_SIGNATURE_MAX];
	size_t n;
};
/* Signs an act as that person, with the next nonce. */
void rig_sign(struct rig *r, int who, const struct us_act *act, struct rig_signed *out);
/* The same up to its commit, whose "logged" is to be read. */
void rig_begin_act(struct rig *r, int who, struct us_act *act);
/* Unseals, replays, opens sessions for all. */
void rig_open(struct rig *r);
/* Makes collection 1 and a closed batch of n records in it (slot 0, load 77). */
void rig_load(struct rig *r, uint32_t n);
/* Bytes of an entry below 256. */
void rig_entry(struct rig *r, uint64_t index, struct us_buf *out);
/* Opens the access box of such an entry, as the auditor; its views stand in content
 * (US_ENTRY_CONTENT_MAX). */
void rig_open_access(struct rig *r, uint64_t index, struct us_entry_access *access,
    struct us_buf *content);
#define RIG_SAID_MAX 4096
/* The summary of that access box, byte for byte; returns how many bytes. */
size_t rig_said(const struct us_entry_access *access, uint8_t out[RIG_SAID_MAX]);
/* The administrator's act that seals; its "logged" is to be read. */
void rig_send_seal(struct rig *r);

#endif
