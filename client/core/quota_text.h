/* What is left of the order's limits, as answers and refusals say it. */
#ifndef US_CLIENT_CORE_QUOTA_TEXT_H
#define US_CLIENT_CORE_QUOTA_TEXT_H

#include <cjson/cJSON.h>

#define US_QUOTA_TEXT 96

/* What the document's "quota" leaves, for people: "left: 75 today, 925 in all"; "" if it has none,
 * or no limit over time. */
void us_quota_text(const cJSON *document, char out[US_QUOTA_TEXT]);

#endif
