/* The key that a profile has as a witness. */
#ifndef US_CLIENT_LOG_WITNESS_KEY_H
#define US_CLIENT_LOG_WITNESS_KEY_H

#include "log/note.h"
#include "client/core/client.h"

#define US_WITNESS_KEY_FILE "witness.key"
/* The profile's key as a witness; made on first use, for who witnesses has said so by asking for
 * it. name: of a key that is made now, or NULL; one that is there must have it. Ends the program if
 * there is none to use. Free with us_note_signer_free(). */
struct us_note_signer *us_witness_key(const struct us_profile *profile, const char *name);

#endif
