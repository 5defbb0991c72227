/* What is said of a thing that the vault does not know by the name it was given: which there is
 * that is called nearly so, and the command that lists them. */
#ifndef US_CLIENT_CORE_ABSENT_H
#define US_CLIENT_CORE_ABSENT_H

#include "client/core/client.h"

/* Looks in the list from which the path "/v1/people/Adaa…" names one thing, and says the nearest on
 * stderr, or where the list is. A name that is in the list is not what is absent: then nothing is
 * said. Returns USAGE; of a path that names nothing out of a list, otherwise. */
int us_absent_say(struct us_client *client, const char *path, int otherwise);

#endif
