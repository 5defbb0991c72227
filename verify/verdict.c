#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "verify/finding.h"

int
us_verify_found(struct us_verify_finding *f, enum us_verdict verdict, uint64_t index,
    const char *format, ...)
{
	va_list ap;

	f->verdict = verdict;
	f->index = index;
	va_start(ap, format);
	(void)vsnprintf(f->text, sizeof f->text, format, ap);
	va_end(ap);
	return FOUND;
}

void
us_verify_report_conclude(struct us_verify_report *r, int err,
    const struct us_verify_finding *finding)
{
	if (err == FOUND) {
		r->verdict = finding->verdict;
		r->index = finding->index;
		r->rule = finding->rule;
		(void)snprintf(r->detail, sizeof r->detail, "%s", finding->text);
	} else if (err == US_OK) {
		r->verdict = US_VERDICT_OK;
		(void)snprintf(r->detail, sizeof r->detail,
		    "%llu entries match the signed checkpoint",
		    (unsigned long long)r->checkpoint.size);
	}
}

void
us_verify_report_begin(struct us_verify_report *r)
{
	memset(r, 0, sizeof *r);
	r->verdict = US_VERDICT_UNVERIFIABLE;
	r->index = US_ENTRY_NONE;
}

const char *
us_verdict_name(enum us_verdict v)
{
	switch (v) {
	case US_VERDICT_OK:
		return "OK";
	case US_VERDICT_TAMPERED:
		return "TAMPERED";
	case US_VERDICT_INCOMPLETE:
		return "INCOMPLETE";
	case US_VERDICT_UNVERIFIABLE:
		return "UNVERIFIABLE";
	}
	return "UNVERIFIABLE";
}

int
us_verdict_exit(enum us_verdict v)
{
	switch (v) {
	case US_VERDICT_OK:
		return 0;
	case US_VERDICT_TAMPERED:
		return 5;
	case US_VERDICT_INCOMPLETE:
	case US_VERDICT_UNVERIFIABLE:
		return 6;
	}
	return 6;
}
