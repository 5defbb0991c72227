/* Why a record of a load is refused: closed set, stable codes (they stand in receipts). */
#ifndef US_EVIDENCE_BATCH_DEFECT_H
#define US_EVIDENCE_BATCH_DEFECT_H

enum us_defect {
	US_DEFECT_NONE = 0,
	US_DEFECT_TRUNCATED_JSON = 1,
	US_DEFECT_INVALID_JSON = 2,
	US_DEFECT_INVALID_UTF8 = 3,
	US_DEFECT_LONE_SURROGATE = 4,
	US_DEFECT_CONTROL_CHARACTER = 5,
	US_DEFECT_DUPLICATE_KEY = 6,
	US_DEFECT_TOO_DEEP = 7,
	US_DEFECT_TOO_LARGE = 8,
	US_DEFECT_NOT_AN_OBJECT = 9,
	US_DEFECT_MISSING_FIELD = 10,
	US_DEFECT_WRONG_TYPE = 11,
	US_DEFECT_BAD_ID = 12,
	US_DEFECT_NO_MESSAGES = 13,
	US_DEFECT_NO_OUTPUT_TURN = 14,
	US_DEFECT_UNKNOWN_ROLE = 15,
	US_DEFECT_BAD_TIMESTAMP = 16,
	US_DEFECT_TIMESTAMP_OUT_OF_RANGE = 17,
	US_DEFECT_UNKNOWN_DESIGNATION = 18,
	US_DEFECT_DUPLICATE_ID = 19,
	US_DEFECT_TOO_MANY_MESSAGES = 20,
	/* of a whole file or part */
	US_DEFECT_EMPTY_FILE = 21,
	US_DEFECT_NOT_UTF8 = 22,
	/* of a record again; numbers are never reused */
	US_DEFECT_UNLISTED_DESIGNATION = 23,
	US_DEFECT__COUNT
};

/* "truncated-json"; "unknown" outside the enum. */
const char *us_defect_code(unsigned defect);
/* The defect of that code; US_DEFECT__COUNT: none that is known here. */
unsigned us_defect_of(const char *code);
/* What it means and what to do, one sentence. */
const char *us_defect_text(unsigned defect);

#endif
