/*
 * What the keeper writes down about the machine: with which settings and program it started
 * (configure), when the log was silent (gap), and which of the other processes died (role-restart).
 * Two small files remember from one start to the next:
 *
 *   started   the program's version and the settings of the last start, lines "name=value"
 *   ended     "USEND1\n" ‖ u64 size of the log ‖ u8 how: written behind the last entry of an
 *             orderly end. It counts if the log still has that size
 *
 * What the entries say: log/event.h.
 */
#ifndef US_DAEMON_KEEPER_MACHINE_EVENTS_H
#define US_DAEMON_KEEPER_MACHINE_EVENTS_H

#include <stdint.h>

#include "base/buf.h"
#include "log/event.h"

struct us_keeper;
struct us_settings;

/* k->machine, with the settings in effect: before the start. US_ERR_LIMIT, US_ERR_NOMEM. */
int us_machine_events_new(struct us_keeper *k, const struct us_settings *settings);
/* Right behind the start's entry: gap, and configure if there is something to say. last_ns: time of
 * the newest entry before the start, start_ns: of the start's, from_size: of the log before it. */
int
us_machine_events_begin(struct us_keeper *k, int64_t last_ns, int64_t start_ns, uint64_t from_size);
/* When these entries are durable: remembers the settings. A failure is said, and repeated at the
 * next start. */
void us_machine_events_begun(struct us_keeper *k);
/* When the last entry of an orderly end is durable: size is the log's with it. Also for what writes
 * entries while no keeper runs. A failure is said: the next start then tells of a crash. */
void us_run_ended(uint64_t size, enum us_gap how);
/* How the run ended that left a log of that size: US_GAP_STOPPED or _SEALED, else _CRASHED. */
enum us_gap us_run_end(uint64_t size);
/* Looks at the clocks, about ten times a second. */
void us_machine_events_clocks(struct us_keeper *k);
/* A message of the monitor: a process died, or counts of a front that has ended. */
int us_machine_events_told(struct us_keeper *k, uint16_t type, struct us_bytes body);
/* Gives back k->machine. */
void us_machine_events_free(struct us_keeper *k);

#endif
