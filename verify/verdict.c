#include <stdarg.h>
#include <stdio.h>

#include "verify/finding.h"

int
found(struct finding *f, enum us_verdict verdict, uint64_t index, const char *format, ...)
{
	va_list ap;

	f->verdict = verdict;
	f->index = index;
	va_start(ap, format);
	(void)vsnprintf(f->text, sizeof f->text, format, ap);
	va_end(ap);
	return FOUND;
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
