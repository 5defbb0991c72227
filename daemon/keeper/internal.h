/*
 * The keeper's one struct, for its own files. What only one file looks into is a struct of that
 * file: its pointer is here, its functions are in the header of the same name.
 *
 *   keeper.c    start, timers, end               life.c      states, and the keys of each
 *   peers.c     who is there                     channels.c  what comes in on channels
 *   requests.c  who handles a message            handlers.h  messages and states
 *   answer.c    entries, commit, replies         seal.c      the end behind a seal
 *   unseal.c    shares, root                     replay.c    the vault shows its acts
 *   session.c   nonces and sessions              access.c    "log": entries that name keys
 *   vault_entry.c   what a vault may ask to have logged
 *   acts.c      signed acts, two phases          claim.c     an act that is refused
 *   loads.c     loads end when what opened them does
 *   batches.c   the sealer's batches, dictionaries.c its dictionaries, counters.c their numbers
 *   page_keys.c keys of a collection's index
 *   decide.c    what the keeper says to a "log"  approve.c   approvals, found and used up
 *   serve.c     status, log files, proofs, TLS   log_keys.c  keys of the log's boxes
 *   tasks.c     what takes long, in slices       walk.c      entries one after another
 *   ledger.c    who has had which records, folded from the log
 *   ledger_file.c  the same written down, so that it need not be folded from the start
 *   disclosed.c how many had those of a clawback
 *   witnesses.c checkpoints that witnesses have cosigned, cosign.c how they are brought
 *   succession.c   keys that the log had before, and the first entry under its new one
 *   outcome.c   how answers ended: outcomes and marks
 *   refused.c   the records that a refusal names
 *   barred.c    credentials that have ended for good
 *   unattributed.c     counts of what is refused to nobody in particular
 *   machine_events.c    what the machine itself did: settings, gaps, processes that died
 *   expiries.c      certificates that end soon
 *   low_space.c     what is done, and what is not, when the log's disk fills up
 */
#ifndef US_DAEMON_KEEPER_INTERNAL_H
#define US_DAEMON_KEEPER_INTERNAL_H

#include "base/buf.h"
#include "daemon/keeper/files.h"
#include "daemon/keeper/keyring.h"
#include "daemon/keeper/root.h"
#include "log/disk/klog.h"
#include "registry/registry.h"

struct event_base;

struct us_keeper {
	struct event_base *base;
	struct us_vault_conf conf;
	struct us_boot_keys boot;
	struct us_klog *klog;
	struct us_registry *registry;
	int frozen; /* the daemon was started frozen */
	/* of a vault that is not sealed; else NULL (life.c) */
	struct us_root_keys *root;
	struct us_pkey *ca_key;
	struct us_keyring *keyring;
	struct us_usage *usage;   /* the ledger, once the vault is open (ledger.c) */
	struct us_key *nonce_key; /* of nonces and tickets: drawn at each start */
	struct us_act *act;       /* scratch: about 20 KiB */
	struct us_buf reply;      /* scratch for large answers; wiped after use */

	struct us_keeper_life *life;
	struct us_sealing *sealing;
	struct us_peers *peers;
	struct us_keeper_queue *queue;
	struct us_unsealing *unsealing;
	struct us_replay *replay;
	struct us_sessions *sessions;
	struct us_barred *barred;
	struct us_prepared *prepared;
	struct us_loads *loads;
	struct us_batches *batches;
	struct us_dictionaries *dictionaries;
	struct us_counters *counters;
	struct us_page_keys *page_keys;
	struct us_ledger_file *ledger_file;
	struct us_answers *answers;
	struct us_witnesses *witnesses;
	struct us_low_space *space;
	struct us_unattributed *unattributed;
	struct us_machine_events *machine;
	struct us_tasks *tasks;
};

#endif
