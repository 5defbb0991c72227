/* The reports, each in a file with its row: what it is called, asks and shows. */
#ifndef US_CLIENT_REPORT_KINDS_H
#define US_CLIENT_REPORT_KINDS_H

#include "client/report/report.h"

/* For rows: the boxes that a report needs, and the columns that begin many. */
#define US_NEEDS_ACCESS (1u << US_BOX_ACCESS)
#define US_NEEDS_RECORDS (1u << US_BOX_DISCLOSURE)
#define US_NEEDS_QUERY (1u << US_BOX_QUERY)
#define US_ENTRY_COLUMNS "index time person party action "

/* In the order in which they are listed, ended by NULL. */
extern const struct us_report_kind *const us_report_kinds[];
/* The kind of that name, or NULL. */
const struct us_report_kind *us_report_kind_named(const char *name);

extern const struct us_report_kind us_report_who_saw;
extern const struct us_report_kind us_report_person_history;
extern const struct us_report_kind us_report_denials;
extern const struct us_report_kind us_report_verification;
extern const struct us_report_kind us_report_anomalies;
extern const struct us_report_kind us_report_disclosures;
extern const struct us_report_kind us_report_authorised;
extern const struct us_report_kind us_report_exceptions;
extern const struct us_report_kind us_report_administration;
extern const struct us_report_kind us_report_content_by_administrators;
extern const struct us_report_kind us_report_after_notice;
extern const struct us_report_kind us_report_holdings;
extern const struct us_report_kind us_report_searches;
extern const struct us_report_kind us_report_certificate;
extern const struct us_report_kind us_report_disposition;

#endif
