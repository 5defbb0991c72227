/* An export as a whole, by as many threads as there are processors. */
#include <unistd.h>

#include "base/err.h"
#include "verify/files.h"
#include "verify/finding.h"
#include "verify/verify.h"

int
us_export_verify(struct us_verify_report *report, const char *dir,
    const struct us_verify_options *options)
{
	struct us_verify_finding finding = { .rule = NULL };
	struct us_log_source source;
	struct us_verify_files *f;
	int err = us_verify_files_open(&f, dir);

	us_verify_report_begin(report);
	if (err == US_OK) {
		err = us_verify_files_as_written(f, &finding);
		source = us_verify_files_source(f);
		if (err == US_OK)
			err = us_log_verify(report, &source, options);
		else
			us_verify_report_conclude(report, err, &finding);
		err = err == FOUND ? US_OK : err;
		us_verify_files_close(f);
	} else if (err != US_ERR_NOMEM) {
		us_verify_report_conclude(report,
		    us_verify_found(&finding, US_VERDICT_UNVERIFIABLE, US_ENTRY_NONE,
			"the directory or its keys.jsonl cannot "
			"be opened: %s",
			us_strerror(err)),
		    &finding);
		err = US_OK;
	}
	return err;
}

unsigned
us_verify_processors(void)
{
	const long n = sysconf(_SC_NPROCESSORS_ONLN);

	return n < 1 ? 1 : n > US_VERIFY_THREADS_MAX ? US_VERIFY_THREADS_MAX : (unsigned)n;
}
