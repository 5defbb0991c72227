/* The reports by name: the auditor's fifteen questions, in their order. */
#include <string.h>

#include "client/report/report.h"

#define ACCESS (1u << US_BOX_ACCESS)
#define RECORDS (1u << US_BOX_DISCLOSURE)
#define QUERY (1u << US_BOX_QUERY)
#define ENTRY_COLUMNS "index time person party action "

const struct us_report_kind us_report_kinds[] = {
	{ "who-saw", "Who saw this record, when, how, and under which rule?", "COLLECTION/BATES",
	    ENTRY_COLUMNS "how left rule paragraph order purpose recipient", ACCESS | RECORDS,
	    us_report_who_saw },
	{ "person-history", "What did this person, or this party, do and read?",
	    "--person N | --party P",
	    ENTRY_COLUMNS
	    "kind decision reason paragraph collection records bates left query purpose address",
	    ACCESS | RECORDS | QUERY, us_report_person_history },
	{ "denials", "What was refused, to whom, and why?", "[COLLECTION/BATES]",
	    ENTRY_COLUMNS "reason rule paragraph order collection asked purpose query count",
	    ACCESS, us_report_denials },
	{ "verification", "Was the log altered, cut or reordered; are there gaps?", "",
	    "check finding", ACCESS | RECORDS, us_report_verification },
	{ "anomalies", "Who read unusually much, fast, late, or in sequence?",
	    "--hours H-H, --max-...",
	    "person party day requests per_hour outside_hours records longest_run share_percent "
	    "exceeded",
	    ACCESS | RECORDS, us_report_anomalies },
	{ "disclosures", "What left the vault, to whom, and what for?", "",
	    ENTRY_COLUMNS
	    "copy recipient purpose collection records bates left paragraph status sha256",
	    ACCESS | RECORDS, us_report_disclosures },
	{ "authorised", "Who was authorised to see this record at that time, and why?",
	    "COLLECTION/BATES --at TIME", "person decision reason rule paragraph depends_on", 0,
	    us_report_authorised },
	{ "exceptions", "Was anything done with an expired, revoked or pending credential?", "",
	    ENTRY_COLUMNS "decision reason by_the_acts count", ACCESS, us_report_exceptions },
	{ "administration", "Which privileged acts were done, by whom, and who signed?", "",
	    ENTRY_COLUMNS "decision reason docket detail signed_by", ACCESS,
	    us_report_administration },
	{ "content-by-administrators", "Did those who run the vault see content?", "",
	    ENTRY_COLUMNS "decision reason collection records bates", ACCESS | RECORDS,
	    us_report_content_by_administrators },
	{ "after-notice", "Was a record touched after notice that it was to be returned?",
	    "--clawback ID | --records C/B[..B] --since T",
	    ENTRY_COLUMNS "decision reason when records bates purpose", ACCESS | RECORDS,
	    us_report_after_notice },
	{ "holdings", "What does the vault hold, and by which manifest roots?", "",
	    "index time batch loaded_by records bates duplicates refused bytes manifest_root "
	    "status",
	    ACCESS, us_report_holdings },
	{ "searches", "What was searched for, on which snapshot, with how many hits?", "--person N",
	    ENTRY_COLUMNS "decision collection query snapshot total shown purpose",
	    ACCESS | RECORDS | QUERY, us_report_searches },
	{ "certificate", "What does a certificate for the court need from this log?", "",
	    "check finding", ACCESS | RECORDS, us_report_certificate },
	{ "disposition", "Which copies are still out, and with which party?", "",
	    "party copies records returned destroyed out copies_out", ACCESS | RECORDS,
	    us_report_disposition },
	{ 0 },
};

const struct us_report_kind *
us_report_kind_named(const char *name)
{
	for (const struct us_report_kind *k = us_report_kinds; k->name != NULL; k++)
		if (strcmp(k->name, name) == 0)
			return k;
	return NULL;
}
