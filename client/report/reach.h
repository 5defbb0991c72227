/* Which entries a report is about: what the index beside the mirror is asked for, so that not every
 * entry has to be opened. More may be found than the report takes; less never is. */
#ifndef US_CLIENT_REPORT_REACH_H
#define US_CLIENT_REPORT_REACH_H

#include "client/log/log_index.h"
#include "client/report/report.h"

#define US_REACH_LOOKS 64u

struct us_report_reach_looks {
	struct us_log_look_for look[US_REACH_LOOKS];
	size_t n;
};

/* What the report looks for. names: all that lists and acts give. 0: it cannot be said, and every
 * entry has to go by. */
int us_report_reach(const struct us_report_kind *kind, const struct us_report_ask *ask,
    const struct us_trail *names, struct us_report_reach_looks *out);
/* Adds the numbers of people of that name. 0: there is no room, or nobody. */
int us_reach_person(const struct us_names *names, const char *person,
    struct us_report_reach_looks *out);
/* Adds one look. 0: there is no room. */
int us_reach_add(struct us_report_reach_looks *out, enum us_log_look look, uint32_t a,
    uint64_t first, uint64_t last);

#endif
