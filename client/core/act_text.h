/* An act in words, before it is signed; and which acts a person is asked about. */
#ifndef US_CLIENT_CORE_ACT_TEXT_H
#define US_CLIENT_CORE_ACT_TEXT_H

#include "client/core/run.h"
#include "registry/act.h"

/* What such an act does: "freezes access". Static; NULL for the vault's own. */
const char *us_act_title(enum us_act_type type);
/* 1: who signs it on a terminal is asked first. What binds a party, or decides about others'
 * access; not what an administrator does by the hundred and others must sign anyway, nor what is
 * part of reading, or in a hurry and of one's own (seal, revoke). */
int us_act_is_asked(enum us_act_type type);
/* All that the act says, on stdout, with the names that client knows (client/core/named.h). */
void us_act_show(const struct us_client *client, const struct us_act *act);

#endif
