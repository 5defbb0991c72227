/*
 * The start of a role's process: descriptor 3 is its control channel to the monitor, its working
 * directory is its own directory ("/" for roles that have none), its user is its own. The role gets
 * settings, then channels to its peers, then "start"; it answers "ready". When the control
 * channel ends, the process ends: no role outlives the monitor.
 */
#ifndef US_DAEMON_PROCESS_ROLE_H
#define US_DAEMON_PROCESS_ROLE_H

#include <stdint.h>

#include "daemon/process/channel.h"

/* Exit status of a keeper or vault that was sealed and wants a fresh address space; the
 * monitor then starts keeper, vault and sealer anew. */
#define US_EXIT_SEALED 77
#define US_CONTROL_FD 3

struct us_settings;

struct us_role_process {
	enum us_role role;
	/* Each may be NULL. US_ERR_MALFORMED: the monitor sent what it may not send (abort). Any
	 * other error ends the process with status 1; where that is not enough the callee has said
	 * more. */
	int (*on_settings)(void *ctx, struct event_base *base, uint8_t index,
	    const struct us_settings *settings);
	/* A channel to a peer; also when a peer was started anew. The callee owns fd. */
	int (*on_channel)(void *ctx, enum us_role peer, uint8_t index, int fd);
	int (*on_listen)(void *ctx, int fd);
	int (*on_start)(void *ctx);
	/* Asked every 10 ms from then on, for a second at most: 0 if something still has to come in
	 * or out first. */
	int (*may_stop)(void *ctx);
	/* Any other message of the monitor. */
	int (*on_told)(void *ctx, uint16_t type, struct us_bytes body);
	/* At the start: the channel to the monitor, for those who have something to say to it; NULL
	 * once the monitor is gone. */
	void (*on_control)(void *ctx, struct us_channel *control);
	/* SIGTERM, or the monitor is gone: last chance for an orderly end; the process exits
	 * with status 0 when it returns. */
	void (*on_stop)(void *ctx);
	void *ctx;
};

/* Runs the process until its end; returns its exit status. */
int us_role_run(const struct us_role_process *process);

#endif
