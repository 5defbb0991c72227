/* Why an act is refused, said. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "registry/internal.h"

int
us_refuse(struct us_refusal *refusal, int err, enum us_reason reason, const char *format, ...)
{
	va_list ap;

	if (refusal == NULL)
		return err;
	memset(refusal, 0, sizeof *refusal);
	refusal->reason = reason;
	va_start(ap, format);
	(void)vsnprintf(refusal->text, sizeof refusal->text, format, ap);
	va_end(ap);
	return err;
}

void
us_refuse_cure(struct us_refusal *refusal, const char *cure)
{
	if (refusal != NULL)
		(void)snprintf(refusal->cure, sizeof refusal->cure, "%s", cure);
}

int
us_not_found(struct us_refusal *refusal, const char *what)
{
	return us_refuse(refusal, US_ERR_NOT_FOUND, US_REASON_NOT_FOUND, "there is no such %s",
	    what);
}
