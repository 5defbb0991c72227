/* Policy files of C2SP tlog-policy. What is taken keeps its promises: a quorum of all is met, more
 * witnesses never undo a quorum, and none of them is one only for "quorum none". */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "log/witness_policy.h"
#include "base/err.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(int ok)
{
	if (!ok)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t by[US_COSIGNERS_MAX] = { 0 };
	struct us_tlog_policy_error error;
	struct us_tlog_policy *p;
	size_t n, logs;
	int met, before;

	if (us_tlog_policy_parse(&p, data, size, &error) != US_OK) {
		check(p == NULL && error.what != NULL);
		return 0;
	}
	(void)us_tlog_policy_witnesses(p, &n);
	(void)us_tlog_policy_logs(p, &logs);
	before = us_tlog_policy_met(p, by);
	check(!before || memmem(data, size, "none", 4) != NULL);
	for (size_t i = 0; i < n; i++) {
		const char *name = us_tlog_policy_witness_name(p, i),
			   *url = us_tlog_policy_witness_url(p, i);

		check(name[0] != '\0' && (url == NULL || url[0] != '\0'));
		by[i] = 1;
		met = us_tlog_policy_met(p, by);
		check(met >= before);
		before = met;
	}
	check(before);
	us_tlog_policy_free(p);
	return 0;
}
