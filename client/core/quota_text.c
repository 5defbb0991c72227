#include "client/core/quota_text.h"

#include <stdio.h>

#include "client/core/show.h"

void
us_quota_text(const cJSON *document, char out[US_QUOTA_TEXT])
{
	const cJSON *quota = cJSON_GetObjectItemCaseSensitive(document, "quota");
	const double day = us_json_number(quota, "per_day", -1),
		     life = us_json_number(quota, "life", -1),
		     share = us_json_number(quota, "share", -1);
	const double all = life < 0 || (share >= 0 && share < life) ? share : life;

	out[0] = '\0';
	if (day >= 0 && all >= 0)
		(void)snprintf(out, US_QUOTA_TEXT, "left: %.0f today, %.0f in all",
		    day < all ? day : all, all);
	else if (day >= 0)
		(void)snprintf(out, US_QUOTA_TEXT, "left: %.0f today", day);
	else if (all >= 0)
		(void)snprintf(out, US_QUOTA_TEXT, "left: %.0f in all", all);
}
