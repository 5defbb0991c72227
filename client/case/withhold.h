/* Acts about records: one for each collection that was chosen from. */
#ifndef US_CLIENT_CASE_WITHHOLD_H
#define US_CLIENT_CASE_WITHHOLD_H

#include "client/evidence/selection.h"

/* Signs and posts the act once for each of the choice, with *selection (a part of the act) set to
 * it, and shows what comes: one answer, or "items" if there are several. Stops at the first
 * refusal, having said what was done. Exit status. */
int us_act_each(struct us_client *client, struct us_act *act, struct us_selection *selection,
    const struct us_choice *choice);

#endif
