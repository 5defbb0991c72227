/* A stream of records as read and copy get it: a header line, then a line a record, each verified
 * before anything of it is shown or written. */
#ifndef US_CLIENT_EVIDENCE_RECORDS_H
#define US_CLIENT_EVIDENCE_RECORDS_H

#include "client/core/client.h"
#include "client/core/quota_text.h"
#include "client/log/proofs.h"

struct us_record_stream {
	/* Both are called with verified lines only; an error ends the stream. US_ERR_IO: our own
	 * output failed. */
	int (*on_header)(struct us_record_stream *s, const cJSON *header, const char *line,
	    size_t n);
	int (*on_record)(struct us_record_stream *s, const char *line, size_t n,
	    struct us_bytes record);
	void *ctx;
	int json;
	const cJSON *asked;  /* Bates numbers, in the order in which their records must come */
	uint32_t collection; /* that they are of, 0: not known */
	/* the rest is the stream's own */
	uint64_t entry; /* of the log: the request's */
	size_t records, expected;
	const cJSON *next; /* of asked */
	const struct us_reply *reply;
	int has_header;
	int err;
	char left[US_QUOTA_TEXT];
	struct us_buf partial;
	struct us_buf problem; /* that ended the answer */
	struct us_proofs *proofs;
};

/* Performs the request; returns an exit status, having said what went wrong. */
int us_record_stream_run(struct us_record_stream *s, struct us_client *client,
    const struct us_client_request *request);
/* The sink of us_record_stream_run, for tests. ctx: struct us_record_stream. */
int us_record_stream_sink(void *ctx, const uint8_t *p, size_t n);
/* Bates numbers from the operands after the first `first` and from a file (NULL: none), as a JSON
 * array. */
cJSON *us_bates_list(const struct us_args *args, size_t first, const char *from);
/* Adds a Bates number to a list of texts, or each of a range: "OAI000000001..OAI000000009". A usage
 * error, which says how one is written, if it is no range, or has more than 100,000 numbers. */
void us_bates_add(cJSON *list, const char *text);
/* One record for people, from its verified line. */
void us_print_record(FILE *to, const char *line, size_t n);

#endif
