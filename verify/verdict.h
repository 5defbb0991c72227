/* What a verification says: the verdict, and the report that gives its reasons. */
#ifndef US_VERIFY_VERDICT_H
#define US_VERIFY_VERDICT_H

#include "log/checkpoint.h"
#include "log/cosignature.h"
#include "log/entry.h"
#include "log/succession.h"
#include "verify/source.h"

enum us_verdict {
	US_VERDICT_OK,          /* exit status 0 */
	US_VERDICT_TAMPERED,    /* 5: something contradicts something else */
	US_VERDICT_INCOMPLETE,  /* 6: files are missing or cut short */
	US_VERDICT_UNVERIFIABLE /* 6: nothing can be said: no checkpoint, no key, I/O failed */
};

/* How far witnesses vouch for the log. Filled once the entries have been found right. */
struct us_verify_witnessed {
	int judged;    /* there was a policy */
	int met;       /* its quorum cosigned the entries before size */
	uint64_t size; /* if met: those behind it are not witnessed yet */
	/* if met: a quorum cosigned at this time or later; 0: the policy wants nobody */
	uint64_t as_of_s;
	/* witnesses of the policy: who cosigned that checkpoint; if not met, any of those here */
	uint8_t by[US_COSIGNERS_MAX];
};

/* One timestamp beside the log. */
struct us_verify_stamp {
	char name[US_STAMP_NAME_MAX + 1]; /* of its file, letters, digits, dots, - and _ */
	uint64_t size;                    /* entries that were there */
	int64_t time_s;                   /* then */
	/* who says so (the options'); NULL: none of the authorities that were given */
	const char *authority;
	/* they were of a tree whose end was lost when the log was handed over, as the hand-over
	 * admits: counts for nothing */
	int lost;
};

/* How far authorities vouch for when the log was there. Filled as above. */
struct us_verify_stamped {
	int judged; /* authorities were given */
	unsigned needed;
	uint64_t size; /* each of so many vouches for the entries before this one, or more */
};

/* One hand-over of the log to another key, as far as it concerns who reads a verdict. */
struct us_verify_handover {
	uint64_t entry; /* the first under the new key */
	/* entries that the old key is known to have signed: those from entry on are lost */
	uint64_t last;
	int64_t time_ns;
	enum us_handover_reason reason;
};

struct us_verify_report {
	enum us_verdict verdict;
	/* TAMPERED, INCOMPLETE: the first index that is wrong or missing, or US_ENTRY_NONE if it is
	 * not about an entry (the checkpoint's signature, say). */
	uint64_t index;
	const char *rule; /* the rule between entries that is broken (static), or NULL */
	char detail[320]; /* one sentence for a person, printable ASCII */
	int own_vkey;     /* the key came with the log itself: it proves no identity */
	struct us_checkpoint checkpoint; /* valid if its signature was; extensions is empty */
	uint64_t entries;                /* that were checked */
	/* entries whose access box was not opened: what rules say about them was not judged */
	uint64_t withheld;
	uint64_t opened[US_BOXES]; /* boxes whose keys were disclosed and right */
	/* that lie beside the log and are those it commits to: the first so many */
	uint64_t acts;
	int64_t first_ns; /* time of the first and last entry */
	int64_t last_ns;
	size_t n_handovers;
	/* the oldest first; valid once the checkpoint's signature was */
	struct us_verify_handover handovers[US_HANDOVERS_MAX];
	struct us_verify_witnessed witnessed;
	struct us_verify_stamped stamped;
	size_t n_stamps; /* without authorities, only their names are known */
	struct us_verify_stamp stamps[US_STAMPS_MAX];
	int receipt;            /* what was verified is one entry's receipt (verify/receipt.h), */
	uint64_t receipt_index; /* of this entry; first_ns is its time */
};

/* An empty report: UNVERIFIABLE, no index. */
void us_verify_report_begin(struct us_verify_report *r);
/* "OK", "TAMPERED", "INCOMPLETE", "UNVERIFIABLE". */
const char *us_verdict_name(enum us_verdict v);
/* 0, 5, 6, 6. */
int us_verdict_exit(enum us_verdict v);

#endif
