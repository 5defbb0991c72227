/* What an act says that people and collections are called, whose a certificate is, and how many
 * records there are. */
#ifndef US_CLIENT_REPORT_ACT_NAMES_H
#define US_CLIENT_REPORT_ACT_NAMES_H

#include "client/report/names.h"
#include "registry/act.h"

/* Adds what an act of that type gives, if it is one that gives any. result: what it came to, of the
 * committed act. from: US_NAME_... US_ERR_NOMEM. */
int us_act_names(struct us_names *all, enum us_act_type type, const struct us_act *act,
    struct us_bytes result, int from);

#endif
