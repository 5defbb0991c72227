/*
 * What the files of the keeper share: its one struct, and who does what.
 *
 *   keeper.c    start, channels, timers          requests.c  table of messages and states
 *   answer.c    entries, commit, replies         unseal.c    shares, root, replay
 *   session.c   nonces and sessions              access.c    "log": entries that name keys
 *   acts.c      signed acts, two phases          loads.c     sealer: loads, batches, dictionaries
 *   loads_watch.c  loads end when what opened them does
 *   decide.c    what the keeper says to a "log"  approve.c   approvals, found and used up
 *   serve.c     log files, proofs, TLS                   log_keys.c  keys of the log's boxes
 *   tasks.c     what takes long, in slices               walk.c      entries one after another
 *   ledger.c    who has had which records, folded from the log
 *   disclosed.c how many had those of a clawback
 *   cosign.c    checkpoints that witnesses have cosigned
 *   succession.c   keys that the log had before, and the first entry under its new one
 *   outcome.c   how answers ended: outcomes and marks
 *   refused.c   the records that a refusal names
 *   unattributed.c     counts of what is refused to nobody in particular
 *   machine_events.c    what the machine itself did: settings, gaps, processes that died
 *   low_space.c     what is done, and what is not, when the log's disk fills up
 */
#ifndef US_DAEMON_KEEPER_INTERNAL_H
#define US_DAEMON_KEEPER_INTERNAL_H

#include "daemon/keeper/files.h"
#include "daemon/keeper/keyring.h"
#include "log/disk/klog.h"
#include "daemon/keeper/succession.h"
#include "daemon/keeper/root.h"
#include "daemon/keeper/low_space.h"
#include "daemon/keeper/machine_events.h"
#include "daemon/keeper/tasks.h"
#include "daemon/process/channel.h"
#include "daemon/process/role.h"
#include "policy/usage.h"
#include "registry/authority.h"
#include "registry/registry.h"

#define US_KEEPER_SESSIONS 16384u /* live at once; a power of two */
#define US_KEEPER_LOADS 1024u
#define US_KEEPER_PEERS 64u
#define US_SHARE_SECONDS (15 * 60)

struct event;
struct us_keeper;

/* A session that a person's key has signed. Free slots have expires_ns 0. */
struct us_session {
	uint8_t id[16];
	uint8_t credential[32];
	uint32_t person;
	int64_t expires_ns;
};

/* Given shares of this sealed period. mnemonics: secret memory. */
struct us_unsealing {
	struct us_key *private_key;
	uint8_t public_key[32];
	uint8_t signature[64];
	char (*mnemonics)[544];
	uint8_t given[US_SHARES_MAX]; /* 1: share i is there */
	unsigned count;
	int64_t expires_ns;
};

/*
 * A load that a logged entry opened. It lasts while what opened it stands: loads_watch.c asks the
 * order again whenever that may have changed, and ends it (ended) before whoever changed it is
 * answered. Gone from the list when the sealer has let go of it.
 */
struct us_load {
	struct us_load *next;
	uint64_t id;
	uint32_t collection;
	uint32_t person;
	uint8_t credential[32];
	int64_t opened_ns;
	enum us_reason ended; /* NONE: it stands */
	int taken;            /* the sealer has had its keys */
	char peer[65];        /* as it was opened, for conditions that ask about it */
	size_t purpose_n;
	uint8_t purpose[US_PURPOSE_MAX];
};

/* A batch that has been opened and is neither closed nor void. */
struct us_open_batch {
	struct us_open_batch *next;
	uint64_t load;
	uint32_t person;
	uint8_t credential[32]; /* of who loads */
	uint32_t collection, slot, count;
	uint64_t first;
	uint8_t salt[32], segment_salt[32];
	struct us_buf facts; /* of batch-sealed; empty until then */
	int is_void;
};

struct us_open_dictionary {
	struct us_open_dictionary *next;
	uint64_t load;
	uint32_t collection, version, slot;
	uint8_t salt[32];
};

/* Where the next batch of a collection begins: in every group of the journal, so that nothing is
 * given twice. */
struct us_counter {
	uint32_t collection, slot, dictionary_slot;
	uint64_t record;
};

/* An answer that waits for the commit of its entry. finish sends it; data is then freed (and wiped
 * by finish if it must be). ch is NULL once the channel is gone. */
struct us_pending {
	struct us_pending *next;
	struct us_channel *ch;
	uint32_t tag;
	uint64_t index;
	int64_t time_ns;
	/* waits until the sealer has answered so many load-stops (loads_watch.c) */
	uint32_t behind_stop;
	int (*finish)(struct us_keeper *k, struct us_pending *p);
	void *data;
};

/* How far it is known how answers ended (outcome.c). */
struct us_answers {
	uint64_t first;   /* the start of this process: what stands before it is not its vault's */
	uint64_t settled; /* where the newest mark ends */
	uint64_t ended;   /* up to which the vault says that all have ended; at least settled */
	uint64_t granted; /* index of the newest entry that gave anything, plus one */
	uint64_t *failed; /* entries from settled on that have an outcome, ascending */
	size_t n_failed, failed_cap;
	int64_t marked_mono;
	int changed; /* the journal's counters do not say it yet */
	int awaited; /* the process stops, and its vault is about to say how answers ended */
};

/* An act between its two phases. */
struct us_prepared {
	int valid;
	uint64_t sequence;
	struct us_buf committed;
	int is_batch; /* of batch_prepare: the open batch (or dictionary) it ends */
	uint32_t collection, slot;
	int is_dictionary;
	uint8_t credential[32]; /* of the actor; zeros for the vault's own */
	uint8_t session[16];
	char peer[65];
};

struct us_keeper {
	struct event_base *base;
	enum us_keeper_state state;
	/* sealed on request: the process ends when its answers have left */
	int stopping;
	char why[256];
	int64_t since_ns;
	struct us_vault_conf conf;
	struct us_boot_keys boot;
	struct us_keeper_succession lineage;
	int lock_fd;
	struct us_klog *klog;
	struct us_root_keys *root; /* NULL while sealed */
	struct us_pkey *ca_key;
	struct us_keyring *keyring;
	struct us_registry *registry;
	int frozen;             /* the daemon was started frozen */
	uint32_t order_version; /* that the log was told is in force; 0: none yet */
	struct us_usage *usage; /* NULL until the vault is open */
	struct us_buf init_act;
	struct us_unsealing unsealing;
	struct us_key *nonce_key;
	struct us_session *sessions;
	struct us_load *loads;
	struct us_stops {
		struct us_channel *sealer; /* NULL: none, and then no part is taken either */
		uint32_t sent, answered;
		int64_t since_mono; /* of the oldest that is not answered */
	} stops;
	int64_t loads_mono; /* when the order was last asked about all loads */
	struct us_open_batch *batches;
	struct us_open_dictionary *dictionaries;
	struct us_counter *counters;
	size_t n_counters;
	struct us_prepared prepared;
	struct us_pending *pending, **pending_tail;
	struct us_answers answers;
	struct us_witnesses *witnesses;
	struct us_witness_age {
		int64_t max_ns; /* 0: a log that nobody witnesses is no reason for anything */
		size_t needed;  /* cosignatures of one checkpoint, at least 1 */
		int seals;      /* else it warns */
	} witness_age;
	int64_t witness_asked_ns;   /* not to be asked again before */
	struct us_channel *control; /* to the monitor */
	struct us_channel *vault;
	struct us_channel *peers[US_KEEPER_PEERS];
	struct event *tick, *stop_timer;
	int64_t last_entry_mono;
	int64_t watched_mono; /* the log's files */
	struct us_low_space space;
	size_t segment_size;
	int64_t fail_sync;
	/* refused without an entry, by reason, since the last entry that said so */
	uint32_t noise[UINT8_MAX + 1];
	int has_noise;
	int64_t noise_mono;
	struct us_machine_events starts;
	struct us_tasks tasks;
	/* REPLAYING, and the vault has shown all of its state: the ledger is being made */
	int is_shown;
	struct us_act *act;  /* scratch: about 20 KiB */
	struct us_buf reply; /* scratch for large answers; wiped after use */
};

/* --- answer.c ------------------------------------------------------------------------------ */

/* Appends an entry; order version is filled in. A refusal may be counted instead, when there is no
 * room for it (low_space.h): the index is then US_SPACE_HELD until its answer is finished. */
int us_keeper_append(struct us_keeper *k, struct us_entry_in *e, uint64_t *index, int64_t *time_ns);
/* An event of the machine itself, class SYSTEM. event: what it says; NULL: nothing more. index: its
 * place, or NULL. Errors of us_klog_append(), which the operator's log has been told. */
int us_keeper_event(struct us_keeper *k, enum us_action action, enum us_decision decision,
    enum us_reason reason, const struct us_event *event, uint64_t *index);
/* Queues an answer. data (malloc'd or NULL) belongs to it, also on failure. */
int us_keeper_answer(struct us_keeper *k, const struct us_pending *p);
/* Commits what was appended, then sends checkpoint and answers. */
void us_keeper_settle(struct us_keeper *k);
/* Forgets where answers should go. */
void us_keeper_forget_channel(struct us_keeper *k, struct us_channel *ch);
/* A "logged" without keys. */
int us_keeper_send_logged(struct us_keeper *k, const struct us_pending *p, int err,
    enum us_reason reason);
/* Fills index, time, size and proof of p's entry; proof must have 2,048 bytes of room. */
int us_keeper_fill_logged(struct us_keeper *k, const struct us_pending *p, struct us_msg_logged *m,
    uint8_t proof[2048]);
/* Fills the person's part of an access box, from the registry. */
void us_keeper_fill_person(const struct us_keeper *k, struct us_entry_access *a,
    const uint8_t credential[32]);

/* --- session.c ----------------------------------------------------------------------------- */

/* The live session with that id, of that credential. US_REASON_NONE and *person set; else why
 * not. */
enum us_reason us_keeper_session(struct us_keeper *k, const uint8_t session[16],
    const uint8_t credential[32], const struct us_person **person);
/* Makes the version that is in force now the one that decides; an entry says so if it is another
 * than was said last. */
void us_keeper_order_at(struct us_keeper *k, int64_t now_ns);
/* All facts of a request that the order's conditions can ask about, as the keeper sees them. */
void us_keeper_context(const struct us_keeper *k, const uint8_t credential[32],
    struct us_bytes peer, struct us_context *out);

/* --- unseal.c ------------------------------------------------------------------------------ */

int us_keeper_unsealing_begin(struct us_keeper *k);
void us_keeper_unsealing_end(struct us_keeper *k);
/* Drops shares that are too old. */
void us_keeper_unsealing_expire(struct us_keeper *k);
/* Makes the keeper refuse everything, for a reason that status tells. */
void us_keeper_refuse(struct us_keeper *k, const char *why);

/* --- loads.c ------------------------------------------------------------------------------- */

int us_keeper_counters_read(struct us_keeper *k);
/* Takes a load that an entry has opened. US_ERR_EXISTS, US_ERR_BUSY (too many), US_ERR_NOMEM. */
int us_keeper_load_open(struct us_keeper *k, const struct us_load *load);
struct us_load *us_keeper_load(struct us_keeper *k, uint64_t id);
/* 1 if both are the same person's, by the same credential, into the same collection, and the first
 * one stands. */
int us_load_is_same(const struct us_load *load, const struct us_load *asked);
/* Ends them all: the vault is being sealed. */
void us_loads_end(struct us_keeper *k, enum us_reason reason);
/* The load, if what opened it still stands. US_ERR_SEALED, _NOT_FOUND, _EXPIRED, _DENIED,
 * _NOSPACE. */
int us_keeper_load_live(struct us_keeper *k, uint64_t id, struct us_load **out);
void us_keeper_loads_free(struct us_keeper *k);
struct us_open_batch *us_keeper_batch(struct us_keeper *k, uint32_t collection, uint32_t slot);
void us_keeper_batch_free(struct us_keeper *k, struct us_open_batch *b);
/* The committed act for what the vault has stored of an open batch. */
int us_keeper_batch_act(struct us_keeper *k, struct us_open_batch *b, struct us_buf *committed,
    struct us_refusal *refusal);
/* A dictionary of the batch's load that is no act yet, or NULL. */
struct us_open_dictionary *us_keeper_dictionary(struct us_keeper *k, uint64_t load);

/* --- loads_watch.c ------------------------------------------------------------------------- */

/* Asks the order about every load, and ends those that stand no more: the sealer is told. After
 * each act that was folded, and with the clock. */
void us_loads_review(struct us_keeper *k);
/* How many load-stops have been sent: an answer with behind_stop set to it leaves when the sealer
 * has answered them all. */
uint32_t us_loads_stops(const struct us_keeper *k);
/* 1 if that answer may leave. */
int us_loads_heard(const struct us_keeper *k, uint32_t behind_stop);
/* For the tick: reviews loads once a second; a sealer that does not answer is done without. */
void us_loads_tick(struct us_keeper *k);
/* That channel is gone: if it is the sealer's, all loads end. */
void us_loads_channel_gone(struct us_keeper *k, const struct us_channel *ch);

/* --- cosign.c ------------------------------------------------------------------------------ */

/* The setting "witnesses": verifier keys with blanks between; before the start. US_ERR_FORMAT,
 * US_ERR_EXISTS (twice the same key), US_ERR_LIMIT; it has been said in the operator's log. */
int us_keeper_witnesses_set(struct us_keeper *k, const char *setting);
/* Reads what was cosigned, once the log is open; the keys get an entry. US_ERR_VERIFY: the log is
 * not the one that was cosigned. */
int us_keeper_witnesses_load(struct us_keeper *k);
void us_keeper_witnesses_free(struct us_keeper *k);
/* Warns or seals, as configured, if the newest checkpoint with enough cosignatures, or the
 * unsealing, is too long ago. For the tick. */
void us_keeper_witnesses_age(struct us_keeper *k);
/* Appends the file "checkpoint.witnessed": the largest checkpoint with a cosignature; or ".../K":
 * with K of them. US_ERR_NOT_FOUND: there is none; US_ERR_FORMAT: no such path. */
int us_keeper_witnessed(const struct us_keeper *k, struct us_bytes path, struct us_buf *out);

/* --- refused.c ----------------------------------------------------------------------------- */

#define US_REFUSED_MAX 65536u
/* Appends the terms, packed str16, of a refusal of these records (packed u64), which are the first
 * of all. */
int us_refused_terms(const struct us_keeper *k, uint32_t collection, struct us_bytes records,
    uint64_t all, struct us_buf *terms);

/* --- outcome.c ----------------------------------------------------------------------------- */

/* Once the log is open and the start of this process, entry `start`, appended: marks what the one
 * before left behind. */
void us_answers_begin(struct us_keeper *k, uint64_t start);
/* That entry gives the vault something, so its answer will have an end. */
void us_answers_granted(struct us_keeper *k, uint64_t index);
/* 1 if the vault has not said yet of all of them that they have ended. */
int us_answers_open(const struct us_keeper *k);
/* A mark, if one is due. */
void us_answers_tick(struct us_keeper *k);
/* The process, or its vault, ends: marks what has ended, and says of the rest that it ended for
 * that reason. */
void us_answers_end(struct us_keeper *k, enum us_reason reason);
/* Before each commit: keeps in the journal how far it is known. */
void us_answers_save(struct us_keeper *k);
/* Appends that as a group of the journal's counters. */
int us_answers_put(const struct us_keeper *k, struct us_buf *counters);
void us_answers_free(struct us_keeper *k);

/* --- unattributed.c --------------------------------------------------------------------------- */

/* Adds counts: { u8 reason, u32 count }, packed. US_ERR_MALFORMED: they are none. */
int us_keeper_unattributed_take(struct us_keeper *k, struct us_bytes counts);
/* Writes the entry of what was counted, if the last one was ten seconds ago (or at once). Ends the
 * process if it cannot. */
void us_keeper_unattributed_tell(struct us_keeper *k, int at_once);
/* Gives the monitor what was counted behind a seal, for the keeper that follows. */
void us_keeper_unattributed_pass_on(struct us_keeper *k);

/* --- requests.c, keeper.c ------------------------------------------------------------------ */

typedef int (
    *us_keeper_fn)(struct us_keeper *k, struct us_channel *ch, uint32_t tag, struct us_bytes body);
int us_keeper_dispatch(struct us_keeper *k, struct us_channel *ch, uint16_t type, uint32_t tag,
    struct us_bytes body);
/* Start without the event loop's timers, for tests too: files, log, START entry. */
int us_keeper_start(struct us_keeper *k);
void us_keeper_close(struct us_keeper *k);
/* Does without a peer that has failed: what it asked is forgotten, and its channel ends. Not the
 * vault's. */
void us_keeper_drop_peer(struct us_keeper *k, struct us_channel *ch);
extern const struct us_channel_handler us_keeper_handler;
/* After a seal: the process ends with US_EXIT_SEALED once its answers have left. */
void us_keeper_stop_sealed(struct us_keeper *k);

#define US_KEEPER_HANDLERS(X) \
	X(keeper_status) \
	X(challenge) \
	X(session_open) \
	X(share) \
	X(seal) \
	X(replay) \
	X(replay_end) \
	X(log) \
	X(act_prepare) \
	X(batch_prepare) \
	X(act_commit) \
	X(act_abort) \
	X(log_read) \
	X(log_keys) \
	X(entry_proof) \
	X(noise) \
	X(disclosed) \
	X(cosign) \
	X(answers) \
	X(load_keys_request) \
	X(batch_open) \
	X(batch_sealed) \
	X(batch_void) \
	X(dictionary_open) \
	X(load_stopped) \
	X(load_over) \
	X(tls_identity) \
	X(tls_sign)
#define X(name) \
	int us_on_##name(struct us_keeper *k, struct us_channel *ch, uint32_t tag, \
	    struct us_bytes body);
US_KEEPER_HANDLERS(X)
#undef X

#endif
