/* What an act says that people and collections are called, whose a certificate is, and how many records
 * there are. */
#ifndef US_CLIENT_REPORT_ACT_NAMES_H
#define US_CLIENT_REPORT_ACT_NAMES_H

#include "client/report/names.h"
#include "client/report/trail.h"

/* Adds what the act gives, if it is one that gives any. from: US_NAME_... US_ERR_NOMEM. */
int us_act_names(struct us_names *all, const struct us_trail_act *act, int from);

#endif
