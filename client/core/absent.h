/* What is said of a thing that the vault does not know by the name it was given: which there is
 * that is called nearly so, and the command that lists them. */
#ifndef US_CLIENT_CORE_ABSENT_H
#define US_CLIENT_CORE_ABSENT_H

#include <cjson/cJSON.h>

/* Where all are listed of whose kind the path names one; NULL: it names nothing out of a list. */
const char *us_absent_list(const char *path);
/* Says on stderr what the list (an answer of us_absent_list(path), or NULL) has that is nearest to
 * the name in the path, or how people see the list. A name that is in it is not what is absent:
 * then nothing is said. */
void us_absent_say(const char *path, const cJSON *list);

#endif
