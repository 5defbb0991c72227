/*
 * What a check found wrong first. Checks return US_OK, an error of ours (memory is out), or FOUND
 * with the finding filled: the verification then ends with that verdict.
 */
#ifndef US_VERIFY_FINDING_H
#define US_VERIFY_FINDING_H

#include "base/err.h"
#include "verify/verdict.h"

/* Never leaves this library's checks. */
#define FOUND US_ERR__COUNT

struct us_verify_finding {
	enum us_verdict verdict;
	uint64_t index;   /* of the entry, or US_ENTRY_NONE */
	const char *rule; /* static name of the rule between entries that is broken, or NULL */
	char text[320];   /* one sentence, printable ASCII */
};

/* Fills *f and returns FOUND. */
int us_verify_found(struct us_verify_finding *f, enum us_verdict verdict, uint64_t index,
    const char *format, ...) __attribute__((format(printf, 4, 5)));

/* The verdict of what a verification returned: US_OK, or FOUND with its finding. */
void us_verify_report_conclude(struct us_verify_report *r, int err,
    const struct us_verify_finding *finding);

#endif
