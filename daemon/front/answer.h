/* Heads of responses and problem bodies (RFC 9457), written into bounded buffers. */
#ifndef US_DAEMON_FRONT_ANSWER_H
#define US_DAEMON_FRONT_ANSWER_H

#include "daemon/front/request.h"

#define US_ANSWER_CHECKPOINT_MAX 2048
#define US_ANSWER_HEAD_MAX (512 + US_ANSWER_CHECKPOINT_MAX / 3 * 4 + 8)
#define US_ANSWER_PROBLEM_MAX 768
#define US_ANSWER_DATE_MAX 32

struct us_answer {
	int status;
	enum us_content_type type;
	uint16_t retry_after; /* 0: none */
	unsigned allow;       /* of a 405: bit 1 << enum us_http_method for each method there is */
	uint64_t entry;       /* UINT64_MAX: none */
	/* of the log, that covers the entry; at most US_ANSWER_CHECKPOINT_MAX bytes */
	struct us_bytes checkpoint;
	uint64_t length; /* of the body, unless chunked */
	int chunked;
	int close;
	const char *date; /* as us_answer_date() wrote it */
};

/* IMF-fixdate of RFC 9110 section 5.6.7. */
void us_answer_date(int64_t unix_seconds, char out[US_ANSWER_DATE_MAX]);
/* Writes the head; returns its length. An unknown status or type is sent as 502. */
size_t us_answer_head(const struct us_answer *a, char out[US_ANSWER_HEAD_MAX]);
/* Writes the problem's JSON; returns its length. */
size_t us_answer_problem(const struct us_problem *p, char out[US_ANSWER_PROBLEM_MAX]);

#endif
