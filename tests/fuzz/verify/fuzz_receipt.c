/* Receipts: any bytes get a verdict, and what is OK is about an entry that the log has. The key,
 * and the policy's, are those that tests/independent/hostile_receipt.py signs with. */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "verify/receipt.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char vkey[] = "log.example.org/underseal/"
			   "0123456789abcdef+51396b64+AUUpAoUwR2axPD4SGhjn8EbUUBPeGtxv7i6ME/FYIK2D";
static const char policy_text[] =
    "# which of them are enough\n"
    "log "
    "log.example.org/underseal/0123456789abcdef+51396b64+AUUpAoUwR2axPD4SGhjn8EbUUBPeGtxv7i6ME/"
    "FYIK2D\n"
    "witness w1 w1.example/witness+0e60d3ea+BA8FfB6MpXlYfKbjQ53yhCa6py2e1savS9g8Mwz/cIK/\n"
    "witness w2 w2.example/witness+436513f1+BPvUQnLyabFvYAlLvq7+LCmgoS361J+x+cXJQXYtrPV6\n"
    "witness w3 w3.example/witness+7b4440a1+BG/RyYxuvbg3IgMcITgo5hYQwTAFRXIrzXRB/syGO51p\n"
    "group all2 2 w1 w2 w3\n"
    "quorum all2\n";

static void
check(int ok)
{
	if (!ok)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct us_verify_options options = { .vkey = vkey };
	struct us_tlog_policy *policy;
	struct us_verify_report report;

	check(us_tlog_policy_parse(&policy, policy_text, sizeof policy_text - 1, NULL) == US_OK);
	for (unsigned i = 0; i < 8; i++) {
		options.vkey = i & 1 ? NULL : vkey;
		options.policy = i & 2 ? policy : NULL;
		options.foreign = (i & 4) != 0;
		check(us_entry_receipt_verify(&report, (struct us_bytes){ data, size },
			  (struct us_bytes){ NULL, 0 }, &options) == US_OK);
		check(report.verdict != US_VERDICT_OK ||
		    (report.receipt && report.receipt_index < report.checkpoint.size));
		check(report.verdict != US_VERDICT_OK || options.policy == NULL ||
		    report.witnessed.met);
	}
	us_tlog_policy_free(policy);
	return 0;
}
