/*
 * From an entry to its answer: append, commit, send. Nothing is sent that its entry's commit does
 * not cover.
 */
#ifndef US_DAEMON_KEEPER_ANSWER_H
#define US_DAEMON_KEEPER_ANSWER_H

#include "case/action.h"
#include "daemon/process/channel.h"
#include "log/disk/klog.h"

struct us_keeper;

/* An answer that waits for the commit of its entry. finish sends it; data is then freed (and wiped
 * by finish if it must be). ch is NULL once the channel is gone. */
struct us_pending {
	struct us_pending *next;
	struct us_channel *ch;
	uint32_t tag;
	uint64_t index;
	int64_t time_ns;
	/* waits until the sealer has answered so many load-stops */
	uint32_t behind_stop;
	int (*finish)(struct us_keeper *k, struct us_pending *p);
	void *data;
};

/* k->queue, empty. US_ERR_NOMEM. */
int us_keeper_queue_new(struct us_keeper *k);
/* Drops what waits. */
void us_keeper_queue_free(struct us_keeper *k);

/* Appends an entry; order version is filled in. A refusal may be counted instead, when there is no
 * room for it (low_space.h): the index is then US_SPACE_HELD until its answer is finished. */
int us_keeper_append(struct us_keeper *k, struct us_entry_in *e, uint64_t *index, int64_t *time_ns);
/* An event of the machine itself, class SYSTEM; event: what it says; NULL: nothing more.
 * index: its place, or NULL. Errors of us_klog_append(), which the operator's log has been told. */
int us_keeper_event(struct us_keeper *k, enum us_action action, enum us_decision decision,
    enum us_reason reason, const struct us_event *event, uint64_t *index);
/* Queues a copy of an answer, or holds it (index US_SPACE_HELD). data (malloc'd or NULL) belongs to
 * it, also on failure. US_ERR_NOMEM. */
int us_keeper_answer(struct us_keeper *k, const struct us_pending *p);
/* Commits what was appended, then sends checkpoint and answers. */
void us_keeper_settle(struct us_keeper *k);
/* Writes the entry of refusals that are held, if the last one was a second ago (or at once), and
 * makes their answers ready: they leave with the next commit. 1 if there was anything held. Ends
 * the process if the log cannot take it. */
int us_keeper_tell_held(struct us_keeper *k, int at_once);
/* The sealer is told that a load ends; returns the number of that. An answer whose behind_stop is
 * set to it, or to us_keeper_stops(), leaves when the sealer has answered it. */
uint32_t us_keeper_stop_told(struct us_keeper *k);
/* The sealer has answered all up to that number. */
void us_keeper_stop_heard(struct us_keeper *k, uint32_t number);
/* The number of the newest. */
uint32_t us_keeper_stops(const struct us_keeper *k);
/* That of the newest that is answered. */
uint32_t us_keeper_stops_heard(const struct us_keeper *k);
/* Another sealer, to which nothing was told: they are counted anew. */
void us_keeper_stops_begin(struct us_keeper *k);
/* Forgets where answers should go. */
void us_keeper_forget_channel(struct us_keeper *k, const struct us_channel *ch);
/* When the newest entry was appended, in the clock of us_time_mono_ns(). */
int64_t us_keeper_last_entry(const struct us_keeper *k);
/* A "logged" without keys. */
int us_keeper_send_logged(struct us_keeper *k, const struct us_pending *p, int err,
    enum us_reason reason);
/* Fills index, time, size and proof of p's entry; proof must have 2,048 bytes of room. */
int us_keeper_fill_logged(struct us_keeper *k, const struct us_pending *p, struct us_msg_logged *m,
    uint8_t proof[2048]);
/* Fills the person's part of an access box, from the registry: the credential is known to be that
 * person's doing. */
void us_keeper_fill_person(const struct us_keeper *k, struct us_entry_access *a,
    const uint8_t credential[32]);

#endif
