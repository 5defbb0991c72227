#include "verify/finding.h"

#include <stdarg.h>
#include <stdio.h>

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
