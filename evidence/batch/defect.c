#include "evidence/batch/defect.h"

#include <stddef.h>
#include <string.h>

static const struct {
	const char *code, *text;
} defects[US_DEFECT__COUNT] = {
	[US_DEFECT_NONE] = { "none", "nothing is wrong" },
	[US_DEFECT_TRUNCATED_JSON] = { "truncated-json", "the line ends within its JSON" },
	[US_DEFECT_INVALID_JSON] = { "invalid-json", "the line is not JSON (RFC 8259)" },
	[US_DEFECT_INVALID_UTF8] = { "invalid-utf8", "the line has bytes that are not UTF-8" },
	[US_DEFECT_LONE_SURROGATE] = { "lone-surrogate", "an escape names half a surrogate pair" },
	[US_DEFECT_CONTROL_CHARACTER] = { "control-character",
	    "a control character stands unescaped in a string" },
	[US_DEFECT_DUPLICATE_KEY] = { "duplicate-key", "a key stands twice in one object" },
	[US_DEFECT_TOO_DEEP] = { "too-deep", "objects or arrays are nested more than 64 deep" },
	[US_DEFECT_TOO_LARGE] = { "too-large", "the record is larger than 8 MiB" },
	[US_DEFECT_NOT_AN_OBJECT] = { "not-an-object", "the line is not a JSON object" },
	[US_DEFECT_MISSING_FIELD] = { "missing-field", "id, messages, role or content is missing" },
	[US_DEFECT_WRONG_TYPE] = { "wrong-type", "a known field has a value of the wrong type" },
	[US_DEFECT_BAD_ID] = { "bad-id", "the id is empty or longer than 512 bytes" },
	[US_DEFECT_NO_MESSAGES] = { "no-messages", "the list of messages is empty" },
	[US_DEFECT_NO_OUTPUT_TURN] = { "no-output-turn", "no message is of the role assistant" },
	[US_DEFECT_UNKNOWN_ROLE] = { "unknown-role",
	    "a role is not one of system, user, assistant, tool" },
	[US_DEFECT_BAD_TIMESTAMP] = { "bad-timestamp",
	    "a time is not an RFC 3339 date-time with a zone" },
	[US_DEFECT_TIMESTAMP_OUT_OF_RANGE] = { "timestamp-out-of-range",
	    "a time is before 1990 or after tomorrow" },
	[US_DEFECT_UNKNOWN_DESIGNATION] = { "unknown-designation",
	    "the designation is blank or longer than 64 bytes" },
	[US_DEFECT_DUPLICATE_ID] = { "duplicate-id",
	    "another record with this id and other bytes was admitted" },
	[US_DEFECT_TOO_MANY_MESSAGES] = { "too-many-messages",
	    "the record has more than 65,535 messages" },
	[US_DEFECT_EMPTY_FILE] = { "empty-file", "the file holds no record" },
	[US_DEFECT_NOT_UTF8] = { "not-utf8", "the file is not UTF-8 text" },
	[US_DEFECT_UNLISTED_DESIGNATION] = { "unlisted-designation",
	    "the designation is not in the order's list: see underseal order show" },
};

const char *
us_defect_code(unsigned defect)
{
	return defect < US_DEFECT__COUNT ? defects[defect].code : "unknown";
}

unsigned
us_defect_of(const char *code)
{
	unsigned defect = 0;

	while (defect < US_DEFECT__COUNT && strcmp(defects[defect].code, code) != 0)
		defect++;
	return defect;
}

const char *
us_defect_text(unsigned defect)
{
	return defect < US_DEFECT__COUNT ? defects[defect].text : "unknown defect";
}
