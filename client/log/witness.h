/* What the commands about witnesses share: their policy and keys, and bringing cosignatures to the
 * log. */
#ifndef US_CLIENT_LOG_WITNESS_H
#define US_CLIENT_LOG_WITNESS_H

#include "log/witness_policy.h"
#include "client/core/client.h"

/* Gives a checkpoint with cosignatures to the log. Exit status; *count: how many the log has of it
 * now. */
int us_log_deliver(struct us_client *client, struct us_bytes note, unsigned *count);

/* The policy in that file, to be freed. Ends the program with that status if it is none. */
struct us_tlog_policy *us_policy_read(const char *file, int status);

#define US_WITNESS_KEY_FILE "witness.key"
/* The profile's key as a witness; made on first use, for who witnesses has said so by asking for
 * it. name: of a key that is made now, or NULL; one that is there must have it. Ends the program if
 * there is none to use. Free with us_note_signer_free(). */
struct us_note_signer *us_witness_key(const struct us_profile *profile, const char *name);

/* Writes a cosigned checkpoint to a file that is replaced whole, or to stdout if path is "-".
 * US_ERR_IO. */
int us_cosigned_write(const char *path, const struct us_buf *note);

#define US_SUBMIT_OPTIONS 4
extern const struct us_option us_submit_options[US_SUBMIT_OPTIONS];
/* `audit submit`, an exit status. */
int us_submit_run(struct us_client *client, const struct us_args *args);

#endif
