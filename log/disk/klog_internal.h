/* What klog.c (writing, serving) and klog_open.c (start, background work) share. */
#ifndef US_LOG_DISK_KLOG_INTERNAL_H
#define US_LOG_DISK_KLOG_INTERNAL_H

#include "log/disk/klog.h"
#include "log/disk/publish.h"
#include "log/disk/worker.h"

/* Invariants: the tree holds size committed entries and count open ones, whose bytes are in group;
 * checkpoint is the newest that may be seen. */
struct us_klog {
	int dir;
	const uint8_t *vault_id;
	uint8_t box_public[32];
	char origin[US_NOTE_NAME_MAX + 1];
	char vkey[US_NOTE_VKEY_MAX];
	struct us_key *seed;
	struct us_note_signer *signer;
	const struct us_key *box_key; /* borrowed; NULL while sealed */
	struct us_journal *journal;
	struct us_publish *publish;
	struct us_logtree *tree;
	uint64_t size;
	struct us_buf group;
	uint32_t count;
	size_t group_max;
	struct us_buf entry;
	struct us_buf checkpoint, next_checkpoint;
	struct us_buf counters;
	struct us_buf handovers;
	uint64_t state_sequence;
	uint8_t state_digest[32];
	int64_t last_time;
	int clock_back;
	struct us_worker *worker;
	uint64_t noted_size; /* of the checkpoint in the file, or on its way there */
	int64_t noted_mono;
	struct us_job note_job; /* the worker's while noting is 1 and it is not done */
	int noting;
	int note_short;      /* the worker's likewise: no room for the file */
	struct us_buf noted; /* what the file holds; empty: not known */
	uint64_t watched;    /* bundles looked at, round and round */
	int (*fault)(void *arg, enum us_journal_op op);
	void *fault_arg;
	int opened;
	struct us_buf note;
};

#endif
