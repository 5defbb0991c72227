/* A log entry as people and scripts see it. */
#ifndef US_CLIENT_LOG_ENTRY_JSON_H
#define US_CLIENT_LOG_ENTRY_JSON_H

#include <cjson/cJSON.h>

#include "log/opened.h"

/* Names for the numbers in entries: answers of /v1/people and /v1/collections. */
struct us_log_names {
	cJSON *people;
	cJSON *collections;
};

/* What `audit list` was asked to show; NULL or 0 for everything. */
struct us_log_filter {
	const char *person, *party, *credential, *collection;
	int has_record; /* with denied: that asked for it; else: that disclosed it */
	uint64_t record;
	const char *bates; /* the same as text */
	int denied;
	int64_t since_ns, until_ns;
};

/* 1 if the entry, whose access box is open, is of the credential with that fingerprint, in hex. */
int us_log_is_of(const struct us_opened *o, const char *credential);
/* Appends the entry as one JSON object and a line end, if the filter lets it pass; a box that is
 * not open is "withheld". Errors of the buffer. */
int us_log_entry_json(struct us_buf *out, const struct us_opened *o,
    const struct us_log_names *names, const struct us_log_filter *filter);

#endif
