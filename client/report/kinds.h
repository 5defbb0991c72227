/* The reports, each in a file with its row: what it is called, asks and shows. */
#ifndef US_CLIENT_REPORT_KINDS_H
#define US_CLIENT_REPORT_KINDS_H

#include "client/report/report.h"

/* Every report, in the order in which they are listed: the auditor's fifteen questions. */
#define US_REPORTS(X) \
	X(who_saw) \
	X(person_history) \
	X(denials) \
	X(verification) \
	X(anomalies) \
	X(disclosures) \
	X(authorised) \
	X(exceptions) \
	X(administration) \
	X(content_by_administrators) \
	X(after_notice) \
	X(holdings) \
	X(searches) \
	X(certificate) \
	X(disposition)

/* For rows: the boxes that a report needs, and the columns that begin many. */
#define US_NEEDS_ACCESS (1u << US_BOX_ACCESS)
#define US_NEEDS_RECORDS (1u << US_BOX_DISCLOSURE)
#define US_NEEDS_QUERY (1u << US_BOX_QUERY)
/* What rows of the action "handshakes" are. */
#define US_NOTE_CONNECTIONS \
	"handshakes: connections that failed before it was known whose they were (a port scan, a " \
	"browser without a certificate, a timeout). Nobody asked for anything."
#define US_ENTRY_COLUMNS "index time person party action "

#define X(name) extern const struct us_report_kind us_report_##name;
US_REPORTS(X)
#undef X

#endif
