/* What a client hears about its part, as JSON. */
#ifndef US_DAEMON_INTAKE_ANSWER_H
#define US_DAEMON_INTAKE_ANSWER_H

#include "case/action.h"
#include "daemon/intake/part.h"
#include "daemon/process/channel.h"

/* Lines named in one answer; at 62 bytes at most each they fit into it. */
#define US_INTAKE_LINES_SHOWN 4096
#define US_INTAKE_BODY_MAX 262144u

/* A part that was handed to the sealer, as far as its report speaks of it. */
struct us_intake_taken {
	uint32_t part;
	uint32_t records;
	uint32_t n_defects; /* all; at most US_INTAKE_LINES_SHOWN are kept */
	struct us_part_defect *defects;
};

/* Why a part was not taken at all. */
struct us_intake_failure {
	const char *type; /* of the problem, as schema/openapi.yaml has them; NULL: by its status */
	uint16_t status;  /* of HTTP */
	const char *why;  /* for a person; static */
	enum us_defect code;
	enum us_reason reason;
};

/* What the sealer's err, and the reason why it has stopped the load, mean to the client. */
struct us_intake_failure us_intake_failure_of(int err, enum us_reason reason);
/* Appends a problem document (RFC 9457) with "part", "error" and, where there is one, "code";
 * nothing, where memory is out, which has been said. */
void us_intake_problem(uint32_t part, const struct us_intake_failure *f, struct us_buf *body);
/* {"part", "records", "accepted", "duplicates", "refused", "defects": [{"line", "code"}…], "more",
 * "duplicate_lines": [line…]}: the intake's defects, then those of the sealer (duplicate ids);
 * more: of them not named. In a part of at most US_INTAKE_LINES_SHOWN lines every line is named
 * that is not accepted. US_ERR_NOMEM, US_ERR_LIMIT. */
int us_intake_report(const struct us_intake_taken *p, const struct us_msg_documents_done *m,
    struct us_buf *body);

#endif
