/*
 * The monitor: starts the roles, connects them, and then only waits. It reads nothing that anybody
 * outside sends.
 *
 * What a death means (docs/DESIGN.md "Processes"):
 *
 *   who                      status            what the monitor does
 *   front, intake, sealer    any               starts it anew (backoff.h), connects it again
 *   keeper, vault            US_EXIT_SEALED    ends and starts every role: fresh address spaces
 *   keeper, vault            anything else     ends every role and the daemon, status 1
 */
#ifndef US_DAEMON_MONITOR_MONITOR_H
#define US_DAEMON_MONITOR_MONITOR_H

struct us_monitor_options {
	const char *data;   /* the data directory; keeper/ and vault/ are in it */
	const char *config; /* a file of settings that override data/undersealed.conf, or NULL */
	int frozen;         /* nobody reaches evidence until it is started otherwise */
};

/* Runs the daemon; returns its exit status. */
int us_monitor_main(const struct us_monitor_options *options);

#endif
