/*
 * Blocking questions on a plain descriptor, one at a time: the front asks the keeper for TLS
 * signatures in the middle of a handshake, where OpenSSL cannot wait for an event loop.
 *
 * Each question has a tag of its own, which its answer repeats; an answer with another tag is
 * dropped. A question that failed in any way ends the line: what is still under way on it can no
 * longer be told from what comes next, so every further question fails without touching the
 * descriptor. Whoever needs a line again gets a new one, from the monitor.
 */
#ifndef US_DAEMON_PROCESS_EXCHANGE_H
#define US_DAEMON_PROCESS_EXCHANGE_H

#include <stdint.h>

#include "daemon/process/channel.h"

/* fd stays the caller's. Set up by us_line_init(). */
struct us_line {
	int fd;
	uint32_t tag; /* of the newest question */
	int ended;    /* a question has failed */
};

struct us_line_question {
	uint16_t type, reply_type; /* enum us_msg_type */
	us_encode_fn encode;
	const void *m;  /* what encode() writes */
	int timeout_ms; /* for question and answer together */
};

/* Begins with a descriptor that stays the caller's. */
void us_line_init(struct us_line *line, int fd);
/* Asks; the answer's body replaces what is in reply. US_ERR_BUSY: no answer in time; US_ERR_CLOSED:
 * the other side is gone, or the line has ended before; US_ERR_FORMAT: not an answer to this
 * question; US_ERR_NOMEM, US_ERR_LIMIT. After any error the line has ended. */
int
us_line_ask(struct us_line *line, const struct us_line_question *question, struct us_buf *reply);

#endif
