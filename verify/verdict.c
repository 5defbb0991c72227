#include "verify/verdict.h"

#include <string.h>

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
