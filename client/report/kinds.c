/* The reports by name: the auditor's fifteen questions, in their order. */
#include "client/report/kinds.h"

#include <string.h>

const struct us_report_kind *const us_report_kinds[] = {
	&us_report_who_saw,
	&us_report_person_history,
	&us_report_denials,
	&us_report_verification,
	&us_report_anomalies,
	&us_report_disclosures,
	&us_report_authorised,
	&us_report_exceptions,
	&us_report_administration,
	&us_report_content_by_administrators,
	&us_report_after_notice,
	&us_report_holdings,
	&us_report_searches,
	&us_report_certificate,
	&us_report_disposition,
	NULL,
};

const struct us_report_kind *
us_report_kind_named(const char *name)
{
	for (size_t i = 0; us_report_kinds[i] != NULL; i++)
		if (strcmp(us_report_kinds[i]->name, name) == 0)
			return us_report_kinds[i];
	return NULL;
}
