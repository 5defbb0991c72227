/*
 * The life of the keeper, and what it has of keys in each state:
 *
 *   SEALED ──k shares──► REPLAYING ──the vault's state is the log's, ledger made──► OPEN
 *     ▲                      └──anything else──► REFUSING                            │
 *     └──────────────────────────────────── seal ────────────────────────────────────┘
 *
 * and that of a seal, behind which the process ends and starts in a fresh address space:
 *
 *   NONE ──► LOGGED (nothing is decided any more) ──► WIPED (its keys are gone, answers leave)
 *    └─────── the log is not witnessed ──────────────────▲
 */
#ifndef US_DAEMON_KEEPER_LIFE_H
#define US_DAEMON_KEEPER_LIFE_H

#include "base/transitions.h"
#include "daemon/process/messages.h"

struct us_keeper;

enum us_keeper_seal { US_SEAL_NONE, US_SEAL_LOGGED, US_SEAL_WIPED };

/* The diagrams above as tables. */
extern const struct us_transitions us_keeper_transitions;
extern const struct us_transitions us_keeper_seal_transitions;

/* k->life: sealed, from now on. US_ERR_NOMEM. */
int us_keeper_life_new(struct us_keeper *k);
/* Drops all keys, and k->life. */
void us_keeper_life_free(struct us_keeper *k);

enum us_keeper_state us_keeper_state(const struct us_keeper *k);
/* Why it is in that state, for people; "" where there is nothing to say. */
const char *us_keeper_why(const struct us_keeper *k);
/* Since when, in the clock of us_time_now_ns(). */
int64_t us_keeper_since(const struct us_keeper *k);
/* Leads it to another state; why is copied. */
void us_keeper_enter(struct us_keeper *k, enum us_keeper_state state, const char *why);
/* Says another why in the same state. */
void us_keeper_explain(struct us_keeper *k, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Refuses everything from here on, for a reason that status tells: keys are dropped, and an entry
 * says so. */
void us_keeper_refuse(struct us_keeper *k, const char *why);

/* 1 from the entry of a seal on: nothing is given or decided any more. */
int us_keeper_is_sealing(const struct us_keeper *k);
/* The entry of a seal has been appended. */
void us_keeper_seal_logged(struct us_keeper *k);
/* The seal is durable: drops the keys of the evidence and of the CA, and enters SEALED. The log's
 * own keys stay: us_keeper_drop_log_keys(). */
void us_keeper_seal_wipe(struct us_keeper *k);
/* 1 if that has been done. */
int us_keeper_is_wiped(const struct us_keeper *k);

/* Wipes and frees the keys of the evidence and of the CA. */
void us_keeper_drop_evidence_keys(struct us_keeper *k);
/* The same for those that open what the log has sealed. */
void us_keeper_drop_log_keys(struct us_keeper *k);

#endif
