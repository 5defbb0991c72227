/*
 * What the vault answers, held against its log before anybody sees it: the one function that every
 * answer passes, whatever the command is.
 *
 * An answer to a request that is logged carries the index of its entry and a checkpoint that covers
 * it. The checkpoint must be the log's, and go on from the newest that the profile remembers; the
 * entry must be there, new, and of the kind that such a request leaves; then the profile remembers
 * the checkpoint. So a log that was put back or cut, and an answer that left no entry, are noticed
 * by whoever asks anything at all.
 */
#ifndef US_CLIENT_LOG_ANSWERED_H
#define US_CLIENT_LOG_ANSWERED_H

#include "client/core/client.h"

/* What a route's answers must bring. */
enum us_answer_proof {
	US_ANSWER_FREE, /* no entry: files of the log, status, nonces */
	US_ANSWER_NEW,  /* an entry that was not there before */
	US_ANSWER_OLD,  /* perhaps one, which may have been there before */
};
/* By method and path, with or without a query. What no row names must bring an entry. */
enum us_answer_proof us_answer_proof_of(const char *method, const char *path);

/* The client's `check`. US_OK; US_ERR_VERIFY, US_ERR_INCOMPLETE (the log does not show it),
 * US_ERR_CLOSED (it could not be asked), US_ERR_NOMEM, US_ERR_LIMIT; each has been said. */
int us_answer_check(struct us_client *client, const struct us_client_request *request,
    const struct us_reply *reply, uint64_t seen);
/* The client's `seen`. */
uint64_t us_answer_seen(struct us_client *client, const struct us_client_request *request);

#endif
