/* Inside the parser of native records: its state, and the strings and other values of a record.
 * Objects, arrays and the parser as a whole: native.c. */
#ifndef US_DAEMON_INTAKE_NATIVE_VALUE_H
#define US_DAEMON_INTAKE_NATIVE_VALUE_H

#include <yajl/yajl_parse.h>

#include "daemon/intake/keys.h"
#include "daemon/intake/native_limits.h"
#include "evidence/batch/defect.h"
#include "evidence/batch/record.h"

enum us_intake_key {
	KEY_OTHER = 0,
	/* of a record */
	KEY_ID = 1 << 0,
	KEY_CREATED = 1 << 1,
	KEY_MODEL = 1 << 2,
	KEY_LANGUAGE = 1 << 3,
	KEY_DESIGNATION = 1 << 4,
	KEY_MESSAGES = 1 << 5,
	/* of a message */
	KEY_ROLE = 1 << 6,
	KEY_CONTENT = 1 << 7,
	KEY_TIME = 1 << 8,
};

/* Where the parser stands. */
enum us_intake_place { TOP, RECORD, MESSAGES, MESSAGE };

/* Invariant: skip counts the containers open below what is understood; while it is not 0,
 * nothing is looked at. */
struct us_native {
	struct us_bytes line;
	int64_t now_ns;
	yajl_handle yajl;
	enum us_intake_place place;
	unsigned skip;
	unsigned key; /* of the value to come */
	unsigned record_seen, message_seen;
	struct us_intake_keys record_others, message_others;
	enum us_defect defect;
	int err;
	struct us_buf text; /* decoded strings */
	struct us_intake_text id, model, language, designation;
	int64_t created_ns;
	uint8_t role;
	int assistants;
	struct us_span *spans;
	struct us_intake_text *contents;
	struct us_bytes *texts;
	size_t messages, cap;
};

/* Takes note of the first thing that is wrong. */
void us_native_defect(struct us_native *p, enum us_defect d);
/* A string, as yajl calls back; 0: err of the parser says what failed. */
int us_native_string(void *ctx, const unsigned char *s, size_t n);
/* The same for null. */
int us_native_null(void *ctx);
/* The same for true and false, which have no place in a record. */
int us_native_boolean(void *ctx, int value);
/* The same; numbers are never converted. */
int us_native_number(void *ctx, const char *s, size_t n);
/* A value that is neither string nor what its place wants; is_null: it stands for "not known". */
int us_native_other(struct us_native *p, int is_null);

#endif
