/*
 * What the keeper does when the log's disk fills up. Below the low-water mark (the setting
 * keeper.reserve, or as soon as a file of the log finds no room) nothing is released: what asks for
 * evidence, keys or a change is refused with reason low-space, and the refusal has its entry.
 * Looking at lists, and what takes rights away, goes on.
 *
 * What is written then stands in the journal's reserve, so it is rationed: a share of a minute
 * (credentials fall into 64 of them) may fill 32 KiB a minute. Refusals beyond that are held and
 * counted, and go out together under one entry "refusals" a second; everything else beyond it is
 * refused too. Seals, stops, acts and the machine's own events are not rationed: there is always
 * room for the last word.
 *
 * One owner: the keeper's thread.
 */
#ifndef US_DAEMON_KEEPER_LOW_SPACE_H
#define US_DAEMON_KEEPER_LOW_SPACE_H

#include "case/action.h"
#include "log/disk/klog.h"

#define US_SPACE_SHARES 64u
/* The index of an answer whose entry is yet to come. */
#define US_SPACE_HELD (UINT64_MAX - 1)
/* At most so many bytes does a refusal take in the journal that is alone in its group and has a
 * short query. */
#define US_SPACE_REFUSAL 1200u

struct us_keeper;
struct us_pending;

/* Invariants: held_tail is &held or the next of the last; count tells the held ones by reason. */
struct us_low_space {
	int low;
	uint64_t reserve; /* bytes that must be free */
	int64_t minute_mono;
	uint32_t spent[US_SPACE_SHARES];
	struct us_pending *held, **held_tail;
	uint32_t count[UINT8_MAX + 1];
	int64_t told_mono;
};

void us_low_space_init(struct us_low_space *s, uint64_t reserve);
/* Asks the disk. Before anything is decided, and about ten times a second. */
void us_low_space_watch(struct us_keeper *k);
/* 1 if that may not be done now, by whoever shows that credential: refuse it with reason low-space
 * and US_ERR_NOSPACE. */
int us_low_space_refuses(struct us_keeper *k, enum us_action action, const uint8_t credential[32]);
/* 1 if the entry is a refusal that is counted now and not written: its answer waits with index
 * US_SPACE_HELD. */
int us_low_space_holds(struct us_keeper *k, const struct us_entry_in *e);
/* Takes an answer with that index. */
void us_low_space_hold(struct us_keeper *k, struct us_pending *p);
/* Writes the entry of what is held, if the last one was a second ago (or at once), and makes the
 * answers ready: they leave with the next commit. Ends the process if the log cannot take it. */
void us_low_space_tell(struct us_keeper *k, int at_once);

#endif
